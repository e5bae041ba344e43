"""What the service writes down holds no address and no token, and every line can be read."""

from __future__ import annotations

import io
import json
import string
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suppress.errors import SourceFailed
from suppress.service.log import LONGEST_WORD, Event, Format, Log

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
WORD = st.text(string.ascii_letters + string.digits + "._+-'é", min_size=1, max_size=30)
ADDRESS = st.builds(
    lambda local, at, domain: f"{local}{at}{domain}", WORD, st.sampled_from(["@", "%40", "＠"]), WORD
)
TOKEN = st.text(string.ascii_letters + string.digits + "-._~+/=", min_size=LONGEST_WORD, max_size=300)
AROUND = st.text("abc \n\t'\"(),:;<>", max_size=12)


def lines(form: Format, *errors: BaseException, name: str | None = None) -> list[str]:
    """What the log holds after these errors."""
    stream = io.StringIO()
    log = Log(stream, form, lambda: NOW)
    for error in errors:
        log.say(Event.FAILED, name=name, error=error, new=3)
    return stream.getvalue().splitlines()


@pytest.mark.parametrize("form", list(Format))
@given(secret=st.one_of(ADDRESS, TOKEN), before=AROUND, after=AROUND)
def test_no_address_and_no_token_gets_into_a_line(form: Format, secret: str, before: str, after: str) -> None:
    """Even if an error's message or remedy holds one, in whatever it is wrapped."""
    text = f"refused {before}{secret}{after} twice"
    found = lines(form, SourceFailed(text, remedy=text), ValueError(text), name=secret)

    assert 2 == len(found)
    for line in found:
        assert secret not in line
        assert json.dumps(secret)[1:-1] not in line


@given(text=st.text(max_size=200))
def test_a_line_is_one_object_whatever_an_error_says(text: str) -> None:
    """Whoever reads a log reads it line by line."""
    (line,) = lines(Format.JSON, SourceFailed(text))
    facts = json.loads(line)

    assert {"time", "level", "event", "error", "message", "remedy", "new"} == set(facts)
    assert "2026-11-23T12:00:00.000Z" == facts["time"]


def test_a_line_of_text_says_the_same() -> None:
    """For people who read the journal."""
    stream = io.StringIO()
    log = Log(stream, Format.TEXT, lambda: NOW)
    log.say(Event.SOURCE, name="main", at=NOW, new=3, complete=True)
    log.say(Event.SOURCE, name="main", error=SourceFailed("no answer from there"), complete=False)

    assert [
        "2026-11-23T12:00:00.000Z info source name=main at=2026-11-23T12:00:00.000Z new=3 complete=yes",
        "2026-11-23T12:00:00.000Z error source name=main error=SourceFailed "
        'message="no answer from there" remedy="suppress doctor" complete=no',
    ] == stream.getvalue().splitlines()


def test_a_log_that_cannot_be_written_ends_nothing() -> None:
    """A full disk under the journal must not stop the collecting of opt-outs."""
    stream = io.StringIO()
    stream.close()

    Log(stream, Format.JSON, lambda: NOW).say(Event.STARTED)

    assert stream.closed

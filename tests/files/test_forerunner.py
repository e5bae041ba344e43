"""A forerunner says what its parent would have found, or nothing; and it never stays behind."""

from __future__ import annotations

import gzip
import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from suppress.errors import BadFile, SuppressError
from suppress.files import forerunner, processors
from suppress.files.contacts import ContactFile, Reading
from suppress.files.forerunner import Forerunner

LIST = b"email,name\n" + b"".join(b"x%d@example.org,some name %d\n" % (n, n) for n in range(60_000))
BAD = LIST + b"jos\xe9@example.org,Jos\xe9\n" + LIST
"""More than a block, with bytes that are no UTF-8 in line 60,002."""


@pytest.fixture(autouse=True)
def short_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any file is worth one, on any machine."""
    monkeypatch.setattr(forerunner, "WORTH", 1)
    monkeypatch.setattr(processors, "usable", lambda: 2)


@contextmanager
def sent(path: Path, encoding: str | None = None) -> Iterator[Forerunner]:
    """One that was sent out for this file."""
    runner = Forerunner.sent(str(path), encoding)
    assert runner is not None
    with runner:
        yield runner


def pid_of(runner: Forerunner) -> int:
    """Its process."""
    found = runner._process.pid
    assert found is not None
    return found


def said(path: Path, reading: Reading, runner: Forerunner | None) -> object:
    """All that is found out about a file before its rows are read, and its digest; or the error."""
    try:
        with ContactFile.open(str(path), reading, forerunner=runner) as contacts:
            rows = [row for batch in contacts.batches() for row in batch]
            return contacts.assumptions, contacts.digest, len(rows), rows[-1]
    except SuppressError as refused:
        return type(refused), str(refused), refused.remedy


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (LIST, None),
        (BAD, None),
        (BAD, "utf-8"),
        (LIST, "latin-1"),
        (b"\xef\xbb\xbf" + LIST, None),
        (LIST.decode().encode("utf-16"), None),
        (LIST.decode().encode("utf-16") + b"x", None),
        (LIST.decode().encode("utf-16-le"), None),
        (LIST, "utf-7"),
        (LIST, "no-such"),
        (b"name\nnobody\n", None),
        (b'{"email": "pat@example.com"}\n' * 50_000, None),
    ],
)
def test_what_it_says_is_what_is_found_without_it(
    tmp_path: Path, content: bytes, encoding: str | None
) -> None:
    """Encoding, guess and its line, digest, rows, and each error in the same words."""
    path = tmp_path / "list.csv"
    path.write_bytes(content)
    reading = Reading(encoding)
    expected = said(path, reading, None)
    with sent(path, encoding) as runner:
        assert expected == said(path, reading, runner)


def test_its_digest_is_that_of_the_file(tmp_path: Path) -> None:
    """Whoever asks for it alone waits for the survey too."""
    path = tmp_path / "list.csv"
    path.write_bytes(BAD)
    with sent(path) as runner:
        assert hashlib.sha256(BAD).hexdigest() == runner.digest
        assert runner.encoding is not None
        assert "not UTF-8 (line 60002), read as Windows-1252" == runner.encoding.guess


@pytest.mark.parametrize("moment", ["at once", "with the encoding said"])
def test_one_that_is_killed_costs_time_and_nothing_else(tmp_path: Path, moment: str) -> None:
    """Its parent reads the file itself, once more or for the first time."""
    path = tmp_path / "list.csv"
    path.write_bytes(BAD)
    expected = said(path, Reading(), None)
    with sent(path) as runner:
        if moment == "at once":
            os.kill(pid_of(runner), signal.SIGKILL)
        else:
            assert runner.encoding is not None
            os.kill(pid_of(runner), signal.SIGKILL)
            runner._process.join()
            # What it may have said about the digest by then is lost as well.
            runner._pipe.close()

        assert expected == said(path, Reading(), runner)


def test_a_file_that_changes_behind_it_is_refused(tmp_path: Path) -> None:
    """The digest that it made is of a file that nobody has any more."""
    path = tmp_path / "list.csv"
    path.write_bytes(LIST)
    with sent(path) as runner, ContactFile.open(str(path), forerunner=runner) as contacts:
        assert contacts.digest
        with path.open("ab") as more:
            more.write(b"late@example.com,L\n")
        with pytest.raises(BadFile, match="changed while it was read"):
            assert contacts.digest


def test_a_file_that_changed_since_it_was_sent_is_read_anew(tmp_path: Path) -> None:
    """What it says is of the file as it was."""
    path = tmp_path / "list.csv"
    path.write_bytes(LIST)
    with sent(path) as runner:
        path.write_bytes(BAD)
        with ContactFile.open(str(path), forerunner=runner) as contacts:
            assert "delimiter: comma; header found" in contacts.assumptions
            assert "encoding: not UTF-8 (line 60002)" in " ".join(contacts.assumptions)
            assert hashlib.sha256(BAD).hexdigest() == contacts.digest


def test_an_answer_to_another_question_is_not_taken(tmp_path: Path) -> None:
    """It was asked what the file is, and the reader was told."""
    path = tmp_path / "list.csv"
    path.write_bytes(BAD)
    reading = Reading("latin-1")
    expected = said(path, reading, None)
    with sent(path) as runner:
        assert expected == said(path, reading, runner)


@pytest.mark.parametrize(
    "content", [gzip.compress(LIST), b"PK\x03\x04", b"PAR1", b"BZh", b"", b'[{"email": 1}]']
)
def test_none_is_sent_for_what_is_no_text(tmp_path: Path, content: bytes) -> None:
    """Packed files, workbooks, Parquet, and what is refused by whoever opens it."""
    path = tmp_path / "list.csv"
    path.write_bytes(content)

    assert Forerunner.sent(str(path)) is None


def test_none_is_sent_where_there_is_nothing_to_gain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One processor, a short file, a folder, a pipe (which may be read only once), a name of nothing."""
    path = tmp_path / "list.csv"
    path.write_bytes(LIST)
    os.mkfifo(tmp_path / "pipe")
    for each in (tmp_path, tmp_path / "pipe", tmp_path / "gone", "-", "\0"):
        assert Forerunner.sent(str(each)) is None
    monkeypatch.setattr(forerunner, "WORTH", len(LIST) + 1)
    assert Forerunner.sent(str(path)) is None
    monkeypatch.setattr(forerunner, "WORTH", 1)
    monkeypatch.setattr(processors, "usable", lambda: 1)
    assert Forerunner.sent(str(path)) is None


# --- It never stays behind --------------------------------------------------------------------------------

_WAITING = """
import signal, sys
from suppress.files import forerunner, processors

def survey(*_):
    print("there", flush=True)
    while True:
        signal.pause()

forerunner.survey, forerunner.WORTH, processors.usable = survey, 1, lambda: 2
with forerunner.Forerunner.sent(sys.argv[1]) as runner:
    runner.encoding
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_it_ends_with_its_parent(tmp_path: Path, number: signal.Signals) -> None:
    """Ctrl-C goes to both, and the others to the parent alone: the pipe that both hold is closed by both."""
    path = tmp_path / "list.csv"
    path.write_bytes(LIST)
    with subprocess.Popen(
        [sys.executable, "-c", _WAITING, str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        assert b"there\n" == process.stdout.readline()
        if number is signal.SIGINT:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)

        assert b"" == process.stdout.read()


def test_it_is_gone_with_whoever_sent_it(tmp_path: Path) -> None:
    """Also where nobody asked it."""
    path = tmp_path / "list.csv"
    path.write_bytes(LIST * 10)
    with sent(path) as runner:
        pid = pid_of(runner)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)

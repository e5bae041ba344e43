"""Printing: values from outside are shown, never obeyed; machines get one object."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime

import pytest

from suppress.cli.console import Appearance, Screen, emit, note, printable, progress


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    "hostile", ["user[b]x@example.com", "a:smile:b@example.com", "user[/b]x@example.com"]
)
@pytest.mark.parametrize("stream", [Terminal, io.StringIO])
def test_an_address_is_never_read_as_markup(
    hostile: str, stream: type[io.StringIO], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rich eats `[b]` and turns `:smile:` into a picture; a compliance tool must show what is there."""
    monkeypatch.setenv("COLUMNS", "200")
    out = stream()
    screen = Screen(out)
    screen.line(hostile)
    screen.table(["address"], [[hostile]])

    assert 2 == out.getvalue().count(hostile)


def test_a_piped_table_is_never_cut() -> None:
    """People pipe tables into files; a cut address is a lost address."""
    long = "x" * 300 + "@example.com"
    out = io.StringIO()
    Screen(out).table(["address", "n"], [[long, 1]], title="People")

    assert long in out.getvalue()
    assert "People" in out.getvalue()


def test_numbers_are_grouped_and_right_aligned() -> None:
    """Counts are read by comparing their digits."""
    out = io.StringIO()
    Screen(out).table(["n"], [[7], [1_234_567]])

    assert ["n", "---------", "        7", "1,234,567"] == [
        line.rstrip() if line.strip() != "n" else "n" for line in out.getvalue().splitlines()
    ]


def test_control_characters_cannot_move_the_cursor() -> None:
    """A hostile opt-out reason may hold escape sequences."""
    assert r"red\x1b[31m\u202e" == printable("red\x1b[31m\u202e")
    assert "Jörg" == printable("Jörg")


def test_json_is_one_object_whose_first_key_is_its_schema(capsys: pytest.CaptureFixture[str]) -> None:
    """Programs recognise an answer by its first key; instants are RFC 3339 in UTC."""
    emit("demo", {"at": datetime(2026, 1, 2, tzinfo=UTC)}, as_json=True, human=lambda _: None)

    printed = capsys.readouterr().out
    assert ["schema", "at"] == list(json.loads(printed))
    assert {"schema": "suppress/demo@1", "at": "2026-01-02T00:00:00Z"} == json.loads(printed)
    assert 1 == printed.count("\n")


def test_without_json_the_human_form_is_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    """The two forms never mix on stdout."""
    emit("demo", {"n": 1}, as_json=False, human=lambda screen: screen.fields([("n", 1), ("name", None)]))

    assert "n  1\n" == capsys.readouterr().out


def test_notes_go_to_stderr_and_quiet_silences_them(capsys: pytest.CaptureFixture[str]) -> None:
    """stdout is for results."""
    note("said")
    note("unsaid", appearance=Appearance(quiet=True))

    assert ("", "said\n") == tuple(capsys.readouterr())


def test_progress_is_silent_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    """A cron mail holds no bars."""
    with progress("Reading", appearance=Appearance()) as advance:
        advance(1, 10)

    assert ("", "") == tuple(capsys.readouterr())


def test_progress_draws_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Long work is seen to move."""
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    with progress("Reading", appearance=Appearance(color=False), unit="contacts") as advance:
        advance(5, 10)

    assert "contacts" in terminal.getvalue()

"""`suppress report`, as installed: files, formats, exit codes, one object on stdout."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from suppress.core.entry import Honoured
from suppress.ledger import Event, Ledger
from tests.conftest import Command
from tests.small_ledger import made


@pytest.fixture
def ready(command: Command) -> Command:
    """A ledger with one person, whom a destination took when it could."""
    with Ledger.open(made(command.folder, ["ann@example.com"])) as ledger:
        told = Honoured("crm", ledger.head().size - 1, "ab" * 32, 1, (), True)
        ledger.append([Event("told", told)], actor="test")
    return command


def size(command: Command) -> int:
    """How many entries the ledger has."""
    with Ledger.open(f"sqlite:///{command.folder / 'suppress.db'}") as ledger:
        return ledger.head().size


def test_it_says_where_it_went_and_what_it_found(ready: Command) -> None:
    """By default a page in the working directory, redacted."""
    done = ready("report")

    assert (done.exit_code, done.err) == (0, "")
    assert "◆ In order, with warnings" in done.out
    assert "warning: Source main is known to the ledger and not configured." in done.out
    assert "report             suppress-report.html (redacted)" in done.out
    assert "        1  People who may not be e-mailed" in done.out
    page = (ready.folder / "suppress-report.html").read_text()
    assert page.startswith("<!doctype html>")
    assert "ann@example.com" not in page


def test_overdue_ends_with_1_after_the_report_is_written(ready: Command) -> None:
    """A finding is no failure: the file is there, and the next step is said."""
    ready("add", "bob@example.com", "--received", "2025-01-02")
    done = ready("report", "-o", "late.html", "--full")

    assert done.exit_code == 1
    assert "action: 1 request is overdue" in done.out
    assert "late.html (full: holds personal data)" in done.out
    assert "bob@example.com" in (ready.folder / "late.html").read_text()


@pytest.mark.parametrize("arguments", [("--format", "json", "-o", "-"), ("--json",)])
def test_json_goes_to_standard_output(ready: Command, arguments: tuple[str, ...]) -> None:
    """Exactly one object, schema first; that it was recorded is said on stderr."""
    done = ready("report", *arguments)

    assert done.exit_code == 0
    assert next(iter(done.json())) == "schema"
    assert done.json()["verdict"]["suppressed"] == 1
    assert done.json()["integrity"]["ok"] is True
    assert "recorded as entry" in done.err
    assert not list(ready.folder.glob("suppress-report*"))


def test_json_tells_of_a_file_beside_the_facts(ready: Command) -> None:
    """Programs learn where the report is, its digest and its entry."""
    done = ready("report", "-o", "page.html", "--json")
    written = done.json()["written"]

    assert done.json()["schema"] == "suppress/report@1"
    assert (written["path"], written["format"]) == ("page.html", "html")
    assert written["bytes"] == (ready.folder / "page.html").stat().st_size


def test_a_dry_run_writes_nothing(ready: Command) -> None:
    """In words and as JSON."""
    before = size(ready)

    said = ready("report", "--dry-run")
    told = ready("report", "--dry-run", "--json")
    filed = ready("report", "--dry-run", "--json", "-o", "page.html")

    unsaid = ready("report", "--dry-run", "-o", "-")

    assert "dry run: nothing was written" in said.out
    assert (unsaid.out, unsaid.err) == ("", "dry run: nothing was written\n")
    assert told.json()["written"] is None
    assert filed.json()["written"] is None
    assert not list(ready.folder.glob("*.html"))
    assert size(ready) == before


def test_csv_is_a_folder_or_one_file(ready: Command) -> None:
    """By the ending of its name."""
    ready("report", "--format", "csv", "-o", "annexes")
    ready("report", "-o", "figures.csv")
    piped = ready("report", "--format", "csv", "-o", "-")

    assert (ready.folder / "annexes" / "index.csv").is_file()
    for text in ((ready.folder / "figures.csv").read_text(), piped.out):
        assert next(csv.reader(io.StringIO(text))) == ["table", "row", "column", "value"]


def test_a_period_can_be_given(ready: Command) -> None:
    """Both days belong to it."""
    done = ready("report", "--since", "2020-01-01", "--until", "2020-12-31", "--json")
    period = done.json()["manifest"]["period"]

    assert (period["since"], period["until"]) == ("2020-01-01", "2020-12-31")
    assert done.json()["verdict"]["suppressed"] == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--since", "2026-02-01", "--until", "2026-01-01"), "ends on 2026-01-01 before it begins"),
        (("--since", "yesterday"), "yesterday"),
        (("--format", "docx"), "docx"),
        (("-o", "report.txt"), "does not say which format"),
        (("-o", "missing/report.html"), "cannot be written"),
        (("-o", "-", "--json"), "cannot both go to standard output"),
    ],
)
def test_wrong_usage_is_one_clear_line_and_exit_2(
    ready: Command, arguments: tuple[str, ...], said: str
) -> None:
    """Nothing is written and nothing is recorded."""
    before = size(ready)

    done = ready("report", *arguments)

    assert (done.exit_code, done.out) == (2, "")
    assert said in done.err
    assert "Traceback" not in done.err
    assert size(ready) == before


def test_a_changed_ledger_gives_no_report(ready: Command) -> None:
    """One byte on disk: the command says so, and writes nothing."""
    database = ready.folder / "suppress.db"
    content = database.read_bytes()
    place = content.index(b"unsubscribed")
    database.write_bytes(content[:place] + b"U" + content[place + 1 :])

    done = ready("report")

    assert done.exit_code == 70
    assert "suppress verify" in done.err
    assert not (ready.folder / "suppress-report.html").exists()


def test_the_report_itself_is_in_the_next_one(ready: Command) -> None:
    """What left us is in the log."""
    ready("report")
    found = json.loads(ready("report", "--json").out)

    assert [each["body"]["audience"] for each in found["activity"]["reports"]] == ["redacted"]


def test_without_a_ledger_it_says_how_to_begin(command: Command, tmp_path: Path) -> None:
    """Exit code 10."""
    done = command("report", "-o", str(tmp_path / "report.html"))

    assert done.exit_code == 10
    assert not (tmp_path / "report.html").exists()

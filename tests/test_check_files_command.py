"""The check of files as a user runs it: any format in, the same out, and never half a result."""

from __future__ import annotations

import gzip
import os
import shutil
import signal
import sqlite3
import subprocess

import pytest
import python_calamine as calamine
import xlsxwriter

from tests.conftest import SCRIPT, Command
from tests.small_ledger import made
from tests.test_check_command import checks, visible

LIST = b"email,name\npat@example.com,P\nnew@example.com,N\n"
LONG = b"email,name\n" + b"".join(b"x%d@example.org,some name %d\n" % (n, n) for n in range(120_000))


@pytest.fixture
def gate(command: Command) -> Command:
    """A folder with a ledger of one person."""
    made(command.folder, ["pat@example.com"])
    return command


def test_a_folder_gets_all_three_results_named_after_the_file(gate: Command) -> None:
    """And the file may be packed."""
    (gate.folder / "list.csv.gz").write_bytes(gzip.compress(LIST))
    (gate.folder / "out").mkdir()
    done = gate("check", "list.csv.gz", "-o", "out")

    assert 1 == done.exit_code
    assert {f"list.{name}.csv.gz" for name in ("kept", "withheld", "review")} == visible(gate.folder / "out")
    assert b"email,name\nnew@example.com,N\n" == gzip.decompress(
        (gate.folder / "out/list.kept.csv.gz").read_bytes()
    )


def test_a_workbook_in_a_pipe_is_told_by_its_content(gate: Command) -> None:
    """Kept rows come out as a workbook, where the workbook came in."""
    book = xlsxwriter.Workbook(gate.folder / "list.xlsx")
    sheet = book.add_worksheet()
    for number, row in enumerate([("Email", "n"), ("PAT@example.com", 1), ("new@example.com", 2)]):
        sheet.write_row(number, 0, row)
    book.close()
    done = subprocess.run(
        [SCRIPT, "check", "-"],
        cwd=gate.folder,
        input=(gate.folder / "list.xlsx").read_bytes(),
        capture_output=True,
        check=False,
    )
    (gate.folder / "kept.xlsx").write_bytes(done.stdout)
    kept = calamine.CalamineWorkbook.from_path(gate.folder / "kept.xlsx").get_sheet_by_index(0).to_python()

    assert 1 == done.returncode
    assert [["Email", "n"], ["new@example.com", 2.0]] == kept


def test_rows_that_cannot_be_read_go_to_review_with_line_and_reason(gate: Command) -> None:
    """They are counted like the others."""
    (gate.folder / "list.jsonl").write_text('{"email": "new@example.com"}\n{"email": \n')
    done = gate("check", "list.jsonl", "--review", "review.jsonl", "--explain")

    assert "line 2: review: the line is no JSON object" in done.out
    assert (
        '"suppress_rule": "line 2: the line is no JSON object"' in (gate.folder / "review.jsonl").read_text()
    )


def test_an_import_reads_the_same_formats(gate: Command) -> None:
    """Old opt-outs come as workbooks, too."""
    book = xlsxwriter.Workbook(gate.folder / "old.xlsx")
    sheet = book.add_worksheet("Opt-outs")
    sheet.write_row(0, 0, ("Mail", "When"))
    sheet.write_row(1, 0, ("gone@example.com", "2020-02-03"))
    sheet.write_row(2, 0, ("", "2020-02-03"))
    book.close()
    done = gate("import", "old.xlsx", "--map", "email=Mail,date=When", "--rejected", "no.xlsx", "--json")

    assert (2, 1, 0, 1) == tuple(done.json()[name] for name in ("rows", "accepted", "undated", "rejected"))
    assert 1 == gate("check", "gone@example.com").exit_code
    assert (gate.folder / "no.xlsx").exists()


def test_a_full_disk_leaves_nothing(gate: Command) -> None:
    """No result, no record, one line; what stood there before is still there."""
    (gate.folder / "list.csv").write_bytes(LONG)
    (gate.folder / "k.csv").write_text("old")
    limit = shutil.which("prlimit")
    assert limit is not None
    done = gate("check", "list.csv", "--kept", "k.csv", prefix=[limit, "--fsize=3000000"])

    assert 70 == done.exit_code
    assert "k.csv cannot be written: File too large; nothing was left half-written" in done.err
    assert {"list.csv", "k.csv"} == visible(gate.folder)
    assert ("old", 0) == ((gate.folder / "k.csv").read_text(), checks(gate.folder))


def test_a_run_that_is_killed_leaves_no_result(gate: Command) -> None:
    """At whichever moment: here, while it waits for the rest of a pipe."""
    pipe = gate.folder / "pipe.csv"
    os.mkfifo(pipe)
    process = subprocess.Popen(
        [SCRIPT, "check", pipe.name, "-o", "."],
        cwd=gate.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    with pipe.open("wb") as writer:
        writer.write(LONG)
        writer.flush()
        process.send_signal(signal.SIGKILL)
        process.wait()

    assert {"pipe.csv"} == {name for name in visible(gate.folder) if not name.endswith(".unfinished")}
    assert 0 == checks(gate.folder)


def test_a_reader_that_goes_away_is_told(gate: Command) -> None:
    """The other results are withdrawn: all or none."""
    (gate.folder / "list.csv").write_bytes(LONG)
    process = subprocess.Popen(
        [SCRIPT, "check", "list.csv", "--kept", "-", "--withheld", "w.csv"],
        cwd=gate.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    said = process.stderr.read().decode()
    process.stderr.close()

    assert 70 == process.wait()
    assert "the reader of standard output went away" in said
    assert {"list.csv"} == visible(gate.folder)


def test_a_ledger_that_a_sync_holds_is_waited_for_and_then_said(gate: Command) -> None:
    """11 tells a pipeline to try again; no result stands without its record."""
    (gate.folder / "list.csv").write_bytes(LIST)
    with sqlite3.connect(gate.folder / "suppress.db", isolation_level=None) as sync:
        sync.execute("BEGIN IMMEDIATE")
        done = gate("check", "list.csv", "--kept", "k.csv")
        sync.execute("ROLLBACK")
    sync.close()

    assert 11 == done.exit_code
    assert {"list.csv"} == visible(gate.folder)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check", "."], "is a folder"),
        (["check", "gone.csv"], "there is no file gone.csv"),
        (["check", "list.csv", "--kept", "list.csv"], "is the file that is being read"),
        (["check", "list.csv", "-o", "nowhere"], "No such file or directory"),
        (["check", "list.csv", "-o", "list.csv"], "Not a directory"),
        (["check", "list.csv", "--kept", "k.xlsx"], "which is CSV here"),
        (["check", "list.csv", "--sheet", "1"], "--sheet says nothing about a CSV file"),
        (["check", "/dev/null"], "/dev/null is empty"),
        (["check", "pat@example.com", "-o", "."], "--output belongs to the check of a file"),
    ],
)
def test_what_cannot_be_done_is_one_line(gate: Command, arguments: list[str], message: str) -> None:
    """Exit 2, nothing written."""
    (gate.folder / "list.csv").write_bytes(LIST)
    done = gate(*arguments)

    assert (2, "") == (done.exit_code, done.out)
    assert message in done.err
    assert {"list.csv"} == visible(gate.folder)


def test_memory_is_flat_however_long_a_pipe_is(gate: Command) -> None:
    """A list of 100 MB that is never stored takes what one of a tenth takes, and little more."""
    row = b"someone.%07d@example.org,a name,and a note about them that fills the line up to its end\n"
    peaks = []
    for rows in (120_000, 1_200_000):
        with subprocess.Popen(
            ["/usr/bin/env", "python3", "-c", _PEAK, SCRIPT],
            cwd=gate.folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(b"email,name,note\n")
            for start in range(0, rows, 10_000):
                process.stdin.write(b"".join(row % number for number in range(start, start + 10_000)))
            process.stdin.close()
            peaks.append(int(process.stdout.read()))

    assert peaks[1] < peaks[0] + 100_000


_PEAK = """
import resource, subprocess, sys
command = [sys.argv[1], "check", "-", "--kept", "/dev/null", "--json"]
done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
assert done.returncode == 0
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""

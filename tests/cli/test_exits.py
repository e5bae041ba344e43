"""How the installed command ends: the documented exit code, one clear line, never a traceback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import SCRIPT, Command

NEEDS_LEDGER = [
    ["status"],
    ["check", "pat@example.com"],
    ["verify"],
    ["show", "pat@example.com"],
    ["add", "pat@example.com"],
    ["report", "-o", "r.html"],
    ["export", "csv", "-o", "s.csv"],
    ["ledger", "current"],
    ["ledger", "upgrade"],
]


@pytest.mark.parametrize("arguments", NEEDS_LEDGER, ids=" ".join)
def test_without_a_ledger_every_command_says_so(arguments: list[str], command: Command) -> None:
    """Exit code 10, and the command that makes one; nothing is created on the way."""
    done = command(*arguments)

    assert 10 == done.exit_code, done.err
    assert "suppress init" in done.err
    assert "" == done.out
    assert [] == list(command.folder.iterdir())


@pytest.mark.parametrize(
    "arguments", [["zzz"], ["sync", "--bogus"], ["check"], ["add"], ["--config"]], ids=" ".join
)
def test_wrong_usage_is_2(arguments: list[str], command: Command) -> None:
    """As everywhere."""
    done = command(*arguments)

    assert 2 == done.exit_code
    assert "Traceback" not in done.err
    assert "" != done.err


def test_with_json_a_failure_is_one_object_on_stderr(command: Command) -> None:
    """A program reads what a person reads."""
    done = command("status", "--json")

    said = json.loads(done.err)
    assert ("suppress/error@1", "NoLedger", 10, "suppress init") == (
        said["schema"],
        said["error"],
        said["exit_code"],
        said["remedy"],
    )
    assert "" == done.out


def test_the_version_is_said(command: Command) -> None:
    """For bug reports and scripts."""
    done = command("--version")

    assert (0, "suppress ") == (done.exit_code, done.out[:9])


def test_module_and_script_are_the_same(command: Command) -> None:
    """`python -m suppress` is documented as equal."""
    module = subprocess.run(
        [sys.executable, "-m", "suppress", "--help"], capture_output=True, text=True, check=True
    )

    assert module.stdout == command("--help").out


def test_help_shows_the_three_groups(command: Command) -> None:
    """A newcomer finds the everyday commands first."""
    shown = command("-h").out

    groups = ["Everyday", "Evidence and audit", "Set-up and administration"]
    assert sorted(groups, key=shown.index) == groups


def test_an_internal_error_is_70_and_hides_its_insides(command: Command) -> None:
    """A crash must never look like a finding, and never print values."""
    broken = "import suppress.cli.app as a; a.app = lambda **_: 1/0; a.main()"
    done = subprocess.run([sys.executable, "-c", broken], capture_output=True, text=True, check=False)

    assert 70 == done.returncode
    assert "internal error (ZeroDivisionError)" in done.stderr
    assert "Traceback" not in done.stderr


def test_debug_shows_the_traceback(command: Command) -> None:
    """For whoever reports it."""
    done = command("--debug", "status")

    assert 10 == done.exit_code
    assert "Traceback" in done.err


@pytest.mark.parametrize(
    ("raised", "code", "says"),
    [
        ("KeyboardInterrupt", 130, "interrupted"),
        ("OSError(28, 'No space left on device', 'x.csv')", 70, "x.csv: No space left on device"),
        ("MemoryError", 70, "out of memory"),
        ("SystemExit(5)", 5, ""),
        ("BrokenPipeError", 141, ""),
    ],
)
def test_what_the_system_does_to_us_has_its_code(raised: str, code: int, says: str) -> None:
    """A full disk is no finding either."""
    program = f"import suppress.cli.app as a\ndef fail(**_):\n    raise {raised}\na.app = fail\na.main()"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert code == done.returncode
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_a_reader_that_goes_away_is_no_finding(command: Command) -> None:
    """`suppress config | head -1` must not end with 1."""
    program = f"{SCRIPT} ledger current --help"
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        program.split(), stdout=write, stderr=subprocess.PIPE, check=False, cwd=command.folder
    )
    os.close(write)

    assert done.returncode not in (0, 1)
    assert b"Traceback" not in done.stderr
    assert b"Exception ignored" not in done.stderr


def test_ctrl_c_is_130(command: Command, tmp_path: Path) -> None:
    """Between the shell and us."""
    running = subprocess.Popen(
        [str(SCRIPT), "simulate", "constant-contact", "--port", "0"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert running.stdout is not None
    assert running.stdout.readline()
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=30)

    assert 130 == running.returncode
    assert b"Traceback" not in err


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_an_argument_that_is_no_utf8_is_answered(locale: str, command: Command) -> None:
    """Lists from old systems hold such bytes, and people paste them."""
    assert 0 == command("init").exit_code
    strange = os.fsdecode(b"j\xf6rg@example.com")

    for arguments in (["check", strange, "--json"], ["check", strange], ["show", strange]):
        done = command(*arguments, env={"LC_ALL": locale})
        assert 0 == done.exit_code, done.err


def test_a_terminal_that_lacks_a_letter_is_no_failure(command: Command) -> None:
    """It is shown escaped."""
    assert 0 == command("init").exit_code
    done = command("check", "jörg@example.com", env={"PYTHONIOENCODING": "ascii"})

    assert 0 == done.exit_code, done.err
    assert "example.com" in done.out

"""Verifiers that were sabotaged: for each fault there is a test that finds it out.

The sabotage is done to a copy of the package. The test runs against the copy, in a process of its own, and
must fail; against a copy that nobody touched it must pass.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.faults.sabotage import SABOTAGES, Sabotage
from tests.faults.test_kills import ROOT

SHORT = 4
"""How many are tried in the short run; which, changes with the number of rows and with nothing else."""

RUN = (
    "import sys; sys.path.insert(0, sys.argv[1]); import suppress, pytest;"
    "assert suppress.__file__.startswith(sys.argv[1]), suppress.__file__;"
    "options = ['-n0', '-x', '-q', '-p', 'no:cacheprovider', '-k', 'not postgresql'];"
    "sys.exit(pytest.main([*options, *sys.argv[2:]]))"
)
PASSED, FAILED = 0, 1


def copied(folder: Path) -> Path:
    """A copy of the package, with the migrations that it looks for beside itself."""
    for name in ("suppress", "migrations"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def outcome(package: Path, tests: Sequence[str]) -> int:
    """How pytest ends with the package in this folder: 0 passed, 1 failed, anything else did not run."""
    done = subprocess.run(
        [sys.executable, "-B", "-c", RUN, str(package), *tests],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (PASSED, FAILED), done.stdout + done.stderr
    return done.returncode


def test_there_are_enough_and_each_stands_for_itself() -> None:
    """At least thirty, no two of one name, each a text that is there once."""
    assert len(SABOTAGES) >= 30
    assert len(SABOTAGES) == len({each.name for each in SABOTAGES})
    for each in SABOTAGES:
        text = (ROOT / "suppress" / each.row.file).read_text("utf-8")
        assert each.applied(text) != text


@pytest.mark.timeout(3600)
def test_a_sabotaged_verifier_is_found_out(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Every fault in the long run, some in the short one."""
    long = request.config.getoption("--faults-long", default=False)
    chosen = SABOTAGES if long else random.Random(len(SABOTAGES)).sample(SABOTAGES, SHORT)
    package = copied(tmp_path)
    assert PASSED == outcome(package, sorted({each.row.killer for each in chosen}))

    assert [] == [each.name for each in chosen if not found_out(package, each)]


def found_out(package: Path, sabotage: Sabotage) -> bool:
    """Whether the test fails while the fault is there."""
    file = package / "suppress" / sabotage.row.file
    text = file.read_text("utf-8")
    try:
        file.write_text(sabotage.applied(text), "utf-8")
        return outcome(package, [sabotage.row.killer]) == FAILED
    finally:
        file.write_text(text, "utf-8")

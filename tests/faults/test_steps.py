"""Each step of a command fails, done already or not yet: repeating the command makes it good."""

from __future__ import annotations

import contextlib
import io
import shlex
import shutil
from pathlib import Path

import pytest

from suppress.cli import app
from tests.faults.injecting import Point, Ran
from tests.faults.steps import Steps
from tests.faults.test_injected import COMMANDS, Command, copied, judged, nothing_left, original
from tests.ledger.making import Place

__all__ = ["original"]  # a fixture
EVERY = 19
"""In the short run so manieth step fails."""


def ran(command: Command, place: Place, patch: pytest.MonkeyPatch) -> Ran:
    """Run a command in this process, as the installed one would."""
    patch.chdir(place.folder)
    patch.setenv("HOME", str(place.folder))
    patch.setenv("XDG_CONFIG_HOME", str(place.folder))
    patch.setattr("sys.argv", ["suppress", *command.arguments])
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as end:
        app.main()
    return Ran(int(end.value.code or 0), out.getvalue(), err.getvalue())


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("persisted", [False, True], ids=["not done", "done"])
@pytest.mark.parametrize("name", ["append", "erase", "forget", "anchor", "export"])
def test_a_failed_step_is_made_good_by_repeating(
    original: Place, tmp_path: Path, name: str, persisted: bool, request: pytest.FixtureRequest
) -> None:
    """The ledger verifies, holds all or nothing of it, and reports nothing as done that was not."""
    command, long = COMMANDS[name], request.config.getoption("--faults-long", default=False)
    failed, number = 0, 0 if long else persisted
    while True:
        place = copied(original, tmp_path / "tried")
        steps = Steps(number, persisted)
        with pytest.MonkeyPatch.context() as patch:
            with steps.watching():
                first = ran(command, place, patch)
            point = Point(shlex.join(command.arguments[:1]), number, f"step failed, done: {persisted}")
            judged(place, command, point, first)
            again = ran(command, place, patch)
        assert (again.exit_code, command.done(place)) == (0, True), (point, first, again)
        nothing_left(place, command, point)
        shutil.rmtree(place.folder)
        if not steps.happened:
            break
        failed += first.exit_code != 0
        number += 1 if long else EVERY

    print(f"\n{name}: {number:,} steps tried, {failed:,} failures" if long else "")
    assert failed, "not one step that failed made the command fail"

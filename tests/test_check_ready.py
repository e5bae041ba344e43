"""A long file is got ready for while somebody else reads it: nothing of what comes out may show it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from suppress.check import Alias, FileChecked, Targets, check_file
from suppress.check.readiness import ready
from suppress.check.sorting import Engine
from suppress.files import forerunner, processors
from suppress.files.contacts import ContactFile
from suppress.files.forerunner import Forerunner
from suppress.ledger import Lookup
from tests.conftest import Command
from tests.small_ledger import made, opened
from tests.test_check_command import checks, visible

SUPPRESSED = ("pat@example.com", "al.smith@gmail.com")
ROW = b"someone.%07d@example.org,a name,and a note about them that fills the line up to its end\n"
LIST = (
    b"email,name,note\npat@example.com,P,\nalsmith@gmail.com,A,\n" + b"".join(map(ROW.__mod__, range(9_000)))
) + b"pat@example.com,last,\n"
LONG = b"email,name,note\n" + b"".join(map(ROW.__mod__, range(200_000))) + b"pat@example.com,P,\n"
"""More than a forerunner is sent for."""
TASKSET = shutil.which("taskset")


def checked(folder: Path, runner: Forerunner | None, lookup: Lookup, engine: Engine) -> object:
    """All that a check leaves behind."""
    with ContactFile.open(str(folder / "list.csv"), forerunner=runner) as contacts:
        done = check_file(
            contacts,
            lookup,
            None,
            actor="test",
            targets=Targets(str(folder / "k.csv"), str(folder / "w.csv"), str(folder / "r.csv")),
            offline=True,
            engine=engine,
        )
    return done, [(folder / name).read_bytes() for name in ("k.csv", "w.csv", "r.csv")]


# --- Results ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("members", [1, 2])
@pytest.mark.parametrize("prepared", [Alias.REVIEW, Alias.IGNORE])
def test_what_was_got_ready_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, members: int, prepared: Alias
) -> None:
    """Also not where it was got ready for another way with aliases, which would let some of them through."""
    monkeypatch.setattr(forerunner, "WORTH", 1)
    monkeypatch.setattr(processors, "usable", lambda: 2)
    (tmp_path / "list.csv").write_bytes(LIST)
    with opened(made(tmp_path, SUPPRESSED)) as (lookup, _):
        expected = checked(tmp_path, None, lookup, Engine(fast_from=1 << 60))
        assert ready(lookup, prepared, lambda _people: None) is not None
        found = ready(lookup, prepared, None)
        runner = Forerunner.sent(str(tmp_path / "list.csv"))
        assert runner is not None
        with runner:
            assert expected == checked(tmp_path, runner, lookup, Engine(0, 1 << 16, members, found))


def test_a_snapshot_is_not_built_where_nobody_is_told(tmp_path: Path) -> None:
    """It may take minutes, and is built when the file is known to be one."""
    with opened(made(tmp_path, SUPPRESSED)) as (lookup, _):
        assert ready(lookup, Alias.REVIEW, None) is None
        assert not lookup.snapshot.exists()


@pytest.mark.parametrize("members", [1, 2])
def test_rows_that_are_only_counted_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, members: int
) -> None:
    """Nothing is read to be copied, and the reader is where it says that it is."""
    monkeypatch.setattr(forerunner, "WORTH", 1)
    monkeypatch.setattr(processors, "usable", lambda: 2)
    path = tmp_path / "list.csv"
    path.write_bytes(LIST)
    with opened(made(tmp_path, SUPPRESSED)) as (lookup, _):
        counted: list[FileChecked] = []
        shown: list[tuple[int, int | None]] = []
        for runner in (None, Forerunner.sent(str(path))):
            with ContactFile.open(str(path), forerunner=runner) as contacts:
                done = check_file(
                    contacts,
                    lookup,
                    None,
                    actor="test",
                    progress=lambda rows, of: shown.append((rows, of)),
                    engine=Engine(0, 1 << 16, members),
                )
            counted.append(done)
            if runner is not None:
                runner.__exit__(None, None, None)

    assert counted[0] == counted[1]
    assert shown[: len(shown) // 2] == shown[len(shown) // 2 :]
    assert (9_003, 9_003) == shown[-1]


# --- From the command line --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [LONG, LONG + b"jos\xe9@example.org,Jos\xe9,\n", LONG.replace(b"@", b" ").replace(b"email", b"title")],
)
def test_a_user_sees_the_same(command: Command, content: bytes) -> None:
    """Words, their order, exit code and files, with a forerunner or on one processor, where there is none."""
    made(command.folder, SUPPRESSED)
    (command.folder / "list.csv").write_bytes(content)
    assert TASKSET is not None
    assert command("check", "list.csv", "--dry-run").exit_code in {1, 2}  # the snapshot is there
    seen = []
    for prefix in ([], [TASKSET, "-c", "0"]):
        done = command("check", "list.csv", "--kept", "k.csv", "--withheld", "w.csv", prefix=prefix)
        files = [(command.folder / name) for name in ("k.csv", "w.csv")]
        entries = "a ledger of"
        said = [line.split(entries)[0] for line in done.out.splitlines()]
        seen.append((done.exit_code, said, done.err, [each.exists() and each.read_bytes() for each in files]))

    assert seen[0] == seen[1]


_WAITING = """
import signal, sys
from suppress.files import forerunner, processors

def survey(*_):
    print("there", flush=True)
    while True:
        signal.pause()

forerunner.survey, forerunner.WORTH, processors.usable = survey, 1, lambda: 2
sys.argv = ["suppress", "check", "list.csv", "--kept", "k.csv"]
from suppress.cli.app import main
main()
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM)])
def test_a_check_that_is_ended_leaves_nothing_behind(
    command: Command, number: signal.Signals, code: int
) -> None:
    """No process, which would hold the pipe open, no result, no record."""
    made(command.folder, SUPPRESSED)
    (command.folder / "list.csv").write_bytes(LIST)
    with subprocess.Popen(
        [sys.executable, "-c", _WAITING],
        cwd=command.folder,
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
    assert code == process.returncode
    assert {"list.csv"} == visible(command.folder)
    assert 0 == checks(command.folder)


_PEAK = """
import resource, sys
from suppress.files import forerunner, processors
forerunner.WORTH, processors.usable = 1, lambda: 2
with forerunner.Forerunner.sent(sys.argv[1]) as runner:
    assert runner.digest
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def test_memory_of_a_forerunner_does_not_grow_with_the_file(tmp_path: Path) -> None:
    """Twenty times the rows, the same peak."""
    peaks = []
    for times in (1, 20):
        (tmp_path / "list.csv").write_bytes(LIST * times)
        done = subprocess.run(
            [sys.executable, "-c", _PEAK, str(tmp_path / "list.csv")], capture_output=True, check=True
        )
        peaks.append(int(done.stdout))

    assert peaks[1] < peaks[0] + 5_000


_FAILING = """
import sys
from suppress.check import snapshot
from suppress.errors import SuppressError
from suppress.files import processors

own = snapshot.current

def current(lookup, told):
    if told is None:
        raise SuppressError("the ledger is busy")
    return own(lookup, told)

snapshot.current, processors.usable = current, lambda: 2
sys.argv = ["suppress", "check", "list.csv", "--kept", "k.csv"]
from suppress.cli.app import main
main()
"""


def test_what_fails_while_the_file_is_awaited_is_tried_again(command: Command) -> None:
    """An error of the ledger is told where it always was, if it is still one."""
    made(command.folder, SUPPRESSED)
    (command.folder / "list.csv").write_bytes(LONG)
    done = subprocess.run(
        [sys.executable, "-c", _FAILING], cwd=command.folder, capture_output=True, check=False
    )

    assert (1, 1) == (done.returncode, checks(command.folder))
    assert b"reading 2 people from the ledger" in done.stderr


_LOADING = """
import sys
from suppress.check import check_file
from suppress.check.sorting import Engine
from suppress.files.contacts import ContactFile
from suppress.ledger import Lookup
with Lookup.open(sys.argv[1]) as lookup, ContactFile.open(sys.argv[2]) as contacts:
    assert 2 == check_file(contacts, lookup, None, actor="test", engine=Engine(0)).withheld
print("numba.core.typing.templates" in sys.modules, "numba.np.linalg" in sys.modules)
"""


def test_machine_code_is_loaded_without_what_makes_it(tmp_path: Path) -> None:
    """Once it is kept, nobody waits for all that numba knows about other functions."""
    path = tmp_path / "list.csv"
    path.write_bytes(LIST)
    url = made(tmp_path, SUPPRESSED)
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", _LOADING, url, str(path)], capture_output=True, text=True, check=True
        )

    assert "True False" == done.stdout.strip()

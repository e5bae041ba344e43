"""Runs commands in forks of a process that has loaded everything, with system calls that fail on order.

    python -m tests.faults.zygote        one JSON object a line on stdin, one answer a line on stdout

`strace` is attached to a fork before it begins, so that its counting of calls begins with the command and
not with Python; and a run takes a tenth of a second, not one. A fork ends as the installed command would.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import json
import os
import select
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NoReturn

from suppress.cli import app
from tests.faults.injecting import until_attached

ANYBODY = 0x59616D61, ctypes.c_ulong(-1).value
"""prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY): where Yama guards processes, `strace` is no parent of ours."""


def main() -> None:
    """Answer until stdin ends."""
    _warm_up()
    for line in sys.stdin:
        sys.stdout.write(json.dumps(run(**json.loads(line))) + "\n")
        sys.stdout.flush()


def run(folder: str, arguments: list[str], strace: list[str] | None = None) -> dict[str, Any]:
    """Run one command in `folder`; with `strace`, under that with these options. How it ended."""
    waits, goes = os.pipe()
    out, err = Path(folder) / ".out", Path(folder) / ".err"
    child = os.fork()
    if not child:
        os.close(goes)
        _be_the_command(waits, folder, arguments, out, err)
    os.close(waits)
    tracer = None
    if strace is not None:
        tracer = subprocess.Popen(
            ["strace", "-q", "-p", str(child), *strace], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        if not until_attached(child, tracer):
            sys.exit("strace cannot attach")
    os.write(goes, b"!")
    os.close(goes)
    _, status = os.waitpid(child, 0)
    if tracer is not None:
        tracer.communicate()
    said = {"exit": os.waitstatus_to_exitcode(status), "out": out.read_text(), "err": err.read_text()}
    for file in (out, err):
        file.unlink()
    return said


def _be_the_command(waits: int, folder: str, arguments: list[str], out: Path, err: Path) -> NoReturn:
    code = 70
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(*ANYBODY, 0, 0, 0)
    for descriptor, file in ((1, out), (2, err)):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), descriptor)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.stdout, sys.stderr = (os.fdopen(each, "w", buffering=size) for each, size in ((1, -1), (2, 1)))
    os.chdir(folder)
    os.environ["HOME"] = os.environ["XDG_CONFIG_HOME"] = folder
    sys.argv = ["suppress", *arguments]
    select.select([waits], [], [])  # a call that is never made to fail
    try:
        app.main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 70
    finally:
        # Python flushes on its way out, and ends with 120 where that fails.
        try:
            sys.stdout.flush()
        except OSError:
            code = 120
        os._exit(code)


def _warm_up() -> None:
    """Load what commands load when they run, so that no run of theirs begins with it."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "list.csv").write_text("email\na@example.com\n")
        for line in (
            "init",
            "add pat@example.com --received 2026-11-02 --note x",
            "import list.csv --map email=email",
            "anchor -o head.note",
            "export csv -o out.csv",
            "erase pat@example.com --basis law --yes",
            "forget a@example.com --basis law --yes --confirm 'no longer protected'",
        ):
            _in_this_process(folder, shlex.split(line))


def _in_this_process(folder: str, arguments: list[str]) -> None:
    before, home = Path.cwd(), dict(os.environ)
    os.chdir(folder)
    sys.argv = ["suppress", *arguments]
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            app.main()
    except SystemExit as end:
        assert not end.code, (arguments, end.code)
    finally:
        os.chdir(before)
        os.environ.update(home)


if __name__ == "__main__":
    main()

"""System calls that fail on order: which calls a command makes, and a run in which one of them goes wrong."""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent

CALLS = (
    *("openat", "pread64", "read", "pwrite64", "write", "fsync", "fdatasync", "ftruncate"),
    *("unlink", "rename", "mkdir", "chmod", "fchmod"),
)
"""Whatever touches a file. Python opens by `openat`; SQLite reads by `pread64` and writes by `pwrite64`."""
FAULTS = ("signal=KILL", "error=EIO", "error=ENOSPC")


@dataclass(frozen=True, slots=True)
class Point:
    """One call of a command, and what becomes of it."""

    call: str
    number: int
    fault: str

    @property
    def strace(self) -> list[str]:
        """The options that bring it about."""
        inject = f"inject={self.call}:{self.fault}:when={self.number}"
        return ["-o", "/dev/null", "-e", f"trace={self.call}", "-e", inject]


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended."""

    exit_code: int
    """Below zero: by which signal."""
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Zygote:
    """The process that runs commands in forks of itself."""

    process: subprocess.Popen[str]

    def run(self, folder: Path, arguments: Sequence[str], strace: list[str] | None = None) -> Ran:
        """Run a command in a folder, under `strace` with these options."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        order = {"folder": str(folder), "arguments": list(arguments), "strace": strace}
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, "the zygote died"
        said = json.loads(answer)
        return Ran(said["exit"], said["out"], said["err"])

    def calls(self, folder: Path, arguments: Sequence[str]) -> Counter[str]:
        """How often a command makes each call, when nothing goes wrong."""
        trace = folder.parent / "trace"
        ran = self.run(folder, arguments, ["-o", str(trace), "-e", f"trace={','.join(CALLS)}"])
        assert ran.exit_code == 0, ran
        return Counter(re.findall(r"^(\w+)\(", trace.read_text("utf-8", "replace"), re.MULTILINE))


@contextmanager
def zygote() -> Iterator[Zygote]:
    """Started, and ended."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.faults.zygote"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as process:
        yield Zygote(process)
        assert process.stdin is not None
        process.stdin.close()


def why_not() -> str | None:
    """Why calls cannot be made to fail here; None when they can."""
    if shutil.which("strace") is None:
        return "there is no strace here (Debian: apt-get install strace)"
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as tracee:
        command = ["strace", "-q", *Point("fsync", 1, FAULTS[1]).strace, "-p", str(tracee.pid)]
        with subprocess.Popen(command, stderr=subprocess.PIPE) as tracer:
            attached = until_attached(tracee.pid, tracer)
            assert tracee.stdin is not None
            tracee.stdin.close()
            _, said = tracer.communicate(timeout=30)
    return None if attached else f"strace may not attach to processes here: {said.decode().strip()}"


def until_attached(pid: int, tracer: subprocess.Popen[bytes]) -> bool:
    """Wait until `strace` follows a process; False when it gives up."""
    status = Path(f"/proc/{pid}/status")
    while "TracerPid:\t0\n" in status.read_text():
        if tracer.poll() is not None:
            return False
    return True


def points(calls: Counter[str]) -> list[Point]:
    """Every call, going wrong in every way."""
    return [
        Point(call, number, fault)
        for call in CALLS
        for number in range(1, calls[call] + 1)
        for fault in FAULTS
    ]


def sample(everything: Sequence[Point], count: int | None, seed: str) -> list[Point]:
    """`count` of them, the same ones each time; all without a count."""
    return list(everything) if count is None else random.Random(seed).sample(everything, count)

"""A forerunner: a process that reads a long text file while its parent gets ready for what is in it.

    runner = Forerunner.sent("list.csv")        # None where there is nothing to gain
    …                                           # whatever needs nothing of the file
    contacts = ContactFile.open("list.csv", forerunner=runner)

It finds out the encoding, which takes the whole file and is waited for, and then makes the file's digest.

Rules kept here:

* It is sent out for long text files on a disk, where a second processor is there for it.
* What it says is about the file as it was then: whoever opens one by that name compares (`suits`).
* One that fails or is killed says nothing. Then whoever asks reads the file himself, and meets the error, if
  there is one, where it can be told.
* It does not outlive its parent by more than `WATCH`. It ignores Ctrl-C, which its parent hears too.
* It is a fork, which may inherit a lock that nobody will open; so it is for a process that is all ours and
  has no other threads, as that of the command line is.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import stat
from contextlib import closing
from functools import cached_property
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self

from suppress.errors import SuppressError
from suppress.files import processors
from suppress.files.encoding import Encoding, survey
from suppress.files.kinds import Kind, kind_of
from suppress.files.packing import Packing
from suppress.files.source import BLOCK, Source

WORTH = 16 << 20
"""Bytes from which on a file is worth a process."""
WATCH = 0.1
"""Seconds after which it looks whether its parent is still there."""


class Forerunner:
    """The process, and what it found. A context manager: it is gone when that ends."""

    def __init__(self, source: Source, wanted: str | None) -> None:
        context = multiprocessing.get_context("fork")
        self._state, self._wanted = source.state, wanted
        self._pipe, there = context.Pipe(duplex=False)
        self._process = context.Process(
            target=_running, args=(source, wanted, os.getpid(), there), daemon=True
        )
        self._process.start()
        there.close()

    @classmethod
    def sent(cls, path: str, encoding: str | None = None) -> Self | None:
        """One for this file, if it is worth it. `encoding` is what the user named. Never raises."""
        try:
            found = Path(path).stat()
            if processors.usable() < 2 or not stat.S_ISREG(found.st_mode) or found.st_size < WORTH:
                return None
            with closing(Source.open(path)) as source:
                head = source.read(BLOCK)
                kind = kind_of(head, source.name)
                if Packing.of(head) is not None or kind not in {Kind.DELIMITED, Kind.JSON_LINES}:
                    return None
                return cls(source, encoding)
        except (SuppressError, OSError, ValueError):  # met again, and told, by whoever opens the file
            return None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pipe.close()
        self._process.kill()
        self._process.join()
        self._process.close()

    def suits(self, source: Source, wanted: str | None) -> bool:
        """Whether it was sent out for this very file, as it is now, with the same question."""
        return self._state is not None and (self._state, self._wanted) == (source.state, wanted)

    @cached_property
    def encoding(self) -> Encoding | None:
        """What a survey of the file found; None if it was lost."""
        found: Encoding | None = self._heard()
        return found

    @cached_property
    def digest(self) -> str | None:
        """The SHA-256 of the file, hexadecimal; None if it was lost."""
        found: str | None = self._heard() if self.encoding is not None else None
        return found

    def _heard(self) -> Any:
        try:
            return self._pipe.recv()
        except (EOFError, OSError):
            return None


def _running(source: Source, wanted: str | None, parent: int, says: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _end_with(parent)
    try:
        with source.skimmed():
            says.send(survey(source, source.name, wanted))
        says.send(source.finished())
    except Exception:  # met again, and told, by whoever reads the file himself
        os._exit(1)
    os._exit(0)


def _end_with(parent: int) -> None:
    """Look from time to time whether the parent is there: no other may take its place."""

    def look(_number: int, _frame: FrameType | None) -> None:
        if os.getppid() != parent:
            os._exit(1)

    signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, WATCH, WATCH)

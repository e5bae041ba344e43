"""One process at a time: a lock on a file, which the system gives back however its holder ends."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from suppress.plugin.pace import Clock

_POLL = 0.05


@contextlib.contextmanager
def locked(file: Path, *, clock: Clock, patience: float) -> Iterator[IO[bytes]]:
    """Hold the lock of `file`, which is made if it is not there, and lend the opened file.

    It holds between processes and threads of one machine. Whether it holds between machines that share a
    folder is up to the file system.

    Raises:
        TimeoutError: Another process held it for longer than `patience` seconds.
        OSError: The folder or the file cannot be made or opened.
    """
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with private(file, "a+b") as held:
        until = clock.monotonic() + patience
        while True:
            try:
                fcntl.flock(held.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if clock.monotonic() >= until:
                    raise TimeoutError from None
                clock.sleep(_POLL)
            else:
                break
        yield held


def private(file: Path, mode: str) -> IO[bytes]:
    """Open a file that only its owner may read."""
    return open(file, mode, opener=lambda path, flags: os.open(path, flags, 0o600))

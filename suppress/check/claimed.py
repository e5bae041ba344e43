"""Folders that belong to a run under way, and are removed when it ends, however it ended.

    .kept.1f2e3d4c.unfinished    what is being written, private to its owner
    .kept.1f2e3d4c.claim         locked by the process that writes it; names its machine

Rules kept here:

* A process that ends, by `kill -9` too, gives back its lock. Whoever can lock a claim knows that its run is
  over, and removes what it left. That is done at the start of the next run with the same name.
* A claim gets its name when it is locked, and goes after its folder: none is ever seen without an owner
  while that owner lives.
* Not every file system carries locks from one machine to another (NFS does, many mounted buckets do not), so
  only claims of this machine are looked at; and where nothing can be locked, nothing is claimed.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import platform
import secrets
import shutil
from pathlib import Path
from types import TracebackType
from typing import Self

from suppress.files.output import UNFINISHED

_CLAIM = ".claim"


class Claimed:
    """A new folder in `parent` for as long as this is open. A context manager.

    Raises:
        OSError: The folder cannot be made.
    """

    def __init__(self, parent: Path, name: str) -> None:
        prefix = f".{name[:40]}."
        _sweep(parent, prefix)
        stem = prefix + secrets.token_hex(4)
        self.path = parent / f"{stem}{UNFINISHED}"
        self._claim = parent / f"{stem}{_CLAIM}"
        self._lock = _locked(self._claim)
        try:
            self.path.mkdir(mode=0o700)
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Remove the folder, unless it has got another name, and give up the claim. Never raises."""
        shutil.rmtree(self.path, ignore_errors=True)
        with contextlib.suppress(OSError):
            self._claim.unlink()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _locked(claim: Path) -> int | None:
    """Write a claim and lock it; None where this file system has no locks."""
    draft = claim.with_name(f"{claim.name}-")
    handle = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.write(handle, platform.node().encode())
        draft.rename(claim)
    except OSError:
        os.close(handle)
        draft.unlink(missing_ok=True)
        return None
    return handle


def _sweep(parent: Path, prefix: str) -> None:
    """Remove what runs of that name left on this machine that are over. Never raises."""
    with contextlib.suppress(OSError):
        for claim in parent.iterdir():
            if claim.name.startswith(prefix) and claim.name.endswith(_CLAIM):
                with contextlib.suppress(OSError):
                    _take_over(claim)


def _take_over(claim: Path) -> None:
    """Remove a folder and its claim. Raises `OSError` if somebody holds it, or it is none of ours."""
    handle = os.open(claim, os.O_RDWR | os.O_NOFOLLOW)
    try:
        if os.fstat(handle).st_uid != os.geteuid() or os.read(handle, 1 << 10) != platform.node().encode():
            return
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(claim.with_name(claim.name.removesuffix(_CLAIM) + UNFINISHED), ignore_errors=True)
        claim.unlink()
    finally:
        os.close(handle)

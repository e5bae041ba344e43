"""A file that only its owner can read, replaced so that a crash leaves the old content or the new.

Rules kept here:

* What others could read or exchange is not trusted: the file, of the opened file and not of its name, and its
  folder are looked at each time. A link is not followed.
* The new content is on disk, under another name, before it takes the old one's place; the change of names is
  on disk before `replace` returns. A draft that a crash left behind is whole or cannot be read.
* `reserve` writes a draft of that size beforehand, so that a full disk or a folder that may not be written to
  shows before something is given up that only the new content can replace.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

LARGEST = 1_048_576
_SLACK = 8_192
"""Bytes by which the new content may be longer than what it replaces."""


class Exposed(ValueError):
    """Others may read or exchange the file; `remedy` is the command that mends it."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


class PrivateFile:
    """One file. Whoever writes holds a lock of its own, so that there is one writer."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._draft = path.with_name(f"{path.name}.new")

    def read(self) -> bytes | None:
        """Its content, None if there is none.

        Raises:
            Exposed: Others may read or exchange it.
            OSError: It cannot be read.
        """
        return _content(self.path)

    def draft(self) -> bytes | None:
        """What a writer that was killed had not put in place. Raises what `read` raises."""
        return _content(self._draft)

    def reserve(self, size: int) -> None:
        """Make sure that content of about that size can be written. Raises OSError."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.discard()
        descriptor = os.open(self._draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as draft:
            draft.write(b" " * (size + _SLACK))
            draft.flush()
            os.fsync(draft.fileno())

    def replace(self, content: bytes) -> None:
        """Put `content` in place, after `reserve`. Raises OSError; then a draft may hold it already."""
        with os.fdopen(os.open(self._draft, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "wb") as draft:
            draft.write(content)
            draft.truncate()
            draft.flush()
            os.fsync(draft.fileno())
        self.adopt()

    def adopt(self) -> None:
        """Put the draft in place. Raises OSError."""
        self._draft.replace(self.path)
        self._sync_folder()

    def discard(self) -> None:
        """Remove the draft, if there is one. Raises OSError."""
        self._draft.unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove it, and that on disk. Raises OSError."""
        self.discard()
        self.path.unlink(missing_ok=True)
        if self.path.parent.is_dir():
            self._sync_folder()

    def _sync_folder(self) -> None:
        descriptor = os.open(self.path.parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        except OSError as refused:
            # Some file systems sync no folders; that is no reason to stop. A failing disk is.
            if refused.errno in (errno.EIO, errno.ENOSPC):
                raise
        finally:
            os.close(descriptor)


def _content(path: Path) -> bytes | None:
    try:
        # Without blocking, so that a pipe that nobody writes to is not waited for.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as refused:
        if refused.errno == errno.ELOOP:
            raise Exposed(f"{path} is a link, which somebody else may turn", f"rm {path}") from None
        raise
    try:
        _examine(path, os.fstat(descriptor))
        return os.read(descriptor, LARGEST)
    finally:
        os.close(descriptor)


def _examine(path: Path, found: os.stat_result) -> None:
    folder = path.parent.stat()
    if not stat.S_ISREG(found.st_mode):
        raise Exposed(f"{path} is no file", f"rm -r {path}")
    if found.st_uid != os.geteuid():
        raise Exposed(f"{path} belongs to another user", f"chown {os.geteuid()} {path}")
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise Exposed(f"{path} can be read by others on this machine", f"chmod 600 {path}")
    if stat.S_IMODE(folder.st_mode) & 0o022:
        raise Exposed(
            f"others on this machine may exchange files in {path.parent}", f"chmod 700 {path.parent}"
        )

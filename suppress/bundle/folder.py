"""A folder that is there whole or not at all.

It is written under a name beside its target that says what it is (`.audit.x1y2.unfinished`), readable by its
owner only, brought to the disk, and renamed at the end. A killed run can leave such a folder, never a bundle
that is not whole. A target that holds anything is refused: a bundle is never mixed with another.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from suppress.bundle import layout
from suppress.errors import OutputRefused, StorageFailed
from suppress.files.output import PLACE, UNFINISHED

_BUFFER = 1 << 18


class Folder:
    """A bundle's folder while it is written. `add` files, `finish`, then `publish`; leaving discards it."""

    def __init__(self, target: Path) -> None:
        """Begin it. Raises `OutputRefused` when the target is not an empty place that can be written to."""
        self.target = target
        self._digests: dict[str, str] = {}
        self.size = 0
        """Bytes so far."""
        with self._reported():
            require_empty(target)
            parent = Path(os.path.realpath(target)).parent
            self._draft: Path | None = Path(
                tempfile.mkdtemp(prefix=f".{target.name[:40]}.", suffix=UNFINISHED, dir=parent)
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._draft is not None:
            shutil.rmtree(self._draft, ignore_errors=True)

    def add(self, name: str, content: bytes) -> None:
        """One file. Raises `StorageFailed`."""
        with self.open(name) as file:
            file.write(content)

    @contextmanager
    def open(self, name: str) -> Iterator[Digested]:
        """One file that is written piece by piece. Raises `StorageFailed`."""
        assert self._draft is not None
        path = self._draft / name
        with self._reported():
            for parent in reversed(path.relative_to(self._draft).parents[:-1]):
                (self._draft / parent).mkdir(mode=0o700, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb", buffering=_BUFFER) as stream:
                file = Digested(stream)
                yield file
        self._digests[name] = file.digest.hexdigest()
        self.size += file.size

    def finish(self) -> str:
        """Write the list of digests and bring everything to the disk. Returns the digest of that list."""
        assert self._draft is not None
        sums = layout.sums_text(self._digests.items()).encode()
        self.add(layout.SUMS, sums)
        with self._reported():
            for folder, _, names in os.walk(self._draft):
                for name in names:
                    _sync(Path(folder, name))
                _sync(Path(folder))
        return hashlib.sha256(sums).hexdigest()

    def publish(self) -> None:
        """Give the finished folder its name. Raises `OutputRefused` when something came to lie there."""
        assert self._draft is not None
        target = Path(os.path.realpath(self.target))
        with self._reported():
            self._draft.rename(target)  # which replaces an empty folder and no other
            self._draft = None
            with contextlib.suppress(OSError):
                _sync(target.parent)

    @contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except OSError as refused:
            what = f"{self.target} cannot be written: {refused.strerror}"
            if refused.errno in {*PLACE, errno.EEXIST, errno.ENOTEMPTY}:
                raise OutputRefused(what) from refused
            raise StorageFailed(f"{what}; nothing was left half-written") from refused


class Digested:
    """A file that is being written, and the digest of what went into it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.digest = hashlib.sha256()
        self.size = 0

    def write(self, content: bytes) -> None:
        """Add bytes. Raises OSError."""
        self.digest.update(content)
        self._stream.write(content)
        self.size += len(content)


def require_empty(target: Path) -> None:
    """Raises `OutputRefused` unless there is nothing at `target`, or an empty folder."""
    if target.is_dir():
        if any(target.iterdir()):
            raise OutputRefused(
                f"{target} is not empty, and a bundle is not mixed with other files",
                remedy="name a folder that is not there yet",
            )
    elif target.exists() or target.is_symlink():
        raise OutputRefused(f"{target} is a file, and a bundle is a folder", remedy="choose another name")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

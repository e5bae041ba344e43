"""Files that are there whole or not at all.

Rules kept here:

* A file is written under a name beside its target that says what it is (`.kept.csv.x1y2.unfinished`), read-
  able by its owner only, brought to the disk, and renamed at the end. A killed run can leave such a file,
  never a result that is not whole.
* Several files are published together: first all are complete on disk, then what must be recorded is
  recorded by the caller, then they get their names.
* Standard output, pipes and devices have no name to change: what goes there waits in a nameless file.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from suppress.errors import OutputRefused, StorageFailed, SuppressError
from suppress.files.syncing import Ahead

UNFINISHED = ".unfinished"
"""How the name of a file ends that is not whole."""

_BUFFER = 1 << 18

PLACE = {
    *(errno.EACCES, errno.EPERM, errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EROFS),
    *(errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL, errno.ENXIO, errno.ETXTBSY),
}
"""What a person mends by choosing another place; the rest is the disk's trouble."""


class Output:
    """One file that is being written. `write` bytes, then `finish`, then `publish`; or `discard`."""

    def __init__(self, target: str) -> None:
        self.target = target
        self._named: Path | None = None
        self._draft: Path | None = None
        self._previous: Path | None = None
        with _reported(target):
            self._stream = self._begun()
        self._ahead = Ahead(self._stream.fileno())

    def _begun(self) -> BinaryIO:
        # A link is followed, so that the file it leads to is replaced and not the link.
        path = Path(os.path.realpath(self.target))
        if self.target == "-" or _is_special(path):
            return tempfile.TemporaryFile()
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), self.target)
        prefix = f".{path.name[:40]}."
        descriptor, draft = tempfile.mkstemp(prefix=prefix, suffix=UNFINISHED, dir=path.parent)
        self._named, self._draft = path, Path(draft)
        return os.fdopen(descriptor, "wb", buffering=_BUFFER)

    @property
    def named(self) -> bool:
        """Whether it gets a name, in place of being copied to a pipe or a device."""
        return self._named is not None

    @contextmanager
    def file(self) -> Iterator[BinaryIO]:
        """The file itself, for libraries that write by themselves; their trouble is reported as ours."""
        with _reported(self.target):
            yield self._stream

    def write(self, content: bytes) -> None:
        """Add bytes. Raises `StorageFailed`."""
        self.write_all([content])

    def write_all(self, pieces: Sequence[bytes | memoryview]) -> None:
        """Add bytes, those of each piece. Raises `StorageFailed`."""
        with _reported(self.target):
            self._stream.writelines(pieces)
        if self._draft is not None:
            self._ahead.written(sum(map(len, pieces)))

    def finish(self) -> None:
        """Bring everything written to the disk. Raises `StorageFailed`."""
        with _reported(self.target):
            self._stream.flush()
            self._ahead.finish()
            if self._draft is not None:
                os.fsync(self._stream.fileno())

    def publish(self) -> None:
        """Give the finished file its name, or copy it to where it has none. Raises `StorageFailed`."""
        with _reported(self.target):
            if self._draft is not None and self._named is not None:
                self._stream.close()
                self._previous = _second_name(self._named)
                self._draft.replace(self._named)
                self._draft = None
                _sync_folder(self._named.parent)
                return
            self._stream.seek(0)
            if self.target == "-":
                shutil.copyfileobj(self._stream, sys.stdout.buffer, _BUFFER)
                sys.stdout.buffer.flush()
            else:
                with Path(self.target).open("wb") as device:
                    shutil.copyfileobj(self._stream, device, _BUFFER)
            self._stream.close()

    def withdraw(self) -> None:
        """Undo `publish`: what had the name before has it again. Never raises."""
        if self._named is not None and self._draft is None:
            with contextlib.suppress(OSError):
                if self._previous is not None:
                    self._previous.replace(self._named)
                else:
                    self._named.unlink()

    def settle(self) -> None:
        """Let go of what had the name before. Never raises."""
        if self._previous is not None:
            with contextlib.suppress(OSError):
                self._previous.unlink()

    def discard(self) -> None:
        """Leave nothing behind, unless it was published. Never raises."""
        # The descriptor may be another file's, once it is closed.
        with contextlib.suppress(OSError):
            self._ahead.finish()
        with contextlib.suppress(OSError):
            self._stream.close()
        if self._draft is not None:
            with contextlib.suppress(OSError):
                self._draft.unlink()


@contextmanager
def outputs(targets: Mapping[str, str | None], *, inputs: Iterable[str] = ()) -> Iterator[dict[str, Output]]:
    """Begin one file for each target that is given, and leave none of them behind unless published.

    Raises:
        OutputRefused: A target cannot be written, is one of `inputs`, or is named twice.
        StorageFailed: The disk is full or failed.
    """
    begun: dict[str, Output] = {}
    given = {name: target for name, target in targets.items() if target is not None}
    _refuse_clashes(given, tuple(inputs))
    try:
        for name, target in given.items():
            begun[name] = Output(target)
        yield begun
    finally:
        for output in begun.values():
            output.discard()


def publish(results: Sequence[Output]) -> None:
    """Give finished files their names, in this order: all of them, or none.

    What stood there before is put back if one of them cannot get its name. Bytes that went to a pipe cannot
    be called back; so those come last.

    Raises:
        OutputRefused, StorageFailed: One of them could not be published.
    """
    ordered = sorted(results, key=lambda each: not each.named)
    done: list[Output] = []
    try:
        for each in ordered:
            each.publish()
            done.append(each)
    except SuppressError:
        for each in done:
            each.withdraw()
        raise
    for each in done:
        each.settle()


def _second_name(path: Path) -> Path | None:
    """Another name for the file that is about to be replaced; None if there is none, or names are single."""
    second = path.with_name(f".{path.name[:40]}.{secrets.token_hex(4)}.previous")
    try:
        second.hardlink_to(path)
    except OSError:
        return None
    return second


def _refuse_clashes(given: Mapping[str, str], inputs: tuple[str, ...]) -> None:
    taken: dict[str, str] = {}
    for name, target in given.items():
        place = target if target == "-" else os.path.realpath(target)
        if place in taken:
            raise OutputRefused(
                f"--{taken[place]} and --{name} both name {target}", remedy="give each its own file"
            )
        taken[place] = name
        for each in inputs:
            if target != "-" and each != "-" and _same_file(each, target):
                raise OutputRefused(
                    f"--{name} {target} is the file that is being read", remedy="choose another name"
                )
        if target != "-" and _is_database(target):
            raise OutputRefused(
                f"--{name} {target} is a database and is not replaced", remedy="choose another name"
            )


def _same_file(one: str, other: str) -> bool:
    if os.path.realpath(one) == os.path.realpath(other):
        return True
    try:
        return os.path.samefile(one, other) and not _is_special(Path(other))  # noqa: PTH121 - takes names
    except OSError:
        return False


def _is_special(path: Path) -> bool:
    """Whether it exists and is a pipe or a device, which must be written to and not replaced."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def _is_database(target: str) -> bool:
    """A slip of the finger (`--kept suppress.db`) must not cost a ledger."""
    try:
        path = Path(target)
        if not path.is_file():
            return False
        with path.open("rb") as stream:
            return stream.read(15) == b"SQLite format 3"
    except OSError:
        return False


def _sync_folder(folder: Path) -> None:
    """Make the new name survive a power cut, where the file system can."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def _reported(target: str) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError as gone:
        raise StorageFailed(
            f"the reader of {_where(target)} went away before it had everything", remedy="run it again"
        ) from gone
    except OSError as refused:
        raise _error(target, refused) from refused


def _error(target: str, refused: OSError) -> SuppressError:
    what = f"{_where(target)} cannot be written: {refused.strerror}"
    if refused.errno in PLACE:
        return OutputRefused(what)
    return StorageFailed(f"{what}; nothing was left half-written")


def _where(target: str) -> str:
    return "standard output" if target == "-" else target

"""Where the bytes of a contact file come from: a file, standard input, a pipe. They are hashed as they pass.

Rules kept here:

* What cannot be read twice is copied to a nameless temporary file as far as `HEAD`. A longer pipe is not
  stored: it flows by, and only its head and the last `RECENT` bytes can be read again. So a list of any
  length takes the same memory, and no disk but what is kept of it.
* The digest is that of the bytes as they lie on the disk or came through the pipe, also of a packed file, so
  that `sha256sum` gives the same. Who reads a file only to find out what it is `skims` it.
* No stream has a buffer of its own: a workbook is read by another process from the same open file, which
  moves the place where both read.
* A file that changes while it is read is told to the caller, who has written nothing by then.
* Where a `forerunner` reads it too, that one makes the digest, and nothing is hashed here unless it is lost.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import tempfile
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

from suppress.errors import BadFile, StorageFailed

if TYPE_CHECKING:
    from suppress.files.forerunner import Forerunner

BLOCK = 1 << 18
"""Bytes read at a time."""
HEAD = 64 << 20
"""Bytes of a pipe that are kept, to find out what it holds."""
RECENT = 24 << 20
"""Bytes of a stream that can be read again. A reader that finds itself stuck in a row goes back that far."""


class Bytes(Protocol):
    """Bytes that can be read, and to some extent be read again."""

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes; none at the end."""
        ...

    def seek(self, offset: int, /) -> object:
        """Go on from there."""
        ...


class Recent:
    """The last bytes of a stream that passed."""

    def __init__(self, start: int = 0) -> None:
        self._blocks: deque[bytes] = deque()
        self._start = self._end = start

    @property
    def end(self) -> int:
        """How far the stream has been read."""
        return self._end

    def add(self, block: bytes) -> None:
        """Bytes that came next; the oldest are let go."""
        self._blocks.append(block)
        self._end += len(block)
        while self._end - self._start - len(self._blocks[0]) >= RECENT:
            self._start += len(self._blocks.popleft())

    def at(self, offset: int, size: int) -> bytes | None:
        """Bytes that passed; None if they are not held any more."""
        if offset < self._start:
            return None
        pieces, start = [], self._start
        for block in self._blocks:
            pieces.append(block[max(0, offset - start) : max(0, offset + size - start)])
            start += len(block)
        return b"".join(pieces)


class _Flowing:
    """A pipe longer than `HEAD`: its beginning, what passed last, and what is still to come."""

    def __init__(self, stream: BinaryIO, head: BinaryIO, length: int) -> None:
        self._stream, self._head, self._length = stream, head, length
        self._recent = Recent(length)
        self._at = 0

    def seek(self, offset: int, /) -> None:
        self._at = offset

    def read(self, size: int, /) -> bytes:
        block = self._held(size) if self._at < self._recent.end else self._stream.read(size)
        if self._at == self._recent.end:
            self._recent.add(block)
        self._at += len(block)
        return block

    def _held(self, size: int) -> bytes:
        if self._at < self._length:
            self._head.seek(self._at)
            return self._head.read(min(size, self._length - self._at))
        held = self._recent.at(self._at, size)
        assert held is not None, "a pipe is not read further back than RECENT"
        return held

    def close(self) -> None:
        self._head.close()
        if self._stream is not sys.stdin.buffer:
            self._stream.close()


class Source:
    """The bytes of one contact file. Made by `open`."""

    def __init__(self, path: str, stream: BinaryIO | _Flowing, *, size: int | None) -> None:
        self.path = path
        self.name = called(path)
        """How the file is called in messages."""
        self.size = size
        """Bytes in all; None for a pipe whose end is not known yet."""
        self._stream = stream
        self._at = 0
        self._hash = hashlib.sha256()
        self._hashed = 0
        self._skimmed = False
        self.state = self._seen()
        """Which file it is, and what changes when somebody writes to it; None where that cannot be told."""
        self.forerunner: Forerunner | None = None
        """Who reads all of it meanwhile."""

    @classmethod
    def open(cls, path: str) -> Source:
        """Open a file, or standard input for `-`.

        Raises:
            BadFile: It is missing, a folder, or may not be read.
            StorageFailed: A pipe could not be copied.
        """
        if path == "-":
            return _piped(path, sys.stdin.buffer)
        stream, regular = _opened(path)
        if not regular:
            return _piped(path, stream)
        return cls(path, stream, size=os.fstat(stream.fileno()).st_size)

    @property
    def flowing(self) -> bool:
        """Whether it is a pipe too long to be read twice."""
        return isinstance(self._stream, _Flowing)

    def tell(self) -> int:
        """Where the next byte is read."""
        return self._at

    def seek(self, offset: int, /) -> None:
        """Go on from there. In a pipe this may be its head, or what passed last."""
        self._stream.seek(offset)
        self._at = offset

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes. Raises `BadFile` if the system cannot read them."""
        try:
            block = self._stream.read(size)
        except OSError as failed:
            raise BadFile(f"{self.name} cannot be read: {failed.strerror}") from failed
        self._passed(block)
        return block

    def read_into(self, memory: memoryview) -> int:
        """The same into memory that is there, as much as fits; how many bytes. Only where it is `shared`."""
        assert not isinstance(self._stream, _Flowing)
        try:
            size = os.readv(self._stream.fileno(), [memory])
        except OSError as failed:
            raise BadFile(f"{self.name} cannot be read: {failed.strerror}") from failed
        self._passed(memory[:size])
        return size

    def _passed(self, block: bytes | memoryview) -> None:
        """These bytes were read."""
        hashing = not self._skimmed and self.forerunner is None
        if hashing and self._at <= self._hashed < self._at + len(block):
            self._hash.update(memoryview(block)[self._hashed - self._at :])
            self._hashed = self._at + len(block)
        self._at += len(block)

    @contextmanager
    def skimmed(self) -> Iterator[None]:
        """What is read meanwhile is not hashed, unless it can be read only once: it is read again later."""
        self._skimmed = not self.flowing
        try:
            yield
        finally:
            self._skimmed = False

    @property
    def shared(self) -> bool:
        """Whether several processes can read it at a time, each where it wants."""
        return hasattr(os, "pread") and not isinstance(self._stream, _Flowing) and self.path != "-"

    def glance(self, offset: int, size: int) -> bytes:
        """Bytes from there, without moving to them and without hashing them."""
        assert not isinstance(self._stream, _Flowing)
        try:
            return os.pread(self._stream.fileno(), size, offset)
        except OSError as failed:
            raise BadFile(f"{self.name} cannot be read: {failed.strerror}") from failed

    def whole(self) -> BinaryIO:
        """All of it as a file, for formats that are read from their end."""
        if isinstance(self._stream, _Flowing):
            copy = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed with the source
            with _stored(self.name):
                self.seek(0)
                while block := self.read(BLOCK):
                    copy.write(block)
                copy.flush()
            self._stream.close()
            self._stream, self.size = copy, self._at
            self.state = self._seen()
            self.seek(0)
        return self._stream

    def finished(self) -> str:
        """The SHA-256 of all of it, hexadecimal, once it has been read.

        Raises:
            BadFile: It changed while it was read.
        """
        self._refuse_changed()
        if self.forerunner is not None:
            if (found := self.forerunner.digest) is not None:
                self._refuse_changed()
                return found
            self.forerunner = None
        at = self._at
        self.seek(self._hashed)
        while self.read(BLOCK):
            pass
        self.seek(at)
        return self._hash.hexdigest()

    def close(self) -> None:
        """Let go of it."""
        self._stream.close()

    def _refuse_changed(self) -> None:
        if self._seen() != self.state:
            raise BadFile(
                f"{self.name} was changed while it was read",
                remedy="let the program that writes it finish, and run this again",
            )

    def _seen(self) -> tuple[int, ...] | None:
        if isinstance(self._stream, _Flowing):
            return None
        try:
            found = os.fstat(self._stream.fileno())
        except OSError:  # a file in memory, as in tests
            return None
        return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def called(path: str) -> str:
    """How a file is called in messages."""
    return "standard input" if path == "-" else path


def _opened(path: str) -> tuple[BinaryIO, bool]:
    """The file, and whether it lies on a disk."""
    try:
        mode = Path(path).stat().st_mode
        if stat.S_ISDIR(mode):
            raise BadFile(f"{path} is a folder, not a file", remedy="name one file in it")
        return Path(path).open("rb", buffering=0), stat.S_ISREG(mode)
    except FileNotFoundError as missing:
        raise BadFile(f"there is no file {path}") from missing
    except ValueError as wrong:
        raise BadFile(f"{path!r} cannot be the name of a file") from wrong
    except OSError as refused:
        raise BadFile(
            f"{path} cannot be read: {refused.strerror}", remedy="check who may read the file"
        ) from refused


def _piped(path: str, stream: BinaryIO) -> Source:
    """The source for what can be read only once."""
    with ExitStack() as stack:
        if path != "-":
            stack.callback(stream.close)
        with _stored(called(path)):
            head = stack.enter_context(tempfile.TemporaryFile(buffering=0))
        length = 0
        while length < HEAD:
            try:
                block = stream.read(min(BLOCK, HEAD - length))
            except OSError as failed:
                raise BadFile(f"{called(path)} cannot be read: {failed.strerror}") from failed
            if not block:
                break
            with _stored(called(path)):
                head.write(block)
            length += len(block)
        with _stored(called(path)):
            head.flush()
        stack.pop_all()
    head.seek(0)
    if length < HEAD:
        if path != "-":
            stream.close()
        return Source(path, head, size=length)
    return Source(path, _Flowing(stream, head, length), size=None)


@contextmanager
def _stored(name: str) -> Iterator[None]:
    """Trouble with the temporary file, which is no fault of the file that is read."""
    try:
        yield
    except OSError as failed:
        raise StorageFailed(f"{name} could not be copied to a temporary file: {failed.strerror}") from failed

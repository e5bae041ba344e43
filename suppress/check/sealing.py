"""A file of columns that is noise to whoever lacks its key, and is refused when a byte of it changed.

    magic · nonce · columns, one after another · head · its length

Each column, and the head that says where they are, is sealed in pieces of a megabyte with AES-256-GCM, under
a key of its own: HMAC-SHA-256 of magic, nonce and the column's name, with the secret. The nonce is fresh for
each file, so that no key is used for two of them. A piece is numbered, and the head says how long a column
is: pieces cannot change places or be left out. So a column is read and proven without reading the others. An
*open* column is written as it is and not proven: what stands in it must be able to prove itself.

A processor seals some gigabytes a second so, and what `hashlib` alone can do a quarter of one. Loading the
library takes longer than to answer about one address; but a file is checked to be recorded, and the record is
signed by means of the same library.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import mmap
import os
import secrets
import struct
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from numpy.typing import NDArray

from suppress.ledger.keys import sync_folder

MAGIC = b"suppress snapshot 3\n"
_NONCE, _TAG, _LENGTH = 16, 16, struct.Struct("<Q")
_PIECE = 1 << 20
_PLACE = struct.Struct("<Q4x")
"""The number of a piece, as long as the nonces of GCM are."""


_HEAD = ""


class NotUsable(ValueError):
    """The bytes are not a snapshot that this program wrote for this ledger. Answered by building one anew."""


class Column(NamedTuple):
    """One column to write."""

    name: str
    content: NDArray[Any]
    open: bool = False


def write(file: Path, secret: bytes, head: Mapping[str, Any], columns: Sequence[Column]) -> bytes:
    """Replace `file`, for its owner only, so that a crash leaves the old one or the new one; its nonce."""
    descriptor, draft = tempfile.mkstemp(prefix=f".{file.name}-", dir=file.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            nonce = _written(stream, secret, head, columns)
            stream.flush()
            os.fsync(stream.fileno())
        Path(draft).replace(file)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(draft).unlink()
        raise
    sync_folder(file.parent)
    return nonce


def _written(stream: BinaryIO, secret: bytes, head: Mapping[str, Any], columns: Sequence[Column]) -> bytes:
    nonce = secrets.token_bytes(_NONCE)
    stream.write(MAGIC + nonce)
    index: dict[str, tuple[int, int]] = {}
    for column in columns:
        content = np.ascontiguousarray(column.content).reshape(-1).view(np.uint8)
        index[column.name] = stream.tell(), len(content)
        if column.open:
            stream.write(content.data)
        else:
            _seal(stream, content.data, _cipher(secret, nonce, column.name))
    start = stream.tell()
    said = json.dumps({**head, "columns": index}).encode()
    _seal(stream, memoryview(said), _cipher(secret, nonce, _HEAD))
    stream.write(_LENGTH.pack(stream.tell() - start))
    return nonce


def _seal(stream: BinaryIO, content: memoryview, cipher: AESGCM) -> None:
    for place, at in enumerate(range(0, len(content), _PIECE)):
        stream.write(cipher.encrypt(_PLACE.pack(place), content[at : at + _PIECE], None))


def _unsealed(content: memoryview, length: int, cipher: AESGCM) -> NDArray[np.uint8]:
    """What was sealed, of so many bytes. Raises `NotUsable`."""
    found = np.empty(length, np.uint8)
    for place, at in enumerate(range(0, length, _PIECE)):
        start = at + place * _TAG
        size = min(_PIECE, length - at)
        try:
            piece = cipher.decrypt(_PLACE.pack(place), content[start : start + size + _TAG], None)
        except InvalidTag as wrong:
            raise NotUsable("it was damaged, or belongs to another ledger") from wrong
        found[at : at + size] = np.frombuffer(piece, np.uint8)
    return found


def _cipher(secret: bytes, nonce: bytes, name: str) -> AESGCM:
    return AESGCM(hmac.digest(secret, MAGIC + nonce + name.encode(), "sha256"))


class Sealed:
    """Such a file, opened: its head is proven, and each column when it is read."""

    def __init__(self, file: Path, secret: bytes) -> None:
        """Raises `NotUsable`."""
        try:
            with file.open("rb") as stream:
                self._map = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as refused:
            raise NotUsable("there is none that can be read") from refused
        self._secret = secret
        behind = len(self._map) - _LENGTH.size
        least = len(MAGIC) + _NONCE
        if behind < least or self._map[: len(MAGIC)] != MAGIC:
            raise NotUsable("it is no snapshot of this version")
        self.nonce = self._map[len(MAGIC) : least]
        (length,) = _LENGTH.unpack(self._map[behind:])
        if not _TAG < length <= behind - least:
            raise NotUsable("it was damaged")
        self.head: dict[str, Any] = json.loads(self._read(_HEAD, behind - length, _plain(length)).tobytes())

    def column(self, name: str, kind: str) -> NDArray[Any]:
        """One column as an array of its own. Raises `NotUsable`."""
        start, length = self.head["columns"][name]
        found = self._read(name, start, length).view(kind)
        if hasattr(self._map, "madvise"):
            # It is not read again: the system need not hold its pages for this process.
            first = start // mmap.PAGESIZE * mmap.PAGESIZE
            self._map.madvise(mmap.MADV_DONTNEED, first, start + length - first)
        return found

    def open_column(self, name: str) -> NDArray[np.uint8]:
        """An open column, read from the disk as it is needed."""
        start, length = self.head["columns"][name]
        return np.frombuffer(self._map, np.uint8, length, start)

    def _read(self, name: str, start: int, length: int) -> NDArray[np.uint8]:
        with memoryview(self._map) as content:
            return _unsealed(content[start:], length, _cipher(self._secret, self.nonce, name))


def _plain(length: int) -> int:
    """How long something was before it was sealed."""
    pieces = -(-length // (_PIECE + _TAG))
    return length - pieces * _TAG

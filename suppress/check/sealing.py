"""A file of columns that is noise to whoever lacks its key, and is refused when a byte of it changed.

    columns, one after another · head · its length · tag

Each column is combined with a key stream (SHAKE-256 of key, nonce, column and place; the nonce is fresh for
each file) and has a tag (HMAC-SHA-256) that the head holds; the head is treated the same way. So a column is
read and proven without reading the others. An *open* column is written as it is and not proven: what stands
in it must be able to prove itself.

These are primitives of Python's own `hashlib`: a check loads no cryptography library.
"""

from __future__ import annotations

import contextlib
import hashlib
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
from numpy.typing import NDArray

from suppress.ledger.keys import sync_folder

MAGIC = b"suppress snapshot 2\n"
_NONCE, _TAG, _LENGTH = 16, 32, struct.Struct("<Q")
_CHUNK = 1 << 20


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
            nonce = _written(stream, _Keys(secret), head, columns)
            stream.flush()
            os.fsync(stream.fileno())
        Path(draft).replace(file)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(draft).unlink()
        raise
    sync_folder(file.parent)
    return nonce


def _written(stream: BinaryIO, keys: _Keys, head: Mapping[str, Any], columns: Sequence[Column]) -> bytes:
    nonce = secrets.token_bytes(_NONCE)
    stream.write(MAGIC + nonce)
    index: dict[str, list[Any]] = {}
    for column in columns:
        start = stream.tell()
        tag = keys.tag(nonce, column.name)
        content = np.ascontiguousarray(column.content).reshape(-1).view(np.uint8)
        for place, at in enumerate(range(0, len(content), _CHUNK)):
            part = content[at : at + _CHUNK].tobytes()
            if not column.open:
                part = keys.veiled(part, nonce, column.name, place)
                tag.update(part)
            stream.write(part)
        index[column.name] = [start, stream.tell() - start, "" if column.open else tag.hexdigest()]
    said = json.dumps({**head, "columns": index}).encode()
    hidden = keys.veiled(said, nonce, "", 0)
    tag = keys.tag(nonce, "")
    tag.update(hidden)
    stream.write(hidden + _LENGTH.pack(len(hidden)) + tag.digest())
    return nonce


class Sealed:
    """Such a file, opened: its head is proven, and each column when it is read."""

    def __init__(self, file: Path, secret: bytes) -> None:
        """Raises `NotUsable`."""
        try:
            with file.open("rb") as stream:
                self._map = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as refused:
            raise NotUsable("there is none that can be read") from refused
        self._keys = _Keys(secret)
        behind = len(self._map) - _TAG - _LENGTH.size
        least = len(MAGIC) + _NONCE
        if behind < least or self._map[: len(MAGIC)] != MAGIC:
            raise NotUsable("it is no snapshot of this version")
        self.nonce = self._map[len(MAGIC) : least]
        (length,) = _LENGTH.unpack(self._map[behind : behind + _LENGTH.size])
        if length > behind - least:
            raise NotUsable("it was damaged")
        hidden = self._proven(self._map[behind - length : behind], "", self._map[-_TAG:])
        self.head: dict[str, Any] = json.loads(self._keys.veiled(hidden, self.nonce, "", 0))

    def column(self, name: str, kind: str) -> NDArray[Any]:
        """One column as an array of its own. Raises `NotUsable`."""
        start, length, tag = self.head["columns"][name]
        hidden = self._proven(self._map[start : start + length], name, bytes.fromhex(tag))
        found = bytearray(length)
        for place, at in enumerate(range(0, length, _CHUNK)):
            found[at : at + _CHUNK] = self._keys.veiled(hidden[at : at + _CHUNK], self.nonce, name, place)
        return np.frombuffer(found, kind)

    def open_column(self, name: str) -> NDArray[np.uint8]:
        """An open column, read from the disk as it is needed."""
        start, length, _ = self.head["columns"][name]
        return np.frombuffer(self._map, np.uint8, length, start)

    def _proven(self, hidden: bytes, name: str, tag: bytes) -> bytes:
        made = self._keys.tag(self.nonce, name)
        made.update(hidden)
        if not hmac.compare_digest(made.digest(), tag):
            raise NotUsable("it was damaged, or belongs to another ledger")
        return hidden


class _Keys:
    """What a secret is used for, apart."""

    def __init__(self, secret: bytes) -> None:
        self._veil = hmac.digest(secret, b"veil", "sha256")
        self._tag = hmac.digest(secret, b"tag", "sha256")

    def tag(self, nonce: bytes, name: str) -> hmac.HMAC:
        return hmac.new(self._tag, MAGIC + nonce + name.encode() + b"\0", "sha256")

    def veiled(self, content: bytes, nonce: bytes, name: str, place: int) -> bytes:
        """The content combined with a key stream; done twice, the content."""
        start = self._veil + nonce + _LENGTH.pack(place) + name.encode()
        stream = np.frombuffer(hashlib.shake_256(start).digest(len(content)), np.uint8)
        return (np.frombuffer(content, np.uint8) ^ stream).tobytes()

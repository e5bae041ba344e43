"""Compressed contact files: unpacked as they are read, packed as they are written, never whole in memory.

Rules kept here:

* A file may consist of several members one after the other, as `cat a.gz b.gz` makes it. One that ends in the
  middle of a member, or goes on with something else, is refused: a list that lost its end is no list.
* No input, however it was made, unpacks to more than some MiB at a time.
* What is written depends on nothing but the rows: no time, no name.
"""

from __future__ import annotations

import sys
import zlib
from enum import Enum
from types import ModuleType
from typing import Protocol

from suppress.errors import BadFile, ExtraMissing
from suppress.files.source import Bytes, Recent

_READ = 1 << 16
_SLICE = 1 << 10
"""Bytes given to Zstandard at a time. Four of them may stand for 128 KiB: at most 32 MiB come out."""
_WINDOW = 1 << 27
"""The memory that a Zstandard file may ask for; its command line tool has the same limit."""
_ZSTD_SKIPPABLE = tuple(bytes([low, 0x2A, 0x4D, 0x18]) for low in range(0x50, 0x60))
"""Frames without content (RFC 8878, section 3.1.2), which parallel compressors write."""


class Packing(Enum):
    """How a file is compressed: what it is called, and how its name ends."""

    GZIP = ("gzip", ".gz")
    ZSTD = ("Zstandard", ".zst")

    @property
    def title(self) -> str:
        """Its name in messages."""
        return self.value[0]

    @property
    def ending(self) -> str:
        """How the names of such files end."""
        return self.value[1]

    @classmethod
    def of(cls, head: bytes) -> Packing | None:
        """The compression that a file starts with."""
        if head.startswith(b"\x1f\x8b"):
            return cls.GZIP
        if head.startswith((b"\x28\xb5\x2f\xfd", *_ZSTD_SKIPPABLE)):
            return cls.ZSTD
        return None


class Packer(Protocol):
    """Packs bytes; `flush` gives the last ones."""

    def compress(self, content: bytes, /) -> bytes:
        """Some packed bytes, or none yet."""
        ...

    def flush(self) -> bytes:
        """The rest."""
        ...


def packer(packing: Packing) -> Packer:
    """For one file to write. Raises `ExtraMissing`."""
    if packing is Packing.GZIP:
        return zlib.compressobj(6, zlib.DEFLATED, 31)
    found: Packer = _zstandard().ZstdCompressor(level=3, write_checksum=True).compressobj()
    return found


class Unpacked:
    """What a compressed file holds, read from its start; what is not held any more is unpacked again."""

    def __init__(self, source: Bytes, packing: Packing, name: str) -> None:
        self._source, self._packing, self._name = source, packing, name
        self._again()

    def _again(self) -> None:
        self._source.seek(0)
        self._member: _Member | None = None
        self._left = b""
        self._recent = Recent()
        self._at = 0

    def seek(self, offset: int, /) -> None:
        """Go on from there."""
        if self._recent.at(offset, 0) is None:
            self._again()
        while self._recent.end < offset and self._forward():
            pass
        self._at = offset

    def read(self, size: int, /) -> bytes:
        """Up to `size` unpacked bytes.

        Raises:
            BadFile: The file is cut off, damaged, or goes on with something else.
        """
        while self._recent.end <= self._at and self._forward():
            pass
        block = self._recent.at(self._at, size) or b""
        self._at += len(block)
        return block

    def _forward(self) -> bool:
        """Unpack some more; False at the end."""
        fed = self._left or self._source.read(_READ)
        if self._member is None:
            fed = self._begun(fed)
        if self._member is None:
            return False
        try:
            content, self._left = self._member.fed(fed)
        except _damage() as damaged:
            raise BadFile(
                f"{self._name} cannot be unpacked: its {self._packing.title} data is damaged, or asks for "
                f"more memory than {_WINDOW >> 20} MiB",
                remedy="fetch it again, or unpack it yourself and pipe it in: suppress check -",
            ) from damaged
        if self._member.ended:
            self._member = None
        elif not fed and not content:
            raise BadFile(
                f"{self._name} ends in the middle of its {self._packing.title} data",
                remedy="it was not copied whole; fetch it again",
            )
        self._recent.add(content)
        return True

    def _begun(self, fed: bytes) -> bytes:
        """Start the next member, if there is one; its first bytes."""
        while len(fed) < 4 and (more := self._source.read(_READ)):
            fed += more
        # Tapes and some devices fill the last block with zero bytes; gzip itself passes over them.
        while fed and not fed.strip(b"\0"):
            fed = self._source.read(_READ)
        if not fed:
            return b""
        if Packing.of(fed) is not self._packing:
            raise BadFile(
                f"{self._name}: after its {self._packing.title} data follow bytes that are none",
                remedy="fetch it again; what follows may be a list that was lost",
            )
        self._member = _GzipMember() if self._packing is Packing.GZIP else _ZstdFrame()
        return fed


class _Member(Protocol):
    ended: bool

    def fed(self, content: bytes) -> tuple[bytes, bytes]:
        """Unpacked bytes, and those that were not used."""
        ...


class _GzipMember:
    def __init__(self) -> None:
        self._inflating = zlib.decompressobj(31)
        self.ended = False

    def fed(self, content: bytes) -> tuple[bytes, bytes]:
        found = self._inflating.decompress(content, 16 * _READ)
        self.ended = self._inflating.eof
        return found, self._inflating.unused_data if self.ended else self._inflating.unconsumed_tail


class _ZstdFrame:
    def __init__(self) -> None:
        self._inflating = _zstandard().ZstdDecompressor(max_window_size=_WINDOW).decompressobj()
        self.ended = False

    def fed(self, content: bytes) -> tuple[bytes, bytes]:
        found = self._inflating.decompress(content[:_SLICE])
        self.ended = self._inflating.eof
        return found, self._inflating.unused_data + content[_SLICE:]


def _zstandard() -> ModuleType:
    """The library, imported when a file needs it. Raises `ExtraMissing`."""
    try:
        import zstandard
    except ImportError as missing:
        raise ExtraMissing(
            "files compressed with Zstandard need the extra “zstd”",
            remedy="pip install 'suppress-ledger[zstd]', or: zstd -dc FILE | suppress check -",
        ) from missing
    return zstandard


def _damage() -> tuple[type[Exception], ...]:
    """What the libraries raise for broken data."""
    found = sys.modules.get("zstandard")
    return (zlib.error,) if found is None else (zlib.error, found.ZstdError)

"""Contact files that are text: kept rows leave as the bytes they came in.

What CSV and JSON lines have in common: the encoding, compression, and bytes that spoil their row.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from suppress.files.contacts import SAMPLE, ContactFile, Copy, Reading
from suppress.files.encoding import Encoding, blocks, mended, spoilt, survey
from suppress.files.kinds import packing_named, promises_table, refuse_other_ending
from suppress.files.output import Output
from suppress.files.packing import Packer, Packing, packer
from suppress.files.records import Record
from suppress.files.source import Bytes, Source

SURVEYED = 32 << 20
"""Bytes of a flowing pipe from which its encoding is found out; of anything else, all."""


_SAMPLED = 4 << 20
"""Characters of a sample. What is sampled must lie in the head of a pipe."""

_SINGLE = frozenset({"cp1252", "iso8859-1"})
"""Encodings in which each character is a byte. UTF-8 has no byte beyond ASCII that stands alone."""
_TWO = re.compile("[^\x00-\x7f]{2}")
_GUESSES = ("mac_roman", "cp850")
"""What Excel saves as "CSV (Macintosh)" and "CSV (MS-DOS)". Each byte is a character there; a space that does
not break, and the marks around an address, are other ones than in Windows-1252."""

Piece = TypeVar("Piece")


class TextFile(ContactFile):
    """A contact file made of characters."""

    def __init__(self, source: Source, stream: Bytes, packing: Packing | None, reading: Reading) -> None:
        super().__init__(source)
        self._stream = stream
        self.packing = packing
        self.encoding = _surveyed(source, stream, reading.encoding)

    @abstractmethod
    def preamble(self, more: Sequence[str] = ()) -> str:
        """The text before the first row, with the headings `more` added."""

    @abstractmethod
    def extended(self, row: Record, more: Sequence[str]) -> str:
        """The row with more cells after its own, in this file's manner."""

    @abstractmethod
    def rest(self, offset: int, before: int) -> Iterator[list[Record]]:
        """The rows from the byte at `offset` on, where a row starts that has `before` lines ahead of it."""

    def raw(self, offset: int, size: int) -> bytes:
        """Up to `size` bytes of the file as they are."""
        self._stream.seek(offset)
        return self._stream.read(size)

    def raw_into(self, memory: memoryview, offset: int) -> memoryview:
        """The same, as much as fits, in memory that is there. Only where it is `shared`."""
        self._stream.seek(offset)
        return memory[: self._source.read_into(memory)]

    @property
    def hashed_elsewhere(self) -> bool:
        """Whether another process makes the digest, so that nothing needs to be read for it."""
        return self._source.forerunner is not None

    def skip_to(self, offset: int) -> None:
        """Nothing of what lies before is asked for."""
        self._stream.seek(offset)

    @property
    def shared(self) -> bool:
        """Whether several processes can read it at a time."""
        return self.packing is None and self._source.shared

    def glance(self, offset: int, size: int) -> bytes:
        """The same, for several processes at a time: nothing is moved. Only where it is `shared`."""
        return self._source.glance(offset, size)

    def encoded(self, text: str) -> bytes:
        """Text in this file's encoding; what the encoding lacks is written as an escape."""
        return self.encoding.encoded(text)

    def copy(self, output: Output, more: Sequence[str] = ()) -> TextCopy:
        """A result with this file's encoding, compressed as its own name says or else as this file is."""
        refuse_other_ending(output.target, self.endings)
        packing = packing_named(output.target)
        if packing is None and not promises_table(output.target):
            packing = self.packing
        return TextCopy(self, output, packing, more)

    def beside(self, folder: str, result: str) -> str:
        """The name of a result, which says how it is compressed."""
        name = super().beside(folder, result)
        end = self.packing.ending if self.packing is not None else ""
        return name if name.lower().endswith(end) else name + end

    def addresses(self, row: Record) -> list[str]:
        """What stands in the address columns of a row, as far as the row reaches.

        A cell whose bytes could as well be of another encoding, or that was once read as what it is not and
        written so, is given in each reading.
        """
        found = super().addresses(row)
        return found if row.text.isascii() else self._readable(found)

    def texts(self, row: Record) -> list[str]:
        """All that a row says, in each reading that is possible."""
        return self._readable(list(super().texts(row)))

    def _readable(self, cells: list[str]) -> list[str]:
        cells += [again for cell in cells for again in self.readings(cell)]
        return cells if self.encoding.sound else list(map(mended, cells))

    def readings(self, text: str) -> list[str]:
        """A cell in other readings of its bytes: as UTF-8, and if the encoding was a guess, in other ones."""
        if text.isascii():
            return []
        found = [again] if (again := self._as_utf8(text)) is not None else []
        if self.encoding.guess is not None:
            content = self.encoding.encoded(text)
            found += [content.decode(codec) for codec in _GUESSES]
        return found

    def _as_utf8(self, text: str) -> str | None:
        """Text as UTF-8 that was read as something else; None if it cannot be."""
        if text.isascii() or self.encoding.wide:
            return None
        codec = "cp1252" if self.encoding.codec == "utf-8" else self.encoding.codec
        if codec in _SINGLE and not _TWO.search(text):
            return None
        try:
            return text.encode(codec, "surrogateescape").decode()
        except UnicodeError:
            return None

    def _spoilt(self, row: Record) -> str | None:
        """What is wrong with the characters of a row, in words."""
        if "\0" in row.text:
            return "the row holds a NUL byte"
        if self.encoding.sound or (byte := spoilt(row.text)) is None:
            return None
        if self.encoding.guess is not None:
            if self._as_utf8(row.text) is not None:
                return None
            return f"the row holds the byte 0x{byte:02x}, which is neither UTF-8 nor {self.encoding.codec}"
        return f"the row holds the byte 0x{byte:02x}, which is not {self.encoding.codec}"

    def _blocks(self, offset: int = 0) -> Iterator[str]:
        return blocks(self._stream, self.encoding, self.name, offset)

    def _about_text(self) -> list[str]:
        """The assumptions about characters and compression."""
        said = []
        if self.encoding.guess is not None:
            said.append(f"encoding: {self.encoding.guess}; name another with --encoding")
        elif self.encoding.codec != "utf-8":
            said.append(f"encoding: {self.encoding.codec}")
        if self.packing is not None:
            said.append(f"compressed with {self.packing.title}")
        return said


def _surveyed(source: Source, stream: Bytes, wanted: str | None) -> Encoding:
    """What the forerunner found, or else what is found now."""
    if source.forerunner is not None:
        if (found := source.forerunner.encoding) is not None:
            return found
        source.forerunner = None  # it was lost
    with source.skimmed():
        return survey(stream, source.name, wanted, SURVEYED if source.flowing else None)


class TextCopy(Copy):
    """Rows of a text file, written as text."""

    def __init__(
        self, contacts: TextFile, output: Output, packing: Packing | None, more: Sequence[str]
    ) -> None:
        self._contacts, self._output = contacts, output
        self._packer: Packer | None = packer(packing) if packing is not None else None
        self.write(contacts.encoding.mark + contacts.encoded(contacts.preamble(more)))

    def write(self, content: bytes) -> None:
        """Bytes of whole rows."""
        self._output.write(content if self._packer is None else self._packer.compress(content))

    def write_all(self, pieces: Sequence[memoryview]) -> None:
        """Bytes of whole rows, those of each piece."""
        if self._packer is None:
            self._output.write_all(pieces)
        else:
            self.write(b"".join(pieces))

    def keep(self, rows: Sequence[Record]) -> None:
        """Write rows as they are."""
        self.write(self._contacts.encoded("".join([row.text for row in rows])))

    def add(self, row: Record, more: Sequence[str]) -> None:
        """Write one row with cells after its own."""
        self.write(self._contacts.encoded(self._contacts.extended(row, more)))

    def finish(self) -> None:
        """Bring all of it to the disk."""
        if self._packer is not None:
            self._output.write(self._packer.flush())
        self._output.finish()


def first_of(found: Iterable[Piece], size: Callable[[Piece], int]) -> list[Piece]:
    """The first of some pieces of text: `SAMPLE` of them, or fewer that are long."""
    first, characters = [], 0
    for each in found:
        first.append(each)
        characters += size(each)
        if len(first) == SAMPLE or characters > _SAMPLED:
            break
    return first

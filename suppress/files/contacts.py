"""A contact file: opened, understood, and read row by row as often as asked.

    with ContactFile.open("list.csv") as contacts:
        for batch in contacts.batches():
            for row in batch:
                row.line, row.text, contacts.addresses(row)

What was assumed about the file (encoding, delimiter, header, columns) is in `assumptions`, in words.
"""

from __future__ import annotations

import itertools
import shutil
import stat
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from suppress.errors import BadFile, StorageFailed
from suppress.files.columns import Columns, chosen, decided, folded, is_header, listed
from suppress.files.dialect import Dialect
from suppress.files.encoding import BLOCK, Encoding, blocks, survey
from suppress.files.records import Record, lines, records

SAMPLE = 200
"""Rows that are looked at to find delimiter and columns."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the user said about a file; None and empty mean: find out."""

    encoding: str | None = None
    delimiter: str | None = None
    columns: tuple[str, ...] = ()
    header: bool | None = None


class ContactFile:
    """One contact file, open. Made by `open`; a context manager."""

    def __init__(self, path: str, stream: BinaryIO, reading: Reading, *, need_addresses: bool = True) -> None:
        self.path = path
        self.name = name = "standard input" if path == "-" else path
        """How the file is called in messages."""
        self._stream = stream
        found = survey(stream, name, reading.encoding)
        self.encoding: Encoding = found.encoding
        self.digest = found.digest
        """SHA-256 of the whole file, hexadecimal."""
        self.size = found.size
        sample = self._sample_lines()
        directive = _directive(sample)
        self.dialect = _dialect(reading, directive, sample)
        self.line_end = sample[0][len(sample[0].rstrip("\r\n")) :] or "\n"
        """How the first line ends; a last row without an end gets it when cells are added."""
        rows, leading = self._first_rows(skip=directive is not None)
        headed = self._has_header(reading, rows[0])
        self._leading = leading + headed
        """Rows, blank ones counted, that stand before the first one about a person."""
        self.header: Record | None = rows[0] if headed else None
        body = [row.cells for row in rows[headed:]]
        usual = Counter(map(len, body)).most_common(1)[0][0] if body else 0
        names = self.header.cells if self.header is not None else []
        if len(names) == 1 < usual:
            names = []  # a title above the table, as reports have it
        self.width = len(names) or usual
        """How many cells a row should have."""
        self.columns = self._columns(names, body, reading, need_addresses)

    @classmethod
    def open(cls, path: str, reading: Reading | None = None, *, need_addresses: bool = True) -> ContactFile:
        """Open a file, or standard input for `-`.

        What cannot be read twice (a pipe) is first copied to a nameless temporary file, so that nothing is
        written before all of it has been seen.

        Raises:
            BadFile: It is missing, a folder, unreadable, empty, binary, undecodable or has no addresses.
            BadUsage: An option names an encoding, delimiter or column that cannot be.
        """
        with ExitStack() as stack:
            stream = stack.enter_context(_opened(path))
            contacts = cls(path, stream, reading or Reading(), need_addresses=need_addresses)
            stack.pop_all()
        return contacts

    def close(self) -> None:
        """Let go of the file."""
        self._stream.close()

    def __enter__(self) -> ContactFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def batches(self) -> Iterator[list[Record]]:
        """All rows after the header, blank lines too, in lists of some thousands."""
        leading = self._leading
        for batch in records(self._blocks(), self.dialect, self.name):
            skipped = min(leading, len(batch))
            leading -= skipped
            if len(batch) > skipped:
                yield batch[skipped:]

    def rest(self, offset: int, before: int) -> Iterator[list[Record]]:
        """The rows from the byte at `offset` on, where a row starts that has `before` lines ahead of it."""
        text = blocks(self._stream, self.encoding, self.name, offset)
        return records(text, self.dialect, self.name, before=before)

    def raw(self, offset: int, size: int) -> bytes:
        """Up to `size` bytes of the file as they are."""
        self._stream.seek(offset)
        return self._stream.read(size)

    def preamble(self, more: Sequence[str] = ()) -> str:
        """The text before the first row: blank lines, a `sep=` line, and the header, with `more` columns."""
        rows = itertools.chain.from_iterable(records(self._blocks(), self.dialect, self.name))
        texts = [row.text for row in itertools.islice(rows, self._leading)]
        if self.header is not None and more:
            texts[-1] = self.extended(self.header, more)
        return "".join(texts)

    def addresses(self, row: Record) -> list[str]:
        """What stands in the address columns of a row, as far as the row reaches.

        In a file that had to be read as Windows-1252 although parts of it may be UTF-8, such cells are
        given in both readings.
        """
        cells = [row.cells[index] for index in self.columns.addresses if index < len(row.cells)]
        if self.encoding.guess is not None:
            cells += [again for cell in cells if (again := _as_utf8(cell)) is not None]
        return cells

    def misshapen(self, row: Record) -> str | None:
        """Why the cells of a row may not stand under their headings, in words; None if they do."""
        if "\0" in row.text:
            return "the row holds a NUL byte"
        if len(row.cells) != self.width:
            return f"the row has {len(row.cells)} cells where {self.width} are usual"
        if row.spanning is not None:
            return f"column {self.columns.label(row.spanning)} runs over several lines"
        return None

    def extended(self, row: Record, more: Sequence[str]) -> str:
        """The row with more cells after its own, in this file's manner."""
        return self.dialect.extended(row.text, row.cells, self.width, more, self.line_end)

    def encoded(self, text: str) -> bytes:
        """Text in this file's encoding; what the encoding lacks is written as an escape."""
        try:
            return text.encode(self.encoding.codec)
        except UnicodeEncodeError:
            return text.encode(self.encoding.codec, "backslashreplace")

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What was assumed about the file, one sentence each, the most important first."""
        columns = self.columns
        said = []
        if columns.addresses:
            names = ", ".join(map(columns.label, columns.addresses))
            plural = "s" if len(columns.addresses) > 1 else ""
            said.append(f"addresses in column{plural} {names} ({columns.how})")
        if columns.overlooked:
            names = ", ".join(map(columns.label, columns.overlooked))
            said.append(f"column {names} holds addresses too and is not used; add it with --column")
        said.append(f"delimiter: {self.dialect.name}; {'header found' if self.header else 'no header'}")
        if self.encoding.guess is not None:
            said.append(f"encoding: {self.encoding.guess}; name another with --encoding")
        elif self.encoding.codec != "utf-8":
            said.append(f"encoding: {self.encoding.codec}")
        return tuple(said)

    def _blocks(self) -> Iterator[str]:
        return blocks(self._stream, self.encoding, self.name)

    def _sample_lines(self) -> list[str]:
        """The first physical lines. Fewer than a row's worth is fine: they only serve to guess."""
        return list(itertools.islice(itertools.chain.from_iterable(lines(self._blocks(), self.name)), SAMPLE))

    def _first_rows(self, *, skip: bool) -> tuple[list[Record], int]:
        """The first rows that are not blank, and how many rows stand before them."""
        rows = itertools.chain.from_iterable(records(self._blocks(), self.dialect, self.name))
        first = list(itertools.islice(rows, SAMPLE))
        filled = [row for row in first[skip:] if not row.blank]
        if not filled:
            raise BadFile(f"{self.name} holds no rows", remedy="check that the export finished")
        return filled, first.index(filled[0])

    def _has_header(self, reading: Reading, title: Record) -> bool:
        if "\0" in title.text:
            raise BadFile(
                f"{self.name}, line {title.line}: the first row holds NUL bytes",
                line=title.line,
                remedy="export the file again as CSV, or name its --encoding",
            )
        if reading.header is not None:
            return reading.header
        named = {folded(name) for name in reading.columns}
        return is_header(title.cells) or any(folded(cell) in named for cell in title.cells)

    def _columns(
        self, names: Sequence[str], sample: Sequence[Sequence[str]], reading: Reading, need: bool
    ) -> Columns:
        if reading.columns:
            return Columns(tuple(names), chosen(reading.columns, names, self.width), "as asked")
        found = decided(names, sample)
        if found is None and need:
            raise BadFile(
                f"{self.name}: no column holds addresses; there is {listed(names, self.width)}",
                remedy="name the column: --column NAME or --column NUMBER",
            )
        return found or Columns(tuple(names), (), "by content")


def _directive(sample: Sequence[str]) -> str | None:
    """The delimiter in a first line `sep=;`, which Excel writes and reads."""
    first = sample[0].rstrip("\r\n") if sample else ""
    return first[4] if len(first) == 5 and first.lower().startswith("sep=") else None


def _dialect(reading: Reading, directive: str | None, sample: Sequence[str]) -> Dialect:
    if reading.delimiter is not None:
        return Dialect.named(reading.delimiter)
    if directive is not None:
        return Dialect.named(directive)
    return Dialect.guessed(sample)


def _opened(path: str) -> BinaryIO:
    """A stream that can be read twice."""
    if path == "-":
        return _copied(sys.stdin.buffer, "standard input")
    try:
        mode = Path(path).stat().st_mode
        if stat.S_ISDIR(mode):
            raise BadFile(f"{path} is a folder, not a file", remedy="name one file in it")
        stream = Path(path).open("rb")  # noqa: SIM115 - handed to the caller
    except FileNotFoundError as missing:
        raise BadFile(f"there is no file {path}") from missing
    except ValueError as wrong:
        raise BadFile(f"{path!r} cannot be the name of a file") from wrong
    except OSError as refused:
        raise BadFile(
            f"{path} cannot be read: {refused.strerror}", remedy="check who may read the file"
        ) from refused
    if stat.S_ISREG(mode):
        return stream
    with stream:
        return _copied(stream, path)


def _copied(source: BinaryIO, name: str) -> BinaryIO:
    with ExitStack() as stack:
        try:
            copy = stack.enter_context(tempfile.TemporaryFile())
            shutil.copyfileobj(source, copy, BLOCK)
            copy.flush()
        except OSError as failed:
            raise StorageFailed(
                f"{name} could not be copied to a temporary file: {failed.strerror}"
            ) from failed
        stack.pop_all()
    return copy


def _as_utf8(cell: str) -> str | None:
    """A cell read as Windows-1252 that was written as UTF-8; None if it was not."""
    if cell.isascii():
        return None
    try:
        return cell.encode("cp1252").decode()
    except UnicodeError:
        return None

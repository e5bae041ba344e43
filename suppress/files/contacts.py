"""A contact file: opened, understood, and read row by row as often as asked, whatever its format.

    with ContactFile.open("list.csv") as contacts:
        for batch in contacts.batches():
            for row in batch:
                row.line, contacts.addresses(row)

What was assumed about the file (format, encoding, delimiter, header, columns) is in `assumptions`, in words.
A result is written through `copy`, in the manner of the file: rows as they were, or with cells added.

`delimited`, `jsonlines`, `workbook` and `parquet` are the formats; `opening` tells them apart.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from types import TracebackType
from typing import TYPE_CHECKING, Self

from suppress.errors import BadFile
from suppress.files.columns import Columns, chosen, decided, listed
from suppress.files.kinds import Kind, packing_named, split
from suppress.files.output import Output
from suppress.files.records import Record
from suppress.files.source import Source

if TYPE_CHECKING:
    from suppress.files.forerunner import Forerunner

SAMPLE = 200
"""Rows that are looked at to find delimiter and columns."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the user said about a file; None and empty mean: find out."""

    encoding: str | None = None
    delimiter: str | None = None
    columns: tuple[str, ...] = ()
    header: bool | None = None
    sheet: str | None = None


class Copy(ABC):
    """One result of a run over a file: rows of that file, written in its manner."""

    @abstractmethod
    def keep(self, rows: Sequence[Record]) -> None:
        """Write rows as they are."""

    @abstractmethod
    def add(self, row: Record, more: Sequence[str]) -> None:
        """Write one row with cells after its own."""

    @abstractmethod
    def finish(self) -> None:
        """Bring all of it to the disk. Raises `StorageFailed`."""

    def abandon(self) -> None:  # noqa: B027 - most have nothing to let go of
        """Let go of what was begun, if it was not finished. Never raises."""


class ContactFile(ABC):
    """One contact file, open. Made by `open`; a context manager."""

    kind: Kind
    columns: Columns
    width: int
    """How many cells a row should have."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.path = source.path
        self.name = source.name
        """How the file is called in messages."""

    @staticmethod
    def open(
        path: str,
        reading: Reading | None = None,
        *,
        need_addresses: bool = True,
        twice: bool = False,
        forerunner: Forerunner | None = None,
    ) -> ContactFile:
        """Open a file, or standard input for `-`. `twice` if its rows are to be read more than once.

        A `forerunner` that was sent for this file is listened to, and must live as long as the file is read.

        Raises:
            BadFile: It is missing, a folder, unreadable, empty, of another kind, or has no addresses.
            BadUsage: An option names an encoding, delimiter, sheet or column that cannot be.
            ExtraMissing: Its format needs a library that is not installed.
        """
        # The formats are made of this class; each is imported when a file needs it.
        from suppress.files.opening import opened

        return opened(
            path, reading or Reading(), need_addresses=need_addresses, twice=twice, forerunner=forerunner
        )

    def close(self) -> None:
        """Let go of the file."""
        self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @abstractmethod
    def batches(self) -> Iterator[list[Record]]:
        """All rows after the header, blank ones too, in lists of some thousands.

        Raises:
            BadFile: The file turns out to be broken.
        """

    @abstractmethod
    def copy(self, output: Output, more: Sequence[str] = ()) -> Copy:
        """Begin a result whose rows get cells under the headings `more`, or none.

        Raises:
            OutputRefused: The name of the result promises another format.
        """

    @abstractmethod
    def misshapen(self, row: Record) -> str | None:
        """Why the cells of a row may not stand under their headings, in words; None if they do."""

    def addresses(self, row: Record) -> list[str]:
        """What stands in the address columns of a row, as far as the row reaches."""
        return [row.cells[index] for index in self.columns.addresses if index < len(row.cells)]

    def readings(self, _text: str) -> list[str]:
        """A cell in other readings of its bytes, where several are possible."""
        return []

    def texts(self, row: Record) -> Iterable[str]:
        """All that a row says, for the search in a row whose shape is in doubt."""
        return row.cells

    @property
    @abstractmethod
    def assumptions(self) -> tuple[str, ...]:
        """What was assumed about the file, one sentence each, the most important first."""

    endings: tuple[str, ...]
    """How the names of its results may end; the first is theirs where the file has no name."""

    def beside(self, folder: str, result: str) -> str:
        """The name of a result in `folder`: `list.csv.gz` becomes `list.kept.csv.gz`."""
        plain = "stdin" if self.path == "-" else PurePath(self.path).name
        packed = packing_named(plain)
        stem, ending = split(plain.removesuffix(packed.ending) if packed else plain)
        ending = ending if ending.lower() in self.endings else self.endings[0]
        return str(PurePath(folder, f"{stem}.{result}{ending}{packed.ending if packed else ''}"))

    @property
    def size(self) -> int | None:
        """Bytes of the file; None for a pipe whose end is not known."""
        return self._source.size

    def done(self) -> float | None:
        """Which part of the file lies behind the reader; None where its length is not known."""
        return min(1.0, self._source.tell() / self.size) if self.size else None

    @property
    def digest(self) -> str:
        """SHA-256 of the whole file, hexadecimal.

        Raises:
            BadFile: The file changed while it was read.
        """
        return self._source.finished()

    def _columns(
        self, names: Sequence[str], sample: Sequence[Sequence[str]], reading: Reading, need: bool
    ) -> Columns:
        """Which columns hold addresses: as the user said, else as the first rows suggest."""
        if reading.columns:
            return Columns(tuple(names), chosen(reading.columns, names, self.width), "as asked")
        found = decided(names, sample)
        if found is None and need:
            raise BadFile(
                f"{self.name}: no column holds addresses; there is {listed(names, self.width)}",
                remedy="name the column: --column NAME or --column NUMBER",
            )
        return found or Columns(tuple(names), (), "by content")

    def _about_columns(self) -> list[str]:
        """The assumptions about columns."""
        columns = self.columns
        said = []
        if columns.addresses:
            names = ", ".join(map(columns.label, columns.addresses))
            plural = "s" if len(columns.addresses) > 1 else ""
            said.append(f"addresses in column{plural} {names} ({columns.how})")
        if columns.overlooked:
            names = ", ".join(map(columns.label, columns.overlooked))
            said.append(f"column {names} holds addresses too and is not used; add it with --column")
        return said

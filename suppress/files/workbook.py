"""Workbooks: XLSX, XLSM, XLSB, XLS and ODS in; XLSX or ODS out.

Rules kept here:

* One sheet is read, and said. What is written holds that sheet alone: its values, not its formats, formulas
  and pictures. A cell that starts with `=` is written as text, never as a formula.
* A cell's text is what a person would type to get its value: `12`, not `12.0`.
* Results of an ODS file are ODS, all others XLSX: no library that is still kept up writes XLS or XLSB.
"""

from __future__ import annotations

import itertools
import math
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import date, datetime, time, timedelta

from suppress.errors import BadFile
from suppress.files.columns import folded, is_header, means_address
from suppress.files.contacts import SAMPLE, ContactFile, Copy, Reading
from suppress.files.kinds import Kind, refuse_other_ending
from suppress.files.output import Output
from suppress.files.records import Record
from suppress.files.sheets import Cell, Lists, rows_of
from suppress.files.source import Source

_ODS = b"application/vnd.oasis.opendocument.spreadsheet"


class WorkbookFile(ContactFile):
    """One sheet of a workbook, open."""

    kind = Kind.WORKBOOK

    def __init__(self, source: Source, reading: Reading, *, need_addresses: bool) -> None:
        super().__init__(source)
        self._wanted = reading.sheet
        self._file = source.whole()
        self.ods = self._is_ods()
        self.endings = (".ods",) if self.ods else (".xlsx",)
        self.sheet, lists = rows_of(self._file, self.name, self._wanted)
        with ExitStack() as stack:
            stack.callback(lists.close)
            looked_at: list[list[list[Cell]]] = []
            while sum(map(len, looked_at)) < SAMPLE and (found := next(lists, None)):
                looked_at.append(found)
            self._first: tuple[list[list[list[Cell]]], Lists] | None = (looked_at, lists)
            """The first rows, and what gives the others: to begin anew is to take the sheet apart again."""
            self._understand(list(itertools.chain.from_iterable(looked_at))[:SAMPLE], reading, need_addresses)
            stack.pop_all()

    def _understand(self, sample: list[list[Cell]], reading: Reading, need_addresses: bool) -> None:
        """Find out from the first rows what all of them are."""
        rows = [[text_of(cell) for cell in row] for row in sample]
        filled = [index for index, row in enumerate(rows) if any(row)]
        if not filled:
            raise BadFile(f"{self.name} holds no rows", remedy="check that the export finished")
        first = self._title_end(rows, filled)
        headed = self._has_header(reading, rows[first])
        self._leading = first + headed
        self.header: tuple[Cell, ...] | None = tuple(sample[first]) if headed else None
        self._title = sample[:first]
        names = _trimmed(rows[first]) if headed else []
        body = [row for row in rows[self._leading :] if any(row)]
        self.width = max([len(names), *(len(_trimmed(row)) for row in body)])
        self.columns = self._columns(names, body, reading, need_addresses)

    def batches(self) -> Iterator[list[Record]]:
        """All rows after the header, blank ones too, in lists of some hundreds."""
        number = 0
        looked_at, lists = self._first or ([], rows_of(self._file, self.name, self._wanted)[1])
        self._first = None
        for found in itertools.chain(looked_at, lists):
            batch = [_record(each, row) for each, row in enumerate(found, start=number + 1)]
            skipped = max(0, min(self._leading - number, len(batch)))
            number += len(batch)
            if len(batch) > skipped:
                yield batch[skipped:]

    def copy(self, output: Output, more: Sequence[str] = ()) -> Copy:
        """A workbook with one sheet: what stands above the rows, then rows as they come."""
        refuse_other_ending(output.target, self.endings)
        if self.ods:
            from suppress.files.ods import OdsCopy

            copy: Copy = OdsCopy(output, self.sheet.name, self.width)
        else:
            from suppress.files.xlsx import XlsxCopy

            copy = XlsxCopy(output, self.sheet.name, self.width)
        copy.keep([_record(number, row) for number, row in enumerate(self._title, start=1)])
        if self.header is not None:
            title = _record(self._leading, list(self.header))
            copy.add(title, more)
        return copy

    def close(self) -> None:
        """Let go of the file, and of what is reading it."""
        if self._first is not None:
            self._first[1].close()
        super().close()

    def done(self) -> None:
        """A workbook does not say how much of it was read."""

    def misshapen(self, row: Record) -> None:
        """A row of a sheet is never out of shape."""

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What was assumed about the workbook, one sentence each."""
        said = self._about_columns()
        said.append(f"sheet “{self.sheet.name}”; {'header found' if self.header else 'no header'}")
        if self.sheet.others and self._wanted is None:
            names = ", ".join(f"“{name}”" for name in self.sheet.others)
            said.append(f"not read: {names}; name one with --sheet")
        if self.ods is False and not self._file_is_xlsx:
            said.append("results are written as XLSX")
        return tuple(said)

    def _is_ods(self) -> bool:
        """Whether it is ODS. Raises `BadFile` for archives that are no workbook."""
        self._file.seek(0)
        self._file_is_xlsx = False
        if self._file.read(2) != b"PK":
            return False  # XLS, or XLSX behind a password
        try:
            with zipfile.ZipFile(self._file) as archive:
                names = archive.namelist()
                if "mimetype" in names:
                    with archive.open("mimetype") as found:
                        if found.read(len(_ODS)) == _ODS:
                            return True
        # RuntimeError is how `zipfile` says that there is a password, or a compression that it does not know.
        except (zipfile.BadZipFile, OSError, ValueError, RuntimeError, EOFError) as bad:
            raise BadFile(
                f"{self.name} is damaged: what should be a workbook or an archive does not end as one",
                remedy="it was not copied whole; fetch it again",
            ) from bad
        self._file_is_xlsx = "xl/workbook.xml" in names
        if any(name.endswith(".iwa") for name in names):
            raise BadFile(
                f"{self.name} is a document of Apple's Numbers or its sisters",
                remedy="in Numbers: File, Export To, CSV or Excel; then give that file",
            )
        if not any(name.startswith("xl/") for name in names):
            raise BadFile(
                f"{self.name} is a zip archive, and no workbook", remedy="unpack it, and give a file from it"
            )
        return False

    def _title_end(self, rows: Sequence[Sequence[str]], filled: Sequence[int]) -> int:
        """The row that may be the header: one that names addresses, or the first with several cells.

        Reports have a title above the table.
        """
        for index in filled:
            if not is_header(rows[index]):
                break
            if any(map(means_address, rows[index])):
                return index
        counts = [sum(map(bool, rows[index])) for index in filled]
        usual = Counter(counts).most_common(1)[0][0]
        for index, count in zip(filled, counts, strict=True):
            if count > 1 or usual == 1 or not is_header(rows[index]):
                return index
        return filled[0]

    def _has_header(self, reading: Reading, title: Sequence[str]) -> bool:
        if reading.header is not None:
            return reading.header
        named = {folded(name) for name in reading.columns}
        return is_header(title) or any(folded(cell) in named for cell in title)


def text_of(cell: Cell) -> str:
    """A cell's value as a person would type it."""
    match cell:
        case str():
            return cell
        case bool():
            return "TRUE" if cell else "FALSE"
        case float() if math.isfinite(cell) and cell == int(cell) and abs(cell) < 1e15:
            return str(int(cell))
        case datetime() if cell.time() == time():
            return cell.date().isoformat()
        case datetime():
            return cell.isoformat(" ")
        case date() | time():
            return cell.isoformat()
        case timedelta() | float() | int():
            return str(cell)


def _record(number: int, row: list[Cell]) -> Record:
    texts = [text_of(cell) for cell in row]
    # A row of a sheet has no text of its own; one without a filled cell is blank, as an empty line is.
    return Record(number, "", texts, held=row) if any(texts) else Record(number, "\n", [], held=row)


def _trimmed(row: Sequence[str]) -> list[str]:
    """A row without the empty cells at its end."""
    end = len(row)
    while end and not row[end - 1]:
        end -= 1
    return list(row[:end])

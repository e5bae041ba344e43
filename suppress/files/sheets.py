"""The cells of a workbook, read by a process of their own.

A workbook says how large its sheets are, and libraries believe it: two cells at opposite corners of a file of
5 kB ask for half a terabyte of memory, and the process that asks is ended by the system. So that process is
another one, with an upper limit, and its end is told as what it is: a workbook that cannot be read.

The other process is this module. It gets the workbook as its standard input, and writes pickled values to its
standard output: first a word and what belongs to it, then lists of rows.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO, cast

from suppress.errors import BadFile, BadUsage, ExtraMissing
from suppress.files.breaks import with_breaks

if TYPE_CHECKING:
    from python_calamine import CalamineSheet

Cell = int | float | str | bool | time | date | datetime | timedelta
"""What a cell may hold. An empty one holds an empty text."""

Lists = Generator[list[list[Cell]], None, None]
"""Rows of a sheet, in lists of some hundreds."""

MEMORY = 4 << 30
"""Bytes that the other process may ask for; a sheet of a million rows and ten columns takes half of it."""

_LOOKED_AT = 200
"""Rows of a sheet in which an address is looked for."""
_ROWS = 500
"""Rows in a list."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """The sheet that is read."""

    name: str
    others: tuple[str, ...]
    """The names of the sheets that are not."""


_REFUSALS = {
    "password": ("is locked with a password", "save it without one"),
    "damaged": ("is damaged, or no workbook", "open it in the spreadsheet program and save it again"),
    "empty": ("holds no rows", "check that the export finished"),
}


def rows_of(stream: BinaryIO, name: str, wanted: str | None, memory: int = MEMORY) -> tuple[Sheet, Lists]:
    """A sheet of the workbook in `stream`, and its rows, from the first one on, in lists of some hundreds.

    `wanted` is its name, or its number from 1; without it, the first one to be seen that holds an address.

    Raises:
        BadFile: The workbook cannot be read.
        BadUsage: It has no such sheet.
        ExtraMissing: Workbooks cannot be read here.
    """
    frames = _frames(stream, name, wanted, memory)
    match next(frames):
        case ("sheet", str() as found, list() as others):
            return Sheet(found, tuple(others)), _lists(frames)
        case ("sheets", list() as names):
            shown = ", ".join(f"“{each}”" for each in names)
            raise BadUsage(f"there is no sheet {wanted!r}", remedy=f"{name} has {shown}")
        case ("missing",):
            raise ExtraMissing(
                "workbooks need the extra “excel”", remedy="pip install 'suppress-ledger[excel]'"
            )
        case refusal:
            (word,) = cast("tuple[str]", refusal)
            what, remedy = _REFUSALS[word]
            raise BadFile(f"{name} {what}", remedy=remedy)


def _lists(frames: Generator[object, None, None]) -> Lists:
    yield from cast("Lists", frames)


def _frames(stream: BinaryIO, name: str, wanted: str | None, memory: int) -> Generator[object, None, None]:
    """What the other process writes. It is ended when nobody reads any more."""
    # -P: a folder called “suppress” where the person stands is not taken for this package.
    command = [sys.executable, "-P", "-m", __name__, str(memory), wanted or ""]
    with subprocess.Popen(  # noqa: S603 - the command is this module
        command, stdin=stream, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        try:
            while True:
                try:
                    yield pickle.load(process.stdout)  # noqa: S301 - from this module
                except (EOFError, pickle.UnpicklingError):
                    break
        finally:
            process.stdout.close()
            process.kill() if sys.exc_info()[0] is GeneratorExit else process.wait()
    if process.returncode:
        raise BadFile(
            f"{name} cannot be read: its sheets ask for more than {memory >> 30} GiB of memory, or break "
            "the library that reads workbooks",
            remedy="delete what stands far below or beside the list, or save the sheet as CSV",
        )


# --- The other process -----------------------------------------------------------------------------------


def main() -> None:
    """Write the rows of the workbook on standard input to standard output."""
    import resource

    memory, wanted = int(sys.argv[1]), sys.argv[2]
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    for frame in _read(sys.stdin.buffer, wanted):
        pickle.dump(frame, sys.stdout.buffer, pickle.HIGHEST_PROTOCOL)
    sys.stdout.buffer.flush()


def _read(stream: BinaryIO, wanted: str) -> Iterator[object]:
    try:
        import python_calamine as calamine
    except ImportError:
        yield ("missing",)
        return
    try:
        book = calamine.CalamineWorkbook.from_filelike(with_breaks(stream))
        kept = [each for each in book.sheets_metadata if each.typ is calamine.SheetTypeEnum.WorkSheet]
        names = [each.name for each in kept]
        seen = [each.name for each in kept if each.visible is calamine.SheetVisibleEnum.Visible]
        order = [*seen, *(each for each in names if each not in seen)]
        if wanted:
            order = _named(wanted, names)
        if wanted and not order:
            yield "sheets", names
            return
        sheet = _chosen(book.get_sheet_by_name(each) for each in order)
        if sheet is None:
            yield ("empty",)
            return
        yield "sheet", sheet.name, [each for each in names if each != sheet.name]
        yield from _in_lists(sheet.iter_rows())
    except calamine.PasswordError:
        yield ("password",)
    except calamine.CalamineError:
        yield ("damaged",)


def _named(wanted: str, names: list[str]) -> list[str]:
    """The sheet of that name, else of that number."""
    same = [each for each in names if each.casefold() == wanted.casefold()]
    if not same and wanted.isdecimal() and 1 <= int(wanted) <= len(names):
        same = [names[int(wanted) - 1]]
    return same[:1]


def _chosen(sheets: Iterator[CalamineSheet]) -> CalamineSheet | None:
    """The first sheet that holds an address: it is the list, and not what somebody wrote about it."""
    first = None
    for sheet in sheets:
        if sheet.start is None:
            continue
        looked_at = islice(sheet.iter_rows(), _LOOKED_AT)
        if any(isinstance(cell, str) and "@" in cell for row in looked_at for cell in row):
            return sheet
        first = sheet if first is None else first
    return first


def _in_lists(rows: Iterator[list[Cell]]) -> Iterator[list[list[Cell]]]:
    found: list[list[Cell]] = []
    for row in rows:
        found.append(row)
        if len(found) == _ROWS:
            yield found
            found = []
    if found:
        yield found


if __name__ == "__main__":
    main()

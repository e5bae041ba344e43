"""A contact file cut into rows, in constant memory, with nothing of its text lost.

Rules kept here:

* The texts of all rows, joined, are the text of the file: a row keeps its line end, its quotes and its
  spaces, and an empty line is a row without cells.
* Line ends are line feed, carriage return and both, also mixed; inside quotes they belong to the cell.
* A quote that is never closed would swallow every row behind it, unread. So a file is refused when a
  quoted cell reaches the end of the file, grows past `LIMIT`, or closes on a later line and then goes on.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from suppress.errors import BadFile
from suppress.files.dialect import Cutting, Dialect

LIMIT = 8 << 20
"""Characters in one row. The longest real ones measured are notes of some 100 kB."""
LINES = 20_000
"""Physical lines in one row: a lost quote in a long list is found after these."""


class Record(NamedTuple):
    """One row: the number of its first physical line, its text with its line end, and its cells."""

    line: int
    text: str
    cells: Sequence[str]
    spanning: int | None = None
    """The index of the first cell with a line break in it, which may be a sign of a lost quote."""
    held: object = None
    """What other formats need to write the row again; in CSV, whether text stands behind a closing quote."""

    @property
    def blank(self) -> bool:
        """Whether nothing but white space stands on the line, and no delimiter."""
        return len(self.cells) < 2 and self.text.isspace()


def lines(blocks: Iterable[str], name: str, limit: int = LIMIT, before: int = 0) -> Iterator[list[str]]:
    """The physical lines of a text that comes in blocks, with their ends, a block's worth at a time.

    `before` lines stand ahead of the text in its file.

    Raises:
        BadFile: A line is longer than `limit`; it is not read to its end.
    """
    rest = ""
    count = before
    for block in blocks:
        # `newline=""` splits at \n, \r and \r\n, and only there; str.splitlines knows eight more ends.
        found = io.StringIO(rest + block, newline="").readlines()
        # A carriage return at the end of a block may be half of \r\n.
        rest = found.pop() if not found[-1].endswith("\n") else ""
        if len(rest) > limit:
            line = count + len(found) + 1
            raise BadFile(
                f"{name}, line {line}: longer than {limit >> 20} MiB, so this is no row of a contact file",
                line=line,
                remedy="check the line ends, and --encoding if the file is not plain text",
            )
        count += len(found)
        if found:
            yield found
    if rest:
        yield [rest]


def records(
    blocks: Iterable[str], dialect: Dialect, name: str, limit: int = LIMIT, before: int = 0
) -> Iterator[list[Record]]:
    """The rows of a text that comes in blocks, in lists of a block's worth.

    The text starts at the start of a row, `before` physical lines into its file.

    Raises:
        BadFile: A quote is not closed (with the line on which it opened), or a row is too long.
    """
    delimiter = dialect.delimiter
    number = before
    cutting: Cutting | None = None
    pieces: list[str] = []
    length = 0
    for batch in lines(blocks, name, limit, before):
        found = []
        for line in batch:
            number += 1
            if cutting is None:
                if '"' not in line:
                    body = line.rstrip("\r\n")
                    cells = body.split(delimiter) if delimiter and body else [body] if body else []
                    found.append(Record(number, line, cells))
                    continue
                cutting, pieces, length = Cutting(delimiter, []), [], 0
            pieces.append(line)
            length += len(line)
            if cutting.feed(line, number):
                found.append(_joined(cutting, pieces, number, name))
                cutting = None
            elif length > limit:
                raise _unclosed(cutting, name, f"within {limit >> 20} MiB")
            elif len(pieces) >= LINES:
                raise _unclosed(cutting, name, f"within {LINES:,} lines")
        if found:
            yield found
    if cutting is not None:
        raise _unclosed(cutting, name, "before the file ends")


def _joined(cutting: Cutting, pieces: list[str], last: int, name: str) -> Record:
    if cutting.spanning is not None and cutting.ragged is not None:
        line = cutting.ragged
        raise BadFile(
            f"{name}, line {line}: text stands between a closing quote and the next delimiter, in a row that "
            f"runs to line {last}; a quote is missing or should be doubled",
            line=line,
            remedy=f"look at line {line} in a text editor, or export the file again",
        )
    first = last - len(pieces) + 1
    return Record(first, "".join(pieces), cutting.cells, cutting.spanning, cutting.trailing or None)


def _unclosed(cutting: Cutting, name: str, where: str) -> BadFile:
    return BadFile(
        f"{name}, line {cutting.opened}: a quote opens here and is not closed {where}",
        line=cutting.opened,
        remedy=f"look at line {cutting.opened} in a text editor, or export the file again",
    )

"""How a row is made of cells: the delimiter, the quotes, and cells written in the same manner.

Rules kept here:

* The quote is `"`, doubled inside quotes, and opens a cell only as its first character. Elsewhere it is an
  ordinary character. Python's `csv` module reads the same way, and tests hold the two equal.
* The delimiter is one of comma, semicolon, tab and bar, unless it is named. It is chosen by what the first
  rows look like when cut: addresses that stand alone in a cell, then rows of equal length.
* If none of the four cuts, any other mark may, where it cuts nearly all rows alike and an address free in
  most: spreadsheet programs write whatever they are told to (`^`, `~`, a control character).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from unicodedata import category

from suppress.errors import BadUsage

CANDIDATES = (",", ";", "\t", "|")
_NO_DELIMITERS = frozenset("@.-_+'\" \0:<>()[]?")
"""Marks in addresses, and those that stand around one, as in `Pat (p@x.com)`, `mailto:p@x.com`: it is found
all the same, and a list of one column stays one."""
_ALIKE, _FREE = 0.9, 0.5
"""Shares of rows that an unusual delimiter cuts alike, and in which it cuts an address free."""

_REST = re.compile(r'[^"]*+(?:""[^"]*+)*+"')
"""From inside a quoted cell to its closing quote."""

_LONE_ADDRESS = re.compile(r"""\s*[^\s@,;|<>"]+@[^\s@,;|<>"]+\s*""")
_PLAIN_ADDRESS = re.compile(r"\s*[\w.+'-]+@[\w.-]+\s*")

_TO_QUOTE = re.compile(r'["\r\n]')
"""Without one of these, and without a delimiter, a cell needs no quotes."""

_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}


@dataclass(slots=True)
class Cutting:
    """A row that is being cut into cells, one physical line after another."""

    delimiter: str
    cells: list[str]
    held: list[str] | None = None
    """Pieces of a quoted cell that is still open."""
    opened: int = 0
    """The line on which that cell's quote opened."""
    ragged: int | None = None
    """The line of a quoted cell that goes on after its closing quote: `"abc"def`."""
    spanning: int | None = None
    """The index of the first cell that holds a line break."""
    trailing: bool = False
    """Whether more than spaces stands behind a closing quote."""

    def feed(self, line: str, number: int) -> bool:
        """Cut one more line; whether the row is complete."""
        position = 0
        while True:
            if self.held is None:
                if not line.startswith('"', position):
                    position = self._plain(line, position)
                    if position < 0:
                        return True
                    continue
                self.held, self.opened = [], number
                position += 1
            rest = _REST.match(line, position)
            if rest is None:
                self.held.append(line[position:])
                return False
            self.held.append(line[position : rest.end() - 1])
            position = self._closed(line, rest.end(), number)
            if position < 0:
                return True

    def _plain(self, line: str, position: int) -> int:
        """Take a cell without quotes; where the next one starts, or -1 at the end of the row."""
        end = line.find(self.delimiter, position) if self.delimiter else -1
        if end < 0:
            self.cells.append(line[position:].rstrip("\r\n"))
            return -1
        self.cells.append(line[position:end])
        return end + len(self.delimiter)

    def _closed(self, line: str, position: int, number: int) -> int:
        """Finish a quoted cell, with whatever stands between its closing quote and the delimiter."""
        assert self.held is not None
        quoted, self.held = "".join(self.held).replace('""', '"'), None
        if number > self.opened and self.spanning is None:
            self.spanning = len(self.cells)
        index = len(self.cells)
        position = self._plain(line, position)
        if self.cells[index]:
            self.ragged = self.ragged or self.opened
            self.trailing = self.trailing or not self.cells[index].isspace()
        self.cells[index] = quoted + self.cells[index]
        return position


@dataclass(frozen=True, slots=True)
class Dialect:
    """How this file separates cells. An empty delimiter means that a row is one cell."""

    delimiter: str

    @classmethod
    def named(cls, text: str) -> Dialect:
        """The dialect the user asked for. Raises `BadUsage` for what cannot separate cells."""
        words = {name: delimiter for delimiter, name in _NAMES.items()} | {"\\t": "\t", "pipe": "|"}
        delimiter = words.get(text.lower(), text)
        if len(delimiter) != 1 or delimiter.isalnum() or delimiter in '"\r\n@.':
            raise BadUsage(
                f"--delimiter {text!r} cannot separate cells",
                remedy="one character, or: comma, semicolon, tab, bar",
            )
        return cls(delimiter)

    @classmethod
    def guessed(cls, sample: Sequence[str]) -> Dialect:
        """The delimiter that cuts `sample`, the first physical lines of a file, into the best table."""
        best = max(CANDIDATES, key=lambda each: _score(each, sample))
        return cls(best if _score(best, sample)[-1] > 1 else _unusual(sample))

    @property
    def name(self) -> str:
        """The delimiter in a word."""
        return _NAMES.get(self.delimiter, self.delimiter) if self.delimiter else "none, one column"

    def extended(self, row: str, cells: Sequence[str], width: int, more: Sequence[str], end: str) -> str:
        """A row with `more` cells after column `width`: its own text, then the new cells, quoted as needed.

        A row that is too short is filled up, so that the new cells stand under their own headings. `end`
        is the line end for a last row that has none.
        """
        body = row.rstrip("\r\n")
        own_end = row[len(body) :] or end
        joint = self.delimiter or ","
        if not self.delimiter:
            body = self.quoted("".join(cells))
        filler = joint * max(0, width - len(cells))
        added = joint.join(more)
        if added.count(joint) >= len(more) or _TO_QUOTE.search(added):
            added = joint.join(map(self.quoted, more))
        return f"{body}{filler}{joint}{added}{own_end}"

    def quoted(self, cell: str) -> str:
        """One cell as this dialect writes it."""
        joint = self.delimiter or ","
        if cell.startswith('"') or joint in cell or "\n" in cell or "\r" in cell:
            return '"' + cell.replace('"', '""') + '"'
        return cell


def _score(delimiter: str, sample: Sequence[str]) -> tuple[float, float, int]:
    """How well a delimiter cuts: share of rows with a lone address, of rows of the usual length, that length.

    The usual length and not the first row's: some exports start with a title.
    """
    rows = _rows(delimiter, sample)
    usual, alike = Counter(map(len, rows)).most_common(1)[0] if rows else (1, 0)
    if usual == 1:
        # A short report with a long footer: its header and a row with an address are alike all the same.
        usual = len(rows[0]) if rows else 1
        alike = sum(len(row) == usual for row in rows)
        if usual == 1 or not any(len(row) == usual and _holds_lone(row) for row in rows[1:]):
            return 0.0, 0.0, 1
    lone = sum(map(_holds_lone, rows))
    return round(lone / len(rows), 2), round(alike / len(rows), 2), usual


def _unusual(sample: Sequence[str]) -> str:
    """Any other mark that cuts the sample into a table; empty if none does."""
    marks = Counter(mark for line in sample for mark in set(line.rstrip("\r\n")))
    found, widest = "", 1
    for mark, lines in marks.items():
        part_of_text = category(mark)[0] in "LMN" or category(mark) == "Cs"
        if lines < _FREE * len(sample) or part_of_text or mark in _NO_DELIMITERS or mark in CANDIDATES:
            continue
        if mark == "/" and any("//" in line for line in sample):
            continue  # links
        rows = _rows(mark, sample)
        usual, alike = Counter(map(len, rows)).most_common(1)[0] if rows else (1, 0)
        free = sum(any(map(_PLAIN_ADDRESS.fullmatch, row)) for row in rows if len(row) == usual)
        if usual > widest and alike >= _ALIKE * len(rows) and free >= _FREE * len(rows):
            found, widest = mark, usual
    return found


def _holds_lone(row: Sequence[str]) -> bool:
    return any(map(_LONE_ADDRESS.fullmatch, row))


def _rows(delimiter: str, sample: Sequence[str]) -> list[list[str]]:
    rows = []
    cutting: Cutting | None = None
    for number, line in enumerate(sample, start=1):
        if cutting is None:
            cutting = Cutting(delimiter, [])
        if cutting.feed(line, number):
            if cutting.cells != [""]:
                rows.append(cutting.cells)
            cutting = None
    return rows

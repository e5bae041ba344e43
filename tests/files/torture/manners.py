"""The same three people, as programs of every manner write them."""

from __future__ import annotations

import itertools

from tests.files.torture.case import Case

ROWS = (
    ("1", "Pat@Example.com", "Zoë, P"),
    ("2", "new@example.com", 'N "the" O'),
    ("3", "q.uit@gmail.com", "Q"),
)
"""One who is suppressed, one who is not, and one who reaches a suppressed mailbox."""


def _written(delimiter: str, end: str, encoding: str, quotes: str, header: bool) -> bytes:
    rows = [("Id", "E-mail", "Name")] * header + list(ROWS)
    lines = [delimiter.join(_cell(cell, delimiter, quotes) for cell in row) for row in rows]
    return "".join(line + end for line in lines).encode(encoding)


def _cell(cell: str, delimiter: str, quotes: str) -> str:
    if quotes == "all" or delimiter in cell or cell.startswith('"'):
        return '"' + cell.replace('"', '""') + '"'
    return cell


MANNERS = [
    Case(
        f"manner: {name}, {end!r}, {encoding}, {quotes} quoted, {'header' if header else 'no header'}",
        _written(delimiter, end, encoding, quotes, header),
        "WKR",
    )
    for (name, delimiter), end, encoding, quotes, header in itertools.product(
        {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}.items(),
        ("\n", "\r\n"),
        ("utf-8", "utf-8-sig", "utf-16", "cp1252"),
        ("none", "all"),
        (True, False),
    )
]

MANNERS += [
    Case(
        f"manner: {name} between cells, {quotes} quoted, {'header' if header else 'no header'}",
        _written(delimiter, "\n", "utf-8", quotes, header),
        "WKR",
    )
    for (name, delimiter), quotes, header in itertools.product(
        {
            **{each: each for each in "^~#*!&%=$\\`{¦§•→"},
            "unit separator": "\x1f",
            "start of heading": "\x01",
            "device control four": "\x14",
            "slash": "/",
        }.items(),
        ("none", "all"),
        (True, False),
    )
]

"""Statements in Salesforce's query language, with other people's addresses in them.

Rules kept here:

* Whatever an address holds, it stays inside its quotes: `'` and `\\` are escaped, and so is what ends a line
  (SOQL reference, "Quoted string escape sequences"). `o'brien@example.com` is a real address.
* A statement travels in a URL, so it is as long as its percent-encoded form, never longer than allowed.
* An address that no field can hold is not asked for: an e-mail field takes 80 characters, a literal 4,000.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import quote

LONGEST_LITERAL = 4_000
"""Characters of one string in SOQL."""
_ESCAPES = str.maketrans(
    {
        "\\": "\\\\",
        "'": "\\'",
        '"': '\\"',
        "\n": "\\n",
        "\r": "\\r",
        "\t": "\\t",
        "\b": "\\b",
        "\f": "\\f",
    }
)


def literal(text: str) -> str:
    """`text` as a string of SOQL, quotes included."""
    return f"'{text.translate(_ESCAPES)}'"


def encoded(statement: str) -> str:
    """A statement as it goes into a URL."""
    return quote(statement, safe="")


def select(columns: Sequence[str], table: str, where: str) -> str:
    """A whole statement."""
    return f"SELECT {','.join(columns)} FROM {table} WHERE {where}"  # noqa: S608 (values are `literal`s)


def among(field: str, values: Iterable[str]) -> str:
    """The condition that a field has one of these values. Salesforce ignores case in e-mail fields."""
    return f"{field} IN ({','.join(map(literal, values))})"


def chunks(values: Iterable[str], *, most: int, room: int) -> Iterator[tuple[str, ...]]:
    """The values in groups of at most `most`, whose encoded literals take at most `room` bytes.

    A value that alone is longer is left out: no field holds it.
    """
    chunk: list[str] = []
    used = 0
    for value in values:
        length = len(encoded(f"{literal(value)},"))
        if length > room or len(value) > LONGEST_LITERAL:
            continue
        if chunk and (len(chunk) >= most or used + length > room):
            yield tuple(chunk)
            chunk, used = [], 0
        chunk.append(value)
        used += length
    if chunk:
        yield tuple(chunk)

"""Blocks cut by bits: the same places, windows and cells as one byte at a time gives."""

from __future__ import annotations

import csv

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from suppress.check.hashing import PAD, Folding, words
from suppress.check.marks import WINDOW, Bits, Lines, kinds_of_bytes
from suppress.check.plain import LONGEST, column

FOLDING = Folding(b"a secret")
KINDS = kinds_of_bytes(b",")


@given(st.lists(st.booleans(), min_size=1, max_size=300))
def test_bits_say_the_same_as_bytes(holds: list[bool]) -> None:
    """Where something holds, how often before a place, and in the window behind one."""
    bits = Bits(np.array(holds))
    places = np.arange(len(holds))
    padded = [*holds, *([False] * WINDOW)]

    assert [at for at, each in enumerate(holds) if each] == bits.places().tolist()
    assert [sum(holds[:at]) for at in places] == bits.before(places).tolist()
    for at, found in enumerate(bits.window(places).tolist()):
        assert padded[at : at + WINDOW] == [bool(found >> place & 1) for place in range(WINDOW)]


_CELL = st.one_of(
    st.sampled_from(
        ("", " ", "pat@example.com", " Pat@Example.com ", "a.b@c", "a..b@c.de", "a@b-.de", "a_b@c_d.de")
    ),
    st.text('aB1.-_+@ ,"', max_size=12),
    st.text("ab.", min_size=40, max_size=60).map(lambda text: f"{text}@example.com"),
)


@settings(max_examples=200)
@given(
    rows=st.lists(st.tuples(_CELL, _CELL, _CELL), min_size=1, max_size=8), end=st.sampled_from(("\n", "\r\n"))
)
def test_cells_are_what_a_csv_reader_finds(rows: list[tuple[str, str, str]], end: str) -> None:
    """In every column of regular lines: which are empty, and the very text of those that are plain."""
    content = "".join(",".join(map(_quoted, row)) + end for row in rows).encode()
    lines = Lines(content, KINDS, 3)

    assert lines.regular.all()
    assert [3] * len(rows) == lines.counts.tolist()
    assert rows == [tuple(row) for row in csv.reader(content.decode().splitlines())]
    for index in range(3):
        found = column(lines, np.arange(len(rows)), index, FOLDING)
        texts = [row[index] for row in rows]
        plain = dict(zip(found.places.tolist(), found.cells.texts(), strict=True))
        assert [not text.strip(" ") for text in texts] == found.empty.tolist()
        assert plain == {at: texts[at].strip(" ") for at in plain}
        assert all(
            at in plain for at, text in enumerate(texts) if text.strip(" ").lower() == "pat@example.com"
        )
        assert all(len(text) <= LONGEST and text.count("@") == 1 for text in plain.values())


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if '"' in cell or "," in cell or len(cell) % 3 == 0 else cell


@given(st.lists(st.text("aB1", min_size=1, max_size=40).map(str.encode), min_size=1, max_size=8))
def test_texts_in_words_have_the_hash_of_texts_in_a_buffer(texts: list[bytes]) -> None:
    """Else an alias would be looked for under another hash than the one that is held."""
    lengths = np.array(list(map(len, texts)))
    view = words(b"".join(texts) + PAD)
    starts = np.cumsum(lengths) - lengths
    taken = [view[starts + at] for at in range(0, int(lengths.max()), 8)]

    assert FOLDING.of(texts).tolist() == FOLDING.of_words(taken, lengths).tolist()

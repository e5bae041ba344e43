"""Contact files as they come: generated dirt, with the naive answer beside it."""

from __future__ import annotations

import csv
import io
import itertools

from hypothesis import strategies as st

DELIMITERS = (",", ";", "\t", "|")
ENDS = ("\n", "\r\n", "\r")

dirty_text = st.text(alphabet='a@.,;\t|" \n\r\x0b\x85\u2028\0é', max_size=60)
"""Anything at all: quotes that close and quotes that do not, every line end, line ends that are none."""

cell = st.text(alphabet='a@.,;\t| "\n\ré', max_size=8)


@st.composite
def written(draw: st.DrawFn) -> tuple[str, list[list[str]], str]:
    """A file that `csv` wrote, the rows it wrote, and the delimiter."""
    delimiter = draw(st.sampled_from(DELIMITERS))
    rows = draw(st.lists(st.lists(cell, min_size=2, max_size=4), max_size=8))
    out = io.StringIO(newline="")
    for row in rows:
        end = draw(st.sampled_from(ENDS))
        # Python 3.11 leaves a cell bare that holds a line break other than the terminator.
        breaks = any("\n" in each or "\r" in each for each in row)
        every = breaks or draw(st.booleans())
        csv.writer(
            out,
            delimiter=delimiter,
            lineterminator=end,
            quoting=csv.QUOTE_ALL if every else csv.QUOTE_MINIMAL,
        ).writerow(row)
    text = out.getvalue()
    if draw(st.booleans()):
        text = text.removesuffix("\n").removesuffix("\r")
    return text, rows, delimiter


@st.composite
def in_blocks(draw: st.DrawFn, text: str) -> list[str]:
    """The same text, cut into blocks anywhere."""
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=4)))
    edges = [0, *cuts, len(text)]
    return [text[start:end] for start, end in itertools.pairwise(edges) if start < end]

"""Contact files as they come: generated dirt, with the naive answer beside it."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Callable

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


_WRITINGS: tuple[Callable[[str], str], ...] = (
    str,
    str,
    lambda text: '"' + text.replace('"', '""') + '"',
    lambda text: f'"{text}"',
    lambda text: f'"{text}',
    lambda text: f'{text}"',
    lambda text: f' "{text}" ',
    lambda text: f" {text}  ",
)


@st.composite
def dirty_files(draw: st.DrawFn, someone: st.SearchStrategy[str]) -> bytes:
    """A contact file as no program should write one, with `someone` in its address cells.

    Most rows are as they should be. Others lack a cell or have one too many, have quotes that do not close
    or that stand inside, line ends of another system, empty lines, NUL bytes, or run over several lines.
    """
    names = draw(
        st.sampled_from([["Email"], ["Email", "Name"], ["Name", "Email"], ["Email", "Town", "Email 2"]])
    )
    delimiter = draw(st.sampled_from(DELIMITERS))
    usual = draw(st.sampled_from(["\n", "\n", "\r\n"]))
    filler = st.text(alphabet='aé.," \n\r\0-@', max_size=5)
    lines = [delimiter.join(names) + usual]
    for _ in range(draw(st.integers(0, 12))):
        cells = [draw(someone) if "Email" in name else draw(filler) for name in names]
        if draw(st.integers(0, 4)):
            cells = [cell.replace("\n", " ").replace("\r", " ").replace("\0", "") for cell in cells]
            written = [
                '"' + each.replace('"', '""') + '"' if delimiter in each or '"' in each else each
                for each in cells
            ]
            lines.append(delimiter.join(written) + usual)
            continue
        cells = [*cells, draw(filler)][: draw(st.integers(1, len(cells) + 1))]
        written = [draw(st.sampled_from(_WRITINGS))(each) for each in cells]
        lines.append(
            delimiter.join(written) + draw(st.sampled_from(["\n", "\r\n", "\r", "\n\n", "\r\r\n", " \n", ""]))
        )
    return "".join(lines).encode("utf-8", "replace")

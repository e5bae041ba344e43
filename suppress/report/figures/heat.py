"""A field of shares, one row a system and one column a week; every cell says its number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from suppress.report.figures.canvas import WIDTH, Canvas, Figure

_LEFT, _TOP, _ROW, _BOTTOM, _RIGHT = 150, 12, 26, 44, 8
_NAME = 22
_SHADES = (100, 90, 50, 1, 0)
"""The least share of each shade, in per cent; only what is whole has the fullest."""


def draw(
    id_: str,
    title: str,
    description: str,
    rows: Sequence[str],
    columns: Sequence[str],
    shares: Mapping[tuple[str, str], int],
    legend: str,
) -> Figure:
    """Cells without a share stay empty."""
    base = _TOP + _ROW * len(rows)
    canvas = Canvas(id_, title, description, base + _BOTTOM)
    wide = (WIDTH - _RIGHT - _LEFT) / len(columns)
    every = max(1, -(-len(columns) // 10))
    for place, row in enumerate(rows):
        y = _TOP + _ROW * place
        canvas.text(
            _LEFT - 10, y + _ROW / 2 + 4, row if len(row) <= _NAME else f"{row[: _NAME - 1]}…", "tick"
        )
        for at, column in enumerate(columns):
            share = shares.get((row, column))
            if share is not None:
                shade = next(number for number, least in enumerate(_SHADES) if share >= least)
                canvas.rect(_LEFT + wide * at + 1, y + 1, wide - 2, _ROW - 2, f"shade-{shade}")
                canvas.text(_LEFT + wide * (at + 0.5), y + _ROW / 2 + 4, str(share), f"value on-{shade}")
    for at, column in enumerate(columns):
        if at % every == 0:
            canvas.text(_LEFT + wide * (at + 0.5), base + 16, column, "name")
    canvas.text(_LEFT, base + 36, legend, "legend")
    return canvas.figure()

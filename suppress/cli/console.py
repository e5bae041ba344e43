"""The only place that prints: results to stdout, everything else to stderr.

Rules kept here:

* With `--json`, exactly one object goes to stdout and its first key is `"schema"`.
* Rich is used on a terminal only; in a pipe tables are plain text, never cut to a width. Values from
  outside are never read as markup: `user[b]x@example.com` prints as it is (Rich would eat the `[b]`).
* Control characters in values from outside are shown escaped, so that hostile text cannot move a cursor.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from suppress.errors import BadUsage

if TYPE_CHECKING:
    from rich.console import Console

Cell = str | int | None
Advance = Callable[[int, int | None], None]
"""Called with (done, total or None) as long work goes on."""


@dataclass(frozen=True, slots=True)
class Appearance:
    """What the root options decided about output."""

    quiet: bool = False
    color: bool = True


def emit(
    command: str, facts: Mapping[str, object], *, as_json: bool, human: Callable[[Screen], None]
) -> None:
    """Print a command's result: one JSON object, or what `human` draws."""
    if as_json:
        text = json.dumps({"schema": f"suppress/{command}@1", **facts}, ensure_ascii=False, default=_text)
        # Bytes of the command line that are no UTF-8 arrive as lone surrogates; JSON can escape them.
        sys.stdout.write(text.encode(errors="backslashreplace").decode() + "\n")
    else:
        human(Screen(sys.stdout))
    sys.stdout.flush()


class Screen:
    """Draws for a person: Rich on a terminal, plain text in a pipe."""

    def __init__(self, stream: TextIO, *, color: bool = True) -> None:
        self._stream = stream
        self._rich = _console(stream, color=color) if stream.isatty() else None

    def line(self, text: str = "", *, style: str | None = None) -> None:
        """One line of text; `style` is Rich's (`bold`, `red`, `green`) and is dropped in a pipe."""
        shown = printable(text)
        if self._rich is None:
            self._stream.write(shown + "\n")
        else:
            self._rich.print(shown, style=style, markup=False, emoji=False, highlight=False, soft_wrap=True)

    def heading(self, text: str) -> None:
        """A line that starts a part."""
        self.line(text, style="bold")

    def fields(self, pairs: Sequence[tuple[str, Cell]]) -> None:
        """Names and values, aligned; a name without a value is left out."""
        told = [(name, value) for name, value in pairs if value is not None]
        width = max((len(name) for name, _ in told), default=0)
        for name, value in told:
            self.line(f"{name.ljust(width)}  {_cell(value)}")

    def table(
        self, columns: Sequence[str], rows: Sequence[Sequence[Cell]], *, title: str | None = None
    ) -> None:
        """A table; numbers are right-aligned. Never cut in a pipe."""
        if self._rich is None:
            self._plain_table(columns, rows, title)
            return
        from rich.table import Table
        from rich.text import Text

        table = Table(title=title, title_justify="left", title_style="bold")
        for index, column in enumerate(columns):
            table.add_column(
                Text(column), justify="right" if _numeric(rows, index) else "left", overflow="fold"
            )
        for row in rows:
            table.add_row(*(Text(printable(_cell(value))) for value in row))
        self._rich.print(table)

    def _plain_table(self, columns: Sequence[str], rows: Sequence[Sequence[Cell]], title: str | None) -> None:
        if title is not None:
            self.line(title)
        cells = [[printable(_cell(value)) for value in row] for row in rows]
        widths = [max(len(line[index]) for line in [list(columns), *cells]) for index in range(len(columns))]
        right = [_numeric(rows, index) for index in range(len(columns))]
        for line in [list(columns), ["-" * width for width in widths], *cells]:
            padded = (
                text.rjust(width) if number else text.ljust(width)
                for text, width, number in zip(line, widths, right, strict=True)
            )
            self.line("  ".join(padded).rstrip())


def written(text: str) -> None:
    """Text for another program, as it is, on stdout."""
    sys.stdout.write(text.encode(errors="backslashreplace").decode())
    sys.stdout.flush()


def note(text: str, *, appearance: Appearance | None = None) -> None:
    """A message for a person that is not the result: what happens next, what was assumed."""
    if appearance is None or not appearance.quiet:
        sys.stderr.write(printable(text) + "\n")
        sys.stderr.flush()


def agreed(question: str, *, yes: bool) -> bool:
    """Whether the person at the terminal says yes; `yes` answers for them.

    Raises:
        BadUsage: There is no terminal to ask at.
    """
    if not yes:
        require_terminal("--yes")
    return yes or typed(f"{question} [y/N]").casefold() in ("y", "yes")


def require_terminal(answer: str) -> None:
    """Refuse to ask where nobody can answer; `answer` is the option that does. Raises `BadUsage`."""
    if not sys.stdin.isatty():
        raise BadUsage(
            "this cannot be undone, and there is no terminal to ask at", remedy=f"say so with {answer}"
        )


def typed(question: str) -> str:
    """One line that the person at the terminal types. The end of input is an empty line."""
    sys.stderr.write(printable(question) + " ")
    sys.stderr.flush()
    return sys.stdin.readline().strip()


@contextmanager
def progress(description: str, *, appearance: Appearance, unit: str = "rows") -> Iterator[Advance]:
    """A bar on stderr while long work runs; silent in a pipe or with `--quiet`."""
    if appearance.quiet or not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from rich.progress import (
        BarColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.completed:,} " + unit + ", {task.fields[rate]:,} a second,", markup=False),
        TimeElapsedColumn(),
        TextColumn("passed,", markup=False),
        TimeRemainingColumn(),
        TextColumn("left", markup=False),
    )
    with Progress(*columns, console=_console(sys.stderr, color=appearance.color), transient=True) as bar:
        task = bar.add_task(description, total=None, rate=0)

        def advance(done: int, total: int | None) -> None:
            seconds = bar.tasks[0].elapsed or 0
            bar.update(task, completed=done, total=total, rate=int(done / seconds) if seconds else 0)

        yield advance


def printable(text: str) -> str:
    """`text` with control characters and direction marks shown as escapes, so that it cannot act."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def _cell(value: Cell) -> str:
    match value:
        case None:
            return ""
        case int():
            return f"{value:,}"
        case str():
            return value


def _numeric(rows: Sequence[Sequence[Cell]], index: int) -> bool:
    return bool(rows) and all(isinstance(row[index], int) for row in rows)


def _text(value: object) -> str:
    from datetime import datetime

    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return str(value)


def _console(stream: TextIO, *, color: bool) -> Console:
    from rich.console import Console

    plain = not color or "NO_COLOR" in os.environ
    return Console(file=stream, no_color=plain, highlight=False, emoji=False, markup=False)

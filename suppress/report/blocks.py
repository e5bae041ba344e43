"""What a section of the report is made of, for every format that is read from top to bottom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from suppress.report.figures.canvas import Figure
from suppress.report.table import Table


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A few sentences."""

    kind: ClassVar[str] = "paragraph"
    text: str
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Heading:
    """The title of what follows inside a section."""

    kind: ClassVar[str] = "heading"
    text: str


@dataclass(frozen=True, slots=True)
class Points:
    """A list of sentences."""

    kind: ClassVar[str] = "points"
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """Something that a reader can do: what it proves, and the command as typed."""

    says: str
    command: str


@dataclass(frozen=True, slots=True)
class Steps:
    """Things to do, in order."""

    kind: ClassVar[str] = "steps"
    items: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Verbatim:
    """Text that must stand exactly as it is, such as a signed note."""

    kind: ClassVar[str] = "verbatim"
    text: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A table, and which of its columns a page has room for; the data formats hold all of them."""

    kind: ClassVar[str] = "table"
    table: Table
    columns: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A figure. The table that it draws follows."""

    kind: ClassVar[str] = "figure"
    figure: Figure


Block: TypeAlias = Paragraph | Heading | Points | Steps | Verbatim | Shown | Drawn


@dataclass(frozen=True, slots=True)
class Section:
    """One numbered part of the report."""

    id: str
    title: str
    blocks: tuple[Block, ...]

"""Where a report goes and in which format, by what was given.

Rules kept here:

* The format is what `--format` says, else what the name ends with; a name without an ending is a folder that
  holds every format.
* A name whose ending says nothing is refused: guessing would write a page where a program expects figures.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from suppress.errors import BadUsage

STDOUT = "-"


class Format(StrEnum):
    """How a report is rendered."""

    HTML = "html"
    PDF = "pdf"
    XLSX = "xlsx"
    JSON = "json"
    CSV = "csv"
    ALL = "all"


_DEFAULTS = {
    Format.HTML: "suppress-report.html",
    Format.PDF: "suppress-report.pdf",
    Format.XLSX: "suppress-report.xlsx",
    Format.JSON: "suppress-report.json",
    Format.CSV: "suppress-report-csv",
    Format.ALL: "suppress-report",
}
_ENDINGS = {f".{each.value}": each for each in Format if each is not Format.ALL} | {".htm": Format.HTML}


@dataclass(frozen=True, slots=True)
class Target:
    """Where a report goes, and how: `place` is a file, a folder, or `-` for standard output."""

    format: Format
    place: str

    @classmethod
    def chosen(cls, format_: Format | None, place: str | None) -> Target:
        """What the options mean together.

        Raises:
            BadUsage: A name whose ending says nothing and no format, or a folder on standard output.
        """
        if place is None:
            chosen = format_ or Format.HTML
            return cls(chosen, _DEFAULTS[chosen])
        if format_ is Format.ALL and place == STDOUT:
            raise BadUsage("a folder of every format cannot go to standard output", remedy="name one with -o")
        if format_ is not None:
            return cls(format_, place)
        if place == STDOUT:
            return cls(Format.HTML, place)
        ending = Path(place).suffix.lower()
        if place.endswith(os.sep) or not ending or Path(place).is_dir():
            return cls(Format.ALL, place)
        if ending not in _ENDINGS:
            raise BadUsage(
                f"{place} does not say which format it should be",
                remedy="end its name with .html, .pdf, .xlsx, .json or .csv, or add --format",
            )
        return cls(_ENDINGS[ending], place)

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder of files, and not one file."""
        if self.format is Format.ALL:
            return True
        return self.format is Format.CSV and self.place != STDOUT and not self.place.lower().endswith(".csv")

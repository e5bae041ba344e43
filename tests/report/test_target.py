"""Where a report goes and in which format."""

from __future__ import annotations

from pathlib import Path

import pytest

from suppress.errors import BadUsage
from suppress.report.target import Format, Target


class TestTarget:
    """Where a report goes and in which format, by what was given."""

    @pytest.mark.parametrize(
        ("format_", "place", "expected"),
        [
            (None, None, Target(Format.HTML, "suppress-report.html")),
            (Format.JSON, None, Target(Format.JSON, "suppress-report.json")),
            (Format.CSV, None, Target(Format.CSV, "suppress-report-csv")),
            (Format.ALL, None, Target(Format.ALL, "suppress-report")),
            (None, "audit", Target(Format.ALL, "audit")),
            (None, "v1.2/", Target(Format.ALL, "v1.2/")),
            (Format.ALL, "v1.2", Target(Format.ALL, "v1.2")),
            (None, "a.xlsx", Target(Format.XLSX, "a.xlsx")),
            (None, "a.HTM", Target(Format.HTML, "a.HTM")),
            (None, "a.json", Target(Format.JSON, "a.json")),
            (None, "a.csv", Target(Format.CSV, "a.csv")),
            (None, "-", Target(Format.HTML, "-")),
            (Format.JSON, "a.html", Target(Format.JSON, "a.html")),
        ],
    )
    def test_the_option_decides_then_the_ending(
        self, format_: Format | None, place: str | None, expected: Target
    ) -> None:
        """And html when nothing is said."""
        assert Target.chosen(format_, place) == expected

    def test_an_ending_that_says_nothing_is_refused(self) -> None:
        """Guessing would write a page where a program expects figures."""
        with pytest.raises(BadUsage, match=r"audit\.txt does not say which format"):
            Target.chosen(None, "audit.txt")

    def test_a_folder_that_is_there_holds_every_format(self, tmp_path: Path) -> None:
        """Whatever its name ends with."""
        folder = tmp_path / "q3.2026"
        folder.mkdir()

        assert Target.chosen(None, str(folder)) == Target(Format.ALL, str(folder))

    def test_a_folder_does_not_go_to_standard_output(self) -> None:
        """Many files are no stream."""
        with pytest.raises(BadUsage, match="cannot go to standard output"):
            Target.chosen(Format.ALL, "-")

    @pytest.mark.parametrize(("place", "folder"), [("annexes", True), ("a.csv", False), ("-", False)])
    def test_csv_without_its_ending_is_a_folder(self, place: str, folder: bool) -> None:
        """One file for programs and pipes, a folder for people."""
        assert Target(Format.CSV, place).is_folder is folder
        assert not Target(Format.JSON, place).is_folder
        assert Target(Format.ALL, place).is_folder

"""CSV and its relatives: cells with a delimiter between them, a row a line, perhaps a header."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence

from suppress.errors import BadFile
from suppress.files.columns import folded, is_header
from suppress.files.contacts import Reading
from suppress.files.dialect import Dialect
from suppress.files.kinds import OF_CSV, Kind
from suppress.files.packing import Packing
from suppress.files.records import Record, lines, records
from suppress.files.source import Bytes, Source
from suppress.files.text import TextFile, first_of


class DelimitedFile(TextFile):
    """One CSV file, open."""

    kind = Kind.DELIMITED
    endings = (*OF_CSV, ".txt")

    def __init__(
        self,
        source: Source,
        stream: Bytes,
        packing: Packing | None,
        reading: Reading,
        *,
        need_addresses: bool,
    ) -> None:
        super().__init__(source, stream, packing, reading)
        sample = self._sample_lines()
        if not sample:
            raise BadFile(f"{self.name} holds no rows", remedy="check that the export finished")
        directive = _directive(sample)
        self.dialect = _dialect(reading, directive, sample)
        self.line_end = sample[0][len(sample[0].rstrip("\r\n")) :] or "\n"
        """How the first line ends; a last row without an end gets it when cells are added."""
        rows, leading = self._first_rows(skip=directive is not None)
        headed = self._has_header(reading, rows[0])
        self._leading = leading + headed
        """Rows, blank ones counted, that stand before the first one about a person."""
        self.header: Record | None = rows[0] if headed else None
        body = [row.cells for row in rows[headed:]]
        usual = Counter(map(len, body)).most_common(1)[0][0] if body else 0
        names = self.header.cells if self.header is not None else []
        if len(names) == 1 < usual:
            names = []  # a title above the table, as reports have it
        self.width = len(names) or usual
        """How many cells a row should have."""
        self.columns = self._columns(names, body, reading, need_addresses)

    def batches(self) -> Iterator[list[Record]]:
        """All rows after the header, blank lines too, in lists of some thousands."""
        leading = self._leading
        for batch in records(self._blocks(), self.dialect, self.name):
            skipped = min(leading, len(batch))
            leading -= skipped
            if len(batch) > skipped:
                yield batch[skipped:]

    def rest(self, offset: int, before: int) -> Iterator[list[Record]]:
        """The rows from the byte at `offset` on, where a row starts that has `before` lines ahead of it."""
        return records(self._blocks(offset), self.dialect, self.name, before=before)

    def preamble(self, more: Sequence[str] = ()) -> str:
        """The text before the first row: blank lines, a `sep=` line, and the header, with `more` columns."""
        rows = itertools.chain.from_iterable(records(self._blocks(), self.dialect, self.name))
        texts = [row.text for row in itertools.islice(rows, self._leading)]
        if self.header is not None and more:
            texts[-1] = self.extended(self.header, more)
        return "".join(texts)

    def misshapen(self, row: Record) -> str | None:
        """Why the cells of a row may not stand under their headings, in words; None if they do."""
        if (wrong := self._spoilt(row)) is not None:
            return wrong
        if len(row.cells) != self.width:
            return f"the row has {len(row.cells)} cells where {self.width} are usual"
        if row.spanning is not None:
            return f"column {self.columns.label(row.spanning)} runs over several lines"
        if row.held is not None:
            return "text stands between a closing quote and the next delimiter"
        return None

    def texts(self, row: Record) -> list[str]:
        """All that a row says; where quotes are out of place, its text as it stands, too."""
        found = super().texts(row)
        return found if row.held is None else [*found, *self._readable([row.text])]

    def extended(self, row: Record, more: Sequence[str]) -> str:
        """The row with more cells after its own, in this file's manner."""
        return self.dialect.extended(row.text, row.cells, self.width, more, self.line_end)

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What was assumed about the file, one sentence each, the most important first."""
        said = self._about_columns()
        said.append(f"delimiter: {self.dialect.name}; {'header found' if self.header else 'no header'}")
        return (*said, *self._about_text())

    def _sample_lines(self) -> list[str]:
        """The first physical lines. Fewer than a row's worth is fine: they only serve to guess."""
        found = itertools.chain.from_iterable(lines(self._blocks(), self.name))
        return first_of(found, len)

    def _first_rows(self, *, skip: bool) -> tuple[list[Record], int]:
        """The first rows that are not blank, and how many rows stand before them."""
        rows = itertools.chain.from_iterable(records(self._blocks(), self.dialect, self.name))
        first = first_of(rows, lambda row: len(row.text))
        filled = [row for row in first[skip:] if not row.blank]
        if not filled:
            raise BadFile(f"{self.name} holds no rows", remedy="check that the export finished")
        return filled, first.index(filled[0])

    def _has_header(self, reading: Reading, title: Record) -> bool:
        if "\0" in title.text:
            raise BadFile(
                f"{self.name}, line {title.line}: the first row holds NUL bytes",
                line=title.line,
                remedy="export the file again as CSV, or name its --encoding",
            )
        if reading.header is not None:
            return reading.header
        named = {folded(name) for name in reading.columns}
        return is_header(title.cells) or any(folded(cell) in named for cell in title.cells)


def _directive(sample: Sequence[str]) -> str | None:
    """The delimiter in a first line `sep=;`, which Excel writes and reads."""
    first = sample[0].rstrip("\r\n") if sample else ""
    return first[4] if len(first) == 5 and first.lower().startswith("sep=") else None


def _dialect(reading: Reading, directive: str | None, sample: Sequence[str]) -> Dialect:
    if reading.delimiter is not None:
        return Dialect.named(reading.delimiter)
    if directive is not None:
        return Dialect.named(directive)
    return Dialect.guessed(sample)

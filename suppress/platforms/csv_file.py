"""CSV files of everyone who may not be mailed: the exporter that always works, and the evidence format.

Rules kept here:

* Equal ledgers give byte-equal files: UTF-8 without a byte-order mark, RFC 4180 quoting, `\\n` line ends, one
  address a row, sorted by match key, no time of writing inside. A person with several spellings has several
  rows: importers compare bytes.
* It is replaced as a whole or stays as it was (`whole_file`).
* `NAME.manifest.json` says what the file is: SHA-256, rows, columns, and the signed checkpoint of the ledger
  that it was made from, so that whoever receives the file becomes a witness of the ledger.
* Verifying means reading the file again from the disk and comparing it with the manifest and the ledger.

The standard library's writer is not used: before Python 3.13 it leaves a bare carriage return unquoted when
lines end in `\\n`, and then reads one row as two (python/cpython issue 67230).
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any, TextIO

from suppress.config import DestinationSettings
from suppress.core.members import Members
from suppress.core.spelling import comparable
from suppress.core.suppression import EVERYTHING, Reason
from suppress.errors import DestinationFailed
from suppress.platforms.list_file import ListFile
from suppress.plugin.contract import (
    Capabilities,
    Delivery,
    Detail,
    LedgerPosition,
    Observation,
    Pushed,
    Remote,
    Snapshot,
    Suppressed,
    Unit,
    Unknowns,
)

PAGE = 10_000
"""Rows written at once."""
SWEPT = 100_000
"""Rows in one answer of `sweep`, which reads the file from its beginning each time."""
_FORMULA = tuple("=+-@\t\r\n＝＋－＠'")  # noqa: RUF001 (spreadsheets read the full-width forms as operators too)
_QUOTED = re.compile(r'[,"\r\n]')


def _when(entry: Suppressed) -> str:
    return "" if entry.occurred_at is None else entry.occurred_at.isoformat().replace("+00:00", "Z")


def _ses_reason(entry: Suppressed) -> str:
    return "BOUNCE" if entry.reason is Reason.BOUNCED else "COMPLAINT"


_EVERY_COLUMN: Mapping[str, Callable[[Suppressed], str]] = {
    "email": lambda entry: entry.address,
    "reason": lambda entry: entry.reason.value,
    "opted_out_at": _when,
    "source": lambda entry: entry.source,
    "scope": lambda entry: str(entry.scope),
}


@dataclass(frozen=True, slots=True)
class Preset:
    """The columns that one importer looks for; the address is always the first."""

    columns: Mapping[str, Callable[[Suppressed], str]]
    header: bool = True
    formula_safe: bool = False
    """For people: a value that a spreadsheet would run as a formula gets an apostrophe before it."""
    loses: str | None = None
    """What the format cannot express."""


def _address_under(header: str) -> Preset:
    return Preset(
        {header: lambda entry: entry.address}, loses="reason, date, source and scope: the importer reads none"
    )


PRESETS: Mapping[str, Preset] = {
    "plain": Preset(_EVERY_COLUMN),
    "hubspot": _address_under("Email"),
    "mailchimp": _address_under("Email Address"),
    "klaviyo": _address_under("Email"),
    "sendgrid": _address_under("email"),
    "ses": Preset(
        {"address": lambda entry: entry.address, "reason": _ses_reason},
        header=False,
        loses="date, source and scope; and SES has no opt-out, so each is written as COMPLAINT",
    ),
    "spreadsheet": Preset(_EVERY_COLUMN, formula_safe=True),
}

CAPABILITIES = Capabilities(
    unit=Unit.SNAPSHOT,
    delivery=Delivery.SYNC,
    detail=Detail.NONE,
    creates_unknown=Unknowns.NEVER,
    target="file",
    can_read_one=True,
    can_read_many=True,
    can_list_all=True,
    config={
        "properties": {
            "path": {"type": "string", "description": "name the file to write with -o FILE or path = …"},
            "preset": {
                "type": "string",
                "description": "the importer that the columns are for",
                "enum": list(PRESETS),
                "default": "plain",
            },
        },
        "required": ["path"],
    },
)


class CsvFile(ListFile):
    """One CSV file that is replaced as a whole."""

    capabilities = CAPABILITIES

    def __init__(
        self, settings: DestinationSettings, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        super().__init__(settings, clock=clock)
        self._preset_name = str(settings.options.get("preset", "plain"))
        self._preset = PRESETS[self._preset_name]

    def push(self, entries: Iterable[Suppressed], position: LedgerPosition) -> Iterator[Pushed]:
        """Replace the file and its manifest; yields one `Snapshot`."""
        content = _Content(self._preset, widened="scope" not in self._preset.columns)
        self._file.replace(content.blocks(entries), lambda: self._described(content, position))
        yield Snapshot(str(self.path), content.rows, content.digest.hexdigest(), content.unrepresented())

    def sweep(self, cursor: str | None) -> tuple[tuple[Observation, ...], str | None]:
        """A page of the file.

        Raises:
            DestinationFailed: There is no file, or it is not the one that was written.
        """
        start = int(cursor or 0)
        try:
            with self._file.opened() as (text, manifest):
                rows = islice(_first_column(text, manifest), start, start + SWEPT)
                page = tuple(Observation(each, Remote.SUPPRESSED) for each in rows)
        except (ValueError, csv.Error):
            raise DestinationFailed(
                f"{self.path} is not there or differs from its manifest",
                remedy=f"suppress export {self.name}",
            ) from None
        return page, None if len(page) < SWEPT else str(start + SWEPT)

    def _described(self, content: _Content, position: LedgerPosition) -> Mapping[str, Any]:
        return self._manifest(
            content.digest.hexdigest(),
            content.bytes,
            content.rows,
            position,
            preset=self._preset_name,
            columns=list(self._preset.columns),
            header=self._preset.header,
            encoding="utf-8",
            line_end="LF",
            values_changed=content.changed,
            unrepresented=list(content.unrepresented()),
        )

    def _holds(self, held: Members, address: str) -> bool:
        return comparable(address) in held

    def _held(self) -> Members | None:
        """The addresses in the file, as they are compared; None unless file and manifest agree."""
        try:
            with self._file.opened() as (text, manifest):
                return Members(map(comparable, _first_column(text, manifest)))
        except (ValueError, csv.Error):
            return None


class _Content:
    """The bytes of a file as they are made, and what is to be said about them afterwards."""

    def __init__(self, preset: Preset, *, widened: bool) -> None:
        self.digest = hashlib.sha256()
        self.bytes = 0
        self.rows = 0
        self.changed = 0
        self._preset = preset
        self._narrow = 0
        self._counts_narrow = widened

    def blocks(self, entries: Iterable[Suppressed]) -> Iterator[bytes]:
        """The file in blocks of many rows."""
        if self._preset.header:
            yield self._counted(",".join(self._preset.columns) + "\n")
        rows: list[str] = []
        for entry in _in_order(entries):
            rows.append(self._row(entry))
            if len(rows) == PAGE:
                yield self._counted("".join(rows))
                rows.clear()
        yield self._counted("".join(rows))

    def unrepresented(self) -> tuple[str, ...]:
        """What the file cannot say, in words."""
        words = [] if self._preset.loses is None else [self._preset.loses]
        if self._narrow:
            words.append(f"{self._narrow} opt-outs of one sender or list count for everything in this file")
        return tuple(words)

    def _row(self, entry: Suppressed) -> str:
        self.rows += 1
        if self._counts_narrow and entry.scope != EVERYTHING:
            self._narrow += 1
        cells = [column(entry) for column in self._preset.columns.values()]
        if self._preset.formula_safe:
            safe = [_formula_safe(cell) for cell in cells]
            self.changed += sum(one != other for one, other in zip(cells, safe, strict=True))
            cells = safe
        return ",".join(map(_quoted, cells)) + "\n"

    def _counted(self, text: str) -> bytes:
        block = text.encode()
        self.digest.update(block)
        self.bytes += len(block)
        return block


def _in_order(entries: Iterable[Suppressed]) -> Iterator[Suppressed]:
    # UTF-8 keeps the order of code points, so comparing text compares the bytes of the keys.
    last, spellings = "", set[str]()
    for entry in entries:
        spelling = comparable(entry.address)
        if entry.key < last or (entry.key == last and spelling in spellings):
            raise DestinationFailed(f"entry {entry.seq} is out of order: keys must be sorted, spellings once")
        spellings = {*spellings, spelling} if entry.key == last else {spelling}
        last = entry.key
        yield entry


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if _QUOTED.search(cell) else cell


def _formula_safe(cell: str) -> str:
    # An apostrophe that was there gets another, so that taking one away gives back every value.
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _first_column(file: TextIO, manifest: Mapping[str, Any]) -> Iterator[str]:
    """The addresses as they were before they were made safe."""
    changed = bool(manifest.get("values_changed"))
    limit = csv.field_size_limit(2**31 - 1)
    try:
        rows = csv.reader(file, strict=True)
        if manifest.get("header"):
            next(rows, None)
        for row in rows:
            yield row[0][1:] if changed and row[0].startswith("'") else row[0]
    finally:
        csv.field_size_limit(limit)

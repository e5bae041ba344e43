"""What a worker elsewhere does with one contact file, for `suppress check --engine spark`.

There are two passes over a file, with a join between them:

* `keys_of` reads it and says, for each row, under which tags its addresses would be found (`tagged.Asked`:
  the same parsing, match keys and order of questions as any check), and whether the row must be looked at
  anyway, because its shape is in doubt or a rule for a domain holds.
* `sorted_out` reads it again and writes its results. Rows that nobody was met in are kept; the others are
  decided by the readable engine (`gate.Gate`), from the lines that the join found.

Rules kept here:

* A file is cut into rows by this project's own readers, from its first byte to its last, by one task: a
  quoted line end cannot be told from the end of a row in the middle of a file. So the unit of work is a file.
* A file that holds nothing is a part without rows (`rowless`), not a broken list.
* No address leaves a task: tags are keyed hashes, and what goes wrong is told in words that hold none.
* What is wrong with a file comes back as a note. An exception would be printed by Spark, with all it says.
* Folders are made by the machine that publishes them, before. A task that outlives the run finds none and
  leaves nothing, and one that sees another disk says so.
* Both passes digest the file. One that changed between them is told by whoever compares.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from suppress import __version__
from suppress.check.annotation import COLUMNS
from suppress.check.gate import KEEP, Alias, Decision, Gate
from suppress.check.portable import Secret
from suppress.check.rowless import Rowless
from suppress.check.sorting import Decider, Sorting
from suppress.check.tagged import Asked, Met
from suppress.check.tally import Tally
from suppress.core.address import KEY_VERSION
from suppress.core.aliases import table_version
from suppress.core.mailing import Mailing
from suppress.core.verdict import Ruling
from suppress.errors import EngineFailed, SuppressError
from suppress.files.contacts import ContactFile, Reading
from suppress.files.output import outputs, publish
from suppress.files.records import Record
from suppress.ledger.rules import Rules

KEYS = pa.schema(
    [
        ("file", pa.int64()),
        ("row", pa.int64()),
        ("first", pa.bool_()),
        ("look", pa.bool_()),
        ("invalid", pa.bool_()),
        ("tag", pa.binary()),
        ("note", pa.string()),
    ]
)
"""What the first pass says. A row has a line for each of its tags, or one without; `first` counts it once."""
KEYS_DDL = "file bigint, row bigint, first boolean, look boolean, invalid boolean, tag binary, note string"
DONE = pa.schema([("file", pa.int64()), ("tally", pa.binary()), ("note", pa.string())])
DONE_DDL = "file bigint, tally binary, note string"
END = -1
"""In the place of a row: the note about the file."""
SAME_PATHS = "choose folders that this machine and every worker have under the same path"
_LINES = 20_000
"""Lines given on together."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One contact file, and its name within the results."""

    path: str
    name: str


@dataclass(frozen=True, slots=True)
class Job:
    """What every task needs. It holds keys, and is sent where the tasks run; it holds no address."""

    files: tuple[Listed, ...]
    drafts: Mapping[str, str]
    """The folders in which results are written, by the name of the result."""
    reading: Reading
    alias: Alias
    mailing: Mailing
    secret: Secret
    rules: Rules
    now: datetime
    version: str


def version() -> str:
    """What must be the same on every machine, so that all of them compare in the same way."""
    return f"suppress {__version__}, match keys {KEY_VERSION}, aliases {table_version()}"


class Note(NamedTuple):
    """What a pass says about a file: how it went, or what is wrong."""

    digest: str = ""
    rows: int = 0
    sizes: Mapping[str, int] = {}
    """Bytes of each result."""
    assumptions: Sequence[str] = ()
    """What was assumed about the file."""
    error: str | None = None
    message: str = ""
    remedy: str | None = None

    @property
    def text(self) -> str:
        """As it travels."""
        return json.dumps(self._asdict())

    @classmethod
    def parse(cls, text: str) -> Note:
        """Read it back."""
        return cls(**json.loads(text))


def _wrong(error: Exception) -> Note:
    """An error as a note. What was not foreseen is named by its kind alone: its words may hold an address."""
    if isinstance(error, SuppressError):
        return Note(error=type(error).__name__, message=error.message, remedy=error.remedy)
    return Note(error=SuppressError.__name__, message=f"a task failed unexpectedly: {type(error).__name__}")


def _require_same(job: Job) -> None:
    if (mine := version()) != job.version:
        raise SuppressError(
            f"a worker has {mine}, and this machine {job.version}",
            remedy="ship the same version to the workers: --archives or --py-files",
        )


# --- First pass ------------------------------------------------------------------------------------------


def keys_of(job: Job, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The first pass over the files whose numbers come in, as lines of `KEYS`."""
    for batch in batches:
        for file in batch.column(0).to_pylist():
            lines = _Lines(file)
            try:
                yield from _keys_of_file(job, file, lines)
            except Exception as error:  # told where it can be, in words of ours
                lines.note(_wrong(error))
            yield lines.batch()


def _keys_of_file(job: Job, file: int, lines: _Lines) -> Iterator[pa.RecordBatch]:
    _require_same(job)
    path = job.files[file].path
    if (rowless := Rowless.at(path)) is not None:
        lines.note(Note(rowless.digest))
        return
    asked = Asked(job.secret, job.rules, job.now)
    with ContactFile.open(path, job.reading) as contacts:
        gate = Gate(contacts, asked, job.alias, job.mailing)
        number = 0
        for batch in contacts.batches():
            for row in batch:
                if row.blank:
                    continue
                (decision,) = gate.decide([row])
                lines.add(number, asked.taken(), decision)
                number += 1
            if len(lines) > _LINES:
                yield lines.batch()
        lines.note(Note(contacts.digest, number, assumptions=contacts.assumptions))


class _Lines:
    """Lines of `KEYS` on their way."""

    def __init__(self, file: int) -> None:
        self._file = file
        self._columns: tuple[list[Any], ...] = ([], [], [], [], [], [])

    def __len__(self) -> int:
        return len(self._columns[0])

    def add(self, row: int, tags: Sequence[bytes], decision: Decision) -> None:
        """One row and the tags of its addresses."""
        look = decision.ruling is not Ruling.CLEAR
        for place, tag in enumerate(tags or [None]):
            self._append(row, place == 0, look, not decision.valid, tag, None)

    def note(self, note: Note) -> None:
        """What is said about the file, which ends it."""
        self._append(END, False, False, False, None, note.text)

    def batch(self) -> pa.RecordBatch:
        """The lines so far, which begin anew."""
        files = pa.array([self._file] * len(self), KEYS.field(0).type)
        rest = [
            pa.array(column, field.type) for column, field in zip(self._columns, list(KEYS)[1:], strict=True)
        ]
        self._columns = ([], [], [], [], [], [])
        return pa.RecordBatch.from_arrays([files, *rest], schema=KEYS)

    def _append(self, *cells: object) -> None:
        for column, cell in zip(self._columns, cells, strict=True):
            column.append(cell)


# --- Second pass -----------------------------------------------------------------------------------------


def sorted_out(job: Job, table: pa.Table) -> pa.Table:
    """The second pass over one file: `table` has the rows to look at, and tags and lines of whom they met."""
    (file,) = set(table.column("file").to_pylist())
    tally = Tally(job.now)
    try:
        _require_same(job)
        note = _sorted_file(job, job.files[file], table, tally)
    except Exception as error:  # told where it can be, in words of ours
        note = _wrong(error)
    return pa.table([[file], [pickle.dumps(tally)], [note.text]], schema=DONE)


def _sorted_file(job: Job, listed: Listed, table: pa.Table, tally: Tally) -> Note:
    met: dict[bytes, set[bytes]] = {}
    look: set[int] = set()
    for row, tag, line in zip(
        *(table.column(name).to_pylist() for name in ("row", "tag", "line")), strict=True
    ):
        look.add(row)
        if tag is not None:
            met.setdefault(tag, set()).add(line)
    places = {name: Path(folder, listed.name) for name, folder in job.drafts.items()}
    for name, place in places.items():
        if not place.parent.is_dir():
            raise EngineFailed(
                f"a worker does not see the folder that was made for the {name} rows of {listed.name}",
                remedy=SAME_PATHS,
            )
    if (rowless := Rowless.at(listed.path)) is not None:
        for name, place in places.items():
            rowless.copy(place, _more(name))
        return Note(rowless.digest, 0, _sizes(places))
    targets: dict[str, str | None] = {name: str(place) for name, place in places.items()}
    with ContactFile.open(listed.path, job.reading) as contacts, outputs(targets) as results:
        gate = Gate(contacts, Met(job.secret, job.rules, job.now, met), job.alias, job.mailing)
        copies = {name: contacts.copy(result, _more(name)) for name, result in results.items()}
        try:
            sorting = Sorting(contacts, _Looking(gate, look), copies, None)
            sorting.run(contacts.batches(), lambda _done, _total: None)
            for copy in copies.values():
                copy.finish()
        finally:
            for copy in copies.values():
                copy.abandon()
        digest = contacts.digest
        publish(list(results.values()))
    tally.merge(sorting.tally)
    return Note(digest, tally.rows, _sizes(places))


def _more(name: str) -> Sequence[str]:
    """The columns that a result has after those of the list."""
    return () if name == "kept" else COLUMNS


def _sizes(places: Mapping[str, Path]) -> dict[str, int]:
    return {name: place.stat().st_size for name, place in places.items()}


class _Looking:
    """Decides about the rows that have to be looked at; the others are kept, as the join found."""

    def __init__(self, gate: Decider, look: Set[int]) -> None:
        self._gate = gate
        self._look = look
        self._passed = 0

    def decide(self, rows: Sequence[Record]) -> list[Decision]:
        """One decision a row, in order. Whether a kept one is valid, the first pass said."""
        start = self._passed
        self._passed += len(rows)
        looked = [number in self._look for number in range(start, self._passed)]
        decided = iter(self._gate.decide([row for row, one in zip(rows, looked, strict=True) if one]))
        return [next(decided) if one else KEEP for one in looked]

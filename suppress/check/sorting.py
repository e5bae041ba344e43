"""A contact file carried through the gate: three results and a record, or none of them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import itemgetter
from typing import TYPE_CHECKING, Protocol

from suppress.check.annotation import COLUMNS, Finding, annotation
from suppress.check.gate import Alias, Answers, Decision, Gate, terms_of
from suppress.check.tally import Found, Tally
from suppress.core.entry import CheckDone
from suppress.core.mailing import ANY_MAIL, Mailing
from suppress.core.verdict import Ruling
from suppress.errors import SuppressError
from suppress.files import processors
from suppress.files.contacts import ContactFile, Copy
from suppress.files.kinds import Kind
from suppress.files.output import outputs, publish
from suppress.files.parquet import ParquetCopy, ParquetFile
from suppress.files.records import Record
from suppress.files.text import TextCopy, TextFile
from suppress.ledger import Event

if TYPE_CHECKING:
    # For their types only: none is needed to check an address.
    from suppress.check.brisk import Winnowed
    from suppress.check.readiness import Building, Ready
    from suppress.check.sifting import Part, Sifted
    from suppress.ledger import Ledger

BATCH = 2_000
"""Rows decided at a time."""


@dataclass(frozen=True, slots=True)
class Engine:
    """Which engine reads a file; results do not depend on it."""

    fast_from: int = 5_000_000
    """Bytes from which on a file is worth the start of the fast engine; of a table, whose bytes are packed, a
    third of them."""
    block: int = 2 << 20
    """Bytes that it looks at together. In larger blocks more rows share what each costs; smaller ones
    fit a processor's caches."""
    members: int = 1
    """Processes that share the work; 0 for as many as there are processors. Several are for a process that is
    all ours (`crew`)."""
    ready: Ready | None = None
    """What the fast engine needs, where it was got ready before."""


DEFAULT = Engine()

Progress = Callable[[int, int | None], None]


@dataclass(frozen=True, slots=True)
class Targets:
    """Where the results of a file check go; None where they are only counted. `-` is standard output."""

    kept: str | None = None
    withheld: str | None = None
    review: str | None = None

    def by_name(self) -> dict[str, str | None]:
        """Each with its option's name."""
        return {"kept": self.kept, "withheld": self.withheld, "review": self.review}


@dataclass(frozen=True, slots=True)
class FileChecked:
    """What one file check found."""

    rows: int
    kept: int
    withheld: int
    review: int
    invalid: int
    """Kept rows without an address that mail systems accept."""
    files: Mapping[str, str | None]
    digest: str
    seq: int | None
    """The entry that recorded it; None in a dry run, and where there is no ledger."""
    found: Found
    """Why rows were not kept, in figures, and who was let through."""


def check_file(
    contacts: ContactFile,
    lookup: Answers,
    ledger: Ledger | None,
    *,
    actor: str,
    targets: Targets | None = None,
    alias: Alias = Alias.REVIEW,
    mailing: Mailing = ANY_MAIL,
    offline: bool = False,
    explain: Callable[[Finding], None] | None = None,
    progress: Progress = lambda _done, _total: None,
    building: Building = lambda _people: None,
    engine: Engine = DEFAULT,
) -> FileChecked:
    """Sort the rows of a file, record that it was done, then let the results appear.

    Without a `ledger` it is a dry run: neither results nor record are written. The snapshot beside the ledger
    may be: it is there for speed, and says nothing about the check. Only `offline`, where there is no ledger
    to write to, results appear without a record. `building` is told how many people are read from the ledger
    before a long file, where that was not done for an earlier one.

    Raises:
        BadFile: The file turns out to be broken. Nothing is written.
        OutputRefused, StorageFailed: A result cannot be written. Nothing is left half-written.
        SuppressError: The ledger cannot be read, or the record cannot be written.
    """
    wanted = (targets or Targets()).by_name() if ledger is not None or offline else Targets().by_name()
    with outputs(wanted, inputs=[contacts.path]) as results, ExitStack() as stack:
        copies = {}
        for name, result in results.items():
            copies[name] = contacts.copy(result, () if name == "kept" else COLUMNS)
            stack.callback(copies[name].abandon)
        asked = {"explain": explain is not None, "copied": "kept" in copies}
        fast = _fast(contacts, lookup, alias, mailing, engine, building, **asked)
        gate, parts = fast or (Gate(contacts, lookup, alias, mailing), contacts.batches())
        sorting = Sorting(contacts, gate, copies, explain)
        sorting.run(parts, progress)
        terms = terms_of(mailing, alias)
        seq = None
        for copy in copies.values():
            copy.finish()
        if ledger is not None:
            # Each check is an event of its own, also of a file that was checked before.
            event = Event(uuid.uuid4().hex, sorting.record(terms))
            seq = ledger.append([event], actor=actor)[0].seq
        # The kept rows last: whoever finds them finds the others too.
        publish([results[name] for name in ("withheld", "review", "kept") if name in results])
    record = sorting.record(terms)
    return FileChecked(
        record.rows,
        record.kept,
        record.withheld,
        record.review,
        record.invalid,
        wanted,
        contacts.digest,
        seq,
        sorting.tally.found(),
    )


class Decider(Protocol):
    """Who decides about rows, a batch at a time and in their order: a `Gate`."""

    def decide(self, rows: Sequence[Record]) -> list[Decision]:
        """One decision a row, in order."""
        ...


class Sorting:
    """One pass over one file."""

    def __init__(
        self,
        contacts: ContactFile,
        gate: Decider,
        copies: Mapping[str, Copy],
        explain: Callable[[Finding], None] | None,
    ) -> None:
        self._contacts = contacts
        self._gate = gate
        self._copies = copies
        self._explain = explain
        self.tally = Tally(datetime.now(UTC))

    def run(self, parts: Iterable[Part | Winnowed], progress: Progress) -> None:
        """Write every row to exactly one result."""
        for part in parts:
            match part:
                case list():
                    for start in range(0, len(part), BATCH):
                        self._sort(part[start : start + BATCH])
                        progress(self.tally.rows, self._expected())
                    continue
                case (memoryview(), _, _):
                    self._put(*part)
                case _:
                    self._winnow(part)
            progress(self.tally.rows, self._expected())

    def _expected(self) -> int | None:
        """How many rows there will be, if the rest of the file is like the part that was read."""
        done = self._contacts.done()
        return int(self.tally.rows / done) if done else None

    def record(self, terms: Mapping[str, str]) -> CheckDone:
        """The counts and what was asked, as the ledger keeps them."""
        return self.tally.record(self._contacts.digest, terms)

    def _sort(self, batch: Sequence[Record]) -> None:
        """Rows of the readable engine."""
        rulings = self._decided(batch)
        if "kept" in self._copies:
            kept = [row for row, each in zip(batch, rulings, strict=True) if each is Ruling.CLEAR]
            self._copies["kept"].keep(kept)

    def _winnow(self, part: Winnowed) -> None:
        """Rows of a Parquet file, most of which are never made."""
        self.tally.clear(part.clear, part.invalid)
        for decision, number in part.counted:
            self.tally.add(decision, number)
        gone: dict[str, list[tuple[int, Sequence[str]]]] = {"withheld": [], "review": []}
        gone["withheld"] += zip(part.told, part.cells, strict=True)
        for place, row, decision in zip(part.places, part.rows, part.decisions, strict=True):
            if not self._keeps(row, decision):
                gone[_OTHERS[decision.ruling]].append((place, annotation(decision, row.line)))
        for name, copy in self._copies.items():
            assert isinstance(copy, ParquetCopy), "Parquet is written as Parquet"
            if name == "kept":
                copy.keep_but(part.whole, [place for rows in gone.values() for place, _ in rows])
            elif rows := sorted(gone[name], key=itemgetter(0)):
                copy.add_some(part.whole, [place for place, _ in rows], [more for _, more in rows])

    def _put(self, content: memoryview, sifted: Sifted, before: int) -> None:
        """A block of the fast engine: what lies between the rows that are taken out is copied."""
        self.tally.merge(sifted.tally)
        for name, copy in self._copies.items():
            assert isinstance(self._contacts, TextFile), "the fast engine reads text"
            assert isinstance(copy, TextCopy), "text is written as text"
            if name == "kept":
                copy.write_all(sifted.kept(content))
            else:
                copy.write(sifted.text(_RULINGS[name], self._contacts, before))
        if self._explain is not None:
            for each in sifted.findings:
                self._explain(Finding(each.line + before, each.decision))

    def _decided(self, batch: Sequence[Record]) -> list[Ruling]:
        """Decide about rows, count them, and write those that are not kept; what became of each."""
        rows = [row for row in batch if not row.blank]
        decided = self._gate.decide(rows)
        if len(decided) != len(rows):
            raise SuppressError(f"of {len(rows)} rows {len(decided)} were decided; nothing was written")
        decisions = iter(decided)
        rulings: list[Ruling] = []
        for row in batch:
            if row.blank:
                # An empty line is no row; it stays where it was among the kept ones.
                rulings.append(Ruling.CLEAR)
                continue
            decision = next(decisions)
            rulings.append(decision.ruling)
            if self._keeps(row, decision):
                continue
            if (copy := self._copies.get(_OTHERS[decision.ruling])) is not None:
                copy.add(row, annotation(decision, row.line))
        return rulings

    def _keeps(self, row: Record, decision: Decision) -> bool:
        """Count and explain one row; whether it is kept."""
        self.tally.add(decision)
        kept = decision.ruling is Ruling.CLEAR
        if self._explain is not None and (not kept or decision.verdict.waiver is not None):
            self._explain(Finding(row.line, decision))
        return kept


_OTHERS = {Ruling.SUPPRESSED: "withheld", Ruling.REVIEW: "review"}
_RULINGS = {name: ruling for ruling, name in _OTHERS.items()}


def _fast(
    contacts: ContactFile,
    lookup: Answers,
    alias: Alias,
    mailing: Mailing,
    engine: Engine,
    building: Building,
    *,
    explain: bool,
    copied: bool,
) -> tuple[Decider, Iterable[Part | Winnowed]] | None:
    """Who decides, and the rows by the fast engine or a brisk gate; None where that is not worth it or lacks
    what it needs."""
    packed = 3 if contacts.kind in (Kind.PARQUET, Kind.WORKBOOK) else 1
    if contacts.size is not None and contacts.size * packed < engine.fast_from:
        return None
    from suppress.check.readiness import ready

    found = engine.ready
    if found is None or found.alias is not alias:
        found = ready(lookup, alias, building)
    if found is None:
        return None
    from suppress.check import brisk, fast, sifting, telling, vocabulary

    recognition, folding = found.recognition, found.folding
    saying = telling.Saying(recognition, mailing, datetime.now(UTC))
    glance = brisk.Glance(recognition, folding, mailing)
    if isinstance(contacts, ParquetFile):
        gate = Gate(contacts, recognition, alias, mailing)
        return gate, brisk.winnowed(contacts, gate, glance, saying, explain=explain)
    sieve: fast.Cutter
    if fast.suits(contacts):
        gate = Gate(contacts, recognition, alias, mailing)
        sieve = fast.Sieve(contacts, recognition, folding, mailing, block=engine.block)
    else:
        gate = brisk.Brisk(contacts, recognition, alias, mailing, glance, saying)
        if not vocabulary.suits(contacts):
            return gate, contacts.batches()
        sieve = vocabulary.Sieve(contacts, glance, block=engine.block)
    sifts = sifting.Sifting(contacts, gate, recognition, mailing, datetime.now(UTC), explain=explain)
    whole = sifting.Pass(contacts, sieve, sifts, recognition.reopen, block=engine.block, copied=copied)
    members = min(engine.members or processors.usable(), (contacts.size or 0) // engine.block)
    return gate, whole.together(members) if members > 1 and contacts.shared else whole.alone()

"""A contact file carried through the gate: three results and a record, or none of them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from suppress.check.gate import Alias, Answers, Decision, Gate
from suppress.check.tally import Found, Tally
from suppress.core.entry import CheckDone
from suppress.core.mailing import ANY_MAIL, Mailing
from suppress.core.verdict import Ruling
from suppress.errors import SuppressError
from suppress.files.contacts import ContactFile, Copy
from suppress.files.output import outputs, publish
from suppress.files.records import Record
from suppress.files.text import TextCopy
from suppress.ledger import Event

if TYPE_CHECKING:
    # For their types only: none is needed to check an address.
    from suppress.check.fast import Block, Sieve
    from suppress.ledger import Ledger

COLUMNS = ("suppress_tier", "suppress_rule", "suppress_since", "suppress_source", "suppress_reason")
"""Added to withheld and review rows."""

BATCH = 2_000
"""Rows decided at a time."""


@dataclass(frozen=True, slots=True)
class Engine:
    """Which engine reads a file; results do not depend on it."""

    fast_from: int = 5_000_000
    """Bytes from which on a file is worth the start of the fast engine."""
    block: int = 1 << 20
    """Bytes that it looks at together: with all that is made of them they fit a processor's caches."""


DEFAULT = Engine()

Progress = Callable[[int, int | None], None]


@dataclass(frozen=True, slots=True)
class Finding:
    """One row that was not kept, or kept because of a waiver, for `--explain`."""

    line: int
    decision: Decision


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
    engine: Engine = DEFAULT,
) -> FileChecked:
    """Sort the rows of a file, record that it was done, then let the results appear.

    Without a `ledger` it is a dry run: neither results nor record are written. The snapshot beside the ledger
    may be: it is there for speed, and says nothing about the check. Only `offline`, where there is no ledger
    to write to, results appear without a record.

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
        sorting = _Sorting(contacts, Gate(contacts, lookup, alias, mailing), copies, explain)
        sieve = _sieve(contacts, lookup, alias, engine)
        sorting.run(contacts.batches() if sieve is None else sieve.blocks(), progress)
        terms = mailing.terms | ({} if alias is Alias.REVIEW else {"alias": alias.value})
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


class _Sorting:
    """One pass over one file."""

    def __init__(
        self,
        contacts: ContactFile,
        gate: Gate,
        copies: Mapping[str, Copy],
        explain: Callable[[Finding], None] | None,
    ) -> None:
        self._contacts = contacts
        self._gate = gate
        self._copies = copies
        self._explain = explain
        self.tally = Tally(datetime.now(UTC))
        self._rows = 0
        self._counts = dict.fromkeys(Ruling, 0)
        self._invalid = 0

    def run(self, parts: Iterable[Block | list[Record]], progress: Progress) -> None:
        """Write every row to exactly one result."""
        for part in parts:
            if not isinstance(part, list):
                self._sift(part)
                progress(self._rows, self._expected())
                continue
            for start in range(0, len(part), BATCH):
                self._sort(part[start : start + BATCH])
                progress(self._rows, self._expected())

    def _expected(self) -> int | None:
        """How many rows there will be, if the rest of the file is like the part that was read."""
        done = self._contacts.done()
        return int(self._rows / done) if done else None

    def record(self, terms: Mapping[str, str]) -> CheckDone:
        """The counts and what was asked, as the ledger keeps them."""
        waived, waivers = self.tally.record()
        return CheckDone(
            digest=self._contacts.digest,
            rows=self._rows,
            kept=self._counts[Ruling.CLEAR],
            withheld=self._counts[Ruling.SUPPRESSED],
            review=self._counts[Ruling.REVIEW],
            invalid=self._invalid,
            terms=terms or None,
            waived=waived,
            waivers=waivers,
        )

    def _sort(self, batch: Sequence[Record]) -> None:
        """Rows of the readable engine."""
        rulings = self._decided(batch)
        if "kept" in self._copies:
            kept = [row for row, each in zip(batch, rulings, strict=True) if each is Ruling.CLEAR]
            self._copies["kept"].keep(kept)

    def _sift(self, block: Block) -> None:
        """A block of the fast engine: what lies between the rows that are taken out is copied."""
        self._rows += block.clear
        self._counts[Ruling.CLEAR] += block.clear
        self._invalid += block.invalid
        kept, end = [], 0
        for start in range(0, len(block.rows), BATCH):
            some = slice(start, start + BATCH)
            for (begin, stop), ruling in zip(block.spans[some], self._decided(block.rows[some]), strict=True):
                if ruling is not Ruling.CLEAR:
                    kept.append(block.content[end:begin])
                    end = stop
        kept.append(block.content[end:])
        if (copy := self._copies.get("kept")) is not None:
            assert isinstance(copy, TextCopy), "the fast engine reads text"
            copy.write(b"".join(kept))

    def _decided(self, batch: Sequence[Record]) -> list[Ruling]:
        """Decide about rows, count them, and write those that are not kept; what became of each."""
        rows = [row for row in batch if not row.blank]
        decided = self._gate.decide(rows)
        if len(decided) != len(rows):
            raise SuppressError(f"of {len(rows)} rows {len(decided)} were decided; nothing was written")
        self._rows += len(rows)
        decisions = iter(decided)
        rulings: list[Ruling] = []
        for row in batch:
            if row.blank:
                # An empty line is no row; it stays where it was among the kept ones.
                rulings.append(Ruling.CLEAR)
                continue
            decision = next(decisions)
            rulings.append(decision.ruling)
            self._counts[decision.ruling] += 1
            self.tally.add(decision)
            if decision.ruling is Ruling.CLEAR:
                self._invalid += not decision.valid
                if self._explain is not None and decision.verdict.waiver is not None:
                    self._explain(Finding(row.line, decision))
                continue
            if (copy := self._copies.get(_OTHERS[decision.ruling])) is not None:
                copy.add(row, annotation(decision, row.line))
            if self._explain is not None:
                self._explain(Finding(row.line, decision))
        return rulings


_OTHERS = {Ruling.SUPPRESSED: "withheld", Ruling.REVIEW: "review"}


def _sieve(contacts: ContactFile, lookup: Answers, alias: Alias, engine: Engine) -> Sieve | None:
    """The fast engine, where it is worth it, can read the file, and has what it needs."""
    if contacts.size is not None and contacts.size < engine.fast_from:
        return None
    from suppress.ledger import Lookup

    try:
        from suppress.check import fast, snapshot
    except ImportError:  # numpy is an extra
        return None
    if not isinstance(lookup, Lookup) or lookup.rules.recipes:
        return None  # digests of partners concern people whom the snapshot cannot name
    if not fast.suits(contacts) or (found := snapshot.current(lookup)) is None:
        return None
    covering, folding = found
    aliases = alias is not Alias.IGNORE
    return fast.Sieve(
        contacts,
        covering,
        folding,
        lookup.roster(),
        aliases=aliases,
        block=engine.block,
        domains=lookup.rules.domains,
    )


def annotation(decision: Decision, line: int) -> tuple[str, ...]:
    """The cells under `COLUMNS`: why a row was not kept, and where it stood if it could not be read."""
    return tuple(_annotation(decision, line))


def _annotation(decision: Decision, line: int) -> Iterator[str]:
    verdict = decision.verdict
    doubt = f"line {line}: {decision.doubt}" if decision.doubt is not None else None
    yield verdict.tier.value if verdict.tier is not None else ""
    yield "; ".join(each for each in (verdict.rule, doubt) if each)
    yield verdict.since.isoformat().replace("+00:00", "Z") if verdict.since is not None else ""
    yield verdict.source or ""
    yield verdict.reason.value if verdict.reason is not None else ""

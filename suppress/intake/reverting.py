"""An import taken back: each of its entries that staff made is struck out, and the import itself.

Rules kept here:

* What a row says a person did stays, whatever is said of the list: `core.reversible` decides, row by row.
* A row that another import found again stands on that one too, and stays until that is taken back.
* Nothing is deleted. Killed and repeated it goes on where it was, and the file may be imported again after.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from suppress.core.entry import Corrected, Entry, ImportDone, OptOutRecorded
from suppress.core.reversible import is_staff_made
from suppress.core.spans import spanned
from suppress.core.suppression import Json, Origin
from suppress.errors import BadUsage
from suppress.intake.correcting import require_lasting
from suppress.intake.recording import record
from suppress.ledger import Event, Ledger

AT_ONCE = 1_000
"""Entries struck out in one transaction."""

Progress = Callable[[int, int | None], None]


@dataclass(frozen=True, slots=True)
class Batch:
    """An import as it can be taken back."""

    name: str
    seq: int
    at: datetime
    actor: str
    body: ImportDone


@dataclass(slots=True)
class Reverted:
    """What became of the entries of an import."""

    batch: Batch
    struck: int = 0
    """Struck out now; in a dry run, those that would be."""
    already: int = 0
    """Struck out before, by an interrupted run or by `suppress correct`."""
    by_people: dict[str, int] = field(default_factory=dict)
    """Left standing because they are what people did, by reason."""
    shared: int = 0
    """Left standing because another import says the same."""
    erased: int = 0
    """Of erased people, of whom nothing says any more which import brought them: left standing."""
    seq: int | None = None
    """The entry that strikes out the import; None in a dry run."""

    @property
    def left(self) -> int:
        """Entries that go on suppressing somebody."""
        return sum(self.by_people.values()) + self.shared + self.erased


def batches(ledger: Ledger) -> Iterator[Batch]:
    """The imports that were not taken back, newest first."""
    for entry in ledger.about(ImportDone.type):
        body = entry.body
        assert isinstance(body, ImportDone)
        if body.batch is not None:
            yield Batch(body.batch, entry.seq, entry.at, entry.actor, body)


def revert(
    ledger: Ledger,
    name: str,
    *,
    approver: str,
    reason: str,
    actor: str,
    dry_run: bool = False,
    progress: Progress = lambda _done, _total: None,
) -> Reverted:
    """Strike out what an import claimed and nobody did.

    Raises:
        BadUsage: There is no such import, all of it is what people did, or approver or reason is missing.
        SuppressError: The ledger cannot be written.
    """
    require_lasting("--approver", approver)
    require_lasting("--reason", reason)
    every = list(batches(ledger))
    batch = _named(every, name)
    run = _Run(ledger, batch, [each.body.found or () for each in every if each.seq != batch.seq])
    run.sort(progress)
    result = run.result
    if not (result.struck or result.already) and result.left:
        raise BadUsage(
            f"import {batch.name} is not taken back: {_why(result)}",
            remedy="what people did themselves is lifted by their later consent: suppress consent ADDRESS",
        )
    if not dry_run:
        words = (reason.strip(), approver.strip(), batch.seq)
        for first in range(0, len(run.wrong), AT_ONCE):
            chunk = run.wrong[first : first + AT_ONCE]
            record(ledger, [Event(f"revert-{seq}", Corrected(seq, *words)) for seq in chunk], actor=actor)
            progress(first + len(chunk), len(run.wrong))
        own = Event(f"revert-{batch.seq}", Corrected(batch.seq, *words))
        result.seq = record(ledger, [own], actor=actor)[0].seq
    return result


@dataclass(slots=True)
class _Run:
    """One pass over the ledger, to find the entries of one import."""

    ledger: Ledger
    batch: Batch
    others: Sequence[Sequence[int]]
    """What other imports found again."""
    wrong: list[int] = field(default_factory=list)
    result: Reverted = field(init=False)

    def __post_init__(self) -> None:
        self.result = Reverted(self.batch)

    def sort(self, progress: Progress) -> None:
        """Decide about every entry that may be of this import."""
        pending: list[Entry] = []
        for entry in self.ledger.entries(0, self.batch.seq):
            if self._may_be(entry):
                pending.append(entry)
            if len(pending) == AT_ONCE:
                self._decide(pending)
                pending = []
                progress(entry.seq, self.batch.seq)
        self._decide(pending)
        self.result.struck = len(self.wrong)

    def _may_be(self, entry: Entry) -> bool:
        body = entry.body
        return (
            isinstance(body, OptOutRecorded)
            and body.origin is Origin.FILE
            and body.source == self.batch.body.source
        )

    def _decide(self, entries: Sequence[Entry]) -> None:
        seqs = [each.seq for each in entries]
        payloads, struck = self.ledger.payloads(seqs), self.ledger.struck_out(seqs)
        for entry in entries:
            body = entry.body
            assert isinstance(body, OptOutRecorded)
            payload = payloads.get(entry.seq)
            if payload is None:
                self.result.erased += self._within(entry.seq)
            elif _batch_of(payload) != self.batch.name:
                continue
            elif entry.seq in struck:
                self.result.already += 1
            elif not is_staff_made(body, payload):
                self.result.by_people[body.reason] = self.result.by_people.get(body.reason, 0) + 1
            elif any(spanned(found, entry.seq) for found in self.others):
                self.result.shared += 1
            else:
                self.wrong.append(entry.seq)

    def _within(self, seq: int) -> bool:
        first, last = self.batch.body.first, self.batch.body.last
        return first is not None and last is not None and first <= seq <= last


def _batch_of(payload: Mapping[str, Json]) -> Json:
    evidence = payload.get("evidence")
    return evidence.get("batch") if isinstance(evidence, Mapping) else None


def _named(every: Sequence[Batch], name: str) -> Batch:
    found = [each for each in every if each.name.startswith(name.lower()) or str(each.seq) == name]
    if len(found) == 1:
        return found[0]
    what = "no import that was finished and not taken back is" if not found else "several imports are"
    raise BadUsage(
        f"{what} called {name!r}", remedy="suppress revert lists them; one that was killed is finished first"
    )


def _why(result: Reverted) -> str:
    reasons = ", ".join(f"{number:,} {reason}" for reason, number in sorted(result.by_people.items()))
    parts = [
        f"its rows are what people did ({reasons})" if reasons else "",
        f"{result.shared:,} rows stand on other imports too" if result.shared else "",
        f"{result.erased:,} people were erased" if result.erased else "",
    ]
    return "; ".join(part for part in parts if part)

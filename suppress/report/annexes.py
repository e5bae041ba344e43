"""The tables that let a reader follow a figure down to entries: reach, sample, replays, and who wrote."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TypeVar

from suppress.core.entry import Honoured
from suppress.core.suppression import Channel
from suppress.report.activity import Act
from suppress.report.deadlines import Outcome, Reach
from suppress.report.facts import Facts
from suppress.report.table import Listing, Table, pairs
from suppress.report.words import word

K = TypeVar("K", bound=tuple[object, ...])

_OUTCOMES = {
    Outcome.READ_BACK: "Read back",
    Outcome.ACCEPTED: "Accepted, not read back",
    Outcome.WAITING: "Waiting",
    Outcome.NEVER_TOLD: "Ended before it was told",
}
WEEKS = 26
"""Weeks in the table of read-back shares; older ones are in the JSON form of the report."""


def reach(facts: Facts) -> Iterator[Table]:
    """Which requests of which source reached which destination, and how that is known."""
    pairs = _counted(facts, lambda each: (each.source, each.destination))
    matrix = (
        Listing(pairs)
        .column("Source", lambda each: each[0][0])
        .column("Channel", lambda _: word(Channel.EMAIL))
        .column("Destination", lambda each: each[0][1])
        .column("Requests", lambda each: each[1].total())
    )
    for outcome, name in _OUTCOMES.items():
        matrix.column(name, _number_of(outcome))
    yield matrix.table("matrix", "Each source at each destination", empty="Nothing was owed to anyone.")
    yield from _receipts(facts)
    first = min(sorted({each.week for each in facts.deadlines.reach})[-WEEKS:], default=date.max)
    weeks = [
        each for each in _counted(facts, lambda each: (each.destination, each.week)) if each[0][1] >= first
    ]
    yield (
        Listing(weeks)
        .column("Destination", lambda each: each[0][0])
        .column("Week of", lambda each: each[0][1])
        .column("Requests", lambda each: each[1].total())
        .column("Read back", _number_of(Outcome.READ_BACK))
        .column("Read back, %", lambda each: 100 * each[1][Outcome.READ_BACK] // each[1].total())
        .table("reach_by_week", f"What is verified, over the last {WEEKS} weeks in which requests came")
    )


@dataclass(slots=True)
class _Receipts:
    """What one destination answered over the period."""

    destination: str
    acts: list[Act[Honoured]] = field(default_factory=list)

    @property
    def runs(self) -> list[Act[Honoured]]:
        """One a run: a receipt of a part is left out where the one at the end of its run counts it again, and
        so is one by which a patrol took people out."""
        found: list[Act[Honoured]] = []
        since: datetime | None = None
        for number, act in reversed([*enumerate(self.acts)]):
            body, pushed = act.body, act.body.pushed_at
            before = self.acts[max(0, number - 1)].body
            restated = body.sent is None and body.artefact == before.artefact and body.count < before.count
            if restated or (pushed is not None and since is not None and pushed >= since):
                continue
            since = pushed or since
            found.append(act)
        return found[::-1]

    def people(self, *, verified: bool) -> int:
        return sum(each.body.count for each in self.runs if each.body.verified is verified)

    def told(self, of: Callable[[Honoured], int | None]) -> int | None:
        """The sum over the runs that say it; None if none does."""
        said = [number for act in self.runs if (number := of(act.body)) is not None]
        return sum(said) if said else None

    @property
    def widened(self) -> int | None:
        """People whom it stops more widely than they asked, by its newest receipt; None if not said."""
        newest = self.acts[-1].body
        said = newest.sent is not None or newest.lost is not None
        return (newest.lost or {}).get("widened", 0) if said else None


def _receipts(facts: Facts) -> Iterator[Table]:
    found: dict[str, _Receipts] = {}
    for act in facts.activity.exports:
        name = act.body.destination
        found.setdefault(name, _Receipts(name)).acts.append(act)
    yield (
        Listing(found[name] for name in sorted(found))
        .column("Destination", lambda each: each.destination)
        .column("Receipts", lambda each: len(each.acts))
        .column("Runs", lambda each: len(each.runs))
        .column("People named", lambda each: each.people(verified=True) + each.people(verified=False))
        .column("of them read back", lambda each: each.people(verified=True))
        .column("unverifiable", lambda each: each.people(verified=False))
        .column("Handed over", lambda each: each.told(lambda body: body.sent))
        .column("Accepted", lambda each: each.told(lambda body: body.accepted))
        .column("Seen there", lambda each: each.told(lambda body: body.confirmed))
        .column("Stopped more widely", lambda each: each.widened)
        .column("Requests not taken", lambda each: sum(act.body.not_taken for act in each.runs))
        .column("First receipt", lambda each: each.acts[0].seq)
        .column("Last receipt", lambda each: each.acts[-1].seq)
        .table("receipts", "What destinations answered in the period")
    )


def _counted(facts: Facts, key: Callable[[Reach], K]) -> list[tuple[K, Counter[Outcome]]]:
    found: dict[K, Counter[Outcome]] = {}
    for each in facts.deadlines.reach:
        found.setdefault(key(each), Counter())[each.outcome] += each.requests
    return sorted(found.items(), key=lambda item: tuple(map(str, item[0])))


def _number_of(outcome: Outcome) -> Callable[[tuple[K, Counter[Outcome]]], int]:
    return lambda each: each[1][outcome]


def sampling(facts: Facts) -> Iterator[Table]:
    """Requests that were drawn, each step of each, and the leaves and proofs that show them."""
    sample = facts.sample
    yield pairs(
        "sample_method",
        "How the sample was drawn",
        (
            ("Requests that could be drawn", sample.population),
            ("Asked for", sample.size),
            ("Drawn are", sample.method),
            ("Seed", sample.seed),
            ("The seed is", sample.seed_is),
        ),
    )
    yield (
        Listing(sample.items)
        .column("Entry", lambda each: each.seq)
        .column("Person", lambda each: each.subject)
        .column(
            "Address",
            lambda each: facts.addresses.get(each.seq),
            wanted=facts.manifest.audience == "full",
        )
        .column("Source", lambda each: each.source)
        .column("Brought by", lambda each: word(each.origin))
        .column("Reason", lambda each: word(each.reason))
        .column("Scope", lambda each: each.scope)
        .column("Acted", lambda each: each.acted)
        .column("Received", lambda each: each.received)
        .column("Recorded", lambda each: each.recorded)
        .column("Ended", lambda each: each.ended)
        .column("State", lambda each: word(each.state))
        .column("Drawn by", lambda each: each.drawn_by[:16])
        .table(
            "sample",
            f"{len(sample.items):,} of {sample.population:,} requests, drawn by their digests",
            empty="None was drawn.",
        )
    )
    yield (
        Listing(sample.steps)
        .column("Entry", lambda each: each.seq)
        .column("Policy", lambda each: each.policy)
        .column("Destination", lambda each: each.destination)
        .column("Clock started", lambda each: each.started)
        .column("Strict date", lambda each: each.strict)
        .column("Lenient date", lambda each: each.lenient)
        .column("Honoured", lambda each: each.honoured)
        .column("Receipt", lambda each: each.receipt)
        .column("Read back", lambda each: each.read_back)
        .column("Days used", lambda each: each.days_used)
        .column("State", lambda each: word(each.state))
        .table("sample_steps", "What became of each drawn request", empty="None was drawn.")
    )
    yield (
        Listing(sample.shown)
        .column("Entry", lambda each: each.seq)
        .column("Leaf", lambda each: each.leaf)
        .column("Leaf hash", lambda each: each.leaf_hash)
        .column("Proof, from the leaf up", lambda each: " ".join(each.proof))
        .table(
            "sample_proofs",
            "The entries behind the sample, byte for byte, with their proofs",
            empty="None was drawn.",
        )
    )


def replays(facts: Facts) -> Iterator[Table]:
    """Each what-if: a figure as it was, and as it would have been."""
    if not facts.what_if:
        return
    rows = [(each.scenario, figure) for each in facts.what_if for figure in each.compared]
    yield (
        Listing(rows)
        .column("What if", lambda each: each[0])
        .column("Figure", lambda each: each[1].says)
        .column("Was", lambda each: each[1].was)
        .column("Would be", lambda each: each[1].would_be)
        .column("Difference", lambda each: each[1].difference)
        .table("what_if", "What if")
    )
    notes = [(each.scenario, said) for each in facts.what_if for said in each.explained]
    yield (
        Listing(notes)
        .column("What if", lambda each: each[0])
        .column("How it was worked out", lambda each: each[1])
        .table("what_if_explained", "How the replays were worked out")
    )


def access(facts: Facts) -> Iterator[Table]:
    """Who wrote to the ledger."""
    yield (
        Listing(facts.activity.actors)
        .column("By", lambda each: each.name)
        .column("Entries in the period", lambda each: each.entries)
        .table("access", "Who wrote to the ledger")
    )

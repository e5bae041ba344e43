"""The sampling annex: requests drawn by a method that anybody can repeat, each traced to its receipts.

The method, for a seed and a size n: write the seed, a colon and the entry's number as text, take SHA-256 of
that, and choose the n requests with the smallest digests. So the choice follows from the seed alone:
without a random generator, in any language, whatever the order of reading. Whoever does not trust whoever
made the report gives the seed; by default it is the ledger's root, which nobody can choose.

Each item shows the exact leaf of its entry and those of the receipts that honoured it, with the proofs
(RFC 6962) that they are in the ledger whose root the report quotes:

    SHA-256(0x00 || leaf), then with each hash of the proof SHA-256(0x01 || left || right), gives the root
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import TypeAlias

from suppress.core.suppression import Origin, Reason
from suppress.report.judging import State
from suppress.report.timeliness import Court, Group, Obligation

METHOD = "the requests with the smallest SHA-256 of SEED:ENTRY"


@dataclass(frozen=True, slots=True)
class Shown:
    """One entry as the ledger keeps it, and the proof that it does."""

    seq: int
    leaf: str
    """The exact bytes, which are UTF-8 text without personal data."""
    leaf_hash: str
    proof: tuple[str, ...]
    """Hexadecimal, from the leaf up."""
    payload: str | None = None
    """In the full variant, what the leaf's commitment commits to; None when erased or redacted."""
    salt: str | None = None


Prover: TypeAlias = Callable[[Sequence[int], int, bool], Mapping[int, Shown]]
"""Shows entries of the ledger of a size, with what their commitments commit to or without."""


@dataclass(frozen=True, slots=True)
class Step:
    """What became of one request at one destination under one policy."""

    seq: int
    """The request's entry."""
    policy: str
    destination: str
    started: date
    strict: date
    lenient: date
    receipt: int | None
    """The entry of the receipt that covers it."""
    honoured: date | None
    read_back: bool | None
    days_used: int | None
    """Days of the policy from the clock's start until it was honoured."""
    state: State


@dataclass(frozen=True, slots=True)
class Item:
    """One request that was drawn."""

    seq: int
    drawn_by: str
    """The digest by which it was chosen."""
    subject: str
    source: str
    origin: Origin
    reason: Reason
    scope: str
    received: date
    acted: date
    recorded: date
    ended: date | None
    """When it was lifted, erased or struck out, if it was."""
    state: State
    """As the worst of its steps."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The items in the order in which they were drawn, their steps, and the entries that show them."""

    size: int
    """How many were asked for."""
    population: int
    """How many requests were judged, and could be drawn."""
    seed: str
    seed_is: str
    method: str
    items: tuple[Item, ...]
    steps: tuple[Step, ...]
    shown: tuple[Shown, ...]


def drawn(seqs: Iterable[int], size: int, seed: str) -> list[tuple[str, int]]:
    """The digests and entries that are drawn, smallest digest first."""
    start = f"{seed}:".encode()

    def digests() -> Iterator[tuple[bytes, int]]:
        for seq in seqs:
            yield sha256(start + str(seq).encode()).digest(), seq

    return [(digest.hex(), seq) for digest, seq in heapq.nsmallest(size, digests())]


def sampled(
    court: Court,
    judged: Sequence[int],
    size: int,
    seed: str,
    seed_is: str,
    ledger: int,
    prover: Prover | None,
    full: bool,
) -> Sample:
    """Draw `size` of the judged requests (by index) and trace them; `ledger` is the size of the ledger."""
    requests = court.people.requests
    items: list[Item] = []
    steps: list[Step] = []
    for digest, seq in drawn((requests.seq[each] for each in judged), size, seed) if size else ():
        index = requests.at_seq(seq)
        assert index is not None
        group = court.group_of(index)
        judgement = court.judge(group)
        states = [state for _, _, state in judgement.by_rule]
        worst = max(states, key=lambda state: state.urgency, default=State.ENDED)
        items.append(_item(court, group, seq, digest, worst))
        steps += (_step(seq, group, each) for each in judgement.obligations)
    named = {each.seq for each in items} | {each.receipt for each in steps if each.receipt is not None}
    found = {} if prover is None or not named else prover(sorted(named), ledger, full)
    return Sample(
        size=size,
        population=len(judged),
        seed=seed,
        seed_is=seed_is,
        method=METHOD,
        items=tuple(items),
        steps=tuple(steps),
        shown=tuple(found[seq] for seq in sorted(found)),
    )


def _item(court: Court, group: Group, seq: int, digest: str, state: State) -> Item:
    (index,) = group.indexes
    people, kind = court.people, group.kind
    return Item(
        seq=seq,
        drawn_by=digest,
        subject=people.subjects[people.requests.person[index]],
        source=kind.source,
        origin=kind.origin,
        reason=kind.reason,
        scope=str(kind.scope),
        received=group.received,
        acted=group.acted,
        recorded=group.learned,
        ended=group.ended,
        state=state,
    )


def _step(seq: int, group: Group, each: Obligation) -> Step:
    started, told = group.started(each.rule), each.told
    return Step(
        seq=seq,
        policy=each.rule.id,
        destination=each.name,
        started=started,
        strict=each.due.strict,
        lenient=each.due.lenient,
        receipt=None if told is None else told.seq,
        honoured=None if told is None else told.day,
        read_back=None if told is None else told.verified,
        days_used=None if told is None else each.rule.used(started, told.day),
        state=each.state,
    )

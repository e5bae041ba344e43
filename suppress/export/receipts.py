"""What the ledger says about a destination: its receipts, and whether its settings changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import TypeVar

from suppress.config import DestinationSettings, is_secret
from suppress.core.canonical import canonical
from suppress.core.entry import Body, DestinationChanged, Entry, Erased, Forgotten, Honoured, OptOutRecorded
from suppress.core.spans import spans
from suppress.ledger import Ledger

_B = TypeVar("_B", bound=Body)

LISTED = 1_000
"""Exceptions that a receipt names one by one; beyond, it names runs of them."""
RUNS = 3_100
"""Runs in one receipt: an entry holds at most 65,535 bytes, and a number has up to nine digits."""


def honoured(ledger: Ledger, name: str) -> Honoured | None:
    """The newest receipt of a destination since it has its present settings."""
    return next(_receipts(ledger, name), None)


def _receipts(ledger: Ledger, name: str) -> Iterator[Honoured]:
    changed = next((entry.seq for entry in ledger.about(DestinationChanged.type, name)), -1)
    newer = takewhile(lambda entry: entry.seq > changed, ledger.about(Honoured.type, name))
    return _bodies(newer, Honoured)


def parts_done(ledger: Ledger, name: str) -> dict[str, Honoured]:
    """By digest, the receipts of parts that a run which did not end has told already.

    Their watermark is that of the newest receipt: a run that ends moves it on.
    """
    since = _receipts(ledger, name)
    newest = next(since, None)
    if newest is None:
        return {}
    unfinished = [newest, *takewhile(lambda each: each.upto == newest.upto, since)]
    return {each.artefact: each for each in unfinished}


def change(
    ledger: Ledger, settings: DestinationSettings, secrets: Iterable[str]
) -> tuple[DestinationChanged | None, str]:
    """The entry to append if the destination is new or its settings changed, and that entry's id.

    The id commits to the settings and to the change before it, so comparing ids compares settings. Secrets
    and what was given as a flag for one run are no part of them.
    """
    lasting = {
        key: value
        for key, value in settings.options.items()
        if key not in secrets and not is_secret(key) and not settings.origins.get(key, "").startswith("-")
    }
    form = canonical([settings.name, settings.platform, settings.sender, lasting])
    changes = [entry.id for entry in ledger.about(DestinationChanged.type, settings.name)]

    def id_after(before: str) -> str:
        return hashlib.sha256(b"destination\n" + before.encode() + b"\n" + form).hexdigest()[:32]

    if not changes:
        return DestinationChanged(settings.name, settings.platform, "added"), id_after("")
    if changes[0] == id_after(changes[1] if len(changes) > 1 else ""):
        return None, changes[0]
    return DestinationChanged(settings.name, settings.platform, "reconfigured"), id_after(changes[0])


def erased(ledger: Ledger) -> dict[str, frozenset[int]]:
    """Subject → opt-outs, of people who stay suppressed and whose address is gone."""
    gone: dict[str, set[int]] = {}
    for body in _bodies(ledger.about(Erased.type), Erased):
        gone.setdefault(body.subject, set()).update(body.entries)
    for forgotten in _bodies(ledger.about(Forgotten.type), Forgotten):
        gone.pop(forgotten.subject, None)
    opt_outs = {
        subject: frozenset(
            entry.seq
            for seq in seqs
            for entry in ledger.entries(seq, seq + 1)
            if isinstance(entry.body, OptOutRecorded)
        )
        for subject, seqs in gone.items()
    }
    return {subject: seqs for subject, seqs in opt_outs.items() if seqs}


def runs(receipt: Honoured) -> Iterator[tuple[int, int]]:
    """First and last of each run of entries that a receipt does not cover."""
    pairs = spans(receipt.failed) if receipt.spans is None else receipt.spans
    yield from zip(pairs[::2], pairs[1::2], strict=True)


def held(ledger: Ledger, name: str, opt_outs: frozenset[int]) -> frozenset[int]:
    """Those of these opt-outs that some receipt of a destination covers."""
    open_ones = opt_outs
    for receipt in _receipts(ledger, name):
        failed = frozenset(receipt.exceptions)
        open_ones = frozenset(seq for seq in open_ones if seq > receipt.upto or seq in failed)
        if not open_ones:
            break
    return opt_outs - open_ones


def held_between(ledger: Ledger, name: str, asked: Iterable[tuple[str, int, int]]) -> set[str]:
    """Of (subject, opt-out, consent after it), the subjects whom some receipt covers that lies between.

    A later one says nothing of them: who is not suppressed is neither told of nor excepted.
    """
    open_ones, found = list(asked), set[str]()
    for receipt in _receipts(ledger, name):
        covered = [each for each in open_ones if each[1] <= receipt.upto < each[2]]
        if covered:
            excepted = frozenset(receipt.exceptions)
            found.update(subject for subject, opt_out, _ in covered if opt_out not in excepted)
            open_ones = [each for each in open_ones if each[0] not in found]
    return found


@dataclass(frozen=True, slots=True)
class Exceptions:
    """What a receipt lists: a watermark, and the entries below it that a destination does not hold."""

    upto: int
    requests: frozenset[int] = frozenset()
    beside: frozenset[int] = frozenset()
    """Entries that added these people, which may be named with their requests and make longer runs."""

    def receipt(self, destination: str, artefact: str, count: int, *, verified: bool) -> Honoured:
        """The entry that says so."""
        if len(self.requests) <= LISTED:
            return Honoured(destination, self.upto, artefact, count, tuple(sorted(self.requests)), verified)
        runs = spans(self.requests | self.beside)
        return Honoured(
            destination, self.upto, artefact, count, (), verified, spans=runs, requests=len(self.requests)
        )


def fitting(upto: int, failed: Iterable[int], beside: Iterable[int], erased: Iterable[int]) -> Exceptions:
    """Watermark and exceptions that fit into an entry; with too many, the watermark stops before the rest.

    People who were erased take what room the others leave. They can never be told, so that a watermark which
    waited for them would stand still; and an `erased` entry names them all.
    """
    listed, added = frozenset(failed), frozenset(beside)
    runs = spans(listed | added)
    if len(listed) > LISTED and len(runs) > 2 * RUNS:
        stop = runs[2 * RUNS] - 1
        return Exceptions(
            stop,
            frozenset(each for each in listed if each <= stop),
            frozenset(each for each in added if each <= stop),
        )
    gone = sorted(set(erased) - listed, reverse=True)
    # Each of them is at worst a run of its own; a list that names one by one has less room.
    room = LISTED - len(listed) if len(listed) + len(gone) <= LISTED else RUNS - len(runs) // 2
    return Exceptions(upto, listed.union(gone[: max(0, room)]), added)


def _bodies(entries: Iterable[Entry], kind: type[_B]) -> Iterator[_B]:
    for entry in entries:
        assert isinstance(entry.body, kind), "the ledger's index is by type"
        yield entry.body

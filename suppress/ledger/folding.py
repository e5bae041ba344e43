"""Entries about one person, in order, to their standing. Pure; the projections must always equal it.

Rules kept here, beside those of `suppress.core.standing`:

* A consent counts from the earlier of its claimed date and the moment the ledger learned of it. A consent
  dated into the future would otherwise lift opt-outs that have not happened yet.
* An opt-out without a date counts from when the ledger learned of it.
* A corrected entry no longer counts; a correction that was itself corrected no longer does either.
"""

from __future__ import annotations

from collections.abc import Sequence

from suppress.core.entry import Corrected, Entry, OptInRecorded, OptOutRecorded
from suppress.core.standing import Lift, Standing, Suppression


def standing_of(subject: str, entries: Sequence[Entry]) -> Standing:
    """The standing of `subject` after all `entries` about them, given in the order of the ledger."""
    annulled = annulled_by(entries)
    standing = Standing(subject)
    for entry in entries:
        if entry.seq not in annulled:
            standing = after(standing, entry)
    return standing


def annulled_by(entries: Sequence[Entry]) -> frozenset[int]:
    """The entries that no longer count. A correction names an earlier entry, so the newest decides first."""
    annulled: set[int] = set()
    for entry in reversed(entries):
        if isinstance(entry.body, Corrected) and entry.seq not in annulled:
            annulled.add(entry.body.entry)
    return frozenset(annulled)


def after(standing: Standing, entry: Entry) -> Standing:
    """`standing` after one more entry that is not a correction."""
    match entry.body:
        case OptOutRecorded() as body:
            new = Suppression(
                body.channel,
                body.scope,
                body.reason,
                body.occurred_at,
                body.occurred_at or entry.at,
                body.source,
                entry.seq,
                body.visibility,
            )
            if not standing.suppressions:  # nearly everybody's first is their only one: nothing to merge
                return Standing(standing.subject, (new,), standing.lifts)
            return standing.with_opt_out(new)
        case OptInRecorded() as body:
            lift = Lift(body.channel, body.scope, min(body.occurred_at, entry.at), entry.seq)
            return standing.with_consent(lift)
        case _:
            return standing

"""Standings as rows of the tables `standing` and `lift`, and back. No SQL, nothing heavy.

A row that no standing can have (a reason that does not exist, a date that is none) was not written by this
program: reading it raises `LedgerDamaged` and never answers a check.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from suppress.core.canonical import moment, timestamp
from suppress.core.standing import Lift, Standing, Suppression
from suppress.core.suppression import Channel, Reason, Scope, Visibility
from suppress.errors import LedgerDamaged

Row = Sequence[Any]


def row_of_suppression(person: int, each: Suppression) -> tuple[Any, ...]:
    """A row of `standing`."""
    return (
        person,
        each.channel.value,
        str(each.scope),
        each.reason.value,
        None if each.since is None else timestamp(each.since),
        timestamp(each.latest),
        each.source,
        each.seq,
        None if each.visibility is None else each.visibility.value,
    )


def row_of_lift(person: int, each: Lift) -> tuple[Any, ...]:
    """A row of `lift`."""
    return person, each.channel.value, str(each.scope), timestamp(each.at), each.seq


def suppression_from(row: Row) -> Suppression:
    """A row of `standing`, after its person. Raises `LedgerDamaged`."""
    try:
        channel, scope, reason, since, latest, source, seq, visibility = row
        return Suppression(
            Channel(channel),
            Scope.parse(scope),
            Reason(reason),
            None if since is None else moment(since),
            moment(latest),
            source,
            seq,
            None if visibility is None else Visibility(visibility),
        )
    except (ValueError, TypeError, AttributeError) as wrong:
        raise _changed(wrong) from wrong


def standing_from(subject: str, suppressions: Iterable[Row], lifts: Iterable[Row]) -> Standing:
    """A standing from its rows (after their person) in any order, equal to the one that was written.

    Raises:
        LedgerDamaged: A row that no standing can have.
    """
    found = [suppression_from(row) for row in suppressions]
    # One row is the rule, and needs no merging: this is the inner loop of a check.
    standing = Standing(subject, tuple(found) if len(found) == 1 else ())
    for each in found if len(found) > 1 else ():
        standing = standing.with_opt_out(each)
    for row in lifts:
        try:
            channel, scope, at, seq = row
            lift = Lift(Channel(channel), Scope.parse(scope), moment(at), seq)
        except (ValueError, TypeError, AttributeError) as wrong:
            raise _changed(wrong) from wrong
        standing = standing.with_consent(lift)
    return standing


def _changed(wrong: Exception) -> LedgerDamaged:
    return LedgerDamaged(f"a row of the ledger's standings was changed from outside: {wrong}")

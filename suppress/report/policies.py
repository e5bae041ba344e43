"""The policies that a report applied: their text for the annex, and the clock that they give.

Rules kept here:

* A request is judged by the version of a policy that was in force when its clock started. Before the first
  version it is not judged under that policy at all.
* The annex holds every version with the fingerprint of its text, so that a report can be made again under the
  very rules that it was made under, and a changed rule shows.
* A policy about something else than e-mail is listed and not applied.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from suppress.core import calendars
from suppress.core.deadline import Deadline
from suppress.core.policy import Chosen, Policy, Trigger
from suppress.core.suppression import Reason
from suppress.report.timeliness import Rule


@dataclass(frozen=True, slots=True)
class AppliedPolicy:
    """One version of a chosen policy."""

    id: str
    version: int
    table: str
    """Where it is written: the shipped table, or the user's file."""
    digest: str
    """SHA-256 of that table or file."""
    fingerprint: str
    """Of this version's own text."""
    title: str
    regime: str
    applies_to: str
    clock: str
    time: str
    day_zero: str
    strict: str
    lenient: str
    holidays: str | None
    """The library and edition that the holidays come from; None when the policy counts none."""
    mechanism_days: int | None
    record_retention: str | None
    ask_again_after: str | None
    transfer_rule: str | None
    effective_from: date | None
    effective_to: date | None
    source: str
    verified_on: date
    applied: bool


def annex(chosen: Sequence[Chosen]) -> tuple[AppliedPolicy, ...]:
    """Every version of the chosen policies, in order."""
    return tuple(_applied(each, version) for each in chosen for version in each.versions)


def rules(chosen: Sequence[Chosen]) -> tuple[Rule, ...]:
    """The clocks of those that apply to e-mail."""
    return tuple(_rule(each) for each in chosen if any(version.applied for version in each.versions))


def _applied(chosen: Chosen, found: Policy) -> AppliedPolicy:
    counts_holidays = found.strict.holidays is not None or found.lenient.holidays is not None
    return AppliedPolicy(
        id=found.id,
        version=found.version,
        table=chosen.table,
        digest=chosen.digest,
        fingerprint=found.fingerprint,
        title=found.title,
        regime=found.regime,
        applies_to=found.applies_to,
        clock="receipt" if found.trigger.at_receipt else "the person's own act",
        time=f"{found.n} {found.unit.value.replace('_', ' ')}",
        day_zero=found.day_zero.value.replace("_", " "),
        strict=str(found.strict),
        lenient=str(found.lenient),
        holidays=calendars.edition() if counts_holidays else None,
        mechanism_days=found.mechanism_days,
        record_retention=found.record_retention,
        ask_again_after=found.ask_again_after,
        transfer_rule=found.transfer_rule,
        effective_from=found.effective_from,
        effective_to=found.effective_to,
        source=found.source,
        verified_on=found.verified_on,
        applied=found.applied,
    )


def _rule(chosen: Chosen) -> Rule:
    def due(started: date) -> Deadline | None:
        held = chosen.on(started)
        return None if held is None or not held.applied else calendars.due(held, started)

    def used(started: date, day: date) -> int:
        held = chosen.on(started) or chosen.versions[-1]
        return calendars.used(held, started, day)

    trigger = chosen.versions[-1].trigger
    # A one-click post is not told apart from a click on the link: both are the person's own unsubscribe.
    only = frozenset({Reason.UNSUBSCRIBED}) if trigger is Trigger.ONE_CLICK_POST else None
    return Rule(chosen.id, counts_from_receipt=trigger.at_receipt, due=due, used=used, only=only)

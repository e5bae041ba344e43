"""The policies that a report applied: their text for the annex, and the clock that they give.

Rules kept here:

* A request is judged by the version of a policy that was in force when its clock started. Before the first
  version it is not judged under that policy at all.
* A policy about something else than e-mail is listed and not applied.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from suppress.core import calendars
from suppress.core.deadline import Deadline
from suppress.core.policy import Policy, Trigger, policies, policy, table_version
from suppress.core.suppression import Reason
from suppress.report.timeliness import Rule


@dataclass(frozen=True, slots=True)
class AppliedPolicy:
    """One configured policy, in the version in force when the report was made."""

    id: str
    version: int
    table_version: int
    title: str
    regime: str
    clock: str
    time: str
    strict: str
    lenient: str
    holidays: str | None
    """The library and edition that the holidays come from; None when the policy counts none."""
    source: str
    verified_on: date
    applied: bool


def applied(ids: Sequence[str], on: date) -> tuple[AppliedPolicy, ...]:
    """The configured policies, in order. Raises `ConfigWrong` for one that does not exist."""
    return tuple(_applied(policy(id_, on)) for id_ in dict.fromkeys(ids))


def rules(chosen: Sequence[AppliedPolicy]) -> tuple[Rule, ...]:
    """The clocks of those that apply to e-mail."""
    return tuple(_rule(each.id) for each in chosen if each.applied)


def _applied(found: Policy) -> AppliedPolicy:
    counts_holidays = found.strict.holidays is not None or found.lenient.holidays is not None
    return AppliedPolicy(
        id=found.id,
        version=found.version,
        table_version=table_version(),
        title=found.title,
        regime=found.regime,
        clock="receipt" if found.trigger.at_receipt else "the person's own act",
        time=f"{found.n} {found.unit.value.replace('_', ' ')}",
        strict=str(found.strict),
        lenient=str(found.lenient),
        holidays=calendars.edition() if counts_holidays else None,
        source=found.source,
        verified_on=found.verified_on,
        applied="e-mail" in found.applies_to,
    )


def _rule(id_: str) -> Rule:
    versions = policies()[id_]

    def due(started: date) -> Deadline | None:
        held = [each for each in versions if each.in_force(started)]
        return calendars.due(held[-1], started) if held else None

    trigger = versions[-1].trigger
    # A one-click post is not told apart from a click on the link: both are the person's own unsubscribe.
    only = frozenset({Reason.UNSUBSCRIBED}) if trigger is Trigger.ONE_CLICK_POST else None
    return Rule(id_, counts_from_receipt=trigger.at_receipt, due=due, only=only)

"""What is wrong just now: deadlines, censuses, stale sources, spikes, drift, quota, sign-ins.

A finding's `level` says how bad it is: one that rises is news, one that falls is not. For overdue requests
and drift it is the number of them, so that one more person is told at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from suppress.alerts.spike import Spike
from suppress.plugin.alerting import Condition
from suppress.plugin.signing import SignedIn
from suppress.status import Status

SIGN_IN_DAYS = (30, 7)
"""Days left of a sign-in at which it is said, and said again."""
QUOTA_LEFT = 0.1
"""Share of a day's requests below which it is said."""


@dataclass(frozen=True, slots=True)
class Quota:
    """Requests of the day that a source has left."""

    source: str
    left: int
    per_day: int


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong."""

    condition: Condition
    about: str
    level: int
    says: str
    next_step: str

    @property
    def id(self) -> str:
        """Which one it is, while it lasts."""
        return f"{self.condition.value}:{self.about}" if self.about else self.condition.value


@dataclass(frozen=True, slots=True)
class Beside:
    """What the report's figures do not say."""

    broken_censuses: tuple[str, ...] = ()
    """Sources whose last census did not come to a good end."""
    spikes: tuple[Spike, ...] = ()
    quotas: tuple[Quota, ...] = ()
    sign_ins: tuple[SignedIn, ...] = ()


def findings(found: Status, beside: Beside) -> tuple[Finding, ...]:
    """Everything that is wrong, most urgent first."""
    return (
        *_deadlines(found),
        *_drift(found),
        *_sign_ins(beside.sign_ins),
        *_sources(found, beside),
        *_spikes(beside.spikes),
        *_quotas(beside.quotas),
    )


def _deadlines(found: Status) -> Iterator[Finding]:
    waiting = found.waiting
    if waiting.overdue:
        says = f"opt-outs not honoured everywhere although the last day has passed: {waiting.overdue:,}"
        yield Finding(Condition.OVERDUE, "", waiting.overdue, says, "suppress status, then export, today")
    soon = waiting.due_soon + waiting.at_risk
    if soon:
        says = f"opt-outs that are due within 3 days or past their strict date: {soon:,}"
        yield Finding(Condition.DUE_SOON, "", 1, says, "suppress status, then export")


def _drift(found: Status) -> Iterator[Finding]:
    for each in found.drift:
        place = f"{'destination' if each.destination else 'source'} {each.source}"
        says = f"suppressed people who are mailable again at {place}: {each.people:,}"
        yield Finding(Condition.DRIFT, place, each.people, says, "suppress status; suppress patrol")


def _sign_ins(sign_ins: Iterable[SignedIn]) -> Iterator[Finding]:
    for each in sign_ins:
        step = each.remedy or f"suppress login {each.source}"
        if each.needed:
            yield Finding(Condition.SIGN_IN, each.source, 3, f"source {each.source} needs a sign-in", step)
        elif each.days_left is not None and each.days_left <= SIGN_IN_DAYS[0]:
            level = 2 if each.days_left <= SIGN_IN_DAYS[1] else 1
            says = f"the sign-in of source {each.source} lapses in {each.days_left} days"
            yield Finding(Condition.SIGN_IN, each.source, level, says, f"suppress login {each.source}")


def _sources(found: Status, beside: Beside) -> Iterator[Finding]:
    for name in beside.broken_censuses:
        says = (
            f"the last census of source {name} was incomplete: its counts do not add up, or it was cut short"
        )
        yield Finding(Condition.CENSUS, name, 1, says, f"suppress sync {name} --full")
    for each in found.sources:
        if each.configured and each.run_is_stale:
            says = f"source {each.name} was not read completely for over 26 hours"
            yield Finding(Condition.STALE, each.name, 2, says, f"suppress sync {each.name}")
        elif each.configured and each.census_is_stale:
            says = f"source {each.name} had no complete census for over 8 days"
            yield Finding(Condition.STALE, each.name, 1, says, f"suppress sync {each.name} --full")


def _spikes(spikes: Iterable[Spike]) -> Iterator[Finding]:
    for each in spikes:
        says = (
            f"source {each.source} brought {each.today:,} opt-outs today; {each.bar:,} would be many for it"
        )
        step = "look at what was sent and which lists were cleaned; nothing is lifted by itself"
        yield Finding(Condition.SPIKE, each.source, 1, says, step)


def _quotas(quotas: Iterable[Quota]) -> Iterator[Finding]:
    for each in quotas:
        if each.left < each.per_day * QUOTA_LEFT:
            says = f"source {each.source} has {each.left:,} of {each.per_day:,} requests left today"
            yield Finding(Condition.QUOTA, each.source, 1 if each.left else 2, says, "suppress doctor")

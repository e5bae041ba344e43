"""What one report of a platform means for what the ledger holds: a pure function to a plan.

Rules kept here:

* An opt-out is recognised by the platform's permission alone, deleted or not, dated or not, whoever
  entered it: Constant Contact's `opt_out_source=Account` binds as much as `Contact`.
* Someone the ledger holds who is reported mailable is drift. Nothing here ever lifts.
* Whoever is suppressed only because mail bounced is no drift where the platform does not mind it.
* What a second source of the same platform says again is nothing new while the person is suppressed.
* Someone suppressed on our side only and hidden or held on theirs is no drift: they are not being mailed.
* A record of ours is added to when the platform knows more (another request, a stronger reason, a wider
  scope), never replaced.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from suppress.core.address import Address
from suppress.core.standing import Standing
from suppress.core.suppression import (
    EVERYTHING,
    Channel,
    Drift,
    Json,
    OptOut,
    Origin,
    Reason,
    Scope,
    Visibility,
)


class Permission(StrEnum):
    """What a platform says about mailing a person, in our words; the platform's own word is evidence."""

    OPTED_OUT = "opted_out"
    MAILABLE = "mailable"
    HELD = "held"
    """Not mailable just now, and not an opt-out: pending confirmation, bounce hold, unknown values."""


@dataclass(frozen=True, slots=True)
class Observed:
    """One contact as a source reported it.

    `address` is None for contacts that have none (SMS only). `fingerprint` is what tells two requests of
    the same contact apart, as the platform gives it: contact id and opt-out date, verbatim.
    """

    source: str
    address: Address | None
    permission: Permission
    word: str
    """The platform's own value for the permission."""
    deleted: bool = False
    reason: Reason = Reason.UNKNOWN
    opted_out_at: datetime | None = None
    changed_at: datetime | None = None
    """When the permission last changed, if the platform tells."""
    channel: Channel = Channel.EMAIL
    scope: Scope = EVERYTHING
    fingerprint: tuple[str, ...] = ()
    evidence: Mapping[str, Json] = field(default_factory=dict)
    again: bool = False
    """Whether it is the platform's second word on what it mostly reports itself, such as a campaign's report:
    recorded only of people who are not suppressed, so that no request counts twice."""


class Novelty(StrEnum):
    """Why an opt-out is worth an entry."""

    NEW = "new"
    """The person was not suppressed before."""
    AGAIN = "again"
    """The person was suppressed, consented later, and has opted out once more."""
    MORE = "more"
    """Already suppressed; this request is another one, stronger, or wider."""


@dataclass(frozen=True, slots=True)
class Record:
    """Append this opt-out. The ledger drops it silently if the same facts are already there."""

    opt_out: OptOut
    novelty: Novelty


@dataclass(frozen=True, slots=True)
class Alarm:
    """Append this drift and tell people."""

    drift: Drift


@dataclass(frozen=True, slots=True)
class Nothing:
    """Nothing to append, and why."""

    why: str


Plan = Record | Alarm | Nothing


def reconcile(standing: Standing, observed: Observed) -> Plan:
    """What to append, given what holds for the observed address and what the platform says."""
    if observed.address is None:
        return Nothing("the contact has no address in this channel")
    against = standing.against(observed.channel, observed.scope)
    match observed.permission:
        case Permission.OPTED_OUT if observed.again and against is not None:
            return Nothing("already suppressed, and this is the platform's second word on it")
        case Permission.OPTED_OUT:
            return Record(_opt_out(observed, observed.address), _novelty(standing, observed))
        case Permission.MAILABLE if not observed.deleted and _asked_not_to_be(standing, observed):
            return Alarm(_drift(observed, observed.address))
        case Permission.MAILABLE | Permission.HELD:
            return Nothing("not an opt-out")
        case _ as never:
            assert_never(never)


def _asked_not_to_be(standing: Standing, observed: Observed) -> bool:
    """Whether an opt-out stands, not only a bounce: reasons of one scope are folded, the strongest leads."""
    requests = tuple(each for each in standing.suppressions if each.reason is not Reason.BOUNCED)
    asked = replace(standing, suppressions=requests)
    return asked.against(observed.channel, observed.scope) is not None


def _novelty(standing: Standing, observed: Observed) -> Novelty:
    if standing.against(observed.channel, observed.scope) is not None:
        return Novelty.MORE
    before = any(each.channel is observed.channel for each in standing.suppressions)
    return Novelty.AGAIN if before else Novelty.NEW


def _opt_out(observed: Observed, address: Address) -> OptOut:
    return OptOut(
        address=address,
        source=observed.source,
        origin=Origin.PLATFORM,
        reason=observed.reason,
        scope=observed.scope,
        channel=observed.channel,
        occurred_at=observed.opted_out_at,
        # The platform is a system of ours: it had the request when the person acted.
        received_at=observed.opted_out_at,
        visibility=Visibility.DELETED if observed.deleted else Visibility.VISIBLE,
        evidence=observed.evidence,
        facts=observed.fingerprint,
    )


def _drift(observed: Observed, address: Address) -> Drift:
    return Drift(
        address=address,
        source=observed.source,
        observed=observed.word,
        channel=observed.channel,
        since=observed.changed_at,
        evidence=observed.evidence,
        facts=(
            *observed.fingerprint,
            observed.word,
            observed.changed_at.isoformat() if observed.changed_at else "",
        ),
    )

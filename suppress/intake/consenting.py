"""A later consent: the one thing that lifts an opt-out, and only a younger one, in its own scope.

Rules kept here, beside those of `core.standing`:

* A consent has a date, a file that shows it (kept by name and digest, not copied), and somebody who answers
  for taking it as one. 15 U.S.C. 7704(a)(4)(B) asks for affirmative consent *after* the request.
* One that is not younger than every opt-out it would lift is refused, and nothing is recorded. An opt-out
  known by its day alone may have come at the end of that day.
* Rules for domains, partners' digests and aliases are not lifted by it; what still withholds is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo

from suppress.core.address import Address
from suppress.core.mailing import Mailing
from suppress.core.standing import Standing, Suppression
from suppress.core.suppression import EVERYTHING, Channel, Consent, Json, Reason, Scope
from suppress.core.verdict import Ruling, Verdict
from suppress.errors import BadUsage
from suppress.intake.adding import SOURCE, Evidence
from suppress.intake.correcting import require_lasting
from suppress.intake.recording import record
from suppress.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Consented:
    """A consent that was recorded, and what it lifted."""

    consent: Consent
    seq: int | None
    """None in a dry run."""
    new: bool
    lifted: tuple[Suppression, ...]
    """What it ends, as far as the consent reaches."""
    verdict: Verdict | None
    """What is said of the address in that channel and scope now; None in a dry run."""

    @property
    def complained(self) -> bool:
        """Whether a complaint is among what was lifted: platforms go on holding those back by themselves."""
        return any(each.reason is Reason.COMPLAINT for each in self.lifted)


def consent(
    ledger: Ledger,
    address: Address,
    *,
    at: datetime,
    evidence: Evidence,
    approver: str,
    channel: Channel = Channel.EMAIL,
    scope: Scope = EVERYTHING,
    note: str | None = None,
    zone: tzinfo,
    now: datetime,
    actor: str,
    dry_run: bool = False,
) -> Consented:
    """Record one consent. The same consent is recorded once.

    Raises:
        BadUsage: It is dated in the future or not after what it would lift, or there is nothing to lift.
        SuppressError: The ledger cannot be written.
    """
    require_lasting("--approver", approver)
    if at > now:
        raise BadUsage(
            f"--at {_day(at, zone)} lies in the future", remedy="give the day on which they consented"
        )
    facts: dict[str, Json] = {"file": evidence.name, "sha256": evidence.digest}
    if note is not None:
        facts["note"] = note
    standing = ledger.standing(address)
    told = Consent(
        address, SOURCE, at, scope, channel, approver.strip(), evidence.digest, facts,
        (SOURCE, at.astimezone(UTC).isoformat(), evidence.digest),
    )  # fmt: skip
    concerned = tuple(_concerned(standing, channel, scope))
    if not concerned:
        raise BadUsage(_nothing(ledger, address, channel, scope), remedy=f"suppress show {address.raw}")
    _require_later(at, concerned, zone)
    lifted = tuple(each for each in concerned if _stands(each, standing, scope))
    if dry_run:
        return Consented(told, None, True, lifted, None)
    (receipt,) = record(ledger, [told], actor=actor)
    verdict = ledger.check(address.raw, Mailing(channel, scope))
    return Consented(told, receipt.seq, receipt.new, lifted, verdict)


def _concerned(standing: Standing, channel: Channel, scope: Scope) -> Iterator[Suppression]:
    """The opt-outs that bind what the consent is about."""
    for each in standing.suppressions:
        if each.channel is channel and (each.scope.covers(scope) or scope.covers(each.scope)):
            yield each


def _stands(suppression: Suppression, standing: Standing, scope: Scope) -> bool:
    alone = Standing(None, (suppression,), standing.lifts)
    asked = scope if suppression.scope.covers(scope) else suppression.scope
    return alone.against(suppression.channel, asked) is not None


def _require_later(at: datetime, concerned: Sequence[Suppression], zone: tzinfo) -> None:
    """Refuse a consent that is not younger than all it would lift. Raises `BadUsage`."""
    for each in sorted(concerned, key=lambda one: one.latest, reverse=True):
        if at <= _until(each, zone):
            known = "" if each.since is not None else ", when the ledger learned of it: it has no date"
            raise BadUsage(
                f"--at {_day(at, zone)} is not after the opt-out of {_day(each.latest, zone)} "
                f"(entry {each.seq}, {each.reason}, {each.scope}{known}); an older consent lifts nothing",
                remedy="only a consent given after that counts; give its time if it was on that day",
            )


def _until(suppression: Suppression, zone: tzinfo) -> datetime:
    """The last moment at which it may have been made: without a time of day, the end of its day."""
    for each in (zone, UTC):
        moment = suppression.latest.astimezone(each)
        if moment.time() == time():
            return datetime.combine(moment.date() + timedelta(days=1), time(), each) - timedelta(
                microseconds=1
            )
    return suppression.latest


def _nothing(ledger: Ledger, address: Address, channel: Channel, scope: Scope) -> str:
    verdict = ledger.check(address.raw, Mailing(channel, scope))
    if verdict.ruling is Ruling.CLEAR:
        return f"no opt-out of {address.raw} is on record for {channel}, {scope}: there is nothing to lift"
    return f"{address.raw} has no opt-out of its own; what withholds it is {verdict.rule}"


def _day(moment: datetime, zone: tzinfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M} ({zone})"

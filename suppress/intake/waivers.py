"""Waivers: leave to mail one suppressed person for one purpose until a day. Nothing is lifted by one.

Rules kept here:

* A waiver is for somebody who is withheld now, by their very address, and for a purpose that is named. A
  check counts it only when it is asked for that purpose (`--purpose`), and then says so.
* It has a reason, an approver and an end, at most a year away. Reason and approver are kept where they can be
  erased with the person; purpose and end stay in the ledger for good.
* An erased person has no waiver: the reason for it would be gone, and their erasure ends those they had.
* Whether the law lets such mail go is for the approver to know: an opt-out binds commercial mail, whoever
  approves of it (15 U.S.C. 7704(a)(4)).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from suppress.core.address import Address
from suppress.core.entry import Corrected, Erased, WaiverRecorded
from suppress.core.lasting import problem_of
from suppress.core.mailing import Mailing
from suppress.core.suppression import Channel, Json, Waiver
from suppress.core.verdict import Ruling, Tier
from suppress.errors import BadUsage
from suppress.ledger import Event, Ledger
from suppress.ledger.judging import purpose_in

LONGEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Waived:
    """A waiver that was recorded."""

    address: Address
    purpose: str
    until: datetime
    seq: int | None
    """None in a dry run."""
    new: bool


IN_FORCE, EXPIRED, ERASED = "in force", "expired", "erased"


@dataclass(frozen=True, slots=True)
class WaiverState:
    """A waiver that was not taken back, and whether it counts now."""

    seq: int
    subject: str
    address: str | None
    """None when the person was erased, and then reason and approver are too."""
    purpose: str
    channel: Channel
    until: datetime
    state: str
    reason: str | None
    approver: str | None
    recorded: datetime
    actor: str


def waive(
    ledger: Ledger,
    address: Address,
    *,
    purpose: str,
    until: date,
    reason: str,
    approver: str,
    channel: Channel = Channel.EMAIL,
    zone: tzinfo,
    now: datetime,
    actor: str,
    dry_run: bool = False,
) -> Waived:
    """Let one person through for one purpose, to the end of a day in the sender's time zone.

    Raises:
        BadUsage: A part of it is missing, the day is past or over a year away, nobody withholds the person,
            or they were erased.
        SuppressError: The ledger cannot be written.
    """
    for name, text in (("purpose", purpose), ("reason", reason), ("approver", approver)):
        if not text.strip():
            raise BadUsage(f"a waiver needs its {name}", remedy=f"say it with --{name}")
    _require_lasting("--purpose", purpose)
    end = datetime.combine(until + timedelta(days=1), time(), zone)
    if end <= now:
        raise BadUsage(f"--until {until} is past", remedy="name a day to come")
    if end - now > LONGEST:
        raise BadUsage(f"--until {until} is over a year away", remedy="waive for a year, and look again then")
    verdict = ledger.check(address.raw, Mailing(channel))
    if verdict.ruling is Ruling.CLEAR:
        raise BadUsage("nobody withholds this address, so there is nothing to waive")
    if verdict.tier is Tier.ERASED:
        raise BadUsage("this person was erased, and there is no waiver for somebody erased")
    purpose = " ".join(purpose.split())
    evidence: dict[str, Json] = {"waiver": reason.strip(), "approver": approver.strip()}
    waiver = Waiver(address, purpose, end, channel, evidence, (uuid.uuid4().hex,))
    for each in _in_force(ledger, address, purpose, now):
        if (each.channel, each.until) == (channel, end):
            return Waived(address, purpose, end, each.seq, new=False)
    if dry_run:
        return Waived(address, purpose, end, None, new=True)
    (receipt,) = ledger.append([waiver], actor=actor)
    return Waived(address, purpose, end, receipt.seq, receipt.new)


def end_waiver(
    ledger: Ledger, address: Address, *, purpose: str, reason: str, now: datetime, actor: str, dry_run: bool
) -> tuple[int, ...]:
    """Take back the waivers of a person for a purpose before they end; the entries of those waivers.

    Raises:
        BadUsage: There is none in force, or no reason is given.
        SuppressError: The ledger cannot be written.
    """
    _require_lasting("--reason", reason)
    found = [each.seq for each in _in_force(ledger, address, purpose, now)]
    if not found:
        raise BadUsage("there is no such waiver in force", remedy="suppress waiver list")
    if not dry_run:
        ledger.append(
            [Event(f"end-waiver-{seq}", Corrected(seq, f"taken back: {reason.strip()}")) for seq in found],
            actor=actor,
        )
    return tuple(found)


def waivers(ledger: Ledger, now: datetime) -> Iterator[WaiverState]:
    """All waivers that were not taken back, newest first."""
    erased: dict[str, int] = {}
    for entry in ledger.about(Erased.type):
        assert isinstance(entry.body, Erased)
        erased.setdefault(entry.body.subject, entry.seq)
    for entry in ledger.about(WaiverRecorded.type):
        body = entry.body
        assert isinstance(body, WaiverRecorded)
        payload = ledger.payload(entry.seq) or {}
        evidence = payload.get("evidence")
        said = evidence if isinstance(evidence, Mapping) else {}
        gone = erased.get(body.subject, -1) > entry.seq
        yield WaiverState(
            entry.seq,
            body.subject,
            _text(payload, "address"),
            body.purpose,
            body.channel,
            body.until,
            ERASED if gone else IN_FORCE if body.until > now else EXPIRED,
            _text(said, "waiver"),
            _text(said, "approver"),
            entry.at,
            entry.actor,
        )


def _require_lasting(option: str, text: str) -> None:
    wrong = problem_of(text)
    if wrong is not None:
        raise BadUsage(
            f"{option} {wrong}, and it stays in the ledger for good",
            remedy="say it in a few words, without an address",
        )


def _in_force(ledger: Ledger, address: Address, purpose: str, now: datetime) -> Iterator[WaiverState]:
    subjects = {getattr(each.entry.body, "subject", None) for each in ledger.history(address)}
    for each in waivers(ledger, now):
        same = each.subject in subjects and purpose_in(each.purpose) == purpose_in(purpose)
        if same and each.state == IN_FORCE:
            yield each


def _text(said: Mapping[str, Json], name: str) -> str | None:
    value = said.get(name)
    return None if value is None else str(value)

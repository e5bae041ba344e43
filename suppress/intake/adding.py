"""One opt-out that a person told us, by phone, reply or letter."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path

from suppress.config.policy_files import chosen
from suppress.core.address import Address
from suppress.core.calendars import due
from suppress.core.deadline import Deadline, day_of
from suppress.core.policy import Chosen, Trigger
from suppress.core.suppression import EVERYTHING, Channel, Json, OptOut, Origin, Reason, Scope
from suppress.errors import BadFile, BadUsage
from suppress.intake.recording import record
from suppress.ledger import Ledger

SOURCE = "manual"
"""What the ledger calls requests that staff wrote down."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A file that shows the request: a letter, a mail, a recording. Kept by name and digest, not copied."""

    name: str
    digest: str
    """SHA-256, hexadecimal."""

    @classmethod
    def of(cls, path: Path) -> Evidence:
        """Read the file once. Raises `BadFile`."""
        try:
            with path.open("rb") as stream:
                return cls(path.name, hashlib.file_digest(stream, "sha256").hexdigest())
        except OSError as refused:
            raise BadFile(f"the evidence {path} cannot be read: {refused.strerror}") from refused


@dataclass(frozen=True, slots=True)
class Added:
    """Where the request stands, and by when it must be honoured under each policy."""

    opt_out: OptOut
    seq: int | None
    """None in a dry run."""
    new: bool
    """False when the very same request was already recorded."""
    deadlines: Mapping[str, Deadline]
    kept: bool = True
    """False when the person was erased: of their request neither address nor evidence is kept."""


def add(
    ledger: Ledger,
    address: Address,
    *,
    received: datetime,
    occurred: datetime | None = None,
    reason: Reason = Reason.REQUESTED,
    channel: Channel = Channel.EMAIL,
    scope: Scope = EVERYTHING,
    evidence: Evidence | None = None,
    note: str | None = None,
    policies: Sequence[str] = (),
    zone: tzinfo,
    now: datetime,
    actor: str,
    dry_run: bool = False,
) -> Added:
    """Record one request. The same request (day, kind, evidence, note) is recorded once.

    Raises:
        BadUsage: A date in the future, or receipt before the person acted.
        ConfigWrong, BadFile: An unknown policy, or a file of policies that cannot be read.
        SuppressError: The ledger cannot be written.
    """
    rules = chosen(policies)
    _refuse_impossible(received, occurred, zone=zone, now=now)
    facts: dict[str, Json] = {}
    if note is not None:
        facts["note"] = note
    if evidence is not None:
        facts |= {"file": evidence.name, "sha256": evidence.digest}
    day = day_of(received, zone)
    opt_out = OptOut(
        address=address,
        source=SOURCE,
        origin=Origin.PERSON,
        reason=reason,
        scope=scope,
        channel=channel,
        occurred_at=occurred,
        received_at=received,
        evidence=facts,
        facts=(
            SOURCE,
            day.isoformat(),
            occurred.isoformat() if occurred is not None else "",
            evidence.digest if evidence is not None else "",
            note or "",
        ),
    )
    deadlines = {each.id: found for each in rules if (found := _deadline(each, opt_out, zone)) is not None}
    if dry_run:
        return Added(opt_out, None, new=True, deadlines=deadlines)
    (receipt,) = record(ledger, [opt_out], actor=actor)
    return Added(opt_out, receipt.seq, receipt.new, deadlines, ledger.payload(receipt.seq) is not None)


def _refuse_impossible(received: datetime, occurred: datetime | None, *, zone: tzinfo, now: datetime) -> None:
    for name, moment in (("received", received), ("occurred", occurred)):
        if moment is not None and moment > now:
            raise BadUsage(
                f"--{name} {moment.astimezone(zone):%Y-%m-%d %H:%M} ({zone}) lies in the future",
                remedy="check the date, and `timezone` in suppress.toml",
            )
    if occurred is not None and day_of(occurred, zone) > day_of(received, zone):
        raise BadUsage("--received is before --occurred: nobody gets a request before it is made")


def _deadline(policy: Chosen, opt_out: OptOut, zone: tzinfo) -> Deadline | None:
    """By when it must be honoured; None where the policy was not in force, or is about no request."""
    received = opt_out.received_at
    assert received is not None
    trigger = policy.versions[-1].trigger
    if trigger is Trigger.EACH_SEND:
        return None
    day = day_of(received if trigger.at_receipt else opt_out.occurred_at or received, zone)
    rule = policy.on(day)
    return None if rule is None else due(rule, day)

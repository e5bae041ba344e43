"""What the records of an org say about an address.

Rules kept here:

* All records of an address count: one contact among five that may be mailed is a person who may be mailed.
* A converted lead is read-only and no longer mailed (`CANNOT_UPDATE_CONVERTED_LEAD`); the contact that it
  became is, so that contact is one of the address's records even if its own address has changed since.
* A contact that belongs to a person account is changed through the account; its checkbox follows.
* Addresses are compared as Salesforce does it: without white space at the ends, in small letters.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from suppress.plugin.contract import Remote
from suppress_salesforce import wire
from suppress_salesforce.settings import Target

SYSTEM = ("SystemModstamp", "LastModifiedById")
CONVERSION = ("IsConverted", "ConvertedContactId")
TWIN = "IsPersonAccount"


def same(address: str) -> str:
    """The form in which Salesforce compares addresses."""
    return address.strip().lower()


@dataclass(frozen=True, slots=True)
class Record:
    """One contact, lead or person account."""

    kind: str
    ident: str
    addresses: tuple[str, ...]
    opted_out: bool
    changed: datetime | None = None
    by: str | None = None
    """The id of the user who changed it last."""
    converted: bool = False
    became: str | None = None
    """The contact that a converted lead is now."""
    twin: bool = False
    """Whether it is the contact half of a person account."""

    @property
    def writable(self) -> bool:
        """Whether the checkbox is to be set, and can be, on this record."""
        return not (self.opted_out or self.converted or self.twin)


def columns(target: Target, *, twins: bool) -> tuple[str, ...]:
    """What is asked of an object's records; `twins` where an org has person accounts."""
    more: tuple[str, ...] = ()
    if target.name == "Lead":
        more = CONVERSION
    elif target.name == "Contact" and twins:
        more = (TWIN,)
    return ("Id", *target.emails, target.opt_out, *SYSTEM, *more)


def record(target: Target, row: Mapping[str, object]) -> Record:
    """A row of a query, as JSON or as CSV, where everything is text.

    Raises:
        NotAsPromised: It lacks its id or the checkbox.
    """
    ident, opted_out = row.get("Id"), _truth(row.get(target.opt_out))
    if not isinstance(ident, str) or not ident or opted_out is None:
        raise wire.NotAsPromised(f"a {target.name} without its Id or {target.opt_out}")
    by, became = row.get("LastModifiedById"), row.get("ConvertedContactId")
    return Record(
        target.name,
        ident,
        tuple(each for name in target.emails if isinstance(each := row.get(name), str) and each),
        opted_out,
        changed=wire.instant(row.get("SystemModstamp")),
        by=by if isinstance(by, str) and by else None,
        converted=_truth(row.get("IsConverted")) is True,
        became=became if isinstance(became, str) and became else None,
        twin=target.name == "Contact" and _truth(row.get(TWIN)) is True,
    )


def _truth(value: object) -> bool | None:
    match value:
        case bool():
            return value
        case "true" | "false":
            return value == "true"
        case _:
            return None


@dataclass(slots=True)
class Found:
    """The records of one address."""

    records: dict[str, Record] = field(default_factory=dict)
    """By id."""

    def add(self, each: Record) -> None:
        """One more; the same one twice is one."""
        self.records.setdefault(each.ident[:15], each)

    @property
    def state(self) -> Remote:
        """What the org does with mail to this address."""
        if not self.records:
            return Remote.UNKNOWN
        if any(not (each.opted_out or each.converted) for each in self.records.values()):
            return Remote.MAILABLE
        if any(each.opted_out for each in self.records.values()):
            return Remote.SUPPRESSED
        return Remote.NOT_MAILABLE

    @property
    def reason(self) -> str | None:
        """Why nobody is mailed although no checkbox is set."""
        return "converted lead" if self.state is Remote.NOT_MAILABLE else None

    @property
    def latest(self) -> Record | None:
        """The record that was changed last among those that decide the state."""
        mailable = self.state is Remote.MAILABLE
        latest: tuple[datetime, Record] | None = None
        for each in self.records.values():
            decides = not mailable or not (each.opted_out or each.converted)
            if decides and each.changed is not None and (latest is None or each.changed > latest[0]):
                latest = each.changed, each
        return None if latest is None else latest[1]

    @property
    def to_write(self) -> Sequence[Record]:
        """The records whose checkbox is still to be set."""
        return [each for each in self.records.values() if each.writable]


def sort_in(found: Mapping[str, Found], records: Iterable[Record]) -> None:
    """Give each record to those of the asked addresses that it has; one that nobody asked for to nobody."""
    for each in records:
        for address in each.addresses:
            mine = found.get(same(address))
            if mine is not None:
                mine.add(each)

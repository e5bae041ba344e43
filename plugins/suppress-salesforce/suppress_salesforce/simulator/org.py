"""The records of an org and the rules that an update meets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from suppress_salesforce.simulator.statements import Statement
from suppress_salesforce.simulator.switches import Switches

PREFIXES = {"Contact": "003", "Lead": "00Q", "Account": "001"}
INTEGRATION, SOMEBODY = "005000000000001AAA", "005000000000002AAA"
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_START = datetime(2026, 11, 2, 9, tzinfo=UTC)
_SYSTEM = {"Id": "id", "SystemModstamp": "datetime", "LastModifiedById": "reference"}
_OWN = {
    "Contact": {"Email": "email", "HasOptedOutOfEmail": "boolean"},
    "Lead": {
        "Email": "email",
        "HasOptedOutOfEmail": "boolean",
        "IsConverted": "boolean",
        "ConvertedContactId": "reference",
    },
    "Account": {},
}
_PERSON = {
    "Contact": {"IsPersonAccount": "boolean"},
    "Lead": {},
    "Account": {"IsPersonAccount": "boolean", "PersonEmail": "email", "PersonHasOptedOutOfEmail": "boolean"},
}
_SET_BY_SYSTEM = frozenset({*_SYSTEM, "IsConverted", "ConvertedContactId", "IsPersonAccount"})


def with_checksum(ident: str) -> str:
    """The 18 characters of an id of 15: three more that say which letters are capitals."""
    parts = (ident[start : start + 5] for start in (0, 5, 10))
    return ident + "".join(
        _LETTERS[sum(each.isupper() << place for place, each in enumerate(part))] for part in parts
    )


@dataclass(slots=True)
class Row:
    """One record."""

    kind: str
    values: dict[str, object]
    twin: Row | None = None
    """Of a person account its contact, and the other way round."""

    @property
    def ident(self) -> str:
        """Its id of 18 characters."""
        return str(self.values["Id"])


@dataclass(frozen=True, slots=True)
class Refused:
    """Why an update of one record was refused."""

    code: str
    message: str
    fields: tuple[str, ...] = ()


@dataclass(slots=True)
class Org:
    """Contacts, leads and accounts."""

    switches: Switches = field(default_factory=Switches)
    custom: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """More fields of an object, with their types."""
    rows: dict[str, dict[str, Row]] = field(default_factory=lambda: {kind: {} for kind in PREFIXES})
    _numbers: dict[str, int] = field(default_factory=lambda: dict.fromkeys(PREFIXES, 0))
    _index: dict[tuple[str, str, str], list[Row]] = field(default_factory=lambda: defaultdict(list))
    _clock: datetime = _START

    def add(self, kind: str, *, twin: Row | None = None, **values: object) -> Row:
        """A new record; fields that are not named are empty, checkboxes false."""
        self._numbers[kind] += 1
        ident = with_checksum(f"{PREFIXES[kind]}5g{self._numbers[kind]:010d}")
        blank = {name: False for name, sort in self.fields(kind).items() if sort == "boolean"}
        system = {"Id": ident, "SystemModstamp": self._stamp(), "LastModifiedById": SOMEBODY}
        row = Row(kind, {**blank, **system, **values}, twin)
        self.rows[kind][ident[:15]] = row
        for name, sort in self.fields(kind).items():
            text = row.values.get(name)
            if sort == "email" and isinstance(text, str):
                self._index[kind, name, text.strip().lower()].append(row)
        return row

    def person(self, address: str, *, opted_out: bool = False) -> Row:
        """A person account, with the contact that belongs to it."""
        account = self.add(
            "Account", IsPersonAccount=True, PersonEmail=address, PersonHasOptedOutOfEmail=opted_out
        )
        account.twin = self.add(
            "Contact", twin=account, IsPersonAccount=True, Email=address, HasOptedOutOfEmail=opted_out
        )
        return account

    def fields(self, kind: str) -> dict[str, str]:
        """Names and types, whoever may see them."""
        person = _PERSON[kind] if self.switches.person_accounts else {}
        return {**_SYSTEM, **_OWN[kind], **person, **self.custom.get(kind, {})}

    def visible(self, kind: str) -> dict[str, bool]:
        """The fields that the user sees, and whether they may be edited."""
        shown = {name: name not in _SET_BY_SYSTEM for name in self.fields(kind)}
        if kind == "Contact" and self.switches.hidden_field:
            del shown["HasOptedOutOfEmail"]
        elif kind == "Contact" and self.switches.read_only_field:
            shown["HasOptedOutOfEmail"] = False
        return shown

    def found(self, statement: Statement) -> Iterator[Row]:
        """The rows of a query whose fields are known to exist."""
        for row in self._candidates(statement):
            if statement.matches(row.values):
                yield row

    def _candidates(self, statement: Statement) -> Iterator[Row]:
        kind, sought = statement.table, statement.sought
        if sought is None or self.fields(kind).get(sought[0]) != "email":
            yield from list(self.rows[kind].values())
            return
        for value in sought[1]:
            yield from self._index.get((kind, sought[0], value.strip()), ())

    def would_mail(self, address: str) -> bool:
        """Whether a list e-mail could reach this very address by any record."""
        mine = address.strip().lower()
        contacts = self._index.get(("Contact", "Email", mine), ())
        leads = self._index.get(("Lead", "Email", mine), ())
        return any(not each.values["HasOptedOutOfEmail"] for each in contacts) or any(
            not (each.values["HasOptedOutOfEmail"] or each.values["IsConverted"]) for each in leads
        )

    def update(self, kind: str, ident: str, changes: Mapping[str, object]) -> Refused | Row:
        """Change one record as the platform would, or say why not."""
        row = self.rows.get(kind, {}).get(ident[:15])
        if row is None:
            return Refused("ENTITY_IS_DELETED", "entity is deleted")
        visible = self.visible(kind)
        locked = [name for name in changes if not visible.get(name, False)]
        if locked:
            return Refused(
                "INVALID_FIELD_FOR_INSERT_UPDATE",
                f"Unable to create/update fields: {', '.join(locked)}. Please check the security settings of "
                "this field and verify that it is read/write for your profile or permission set.",
                tuple(locked),
            )
        if row.values.get("IsConverted"):
            return Refused("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
        if kind == "Contact" and row.twin is not None:
            return Refused("INVALID_FIELD_FOR_INSERT_UPDATE", "change a person account through its Account")
        if refused := self._ruled_out(row):
            return refused
        self._change(row, changes)
        if row.twin is not None and "PersonHasOptedOutOfEmail" in changes:
            self._change(row.twin, {"HasOptedOutOfEmail": changes["PersonHasOptedOutOfEmail"]})
        return row

    def _ruled_out(self, row: Row) -> Refused | None:
        switches = self.switches
        every = switches.validation_rule
        if every and row.kind == "Contact" and int(row.ident[5:15]) % every == 0:
            return Refused("FIELD_CUSTOM_VALIDATION_EXCEPTION", "A phone number is required.")
        if switches.row_locks:
            switches.row_locks -= 1
            message = "unable to obtain exclusive access to this record"
            if switches.wrapped_locks:
                return Refused("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", f"UNABLE_TO_LOCK_ROW, {message}: []")
            return Refused("UNABLE_TO_LOCK_ROW", message)
        return None

    def _change(self, row: Row, changes: Mapping[str, object]) -> None:
        row.values.update(changes, SystemModstamp=self._stamp(), LastModifiedById=INTEGRATION)

    def _stamp(self) -> str:
        self._clock += timedelta(seconds=1)
        return self._clock.strftime("%Y-%m-%dT%H:%M:%S.000+0000")

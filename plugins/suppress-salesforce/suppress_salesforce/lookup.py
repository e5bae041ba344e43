"""Finds the records of addresses, in every configured object, after looking what this user may see there.

Two ways: queries that name the addresses, and reading whole objects by bulk query, where no address is in a
URL and which costs a handful of requests. The second pays from some thousand addresses on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from suppress.errors import DestinationFailed
from suppress.plugin.errors import PermissionMissing
from suppress.plugin.workers import in_order
from suppress_salesforce import jobs, soql, wire
from suppress_salesforce.client import Client
from suppress_salesforce.records import TWIN, Found, Record, columns, record, same, sort_in
from suppress_salesforce.settings import Options, Target


@dataclass(frozen=True, slots=True)
class Seen:
    """One object as this user may use it."""

    target: Target
    columns: tuple[str, ...]
    updateable: bool


@dataclass(frozen=True, slots=True)
class _Ask:
    seen: Seen
    statement: str


class Lookup:
    """Asks one org. What `describe` says is asked once."""

    def __init__(self, client: Client, options: Options) -> None:
        self._client = client
        self._options = options

    @cached_property
    def objects(self) -> tuple[Seen, ...]:
        """The configured objects that this org has.

        Raises:
            PermissionMissing: Field security hides an address or the checkbox: what cannot be seen would be
                taken for an address that nobody has.
        """
        described = {each.name: self._described(each) for each in self._options.targets}
        twins = TWIN in described.get("Contact", {})
        found = []
        for target in self._options.targets:
            fields = described[target.name]
            if target.name == "Account" and not twins and not fields.keys() & set(target.emails):
                # The fields exist only where person accounts are switched on.
                continue
            hidden = [each for each in (*target.emails, target.opt_out) if each not in fields]
            if hidden:
                raise _hidden(target, hidden)
            if fields[target.opt_out].kind != "boolean":
                raise _hidden(target, [f"{target.opt_out} as a checkbox"])
            editable = fields[target.opt_out].updateable
            found.append(Seen(target, columns(target, twins=twins), editable))
        return tuple(found)

    def require_editable(self) -> None:
        """Raises `PermissionMissing` before anything is written, if a checkbox may only be looked at."""
        for each in self.objects:
            if not each.updateable:
                raise _read_only(each.target)

    def find(self, addresses: Sequence[str], *, bulk: bool) -> dict[str, Found]:
        """What the org has of each address, by `records.same`."""
        found = {same(each): Found() for each in addresses}
        records = self._whole_objects(found) if bulk else self._by_address(list(found))
        sort_in(found, records)
        self._follow(found)
        return found

    def _described(self, target: Target) -> Mapping[str, wire.Field]:
        try:
            return self._client.describe(target.name)
        except (PermissionMissing, DestinationFailed) as refused:
            if target.name != "Account" or type(refused) not in (PermissionMissing, DestinationFailed):
                raise
            return {}

    def _by_address(self, addresses: Sequence[str]) -> Iterator[Record]:
        workers = self._options.at_once
        for records in in_order(self._asked, self._asks(addresses), workers=workers):
            yield from records

    def _asks(self, addresses: Sequence[str]) -> Iterator[_Ask]:
        for seen in self.objects:
            for field in seen.target.emails:
                yield from self._statements(seen, field, addresses)

    def _statements(self, seen: Seen, field: str, values: Sequence[str]) -> Iterator[_Ask]:
        frame = soql.select(seen.columns, seen.target.name, _where(seen.target, soql.among(field, ())))
        room = self._options.query_bytes - len(soql.encoded(frame))
        for chunk in soql.chunks(values, most=self._options.query_addresses, room=room):
            where = _where(seen.target, soql.among(field, chunk))
            yield _Ask(seen, soql.select(seen.columns, seen.target.name, where))

    def _asked(self, ask: _Ask) -> list[Record]:
        return [self._record(ask.seen.target, row) for row, _ in self._client.query(ask.statement)]

    def _whole_objects(self, wanted: Mapping[str, Found]) -> Iterator[Record]:
        """Of all that an org has, the records with one of these addresses."""
        page, seconds = self._options.bulk_page, self._options.poll_seconds
        for seen in self.objects:
            some = " OR ".join(f"{field} != null" for field in seen.target.emails)
            where = _where(seen.target, f"({some})" if len(seen.target.emails) > 1 else some)
            statement = soql.select(seen.columns, seen.target.name, where)
            places = [seen.columns.index(field) for field in seen.target.emails]
            for row in jobs.read_all(self._client, statement, seen.columns, page=page, seconds=seconds):
                if any(same(row[place]) in wanted for place in places):
                    yield self._record(seen.target, dict(zip(seen.columns, row, strict=True)))

    def _follow(self, found: Mapping[str, Found]) -> None:
        """Add the contacts that converted leads have become."""
        contacts = next((each for each in self.objects if each.target.name == "Contact"), None)
        wanted: dict[str, list[Found]] = {}
        for each in found.values():
            for lead in each.records.values():
                if lead.converted and lead.became is not None and lead.became[:15] not in each.records:
                    wanted.setdefault(lead.became, []).append(each)
        if contacts is None or not wanted:
            return
        for ask in self._statements(contacts, "Id", list(wanted)):
            for contact in self._asked(ask):
                for ident, mine in wanted.items():
                    if wire.same_id(contact.ident, ident):
                        for each in mine:
                            each.add(contact)

    def _record(self, target: Target, row: Mapping[str, object]) -> Record:
        try:
            return record(target, row)
        except wire.NotAsPromised as wrong:
            raise self._client.broken(str(wrong)) from None


def _where(target: Target, condition: str) -> str:
    return f"{TWIN} = true AND {condition}" if target.name == "Account" else condition


def _hidden(target: Target, fields: Sequence[str]) -> PermissionMissing:
    return PermissionMissing(
        f"Salesforce shows no {' and no '.join(fields)} of {target.name} to this user: field-level security "
        "hides it, or the org has no such field",
        scope=f"read {target.name}",
        remedy=f"let the user see {', '.join(target.emails)} of {target.name}, and edit {target.opt_out}",
    )


def _read_only(target: Target) -> PermissionMissing:
    return PermissionMissing(
        f"Salesforce lets this user look at {target.name}.{target.opt_out}, and not edit it",
        scope=f"edit {target.name}.{target.opt_out}",
        remedy=f"let the run-as user edit {target.opt_out} of {target.name} (field-level security)",
    )

"""Ledgers and events for tests, with little to read: `Place` names a ledger, `opt_out` makes an event."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete

from suppress.core.address import Address
from suppress.core.entry import Erased, SyncDone
from suppress.core.suppression import (
    EVERYTHING,
    Channel,
    Consent,
    Drift,
    Json,
    OptOut,
    Origin,
    Reason,
    Scope,
    Waiver,
)
from suppress.ledger import Event, Keys, Ledger, Lookup, tables
from suppress.ledger.appending import Plain, append
from suppress.ledger.engine import opened, writing
from suppress.ledger.guards import GUARDS
from suppress.ledger.heads import Signer
from suppress.ledger.keys import raise_highwater, read_highwater
from suppress.ledger.place import place_of
from suppress.ledger.projections import entries_by_id
from tests import backends
from tests.backends import Hand

_TEMPLATE = tempfile.TemporaryDirectory(prefix="suppress-template-")

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a test's ledger lives."""

    folder: Path

    @property
    def file(self) -> Path:
        return self.folder / "suppress.db"

    @property
    def keys(self) -> Path:
        return self.folder / "suppress.keys"

    @property
    def url(self) -> str:
        return backends.url_in(self.folder)

    def create(self) -> Place:
        """A new ledger: a copy of one made once, because making one loads Alembic."""
        if backends.on_server():
            database, keys = _made_on_server()
            backends.database_of(self.folder, database)
        else:
            keys = _made().keys
            shutil.copy2(_made().file, self.file)
        shutil.copytree(keys, self.keys)
        return self

    def open(self, **options: Any) -> Ledger:
        return Ledger.open(self.url, keys=self.keys, **options)

    def lookup(self) -> Lookup:
        return Lookup.open(self.url, keys=self.keys)

    def record(self, *events: OptOut | Consent | Drift | Waiver | Event) -> list[int]:
        """Append in one transaction; the sequence numbers."""
        with self.open() as ledger:
            return [receipt.seq for receipt in ledger.append(events, actor="test")]

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A write transaction of the ledger's own."""
        where = place_of(self.url)
        engine = opened(where, mode="rw")
        try:
            with writing(engine, where) as connection:
                yield connection
        finally:
            engine.dispose()

    def remembered(self) -> Callable[[], object]:
        """Keep the database as it is now; what is returned puts it back."""
        if backends.on_server():
            return backends.remembered(self.folder)
        return partial(self.file.write_bytes, self.file.read_bytes())

    def twin(self, name: str) -> Place:
        """The same ledger and keys once more, in a folder within this one."""
        other = Place(self.folder / name)
        other.folder.mkdir()
        shutil.copytree(self.keys, other.keys)
        if backends.on_server():
            backends.twin(self.folder, other.folder)
        else:
            shutil.copy2(self.file, other.file)
        return other

    def become(self, other: Place) -> None:
        """Another ledger's database in the place of this one's."""
        if backends.on_server():
            backends.become(self.folder, other.folder)
        else:
            shutil.copy2(other.file, self.file)

    def vanish(self) -> None:
        """The database is gone."""
        if backends.on_server():
            backends.vanish(self.folder)
        else:
            self.file.unlink()

    def content(self) -> object:
        """All that the database holds: the file's bytes, or on a server every row and every guard."""
        if not backends.on_server():
            return self.file.read_bytes()
        with self.raw() as hand:
            return backends.content(hand)

    def holds(self, text: str) -> bool:
        """Whether a text is anywhere in the file, or on a server in any payload."""
        if not backends.on_server():
            return text.encode() in self.file.read_bytes()
        with self.raw() as hand:
            return any(text.encode() in body for (body,) in hand.execute("SELECT body FROM payload"))

    @contextmanager
    def raw(self) -> Iterator[Hand]:
        """The database as somebody with its own shell has it, in autocommit mode."""
        if backends.on_server():
            with closing(backends.connection_to(self.url)) as connection:
                yield backends.ServerHand(connection)
        else:
            with closing(sqlite3.connect(self.file, isolation_level=None)) as file:
                yield file

    def unguarded(self, *statements: tuple[str, tuple[Any, ...]]) -> None:
        """What an attacker with the database does: take the guards away, change rows, put them back."""
        with self.raw() as hand:
            names = GUARDS if backends.on_server() else tables.GUARDS
            for name in names:
                hand.execute(guard_off(name))
            for statement, values in statements:
                hand.execute(statement, values)
            for name in names:
                hand.execute(guard_on(name))

    def erase(self, seqs: list[int], subject: str) -> None:
        """Erase payloads as the ledger design says: rows and record in one transaction."""
        keys = Keys.load(self.keys)
        with self.writing() as connection:
            connection.execute(delete(tables.payload).where(tables.payload.c.seq.in_(seqs)))
            (person,) = entries_by_id(connection, [subject]).values()
            connection.execute(delete(tables.alias).where(tables.alias.c.person == person))
            body = Erased(subject, tuple(seqs), "Art. 17 GDPR", "0" * 64)
            _, note = append(
                connection,
                [Plain(Event(f"erase-{subject}-{seqs}", body))],
                keys=keys.index,
                actor="test",
                now=lambda: datetime.now(UTC),
                signer=Signer.of(keys),
                highwater=read_highwater(keys.highwater),
            )
        raise_highwater(keys.highwater, note)


@cache
def _made() -> Place:
    place = Place(Path(_TEMPLATE.name))
    assert Ledger.create(f"sqlite:///{place.file}", keys=place.keys, organisation="Acme")
    return place


@cache
def _made_on_server() -> tuple[str, Path]:
    database, keys = f"template_{os.getpid()}", Path(_TEMPLATE.name) / "server.keys"
    backends.administer(f'DROP DATABASE IF EXISTS "{database}"', f'CREATE DATABASE "{database}"')
    assert Ledger.create(backends.url_of(database), keys=keys, organisation="Acme")
    return database, keys


def guard_off(name: str) -> str:
    """The statement that takes a guard away."""
    if backends.on_server():
        return f"ALTER TABLE {GUARDS[name].table} DISABLE TRIGGER {name}"
    return f"DROP TRIGGER {name}"


def guard_on(name: str) -> str:
    """The statement that puts it back."""
    if backends.on_server():
        return f"ALTER TABLE {GUARDS[name].table} ENABLE ALWAYS TRIGGER {name}"
    return tables.GUARDS[name]


def opt_out(
    address: str = "pat@example.com",
    *,
    source: str = "main",
    reason: Reason = Reason.UNSUBSCRIBED,
    scope: Scope = EVERYTHING,
    channel: Channel = Channel.EMAIL,
    at: datetime | None = NOON,
    facts: tuple[str, ...] = (),
    evidence: Mapping[str, Json] | None = None,
) -> OptOut:
    """An opt-out with whatever a test does not care about filled in."""
    return OptOut(
        Address.parse(address),
        source,
        Origin.PLATFORM,
        reason,
        scope,
        channel,
        at,
        at,
        evidence=evidence or {},
        facts=facts,
    )


def consent(
    address: str = "pat@example.com",
    *,
    at: datetime,
    scope: Scope = EVERYTHING,
    channel: Channel = Channel.EMAIL,
    facts: tuple[str, ...] = (),
) -> Consent:
    """A later consent."""
    return Consent(Address.parse(address), "web form", at, scope, channel, "Sam", facts=facts)


def drift(address: str = "pat@example.com", *, source: str = "main") -> Drift:
    """A suppressed person reported mailable."""
    return Drift(Address.parse(address), source, "explicit", since=NOON)


def sync_done(
    id_: str,
    *,
    source: str = "main",
    mode: str = "window",
    complete: bool = True,
    before: datetime | None = NOON,
) -> Event:
    """A run over a source."""
    return Event(
        id_,
        SyncDone(source, "constant-contact", mode, complete, None, before, 1, 2, 3, 1, 2, 0, 0, None, ()),
    )

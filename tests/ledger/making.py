"""Ledgers and events for tests, with little to read: `Place` names a ledger, `opt_out` makes an event."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import delete

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
)
from suppress.ledger import Event, Keys, Ledger, Lookup, tables
from suppress.ledger.appending import Plain, append
from suppress.ledger.engine import sqlite_engine, writing
from suppress.ledger.heads import Signer
from suppress.ledger.keys import raise_highwater, read_highwater

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
        return f"sqlite:///{self.file}"

    def create(self) -> Place:
        """A new ledger: a copy of one made once, because making one loads Alembic."""
        made = _made()
        shutil.copy2(made.file, self.file)
        shutil.copytree(made.keys, self.keys)
        return self

    def open(self, **options: Any) -> Ledger:
        return Ledger.open(self.url, keys=self.keys, **options)

    def lookup(self) -> Lookup:
        return Lookup.open(self.url, keys=self.keys)

    def record(self, *events: OptOut | Consent | Drift | Event) -> list[int]:
        """Append in one transaction; the sequence numbers."""
        with self.open() as ledger:
            return [receipt.seq for receipt in ledger.append(events, actor="test")]

    @contextmanager
    def raw(self) -> Iterator[sqlite3.Connection]:
        """The database as somebody with a SQLite shell has it, in autocommit mode."""
        with closing(sqlite3.connect(self.file, isolation_level=None)) as connection:
            yield connection

    def unguarded(self, *statements: tuple[str, tuple[Any, ...]]) -> None:
        """What an attacker with the file does: take the guards away, change rows, put them back."""
        with self.raw() as connection:
            for name in tables.GUARDS:
                connection.execute(f"DROP TRIGGER {name}")
            for statement, values in statements:
                connection.execute(statement, values)
            for sql in tables.GUARDS.values():
                connection.execute(sql)

    def erase(self, seqs: list[int], subject: str) -> None:
        """Erase payloads as the ledger design says: rows and record in one transaction."""
        keys = Keys.load(self.keys)
        engine = sqlite_engine(self.file, mode="rw")
        try:
            with writing(engine, self.file) as connection:
                connection.execute(delete(tables.payload).where(tables.payload.c.seq.in_(seqs)))
                person = connection.exec_driver_sql(
                    "SELECT seq FROM event WHERE id = ?", (subject,)
                ).scalar_one()
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
        finally:
            engine.dispose()
        raise_highwater(keys.highwater, note)


@cache
def _made() -> Place:
    place = Place(Path(_TEMPLATE.name))
    assert Ledger.create(place.url, keys=place.keys, organisation="Acme")
    return place


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

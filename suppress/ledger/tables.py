"""What the ledger keeps: tables, and the guards that stop accidents.

Rules kept here:

* `ledger.leaf` holds the exact bytes that were hashed. Nothing is ever rebuilt from columns, and no
  migration touches it. `ledger` and `checkpoint` are insert-only; `head` may only grow; `payload` rows go
  by *erase* and `subject` rows by *forget*, and neither is ever changed in place.
* Everything under "Projections" can be rebuilt by replaying the leaves, and `suppress verify` compares it
  with a replay. A person is known there by the sequence number of their `subject.added`, which keeps
  rows of new people together at the end of each table; random ids would scatter every bulk import.
* Dates are the leaves' own 27-character text, so that both databases keep and order them alike.
* The guards stop accidents and ordinary roles. They are no evidence: the tree and its signed head are. Those
  of SQLite are below, those of PostgreSQL in `guards`.

`migrations/` builds these tables; a test holds both to the same shape. This is plain SQLAlchemy Core, and
what differs between databases is in `engine`.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
)

REVISION = "0001"
"""The migration that these tables are the result of."""

NAMES: Mapping[str, str] = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

metadata = MetaData(naming_convention=dict(NAMES))

SEQ = BigInteger().with_variant(Integer, "sqlite")
"""SQLite's STRICT tables know no BIGINT; their INTEGER has 64 bits."""

TEXT = Text().with_variant(Text(collation="C"), "postgresql")
"""Ordered by bytes on both databases, whatever language a server speaks."""


def _keyed(*columns: str) -> PrimaryKeyConstraint:
    return PrimaryKeyConstraint(*columns)


# --- What is hashed, signed, or committed to -------------------------------------------------------------

ledger = Table(
    "ledger",
    metadata,
    Column("seq", SEQ, primary_key=True, autoincrement=False),
    Column("leaf", LargeBinary, nullable=False),
    sqlite_strict=True,
)

checkpoint = Table(
    "checkpoint",
    metadata,
    Column("size", SEQ, primary_key=True, autoincrement=False),
    Column("note", LargeBinary, nullable=False),
    sqlite_strict=True,
)

head = Table(
    "head",
    metadata,
    Column("size", SEQ, primary_key=True, autoincrement=False),
    Column("frontier", LargeBinary, nullable=False),
    Column("last_at", TEXT, nullable=False),
    Column("note", LargeBinary, nullable=False),
    sqlite_strict=True,
)

subject = Table(
    "subject",
    metadata,
    Column("id", TEXT, nullable=False),
    Column("key_id", TEXT, nullable=False),
    Column("blind_index", LargeBinary, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    _keyed("key_id", "blind_index"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

payload = Table(
    "payload",
    metadata,
    Column("seq", SEQ, primary_key=True, autoincrement=False),
    Column("salt", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
    sqlite_strict=True,
)

# --- Projections: rebuilt by replay, compared by verify, never authoritative -----------------------------

event = Table(
    "event",
    metadata,
    Column("id", TEXT, nullable=False),
    Column("seq", SEQ, nullable=False),
    Column("mark", SEQ, nullable=False),
    _keyed("id"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""Idempotency: event id → its entry. A `subject.added` has its subject's id, so this also finds people.

`mark` is the start of the leaf's hash. It proves nothing; it lets `verify` name the very entry that was
changed, where the tree alone can say only between which two checkpoints it lies.
"""

about = Table(
    "about",
    metadata,
    Column("person", SEQ, nullable=False),
    Column("seq", SEQ, nullable=False),
    _keyed("person", "seq"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""Every entry about a person after their own `subject.added`, whose number is the person's."""

standing = Table(
    "standing",
    metadata,
    Column("person", SEQ, nullable=False),
    Column("channel", TEXT, nullable=False),
    Column("scope", TEXT, nullable=False),
    Column("reason", TEXT, nullable=False),
    Column("since", TEXT),
    Column("latest", TEXT, nullable=False),
    Column("source", TEXT, nullable=False),
    Column("seq", SEQ, nullable=False),
    Column("visibility", TEXT),
    _keyed("person", "channel", "scope"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""`suppress.core.standing.Suppression`, one row per person, channel and scope."""

lift = Table(
    "lift",
    metadata,
    Column("person", SEQ, nullable=False),
    Column("channel", TEXT, nullable=False),
    Column("scope", TEXT, nullable=False),
    Column("at", TEXT, nullable=False),
    Column("seq", SEQ, nullable=False),
    _keyed("person", "channel", "scope"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""`suppress.core.standing.Lift`, one row per person, channel and scope."""

alias = Table(
    "alias",
    metadata,
    Column("key_id", TEXT, nullable=False),
    Column("alias_index", LargeBinary, nullable=False),
    Column("person", SEQ, nullable=False),
    _keyed("key_id", "alias_index", "person"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""Keyed index of alias keys, for people whose address is still held and whose provider has an alias rule."""

topic = Table(
    "topic",
    metadata,
    Column("type", TEXT, nullable=False),
    Column("name", TEXT, nullable=False),
    Column("seq", SEQ, nullable=False),
    _keyed("type", "name", "seq"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""Entries that are not opt-outs, by type and by what they are about: a source, a destination, an entry."""

built = Table(
    "built",
    metadata,
    Column("name", TEXT, nullable=False),
    Column("version", SEQ, nullable=False),
    _keyed("name"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""The rules that a projection was built by, where rules are data that may change: `alias` by the version of
the table of mailbox providers. Another version is a reason to build it again, not a sign of tampering."""

PROJECTIONS = (event, about, standing, lift, alias, topic)


# --- Guards ----------------------------------------------------------------------------------------------


def _forbid(table: str, action: str, why: str) -> str:
    return (
        f"CREATE TRIGGER {table}_no_{action.lower()} BEFORE {action} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{table}: {why}'); END"
    )


def _only_new(table: str, key: str) -> str:
    # INSERT OR REPLACE deletes the old row without firing DELETE triggers (recursive_triggers is off by
    # default), but BEFORE INSERT triggers fire ahead of the replacement.
    there = f"EXISTS (SELECT 1 FROM {table} WHERE {key})"  # noqa: S608 - our own names
    return (
        f"CREATE TRIGGER {table}_only_new BEFORE INSERT ON {table} WHEN {there} "
        f"BEGIN SELECT RAISE(ABORT, '{table}: rows are not replaced'); END"
    )


GUARDS: Mapping[str, str] = {
    "ledger_in_order": (
        "CREATE TRIGGER ledger_in_order BEFORE INSERT ON ledger "
        "WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), -1) + 1 FROM ledger) "
        "BEGIN SELECT RAISE(ABORT, 'ledger: entries are appended in order, without gaps'); END"
    ),
    "ledger_no_update": _forbid("ledger", "UPDATE", "entries are never changed"),
    "ledger_no_delete": _forbid("ledger", "DELETE", "entries are never deleted"),
    "checkpoint_only_new": _only_new("checkpoint", "size = NEW.size"),
    "checkpoint_no_update": _forbid("checkpoint", "UPDATE", "checkpoints are never changed"),
    "checkpoint_no_delete": _forbid("checkpoint", "DELETE", "checkpoints are never deleted"),
    "head_one_row": (
        "CREATE TRIGGER head_one_row BEFORE INSERT ON head WHEN EXISTS (SELECT 1 FROM head) "
        "BEGIN SELECT RAISE(ABORT, 'head: there is one head'); END"
    ),
    "head_only_grows": (
        "CREATE TRIGGER head_only_grows BEFORE UPDATE ON head WHEN NEW.size < OLD.size "
        "BEGIN SELECT RAISE(ABORT, 'head: a ledger only grows'); END"
    ),
    "head_no_delete": _forbid("head", "DELETE", "the head stays"),
    "subject_only_new": _only_new("subject", "key_id = NEW.key_id AND blind_index = NEW.blind_index"),
    "subject_no_update": _forbid("subject", "UPDATE", "rows are never changed"),
    "payload_only_new": _only_new("payload", "seq = NEW.seq"),
    "payload_no_update": _forbid("payload", "UPDATE", "rows are never changed"),
}
"""SQLite's append-only triggers by name. Alembic's batch mode drops triggers silently: a migration that
rebuilds a guarded table puts these back, and `suppress ledger upgrade` checks that they stand."""

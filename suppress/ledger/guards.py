"""The append-only guards of a ledger on PostgreSQL, and whether they stand. (SQLite's: `tables`, `shape`.)

Rules kept here:

* Every guard is `ENABLE ALWAYS`: an ordinary trigger is skipped by whoever sets `session_replication_role`.
* That entries have no gaps is checked once a statement, over all rows that it inserted. A trigger for each
  row made COPY four times slower.
* The functions look only at the schema that they are made in: a temporary table of the same name, which
  anybody may make, would otherwise stand in for ours.
* What is read by one name must be the same for every reader. A view, a rule, row security, a child table or
  an unlogged table in the place of a table is named, as is any trigger that is not ours.

What is compared is what the server's catalogue says, not the text of statements, which differs by version.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, LargeBinary, Table, Text

from suppress.ledger import tables

_BEFORE, _ROW, _INSERT, _DELETE, _UPDATE, _TRUNCATE = 2, 1, 4, 8, 16, 32
"""Bits of `pg_trigger.tgtype` (src/include/catalog/pg_trigger.h). Without _BEFORE a trigger fires after."""

FUNCTIONS: Mapping[str, str] = {
    "suppress_refuse": (
        "BEGIN RAISE EXCEPTION '%: %', TG_TABLE_NAME, TG_ARGV[0] "
        "USING ERRCODE = 'integrity_constraint_violation'; END"
    ),
    "suppress_in_order": (
        "DECLARE low bigint; high bigint; many bigint; "
        "BEGIN SELECT min(seq), max(seq), count(*) INTO low, high, many FROM added; "
        "IF many > 0 AND (high - low + 1 <> many "
        "OR low <> (SELECT coalesce(max(seq), -1) + 1 FROM ledger WHERE seq < low)) "
        "THEN RAISE EXCEPTION 'ledger: entries are appended in order, without gaps' "
        "USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NULL; END"
    ),
    "suppress_one_head": (
        "BEGIN IF (SELECT count(*) FROM head) > 1 THEN RAISE EXCEPTION 'head: there is one head' "
        "USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NULL; END"
    ),
    "suppress_only_grows": (
        "BEGIN IF NEW.size < OLD.size THEN RAISE EXCEPTION 'head: a ledger only grows' "
        "USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NEW; END"
    ),
}
"""Bodies of the trigger functions, in PL/pgSQL."""


@dataclass(frozen=True, slots=True)
class Guard:
    """One trigger as the catalogue has it."""

    table: str
    kind: int
    function: str
    why: str = ""
    added: str | None = None
    """The name of the transition table."""


def _forbidden(table: str, why: str, *kinds: int) -> dict[str, Guard]:
    names = {_UPDATE: "update", _DELETE: "delete", _TRUNCATE: "truncate"}
    return {
        f"{table}_no_{names[kind]}": Guard(table, _BEFORE | kind, "suppress_refuse", why) for kind in kinds
    }


GUARDS: Mapping[str, Guard] = {
    "ledger_in_order": Guard("ledger", _INSERT, "suppress_in_order", added="added"),
    **_forbidden("ledger", "entries are never changed or deleted", _UPDATE, _DELETE, _TRUNCATE),
    **_forbidden("checkpoint", "checkpoints are never changed or deleted", _UPDATE, _DELETE, _TRUNCATE),
    "head_one_row": Guard("head", _INSERT, "suppress_one_head"),
    "head_only_grows": Guard("head", _BEFORE | _ROW | _UPDATE, "suppress_only_grows"),
    **_forbidden("head", "the head stays", _DELETE, _TRUNCATE),
    **_forbidden("subject", "rows are never changed", _UPDATE, _TRUNCATE),
    **_forbidden("payload", "rows are never changed", _UPDATE, _TRUNCATE),
}

_TRIGGERS = (
    "SELECT tgname, relname, tgtype::int, tgenabled::text, proname, "
    "tgargs, tgnewtable, tgqual IS NULL AND tgattr = ''::int2vector AND tgoldtable IS NULL "
    "FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid JOIN pg_proc ON pg_proc.oid = tgfoid "
    "WHERE NOT tgisinternal AND tgrelid = ANY(%(tables)s::regclass[]) "
    "AND pg_proc.pronamespace = pg_class.relnamespace"
)
_COUNT = "SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal AND tgrelid = ANY(%(tables)s::regclass[])"
_FUNCTIONS = (
    "SELECT proname, prosrc, lanname, prosecdef, "
    "proconfig = ARRAY['search_path=' || quote_ident(nspname) || ', pg_temp'] FROM pg_proc "
    "JOIN pg_language ON pg_language.oid = prolang JOIN pg_namespace ON pg_namespace.oid = pronamespace "
    "WHERE pronamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'ledger'::regclass) "
    "AND proname = ANY(%(functions)s)"
)
_TABLES = (
    "SELECT relname, relkind::text, relpersistence::text, relrowsecurity, relnamespace, "
    "EXISTS (SELECT FROM pg_rewrite WHERE ev_class = pg_class.oid), "
    "EXISTS (SELECT FROM pg_inherits WHERE inhparent = pg_class.oid OR inhrelid = pg_class.oid) "
    "FROM pg_class WHERE oid = to_regclass(%(name)s)"
)
_COLUMNS = (
    "SELECT attname, format_type(atttypid, atttypmod), attnotnull, "
    "coalesce(array_position(indkey::int2[], attnum), -1) + 1, "
    "attgenerated = '' AND attidentity = '' AND NOT atthasdef, coalesce(collname, '') "
    "FROM pg_attribute LEFT JOIN pg_index ON indrelid = attrelid AND indisprimary "
    "LEFT JOIN pg_collation ON pg_collation.oid = attcollation "
    "WHERE attrelid = %(name)s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
)
_INDEXES = (
    "SELECT relname, indisprimary, indisvalid AND indisunique AND indpred IS NULL AND indexprs IS NULL "
    "FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid WHERE indrelid = %(name)s::regclass"
)

_ALWAYS = "A"


def problem(connection: Connection) -> str | None:
    """Why the guards, or the tables under them, are not exactly ours; None when they are."""
    return next(_problems(connection), None)


def _problems(connection: Connection) -> Iterator[str]:
    names = [table.name for table in tables.metadata.tables.values()]
    homes = set()
    for name in names:
        rows = _asked(connection, _TABLES, name=name)
        if not rows:
            yield f"the table {name} is missing"
            return
        _, kind, persistence, secured, home, ruled, inherits = rows[0]
        homes.add(home)
        if kind != "r":
            yield f"{name} is not a table ({kind})"
        if persistence != "p" or secured or ruled or inherits:
            yield f"the table {name} was made in another way"
    if len(homes) > 1:
        yield "the tables are not in one schema"
    for table in tables.metadata.tables.values():
        yield from _shape(connection, table)
    yield from _triggers(connection, names)
    yield from _functions(connection)


def _shape(connection: Connection, table: Table) -> Iterator[str]:
    key = [column.name for column in table.primary_key]
    expected = [
        (
            column.name,
            _type(column.type),
            not column.nullable,
            key.index(column.name) + 1 if column.name in key else 0,
            True,
            "C" if isinstance(column.type, Text) else "",
        )
        for column in table.columns
    ]
    if _asked(connection, _COLUMNS, name=table.name) != expected:
        yield f"the table {table.name} has other columns"
    for name, primary, plain in _asked(connection, _INDEXES, name=table.name):
        if not primary and name not in {index.name for index in table.indexes}:
            yield f"there is an index that is not ours: {name}"
        elif primary and not plain:
            yield f"the primary key of {table.name} is not in force"


def _type(kind: Any) -> str:
    match kind:
        case LargeBinary():
            return "bytea"
        case Text():
            return "text"
        case _:
            return "bigint"


def _triggers(connection: Connection, names: list[str]) -> Iterator[str]:
    found = {row[0]: tuple(row[1:]) for row in _asked(connection, _TRIGGERS, tables=names)}
    for name, guard in GUARDS.items():
        if name not in found:
            yield f"the guard {name} is missing"
            return
        given = guard.why.encode() + b"\x00" if guard.why else b""
        row = found.pop(name)
        if row[2] != _ALWAYS:
            yield f"the guard {name} is not enabled always"
        elif row != (guard.table, guard.kind, _ALWAYS, guard.function, given, guard.added, True):
            yield f"the guard {name} was changed"
    for name in found:
        yield f"there is a trigger that is not ours: {name}"
    if _asked(connection, _COUNT, tables=names) != [(len(GUARDS),)]:
        yield "there is a trigger that is not ours"


def _functions(connection: Connection) -> Iterator[str]:
    rows = _asked(connection, _FUNCTIONS, functions=list(FUNCTIONS))
    found = {row[0]: tuple(row[1:]) for row in rows}
    for name, body in FUNCTIONS.items():
        if len(rows) != len(FUNCTIONS) or found.get(name) != (body, "plpgsql", False, True):
            yield f"the function {name} of the guards was changed"


def _asked(connection: Connection, question: str, **values: Any) -> list[Any]:
    return [tuple(row) for row in connection.exec_driver_sql(question, values).all()]

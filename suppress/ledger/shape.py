"""Whether the tables of a SQLite ledger are ours: what is read by one name must be the same for every reader.

The contents of tables are verified row by row. That proves nothing where a name leads elsewhere:

* a view, or a column that is computed, can answer one thing by day and another by night;
* a further index is a second copy of the rows. `verify` may read the table and a check the index, and who
  writes the file by hand can make the two differ;
* a table that is not STRICT keeps text where bytes belong.

So, as with triggers, whatever is not exactly ours is named. Tables of others' own beside ours are let be.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, Table

from suppress.ledger import tables


def problem(connection: Connection) -> str | None:
    """The first thing in the schema that can lead a reader astray; None when there is none."""
    return next(_problems(connection), None)


def _problems(connection: Connection) -> Iterator[str]:
    rows = connection.exec_driver_sql("PRAGMA main.table_list").all()
    found = {name: (kind, bool(wr), bool(strict)) for _, name, kind, _, wr, strict in rows}
    for name in sorted(name for name, (kind, _, _) in found.items() if kind != "table"):
        yield f"{name} is not a table ({found[name][0]})"
    for table in tables.metadata.tables.values():
        if table.name not in found:
            yield f"the table {table.name} is missing"
            return
        if found[table.name] != ("table", not table.dialect_options["sqlite"]["with_rowid"], True):
            yield f"the table {table.name} was made in another way"
        if _columns(connection, table.name) != _expected(table):
            yield f"the table {table.name} has other columns"
        for name in sorted(_indexes(connection, table.name) - {index.name for index in table.indexes}):
            yield f"there is an index that is not ours: {name}"


def _columns(connection: Connection, table: str) -> list[tuple[object, ...]]:
    """Name, type, whether it is required, its place in the key, and whether it is computed."""
    rows = connection.exec_driver_sql(f"PRAGMA main.table_xinfo({table})").all()
    return [(name, kind, bool(required), place, hidden) for _, name, kind, required, _, place, hidden in rows]


def _expected(table: Table) -> list[tuple[object, ...]]:
    key = [column.name for column in table.primary_key]
    return [
        (
            column.name,
            _TYPES[column.type.__class__.__name__],
            not column.nullable,
            key.index(column.name) + 1 if column.name in key else 0,
            0,
        )
        for column in table.columns
    ]


_TYPES = {"BigInteger": "INTEGER", "Integer": "INTEGER", "LargeBinary": "BLOB", "Text": "TEXT"}


def _indexes(connection: Connection, table: str) -> set[str]:
    """All but the primary key, which for a table without row ids is the table."""
    rows = connection.exec_driver_sql(f"PRAGMA main.index_list({table})").all()
    return {name for _, name, _, origin, _ in rows if origin != "pk"}

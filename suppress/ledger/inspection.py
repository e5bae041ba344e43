"""What `suppress verify` reads, and how each part of a ledger is held against its leaves."""

from __future__ import annotations

from sqlalchemy import Connection, select

from suppress.core.merkle import Frontier, leaf_hash
from suppress.errors import LedgerDamaged
from suppress.ledger import tables
from suppress.ledger.heads import read_tip


def require_whole(connection: Connection) -> None:
    """Raises `LedgerDamaged` unless the guards stand and the leaves have the head's root."""
    wrong = guard_problem(connection)
    if wrong is not None:
        raise LedgerDamaged(wrong)
    tree = Frontier()
    for (leaf,) in connection.execute(select(tables.ledger.c.leaf).order_by(tables.ledger.c.seq)):
        tree.push(leaf_hash(leaf))
    tip = read_tip(connection)
    if (tree.size, tree.root()) != (tip.size, tip.tree.root()):
        raise LedgerDamaged("the leaves do not have the root that the head names")


def guard_problem(connection: Connection) -> str | None:
    """Why the append-only guards are not exactly ours; None when they are."""
    rows = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").all()
    found: dict[str, str] = {row[0]: row[1] for row in rows}
    for name, sql in tables.GUARDS.items():
        if name not in found:
            return f"the guard {name} is missing"
        if found.pop(name) != sql:
            return f"the guard {name} was changed"
    for name in found:
        return f"there is a trigger that is not ours: {name}"
    return None

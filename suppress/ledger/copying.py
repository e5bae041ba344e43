"""A whole ledger from one database into another: the same entries, the same root, verified before it counts.

Rules kept here:

* The rows of every table are copied as they are, as of one moment. What was hashed stays as it was hashed,
  so that size, root and signed head are the same, and every checkpoint that anybody keeps still fits.
* The target is filled in one transaction, which also verifies it. A copy that is killed, fails, or does not
  verify leaves no ledger behind.
* A target that holds anything is refused.
* Keys are not copied: both ledgers have the same ones. Only one of the two can be gone on with, because the
  high-water mark, which lies beside the keys, refuses the other as soon as something was appended.
"""

from __future__ import annotations

from contextlib import nullcontext

from sqlalchemy import Connection, Engine, delete, select

from suppress.errors import LedgerDamaged, OutputRefused
from suppress.ledger import schema, scrubbing, tables
from suppress.ledger.engine import founding, insert_rows, opened, reading
from suppress.ledger.heads import read_tip
from suppress.ledger.inspection import Inspection, Outside
from suppress.ledger.keyring import Keyring
from suppress.ledger.place import Place
from suppress.ledger.values import Head

PAGE = 5_000
"""Rows in memory at once."""


def pour(engine: Engine, place: Place, ring: Keyring, target: Place, mark: str | None = None) -> Head:
    """Copy the ledger of `engine` into `target`, which has no ledger yet, and verify it there.

    `mark` is the note of the highest head that was signed, where an older copy than that is no use. Nothing
    is signed here, so that a backup can be carried into a server as it is; there it is then gone on from.

    Raises:
        OutputRefused: The target holds something.
        LedgerDamaged: The copy does not verify.
        NoLedger, StorageFailed, LedgerLocked: One of the two databases is not there, or failed.
    """
    made = opened(target, mode="rwc")
    try:
        with founding(made, target) as new:
            if not schema.is_empty(new):
                raise OutputRefused(
                    f"{target} holds something already, and a ledger is copied only to where nothing is",
                    remedy="name a new file, or an empty database",
                )
            schema.migrate(new)
            with reading(engine, place) as old:
                _fill(old, new)
            _require_whole(new, ring, mark)
            return read_tip(new).head
    finally:
        made.dispose()


def _fill(old: Connection, new: Connection) -> None:
    for table in tables.metadata.tables.values():
        columns = table.columns.keys()
        rows = old.execute(
            select(table).order_by(*table.primary_key.columns).execution_options(yield_per=PAGE)
        )
        for page in rows.partitions():
            insert_rows(new, table, columns, [tuple(row) for row in page])
    # That a file has to be written anew says nothing about another one.
    new.execute(delete(tables.built).where(tables.built.c.name == scrubbing.MOVED))


def _require_whole(new: Connection, ring: Keyring, mark: str | None) -> None:
    outside = [] if mark is None else [Outside("the high-water mark", mark)]
    bad = Inspection(lambda: nullcontext(new), ring.chain.keys, outside, ring.index).first_bad()
    if bad is not None:
        raise LedgerDamaged(f"the copy does not verify and was not kept: {bad.what}")

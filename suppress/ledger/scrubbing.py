"""That erased bytes are gone from the file itself, not only from its tables.

SQLite with `secure_delete` zeroes a row's bytes when the row is deleted. It does not zero the copies that it
leaves behind when it *moves* rows: a page that has become two thirds empty is merged with its neighbours, and
where their rows lay before, their bytes stay in the unused middle of the page. Whoever was moved in this way
leaves a readable copy when they are erased later: in a trial with SQLite 3.40, one person of 3,000 did. Three
things follow:

* Payloads are only ever appended, in order, which moves none of them. Deleting some may.
* Whether a deletion has moved rows is seen in the rollback journal: merging changes the inner page above, and
  the journal holds every page that the transaction has changed. What cannot be read as such counts as moved.
* If so, a mark is kept in the same transaction, and after the commit the file is written anew (VACUUM), which
  takes about six seconds a gigabyte. The mark outlives a kill; the next erasure makes it good.

Index rows lie in random order, so they are moved whenever a page is split. For the erased that tells nothing:
their blind index stays on purpose. Forgetting somebody therefore always writes the file anew.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, delete, insert, select

from suppress.ledger import tables
from suppress.ledger.engine import writing
from suppress.ledger.place import Place, translated

MOVED = "moved"
"""The name under which `built` says that the file has to be written anew."""

_MAGIC = (bytes.fromhex("d9d505f920a163d7"), bytes(8))
"""How a journal begins; before it is brought to the disk, that place is still empty."""
_INNER_TABLE_PAGE = 5
"""First byte of a page that leads to the leaves of a table (https://www.sqlite.org/fileformat2.html, 1.6)."""


def mark(connection: Connection, place: Place, *, always: bool) -> None:
    """Note, in the transaction that has deleted rows, that the file must be written anew, if it must."""
    if isinstance(place, Path) and (always or has_moved_rows(place)) and not is_marked(connection):
        connection.execute(insert(tables.built).values(name=MOVED, version=1))


def is_marked(connection: Connection) -> bool:
    """Whether the file has to be written anew."""
    row = connection.execute(select(tables.built.c.version).where(tables.built.c.name == MOVED)).first()
    return row is not None


def write_anew(engine: Engine, place: Place) -> None:
    """Write the whole file anew, and take the mark away.

    Raises:
        LedgerLocked: Another process is at work. Repeating the erasure does this then.
        StorageFailed: There is no room for a second copy of the ledger, for a while.
    """
    with translated(place):
        pooled = engine.raw_connection()
        try:
            pooled.cursor().execute("VACUUM")
        finally:
            pooled.close()
    with writing(engine, place) as connection:
        connection.execute(delete(tables.built).where(tables.built.c.name == MOVED))


def has_moved_rows(file: Path) -> bool:
    """Whether the transaction that is open on a ledger has moved rows between pages of a table.

    The journal's form: https://www.sqlite.org/fileformat2.html, section 3. A header fills a sector; then each
    page as it was, with its number before and a checksum after it.
    """
    try:
        journal = file.with_name(f"{file.name}-journal").read_bytes()
    except OSError:
        return True
    pages, sector, size = (_number(journal, start) for start in (16, 20, 24))
    step = 4 + size + 4
    if journal[:8] not in _MAGIC or not sector or (len(journal) - sector) % step:
        return True
    for start in range(sector, len(journal), step):
        number, kind = _number(journal, start), journal[start + 4]
        if not 1 <= number <= pages or (number != 1 and kind == _INNER_TABLE_PAGE):
            return True
    return False


def _number(journal: bytes, start: int) -> int:
    return int.from_bytes(journal[start : start + 4], "big")

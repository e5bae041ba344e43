"""Which schema a ledger has, and how it is brought up to date: Alembic without an ini file.

Rules kept here:

* A ledger of another revision is refused, with the command that mends it. A revision that this program does
  not know was made by a newer one; no command of this program mends that.
* An upgrade runs in one transaction. It is undone unless the guards stand afterwards and the tree has the
  signed root; then the projections are built again from the leaves. A SQLite file is copied first; how a
  server is backed up is for whoever runs it.
* The migrations lie beside the imported package (`suppress/_migrations`, as installed) or in the checkout.

Only `create` and `upgrade` load Alembic, which costs more than a whole `suppress check`.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from suppress.core.aliases import table_version
from suppress.errors import BadUsage, LedgerDamaged, MigrationNeeded, NoLedger, SuppressError
from suppress.ledger.place import Place, copied, upgrade_copy
from suppress.ledger.reader import Reader

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from suppress.ledger.keys import Keys

HEAD = "0001"
"""The revision that this program reads and writes."""
OLDER: tuple[str, ...] = ()
"""Revisions that `suppress ledger upgrade` brings up to date."""

UPGRADE = "suppress ledger upgrade"
VERSION_TABLE = "alembic_version"
ALIASES = "alias"
"""The name under which `built` says by which table of mailbox providers aliases were indexed."""


def migrations_folder() -> Path:
    """Where the migrations are: in the installed package, else in the checkout.

    Raises:
        SuppressError: Neither is there; the installation is broken.
    """
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "_migrations", package.parent / "migrations"):
        if (folder / "env.py").is_file():
            return folder
    raise SuppressError("the migrations are missing from this installation", remedy="install suppress again")


def judge(revision: str | None, place: Place, *, empty: bool = False) -> None:
    """Refuse a ledger of another revision; `empty` says that the database has no tables at all.

    Raises:
        NoLedger: It is empty.
        BadUsage: It is another program's database.
        MigrationNeeded: It is older, or newer than this program.
    """
    if revision == HEAD:
        return
    if revision is None:
        if empty:
            raise NoLedger(f"{place} is empty: there is no ledger in it yet")
        raise BadUsage(
            f"{place} is a database of another program: there is no ledger in it",
            remedy="name another file or database for the ledger",
        )
    if revision in OLDER:
        raise MigrationNeeded(f"the ledger {place} has schema {revision}; this program needs {HEAD}")
    raise MigrationNeeded(
        f"the ledger {place} has schema {revision!r}, which this program ({HEAD}) does not know: "
        "a newer version made it",
        remedy="install the newest version of suppress, then run the same command again",
    )


def judge_rules(version: object, place: Place) -> None:
    """Refuse a ledger whose aliases were indexed by another table of mailbox providers than ours.

    Raises:
        MigrationNeeded: They have to be indexed again, or a newer program did it.
    """
    if version == table_version():
        return
    if isinstance(version, int) and version > table_version():
        raise MigrationNeeded(
            f"the ledger {place} was used with a newer table of mailbox providers",
            remedy="install the newest version of suppress, then run the same command again",
        )
    raise MigrationNeeded(f"the table of mailbox providers has changed since the ledger {place} was indexed")


def read_revision(place: Place) -> str | None:
    """The schema revision of a ledger, None when the database has none. Loads neither SQLAlchemy nor Alembic.

    Raises:
        NoLedger: There is no file or database, or nothing in it.
        LedgerDamaged: It is no database, or more than one revision is recorded.
    """
    with closing(Reader.open(place)) as reader, reader.translated():
        revision = _revision_in(reader)
        if revision is None and not reader.tables():
            raise NoLedger(f"{place} is empty: there is no ledger in it yet")
        return revision


def require_current_for(reader: Reader) -> None:
    """Refuse a ledger that this program cannot use as it is. Raises what `judge` and `judge_rules` raise."""
    revision = _revision_in(reader)
    judge(revision, reader.place, empty=revision is None and not reader.tables())
    row = reader.ask(f"SELECT version FROM built WHERE name = '{ALIASES}'").fetchone()  # noqa: S608 - ours
    judge_rules(row and row[0], reader.place)


def require_current(connection: Connection, place: Place) -> None:
    """The same through SQLAlchemy."""
    from sqlalchemy import inspect, select

    from suppress.ledger.tables import built

    names = inspect(connection).get_table_names()
    revision = None
    if VERSION_TABLE in names:
        rows = connection.exec_driver_sql(f"SELECT version_num FROM {VERSION_TABLE}").all()  # noqa: S608 - ours
        revision = _one_revision(row[0] for row in rows)
    judge(revision, place, empty=not names)
    judge_rules(connection.execute(select(built.c.version).where(built.c.name == ALIASES)).scalar(), place)


def is_empty(connection: Connection) -> bool:
    """Whether the database has nothing in it, as far as this program looks."""
    from sqlalchemy import inspect

    found = inspect(connection)
    return not found.get_table_names() and not found.get_view_names()


def exists(connection: Connection) -> bool:
    """Whether the database has a schema of ours, of whatever revision."""
    from sqlalchemy import inspect

    return inspect(connection).has_table(VERSION_TABLE)


def _revision_in(reader: Reader) -> str | None:
    if VERSION_TABLE not in reader.tables():
        return None
    rows = reader.ask(f"SELECT version_num FROM {VERSION_TABLE}")  # noqa: S608 - ours
    return _one_revision(row[0] for row in rows)


def _one_revision(rows: Iterable[object]) -> str:
    found = list(rows)
    if len(found) != 1 or not isinstance(found[0], str):
        raise LedgerDamaged("the ledger's schema revision is not recorded as one text")
    return found[0]


def migrate(connection: Connection, target: str = "head") -> None:
    """Run the migrations up to `target` inside the transaction of `connection`."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, target)


class Upgrade(NamedTuple):
    """Whether anything was to do, and the copy that was made before, which a server's ledger has none of."""

    done: bool
    copy: Path | None = None


def upgrade(place: Place, keys: Keys) -> Upgrade:
    """Bring a ledger up to date.

    Raises:
        MigrationNeeded: A newer program made the ledger.
        LedgerDamaged: The tree does not have the signed root, or the guards do not stand afterwards;
            everything was left as before.
        StorageFailed: The copy could not be made, or this user of a server may not change tables.
    """
    from suppress.ledger.engine import opened, writing
    from suppress.ledger.inspection import require_whole
    from suppress.ledger.rebuilding import rebuild

    revision = read_revision(place)
    if revision not in OLDER:
        judge(revision, place)
        try:
            with closing(Reader.open(place)) as reader, reader.translated():
                require_current_for(reader)
        except MigrationNeeded as needed:
            if needed.remedy != MigrationNeeded.default_remedy:
                raise
        else:
            return Upgrade(False)
    copy = None
    if isinstance(place, Path):
        copy = upgrade_copy(place, str(revision), datetime.now(UTC))
        copied(place, copy)
    engine = opened(place, mode="rw")
    try:
        with writing(engine, place) as connection:
            migrate(connection)
            require_whole(connection)
            rebuild(connection, keys)
    finally:
        engine.dispose()
    return Upgrade(True, copy)

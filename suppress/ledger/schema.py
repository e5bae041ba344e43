"""Which schema a ledger has, and how it is brought up to date: Alembic without an ini file.

Rules kept here:

* A ledger of another revision is refused, with the command that mends it. A revision that this program does
  not know was made by a newer one; no command of this program mends that.
* An upgrade copies the SQLite file first, runs in one transaction, and is undone unless afterwards the
  guards stand and the tree has the signed root.
* The migrations lie beside the imported package (`suppress/_migrations`, as installed) or in the checkout.

Only `create` and `upgrade` load Alembic, which costs more than a whole `suppress check`.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from suppress.errors import LedgerDamaged, MigrationNeeded, NoLedger, StorageFailed, SuppressError
from suppress.ledger.place import open_read_only, translated

if TYPE_CHECKING:
    from sqlalchemy import Connection

HEAD = "0001"
"""The revision that this program reads and writes."""
OLDER: tuple[str, ...] = ()
"""Revisions that `suppress ledger upgrade` brings up to date."""

UPGRADE = "suppress ledger upgrade"


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


def judge(revision: str | None, file: Path) -> None:
    """Refuse a ledger of another revision.

    Raises:
        NoLedger: There is no schema at all.
        MigrationNeeded: It is older, or newer than this program.
    """
    if revision == HEAD:
        return
    if revision is None:
        raise NoLedger(f"{file} is a SQLite database without a ledger in it")
    if revision in OLDER:
        raise MigrationNeeded(f"the ledger {file} has schema {revision}; this program needs {HEAD}")
    raise MigrationNeeded(
        f"the ledger {file} has schema {revision!r}, which this program ({HEAD}) does not know: "
        "a newer version made it",
        remedy="install the newest version of suppress, then run the same command again",
    )


def read_revision(file: Path) -> str | None:
    """The schema revision of a ledger, None when the database has none. Loads neither SQLAlchemy nor Alembic.

    Raises:
        NoLedger: There is no file.
        LedgerDamaged: It is no database, or more than one revision is recorded.
    """
    with closing(open_read_only(file)) as connection, translated(file):
        return revision_from(connection)


def revision_from(connection: sqlite3.Connection) -> str | None:
    """The revision as an open connection sees it; None when the database has none."""
    tables = connection.execute("SELECT name FROM sqlite_master WHERE name = 'alembic_version'").fetchall()
    if not tables:
        return None
    return one_revision(row[0] for row in connection.execute("SELECT version_num FROM alembic_version"))


def exists(connection: Connection) -> bool:
    """Whether the database has a schema of ours, of whatever revision."""
    from sqlalchemy import inspect

    return inspect(connection).has_table("alembic_version")


def require_current(connection: Connection, file: Path) -> None:
    """Refuse a ledger of another revision. Raises what `judge` raises."""
    revision = None
    if exists(connection):
        rows = connection.exec_driver_sql("SELECT version_num FROM alembic_version").all()
        revision = one_revision(row[0] for row in rows)
    judge(revision, file)


def one_revision(rows: Iterable[object]) -> str | None:
    """The one revision in `alembic_version`.

    Raises:
        LedgerDamaged: There are several, or it is no text.
    """
    found = list(rows)
    if not found:
        return None
    if len(found) > 1 or not isinstance(found[0], str):
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


def upgrade(file: Path) -> Path | None:
    """Bring a ledger to this program's revision. Returns the copy made before, None if nothing was to do.

    Raises:
        MigrationNeeded: A newer program made the ledger.
        LedgerDamaged: After the upgrade the guards or the root were wrong; everything was left as before.
        StorageFailed: The copy could not be made.
    """
    from suppress.ledger.engine import sqlite_engine, writing
    from suppress.ledger.inspection import require_whole

    revision = read_revision(file)
    if revision == HEAD:
        return None
    if revision not in OLDER:
        judge(revision, file)
    copy = _copied(file, str(revision))
    engine = sqlite_engine(file, mode="rw")
    try:
        with writing(engine, file) as connection:
            migrate(connection)
            require_whole(connection)
    finally:
        engine.dispose()
    return copy


def _copied(file: Path, revision: str) -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    copy = file.with_name(f"{file.name}.{revision}-{stamp}")
    try:
        shutil.copy2(file, copy)
    except OSError as refused:
        raise StorageFailed(f"{file} could not be copied before the upgrade: {refused.strerror}") from refused
    return copy

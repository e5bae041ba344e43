"""Schema: another revision is refused by name, an upgrade keeps a copy and every signature."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Index

from suppress.audit import verify
from suppress.core import aliases
from suppress.core.address import Address
from suppress.errors import BadUsage, LedgerDamaged, MigrationNeeded, NoLedger, SuppressError
from suppress.ledger import Keys, Ledger, Lookup, schema, tables
from suppress.ledger.place import place_of
from tests import backends
from tests.ledger.making import Place, opt_out

pytestmark = pytest.mark.both_back_ends

NEXT = '''
"""A column more."""
import sqlalchemy as sa
from alembic import op
revision, down_revision, branch_labels, depends_on = "0002", "0001", None, None
def upgrade():
    op.execute("CREATE INDEX ix_about_seq ON about (seq)")
    {more}
'''


def _refused(place: Place) -> list[SuppressError]:
    found = []
    for way in (place.open, place.lookup, lambda: verify(place.url, keys=place.keys)):
        with pytest.raises(SuppressError) as caught:
            way()
        found.append(caught.value)
    return found


def test_a_newer_ledger_asks_for_a_newer_program(place: Place) -> None:
    """No command of this program can mend it."""
    with place.raw() as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0099'")

    for error in _refused(place):
        assert isinstance(error, MigrationNeeded)
        assert "0099" in error.message
        assert "newest version" in str(error.remedy)
    with pytest.raises(MigrationNeeded, match="0099"):
        schema.upgrade(place_of(place.url), Keys.load(place.keys))


def test_an_older_ledger_names_the_command(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """`suppress ledger upgrade`."""
    monkeypatch.setattr(schema, "HEAD", "0002")
    monkeypatch.setattr(schema, "OLDER", ("0001",))

    for error in _refused(place):
        assert isinstance(error, MigrationNeeded)
        assert error.remedy == "suppress ledger upgrade"


@pytest.mark.parametrize(
    "statement", ["DELETE FROM alembic_version", "INSERT INTO alembic_version VALUES ('0002')"]
)
def test_a_revision_that_is_not_one_is_damage(place: Place, statement: str) -> None:
    """Neither none nor two."""
    with place.raw() as connection:
        connection.execute(statement)

    with pytest.raises(LedgerDamaged, match="revision"):
        place.open()
    with pytest.raises(LedgerDamaged, match="revision"):
        schema.read_revision(place_of(place.url))


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    """Neither opened nor made into a ledger."""
    file = tmp_path / "other.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE notes (text)")
    before = file.read_bytes()

    for way in (
        lambda: Ledger.create(str(file), keys=tmp_path / "keys"),
        lambda: Ledger.open(str(file), keys=tmp_path / "keys"),
        lambda: schema.upgrade(file, Keys(tmp_path, (), "")),
    ):
        with pytest.raises(BadUsage, match="another program"):
            way()
    assert schema.read_revision(file) is None
    assert before == file.read_bytes()


def test_an_upgrade_with_nothing_to_do_does_nothing(place: Place) -> None:
    """No copy, no change."""
    before = place.content()

    assert not schema.upgrade(place_of(place.url), Keys.load(place.keys)).done
    assert before == place.content()
    assert {each.name for each in place.folder.iterdir()} <= {
        "suppress.db", "suppress.db-journal", "suppress.keys",
    }  # fmt: skip


def _dump(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as connection:
        return list(connection.iterdump())


def _held(place: Place) -> object:
    return place.content() if backends.on_server() else _dump(place.file)


def _next_version(place: Place, monkeypatch: pytest.MonkeyPatch, more: str = "pass") -> Path:
    folder = place.folder / "migrations"
    shutil.copytree(schema.migrations_folder(), folder)
    (folder / "versions" / "0002_next.py").write_text(NEXT.format(more=more))
    monkeypatch.setattr(schema, "migrations_folder", lambda: folder)
    monkeypatch.setattr(schema, "HEAD", "0002")
    monkeypatch.setattr(schema, "OLDER", ("0001",))
    monkeypatch.setattr(tables.about, "indexes", {Index("ix_about_seq", "seq")})
    return folder


def test_an_upgrade_keeps_a_copy_and_every_signature(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Afterwards the ledger verifies, and a copy is the ledger as it was: of a file, not of a server."""
    place.record(opt_out(), opt_out("p.at@gmail.com"))
    with place.open() as ledger:
        before = ledger.head()
    content = _held(place)
    _next_version(place, monkeypatch)

    copy = schema.upgrade(place_of(place.url), Keys.load(place.keys)).copy

    assert schema.read_revision(place_of(place.url)) == "0002"
    if backends.on_server():
        assert copy is None
    else:
        assert copy is not None
        assert content == _dump(copy)
        assert schema.read_revision(copy) == "0001"
    with place.open() as ledger:
        assert before == ledger.head()
    assert verify(place.url, keys=place.keys).ok


HARM = {
    "a guard less": (
        ["DROP TRIGGER ledger_no_update"],
        ["DROP TRIGGER ledger_no_update ON ledger"],
        "guard ledger_no_update is missing",
    ),
    "a guard that lets everything": (
        [
            "DROP TRIGGER ledger_no_update",
            "CREATE TRIGGER ledger_no_update BEFORE UPDATE ON ledger BEGIN SELECT 1; END",
        ],
        [
            "CREATE FUNCTION lets() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
            "DROP TRIGGER ledger_no_delete ON ledger",
            "CREATE TRIGGER ledger_no_delete BEFORE DELETE ON ledger EXECUTE FUNCTION lets()",
            "ALTER TABLE ledger ENABLE ALWAYS TRIGGER ledger_no_delete",
        ],
        "guard ledger_no_(update|delete) was changed",
    ),
    "a trigger of its own": (
        ["CREATE TRIGGER mine AFTER INSERT ON head BEGIN SELECT 1; END"],
        ["CREATE TRIGGER mine AFTER INSERT ON head EXECUTE FUNCTION suppress_one_head()"],
        "trigger that is not ours: mine",
    ),
    "a leaf less": (
        [
            "DROP TRIGGER ledger_no_delete",
            "DELETE FROM ledger WHERE seq = 2",
            "CREATE TRIGGER ledger_no_delete BEFORE DELETE ON ledger "
            "BEGIN SELECT RAISE(ABORT, 'ledger: entries are never deleted'); END",
        ],
        [
            "ALTER TABLE ledger DISABLE TRIGGER ledger_no_delete",
            "DELETE FROM ledger WHERE seq = 2",
            "ALTER TABLE ledger ENABLE ALWAYS TRIGGER ledger_no_delete",
        ],
        "do not have the root",
    ),
}
"""What a migration does to a file, and to a server's database, and what is said of it."""


@pytest.mark.parametrize("harm", HARM)
def test_a_migration_that_harms_the_ledger_is_undone(
    place: Place, monkeypatch: pytest.MonkeyPatch, harm: str
) -> None:
    """Guards lost (Alembic's batch mode does that silently), or leaves: everything stays as it was."""
    in_file, on_server, message = HARM[harm]
    place.record(opt_out())
    content = _held(place)
    statements = on_server if backends.on_server() else in_file
    _next_version(place, monkeypatch, "; ".join(f"op.execute({each!r})" for each in statements))

    with pytest.raises(LedgerDamaged, match=message):
        schema.upgrade(place_of(place.url), Keys.load(place.keys))

    assert schema.read_revision(place_of(place.url)) == "0001"
    assert content == _held(place)
    copies = list(place.folder.glob("suppress.db.0001-*"))
    assert [] == copies if backends.on_server() else [content] == [_dump(copy) for copy in copies]


def test_a_changed_provider_table_is_indexed_again(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ledger asks for the upgrade, and the upgrade indexes aliases by today's table."""
    place.record(opt_out("pat@gmail.com"))
    with place.raw() as connection:
        connection.execute("DELETE FROM alias")
        connection.execute("UPDATE built SET version = 0")

    for error in _refused(place):
        assert isinstance(error, MigrationNeeded)
        assert error.remedy == "suppress ledger upgrade"
    assert schema.upgrade(place_of(place.url), Keys.load(place.keys)).done
    assert verify(place.url, keys=place.keys).ok
    with place.lookup() as lookup:
        assert lookup.verdict(Address.parse("p.a.t@gmail.com")).rule == "gmail dots and tags"

    monkeypatch.setattr(schema, "table_version", lambda: aliases.table_version() - 1)
    for error in _refused(place):
        assert "newest version" in str(error.remedy)
    with pytest.raises(MigrationNeeded, match="newer table"):
        schema.upgrade(place_of(place.url), Keys.load(place.keys))


def test_migrations_are_found_in_the_package_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a wheel has them; else in the checkout; else the installation is broken."""
    package = tmp_path / "suppress"
    (package / "ledger").mkdir(parents=True)
    monkeypatch.setattr(schema, "__file__", str(package / "ledger" / "schema.py"))
    with pytest.raises(SuppressError, match="missing"):
        schema.migrations_folder()

    for folder in (tmp_path / "migrations", package / "_migrations"):
        folder.mkdir()
        (folder / "env.py").touch()
        assert folder == schema.migrations_folder()


def test_an_empty_file_is_no_ledger_yet(tmp_path: Path) -> None:
    """What an interrupted `init` leaves can be initialised."""
    file = tmp_path / "suppress.db"
    file.touch()
    with pytest.raises(NoLedger):
        Ledger.open(str(file))
    assert Ledger.create(str(file), keys=tmp_path / "keys")

    file = tmp_path / "pages.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE gone (x)")
        connection.execute("DROP TABLE gone")
        connection.execute("VACUUM")
    assert file.stat().st_size
    with pytest.raises(NoLedger):
        Ledger.open(str(file))
    with pytest.raises(NoLedger):
        Lookup.open(str(file), keys=tmp_path / "keys")
    assert Ledger.create(str(file), keys=tmp_path / "pages.keys")

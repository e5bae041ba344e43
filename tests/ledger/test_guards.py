"""The guards on PostgreSQL: what they refuse, and that `verify` sees whatever is not exactly ours."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from suppress.audit import verify
from suppress.errors import BadUsage, StorageFailed
from suppress.ledger import Ledger, tables
from suppress.ledger.engine import opened, reading
from suppress.ledger.granting import grant
from suppress.ledger.guards import GUARDS
from suppress.ledger.place import place_of
from tests import backends
from tests.conftest import Command
from tests.ledger.making import Place, opt_out

pytestmark = pytest.mark.server_only


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Two people."""
    made = Place(tmp_path).create()
    made.record(opt_out(), opt_out("sam@example.com"))
    return made


def test_migrations_and_tables_agree(place: Place) -> None:
    """Autogenerate finds nothing to do on a database that the migrations made."""
    where = place_of(place.url)
    engine = opened(where, mode="ro")
    with reading(engine, where) as connection:
        differences = compare_metadata(MigrationContext.configure(connection), tables.metadata)
    engine.dispose()

    assert [] == differences


ATTACKS = [
    "UPDATE ledger SET leaf = '\\x00' WHERE seq = 1",
    "UPDATE ledger SET seq = 99 WHERE seq = 2",
    "DELETE FROM ledger WHERE seq = 2",
    "TRUNCATE ledger",
    "TRUNCATE ledger CASCADE",
    "INSERT INTO ledger VALUES (1, '\\x00') ON CONFLICT (seq) DO UPDATE SET leaf = excluded.leaf",
    "MERGE INTO ledger USING (SELECT 1 AS seq) AS n ON n.seq = ledger.seq WHEN MATCHED THEN DELETE",
    "INSERT INTO ledger VALUES (6, '\\x00')",
    "INSERT INTO ledger VALUES (5, '\\x00'), (7, '\\x00')",
    "INSERT INTO ledger VALUES (-1, '\\x00')",
    "INSERT INTO ledger VALUES (NULL, '\\x00')",
    "UPDATE checkpoint SET note = '\\x00'",
    "DELETE FROM checkpoint",
    "TRUNCATE checkpoint",
    "INSERT INTO head SELECT size + 1, frontier, last_at, note FROM head",
    "UPDATE head SET size = size - 1",
    "DELETE FROM head",
    "TRUNCATE head",
    "UPDATE subject SET salt = '\\x00'",
    "TRUNCATE subject",
    "UPDATE payload SET body = '\\x00'",
    "TRUNCATE payload",
]


@pytest.mark.parametrize("statement", ATTACKS)
@pytest.mark.parametrize("before", ["", "SET session_replication_role = replica"], ids=["plain", "replica"])
def test_accidents_are_refused_even_a_superuser_s(place: Place, statement: str, before: str) -> None:
    """The setting that skips ordinary triggers skips none of these."""
    with closing(backends.connection_to(place.url)) as connection:
        if before:
            connection.execute(before.encode())
        with pytest.raises(psycopg.errors.IntegrityError):
            connection.execute(statement.encode())

    assert verify(place.url, keys=place.keys).ok


def test_a_gap_in_a_copy_is_refused(place: Place) -> None:
    """COPY fires the guard once, over all of its rows."""
    with (
        closing(backends.connection_to(place.url)) as connection,
        pytest.raises(psycopg.errors.IntegrityError, match="without gaps"),
        connection.cursor().copy("COPY ledger FROM STDIN") as copy,
    ):
        copy.write_row((5, b"x"))
        copy.write_row((7, b"y"))


def test_a_temporary_table_does_not_stand_in_for_ours(place: Place) -> None:
    """Anybody may make one, and unqualified names would find it first."""
    with closing(backends.connection_to(place.url)) as connection:
        connection.execute("CREATE TEMPORARY TABLE ledger (seq bigint)")
        connection.execute("INSERT INTO pg_temp.ledger VALUES (98)")
        with pytest.raises(psycopg.errors.IntegrityError, match="without gaps"):
            connection.execute("INSERT INTO public.ledger VALUES (99, '\\x00')")


CHANGES = {
    "dropped": ("DROP TRIGGER ledger_no_update ON ledger", "ledger_no_update is missing"),
    "disabled": ("ALTER TABLE ledger DISABLE TRIGGER ledger_no_update", "not enabled always"),
    "ordinary": ("ALTER TABLE ledger ENABLE TRIGGER ledger_no_update", "not enabled always"),
    "replica": ("ALTER TABLE ledger ENABLE REPLICA TRIGGER ledger_no_update", "not enabled always"),
    "conditional": (
        "DROP TRIGGER ledger_no_delete ON ledger; CREATE TRIGGER ledger_no_delete BEFORE DELETE ON ledger "
        "FOR EACH STATEMENT WHEN (false) "
        "EXECUTE FUNCTION suppress_refuse('entries are never changed or deleted'); "
        "ALTER TABLE ledger ENABLE ALWAYS TRIGGER ledger_no_delete",
        "ledger_no_delete was changed",
    ),
    "other function": (
        "CREATE FUNCTION lets() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; "
        "DROP TRIGGER ledger_no_delete ON ledger; CREATE TRIGGER ledger_no_delete BEFORE DELETE ON ledger "
        "EXECUTE FUNCTION lets(); ALTER TABLE ledger ENABLE ALWAYS TRIGGER ledger_no_delete",
        "ledger_no_delete was changed",
    ),
    "function": (
        "CREATE OR REPLACE FUNCTION suppress_refuse() RETURNS trigger LANGUAGE plpgsql "
        "AS 'BEGIN RETURN NULL; END'",
        "function suppress_refuse",
    ),
    "search path": (
        "ALTER FUNCTION suppress_in_order() SET search_path = pg_temp, public",
        "function suppress_in_order",
    ),
    "one more": (
        "CREATE TRIGGER mine AFTER INSERT ON head EXECUTE FUNCTION suppress_one_head()",
        "not ours: mine",
    ),
    "one of another schema": (
        "CREATE SCHEMA other; CREATE FUNCTION other.quiet() RETURNS trigger LANGUAGE plpgsql "
        "AS 'BEGIN RETURN NULL; END'; "
        "CREATE TRIGGER mine AFTER INSERT ON standing EXECUTE FUNCTION other.quiet()",
        "trigger that is not ours",
    ),
    "rule": ("CREATE RULE quiet AS ON DELETE TO payload DO INSTEAD NOTHING", "payload was made in another"),
    "row security": ("ALTER TABLE standing ENABLE ROW LEVEL SECURITY", "standing was made in another"),
    "unlogged": ("ALTER TABLE standing SET UNLOGGED", "standing was made in another"),
    "child": ("CREATE TABLE more () INHERITS (standing)", "standing was made in another"),
    "view": (
        "ALTER TABLE standing RENAME TO kept; CREATE VIEW standing AS SELECT * FROM kept",
        "standing is not a table",
    ),
    "missing": ("ALTER TABLE lift RENAME TO gone", "lift is missing"),
    "elsewhere": ("CREATE SCHEMA other; ALTER TABLE lift SET SCHEMA other", "lift is missing"),
    "column": ("ALTER TABLE standing ADD COLUMN note text", "standing has other columns"),
    "type": ("ALTER TABLE about ALTER COLUMN seq TYPE integer", "about has other columns"),
    "collation": (
        'ALTER TABLE topic ALTER COLUMN name TYPE text COLLATE "ucs_basic"',
        "topic has other columns",
    ),
    "nullable": ("ALTER TABLE ledger ALTER COLUMN leaf DROP NOT NULL", "ledger has other columns"),
    "default": ("ALTER TABLE payload ALTER COLUMN body SET DEFAULT '\\x00'", "payload has other columns"),
    "no key": ("ALTER TABLE about DROP CONSTRAINT pk_about", "about has other columns"),
    "index": ("CREATE INDEX extra ON standing (source)", "index that is not ours: extra"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_whatever_is_not_exactly_ours_is_found(place: Place, name: str) -> None:
    """By the server's own catalogue."""
    statement, says = CHANGES[name]
    with closing(backends.connection_to(place.url)) as connection:
        connection.execute(statement.encode())
    bad = verify(place.url, keys=place.keys).first_bad

    assert bad is not None
    assert says in bad.what


@pytest.mark.parametrize("name", sorted(GUARDS))
def test_a_missing_guard_is_found(place: Place, name: str) -> None:
    """Each of them."""
    with closing(backends.connection_to(place.url)) as connection:
        connection.execute(f"DROP TRIGGER {name} ON {GUARDS[name].table}".encode())

    assert f"the guard {name} is missing" in str(verify(place.url, keys=place.keys).first_bad)


def test_a_ledger_in_a_schema_of_its_own(place: Place, tmp_path: Path) -> None:
    """Beside others' tables, under a name that has to be quoted."""
    (tmp_path / "own").mkdir()
    url = backends.url_in(tmp_path / "own")
    with closing(backends.connection_to(url)) as connection:
        connection.execute('CREATE TABLE theirs (x int); CREATE SCHEMA "Our Log"')
    url += "&options=-csearch_path%3D%22Our%5C%20Log%22"
    assert Ledger.create(url, keys=tmp_path / "own.keys")
    with Ledger.open(url, keys=tmp_path / "own.keys") as ledger:
        ledger.append([opt_out()], actor="test")

    assert verify(url, keys=tmp_path / "own.keys").ok


# --- Roles -----------------------------------------------------------------------------------------------


@pytest.fixture
def roles(place: Place) -> tuple[str, str]:
    """URLs of a writer and a reader."""
    name = place.url.partition("?")[0].rpartition("/")[2]
    writer, reader = f"{name}_w", f"{name}_r"
    backends.roles(writer, reader)
    grant(place.url, writers=[writer], readers=[reader], dry_run=False)
    return tuple(place.url.replace("postgres:@", f"{role}@") for role in (writer, reader))  # type: ignore[return-value]  # two


def test_a_writer_appends_erases_and_verifies(place: Place, roles: tuple[str, str]) -> None:
    """All that commands do but to create and upgrade."""
    from suppress.core.address import Address
    from suppress.ledger import Grounds

    with Ledger.open(roles[0], keys=place.keys) as ledger:
        assert 6 == ledger.append([opt_out("kim@example.com")], actor="test")[0].seq
        address = Address.parse("kim@example.com")
        done = ledger.erase(address, Grounds("x"), seen=[5, 6], actor="test")
        assert (6,) == done.entries
        ledger.forget(address, Grounds("x"), seen=[5, 6], actor="test")
        ledger.keep_checkpoint()
        ledger.rotate_index_key(actor="test")
        ledger.rotate_signing_key(actor="test")
        ledger.append([opt_out("kim@example.com")], actor="test")
    assert verify(roles[0], keys=place.keys).ok


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger SET leaf = '\\x00'",
        "DELETE FROM ledger",
        "TRUNCATE ledger",
        "INSERT INTO ledger VALUES (1, '\\x00') ON CONFLICT (seq) DO UPDATE SET leaf = excluded.leaf",
        "ALTER TABLE ledger DISABLE TRIGGER ledger_no_update",
        "DROP TRIGGER ledger_no_update ON ledger",
        "DROP TABLE ledger",
        "CREATE RULE quiet AS ON DELETE TO payload DO INSTEAD NOTHING",
        "SET session_replication_role = replica",
        "DELETE FROM checkpoint",
        "UPDATE payload SET body = '\\x00'",
        "INSERT INTO head SELECT * FROM head",
        "DELETE FROM event",
        "UPDATE standing SET reason = 'bounced'",
        "DELETE FROM topic",
        "CREATE TABLE mine (x int)",
    ],
)
def test_a_writer_changes_no_entry(roles: tuple[str, str], statement: str) -> None:
    """For want of the right, before any guard is asked."""
    for url in roles:
        with (
            closing(backends.connection_to(url)) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute(statement.encode())


def test_a_reader_looks_up_and_verifies_and_appends_nothing(place: Place, roles: tuple[str, str]) -> None:
    """And is told which command gives the right."""
    with Ledger.open(roles[1], keys=place.keys) as ledger:
        assert ledger.check("pat@example.com").seq == 2
        with pytest.raises(StorageFailed, match="may not") as caught:
            ledger.append([opt_out("kim@example.com")], actor="test")
    assert caught.value.remedy is not None
    assert "suppress ledger grant" in caught.value.remedy
    assert verify(roles[1], keys=place.keys).ok


def test_rights_can_be_printed_and_are_for_servers(place: Place) -> None:
    """A dry run changes nothing; a role that is not there, and a file, are refused."""
    said = grant(place.url, writers=["no_such_role"], readers=[], dry_run=True)

    assert 'GRANT UPDATE ON head TO "no_such_role"' in said
    with pytest.raises(BadUsage, match="no_such_role"):
        grant(place.url, writers=["no_such_role"], readers=[], dry_run=False)
    with pytest.raises(BadUsage, match="knows no roles"):
        grant("sqlite:///x.db", writers=["x"], readers=[], dry_run=True)


def test_an_erasure_says_what_the_server_still_has(place: Place, command: Command) -> None:
    """Of a file nothing is left; of a server's files, its owner has to see to it."""
    done = command("erase", "pat@example.com", "--basis", "x", "--yes")

    assert 0 == done.exit_code, done.err
    assert "VACUUM (FULL, ANALYZE) payload, alias, subject" in done.out

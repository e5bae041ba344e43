"""`suppress init`, `ledger current`, `ledger upgrade`: through the installed script."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from suppress.config import TEMPLATE
from tests import backends
from tests.conftest import Command
from tests.ledger.making import Place, opt_out

pytestmark = pytest.mark.both_back_ends


def test_init_makes_a_ledger_keys_and_settings(command: Command) -> None:
    """And says what to do next."""
    done = command("init", "--organisation", "Acme Outdoor")

    assert (done.exit_code, done.err) == (0, "")
    made = {"suppress.keys", "suppress.toml"} | (set() if backends.on_server() else {"suppress.db"})
    assert made <= {each.name for each in command.folder.iterdir()}
    assert "Next:" in done.out
    assert "suppress/acme-outdoor-" in done.out
    assert (command.folder / "suppress.toml").read_text() == TEMPLATE
    assert tomllib.loads(TEMPLATE) == {}


def test_init_is_safe_to_repeat(command: Command) -> None:
    """Nothing that is there is touched."""
    first = command("init", "--json").json()
    (command.folder / "suppress.toml").write_text('organisation = "Mine"\n')
    place = Place(command.folder)
    place.record(opt_out())

    second = command("init", "--json").json()

    assert first["schema"] == second["schema"] == "suppress/init@1"
    assert (first["created"], second["created"]) == (True, False)
    assert (first["config"], second["config"]) == ("suppress.toml", None)
    assert first["vkey"] == second["vkey"]
    assert (first["ledger"]["size"], second["ledger"]["size"]) == (1, 3)
    assert (command.folder / "suppress.toml").read_text() == 'organisation = "Mine"\n'


@pytest.mark.sqlite_only("names a file")
def test_init_elsewhere_leaves_this_folder_alone(command: Command) -> None:
    """With a configuration of one's own no example is written here."""
    elsewhere = command.folder / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "acme.toml").write_text('ledger = "acme.db"\n')

    assert command("--config", "elsewhere/acme.toml", "init").exit_code == 0

    assert {"acme.toml", "acme.db", "acme.keys"} == {each.name for each in elsewhere.iterdir()} - {
        "acme.db-journal"
    }
    assert not (command.folder / "suppress.toml").exists()


@pytest.mark.sqlite_only("names a file")
def test_init_into_no_folder_is_wrong_usage(command: Command) -> None:
    """One line, exit code 2, nothing left behind."""
    done = command("--ledger", "none/suppress.db", "init")

    assert done.exit_code == 2
    assert "no such folder" in done.err
    assert not (command.folder / "none").exists()


@pytest.mark.sqlite_only("about what lies in the file; a server's: tests/ledger/test_server.py")
def test_init_over_another_file_is_refused(command: Command) -> None:
    """Random bytes are never made into a ledger."""
    (command.folder / "suppress.db").write_bytes(b"my holiday photo, all of it" * 99)

    done = command("init")

    assert done.exit_code == 70
    assert "not a SQLite database" in done.err
    assert (command.folder / "suppress.db").read_bytes().startswith(b"my holiday photo")


def test_ledger_current_says_which_schema_it_has(command: Command) -> None:
    """And which one this program needs."""
    assert command("ledger", "current").exit_code == 10
    command("init")

    done = command("ledger", "current", "--json")

    assert done.exit_code == 0
    facts = done.json()
    assert facts["revision"] == facts["needed"]
    assert facts["up_to_date"] is True
    assert "Schema" in command("ledger", "current").out


def test_ledger_upgrade_with_nothing_to_do_says_so(command: Command) -> None:
    """No copy, exit code 0."""
    command("init")

    human, machine = command("ledger", "upgrade"), command("ledger", "upgrade", "--json")

    assert human.exit_code == 0
    assert "already" in human.out
    assert machine.json()["copy"] is None


def test_ledger_upgrade_says_where_the_copy_is(command: Command) -> None:
    """An older index of aliases is built again, and a file kept as it was; a server has its own backups."""
    command("init")
    place = Place(command.folder)
    with place.raw() as connection:
        connection.execute("UPDATE built SET version = 0")

    assert command("check", "pat@example.com").exit_code == 12
    done = command("ledger", "upgrade")

    assert done.exit_code == 0
    copies = list(command.folder.glob("suppress.db.0*"))
    assert (0 if backends.on_server() else 1) == len(copies)
    assert all(copy.name in done.out for copy in copies)
    assert command("check", "pat@example.com").exit_code == 0


def test_a_newer_ledger_exits_12(command: Command) -> None:
    """From every command that opens one."""
    command("init")
    with Place(command.folder).raw() as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")

    for arguments in (["init"], ["verify"], ["check", "a@example.com"], ["ledger", "upgrade"]):
        done = command(*arguments)
        assert done.exit_code == 12, arguments
        assert "newer version" in done.err
    assert command("ledger", "current").exit_code == 0


@pytest.mark.sqlite_only("on a server nobody who reads waits; who writes does: tests/ledger/test_server.py")
def test_a_locked_ledger_exits_11(command: Command) -> None:
    """After waiting a while for the other process."""
    command("init")
    evidence = Path(command.folder, "letter.txt")
    evidence.write_text("please stop")
    with Place(command.folder).raw() as connection:
        connection.execute("BEGIN EXCLUSIVE")
        done = command("check", "pat@example.com")
        connection.execute("ROLLBACK")

    assert done.exit_code == 11
    assert "another process" in done.err

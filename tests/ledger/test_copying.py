"""`ledger copy`: another database, the same ledger; a copy that does not come to its end leaves nothing."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

import pytest

from suppress.audit import verify
from suppress.core.address import Address
from suppress.errors import LedgerDamaged, OutputRefused
from suppress.ledger import Ledger, Lookup, copying
from tests import backends
from tests.conftest import Command
from tests.ledger.backing import peopled, removed
from tests.ledger.making import Place, opt_out, sync_done

pytestmark = pytest.mark.server_only


@pytest.fixture
def file(tmp_path: Path) -> Place:
    """A ledger in a SQLite file, in which somebody was erased and somebody forgotten, with a new key."""
    backends.NOW.kind = backends.SQLITE
    made = peopled(tmp_path)
    made.record(opt_out("kim@example.com"), opt_out("lee@example.com"), sync_done("run"))
    removed(made, "kim@example.com")
    removed(made, "lee@example.com", forget=True)
    with made.open() as ledger:
        ledger.rotate_signing_key(actor="test")
        ledger.keep_checkpoint()
    backends.NOW.kind = backends.POSTGRESQL
    return made


def source(file: Place) -> str:
    return f"sqlite:///{file.file}"


def target(file: Place) -> str:
    return backends.url_in(file.folder)


def test_there_and_back_is_the_same_ledger(file: Place) -> None:
    """Size, root, note, people, checkpoints; every anchor fits, and each table is equal row by row."""
    (file.folder / "kept.note").write_text((file.keys / "highwater").read_text())
    with Ledger.open(source(file), keys=file.keys, read_only=True) as ledger:
        _, head = ledger.copy(target(file))
        assert ledger.head() == head
    with Ledger.open(target(file), keys=file.keys) as there:
        assert head == there.head()
        there.copy(str(file.folder / "back.db"))
    back = str(file.folder / "back.db")
    for url in (target(file), back):
        assert verify(url, keys=file.keys, anchors=[file.folder / "kept.note"]).ok
    for address in ("pat@example.com", "kim@example.com", "lee@example.com", "sam@gmail.com"):
        answers = []
        for url in (source(file), target(file), back):
            with Lookup.open(url, keys=file.keys) as lookup:
                answers.append(lookup.verdict(Address.parse(address)))
        assert answers[0] == answers[1] == answers[2]


def test_the_copy_goes_on_and_the_old_one_is_then_refused(file: Place) -> None:
    """Both have the same keys: the high-water mark beside them lets only one history grow."""
    with Ledger.open(source(file), keys=file.keys) as ledger:
        ledger.copy(target(file))
        with Ledger.open(target(file), keys=file.keys) as there:
            there.append([opt_out("new@example.com")], actor="test")
        with pytest.raises(LedgerDamaged, match="older copy"):
            ledger.append([opt_out("other@example.com")], actor="test")


def test_a_target_that_holds_anything_is_refused(file: Place) -> None:
    """A ledger, a table of others, a view, a file: nothing of it is touched."""
    with closing(backends.connection_to(target(file))) as connection:
        connection.execute("CREATE VIEW theirs AS SELECT 1 AS x")
    (file.folder / "there.db").write_bytes(b"theirs")
    with Ledger.open(source(file), keys=file.keys, read_only=True) as ledger:
        for url in (target(file), str(file.folder / "there.db"), source(file)):
            with pytest.raises(OutputRefused):
                ledger.copy(url)
    assert b"theirs" == (file.folder / "there.db").read_bytes()


def test_a_copy_that_fails_leaves_nothing(file: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of it is one transaction; it can be begun again at once."""

    def failing(*_: object) -> None:
        raise RuntimeError("cut")

    with Ledger.open(source(file), keys=file.keys, read_only=True) as ledger:
        with monkeypatch.context() as patched, pytest.raises(RuntimeError, match="cut"):
            patched.setattr(copying, "_require_whole", failing)
            ledger.copy(target(file))
        with closing(backends.connection_to(target(file))) as connection:
            assert (
                []
                == connection.execute(
                    "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
                ).fetchall()
            )
        ledger.copy(target(file))
    assert verify(target(file), keys=file.keys).ok


def test_a_damaged_ledger_is_not_copied(file: Place) -> None:
    """What does not verify at the target is not kept."""
    backends.NOW.kind = backends.SQLITE
    file.unguarded(("UPDATE payload SET body = x'7b7d' WHERE seq = 2", ()))
    backends.NOW.kind = backends.POSTGRESQL
    with (
        Ledger.open(source(file), keys=file.keys, read_only=True) as ledger,
        pytest.raises(LedgerDamaged, match="does not verify"),
    ):
        ledger.copy(target(file))
    with closing(backends.connection_to(target(file))) as connection:
        assert None is connection.execute("SELECT to_regclass('ledger')").fetchone()[0]  # type: ignore[index]  # a row


def test_the_command_moves_a_ledger(file: Place, command: Command) -> None:
    """As a person does it: copy, name the new place, go on."""
    url = target(file)
    done = command("--ledger", source(file), "ledger", "copy", "--to", url, "--json")
    found = done.json()

    assert 0 == done.exit_code, done.err
    assert "suppress/ledger-copy@1" == found["schema"]
    assert str(file.keys) == found["keys"]
    assert 3 == command("--ledger", url, "verify").exit_code
    assert 2 == command("--ledger", source(file), "ledger", "copy", "--to", url).exit_code
    shutil.copytree(file.keys, file.folder / "other.keys")
    assert 1 == command("--ledger", url, "check", "pat@example.com").exit_code
    granted = command("--ledger", url, "ledger", "grant", "--writer", "w", "--dry-run")
    assert 'GRANT UPDATE ON head TO "w";' in granted.out
    assert 2 == command("--ledger", url, "ledger", "grant").exit_code
    assert "may change entries" in command("--ledger", url, "doctor").out

"""Backups are whole, never in the way, and gone on from as a person does it."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import stat
from pathlib import Path

import pytest

from suppress.audit import verify
from suppress.errors import LedgerDamaged, OutputRefused, StorageFailed
from suppress.ledger import backups
from tests.conftest import Command
from tests.ledger.backing import backed_up, peopled, put_back, removed, restored
from tests.ledger.making import Place, opt_out, sync_done

pytestmark = pytest.mark.both_back_ends


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Pat and Sam opted out, and are in the backup that the test makes."""
    return peopled(tmp_path)


def test_a_backup_is_the_ledger_with_its_checkpoint_beside_it(place: Place) -> None:
    """Nobody else may read it; it verifies by itself, and the note is the copy's own head."""
    with place.open() as ledger:
        made = ledger.backup(place.folder / "backup.db")
        assert made.head == ledger.head()

    assert [0o600, 0o600] == [stat.S_IMODE(path.stat().st_mode) for path in (made.file, made.checkpoint)]
    assert place.folder / "backup.db.checkpoint" == made.checkpoint
    result = verify(f"sqlite:///{made.file}", keys=place.keys, anchors=[made.checkpoint])
    assert (True, 5, None) == (result.ok, result.size, result.first_bad)
    assert [] == [each.name for each in place.folder.iterdir() if each.name.startswith(".")]


def test_a_backup_never_replaces_a_file(place: Place) -> None:
    """Neither the copy nor the note, nor a link that leads nowhere."""
    (place.folder / "one.db").write_text("precious")
    (place.folder / "two.db.checkpoint").write_text("precious")
    (place.folder / "three.db").symlink_to("nowhere")
    for name in ("one.db", "two.db", "three.db"):
        with pytest.raises(OutputRefused, match="never replaces a file"):
            backed_up(place, name)
    assert "precious" == (place.folder / "one.db").read_text()
    assert not (place.folder / "two.db").exists()


def test_a_backup_needs_a_folder_that_takes_files(place: Place) -> None:
    """One line, and nothing left behind."""
    with pytest.raises(OutputRefused, match="no folder that takes files"):
        backed_up(place, "none/backup.db")


def test_a_damaged_ledger_is_not_backed_up(place: Place) -> None:
    """A copy that does not verify would be found out when it is needed."""
    place.unguarded(("UPDATE payload SET body = x'7b7d' WHERE seq = 2", ()))
    with pytest.raises(LedgerDamaged, match="payload of entry 2"):
        backed_up(place)
    assert not (place.folder / "backup.db").exists()
    assert [] == list(place.folder.glob(".suppress*"))


def test_an_older_copy_is_not_backed_up(place: Place) -> None:
    """It would replace better backups."""
    first = backed_up(place)
    place.record(sync_done("run"))
    put_back(place, first)
    with pytest.raises(LedgerDamaged, match="older copy"):
        backed_up(place, "second.db")


@pytest.mark.sqlite_only("about files, and how SQLite is copied")
def test_a_full_disk_leaves_nothing(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither half a copy nor a whole one under its last name."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backups, "replace_file", full)
    monkeypatch.setattr(backups, "_settle", full)
    with pytest.raises(StorageFailed, match="No space left"):
        backed_up(place)
    assert ["suppress.db", "suppress.db-journal", "suppress.keys"] == sorted(
        each.name for each in place.folder.iterdir()
    )


def test_what_a_killed_backup_left_is_swept_by_the_next(place: Place) -> None:
    """It holds addresses. A backup that is being made by another process is left alone."""
    gone = multiprocessing.Process(target=int)
    gone.start()
    gone.join()
    left = place.folder / f".suppress-backup-{gone.pid}-00ff00ff"
    huge = place.folder / f".suppress-backup-{9**9}-00ff00ff"
    busy = place.folder / f".suppress-backup-{os.getpid()}-00ff00ff"
    other = place.folder / ".suppress-backup-mine"
    for file in (left, huge, busy, other):
        file.write_text("pat@example.com")
    backed_up(place)

    assert [False, False, True, True] == [file.exists() for file in (left, huge, busy, other)]


@pytest.mark.sqlite_only("about files, and how SQLite is copied")
def test_a_backup_is_one_committed_state_while_others_write(place: Place) -> None:
    """Not a page of before and a page of after."""
    writer = multiprocessing.get_context("spawn").Process(target=_write_on, args=(place,))
    writer.start()
    made = 0
    while writer.is_alive():
        file = backed_up(place, f"{made}.db")
        result = verify(f"sqlite:///{file}", keys=place.keys, anchors=[Path(f"{file}.checkpoint")])
        assert None is result.first_bad or "high-water" in result.first_bad.what  # the copy is older by now
        made += 1
    writer.join()
    assert 0 == writer.exitcode
    assert made


def _write_on(place: Place) -> None:
    with place.open() as ledger:
        for number in range(60):
            ledger.append([opt_out(f"writer{number}@example.com")], actor="writer")


# --- The commands ------------------------------------------------------------------------------------------


@pytest.mark.sqlite_only("about files, and how SQLite is copied")
def test_backup_erase_restore_as_a_person_does_it(place: Place, command: Command) -> None:
    """Backup, erase, cp, a refused append that names the way out, and everything is as it should be."""
    made = command("ledger", "backup", "-o", "backup.db", "--json").json()
    assert ("suppress/ledger-backup@1", 5, "backup.db.checkpoint") == (
        made["schema"], made["size"], made["checkpoint"],
    )  # fmt: skip
    assert (place.folder / "backup.db").stat().st_size == made["bytes"]
    assert 0 == command("erase", "pat@example.com", "--basis", "Art. 17 GDPR", "--yes").exit_code
    shutil.copy(place.folder / "backup.db", place.file)

    refused = command("add", "kim@example.com", "--received", "2026-11-20")
    assert (70, True) == (refused.exit_code, "suppress ledger restored" in refused.err)
    unasked = command("ledger", "restored")
    assert (2, True) == (unasked.exit_code, "--yes" in unasked.err)
    done = command("ledger", "restored", "--yes")
    assert 0 == done.exit_code, done.err
    assert "The ledger goes on from a copy of 5 entries: entry 5 records it." in done.out
    assert "people erased again     1" in done.out
    assert "suppress sync --full" in done.out
    assert "is no older copy" in command("ledger", "restored", "--yes").out

    assert 0 == command("add", "kim@example.com", "--received", "2026-11-20").exit_code
    assert 3 == command("verify").exit_code
    assert 0 == command("verify", "--anchor", "backup.db.checkpoint").exit_code
    verdict = command("check", "pat@example.com", "--json").json()["results"][0]
    assert ("suppressed", "erased") == (verdict["verdict"], verdict["tier"])


def test_the_commands_say_what_is_in_the_way(place: Place, command: Command) -> None:
    """One line each, and exit 2."""
    first = command("ledger", "backup", "-o", "backup.db")
    again = command("ledger", "backup", "-o", "backup.db")
    none = command("ledger", "restored", "--yes", "--anchor", "none.note")

    assert (0, 2, 2) == (first.exit_code, again.exit_code, none.exit_code)
    assert "holds 5 entries and verifies" in first.out
    assert "Back up" in first.out
    assert "never replaces a file" in again.err
    assert "none.note cannot be read as a checkpoint" in none.err


def test_restored_in_json(place: Place, command: Command) -> None:
    """With a record that was kept elsewhere, and an anchor."""
    backup = backed_up(place)
    removed(place, "pat@example.com")
    (place.folder / "newest.note").write_text((place.keys / "highwater").read_text())
    (place.keys / "erasures").rename(place.folder / "kept")
    put_back(place, backup)
    done = command(
        "ledger", "restored", "--yes", "--json", "--anchor", "newest.note", "--erasures", "kept"
    ).json()

    assert ("suppress/ledger-restored@1", {"size": 5}, 6, 1, 5, True, 1, 0) == tuple(
        done[name]
        for name in ("schema", "backup", "signed", "lost", "seq", "new", "erased_again", "forgotten_again")
    )
    assert 7 == done["ledger"]["size"]


def test_a_run_that_is_finished_later_says_so(
    place: Place, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is recorded twice, and the person at the keyboard knows why."""
    backup = backed_up(place)
    place.record(sync_done("run"), sync_done("run-2"))
    mark = (place.keys / "highwater").read_text()
    put_back(place, backup)
    restored(place)
    (place.keys / "highwater").write_text(mark)  # as a run leaves it that was killed after its commit
    done = command("ledger", "restored", "--yes")

    assert 0 == done.exit_code, done.err
    assert "An earlier run had recorded it; entries can be appended now." in done.out

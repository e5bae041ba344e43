"""`verify`: each attack of the ledger's design is found, named, and told from what nothing inside can show.

The attacker here has the file, and sometimes the signing key. Guards are taken away and put back; whatever
is left is what verification has to go by.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from suppress.audit import Verification, verify
from suppress.core.address import Address
from suppress.core.canonical import timestamp
from suppress.core.checkpoint import Checkpoint, parse_vkey
from suppress.core.entry import Corrected, OptOutRecorded
from suppress.core.leaf import decode, encode
from suppress.core.merkle import Frontier, leaf_hash
from suppress.core.suppression import Reason
from suppress.errors import BadFile, BadUsage, NoLedger
from suppress.ledger import Event, Keys, tables
from suppress.ledger.heads import Signer
from suppress.ledger.rebuilding import rebuild
from suppress.ledger.sealing import mark
from tests.conftest import Command
from tests.ledger.making import NOON, Place, consent, drift, guard_off, guard_on, opt_out, sync_done

pytestmark = pytest.mark.both_back_ends


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A ledger with something of everything: 14 entries, two stored checkpoints."""
    made = Place(tmp_path).create()
    made.record(
        opt_out("Pat.Doe@example.com", evidence={"note": "please stop"}),
        opt_out("p.at@gmail.com", reason=Reason.COMPLAINT),
        sync_done("run-1"),
    )
    with made.open() as ledger:
        ledger.keep_checkpoint()
    made.record(drift("p.at@gmail.com"), consent("sam@example.com", at=NOON), opt_out("sam@example.com"))
    made.record(Event("fix", Corrected(4, "not a complaint")), opt_out("p.at@gmail.com"), sync_done("run-2"))
    return made


def checked(place: Place, *anchors: Path) -> Verification:
    return verify(place.url, keys=place.keys, anchors=anchors)


def anchor(place: Place, name: str = "anchor") -> Path:
    """The current checkpoint, kept elsewhere."""
    path = place.folder / f"{name}.note"
    with place.open() as ledger:
        path.write_text(ledger.head().note)
    return path


# --- What is right ---------------------------------------------------------------------------------------


def test_an_untouched_ledger_verifies(place: Place) -> None:
    """Size and root are those of the head; what was not checked is said."""
    result = checked(place)

    with place.open() as ledger:
        head = ledger.head()
    assert result.ok
    assert result.first_bad is None
    assert (result.size, result.root, result.entries_checked) == (head.size, head.root.hex(), head.size)
    assert any("--anchor" in each for each in result.not_checked)
    assert any("never reached" in each for each in result.not_checked)


def test_anchors_of_every_age_are_held_against_it(place: Place) -> None:
    """Each checkpoint kept elsewhere fits the ledger that grew from it."""
    anchors = [anchor(place, "first")]
    place.record(opt_out("kim@example.com"))
    anchors.append(anchor(place, "second"))

    result = checked(place, *anchors)

    assert result.ok
    assert tuple(map(str, anchors)) == result.anchors
    assert not any("--anchor" in each for each in result.not_checked)


def test_an_erased_payload_is_no_tampering(place: Place) -> None:
    """It is missing on record, and counted among what could not be checked."""
    with place.open() as ledger:
        subject = ledger.standing(Address.parse("pat.doe@example.com")).subject
    assert subject is not None
    place.erase([2], subject)

    result = checked(place)

    assert result.ok
    assert any("1 payloads" in each for each in result.not_checked)


def test_without_keys_a_stranger_verifies_with_a_vkey(place: Place) -> None:
    """All but whether the indexes belong to the addresses, and it says so."""
    vkey = (place.keys / "log.vkey").read_text()
    place.keys.rename(place.folder / "elsewhere")

    result = verify(place.url, vkeys=[vkey])

    assert result.ok
    assert any("indexes" in each for each in result.not_checked)


def test_progress_is_told(place: Place) -> None:
    """Each pass reports how far it is."""
    told: list[tuple[str, int, int | None]] = []
    verify(place.url, keys=place.keys, progress=lambda *each: told.append(each))

    assert ["tree", "replay", "people", "standings"] == list(dict.fromkeys(step for step, _, _ in told))


def test_a_large_ledger_is_verified_in_pages(place: Place) -> None:
    """Passes and counts hold across page boundaries."""
    place.record(*(opt_out(f"pat{number}@gmail.com") for number in range(1300)))

    assert checked(place).ok


# --- Attacks on what is signed ---------------------------------------------------------------------------


def rewritten(place: Place, seq: int, **changes: Any) -> tuple[str, tuple[Any, ...]]:
    """An UPDATE that puts a well-formed leaf with other facts in the place of `seq`."""
    from dataclasses import replace

    with place.raw() as connection:
        (leaf,) = connection.execute("SELECT leaf FROM ledger WHERE seq = ?", (seq,)).fetchone()
    entry = decode(seq, leaf)
    at = changes.pop("at", entry.at)
    forged = encode(id_=entry.id, at=at, actor=entry.actor, body=replace(entry.body, **changes))
    return "UPDATE ledger SET leaf = ? WHERE seq = ?", (forged, seq)


def test_an_edited_entry_is_named(place: Place) -> None:
    """A well-formed leaf that says something else: the very entry, and between which checkpoints."""
    place.unguarded(rewritten(place, 4, reason=Reason.BOUNCED))

    bad = checked(place).first_bad

    assert bad is not None
    assert (bad.seq, bad.between) == (4, (1, 6))


def test_an_edit_that_covers_its_traces_is_bracketed(place: Place) -> None:
    """With every other table adjusted to the forged leaf, the tree still says between what it lies."""
    statement, (forged, seq) = rewritten(place, 4, reason=Reason.BOUNCED)
    place.unguarded(
        (statement, (forged, seq)),
        ("UPDATE event SET mark = ? WHERE seq = 4", (mark(leaf_hash(forged)),)),
        ("UPDATE standing SET reason = 'bounced' WHERE seq = 4", ()),
    )

    bad = checked(place).first_bad

    assert bad is not None
    assert (bad.seq, bad.between) == (None, (1, 6))


def test_an_edit_of_the_newest_entry_is_found(place: Place) -> None:
    """There is no unsigned tail: the head is signed in every append."""
    with place.open() as ledger:
        last = ledger.head().size - 1
    place.unguarded(rewritten(place, last, requests=99))

    bad = checked(place).first_bad
    assert bad is not None
    assert bad.seq == last


def test_a_backdated_entry_is_found(place: Place) -> None:
    """By the tree, and with the key by the order of times."""
    place.unguarded(rewritten(place, 5, at=NOON))

    bad = checked(place).first_bad
    assert bad is not None
    assert bad.seq == 5


@pytest.mark.parametrize(
    ("statements", "seq"),
    [
        (["DELETE FROM ledger WHERE seq = 4"], 4),
        (["DELETE FROM ledger WHERE seq = 4", "UPDATE ledger SET seq = seq - 1 WHERE seq > 4"], 4),
        (
            [
                "UPDATE ledger SET seq = -9 WHERE seq = 2",
                "UPDATE ledger SET seq = 2 WHERE seq = 4",
                "UPDATE ledger SET seq = 4 WHERE seq = -9",
            ],
            2,
        ),
        (["UPDATE ledger SET leaf = (SELECT leaf FROM ledger WHERE seq = 2) WHERE seq = 4"], 4),
        (["DELETE FROM ledger WHERE seq >= 9"], 9),
        (["DELETE FROM ledger"], 0),
        (["INSERT INTO ledger SELECT seq + 1, leaf FROM ledger ORDER BY seq DESC LIMIT 1"], "size"),
        (["INSERT INTO ledger SELECT -1, leaf FROM ledger WHERE seq = 0"], -1),
        (["UPDATE ledger SET leaf = CAST('{}' AS BLOB) WHERE seq = 7"], 7),
    ],
    ids=[
        "deleted",
        "renumbered",
        "swapped",
        "copied",
        "truncated",
        "emptied",
        "appended",
        "before",
        "rubbish",
    ],
)
def test_rows_that_were_moved_are_found(place: Place, statements: list[str], seq: int | str) -> None:
    """Deleted, renumbered, swapped, copied, cut off, put on: the first position that is wrong."""
    with place.open() as ledger:
        size = ledger.head().size
    place.unguarded(*((each, ()) for each in statements))

    bad = checked(place).first_bad

    assert bad is not None
    assert bad.seq == (size if seq == "size" else seq)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE head SET size = size + 1",
        "UPDATE head SET frontier = zeroblob(length(frontier))",
        "UPDATE head SET frontier = x'00'",
        "UPDATE head SET note = CAST(replace(CAST(note AS TEXT), char(10), '') AS BLOB)",
        "UPDATE head SET note = (SELECT note FROM checkpoint WHERE size = 6)",
        "UPDATE head SET last_at = '2026-01-01T00:00:00.000000Z'",
        "UPDATE head SET last_at = 'x'",
        "DELETE FROM head",
        "UPDATE checkpoint SET note = x'ff' WHERE size = 6",
        "UPDATE checkpoint SET size = 5 WHERE size = 6",
        "INSERT INTO checkpoint SELECT 999, note FROM checkpoint WHERE size = 6",
        "INSERT INTO checkpoint SELECT 0, note FROM checkpoint WHERE size = 6",
    ],
)
def test_a_changed_head_or_checkpoint_is_found(place: Place, statement: str) -> None:
    """Every column of both."""
    place.unguarded((statement, ()))

    assert checked(place).first_bad is not None


def test_deleting_a_stored_checkpoint_changes_nothing_that_is_proved(place: Place) -> None:
    """They only narrow the place of a change; copies kept elsewhere are held against the tree as before."""
    kept = anchor(place)
    place.unguarded(("DELETE FROM checkpoint", ()))

    assert checked(place, kept).ok


# --- Attacks with the signing key ------------------------------------------------------------------------


def resigned(place: Place) -> None:
    """What an operator with the key does after a change: sign the tree anew and rebuild the rest."""
    keys = Keys.load(place.keys)
    with place.writing() as connection:
        rows = connection.exec_driver_sql("SELECT leaf FROM ledger ORDER BY seq").all()
        tree = Frontier()
        for (leaf,) in rows:
            tree.push(leaf_hash(leaf))
        last = decode(tree.size - 1, rows[-1][0])
        connection.exec_driver_sql(guard_off("head_only_grows"))
        connection.execute(
            update(tables.head).values(
                size=tree.size,
                frontier=b"".join(tree.hashes),
                last_at=timestamp(last.at),
                note=Signer.of(keys).sign(tree).encode(),
            )
        )
        connection.exec_driver_sql(guard_on("head_only_grows"))
        rebuild(connection, keys)
    place.unguarded(("DELETE FROM checkpoint", ()))
    (place.keys / "highwater").unlink(missing_ok=True)


def test_a_rewrite_signed_with_the_key_is_found_by_an_anchor_only(place: Place) -> None:
    """The honest limit: nothing inside one database can show it."""
    kept = anchor(place)
    place.unguarded(rewritten(place, 4, reason=Reason.BOUNCED))
    resigned(place)

    assert checked(place).ok
    bad = checked(place, kept).first_bad
    assert bad is not None
    assert bad.between is not None


def test_an_older_copy_is_found_by_an_anchor_or_the_high_water_mark(place: Place) -> None:
    """The mark catches the accident; an anchor also the operator who deletes the mark."""
    put_back = place.remembered()
    place.record(opt_out("kim@example.com"))
    kept = anchor(place)
    put_back()

    assert "older copy" in str(checked(place).first_bad)
    (place.keys / "highwater").unlink()
    assert checked(place).ok
    assert "older copy" in str(checked(place, kept).first_bad)


def test_a_fork_is_found_by_an_anchor_newer_than_it(place: Place) -> None:
    """An anchor older than the fork fits both sides."""
    before = anchor(place, "before")
    put_back = place.remembered()
    mark = (place.keys / "highwater").read_bytes()
    place.record(opt_out("kim@example.com"))
    after = anchor(place, "after")
    put_back()
    (place.keys / "highwater").write_bytes(mark)
    place.record(opt_out("lee@example.com"))

    assert checked(place).ok
    assert checked(place, before).ok
    assert not checked(place, before, after).ok


def test_a_rewrite_under_a_new_key_is_found_by_the_pinned_key(place: Place, tmp_path: Path) -> None:
    """The key is the verifier's own, never the ledger's."""
    vkey = (place.keys / "log.vkey").read_text()
    other = Keys.create(tmp_path / "other.keys", parse_vkey(vkey).name)
    with place.raw() as connection:
        (frontier, size) = connection.execute("SELECT frontier, size FROM head").fetchone()
    tree = Frontier.of(size, [frontier[at : at + 32] for at in range(0, len(frontier), 32)])
    forged = Checkpoint(parse_vkey(vkey).name, size, tree.root()).signed(
        parse_vkey(other.vkey), other.signing().sign
    )
    place.unguarded(("UPDATE head SET note = ?", (forged.encode(),)))

    assert "pinned key" in str(verify(place.url, keys=place.keys, vkeys=[vkey]).first_bad)
    assert (
        "another public key" in str(verify(place.url, keys=place.keys, vkeys=[vkey, other.vkey]).first_bad)
        or not verify(place.url, keys=place.keys, vkeys=[other.vkey]).ok
    )


def test_the_key_that_opened_the_ledger_must_be_pinned(place: Place, tmp_path: Path) -> None:
    """A ledger that names another key in its first entry was not opened by the pinned one."""
    vkey = (place.keys / "log.vkey").read_text()
    other = Keys.create(tmp_path / "other.keys", parse_vkey(vkey).name)
    for name in ("signing.pem", "log.vkey"):
        shutil.copy2(other.folder / name, place.keys / name)
    resigned(place)

    bad = verify(place.url, keys=place.keys).first_bad
    assert bad is not None
    assert (bad.seq, "another public key" in bad.what) == (0, True)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"at": NOON - timedelta(days=900)}, "dated before"),
        ({"subject": "0" * 32}, "not added before it"),
    ],
)
def test_an_entry_that_cannot_be_right_is_found_even_when_signed(
    place: Place, changes: dict[str, Any], what: str
) -> None:
    """What the key signs must still make sense."""
    place.unguarded(rewritten(place, 4, **changes))
    try:
        resigned(place)
    except KeyError:  # its projections cannot even be built
        _sign_only(place)

    bad = checked(place).first_bad
    assert bad is not None
    assert (bad.seq, what in bad.what) == (4, True)


def _sign_only(place: Place) -> None:
    keys = Keys.load(place.keys)
    with place.raw() as connection:
        tree = Frontier()
        for (leaf,) in connection.execute("SELECT leaf FROM ledger ORDER BY seq").fetchall():
            tree.push(leaf_hash(leaf))
            connection.execute(
                "UPDATE event SET mark = ? WHERE seq = ?", (mark(leaf_hash(leaf)), tree.size - 1)
            )
        connection.execute(
            "UPDATE head SET frontier = ?, note = ?",
            (b"".join(tree.hashes), Signer.of(keys).sign(tree).encode()),
        )
    place.unguarded(("DELETE FROM checkpoint", ()))
    (place.keys / "highwater").unlink(missing_ok=True)


@pytest.mark.parametrize(
    ("seq", "leaf", "what"),
    [
        (2, lambda leaves: leaves[2].replace(b'"v":1', b'"v": 1'), "canonical"),
        (2, lambda leaves: b"\xff", "cannot be read"),
        (4, lambda leaves: leaves[2], "id of an earlier one"),
        (11, lambda leaves: leaves[10].replace(b'"entry":4', b'"entry":99'), "not an earlier entry"),
        (3, lambda leaves: leaves[3].replace(b'"subject":"', b'"subject":"f'), "another id"),
        (
            0,
            lambda leaves: leaves[0].replace(b'"index_key_commitment":"', b'"index_key_commitment":"f'),
            "index",
        ),
    ],
)
def test_a_signed_leaf_that_is_no_entry_is_found(
    place: Place, seq: int, leaf: Callable[[list[bytes]], bytes], what: str
) -> None:
    """The format is part of what is verified: one entry has one text, one id, and looks back."""
    with place.raw() as connection:
        leaves = [row[0] for row in connection.execute("SELECT leaf FROM ledger ORDER BY seq")]
        seq = next(n for n, each in enumerate(leaves) if b'"corrected"' in each) if seq == 11 else seq
    leaves.insert(10, leaves[seq])
    place.unguarded(("UPDATE ledger SET leaf = ? WHERE seq = ?", (leaf(leaves), seq)))
    _sign_only(place)

    bad = checked(place).first_bad
    assert bad is not None
    assert (bad.seq, what in bad.what) == (seq, True), bad


# --- Attacks on what is committed to ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statement", "seq"),
    [
        ("UPDATE payload SET body = replace(body, 'stop', 'mail') WHERE seq = 2", 2),
        ("UPDATE payload SET body = CAST(replace(body, 'stop', 'mail') AS BLOB) WHERE seq = 2", 2),
        ("UPDATE payload SET salt = zeroblob(32) WHERE seq = 4", 4),
        ("UPDATE payload SET seq = 3 WHERE seq = 4", 3),
        ("DELETE FROM payload WHERE seq = 4", 4),
        ("INSERT INTO payload SELECT 1, salt, body FROM payload WHERE seq = 2", 1),
        ("INSERT INTO payload SELECT 99, salt, body FROM payload WHERE seq = 2", 99),
        ("INSERT INTO payload SELECT -1, salt, body FROM payload WHERE seq = 2", -1),
        ("DELETE FROM subject WHERE id = (SELECT id FROM event WHERE seq = 3)", 3),
        ("UPDATE subject SET salt = zeroblob(32) WHERE id = (SELECT id FROM event WHERE seq = 3)", 3),
        ("UPDATE subject SET blind_index = zeroblob(32) WHERE id = (SELECT id FROM event WHERE seq = 3)", 3),
        ("UPDATE subject SET key_id = 'k2' WHERE id = (SELECT id FROM event WHERE seq = 3)", 3),
        ("UPDATE subject SET id = (SELECT id FROM event WHERE seq = 4) WHERE blind_index = "
         "(SELECT max(blind_index) FROM subject)", None),
        ("UPDATE subject SET id = 'nobody' WHERE blind_index = (SELECT max(blind_index) FROM subject)", None),
        ("INSERT INTO subject SELECT id, 'k2', blind_index, salt FROM subject LIMIT 1", None),
    ],
)  # fmt: skip
def test_a_changed_commitment_is_found(place: Place, statement: str, seq: int | None) -> None:
    """Address, evidence, salt, blind index: altered, moved, dropped, added."""
    try:
        place.unguarded((statement, ()))
    except Exception as refused:  # STRICT: text is not bytes
        assert "cannot store TEXT" in str(refused) or "bytea" in str(refused)
        return

    bad = checked(place).first_bad
    assert bad is not None
    assert seq is None or bad.seq == seq, bad


def test_an_erased_payload_that_comes_back_is_found(place: Place) -> None:
    """Erased is erased."""
    with place.open() as ledger:
        subject = ledger.standing(Address.parse("pat.doe@example.com")).subject
    assert subject is not None
    with place.raw() as connection:
        row = connection.execute("SELECT * FROM payload WHERE seq = 2").fetchone()
    place.erase([2], subject)
    place.unguarded(("INSERT INTO payload VALUES (?, ?, ?)", row))

    bad = checked(place).first_bad
    assert bad is not None
    assert (bad.seq, "is back" in bad.what) == (2, True)


def test_an_erasure_excuses_only_what_it_names(place: Place) -> None:
    """Another payload of the same person may not go missing with it."""
    place.record(opt_out("pat.doe@example.com", facts=("again",)))
    with place.open() as ledger:
        history = ledger.history(Address.parse("pat.doe@example.com"))
    place.erase([2], history[0].entry.id)
    place.unguarded(("DELETE FROM payload WHERE seq = ?", (history[-1].entry.seq,)))

    bad = checked(place).first_bad
    assert bad is not None
    assert bad.seq == history[-1].entry.seq


# --- Attacks on what checks consult ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM standing WHERE person = 1",
        "UPDATE standing SET reason = 'bounced' WHERE person = 1",
        "UPDATE standing SET scope = 'sender:Nobody' WHERE person = 1",
        "UPDATE standing SET channel = 'sms' WHERE person = 1",
        "UPDATE standing SET since = NULL WHERE person = 1",
        "UPDATE standing SET latest = '2000-01-01T00:00:00.000000Z' WHERE person = 1",
        "UPDATE standing SET person = 2 WHERE person = 1",
        "UPDATE standing SET person = 999999 WHERE person = 1",
        "INSERT INTO standing SELECT -5, channel, scope, reason, since, latest, source, seq, visibility "
        "FROM standing WHERE person = 1",
        "INSERT INTO standing SELECT 999999, channel, scope, reason, since, latest, source, seq, visibility "
        "FROM standing WHERE person = 1",
        "INSERT INTO lift VALUES (1, 'email', 'everything', '2099-01-01T00:00:00.000000Z', 2)",
        "DELETE FROM lift",
        "UPDATE lift SET at = '2099-01-01T00:00:00.000000Z'",
        "DELETE FROM event WHERE seq = 1",
        "DELETE FROM event WHERE seq = 6",
        "UPDATE event SET seq = 3 WHERE seq = 1",
        "UPDATE event SET mark = mark + 1 WHERE seq = 1",
        "UPDATE event SET id = 'x' WHERE seq = 2",
        "INSERT INTO event VALUES ('more', 2, 0)",
        "INSERT INTO event VALUES ('more', 999, 0)",
        "DELETE FROM about WHERE person = 1",
        "UPDATE about SET person = 3 WHERE person = 1",
        "INSERT INTO about VALUES (1, 3)",
        "INSERT INTO about VALUES (1, 999)",
        "DELETE FROM alias",
        "UPDATE alias SET person = 1",
        "UPDATE alias SET alias_index = zeroblob(32)",
        "INSERT INTO alias SELECT key_id, zeroblob(32), person FROM alias",
        "DELETE FROM topic WHERE type = 'sync.done'",
        "UPDATE topic SET name = 'other' WHERE type = 'sync.done'",
        "INSERT INTO topic VALUES ('erased', 'somebody', 3)",
        "INSERT INTO topic VALUES ('corrected', '2', 999)",
    ],
)
def test_a_changed_projection_is_found(place: Place, statement: str) -> None:
    """What the mailer consults is replayed and compared, row by row."""
    with place.raw() as connection:
        assert connection.execute(statement).rowcount > 0

    assert checked(place).first_bad is not None


@pytest.mark.sqlite_only("its guards are others there: tests/ledger/test_guards.py")
@pytest.mark.parametrize("name", sorted(tables.GUARDS))
def test_a_missing_guard_is_found(place: Place, name: str) -> None:
    """By its name."""
    with place.raw() as connection:
        connection.execute(f"DROP TRIGGER {name}")

    assert name in str(checked(place).first_bad)


@pytest.mark.sqlite_only("its guards are others there: tests/ledger/test_guards.py")
def test_a_trigger_of_somebody_else_is_found(place: Place) -> None:
    """It could change what is appended next."""
    with place.raw() as connection:
        connection.execute("CREATE TRIGGER quiet AFTER INSERT ON standing BEGIN DELETE FROM standing; END")

    assert "quiet" in str(checked(place).first_bad)


@pytest.mark.parametrize("table", ["ledger", "head", "checkpoint", "payload", "subject", "event", "standing"])
def test_a_missing_table_is_a_finding(place: Place, table: str) -> None:
    """Not a crash."""
    with place.raw() as connection:
        connection.execute(f"DROP TABLE {table}")

    assert not checked(place).ok


# --- Keys, anchors, and what is not there ----------------------------------------------------------------


def test_without_a_public_key_nothing_is_verified(place: Place) -> None:
    """The remedy says where one comes from."""
    (place.keys / "log.vkey").unlink()

    with pytest.raises(BadUsage, match="public key") as caught:
        checked(place)
    assert "--key" in str(caught.value.remedy)


@pytest.mark.parametrize("vkey", ["", "rubbish", "a+b+c"])
def test_a_key_that_is_none_is_refused(place: Place, vkey: str) -> None:
    """Wrong usage, not tampering."""
    with pytest.raises(BadUsage, match="not a public key"):
        verify(place.url, vkeys=[vkey])


def test_a_wrong_index_key_is_a_finding(place: Place) -> None:
    """The ledger committed to its own."""
    (place.keys / "index.k1").write_text("00" * 32)

    assert "index key" in str(checked(place).first_bad)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"one\n2\n", b"x" * 100_000])
def test_an_anchor_that_is_no_checkpoint_is_refused(place: Place, content: bytes) -> None:
    """A bad file, not a tampered ledger."""
    path = place.folder / "anchor.note"
    path.write_bytes(content)

    with pytest.raises(BadFile, match=r"anchor\.note"):
        checked(place, path)
    with pytest.raises(BadFile, match="cannot be read"):
        checked(place, place.folder / "none.note")


def test_an_anchor_of_another_log_is_a_finding(place: Place, tmp_path: Path) -> None:
    """Either the anchor or the ledger is not the one that it is taken for."""
    key = Keys.create(tmp_path / "other.keys", "suppress/other")
    note = Checkpoint("suppress/other", 1, b"\0" * 32).signed(parse_vkey(key.vkey), key.signing().sign)
    (tmp_path / "other.note").write_text(note)

    assert "other.note" in str(checked(place, tmp_path / "other.note").first_bad)


def test_an_unreadable_high_water_mark_is_a_finding(place: Place) -> None:
    """It is never assumed to agree."""
    (place.keys / "highwater").write_bytes(b"\xff")

    assert "high-water" in str(checked(place).first_bad)


def test_no_ledger_cannot_be_verified(tmp_path: Path, place: Place) -> None:
    """An error with its own exit code, never a finding."""
    with pytest.raises(NoLedger):
        verify(str(tmp_path / "none.db"), keys=place.keys)


@pytest.mark.sqlite_only("about the file")
def test_random_bytes_are_a_finding(place: Place) -> None:
    """A ledger overwritten with anything at all is not verified, and nothing crashes."""
    place.file.write_bytes(b"not a database, though long enough to look at" * 100)

    result = checked(place)
    assert (result.ok, result.size, result.root) == (False, 0, "")


# --- While somebody writes -------------------------------------------------------------------------------


def test_a_writer_at_work_is_not_tampering(place: Place) -> None:
    """Entries, people and erasures that arrive between pages change nothing about what is verified."""
    place.record(*(opt_out(f"pat{number}@gmail.com") for number in range(700)))
    with place.open() as ledger:
        size = ledger.head().size
    steps: list[str] = []

    def write(step: str, _done: int, _total: int | None) -> None:
        steps.append(step)
        place.record(
            opt_out(f"late{len(steps)}@gmail.com"), opt_out("pat1@gmail.com", facts=(str(len(steps)),))
        )
        if step == "tree" and len(steps) == 1:
            with place.open() as writer:
                history = writer.history(Address.parse("pat5@gmail.com"))
            place.erase([history[1].entry.seq], history[0].entry.id)

    result = verify(place.url, keys=place.keys, progress=write)

    assert result.ok
    assert result.size >= size
    assert len(steps) > 5


def test_tampering_is_found_while_somebody_writes(place: Place) -> None:
    """What looks wrong is judged again in one transaction, and is still wrong."""
    place.unguarded(("UPDATE payload SET salt = zeroblob(32) WHERE seq = 2", ()))
    written: list[str] = []

    def write_once(step: str, _done: int, _total: int | None) -> None:
        if not written:
            written.append(step)
            place.record(sync_done(step))

    result = verify(place.url, keys=place.keys, progress=write_once)

    assert result.first_bad is not None
    assert result.first_bad.seq == 2


# --- The command -----------------------------------------------------------------------------------------


@pytest.fixture
def ledger(command: Command) -> Place:
    """A ledger made by the command itself."""
    assert command("init").exit_code == 0
    made = Place(command.folder)
    made.record(opt_out())
    return made


def test_verify_exits_3_without_an_anchor_and_0_with_one(command: Command, ledger: Place) -> None:
    """The difference has its own exit code, so that a cron job can insist on an anchor."""
    without = command("verify", "--json")
    kept = anchor(ledger)
    with_one = command("verify", "--anchor", kept)

    assert without.exit_code == 3
    promised = {"schema", "ok", "size", "root", "entries_checked", "anchors", "not_checked", "first_bad"}
    assert promised <= without.json().keys()
    assert next(iter(without.json())) == "schema"
    assert without.json()["schema"] == "suppress/verify@1"
    assert with_one.exit_code == 0
    assert "Verified: 3 entries" in with_one.out


def test_verify_exits_1_and_names_the_entry(command: Command, ledger: Place) -> None:
    """In words and in JSON; nothing on stderr, because it is a finding and no failure."""
    ledger.unguarded(rewritten(ledger, 2, reason=Reason.BOUNCED))

    human, machine = command("verify"), command("verify", "--json")

    assert (human.exit_code, machine.exit_code) == (1, 1)
    assert "First bad entry: 2" in human.out
    assert human.err == ""
    assert machine.json()["first_bad"]["seq"] == 2
    assert machine.json()["first_bad"]["between"][1] == 3
    assert machine.json()["ok"] is False


def test_verify_pins_the_key_that_it_is_given(command: Command, ledger: Place) -> None:
    """Of another ledger: a finding. Rubbish: wrong usage. Without a ledger: 10."""
    other = Keys.create(ledger.folder / "other.keys", "suppress/other")
    vkey = (ledger.keys / "log.vkey").read_text().strip()

    assert command("verify", "--key", vkey).exit_code == 3
    assert command("verify", "--key", other.vkey).exit_code == 1
    assert command("verify", "--key", "rubbish").exit_code == 2
    assert command("verify", "--anchor", "none.note").exit_code == 2
    ledger.vanish()
    assert command("verify").exit_code == 10


def test_a_bundle_of_openssl_checks_the_signature(command: Command, ledger: Place) -> None:
    """A stranger needs none of our code for the signature: log.pem and openssl do."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    import base64

    with ledger.open() as opened:
        text, _, signature = opened.head().note.partition("\n\n")
    (ledger.folder / "text").write_text(text + "\n")
    (ledger.folder / "signature").write_bytes(base64.b64decode(signature.split()[-1])[4:])
    done = subprocess.run(
        [
            *(openssl, "pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", ledger.keys / "log.pem"),
            *("-in", ledger.folder / "text", "-sigfile", ledger.folder / "signature"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )

    assert "Verified Successfully" in done.stdout, (done, sys.platform)


def test_the_opt_out_in_the_example_is_what_it_says(place: Place) -> None:
    """Entry 4, which the attacks above change, is the complaint."""
    with place.open() as ledger:
        (entry,) = ledger.entries(4, 5)
    assert isinstance(entry.body, OptOutRecorded)
    assert entry.body.reason is Reason.COMPLAINT

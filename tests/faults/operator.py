"""A malicious operator: every attack on a ledger that its design speaks of, as a program.

An attack says what `verify` must find, both for an auditor who has nothing but the public key and for one who
kept a checkpoint that is newer than what was attacked. `docs/explanation/promises.md` says the same in a
table, and a test holds the two together.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from suppress.core.checkpoint import Checkpoint, parse_vkey
from suppress.core.merkle import leaf_hash
from suppress.core.suppression import Reason
from suppress.ledger import Keys, Ledger
from suppress.ledger.heads import Signer
from suppress.ledger.sealing import mark
from tests.faults.stage import KIM, PAT, SAM, STORED, Stage
from tests.ledger.making import opt_out

Act = Callable[[Stage], None]


class Found(StrEnum):
    """What an auditor's verification comes to, in the words of the page."""

    CAUGHT = "caught"
    NOT_CAUGHT = "**not caught**"


@dataclass(frozen=True, slots=True)
class Attack:
    """One attack, and what must come of it."""

    name: str
    act: Act
    inside: Found
    anchored: Found
    says: str
    """A part of what is found, with the checkpoint where it is only found with one."""


ATTACKS: dict[str, Attack] = {}


def attack(
    says: str, *, inside: Found = Found.CAUGHT, anchored: Found = Found.CAUGHT
) -> Callable[[Act], Act]:
    """Register an attack under its function's name."""

    def register(act: Act) -> Act:
        name = act.__name__.replace("_", "-")
        ATTACKS[name] = Attack(name, act, inside, anchored, says)
        return act

    return register


def rows(name: str, says: str, *statements: str) -> None:
    """Register an attack that is nothing but statements."""
    ATTACKS[name] = Attack(name, lambda stage: stage.run(*statements), Found.CAUGHT, Found.CAUGHT, says)


# --- Without a key: entries -------------------------------------------------------------------------------


@attack("entry 4 is not the one that was signed")
def edit_an_entry(stage: Stage) -> None:
    """Another reason, well-formed."""
    stage.put(SAM, stage.forged(SAM, reason=Reason.BOUNCED))


@attack("entry 21 is not the one that was signed")
def edit_the_newest_entry(stage: Stage) -> None:
    """There is no unsigned tail, also without the mark outside."""
    last = stage.size() - 1
    stage.put(last, stage.forged(last, requests=99))
    stage.highwater.unlink()


@attack("entries 1 to 5 do not have the root")
def edit_an_entry_and_every_row_about_it(stage: Stage) -> None:
    """No row tells any more which entry it was; the tree still says between which two checkpoints."""
    forged = stage.forged(SAM, reason=Reason.BOUNCED)
    stage.put(SAM, forged)
    stage.run("UPDATE event SET mark = :mark WHERE seq = :seq", mark=mark(leaf_hash(forged)), seq=SAM)
    stage.run("UPDATE standing SET reason = 'bounced' WHERE seq = :seq", seq=SAM)


rows("delete-an-entry", "entry 4 is missing", f"DELETE FROM ledger WHERE seq = {SAM}")
rows(
    "delete-an-entry-and-renumber",
    "entry 4 is not the one that was signed",
    f"DELETE FROM ledger WHERE seq = {SAM}",
    f"UPDATE ledger SET seq = -seq WHERE seq > {SAM}",
    "UPDATE ledger SET seq = -seq - 1 WHERE seq < 0",
)
rows(
    "swap-two-entries",
    "entry 2 is not the one that was signed",
    f"UPDATE ledger SET seq = -9 WHERE seq = {PAT}",
    f"UPDATE ledger SET seq = {PAT} WHERE seq = {SAM}",
    f"UPDATE ledger SET seq = {SAM} WHERE seq = -9",
)


@attack("entry 6 is not the one that was signed")
def insert_a_forged_entry(stage: Stage) -> None:
    """Everything after it moves up by one."""
    forged = stage.forged(5, requests=7)
    stage.run("UPDATE ledger SET seq = -seq WHERE seq > 5", "UPDATE ledger SET seq = -seq + 1 WHERE seq < 0")
    stage.run("INSERT INTO ledger VALUES (6, :leaf)", leaf=forged)


@attack("table ledger has a row for entry 22, which nothing signed")
def append_an_entry_unsigned(stage: Stage) -> None:
    """A head that does not cover it is no head of it."""
    stage.run("INSERT INTO ledger SELECT max(seq) + 1, :leaf FROM ledger", leaf=stage.forged(21, requests=7))


@attack("entry 19 is missing")
def cut_off_the_tail(stage: Stage) -> None:
    """The signed size says how many there were."""
    stage.run("DELETE FROM ledger WHERE seq >= 19")


@attack("this one is a copy from before its key was changed", inside=Found.NOT_CAUGHT)
def cut_back_to_a_stored_checkpoint(stage: Stage) -> None:
    """No key is needed: the checkpoint of that size was signed when the ledger was so long."""
    ((note,),) = stage.ask("SELECT note FROM checkpoint WHERE size = :size", size=STORED)
    (stage.place.keys / "log.vkey").write_text(stage.vkey)
    stage.cut_back(STORED, bytes(note))
    stage.highwater.unlink()


# --- Older copies, and the key ----------------------------------------------------------------------------


@attack("the high-water mark covers 22 entries and the ledger has 18")
def put_back_an_older_copy(stage: Stage) -> None:
    """The accident: the mark outside the database stays."""
    stage.grip.put_back(stage.old)


@attack("covers 22 entries and the ledger has 18", inside=Found.NOT_CAUGHT)
def put_back_an_older_copy_and_its_mark(stage: Stage) -> None:
    """Nothing that is left knows of more."""
    stage.grip.put_back(stage.old)
    shutil.copy(stage.place.folder / "old.highwater", stage.highwater)


@attack("new.note does not fit: the ledger was forked", inside=Found.NOT_CAUGHT)
def fork_from_an_older_copy(stage: Stage) -> None:
    """With the signing key: other people opt out, and as many."""
    put_back_an_older_copy_and_its_mark(stage)
    stage.place.record(*(opt_out(f"other{number}@example.com") for number in range(5)))


@attack("new.note does not fit: the ledger was forked", inside=Found.NOT_CAUGHT)
def rewrite_an_entry_and_sign_anew(stage: Stage) -> None:
    """With the signing key: every table fits, the head is good, and no stored checkpoint says otherwise."""
    stage.put(KIM, stage.forged(KIM, reason=Reason.BOUNCED))
    stage.signed_anew()


@attack("the stored checkpoint of size 7 names")
def rewrite_what_an_earlier_key_signed(stage: Stage) -> None:
    """The checkpoint that hands over is signed by the key that is gone, and must be there."""
    stage.put(SAM, stage.forged(SAM, reason=Reason.BOUNCED))
    stage.run("DELETE FROM checkpoint WHERE size = :size", size=STORED)
    stage.signed_anew()
    stage.run("DELETE FROM checkpoint WHERE size = :size", size=STORED)


@attack("entry 6 rotates the key, and no checkpoint of the old key has it")
def delete_the_checkpoint_that_hands_over(stage: Stage) -> None:
    """Of all stored checkpoints the ones that cannot be spared."""
    stage.run("DELETE FROM checkpoint WHERE size = 7")


@attack("", inside=Found.NOT_CAUGHT, anchored=Found.NOT_CAUGHT)
def delete_other_stored_checkpoints(stage: Stage) -> None:
    """They only narrow the place of a change."""
    stage.run("DELETE FROM checkpoint WHERE size <> 7")


@attack("the head is not signed with the pinned key")
def sign_with_another_key(stage: Stage) -> None:
    """The key of the operator's choice."""
    name = parse_vkey(stage.vkey).name
    other = Keys.create(stage.place.folder / "other.keys", name)
    _signed_by(stage, Signer.of(other))


@attack("signed by a key that was not the log's at this size")
def sign_with_a_retired_key(stage: Stage) -> None:
    """Stolen after it was rotated away."""
    _signed_by(stage, Signer.of(Keys.load(stage.stolen)))


def _signed_by(stage: Stage, signer: Signer) -> None:
    with stage.ledger(read_only=True) as ledger:
        head = ledger.head()
    note = Checkpoint(signer.public.name, head.size, head.root).signed(signer.public, signer.private.sign)
    stage.run("UPDATE head SET note = :note", note=note.encode())
    stage.highwater.unlink()


@attack("is not signed with the pinned key")
def begin_a_new_ledger_under_a_new_key(stage: Stage) -> None:
    """Consistent in itself from the first entry on."""
    stage.place.vanish()
    shutil.rmtree(stage.place.keys)
    Ledger.create(stage.place.url, keys=stage.place.keys, organisation="Acme")
    stage.place.record(opt_out("pat@example.com"))


@attack("entry 10 is dated before the one ahead of it")
def backdate_an_entry_and_sign_anew(stage: Stage) -> None:
    """The key signs it; the order of times does not take it."""
    with stage.ledger(read_only=True) as ledger:
        at = next(iter(ledger.entries(KIM, KIM + 1))).at
    stage.put(KIM, stage.forged(KIM, at=at - timedelta(days=30)))
    stage.signed_anew()


# --- Personal data ----------------------------------------------------------------------------------------


@attack("the payload of entry 2 is not the one that its leaf commits to")
def change_an_address(stage: Stage) -> None:
    """So that somebody else is suppressed."""
    _body(stage, b"pat@example.com", b"eve@example.com")


@attack("the payload of entry 2 is not the one that its leaf commits to")
def change_evidence(stage: Stage) -> None:
    """What the person wrote."""
    _body(stage, b"please stop", b"please mail")


def _body(stage: Stage, old: bytes, new: bytes) -> None:
    ((body,),) = stage.ask("SELECT body FROM payload WHERE seq = :seq", seq=PAT)
    assert old in bytes(body)
    stage.run("UPDATE payload SET body = :body WHERE seq = :seq", body=bytes(body).replace(old, new), seq=PAT)


@attack("the payload of entry 2 is not the one that its leaf commits to")
def change_a_salt(stage: Stage) -> None:
    """The commitment could be opened no more."""
    stage.run("UPDATE payload SET salt = :salt WHERE seq = :seq", salt=bytes(32), seq=PAT)


rows(
    "swap-two-payloads",
    "the payload of entry 2 is not the one that its leaf commits to",
    f"UPDATE payload SET seq = -9 WHERE seq = {PAT}",
    f"UPDATE payload SET seq = {PAT} WHERE seq = {SAM}",
    f"UPDATE payload SET seq = {SAM} WHERE seq = -9",
)
rows(
    "delete-a-payload",
    "the payload of entry 2 is missing, and no entry records its erasure",
    f"DELETE FROM payload WHERE seq = {PAT}",
)


@attack("the payload of entry 12 is back")
def bring_back_an_erased_payload(stage: Stage) -> None:
    """From a backup."""
    salt, body = (bytes.fromhex(each) for each in stage.erased_payload.read_text().split())
    stage.run("INSERT INTO payload (seq, salt, body) VALUES (12, :salt, :body)", salt=salt, body=body)


@attack("the subject row of entry 3 is not the one that its leaf commits to")
def change_a_blind_index(stage: Stage) -> None:
    """So that nobody recognises the person."""
    stage.run(
        "UPDATE subject SET blind_index = :index WHERE id IN (SELECT id FROM event WHERE seq = 3)",
        index=bytes(32),
    )


rows(
    "drop-a-person",
    "table subject has 4 people where the entries make 5",
    "DELETE FROM subject WHERE id IN (SELECT id FROM event WHERE seq = 3)",
)


@attack("table subject has a row that no entry added")
def add_a_person(stage: Stage) -> None:
    """Somebody whom no entry added."""
    stage.run(
        "INSERT INTO subject (id, key_id, blind_index, salt) VALUES ('more', 'k1', :index, :index)",
        index=bytes(32),
    )


@attack("the person of entry 13 was forgotten, and their subject row is back")
def bring_back_somebody_forgotten(stage: Stage) -> None:
    """With what opens the entry that added them."""
    ((id_,),) = stage.ask("SELECT id FROM event WHERE seq = 13")
    key_id, index, salt = stage.forgotten_subject.read_text().split()
    stage.run(
        "INSERT INTO subject (id, key_id, blind_index, salt) VALUES (:id, :key, :index, :salt)",
        id=id_,
        key=key_id,
        index=bytes.fromhex(index),
        salt=bytes.fromhex(salt),
    )


@attack("the index key k1 is not the one that entry 0 commits to")
def swap_the_index_key(stage: Stage) -> None:
    """Nobody would be recognised any more."""
    (stage.place.keys / "index.k1").write_text("5" * 64 + "\n")


# --- What checks consult ----------------------------------------------------------------------------------

rows(
    "remove-somebody-from-the-list",
    "table standing does not hold for the person of entry 1",
    "DELETE FROM standing WHERE person = 1",
)
rows(
    "weaken-a-standing",
    "table standing does not hold for the person of entry 1",
    "UPDATE standing SET scope = 'sender:Nobody' WHERE person = 1",
)
rows(
    "invent-a-consent",
    "table lift does not hold for the person of entry 1",
    "INSERT INTO lift (person, channel, scope, at, seq) "
    "VALUES (1, 'email', 'everything', '2026-12-01T00:00:00.000000Z', 2)",
)
rows("empty-the-alias-index", "the row of table alias for entry 3", "DELETE FROM alias")
rows("detach-an-entry", "the row of table about for entry 2", "DELETE FROM about WHERE seq = 2")
rows("forget-an-event-id", "the row of table event for entry 2", "DELETE FROM event WHERE seq = 2")
rows("hide-a-run", "the row of table topic for entry 5", "DELETE FROM topic WHERE seq = 5")


@attack("the guard ledger_no_update is missing")
def take_a_guard_away(stage: Stage) -> None:
    """The first step of most of the above, left undone."""
    stage.grip.take_guard_away()


@attack("there is a trigger that is not ours: quiet")
def add_a_trigger(stage: Stage) -> None:
    """It would change what is appended next."""
    stage.grip.add_trigger()


@attack("standing is not a table")
def put_a_view_in_the_place_of_a_table(stage: Stage) -> None:
    """It can answer one thing to whoever verifies and another to a check."""
    stage.grip.put_view_in_place()


# --- Where an append would go wrong -----------------------------------------------------------------------


@attack("the head row does not match its own signed note")
def damage_the_frontier(stage: Stage) -> None:
    """What the next head would be computed from; the signer refuses too."""
    stage.run("UPDATE head SET frontier = :frontier", frontier=bytes(32 * stage.size().bit_count()))


@attack("the head is not signed with the pinned key")
def change_the_signed_size(stage: Stage) -> None:
    """In the note and in the row alike."""
    with stage.ledger(read_only=True) as ledger:
        note = ledger.head().note
    stage.run("UPDATE head SET note = :note", note=note.replace("\n22\n", "\n21\n").encode())

"""Every attack of a malicious operator comes to exactly what `docs/explanation/promises.md` says of it."""

from __future__ import annotations

import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from pathlib import Path

import pytest

from suppress.core.address import Address
from suppress.core.entry import Erased
from suppress.core.verdict import Ruling
from suppress.errors import LedgerDamaged
from suppress.ledger import Grounds
from tests.backends import on_server
from tests.faults.operator import ATTACKS, Found, damage_the_frontier
from tests.faults.stage import Stage, copied, set_up
from tests.ledger.making import NOON, Place, opt_out

WENT_BACK = ("put-back-an-older-copy-and-its-mark", "fork-from-an-older-copy")


pytestmark = pytest.mark.both_back_ends

_TEMPLATE = tempfile.TemporaryDirectory(prefix="suppress-stage-")


@cache
def _made() -> Stage:
    return set_up(Place(Path(_TEMPLATE.name)))


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """A ledger to be attacked: a copy of one made once, or on a server one of its own."""
    return set_up(Place(tmp_path)) if on_server() else copied(_made(), tmp_path / "stage")


def test_before_it_is_attacked_it_verifies(stage: Stage) -> None:
    """With and without checkpoints, so that whatever is found is the attack's."""
    assert stage.verified().first_bad is None
    assert stage.verified(stage.old_anchor, stage.anchor).first_bad is None


@pytest.mark.parametrize("name", list(ATTACKS))
def test_an_attack_is_caught_as_the_page_says(stage: Stage, name: str) -> None:
    """By an auditor with nothing but the public key, and by one with a checkpoint newer than the change.

    A checkpoint that is no newer than the copy an attacker went back to finds no more than none.
    """
    attack = ATTACKS[name]
    attack.act(stage)
    inside, anchored = stage.verified(), stage.verified(stage.anchor)

    assert (attack.inside, attack.anchored) == (_found(inside.ok), _found(anchored.ok)), (inside, anchored)
    said = anchored if inside.ok else inside
    assert attack.says in ("" if said.first_bad is None else said.first_bad.what)
    if name in WENT_BACK:
        assert stage.verified(stage.old_anchor).ok


def _found(ok: bool) -> Found:
    return Found.NOT_CAUGHT if ok else Found.CAUGHT


# --- Refused before it happens ----------------------------------------------------------------------------


def test_nothing_is_signed_over_a_damaged_frontier(stage: Stage) -> None:
    """The signer looks at the head that it goes on from."""
    damage_the_frontier(stage)

    with pytest.raises(LedgerDamaged, match="does not match its own signed note"):
        stage.place.record(opt_out("max@example.com"))


def test_an_older_copy_is_not_continued(stage: Stage) -> None:
    """The high-water mark is ahead of it."""
    stage.grip.put_back(stage.old)

    with pytest.raises(LedgerDamaged, match="22 were already signed"):
        stage.place.record(opt_out("max@example.com"))


def test_a_clock_set_back_dates_nothing_back(stage: Stage) -> None:
    """An entry is never dated before the one ahead of it."""
    with stage.ledger(clock=lambda: datetime(2020, 1, 1, tzinfo=UTC)) as ledger:
        ((receipt),) = ledger.append([opt_out("max@example.com")], actor="test")
        before, after = [entry.at for entry in ledger.entries(receipt.seq - 2, receipt.seq)]

    assert before <= after
    assert stage.verified(stage.anchor).ok


# --- What nothing finds -----------------------------------------------------------------------------------


def test_a_request_that_was_never_recorded_is_found_by_nothing(stage: Stage) -> None:
    """No hash says anything of what is not there; counts of the source and the person's receipt do."""
    anchors = (stage.old_anchor, stage.anchor)

    assert stage.verified(*anchors).ok
    assert any("never reached the ledger" in each for each in stage.verified(*anchors).not_checked)
    with stage.ledger(read_only=True) as ledger:
        assert ledger.check("never.recorded@example.com").ruling is Ruling.CLEAR


def test_a_false_date_is_bounded_by_the_checkpoints_around_it(stage: Stage) -> None:
    """The claim stands; which checkpoints the entry lies between, everybody sees."""
    claimed = NOON - timedelta(days=900)
    (_, seq) = stage.place.record(opt_out("max@example.com"), opt_out("claim@example.com", at=claimed))

    assert stage.verified(stage.anchor).ok
    assert any("dates that others claimed" in each for each in stage.verified(stage.anchor).not_checked)
    assert stage.size() > seq >= int(stage.anchor.read_text().split("\n")[1])


def test_a_clock_set_forward_is_bounded_by_the_checkpoints_around_it(stage: Stage) -> None:
    """A checkpoint that was mailed in March does not cover an entry that says June; the next one does."""
    with stage.ledger(clock=lambda: datetime(2031, 1, 1, tzinfo=UTC)) as ledger:
        receipts = ledger.append([opt_out("max@example.com")], actor="test")
        ahead = ledger.head()
    (stage.place.folder / "later.note").write_text(ahead.note)

    assert stage.verified(stage.anchor, stage.place.folder / "later.note").ok
    assert receipts[-1].seq >= int(stage.anchor.read_text().split("\n")[1])
    assert ahead.at == datetime(2031, 1, 1, tzinfo=UTC)


def test_an_erasure_that_nobody_asked_for_verifies_and_is_on_record(stage: Stage) -> None:
    """Evidence can be removed by whoever runs the ledger, but not silently."""
    pat = Address.parse("pat@example.com")
    with stage.ledger() as ledger:
        seen = [each.entry.seq for each in ledger.history(pat)]
        ledger.erase(pat, Grounds("none"), seen=seen, actor="operator")
        erasures = [entry.body.basis for entry in ledger.about("erased") if isinstance(entry.body, Erased)]
    result = stage.verified(stage.anchor)

    assert result.ok
    assert "none" == erasures[0]
    assert any("3 payloads, which were erased on record" in each for each in result.not_checked)


@pytest.mark.sqlite_only("it copies the ledger with what lies around it")
def test_two_auditors_who_were_shown_two_ledgers_find_out_together(stage: Stage, tmp_path: Path) -> None:
    """Each is satisfied alone; the checkpoint of one does not fit the ledger of the other."""
    other = copied(stage, tmp_path / "other")
    marks = [each.highwater for each in (stage, other)]
    for each, name in ((stage, "one"), (other, "two")):
        shutil.copy(stage.place.folder / "old.highwater", each.highwater)
        each.grip.put_back(stage.old)
        each.place.record(opt_out(f"{name}@example.com"))
        with each.ledger(read_only=True) as ledger:
            (each.place.folder / "own.note").write_text(ledger.head().note)
    own = [each.place.folder / "own.note" for each in (stage, other)]
    checked = partial(stage.verified, stage.old_anchor)

    assert all(mark.exists() for mark in marks)
    assert checked(own[0]).ok
    assert other.verified(other.old_anchor, own[1]).ok
    assert "was forked" in str(checked(own[1]).first_bad)

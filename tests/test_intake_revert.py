"""An import taken back: what staff claimed goes, what people did stays, and nothing is lost on the way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from suppress.audit import verify
from suppress.core.entry import Corrected
from suppress.errors import BadUsage
from suppress.intake import reverting as module
from suppress.intake.reverting import Reverted, batches, revert
from suppress.ledger import Grounds, Ledger
from tests.backends import url_in
from tests.small_ledger import made
from tests.test_intake_import import World

pytestmark = pytest.mark.both_back_ends

LIST = "Mail,Why\na@example.com,\nb@example.com,\nc@example.com,unsubscribed\n"
MAPPED = ("email=Mail,reason=Why",)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """An empty ledger and a folder for files."""
    with Ledger.open(made(tmp_path), keys=tmp_path / "suppress.keys") as ledger:
        yield World(ledger, tmp_path)


def reverted(world: World, name: str, **more: Any) -> Reverted:
    """Take an import back."""
    told: dict[str, Any] = {"approver": "Kim", "reason": "the wrong list", "actor": "test"}
    return revert(world.ledger, name, **(told | more))


def test_what_nobody_did_goes_and_what_people_did_stays(world: World, tmp_path: Path) -> None:
    """Two rows said nothing about why; the third says that the person unsubscribed."""
    batch = world.imported(LIST, *MAPPED).batch
    done = reverted(world, batch)
    corrections = [each.body for each in world.ledger.about(Corrected.type)]

    assert (2, {"unsubscribed": 1}, 1) == (done.struck, done.by_people, done.left)
    assert {"c@example.com"} == world.suppressed()
    assert {("the wrong list", "Kim", done.batch.seq)} == {
        (each.reason, each.approver, each.batch) for each in corrections if isinstance(each, Corrected)
    }
    assert [] == list(batches(world.ledger))
    assert verify(url_in(tmp_path), keys=tmp_path / "suppress.keys").ok


def test_an_import_of_what_people_did_is_refused(world: World) -> None:
    """Nothing is written, and the way that is left is named."""
    batch = world.imported("Mail,Why\na@example.com,spam complaint\nb@example.com,opted out\n", *MAPPED).batch
    size = world.ledger.head().size
    with pytest.raises(BadUsage, match=r"what people did \(1 complaint, 1 unsubscribed\)") as refused:
        reverted(world, batch)

    assert "suppress consent" in (refused.value.remedy or "")
    assert size == world.ledger.head().size


def test_an_export_of_another_system_that_does_not_say_who_acted_is_not_taken_back(world: World) -> None:
    """Constant Contact says unsubscribed and not by whom: that may have been the person. Staff were staff."""
    text = (
        "Email address,Email status,Confirmed Opt-Out Source\n"
        "a@example.com,Unsubscribed,\nb@example.com,Unsubscribed,Account\n"
    )
    done = reverted(world, world.imported(text).batch)

    assert (1, {"unknown": 1}) == (done.struck, done.by_people)
    assert {"a@example.com"} == world.suppressed()


def test_the_file_may_be_imported_again_after(world: World) -> None:
    """It was the right list: everybody is suppressed again, once, and it may be taken back again."""
    first = world.imported(LIST, *MAPPED)
    reverted(world, first.batch)
    second, third = world.imported(LIST, *MAPPED), world.imported(LIST, *MAPPED)

    assert ((2, 1), (0, 3)) == ((second.accepted, second.duplicate), (third.accepted, third.duplicate))
    assert first.batch == second.batch == third.batch
    assert 3 == len(world.suppressed())
    done = reverted(world, first.batch)
    assert (2, 2) == (done.struck, done.already)
    assert {"c@example.com"} == world.suppressed()


def test_what_another_import_found_again_stays_until_that_goes_too(world: World) -> None:
    """The second list has two of the first's people: taking back the first must not make them mailable."""
    first = world.imported("Mail\na@example.com\nb@example.com\nc@example.com\n", "email=Mail", name="1.csv")
    second = world.imported("Mail\nb@example.com\na@example.com\n", "email=Mail", name="2.csv")
    assert (0, 2) == (second.accepted, second.duplicate)

    assert (1, 2) == ((done := reverted(world, first.batch)).struck, done.shared)
    assert {"a@example.com", "b@example.com"} == world.suppressed()


def test_an_import_that_was_killed_is_taken_back_whole_once_it_is_finished(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows of the run that was killed belong to the same batch."""
    monkeypatch.setattr("suppress.intake.importing.BATCH", 2)
    rows = "Mail\n" + "".join(f"p{number}@example.com\n" for number in range(7))
    calls = iter(range(100))

    def killed(*told: Any, **more: Any) -> Any:
        if next(calls) == 2:
            raise KeyboardInterrupt
        return append(*told, **more)

    append = world.ledger.append
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(world.ledger, "append", killed)
        world.imported(rows, "email=Mail")
    assert [] == list(batches(world.ledger))

    done = reverted(world, world.imported(rows, "email=Mail").batch)
    assert (7, set()) == (done.struck, world.suppressed())


def test_a_revert_that_was_killed_goes_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is struck out already is not struck out twice; until the end the import can be named."""
    monkeypatch.setattr(module, "AT_ONCE", 2)
    batch = world.imported("Mail\n" + "".join(f"p{n}@example.com\n" for n in range(5)), "email=Mail").batch

    def interrupt(done: int, total: int | None) -> None:
        if total == 5 and done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reverted(world, batch, progress=interrupt)
    assert 1 == len(world.suppressed())

    done = reverted(world, batch)
    assert (1, 4, set()) == (done.struck, done.already, world.suppressed())
    assert 6 == len(list(world.ledger.about(Corrected.type)))


def test_erased_people_of_an_import_stay_suppressed(world: World) -> None:
    """Nothing says any more that they were in that list."""
    batch = world.imported("Mail\na@example.com\nb@example.com\n", "email=Mail").batch
    from suppress.core.address import Address

    who = Address.parse("a@example.com")
    seen = [each.entry.seq for each in world.ledger.history(who)]
    world.ledger.erase(who, Grounds("Art. 17 GDPR"), seen=seen, actor="test")
    done = reverted(world, batch)

    assert (1, 1) == (done.struck, done.erased)
    assert world.ledger.check("a@example.com").seq is not None


def test_a_dry_run_counts_and_writes_nothing(world: World) -> None:
    """The counts are those of the run itself."""
    batch = world.imported(LIST, *MAPPED).batch
    size = world.ledger.head().size
    dry = reverted(world, batch, dry_run=True)

    assert (2, 1, None, size) == (dry.struck, dry.left, dry.seq, world.ledger.head().size)
    assert 3 == len(world.suppressed())


def test_an_import_is_named_by_the_start_of_its_name_or_its_entry(world: World) -> None:
    """Names that mean none, or several, are refused; one that was taken back is none."""
    one = world.imported("Mail\na@example.com\n", "email=Mail", name="1.csv")
    world.imported("Mail\nb@example.com\n", "email=Mail", name="2.csv")
    with pytest.raises(BadUsage, match="no import that was finished and not taken back is called 'zz'"):
        reverted(world, "zz")
    with pytest.raises(BadUsage, match="several imports are called ''"):
        reverted(world, "")

    assert 1 == reverted(world, str(one.seq)).struck
    with pytest.raises(BadUsage, match="no import"):
        reverted(world, one.batch)


@pytest.mark.parametrize("missing", ["approver", "reason"])
def test_a_revert_has_an_approver_and_a_reason(world: World, missing: str) -> None:
    """Both stay in the ledger for good."""
    with pytest.raises(BadUsage, match=f"--{missing} is empty"):
        reverted(world, "any", **{missing: " "})

"""Backups that are put back, and ledgers that go on from them: caught by every checkpoint that is newer."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from suppress.audit import verify
from suppress.errors import LedgerDamaged
from suppress.ledger.values import AHEAD, FORKED, HOLDS
from tests.ledger.making import Place, opt_out

BACKUPS = 20


@dataclass(frozen=True, slots=True)
class Kept:
    """A backup: the database, the high-water mark of then, and the checkpoint that somebody outside has."""

    file: Path
    highwater: Path
    note: Path
    size: int


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> tuple[Place, list[Kept]]:
    """A ledger that grew by uneven steps, with a backup after each."""
    place = Place(tmp_path_factory.mktemp("history")).create()
    kept = []
    for number in range(BACKUPS + 1):
        people = [opt_out(f"p{number}.{each}@example.com") for each in range(1 + number % 3)]
        place.record(*people)
        file, mark, note = (place.folder / f"{number}.{kind}" for kind in ("db", "highwater", "note"))
        shutil.copy(place.file, file)
        shutil.copy(place.keys / "highwater", mark)
        with place.open(read_only=True) as ledger:
            note.write_text(ledger.head().note)
            kept.append(Kept(file, mark, note, ledger.head().size))
    return place, kept


@pytest.mark.parametrize("way", ["put back", "forked"])
@pytest.mark.parametrize("number", range(BACKUPS))
def test_twenty_backups_put_back_or_forked(
    history: tuple[Place, list[Kept]], tmp_path: Path, number: int, way: str
) -> None:
    """Every newer checkpoint catches it and no older one does; the signer refuses while the mark is there."""
    whole, kept = history
    place, back = Place(tmp_path), kept[number]
    shutil.copytree(whole.keys, place.keys)
    shutil.copy(back.file, place.file)
    with pytest.raises(LedgerDamaged, match="already signed"):
        place.record(opt_out("refused@example.com"))

    shutil.copy(back.highwater, place.keys / "highwater")
    if way == "forked":
        place.record(*(opt_out(f"fork{each}@example.com") for each in range(3)))
    older = [each.note for each in kept if each.size <= back.size]
    newer = [each.note for each in kept if each.size > back.size]

    assert verify(place.url, keys=place.keys).ok
    assert verify(place.url, keys=place.keys, anchors=older).ok
    compared = verify(place.url, keys=place.keys, anchors=[*older, *newer]).compared
    assert {HOLDS} == {each.result for each in compared[: len(older)]}
    assert {each.result for each in compared[len(older) :]} <= (
        {AHEAD} if way == "put back" else {AHEAD, FORKED}
    )
    assert not any(verify(place.url, keys=place.keys, anchors=[note]).ok for note in (newer[0], newer[-1]))

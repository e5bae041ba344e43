"""A bundle about one person holds nothing of anybody else: every byte of it is looked at."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

import pytest

from suppress.bundle import Grade, Wanted
from suppress.core.address import Address
from suppress.core.leaf import decode
from tests.bundle.books import make
from tests.ledger.making import Place, consent, drift, opt_out, sync_done

NAMES = (
    "anna",
    "bruno",
    "carla",
    "dmitri",
    "elif",
    "farid",
    "greta",
    "hugo",
    "ines",
    "jonas",
    "kaya",
    "luca",
)
PAT = "pat@own.example"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Pat among others, with a history; one of the others was erased, and a key was changed."""
    from suppress.core.suppression import Scope
    from tests.ledger.making import NOON

    place = Place(tmp_path_factory.mktemp("ledger")).create()
    others = [opt_out(f"{name}@{name}.example", evidence={"secret": f"{name}-told-us"}) for name in NAMES]
    place.record(*others[:5])
    place.record(opt_out(PAT, scope=Scope("Acme")), sync_done("run"))
    with place.open() as ledger:
        ledger.rotate_signing_key(actor="test")
    place.record(*others[5:], opt_out(PAT, facts=("again",)), drift(PAT), drift("anna@anna.example"))
    place.record(consent(PAT, at=NOON, scope=Scope("Acme")), consent("hugo@hugo.example", at=NOON))
    with place.open() as ledger:
        erased = ledger.history(Address.parse("carla@carla.example"))
    place.erase([each.entry.seq for each in erased if each.payload], erased[0].entry.id)
    return place


def secrets_of(place: Place, *, but: str) -> dict[str, bytes]:
    """Everything by which one of the others could be told, named, in every spelling that a file may use."""
    found: dict[str, bytes] = {}
    with place.open() as ledger, place.raw() as connection:
        own = {each.entry.seq for each in ledger.history(Address.parse(but))}
        for name in NAMES:
            found |= {
                f"{name}'s address": f"{name}@{name}.example".encode(),
                f"{name}'s words": f"{name}-told".encode(),
            }
            for each in ledger.history(Address.parse(f"{name}@{name}.example")):
                entry = decode(each.entry.seq, each.entry.leaf)
                for field in ("subject", "sid", "pii"):
                    value = getattr(entry.body, field, None)
                    if value is not None:
                        found[f"{field} of entry {entry.seq}"] = value.encode()
                found[f"id of entry {entry.seq}"] = entry.id.encode()
        for seq, salt in connection.execute("SELECT seq, salt FROM payload"):
            if seq not in own:
                found[f"salt of entry {seq}"] = salt
        for id_, index, salt in connection.execute("SELECT id, blind_index, salt FROM subject"):
            if id_.encode() in found.values():
                found[f"index of {id_}"], found[f"salt of {id_}"] = index, salt
    return found


def spellings(value: bytes) -> tuple[bytes, ...]:
    return value, value.hex().encode(), value.hex().upper().encode(), b64encode(value)


def held(folder: Path, secrets: dict[str, bytes]) -> set[str]:
    """Which of these are in a bundle, in its file names too."""
    files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
    content = b"\n".join(part for file in files for part in (str(file).encode(), file.read_bytes()))
    return {name for name, value in secrets.items() if any(each in content for each in spellings(value))}


def test_nothing_of_anybody_else_is_in_it(place: Place, tmp_path: Path) -> None:
    """No address, word, random id, commitment, index or salt of the others; Pat's own are all there."""
    make(place, tmp_path / "pat", Wanted(Grade.PERSON, address=Address.parse(PAT)))
    others = secrets_of(place, but=PAT)

    assert 100 < len(others)
    assert set() == held(tmp_path / "pat", others)
    assert {"own"} == held(tmp_path / "pat", {"own": PAT.encode()})


def test_the_search_would_find_them(place: Place, tmp_path: Path) -> None:
    """In a bundle that opens everything the same search finds all but what was erased and indexes."""
    make(place, tmp_path / "open", Wanted(Grade.OPEN))
    others = secrets_of(place, but=PAT)
    missing = set(others) - held(tmp_path / "open", others)

    of_people = {name for name in others if name.startswith(("index of", "salt of")) and "entry" not in name}
    assert {"carla's address", "carla's words"} | of_people == missing


def test_chosen_entries_open_no_others(place: Place, tmp_path: Path) -> None:
    """An entry shows its own person and nobody beside it."""
    with place.open() as ledger:
        anna = ledger.history(Address.parse("anna@anna.example"))
    make(place, tmp_path / "anna", Wanted(Grade.ENTRIES, entries=tuple(each.entry.seq for each in anna)))
    found = held(tmp_path / "anna", secrets_of(place, but=PAT))

    assert {"anna's address", "anna's words"} == {name for name in found if "'s " in name}


def test_a_bundle_of_the_whole_ledger_names_nobody(place: Place, tmp_path: Path) -> None:
    """Leaves hold random ids and commitments: no address, no word, no salt, no index."""
    make(place, tmp_path / "whole")
    found = held(tmp_path / "whole", secrets_of(place, but=PAT) | {"own": PAT.encode()})

    assert set() == {
        name for name in found if not name.startswith(("id of", "sid of", "pii of", "subject of"))
    }


def test_an_erased_person_has_a_record_without_content(place: Place, tmp_path: Path) -> None:
    """Their entries are proven, their address is nowhere, and the entry that erased it is there."""
    made = make(place, tmp_path / "carla", Wanted(Grade.PERSON, address=Address.parse("Carla@carla.example")))

    assert (0, 1) == (made.openings, len(made.erased))
    assert set() == held(tmp_path / "carla", {"address": b"carla@", "words": b"carla-told"})
    assert b'"erased"' in (tmp_path / "carla" / "entries.ndjson").read_bytes()

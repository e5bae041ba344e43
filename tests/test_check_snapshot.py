"""The snapshot: nobody is missing in it, nobody can read it, and nothing that was done to it is trusted."""

from __future__ import annotations

import hashlib
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from suppress.check import Finding, check_file
from suppress.check.hashing import Folding
from suppress.check.sealing import Sealed
from suppress.check.snapshot import Snapshot, Store, current
from suppress.check.sorting import Engine
from suppress.core.address import Address
from suppress.core.entry import CheckDone, Corrected, OptOutRecorded
from suppress.core.suppression import Consent
from suppress.files.contacts import ContactFile
from suppress.ledger import Event, Grounds, Ledger, Lookup
from suppress.ledger.place import later_file
from tests.small_ledger import SINCE, made, opened, opted_out

FAST, READABLE = Engine(0, 1 << 16), Engine(1 << 60)
PEOPLE = ("pat@example.com", "al.smith@gmail.com", "dan@yahoo.com", "jörg@bücher.example", "kim@fastmail.com")
ASKED = (*PEOPLE, "alsmith+x@googlemail.com", "DAN-1@yahoo.com", "x@kim.fastmail.com", "new@example.com")


def asked_of(lookup: Lookup, folder: Path, engine: Engine) -> list[Finding]:
    """What a check finds in a file of everybody who plays a part here."""
    file = folder / "asked.csv"
    file.write_text("Email,Name\n" + "".join(f"{each},x\n" for each in ASKED), encoding="utf-8")
    found: list[Finding] = []
    with ContactFile.open(str(file)) as contacts:
        check_file(contacts, lookup, None, actor="test", explain=found.append, engine=engine)
    return found


def agree(lookup: Lookup, folder: Path) -> None:
    expected = asked_of(lookup, folder, READABLE)

    assert expected == asked_of(lookup, folder, FAST)


# --- It covers the ledger --------------------------------------------------------------------------------

STEPS = (
    "opt out",
    "opt out",
    "opt out",
    "consent",
    "erase",
    "forget",
    "rotate",
    "check",
    "lose",
    "spoil",
    "many",
)


@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow])
@given(steps=st.lists(st.tuples(st.sampled_from(STEPS), st.sampled_from(PEOPLE)), min_size=2, max_size=12))
def test_whatever_happened_to_the_ledger_both_engines_agree(steps: list[tuple[str, str]]) -> None:
    """Opt-outs, consents, erasures, new keys, with the snapshot kept, lost or spoilt at any point between."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        url = made(folder)
        for number, (step, who) in enumerate(steps):
            with opened(url) as (lookup, ledger):
                taken(step, who, number, ledger, lookup.snapshot)
            if step == "check":
                with Lookup.open(url) as lookup:
                    agree(lookup, folder)
        with Lookup.open(url) as lookup:
            agree(lookup, folder)


def taken(step: str, who: str, number: int, ledger: Ledger, file: Path) -> None:
    """One thing that happens to a ledger, or to its snapshot."""
    address = Address.parse(who)
    match step:
        case "opt out":
            ledger.append([opted_out(who)], actor="test")
        case "many":
            ledger.append([opted_out(f"other{number}-{each}@gmail.com") for each in range(30)], actor="test")
        case "consent":
            ledger.append([Consent(address, "main", occurred_at=SINCE, facts=(str(number),))], actor="test")
        case "erase" | "forget":
            seen = [each.entry.seq for each in ledger.history(address)]
            do = ledger.erase if step == "erase" else ledger.forget
            do(address, Grounds("asked for it"), seen=seen, actor="test")
        case "rotate":
            ledger.rotate_index_key(actor="test")
        case "lose":
            file.unlink(missing_ok=True)
        case "spoil":
            if file.exists():
                content = bytearray(file.read_bytes())
                content[number * 31 % len(content)] ^= 1
                file.write_bytes(content)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[tuple[Lookup, Ledger, Path]]:
    with opened(made(tmp_path, PEOPLE)) as (lookup, ledger):
        yield lookup, ledger, tmp_path


def found(lookup: Lookup) -> Snapshot:
    """The snapshot as a check would use it."""
    both = current(lookup)
    assert both is not None
    return both[0]


def test_the_erased_are_found_with_and_without_an_older_snapshot(world: tuple[Lookup, Ledger, Path]) -> None:
    """By the hash from before, or else by their blind index alone."""
    lookup, ledger, folder = world
    found(lookup)
    address = Address.parse(PEOPLE[0])
    ledger.erase(
        address, Grounds("x"), seen=[each.entry.seq for each in ledger.history(address)], actor="test"
    )
    agree(lookup, folder)

    assert {} == found(lookup).unheld
    lookup.snapshot.unlink()
    agree(lookup, folder)

    assert 1 == len(found(lookup).unheld)


def test_the_forgotten_are_taken_out(world: tuple[Lookup, Ledger, Path]) -> None:
    """Nothing is left by which they could be recognised, in neither file."""
    lookup, ledger, _ = world
    before = found(lookup)
    ledger.append([opted_out("later@example.com")], actor="test")
    found(lookup)
    address = Address.parse("al.smith@gmail.com")
    ledger.forget(
        address, Grounds("x"), seen=[each.entry.seq for each in ledger.history(address)], actor="test"
    )
    assert not lookup.snapshot.exists()
    assert not later_file(lookup.snapshot).exists()
    after = found(lookup)

    assert len(before.first.alias_hashes) - 1 == len(after.first.alias_hashes)
    assert 1 == len(hashes(before) - hashes(after))


def test_a_snapshot_that_outlived_forgetting_is_built_anew(world: tuple[Lookup, Ledger, Path]) -> None:
    """As when a check wrote it again in the very moment."""
    lookup, ledger, _ = world
    before = found(lookup)
    kept = lookup.snapshot.read_bytes()
    address = Address.parse("al.smith@gmail.com")
    ledger.forget(
        address, Grounds("x"), seen=[each.entry.seq for each in ledger.history(address)], actor="test"
    )
    lookup.snapshot.write_bytes(kept)

    assert 1 == len(hashes(before) - hashes(found(lookup)))


def hashes(snapshot: Snapshot) -> set[int]:
    """Everybody in it."""
    return {each for part in snapshot.parts for each in part.hashes.tolist()}


# --- It grows with the ledger, and is not built again ----------------------------------------------------


def files(lookup: Lookup) -> list[bytes | None]:
    """Both files."""
    both = (lookup.snapshot, later_file(lookup.snapshot))
    return [each.read_bytes() if each.exists() else None for each in both]


def test_it_is_not_written_again_for_entries_about_nobody(world: tuple[Lookup, Ledger, Path]) -> None:
    """Each check is an entry; a large snapshot must not be rewritten for it."""
    lookup, ledger, _ = world
    found(lookup)
    written = files(lookup)
    body = CheckDone(digest="0" * 64, rows=1, kept=1, withheld=0, review=0, invalid=0)
    ledger.append([Event("check", body)], actor="test")
    now = found(lookup)

    assert ledger.head().size == now.size
    assert written == files(lookup)


def test_who_has_to_wait_is_told_why(world: tuple[Lookup, Ledger, Path]) -> None:
    """When everybody is read, and not the next time."""
    lookup, ledger, _ = world
    told: list[int] = []
    current(lookup, told.append)
    ledger.append([opted_out("later@example.com")], actor="test")
    current(lookup, told.append)

    assert [len(PEOPLE)] == told


def test_who_came_later_is_written_beside_the_first_file(world: tuple[Lookup, Ledger, Path]) -> None:
    """The long file stays as it is, and the next check begins where this one ended."""
    lookup, ledger, folder = world
    found(lookup)
    first, _ = files(lookup)
    ledger.append([opted_out("later@example.com"), opted_out("al.smith@gmail.com")], actor="test")
    now = found(lookup)

    assert first == files(lookup)[0]
    assert len(PEOPLE) + 1 == len(hashes(now))
    assert ledger.head().size == Store(lookup.snapshot, lookup.roster().secret).opened(lookup.roster()).size
    agree(lookup, folder)


def test_many_who_came_later_become_one_with_the_first(
    world: tuple[Lookup, Ledger, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then there is one file again."""
    lookup, ledger, folder = world
    found(lookup)
    monkeypatch.setattr("suppress.check.snapshot._WORTH_MERGING", 3)
    ledger.append([opted_out(f"later{each}@example.com") for each in range(5)], actor="test")
    found(lookup)

    assert files(lookup)[1] is None
    assert len(PEOPLE) + 5 == len(found(lookup).first.hashes)
    agree(lookup, folder)


def test_a_second_file_of_another_first_one_is_passed_over(world: tuple[Lookup, Ledger, Path]) -> None:
    """As two checks at a time may leave them."""
    lookup, ledger, folder = world
    found(lookup)
    ledger.append([opted_out("later@example.com")], actor="test")
    found(lookup)
    other = later_file(lookup.snapshot).read_bytes()
    lookup.snapshot.unlink()
    found(lookup)
    later_file(lookup.snapshot).write_bytes(other)
    ledger.append([opted_out("another@example.com")], actor="test")
    agree(lookup, folder)

    assert len(PEOPLE) + 2 == len(hashes(found(lookup)))


def test_a_correction_concerns_the_person_of_the_corrected_entry(
    world: tuple[Lookup, Ledger, Path],
) -> None:
    """Their opt-out may not stand any more."""
    lookup, ledger, folder = world
    found(lookup)
    [entry] = [
        each.entry.seq
        for each in ledger.history(Address.parse("pat@example.com"))
        if isinstance(each.entry.body, OptOutRecorded)
    ]
    ledger.append([Event("mistake", Corrected(entry, "another person"))], actor="test")
    agree(lookup, folder)


def test_a_ledger_from_a_backup_is_another_history(
    world: tuple[Lookup, Ledger, Path], tmp_path: Path
) -> None:
    """Shorter, or as long again with other entries: the snapshot of the lost one is not used."""
    lookup, ledger, folder = world
    copy = folder / "backup"
    copy.mkdir()
    shutil.copy(folder / "suppress.db", copy / "suppress.db")
    shutil.copytree(folder / "suppress.keys", copy / "suppress.keys")
    ledger.append([opted_out("later@example.com")], actor="test")
    found(lookup)
    shutil.copy(lookup.snapshot, copy / "suppress.snapshot")
    with opened(f"sqlite:///{copy / 'suppress.db'}") as (other, restored):
        assert restored.head().size == found(other).size
        shutil.copy(lookup.snapshot, copy / "suppress.snapshot")
        restored.append([opted_out("another@example.com")], actor="test")
        now = found(other)

    assert ledger.head().size == restored_size(copy) == now.size
    assert hashes(now) != hashes(found(lookup))


def restored_size(folder: Path) -> int:
    with Lookup.open(f"sqlite:///{folder / 'suppress.db'}") as lookup:
        return lookup.size


def test_aliases_indexed_by_other_rules_are_left_to_the_readable_engine(
    world: tuple[Lookup, Ledger, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until the ledger is indexed anew, nobody can say from an address what its alias is there."""
    monkeypatch.setattr("suppress.check.snapshot.table_version", lambda: 99)

    assert current(world[0]) is None


# --- It is trusted only whole ----------------------------------------------------------------------------


def test_that_of_other_rules_is_built_anew(
    world: tuple[Lookup, Ledger, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A newer version of the program may make other keys of the same addresses."""
    lookup, _, _ = world
    found(lookup)
    before = files(lookup)
    monkeypatch.setattr("suppress.check.snapshot.KEY_VERSION", 99)
    found(lookup)

    assert before != files(lookup)


def test_two_people_of_one_hash_are_decided_by_the_ledger(
    world: tuple[Lookup, Ledger, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which happens once in many million years, and here to everybody."""
    lookup, _, folder = world
    made = Folding.__init__

    def blank(folding: Folding, secret: bytes) -> None:
        made(folding, secret)
        folding.odd = np.zeros_like(folding.odd)

    monkeypatch.setattr(Folding, "__init__", blank)
    agree(lookup, folder)


@pytest.mark.parametrize("content", [b"", b"x" * 10_000, None])
def test_a_damaged_snapshot_is_replaced(world: tuple[Lookup, Ledger, Path], content: bytes | None) -> None:
    """The check is right at once, and the next one finds a whole snapshot."""
    lookup, _, folder = world
    found(lookup)
    file = lookup.snapshot
    file.write_bytes(file.read_bytes()[:-1] if content is None else content)
    agree(lookup, folder)

    assert found(lookup).size == Sealed(file, lookup.roster().secret).head["size"]


def test_a_folder_that_cannot_be_written_costs_time_only(world: tuple[Lookup, Ledger, Path]) -> None:
    """The snapshot is used from memory."""
    lookup, _, folder = world
    lookup.snapshot.mkdir()
    agree(lookup, folder)

    assert lookup.snapshot.is_dir()
    assert not list(folder.glob(".suppress.snapshot*"))


# --- It tells nobody anything ----------------------------------------------------------------------------


def test_it_is_its_owners_and_holds_nothing_to_read(world: tuple[Lookup, Ledger, Path]) -> None:
    """No address, no part of one, no digest of one, and never the same bytes twice."""
    lookup, ledger, _ = world
    found(lookup)
    ledger.append([opted_out("zoe.later@example.org")], actor="test")
    found(lookup)
    people = (*PEOPLE, "zoe.later@example.org")
    secret = lookup.roster().secret
    plain = [each.encode() for who in people for each in (who, *who.split("@"))]
    digests = [hashlib.new(name, each).digest()[:8] for name in ("md5", "sha1", "sha256") for each in plain]
    for file in (lookup.snapshot, later_file(lookup.snapshot)):
        content = file.read_bytes()

        assert 0o600 == stat.S_IMODE(file.stat().st_mode)
        assert [] == [each for each in (*plain, *digests) if each in content]
        assert secret not in content
    first = lookup.snapshot.read_bytes()
    lookup.snapshot.unlink()
    found(lookup)

    assert first[36:80] != lookup.snapshot.read_bytes()[36:80]

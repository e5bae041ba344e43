"""Building a snapshot: everybody is read table by table, and nobody is lost between the tables."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from suppress.check import snapshot
from suppress.check.blind_index import BlindIndex
from suppress.check.cards import Cards
from suppress.check.hashing import Folding
from suppress.check.snapshot import Snapshot, Store, current
from suppress.core.address import Address
from suppress.core.suppression import Consent
from suppress.errors import LedgerDamaged
from suppress.ledger import Grounds, Ledger, Lookup, roster
from suppress.ledger.roster import Only
from suppress.ledger.sealing import Blinder, IndexKey, expressible
from tests.small_ledger import SINCE, made, opened, opted_out
from tests.test_check_snapshot import PEOPLE, agree, files, found

ODD = ('"a\\"b"@example.com', '"x,\\"key\\":\\"y"@example.com', "jörg@bücher.example", "a\\b@example.com")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[tuple[Lookup, Ledger, Path]]:
    with opened(made(tmp_path, PEOPLE)) as (lookup, ledger):
        yield lookup, ledger, tmp_path


def changed(folder: Path, *statements: str) -> None:
    """What somebody did to the database by hand."""
    with closing(sqlite3.connect(folder / "suppress.db")) as database:
        for statement in statements:
            database.executescript(statement)


def erase(ledger: Ledger, who: str, *, forget: bool = False) -> None:
    address = Address.parse(who)
    seen = [each.entry.seq for each in ledger.history(address)]
    (ledger.forget if forget else ledger.erase)(address, Grounds("x"), seen=seen, actor="test")


# --- Who is in it ----------------------------------------------------------------------------------------


@pytest.mark.both_back_ends
@pytest.mark.parametrize("page", [1, 2, 3, 4_000])
def test_everybody_is_in_it_however_the_pages_are_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    """Those who are held with their match keys, those who were erased by their blind index."""
    monkeypatch.setattr(roster, "PAGE", page)
    keys = tmp_path / "suppress.keys"
    url = made(tmp_path, (*PEOPLE, *ODD))
    with Ledger.open(url, keys=keys) as ledger, Lookup.open(url, keys=keys) as lookup:
        ledger.append([opted_out(PEOPLE[0]), opted_out("later@example.com")], actor="test")
        erase(ledger, PEOPLE[1])
        names = lookup.roster()
        held = [each for some in names.held(ledger.head().size) for each in some]
        indexed = [index for some in names.indexed("k1") for index in some]
        now = found(lookup)

    people = {Address.parse(each).key for each in (*PEOPLE, *ODD, "later@example.com")}
    assert people - {PEOPLE[1]} == {each.key for each in held}
    assert len(people) - 1 == len(held) == len(now.first.hashes)
    assert sorted(names.keys[0].blind(each) for each in people) == indexed
    assert [("k1", names.keys[0].blind(PEOPLE[1]))] == list(now.unheld.values())


def test_one_opt_out_is_told_only_of_those_of_whom_nothing_else_is_known(
    world: tuple[Lookup, Ledger, Path],
) -> None:
    """Not after a consent, nor where several stand."""
    lookup, ledger, _ = world
    pat, al, *_ = PEOPLE
    ledger.append([Consent(Address.parse(pat), "main", occurred_at=SINCE, facts=("1",))], actor="test")
    changed(
        world[2],
        "INSERT INTO standing SELECT person, 'sms', scope, reason, since, latest, source, seq, visibility "
        f"FROM standing WHERE person = {number_of(lookup, al)}",
    )
    told = {each.key: each.only for page in lookup.roster().held(ledger.head().size) for each in page}
    only = Only("email", "everything", "unsubscribed", "main", SINCE, 4)

    assert {pat, al} == {key for key, only in told.items() if only is None}
    assert only._replace(seq=0) == told["dan@yahoo.com"]._replace(seq=0)  # type: ignore[union-attr]


def number_of(lookup: Lookup, who: str) -> int:
    return next(each.number for page in lookup.roster().held(1_000) for each in page if each.key == who)


def test_people_who_share_an_alias_are_all_in_it(tmp_path: Path) -> None:
    """One alias stands for both, and the snapshot is whole all the same: it is not built each time."""
    with opened(made(tmp_path, ("p.at@gmail.com", "pat@gmail.com"))) as (lookup, _):
        now = found(lookup)
        before = files(lookup)

        assert (2, 1) == (len(now.first.hashes), len(now.first.alias_hashes))
        assert found(lookup).size == now.size
        assert before == files(lookup)


def test_who_is_indexed_under_two_keys_is_asked_of_the_ledger(world: tuple[Lookup, Ledger, Path]) -> None:
    """It reads all rows of theirs, and the oldest speaks first; a card knows of one."""
    lookup, ledger, folder = world
    ledger.rotate_index_key(actor="test")
    names = lookup.roster()
    second = names.keys[1].blind(PEOPLE[0])
    changed(
        folder,
        f"INSERT INTO subject SELECT id, 'k2', x'{second.hex()}', salt FROM subject "
        f"WHERE blind_index = x'{names.keys[0].blind(PEOPLE[0]).hex()}'",
    )
    now = found(lookup)
    cards = Cards(names.secret)
    opened_by = [
        who
        for who in PEOPLE
        if cards.opened([Address.parse(who).key.encode()] * len(PEOPLE), now.first.cards).whole.any()
    ]

    assert len(PEOPLE) == len(now.first.hashes)
    assert list(PEOPLE[1:]) == opened_by
    agree(lookup, folder)


# --- What happens meanwhile ------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["opt out", "erase", "forget"])
def test_what_is_recorded_while_it_is_built_is_in_it(world: tuple[Lookup, Ledger, Path], what: str) -> None:
    """Between the reading of one table and the next."""
    lookup, ledger, folder = world

    def meanwhile(_people: int) -> None:
        if what == "opt out":
            ledger.append([opted_out("later@example.com")], actor="test")
        else:
            erase(ledger, PEOPLE[0], forget=what == "forget")

    both = current(lookup, meanwhile)

    assert both is not None
    [now, _] = both
    recognised = {"opt out": (6, 0), "erase": (4, 1), "forget": (4, 0)}
    assert recognised[what] == (sum(len(part.hashes) for part in now.parts), len(now.unheld))
    agree(lookup, folder)


def test_who_was_added_since_the_position_that_was_read_is_left_to_the_refreshing(
    world: tuple[Lookup, Ledger, Path],
) -> None:
    """They have a row of the index by then, and are no person whose address is not held."""
    lookup, ledger, _ = world
    names = lookup.roster()
    start = names.position()
    ledger.append([opted_out("later@example.com")], actor="test")
    folding, told = Folding(names.secret), list[int]()
    first = snapshot.rebuilt(names, folding, start, told.append)
    now = snapshot.refreshed(first, names, folding, names.position())

    assert [len(PEOPLE) + 1] == told
    assert (len(PEOPLE), 0) == (len(first.first.hashes), len(first.unheld))
    assert (1, 0) == (len(now.later.hashes), len(now.unheld))


def test_who_is_forgotten_after_they_were_read_is_left_to_the_readable_engine(
    world: tuple[Lookup, Ledger, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next check builds it without them."""
    lookup, ledger, _ = world
    unheld = BlindIndex.unheld

    def late(index: BlindIndex, before: int) -> dict[int, tuple[str, bytes]]:
        erase(ledger, PEOPLE[0], forget=True)
        return unheld(index, before)

    with monkeypatch.context() as patch:
        patch.setattr(BlindIndex, "unheld", late)
        assert current(lookup) is None
    assert len(PEOPLE) - 1 == len(found(lookup).first.hashes)


def test_a_file_that_another_check_put_there_meanwhile_is_not_used(
    world: tuple[Lookup, Ledger, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was built is read again from the file, to take less memory; somebody may be missing there."""
    lookup, ledger, _ = world
    found(lookup)
    older = lookup.snapshot.read_bytes()
    ledger.append([opted_out("later@example.com")], actor="test")
    lookup.snapshot.unlink()
    save = Store.save

    for content in (older, b""):

        def overtaken(store: Store, old: Snapshot | None, now: Snapshot, content: bytes = content) -> None:
            save(store, old, now)
            lookup.snapshot.write_bytes(content)

        with monkeypatch.context() as patch:
            patch.setattr(Store, "save", overtaken)
            assert current(lookup) is None
        lookup.snapshot.unlink()


# --- Damage ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO subject (id, key_id, blind_index, salt) VALUES ('a', 'k1', zeroblob(32), x'00')",
        "INSERT INTO subject VALUES ('a', 'k1', x'ffffffffffffffffff', x'00')",
        "DROP TRIGGER payload_no_update; UPDATE payload SET body = x'7b7d'",
        "DROP TRIGGER payload_no_update; UPDATE payload SET body = x'ff'",
        'DROP TRIGGER payload_no_update; UPDATE payload SET body = CAST(\'{"key":"x@y.com"}\' AS BLOB)',
        'DROP TRIGGER payload_no_update; UPDATE payload SET body = CAST(\'{"a":1,"key":"x"}\' AS BLOB)',
        "DROP TRIGGER payload_no_update; UPDATE payload SET body = CAST('{\"key\":1}' AS BLOB)",
    ],
)
def test_a_ledger_whose_tables_do_not_fit_is_left_to_the_readable_engine(
    world: tuple[Lookup, Ledger, Path], statement: str
) -> None:
    """A row that no entry added, a payload that is none or is of somebody else: it says what is wrong."""
    lookup, _, folder = world
    changed(folder, statement)

    assert current(lookup) is None


def test_an_index_without_rows_is_left_to_the_readable_engine(world: tuple[Lookup, Ledger, Path]) -> None:
    """People are there, and nobody could be found."""
    lookup, _, folder = world
    changed(folder, "DELETE FROM subject")

    assert current(lookup) is None


def test_more_people_than_rows_are_left_to_the_readable_engine(world: tuple[Lookup, Ledger, Path]) -> None:
    """Two of one address, of whom the ledger would find one."""
    lookup, _, folder = world
    held = "(SELECT body FROM payload WHERE seq = (SELECT min(seq) FROM payload))"
    changed(folder, f"DROP TRIGGER payload_no_update; UPDATE payload SET body = {held}")
    rest = f"x'{lookup.roster().keys[0].blind(PEOPLE[0]).hex()}'"
    changed(folder, f"DELETE FROM subject WHERE blind_index != {rest}")

    assert current(lookup) is None


def test_a_standing_that_cannot_be_read_is_told_by_the_ledger(world: tuple[Lookup, Ledger, Path]) -> None:
    """It is damage, and said so; nobody is taken for clear."""
    lookup, _, folder = world
    changed(folder, "UPDATE standing SET since = 'yesterday'")

    assert current(lookup) is not None
    with pytest.raises(LedgerDamaged, match="changed from outside"):
        agree(lookup, folder)


def test_an_entry_about_somebody_whose_number_is_lost_has_it_built_anew(
    world: tuple[Lookup, Ledger, Path],
) -> None:
    """By the number nobody is found; by their payload and their row of the index they are."""
    lookup, ledger, folder = world
    first = found(lookup).first_size
    ledger.append([opted_out("later@example.com")], actor="test")
    changed(folder, f"DELETE FROM event WHERE seq = {ledger.head().size - 2}")
    now = found(lookup)

    assert first + 2 == now.first_size
    assert len(PEOPLE) + 1 == len(now.first.hashes)


# --- Blind indexes ---------------------------------------------------------------------------------------


@given(secret=st.binary(min_size=32, max_size=32), text=st.text())
@example(secret=bytes(32), text="")
@settings(max_examples=60)
def test_an_index_key_at_work_makes_the_indexes_of_the_key(secret: bytes, text: str) -> None:
    """Whoever was indexed by the one is found by the other."""
    key, text = IndexKey("k1", secret), expressible(text)
    blinder = Blinder(key)

    assert (key.id, key.blind(text)) == (blinder.id, blinder.blind(text))
    assert key.blind_alias(text) == blinder.blind_alias(text)


def test_blind_indexes_are_recognised_as_the_ledger_makes_them(world: tuple[Lookup, Ledger, Path]) -> None:
    """And for no other key's."""
    names = world[0].roster()
    keys = [b"new@example.com", *(Address.parse(each).key.encode() for each in PEOPLE)]
    blind = frozenset(index for page in names.indexed("k1") for index in page)

    assert len(PEOPLE) == len(blind)
    assert [1, 2, 3, 4, 5] == list(names.recognised(keys, {"k1": blind}))
    assert [] == list(names.recognised(keys, {"k2": blind}))

"""What a snapshot is kept in: a sealed file, and cards. Nobody reads or changes a byte of them unnoticed."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from suppress.check import sealing
from suppress.check.cards import SIZE, Card, Cards, dated
from suppress.check.sealing import Column, NotUsable, Sealed
from tests.small_ledger import SINCE

SECRET = bytes(range(32))

# --- The file --------------------------------------------------------------------------------------------

HEAD = {"size": 9, "words": ["a", "b"]}


def written(file: Path, people: int = 3, secret: bytes = SECRET) -> Path:
    """A sealed file of two columns."""
    numbers = np.arange(people, dtype=np.uint64)
    sealing.write(file, secret, HEAD, [Column("one", numbers), Column("two", numbers[:1], open=True)])
    return file


@pytest.mark.parametrize("people", [1, 3, 200_000])
def test_what_was_sealed_is_read_again(tmp_path: Path, people: int) -> None:
    """All of it, also what is longer than it is sealed at a time."""
    file = Sealed(written(tmp_path / "file", people), SECRET)

    assert HEAD.items() <= file.head.items()
    assert list(range(people)) == file.column("one", "<u8").tolist()
    assert bytes(8) == file.open_column("two").tobytes()


def test_a_change_of_any_byte_is_found(tmp_path: Path) -> None:
    """In the magic, the nonce, a column, the head or the tag; an open column is not proven here."""
    file = written(tmp_path / "file")
    content = file.read_bytes()
    start, length = Sealed(file, SECRET).head["columns"]["two"]
    for place in set(range(len(content))) - set(range(start, start + length)):
        changed = bytearray(content)
        changed[place] ^= 1 << place % 8
        file.write_bytes(bytes(changed))
        with pytest.raises(NotUsable):
            Sealed(file, SECRET).column("one", "<u8")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=200), keep=st.integers(0, 400))
def test_other_bytes_are_refused(tmp_path: Path, content: bytes, keep: int) -> None:
    """Cut short, longer, or never a snapshot."""
    file = written(tmp_path / "file")
    whole = file.read_bytes()
    for each in (content, whole[:keep], whole + b"x", whole[:keep] + content):
        if each != whole:
            file.write_bytes(each)
            with pytest.raises(NotUsable):
                Sealed(file, SECRET)


def test_that_of_another_ledger_is_refused(tmp_path: Path) -> None:
    """It was sealed with another secret."""
    file = written(tmp_path / "file")
    with pytest.raises(NotUsable):
        Sealed(file, bytes(32))


_WRITER = """
import sys
from pathlib import Path
from tests.test_check_sealing import written
while True:
    written(Path(sys.argv[1]), 200_000)
    print(flush=True)
"""


def test_a_kill_leaves_a_whole_snapshot(tmp_path: Path) -> None:
    """The old one or the new one, at whatever moment of the writing."""
    file = tmp_path / "suppress.snapshot"
    for writes in (1, 2, 3):
        with subprocess.Popen([sys.executable, "-c", _WRITER, str(file)], stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            for _ in range(writes):
                writer.stdout.readline()
            writer.send_signal(signal.SIGKILL)
        assert 200_000 == len(Sealed(file, SECRET).column("one", "<u8"))


def test_its_bytes_look_drawn_by_lot(tmp_path: Path) -> None:
    """Thousands of people whose hashes are small numbers leave no trace of that."""
    content = written(tmp_path / "file", 50_000).read_bytes()
    body = content[36 : 36 + 8 * 50_000]
    share = sum(each.bit_count() for each in body) / (8 * len(body))

    assert 0.499 < share < 0.501


def test_pieces_cannot_change_places(tmp_path: Path) -> None:
    """Nor can those of one column stand in another: each is sealed for where it is."""
    one, two = np.zeros(1 << 18, np.uint64), np.ones(1 << 17, np.uint64)
    file = tmp_path / "file"
    sealing.write(file, SECRET, HEAD, [Column("one", one), Column("two", two)])
    content = file.read_bytes()
    start, piece = Sealed(file, SECRET).head["columns"]["one"][0], (1 << 20) + 16
    first, second, third = (content[start + at * piece : start + (at + 1) * piece] for at in range(3))
    for names, changed in (("one", second + first + third), ("one two", third + second + first)):
        file.write_bytes(content[:start] + changed + content[start + 3 * piece :])
        for name in names.split():
            with pytest.raises(NotUsable):
                Sealed(file, SECRET).column(name, "<u8")


# --- Cards -----------------------------------------------------------------------------------------------

CARD = Card(3, SINCE, 70_000)


def opened(cards: Cards, key: bytes, *contents: bytes) -> list[Card | None]:
    """What each of these cards says to whoever has this match key."""
    lines = np.frombuffer(b"".join(contents), np.uint8).reshape(-1, SIZE)
    said = cards.opened([key] * len(lines), lines)
    return [
        Card(rule, dated(since), seq) if whole else None
        for whole, rule, since, seq in zip(*(each.tolist() for each in said), strict=True)
    ]


@pytest.mark.parametrize("card", [CARD, Card(0, None, 0), Card(1, datetime.max.replace(tzinfo=UTC), 1)])
def test_a_card_is_opened_by_its_key_alone(card: Card) -> None:
    """Nothing else reads it, nor a card with a bit changed, nor one that says nothing."""
    cards = Cards(SECRET)
    content = cards.sealed(b"pat@example.com", card)

    number = int.from_bytes(content)
    changed = [(number ^ 1 << bit).to_bytes(SIZE) for bit in range(8 * SIZE)]

    assert [card] == opened(cards, b"pat@example.com", content)
    assert [None] == opened(cards, b"pat@example.org", content)
    assert [None] == opened(Cards(bytes(32)), b"pat@example.com", content)
    assert [*[None] * 8 * SIZE, card] == opened(cards, b"pat@example.com", *changed, content)


@pytest.mark.parametrize("card", [None, Card(1 << 32, None, 0), Card(0, None, 1 << 32)])
def test_what_a_card_cannot_hold_is_asked_of_the_ledger(card: Card | None) -> None:
    """It never opens."""
    cards = Cards(SECRET)

    assert [None] == opened(cards, b"pat@example.com", cards.sealed(b"pat@example.com", card))


def test_cards_tell_nothing_by_their_difference() -> None:
    """Not that two people opted out alike, nor what became different of one: half of all bits differ."""
    cards = Cards(SECRET)
    people = [f"pat{number}@example.com".encode() for number in range(2_000)]
    pairs = [(cards.sealed(who, CARD), cards.sealed(people[0], CARD)) for who in people[1:]]
    pairs += [(cards.sealed(who, CARD), cards.sealed(who, CARD._replace(seq=CARD.seq + 1))) for who in people]
    for half in (slice(16), slice(16, 32)):
        differing = sum(
            (int.from_bytes(one[half]) ^ int.from_bytes(other[half])).bit_count() for one, other in pairs
        )

        assert 0.49 < differing / (128 * len(pairs)) < 0.51

"""A log's keys in their order: each signs its own sizes, and hands over once."""

from __future__ import annotations

from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from suppress.core.checkpoint import BadNote, Checkpoint, Key, Note
from suppress.core.keychain import KeyChain

PRIVATE = [Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in range(1, 5)]
KEYS = [Key("example.com/log", each.public_key().public_bytes_raw()) for each in PRIVATE]
CHAIN = KeyChain.of(str(KEYS[0]), [(4, str(KEYS[1])), (9, str(KEYS[2]))])


def note(size: int, *signers: int) -> str:
    """A checkpoint of this size, signed by these keys."""
    checkpoint = Checkpoint("example.com/log", size, sha256(str(size).encode()).digest())
    notes = [Note.parse(checkpoint.signed(KEYS[each], PRIVATE[each].sign)) for each in signers]
    return str(Note(checkpoint.text, tuple(line for each in notes for line in each.signatures)))


@given(st.integers(0, 20), st.sets(st.integers(0, 3), min_size=1, max_size=3))
def test_each_size_has_its_key(size: int, signers: set[int]) -> None:
    """The old key up to the entry that names the next; there both, or the old alone; then the new alone."""
    needed = 0 if size <= 5 else 1 if size <= 10 else 2
    allowed = {needed, needed + 1} if size in (5, 10) else {needed}
    right = needed in signers and signers - {3} <= allowed
    if right:
        assert size == CHAIN.open(note(size, *sorted(signers))).size
    else:
        with pytest.raises(BadNote):
            CHAIN.open(note(size, *sorted(signers)))


def test_a_chain_of_one_key_is_that_key() -> None:
    """Nearly every ledger."""
    chain = KeyChain.of(str(KEYS[0]))

    assert ((KEYS[0],), (), KEYS[0]) == (chain.keys, chain.handovers, chain.current)
    assert 7 == chain.open(note(7, 0)).size


def test_a_line_of_another_key_of_the_log_must_verify() -> None:
    """A damaged second signature refuses the whole note, as C2SP asks for keys that one knows."""
    good = note(5, 0, 1)
    lines = good.splitlines(keepends=True)

    assert 5 == CHAIN.open(good).size
    with pytest.raises(BadNote):
        CHAIN.open("".join([*lines[:-1], lines[-1].replace(lines[-1][-6:-2], "AAAA")]))


def test_another_logs_checkpoint_is_refused() -> None:
    """Whoever signed it."""
    other = Checkpoint("example.com/other", 1, bytes(32))
    with pytest.raises(BadNote, match="another log"):
        CHAIN.open(other.signed(Key("example.com/other", KEYS[0].public), PRIVATE[0].sign))


@pytest.mark.parametrize(
    ("rotations", "says"),
    [
        ([(4, "rubbish")], "not a verifier key"),
        ([(4, str(Key("example.com/other", KEYS[1].public)))], "another log"),
        ([(4, str(KEYS[1])), (9, str(KEYS[0]))], "used before"),
        ([(4, str(KEYS[0]))], "used before"),
        ([(9, str(KEYS[1])), (9, str(KEYS[2]))], "ahead of entry"),
    ],
)
def test_a_chain_that_cannot_be_is_refused(rotations: list[tuple[int, str]], says: str) -> None:
    """No key, another log's, a retired one, or out of order."""
    with pytest.raises(BadNote, match=says):
        KeyChain.of(str(KEYS[0]), rotations)

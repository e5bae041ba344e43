"""The Merkle tree against a second implementation, all small sizes, and whatever a stranger may send."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from functools import cache
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suppress.core.merkle import (
    EMPTY_ROOT,
    MAX_SIZE,
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root,
    verify_consistency,
    verify_inclusion,
)

MOST = 130
LEAVES = [leaf_hash(str(number).encode()) for number in range(MOST)]


# --- The definitions of RFC 6962 section 2.1, word for word -----------------------------------------------


@cache
def tree_head(start: int, stop: int) -> bytes:
    """MTH(D[start:stop])."""
    n = stop - start
    if n == 0:
        return sha256().digest()
    if n == 1:
        return LEAVES[start]
    k = split(n)
    return sha256(b"\x01" + tree_head(start, start + k) + tree_head(start + k, stop)).digest()


def path(m: int, start: int, stop: int) -> list[bytes]:
    """PATH(m, D[start:stop])."""
    n = stop - start
    if n == 1:
        return []
    k = split(n)
    if m < k:
        return [*path(m, start, start + k), tree_head(start + k, stop)]
    return [*path(m - k, start + k, stop), tree_head(start, start + k)]


def subproof(m: int, start: int, stop: int, whole: bool) -> list[bytes]:
    """SUBPROOF(m, D[start:stop], b)."""
    n = stop - start
    if m == n:
        return [] if whole else [tree_head(start, stop)]
    k = split(n)
    if m <= k:
        return [*subproof(m, start, start + k, whole), tree_head(start + k, stop)]
    return [*subproof(m - k, start + k, stop, False), tree_head(start, start + k)]


def split(n: int) -> int:
    """The largest power of two smaller than n."""
    k = 1
    while k * 2 < n:
        k *= 2
    return k


# --- Agreement -------------------------------------------------------------------------------------------


def test_the_prefixes_keep_leaves_and_nodes_apart() -> None:
    """Values that anyone can compute with sha256sum."""
    assert leaf_hash(b"") == sha256(b"\x00").digest()
    assert node_hash(b"l" * 32, b"r" * 32) == sha256(b"\x01" + b"l" * 32 + b"r" * 32).digest()
    assert root([]) == EMPTY_ROOT == sha256(b"").digest()


def test_the_roots_of_the_reference_log_are_ours() -> None:
    """Certificate Transparency's test vector: eight inputs and their root."""
    inputs = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ]
    hashes = [leaf_hash(bytes.fromhex(each)) for each in inputs]

    assert root(hashes[:1]).hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert root(hashes[:3]).hex() == "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"
    assert root(hashes).hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


@pytest.mark.parametrize("size", range(MOST + 1))
def test_roots_and_proofs_of_every_small_tree_are_the_rfcs(size: int) -> None:
    """Every leaf of every tree, and every earlier tree of every tree, up to 130 leaves."""
    leaves = LEAVES[:size]

    assert root(leaves) == tree_head(0, size)
    for index in range(size):
        proof = inclusion_proof(leaves, index)
        assert proof == path(index, 0, size)
        assert verify_inclusion(leaves[index], index, size, proof, tree_head(0, size))
    for old in range(size + 1):
        proof = consistency_proof(leaves, old)
        assert proof == (subproof(old, 0, size, True) if old else [])
        assert verify_consistency(old, size, proof, tree_head(0, old), tree_head(0, size))


@settings(max_examples=30)
@given(st.integers(1, 5_000), st.data())
def test_larger_trees_prove_as_well(size: int, data: st.DataObject) -> None:
    """Any leaf and any earlier size of trees up to 5,000 leaves."""
    leaves = [leaf_hash(number.to_bytes(4, "big")) for number in range(size)]
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size))

    assert verify_inclusion(leaves[index], index, size, inclusion_proof(leaves, index), root(leaves))
    assert verify_consistency(old, size, consistency_proof(leaves, old), root(leaves[:old]), root(leaves))


# --- Refusal ---------------------------------------------------------------------------------------------


def mutated(proof: list[bytes]) -> Iterator[list[bytes]]:
    """The proof with one thing wrong."""
    for place in range(len(proof)):
        yield proof[:place] + proof[place + 1 :]
        yield [*proof[:place], proof[place], *proof[place:]]
        yield [*proof[:place], leaf_hash(b"other"), *proof[place + 1 :]]
        flipped = bytearray(proof[place])
        flipped[place % 32] ^= 1 << place % 8
        yield [*proof[:place], bytes(flipped), *proof[place + 1 :]]
        yield [*proof[:place], proof[place][:-1], *proof[place + 1 :]]
    for place in range(len(proof) - 1):
        if proof[place] != proof[place + 1]:
            yield [*proof[:place], proof[place + 1], proof[place], *proof[place + 2 :]]
    yield [*proof, leaf_hash(b"more")]
    yield [leaf_hash(b"more"), *proof]
    if proof:
        yield []
        yield proof[:-1]


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 6, 7, 8, 11, 16, 21, 33, 64, 65, 100, 130])
def test_no_mutated_inclusion_proof_is_accepted(size: int) -> None:
    """A node dropped, doubled, added, swapped, cut or flipped; another index, size, leaf or root."""
    leaves, head = LEAVES[:size], tree_head(0, size)
    for index in range(size):
        proof = inclusion_proof(leaves, index)
        assert [
            wrong for wrong in mutated(proof) if verify_inclusion(leaves[index], index, size, wrong, head)
        ] == []
        for other in {*range(size), -1, size} - {index}:
            assert not verify_inclusion(leaves[index], other, size, proof, head)
        for root_ in (EMPTY_ROOT, tree_head(0, size - 1), bytes(32)):
            assert not verify_inclusion(leaves[index], index, size, proof, root_)
        assert not verify_inclusion(leaf_hash(b"forged"), index, size, proof, head)


@pytest.mark.parametrize("size", [2, 3, 4, 5, 7, 8, 13, 16, 33, 64, 100, 130])
def test_no_mutated_consistency_proof_is_accepted(size: int) -> None:
    """The same for the proof that an older tree is the beginning of a newer one."""
    leaves, head = LEAVES[:size], tree_head(0, size)
    for old in range(1, size):
        proof, old_head = consistency_proof(leaves, old), tree_head(0, old)
        assert [
            wrong for wrong in mutated(proof) if verify_consistency(old, size, wrong, old_head, head)
        ] == []
        for other in range(size + 1):
            if other != old:
                assert not verify_consistency(other, size, proof, old_head, head)
        assert not verify_consistency(old, size, proof, leaf_hash(b"forged"), head)
        assert not verify_consistency(old, size, proof, old_head, leaf_hash(b"forged"))
        assert not verify_consistency(size, old, proof, head, old_head)


@pytest.mark.parametrize("size", [2, 4, 8, 64, 128])
def test_a_node_is_not_taken_for_a_leaf(size: int) -> None:
    """Whoever starts half-way up the path has proven a subtree, and may have made up what is under it."""
    proof = inclusion_proof(LEAVES[:size], 0)
    node = LEAVES[0]
    for height, sibling in enumerate(proof, start=1):
        node = node_hash(node, sibling)
        assert not verify_inclusion(node, 0, size, proof[height:], tree_head(0, size))


@pytest.mark.parametrize("size", [2, 4, 8, 64, 128])
def test_a_leaf_behind_the_end_is_not_proven(size: int) -> None:
    """Its path would fit a tree that is shorter by it; the size says that it is not there."""
    last, proof = LEAVES[size - 1], inclusion_proof(LEAVES[:size], size - 1)

    assert verify_inclusion(last, size - 1, size, proof, tree_head(0, size))
    assert not verify_inclusion(last, size - 1, size - 1, proof, tree_head(0, size))


def test_a_changed_history_is_never_consistent() -> None:
    """Whichever earlier leaf was changed, no proof of the new tree fits the old root."""
    old, new = 37, 90
    for place in range(old):
        rewritten = [*LEAVES[:place], leaf_hash(b"rewritten"), *LEAVES[place + 1 : new]]
        proof = consistency_proof(rewritten, old)
        assert not verify_consistency(old, new, proof, tree_head(0, old), root(rewritten))


def test_a_proof_for_another_size_with_the_same_shape_is_judged_by_its_root() -> None:
    """Sizes that need as many nodes differ in their roots, not in luck."""
    accepted = [
        size
        for size in range(1, MOST + 1)
        if verify_inclusion(LEAVES[0], 0, size, inclusion_proof(LEAVES[:100], 0), tree_head(0, 100))
    ]

    # Sizes 65 to 128 give leaf 0 the same path; which one it is, the signed checkpoint says with the root.
    assert accepted == list(range(65, 129))


def test_the_empty_tree_begins_every_tree_and_nothing_else_fits_it() -> None:
    """From size 0 and between equal sizes the proof is empty and the roots decide."""
    head = tree_head(0, 5)

    assert verify_consistency(0, 5, [], EMPTY_ROOT, head)
    assert verify_consistency(0, 0, [], EMPTY_ROOT, EMPTY_ROOT)
    assert verify_consistency(5, 5, [], head, head)
    assert not verify_consistency(0, 5, [], head, head)
    assert not verify_consistency(0, 5, [head], EMPTY_ROOT, head)
    assert not verify_consistency(0, 0, [], head, head)
    assert not verify_consistency(5, 5, [], head, EMPTY_ROOT)
    assert not verify_consistency(5, 5, [head], head, head)


class _Lying(bytes):
    def __eq__(self, other: object) -> bool:
        return True

    def __len__(self) -> int:
        return 32

    __hash__ = bytes.__hash__


HOSTILE: list[object] = [
    *(None, True, False, -1, 0, 1, 2**63, 2**64, 2**100_000, 1.0, float("nan"), "", "a" * 32, object(), type),
    *(
        b"",
        b"a" * 31,
        b"a" * 33,
        b"a" * 32,
        bytearray(32),
        memoryview(bytes(32)),
        _Lying(b"x"),
        {},
        {bytes(32)},
    ),
    *([], [None], [b""], ["a" * 32], [bytes(32)] * 200, [[bytes(32)]], [bytes(32), _Lying(b"x")]),
    *((), (bytes(32),), iter([bytes(32)])),
]
Verifier = Callable[..., object]


@pytest.mark.parametrize(
    ("verify", "good"),
    [
        (verify_inclusion, (LEAVES[2], 2, 5, inclusion_proof(LEAVES[:5], 2), tree_head(0, 5))),
        (verify_consistency, (3, 5, consistency_proof(LEAVES[:5], 3), tree_head(0, 3), tree_head(0, 5))),
        (verify_consistency, (5, 5, [], tree_head(0, 5), tree_head(0, 5))),
    ],
    ids=["inclusion", "consistency", "same size"],
)
def test_the_verifiers_answer_false_to_whatever_a_stranger_sends(
    verify: Verifier, good: tuple[object, ...]
) -> None:
    """Wrong types and sizes, huge numbers, values that lie about themselves: False, never an error."""
    assert verify(*good) is True
    for place in range(len(good)):
        for value in HOSTILE:
            changed = [*good[:place], value, *good[place + 1 :]]
            same = type(value) is type(good[place]) and value == good[place]
            if same or (value == () and good[place] == []):
                continue
            assert verify(*changed) is False, (place, value)


@settings(max_examples=300)
@given(
    st.lists(
        st.one_of(st.sampled_from(HOSTILE), st.integers(), st.binary(max_size=40)), min_size=5, max_size=5
    )
)
def test_the_verifiers_never_raise(values: list[object]) -> None:
    """Any five values."""
    verifiers: tuple[Verifier, ...] = (verify_inclusion, verify_consistency)

    assert {type(verify(*values)) for verify in verifiers} == {bool}


def test_sizes_up_to_64_bits_are_believed_and_no_larger() -> None:
    """A proof of 64 nodes for the last leaf of the largest tree is a proof; one leaf more is none."""
    proof = [bytes([level]) * 32 for level in range(64)]
    head = LEAVES[0]
    for node in proof:
        head = node_hash(head, node)

    assert verify_inclusion(LEAVES[0], 0, MAX_SIZE, proof, head)
    assert not verify_inclusion(LEAVES[0], 0, MAX_SIZE + 1, proof, head)


@pytest.mark.parametrize("index", [-1, 5, 6])
def test_a_proof_of_a_leaf_that_is_not_there_is_refused(index: int) -> None:
    """Our own mistake is an error, not a wrong proof."""
    with pytest.raises(ValueError, match=f"no leaf {index} in a tree of 5"):
        inclusion_proof(LEAVES[:5], index)


@pytest.mark.parametrize("old_size", [-1, 6])
def test_a_proof_from_a_size_that_never_was_is_refused(old_size: int) -> None:
    """A tree of 5 was never one of 6."""
    with pytest.raises(ValueError, match="was never one of"):
        consistency_proof(LEAVES[:5], old_size)


# --- The frontier ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", range(MOST + 1))
def test_a_frontier_has_the_root_of_all_leaves_and_continues_from_what_was_kept(size: int) -> None:
    """Stopped at any size and taken up again, it grows to the same tree, in log n hashes."""
    frontier = Frontier()
    for leaf in LEAVES[:size]:
        frontier.push(leaf)
    kept = Frontier.of(frontier.size, frontier.hashes)

    assert (kept.size, kept.root()) == (size, tree_head(0, size))
    assert len(kept.hashes) == size.bit_count()
    for leaf in LEAVES[size:]:
        kept.push(leaf)
    assert kept.root() == tree_head(0, MOST)
    assert frontier.root() == tree_head(0, size)


@pytest.mark.parametrize(
    ("size", "hashes", "problem"),
    [
        (3, [bytes(32)], "a tree of 3 has 2 complete subtrees, not 1"),
        (4, [bytes(32)] * 2, "a tree of 4 has 1 complete subtrees, not 2"),
        (0, [bytes(32)], "a tree of 0 has 0 complete subtrees, not 1"),
        (-1, [bytes(32)], "cannot have -1 leaves"),
        (2**64, [bytes(32)], "cannot have 18446744073709551616 leaves"),
        (1, [bytes(31)], "a hash is 32 bytes"),
        (1, [bytearray(32)], "a hash is 32 bytes"),
    ],
)
def test_a_frontier_that_cannot_be_is_refused(size: int, hashes: list[bytes], problem: str) -> None:
    """A damaged frontier is not signed over."""
    with pytest.raises(ValueError, match=problem):
        Frontier.of(size, hashes)


def test_only_hashes_are_pushed() -> None:
    """Pushing a leaf instead of its hash would build another tree."""
    with pytest.raises(ValueError, match="32 bytes, not 4"):
        Frontier().push(b"leaf")


@given(st.lists(st.integers(0, 40), max_size=6))
@settings(max_examples=200)
def test_leaves_appended_together_make_the_tree_of_leaves_appended_one_by_one(cuts: list[int]) -> None:
    """Wherever they are cut: also the hashes that are kept to go on from."""
    together, singly = Frontier(), Frontier()
    for count in cuts:
        leaves = LEAVES[:count]
        together.extend(leaves)
        for leaf in leaves:
            singly.push(leaf)

        assert (singly.size, singly.hashes, singly.root()) == (
            together.size,
            together.hashes,
            together.root(),
        )


def test_only_hashes_are_appended_together() -> None:
    """As one by one."""
    with pytest.raises(ValueError, match="32 bytes"):
        Frontier().extend([LEAVES[0], b"leaf"])


def test_two_different_histories_have_two_roots() -> None:
    """A swap, a drop, a doubling and a change of any leaf each change the root."""
    generator = random.Random(1)
    seen = {root(LEAVES[:20])}
    for _ in range(200):
        leaves = LEAVES[:20]
        one, other = generator.sample(range(20), 2)
        leaves[one], leaves[other] = leaves[other], leaves[one]
        seen.add(root(leaves))
    distinct_swaps = 20 * 19 // 2

    assert 1 < len(seen) <= distinct_swaps + 1
    assert root(LEAVES[:20]) not in {root(LEAVES[:19]), root([*LEAVES[:20], LEAVES[19]])}

"""Every proof of every tree up to 130 leaves, and what becomes of it when one thing in it is changed.

`tests/core/test_merkle.py` holds proofs against a second implementation and refuses chosen mutations; here
they are counted, and in the long run there are more of them than anybody would choose.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from suppress.core.merkle import consistency_proof, inclusion_proof, verify_consistency, verify_inclusion
from tests.core.test_merkle import LEAVES, MOST, mutated, path, subproof, tree_head

PROOFS = 2 * MOST * (MOST + 1) // 2
"""Of each leaf in each tree, and from each earlier tree but the empty one to each: 17,030."""


def trees(request: pytest.FixtureRequest) -> list[int]:
    """The sizes to try: all, or a few of each kind."""
    long = request.config.getoption("--faults-long", default=False)
    return list(range(1, MOST + 1)) if long else [1, 2, 3, 5, 8, 31, 32, 33]


def test_every_proof_is_that_of_the_second_implementation(request: pytest.FixtureRequest) -> None:
    """And verifies: 17,030 of them."""
    sizes, proofs = trees(request), 0
    for size in sizes:
        leaves, head = LEAVES[:size], tree_head(0, size)
        for index in range(size):
            proof = inclusion_proof(leaves, index)
            assert proof == path(index, 0, size)
            assert verify_inclusion(leaves[index], index, size, proof, head)
            growth = consistency_proof(leaves, index + 1)
            assert growth == subproof(index + 1, 0, size, True)
            assert verify_consistency(index + 1, size, growth, tree_head(0, index + 1), head)
            proofs += 2

    assert proofs == sum(2 * size for size in sizes)
    assert proofs == PROOFS or len(sizes) < MOST


Tried = tuple[int, int, list[bytes], bytes, bytes]


def wrong_inclusions(index: int, size: int) -> Iterator[Tried]:
    """Index, size, proof, leaf, root: each with one thing that is not right."""
    leaf, proof, head = LEAVES[index], inclusion_proof(LEAVES[:size], index), tree_head(0, size)
    for each in mutated(proof):
        yield index, size, each, leaf, head
    for other in (index - 1, index + 1):
        yield other, size, proof, leaf, head
    for other in {size - 1, size + 1} & set(range(MOST + 1)):
        yield index, other, proof, leaf, tree_head(0, other)
    yield index, size, proof, LEAVES[index - 1], head if size > 1 else tree_head(0, 2)


def wrong_growths(old: int, size: int) -> Iterator[Tried]:
    """Old size, new size, proof, old root, new root: each with one thing that is not right."""
    proof, before, after = consistency_proof(LEAVES[:size], old), tree_head(0, old), tree_head(0, size)
    for each in mutated(proof):
        yield old, size, each, before, after
    for other in {old - 1, old + 1} & set(range(1, size)):
        yield other, size, proof, tree_head(0, other), after
    for other in {size - 1, size + 1} & set(range(old + 1, MOST + 1)):
        yield old, other, proof, before, tree_head(0, other)
    yield old, size, proof, before, LEAVES[-1]
    yield old, size, proof, LEAVES[-1], after


@pytest.mark.timeout(3600)
def test_no_mutated_proof_is_accepted(request: pytest.FixtureRequest) -> None:
    """Nodes dropped, added, swapped, cut, flipped; another index, size, root: over 50,000 in the long run."""
    sizes, tried = trees(request), 0
    accepted: list[Tried] = []
    for size in sizes:
        for number in range(size):
            inclusions, growths = list(wrong_inclusions(number, size)), list(wrong_growths(number + 1, size))
            tried += len(inclusions) + len(growths)
            accepted += [each for each in inclusions if verify_inclusion(each[3], *each[:3], each[4])]
            accepted += [each for each in growths if verify_consistency(*each)]

    assert [] == accepted
    assert tried >= (50_000 if len(sizes) == MOST else 1_000)
    print(f"\n{tried:,} mutated proofs, none accepted")

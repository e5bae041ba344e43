"""Proofs picked up in one pass are those that the whole tree gives, for every size and place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from suppress.core import merkle
from suppress.core.harvest import WIDTH, Harvest

LEAVES = [merkle.leaf_hash(str(number).encode()) for number in range(3 * WIDTH * 4)]


def tiles(leaves: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    for first in range(0, len(leaves), WIDTH):
        yield leaves[first : first + WIDTH]


def test_every_proof_of_small_trees_is_the_whole_trees() -> None:
    """Sizes 1 to 70, each leaf, each earlier size."""
    for size in range(1, 71):
        leaves = LEAVES[:size]
        harvest = Harvest(
            size,
            inclusion=[(index, size) for index in range(size)],
            consistency=[(old, size) for old in range(size + 1)],
        )
        harvest.add(leaves)

        assert merkle.root(leaves) == harvest.root()
        for index in range(size):
            assert merkle.inclusion_proof(leaves, index) == harvest.inclusion(index)
        for old in range(size + 1):
            assert merkle.consistency_proof(leaves, old) == harvest.consistency(old)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_proofs_of_large_trees_are_the_whole_trees(data: st.DataObject) -> None:
    """Around the edges of tiles, where complete and incomplete subtrees meet."""
    size = data.draw(
        st.one_of(st.integers(1, len(LEAVES)), st.sampled_from([255, 256, 257, 511, 512, 513, 3072]))
    )
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size))
    within = data.draw(st.integers(index + 1, size))
    harvest = Harvest(
        size, inclusion=[(index, size), (index, within)], consistency=[(old, size)], roots=[old]
    )
    for tile in tiles(LEAVES[:size]):
        harvest.add(tile)

    assert merkle.root(LEAVES[:size]) == harvest.root()
    assert merkle.root(LEAVES[:old]) == harvest.root(old)
    assert merkle.inclusion_proof(LEAVES[:size], index) == harvest.inclusion(index)
    assert merkle.inclusion_proof(LEAVES[:within], index) == harvest.inclusion(index, within)
    assert merkle.consistency_proof(LEAVES[:size], old) == harvest.consistency(old)


def test_a_complete_tile_gives_its_root() -> None:
    """It is the entry of the tile one level up; an incomplete tile has none there."""
    harvest = Harvest(WIDTH + 1)

    assert merkle.root(LEAVES[:WIDTH]) == harvest.add(LEAVES[:WIDTH])
    assert harvest.add(LEAVES[WIDTH : WIDTH + 1]) is None

"""The RFC 6962 Merkle tree over leaves: roots, proofs, and their verification. This module is public.

Rules kept here:

* Hashes are 32 bytes, proofs are lists of them, leaf first. A leaf is hashed with prefix 0x00, a node with
  0x01, so that neither can be passed off as the other (RFC 6962 section 2.1).
* `verify_inclusion` and `verify_consistency` take what a stranger sent: they return False for anything that
  is not exactly right, wrong types and huge numbers included, and never raise.
* The functions that *make* proofs take our own data and raise ValueError where it cannot be right.

    >>> leaves = [leaf_hash(data) for data in (b"one", b"two", b"three")]
    >>> proof = inclusion_proof(leaves, 1)
    >>> verify_inclusion(leaves[1], 1, 3, proof, root(leaves))
    True

The next module to read is `checkpoint`, which signs a root.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256

HASH_SIZE = 32
MAX_SIZE = 2**64 - 1
"""Leaves. RFC 6962 counts them in 64 bits; no larger tree is believed."""


def leaf_hash(data: bytes) -> bytes:
    """The hash of one leaf's exact bytes."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees."""
    return sha256(b"\x01" + left + right).digest()


EMPTY_ROOT = sha256(b"").digest()
"""The root of a tree without leaves."""


class Frontier:
    """An append-only tree in O(log n) memory: the roots of its complete subtrees, largest first."""

    __slots__ = ("_hashes", "_size")

    def __init__(self) -> None:
        self._hashes: list[bytes] = []
        self._size = 0

    @classmethod
    def of(cls, size: int, hashes: Iterable[bytes]) -> Frontier:
        """A frontier that was kept elsewhere.

        Raises:
            ValueError: A tree of that size does not have so many complete subtrees, or one of the hashes is
                not 32 bytes. Whether they are the *right* hashes only a signed root can show.
        """
        kept = list(hashes)
        if not 0 <= size <= MAX_SIZE:
            raise ValueError(f"a tree cannot have {size} leaves")
        if len(kept) != size.bit_count():
            raise ValueError(f"a tree of {size} has {size.bit_count()} complete subtrees, not {len(kept)}")
        if any(type(each) is not bytes or len(each) != HASH_SIZE for each in kept):
            raise ValueError(f"a hash is {HASH_SIZE} bytes")
        frontier = cls()
        frontier._hashes, frontier._size = kept, size
        return frontier

    @property
    def size(self) -> int:
        """How many leaves the tree has."""
        return self._size

    @property
    def hashes(self) -> tuple[bytes, ...]:
        """What to keep so that `of` continues from here."""
        return tuple(self._hashes)

    def push(self, leaf_hash: bytes) -> None:
        """Append one leaf. Raises ValueError when it is not a hash."""
        if len(leaf_hash) != HASH_SIZE:
            raise ValueError(f"a hash is {HASH_SIZE} bytes, not {len(leaf_hash)}")
        size, hashes, carried = self._size, self._hashes, leaf_hash
        while size & 1:  # as in adding one to a binary number: equal subtrees join
            carried = sha256(b"\x01" + hashes.pop() + carried).digest()
            size >>= 1
        hashes.append(carried)
        self._size += 1

    def extend(self, leaf_hashes: Sequence[bytes]) -> None:
        """Append leaves, as `push` would one by one. Raises ValueError when one is not a hash.

        Whole subtrees are hashed level by level, which takes half the time: most of it goes to counting.
        """
        first = 0
        while first < len(leaf_hashes):
            room = self._size & -self._size or len(leaf_hashes)
            count = min(room, 1 << (len(leaf_hashes) - first).bit_length() - 1)
            self._join(leaf_hashes[first : first + count])
            first += count

    def _join(self, leaves: Sequence[bytes]) -> None:
        """Append as many leaves as make a subtree that begins where the tree ends."""
        if set(map(len, leaves)) != {HASH_SIZE}:
            raise ValueError(f"a hash is {HASH_SIZE} bytes")
        level: Sequence[bytes] = leaves
        while len(level) > 1:
            pairs = iter(level)
            level = [
                sha256(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=True)
            ]
        size, hashes, carried = self._size // len(leaves), self._hashes, level[0]
        while size & 1:
            carried = sha256(b"\x01" + hashes.pop() + carried).digest()
            size >>= 1
        hashes.append(carried)
        self._size += len(leaves)

    def root(self) -> bytes:
        """The root of the tree so far; the tree may go on growing."""
        if not self._hashes:
            return EMPTY_ROOT
        *larger, found = self._hashes
        for left in reversed(larger):
            found = node_hash(left, found)
        return found


def root(leaf_hashes: Iterable[bytes]) -> bytes:
    """The root over all leaf hashes, in one pass and constant memory."""
    frontier = Frontier()
    for each in leaf_hashes:
        frontier.push(each)
    return frontier.root()


# --- Inclusion -------------------------------------------------------------------------------------------


def inclusion_proof(leaf_hashes: Sequence[bytes], index: int) -> list[bytes]:
    """The siblings that lead from leaf `index` to the root (RFC 6962 section 2.1.1).

    Raises:
        ValueError: There is no leaf `index`.
    """
    if not 0 <= index < len(leaf_hashes):
        raise ValueError(f"there is no leaf {index} in a tree of {len(leaf_hashes)}")
    return [root(leaf_hashes[first:end]) for first, end in inclusion_spans(index, len(leaf_hashes))]


def inclusion_spans(index: int, size: int) -> list[tuple[int, int]]:
    """The subtrees whose roots make the inclusion proof, in its order, each as its first leaf and its end."""
    found, low, high = [], 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            found.append((middle, high))
            high = middle
        else:
            found.append((low, middle))
            low = middle
    return found[::-1]


def verify_inclusion(leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether the tree of `size` leaves with this root holds this leaf at `index`. Never raises."""
    if not (_are_counts(index, size) and _are_hashes([leaf_hash, root], proof) and index < size):
        return False
    inner, border = _inclusion_shape(index, size)
    if len(proof) != inner + border:
        return False
    found = leaf_hash
    for level, sibling in enumerate(proof):
        on_the_right = level >= inner or index >> level & 1
        found = node_hash(sibling, found) if on_the_right else node_hash(found, sibling)
    return found == root


def _inclusion_shape(index: int, size: int) -> tuple[int, int]:
    """How many siblings lie below the point where the paths of `index` and the last leaf part, and above."""
    inner = (index ^ (size - 1)).bit_length()
    return inner, (index >> inner).bit_count()


# --- Consistency -----------------------------------------------------------------------------------------


def consistency_proof(leaf_hashes: Sequence[bytes], old_size: int) -> list[bytes]:
    """What shows that the first `old_size` leaves are unchanged (RFC 6962 section 2.1.2).

    Raises:
        ValueError: The old tree is larger than this one.
    """
    size = len(leaf_hashes)
    if not 0 <= old_size <= size:
        raise ValueError(f"a tree of {size} leaves was never one of {old_size}")
    return [root(leaf_hashes[first:end]) for first, end in consistency_spans(old_size, size)]


def consistency_spans(old_size: int, new_size: int) -> list[tuple[int, int]]:
    """The subtrees whose roots make the consistency proof, in its order."""
    if old_size in (0, new_size):
        return []
    found, low, high = [], 0, new_size
    while high != old_size:
        middle = low + _split(high - low)
        if old_size <= middle:
            found.append((middle, high))
            high = middle
        else:
            found.append((low, middle))
            low = middle
    if low:  # else the rest is the whole old tree, whose root the verifier has
        found.append((low, high))
    return found[::-1]


def verify_consistency(
    old_size: int, new_size: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes
) -> bool:
    """Whether the new tree begins with the leaves of the old one. Never raises.

    Every tree begins with the empty one; between equal sizes the roots must be equal. Either proof is empty.
    """
    if not (_are_counts(old_size, new_size) and _are_hashes([old_root, new_root], proof)):
        return False
    if old_size == new_size:
        return not proof and old_root == new_root and (new_size > 0 or new_root == EMPTY_ROOT)
    if old_size == 0:
        return not proof and old_root == EMPTY_ROOT
    if old_size > new_size:
        return False
    return _grew(old_size, new_size, list(proof), old_root, new_root)


def _grew(old_size: int, new_size: int, proof: list[bytes], old_root: bytes, new_root: bytes) -> bool:
    last, end = old_size - 1, new_size - 1
    trailing = (~last & (last + 1)).bit_length() - 1  # complete levels below the old tree's last subtree
    last, end = last >> trailing, end >> trailing
    if last == 0:  # the old tree is one complete subtree: the verifier has its root already
        proof = [old_root, *proof]
    inner, border = _inclusion_shape(last, end + 1)
    if len(proof) != 1 + inner + border:
        return False
    old = new = proof[0]
    for level, sibling in enumerate(proof[1:]):
        if level >= inner or last >> level & 1:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
        else:
            new = node_hash(new, sibling)
    return old == old_root and new == new_root


# --- What both share -------------------------------------------------------------------------------------


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1


def _are_counts(*numbers: object) -> bool:
    return all(type(number) is int and 0 <= number <= MAX_SIZE for number in numbers)


def _are_hashes(hashes: list[bytes], proof: Sequence[bytes]) -> bool:
    # `type`, not `isinstance`: a subclass could answer `len` or `==` as it likes.
    if type(proof) not in (list, tuple) or len(proof) > 2 * MAX_SIZE.bit_length():
        return False
    return all(type(each) is bytes and len(each) == HASH_SIZE for each in (*hashes, *proof))

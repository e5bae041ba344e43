"""Which key a log signs with at which size: its first key, and the rotations that the log itself records.

A `key.rotated` at entry *r* names the next key. Rules kept here:

* The checkpoint of size *r* + 1, the first that covers the entry, is signed by the old key, which so hands
  over, and by the new one, which so shows that it exists. Every larger one is signed by the new key alone.
* A retired key signs nothing any more: a larger checkpoint with its signature is refused.
* A key keeps the log's name, for a checkpoint speaks for the log whose name its key carries.

Whoever pins one key of the chain can follow it. Backwards, because the entries under a checkpoint that the
pinned key signed name every key before; forwards, through the checkpoints that hand over.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass

from suppress.core.checkpoint import BadNote, Checkpoint, Key, Note, Verify, parse_vkey


@dataclass(frozen=True, slots=True)
class KeyChain:
    """The keys of one log, first to current; `rotated[i]` is the entry that names `keys[i + 1]`."""

    keys: tuple[Key, ...]
    rotated: tuple[int, ...] = ()

    @classmethod
    def of(cls, first: str, rotations: Iterable[tuple[int, str]] = ()) -> KeyChain:
        """The chain that a log's first entry and its `key.rotated` (entry, vkey) make, in their order.

        Raises:
            BadNote: One of them is no key, is one that was retired, or belongs to another log.
        """
        chain = cls((parse_vkey(first),))
        for seq, vkey in rotations:
            chain = chain.then(seq, vkey)
        return chain

    def then(self, seq: int, vkey: str) -> KeyChain:
        """The chain after one more rotation. Raises BadNote."""
        key = parse_vkey(vkey)
        if key.name != self.keys[0].name:
            raise BadNote(f"entry {seq} hands over to a key of another log")
        if key in self.keys:
            raise BadNote(f"entry {seq} hands over to a key that this log has used before")
        if self.rotated and seq <= self.rotated[-1]:
            raise BadNote(f"entry {seq} hands over ahead of entry {self.rotated[-1]}")
        return KeyChain((*self.keys, key), (*self.rotated, seq))

    @property
    def current(self) -> Key:
        """The key that signs now."""
        return self.keys[-1]

    @property
    def handovers(self) -> tuple[int, ...]:
        """The sizes at which one key hands over to the next."""
        return tuple(seq + 1 for seq in self.rotated)

    def signers_of(self, size: int) -> tuple[Key, ...]:
        """The key whose signature a checkpoint of this size needs; at a handover, then the next key."""
        place = bisect_left(self.handovers, size)
        return self.keys[place : place + 2] if size in self.handovers else (self.keys[place],)

    def open(self, note: str | bytes, verify: Verify | None = None) -> Checkpoint:
        """The checkpoint in a note, signed by the key that was the log's at its size.

        Raises:
            BadNote: It is malformed, not signed by that key, or also by another that was not the log's then.
        """
        read = Note.parse(note)
        checkpoint = Checkpoint.parse(read.text)
        if checkpoint.origin != self.current.name:
            raise BadNote("the checkpoint is of another log")
        signers = read.verified_by(self.keys, verify)
        needed, *heirs = self.signers_of(checkpoint.size)
        if needed not in signers or any(key not in (needed, *heirs) for key in signers):
            raise BadNote("signed by a key that was not the log's at this size")
        return checkpoint

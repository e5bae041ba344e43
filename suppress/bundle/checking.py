"""Verify a bundle with this program: every byte of it, and nothing on the word of the bundle itself.

    result = verify(Path("audit-2026"), vkeys=["suppress/acme-1f2e+…"], anchors=[Path("march.note")])
    assert result.ok, result.first_bad

Rules kept here:

* The key in the bundle is used, and believed only as far as a pinned key leads to it or a checkpoint that the
  verifier kept fits. Where nothing of the verifier's own was given, that is said (`stands_alone`).
* A bundle is a stranger's: whatever its files hold, the answer is a finding, never a crash. Links and devices
  in it are not followed, and no line is read without a limit.
* Every file counts: one too many is as wrong as one too few. `layout.UNPROVEN` names those whose words
  nothing proves; they are held against their digests alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import count, islice, zip_longest
from pathlib import Path

from suppress.bundle import layout
from suppress.bundle.layout import Grade, Growth, Payload, Proof, Subject
from suppress.bundle.reader import Reader, Wrong, wrong
from suppress.bundle.reading import Openings, Order
from suppress.bundle.whole import Page, Tiles
from suppress.core import merkle
from suppress.core.checkpoint import BadNote, Checkpoint, Key, Note, open_checkpoint, parse_vkey
from suppress.core.entry import Entry, KeyRotated, LogOpened
from suppress.core.harvest import WIDTH
from suppress.core.keychain import KeyChain
from suppress.errors import BadFile, BadUsage
from suppress.ledger.keys import public_pem
from suppress.ledger.notes import read_note
from suppress.ledger.sealing import subject_commitment
from suppress.ledger.values import AHEAD, FOREIGN, FORKED, HOLDS, Bad, Compared

Progress = Callable[[int, int | None], None]


@dataclass(frozen=True, slots=True)
class BundleVerification:
    """What `verify` found. `size` and `root` are those of the bundle's signed checkpoint."""

    ok: bool
    size: int
    root: str
    entries_checked: int
    anchors: tuple[str, ...]
    not_checked: tuple[str, ...]
    first_bad: Bad | None
    compared: tuple[Compared, ...]
    grade: str | None
    openings: int
    digest: str
    """Of `SHA256SUMS`: the entry `report.issued` names it."""
    key: str | None
    """The key that signed the checkpoint."""
    stands_alone: bool
    """Whether nothing of the verifier's own, neither key nor checkpoint, vouches for that key."""


def verify(
    folder: Path,
    *,
    vkeys: Sequence[str] = (),
    anchors: Sequence[Path] = (),
    progress: Progress = lambda _done, _total: None,
) -> BundleVerification:
    """Verify a bundle, under pinned keys if there are any, against checkpoints that were kept elsewhere.

    Raises:
        BadUsage: A text that is no public key.
        BadFile: There is no bundle, it cannot be read, or an anchor is no checkpoint.
    """
    try:
        pinned = [parse_vkey(vkey) for vkey in vkeys]
    except BadNote as refused:
        raise BadUsage(
            f"not a public key: {refused}", remedy="give the one line of a log.vkey file"
        ) from refused
    kept = [(str(place), read_note(place)) for place in anchors]
    if not folder.is_dir():
        raise BadFile(f"there is no folder {folder}")
    if not any((folder / name).exists() for name in (layout.SUMS, layout.MANIFEST, layout.CHECKPOINT)):
        raise BadFile(f"{folder} is not a bundle", remedy="name the folder that suppress bundle wrote")
    checking = _Checking(Reader(folder), pinned, kept, progress)
    bad = None
    try:
        checking.run()
    except Wrong as found:
        bad = found.bad
    except OSError as refused:
        raise BadFile(f"{folder} cannot be read: {refused.strerror}") from refused
    return checking.found(bad)


@dataclass(slots=True)
class _Checking:
    """One bundle under verification."""

    files: Reader
    pinned: Sequence[Key]
    kept: Sequence[tuple[str, str]]
    """Checkpoints of the verifier's own, by name."""
    progress: Progress
    grade: Grade | None = None
    head: Checkpoint | None = None
    key: Key | None = None
    entries: int = 0
    openings: int = 0
    compared: dict[str, Compared] = field(default_factory=dict)
    roots: dict[int, bytes] = field(default_factory=dict)
    """Size → root, where it follows from the bundle."""
    first: str | None = None
    """The public key that the ledger was opened with."""
    rotations: list[tuple[int, str, bytes]] = field(default_factory=list)
    """Entry, key, and the leaf that hands over to it."""
    tiles_left: set[str] = field(default_factory=set)
    """Tiles that are there and were not compared yet."""

    def run(self) -> None:
        """Raises `Wrong`, and OSError where the files cannot be read."""
        self.compared = {name: Compared(name, None, None) for name, _ in self.kept}
        self.files.check_digests()
        manifest = self._manifest()
        self.grade = self.files.parsed(layout.MANIFEST, lambda: Grade(str(manifest.get("grade"))))
        note = self.files.text(layout.CHECKPOINT)
        self.head = self._signed_by_the_bundles_key(note)
        expected: dict[str, object] = {
            "schema": layout.SCHEMA,
            "grade": self.grade.value,
            "origin": self.head.origin,
            "size": self.head.size,
            "root": self.head.root.hex(),
            "checkpoint": note,
            **(self._all(self.head) if self.grade.is_whole else self._chosen(self.head, note)),
        }
        chain = self._chain()
        self._trusted(chain, note)
        expected["previous"] = self._grown(chain, self.head, note)
        self._against_kept(chain, self.head)
        self._no_others()
        for name, value in expected.items():
            if manifest.get(name) != value:
                wrong(f"{layout.MANIFEST} says another {name} than the bundle has")

    def _manifest(self) -> dict[str, object]:
        text = self.files.text(layout.MANIFEST)
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as refused:
            wrong(f"{layout.MANIFEST} cannot be read: {type(refused).__name__}")
        if not isinstance(found, dict):
            wrong(f"{layout.MANIFEST} is not an object")
        return found

    # --- Keys and signatures -----------------------------------------------------------------------------

    def _signed_by_the_bundles_key(self, note: str) -> Checkpoint:
        text = self.files.text(layout.VKEY)
        self.key = self.files.parsed(layout.VKEY, lambda: parse_vkey(text))
        if text != f"{self.key}\n":
            wrong(f"{layout.VKEY} is not one line with a key")
        if self.files.content(layout.PEM) != public_pem(self.key):
            wrong(f"{layout.PEM} is not the key in {layout.VKEY}")
        try:
            return open_checkpoint(note, [self.key])
        except BadNote as refused:
            wrong(f"{layout.CHECKPOINT} is not signed with the key in {layout.VKEY}: {refused}")

    def _chain(self) -> KeyChain:
        """The keys that the entries name; the last must be the bundle's."""
        if self.first is None:
            wrong("the first entry, which names the ledger's key, is not here")
        try:
            chain = KeyChain.of(self.first, ((seq, vkey) for seq, vkey, _ in self.rotations))
        except BadNote as refused:
            wrong(f"the entries name a key that cannot be one: {refused}")
        if chain.current != self.key:
            wrong(f"the key in {layout.VKEY} is not the one that the ledger's entries name")
        return chain

    def _trusted(self, chain: KeyChain, note: str) -> None:
        """Each key handed over to the next, and a pinned one is among them."""
        if self.pinned and not any(key in chain.keys for key in self.pinned):
            wrong(
                f"the bundle is signed with {chain.current}, and that key does not follow from the pinned one"
            )
        self._opened(chain, note, layout.CHECKPOINT)
        names = self.files.under(layout.ROTATIONS)
        if names != sorted(layout.proof_name(seq) for seq in chain.rotated):
            wrong(f"{layout.ROTATIONS}/ does not hold one file for each entry that changes the key")
        for seq, _, leaf in self.rotations:
            name = f"{layout.ROTATIONS}/{layout.proof_name(seq)}"
            proof = self._proof(name)
            handover = self._opened(chain, proof.checkpoint, name)
            if (proof.index, handover.size) != (seq, seq + 1):
                wrong(f"{name} is the proof of another entry", seq)
            if self.roots.get(seq + 1, handover.root) != handover.root:
                wrong(f"{name} has another root than the entries", seq)
            if not merkle.verify_inclusion(
                merkle.leaf_hash(leaf), seq, handover.size, proof.hashes, handover.root
            ):
                wrong(f"{name} does not prove that entry {seq} changed the key", seq)

    def _opened(self, chain: KeyChain, note: str, name: str) -> Checkpoint:
        """A checkpoint with the signatures that its size needs, and no other."""
        try:
            checkpoint = chain.open(note)
        except BadNote as refused:
            wrong(f"{name} is not signed as the ledger's entries say: {refused}")
        signers = [(key.name, key.id) for key in chain.signers_of(checkpoint.size)]
        if [(each.name, each.key_id) for each in Note.parse(note).signatures] != signers:
            wrong(f"{name} has signatures that are not the ledger's")
        return checkpoint

    # --- Entries -----------------------------------------------------------------------------------------

    def _all(self, head: Checkpoint) -> dict[str, object]:
        """Every entry, the tree over them and its tiles; what the manifest must say of them."""
        opened = Openings(self._payloads() if self.grade is Grade.OPEN else None)
        self.tiles_left = {f"tile/{name}" for name in self.files.under("tile")}
        tree, tiles, order, wanted = merkle.Frontier(), Tiles(self._same_tile), Order(), self._wanted_sizes()
        for first, leaves in self._pages():
            hashes = [merkle.leaf_hash(leaf) for leaf in leaves]
            for seq, (leaf, hashed) in enumerate(zip(leaves, hashes, strict=True), start=first):
                entry = order.next(seq, leaf)
                self._note_keys(entry)
                opened.meet(entry)
                tree.push(hashed)
                if tree.size in wanted or isinstance(entry.body, KeyRotated):
                    self.roots[tree.size] = tree.root()
            tiles.add(Page(leaves, hashes, None))
            self.entries = tree.size
            self.progress(tree.size, head.size)
        tiles.close()
        if self.tiles_left:
            wrong(f"{min(self.tiles_left)} is not a tile of this tree")
        if (tree.size, tree.root()) != (head.size, head.root):
            wrong(
                f"the {tree.size:,} entries do not have the root that the checkpoint of {head.size:,} names"
            )
        self.roots[head.size] = head.root
        self.openings = opened.count
        return {"entries": None, "openings": opened.count, "erased": opened.close()}

    def _pages(self) -> Iterator[tuple[int, list[bytes]]]:
        """Entry numbers and leaves, a tile at a time."""
        lines = self.files.lines(layout.ENTRIES)
        for first in count(0, WIDTH):
            page = list(islice(lines, WIDTH))
            if page:
                yield first, page
            if len(page) < WIDTH:
                return

    def _same_tile(self, name: str, content: bytes) -> None:
        self.tiles_left.discard(name)
        if self.files.content(name) != content:
            wrong(f"{name} is not what the entries make it")

    def _wanted_sizes(self) -> set[int]:
        """The sizes at which some checkpoint names a root, believed or not."""
        notes = [note for _, note in self.kept]
        if layout.PREVIOUS in self.files.names:
            notes.append(self.files.text(layout.PREVIOUS))
        found = set()
        for note in notes:
            with suppress(BadNote):  # said where it is compared
                found.add(Checkpoint.parse(Note.parse(note).text).size)
        return found

    def _chosen(self, head: Checkpoint, note: str) -> dict[str, object]:
        """Each entry with the proof of its place; what the manifest must say of them."""
        names = self.files.under(layout.PROOFS)
        seqs = sorted(self.files.parsed(layout.PROOFS, lambda: [layout.proven_entry(name) for name in names]))
        opened, order = Openings(self._payloads()), Order()
        for seq, leaf in zip_longest(seqs, self.files.lines(layout.ENTRIES)):
            if seq is None or leaf is None:
                wrong(f"{layout.ENTRIES} does not hold one line for each file in {layout.PROOFS}/")
            name = f"{layout.PROOFS}/{layout.proof_name(seq)}"
            proof = self._proof(name)
            if proof.checkpoint != note:
                wrong(f"{name} is of another checkpoint", seq)
            hashed = merkle.leaf_hash(leaf)
            if proof.index != seq or not merkle.verify_inclusion(
                hashed, seq, head.size, proof.hashes, head.root
            ):
                wrong(f"{name} does not prove that the line is entry {seq}", seq)
            entry = order.next(seq, leaf)
            self._note_keys(entry)
            opened.meet(entry)
            self.entries += 1
        self._subjects(opened)
        if self.grade is Grade.PERSON and len(opened.people) > 1:
            wrong(f"a bundle about one person holds entries about {len(opened.people)}")
        self.roots[head.size] = head.root
        self.openings = opened.count
        return {"entries": seqs, "openings": opened.count, "erased": opened.close()}

    def _proof(self, name: str) -> Proof:
        text = self.files.text(name)
        return self.files.parsed(name, lambda: Proof.parse(text))

    def _payloads(self) -> Iterator[Payload]:
        last = -1
        for line in self.files.lines(layout.PAYLOADS) if layout.PAYLOADS in self.files.names else ():
            payload = self.files.parsed(layout.PAYLOADS, partial(Payload.parse, line))
            if payload.seq <= last:
                wrong(f"{layout.PAYLOADS} is not in the order of the entries", payload.seq)
            last = payload.seq
            yield payload

    def _subjects(self, opened: Openings) -> None:
        """The openings of people: each of an entry that adds somebody, and missing only for the forgotten."""
        last = -1
        for line in self.files.lines(layout.SUBJECTS) if layout.SUBJECTS in self.files.names else ():
            subject = self.files.parsed(layout.SUBJECTS, partial(Subject.parse, line))
            if subject.seq <= last:
                wrong(f"{layout.SUBJECTS} is not in the order of the entries", subject.seq)
            last = subject.seq
            sid = opened.added.pop(subject.seq, ("", ""))[1]
            if subject_commitment(subject.salt, subject.key, subject.index) != sid:
                wrong(f"{layout.SUBJECTS} does not open entry {subject.seq}", subject.seq)
        for seq, (who, _) in opened.added.items():
            if who not in opened.forgotten:
                wrong(f"entry {seq} adds somebody whom {layout.SUBJECTS} does not open", seq)

    def _note_keys(self, entry: Entry) -> None:
        match entry.body:
            case LogOpened() as body:
                self.first = body.vkey
            case KeyRotated() as body:
                self.rotations.append((entry.seq, body.vkey, entry.leaf))

    # --- Earlier checkpoints -----------------------------------------------------------------------------

    def _grown(self, chain: KeyChain, head: Checkpoint, note: str) -> int | None:
        """The size of the earlier bundle, whose entries are proven to be the first ones still."""
        if layout.PREVIOUS not in self.files.names and layout.CONSISTENCY not in self.files.names:
            return None
        earlier = self._opened(chain, self.files.text(layout.PREVIOUS), layout.PREVIOUS)
        text = self.files.text(layout.CONSISTENCY)
        growth = self.files.parsed(layout.CONSISTENCY, lambda: Growth.parse(text))
        if growth.checkpoint != note or growth.old_size != earlier.size:
            wrong(f"{layout.CONSISTENCY} is about other checkpoints")
        if (
            not merkle.verify_consistency(earlier.size, head.size, growth.hashes, earlier.root, head.root)
            or self.roots.get(earlier.size, earlier.root) != earlier.root
        ):
            wrong(f"the entries are not those of {layout.PREVIOUS}", None, (0, earlier.size))
        self.roots[earlier.size] = earlier.root
        return earlier.size

    def _against_kept(self, chain: KeyChain, head: Checkpoint) -> None:
        """The verifier's own checkpoints; the smallest that does not fit bounds where the entries differ."""
        opened: list[tuple[str, Checkpoint]] = []
        for name, note in self.kept:
            try:
                opened.append((name, chain.open(note)))
            except BadNote as refused:
                self.compared[name] = Compared(name, None, FOREIGN)
                wrong(f"{name} is not signed with a key of this ledger: {refused}")
        good, bad = 0, None
        for name, checkpoint in sorted(opened, key=lambda each: each[1].size):
            size, ours = checkpoint.size, self.roots.get(checkpoint.size)
            result = AHEAD if size > head.size else None if ours is None else HOLDS
            if ours is not None and ours != checkpoint.root:
                result = FORKED
            self.compared[name] = Compared(name, size, result)
            if result == HOLDS:
                good = size
            elif result == FORKED and bad is None:
                what = f"{name} does not fit: the ledger was forked or written anew, and signed, within"
                bad = Bad(None, f"{what} its first {size} entries", (good, size))
        if bad is not None:
            raise Wrong(bad)

    def _no_others(self) -> None:
        """Files that no check has asked for."""
        known = {
            *layout.UNPROVEN,
            *(
                layout.CHECKPOINT,
                layout.PREVIOUS,
                layout.CONSISTENCY,
                layout.VKEY,
                layout.PEM,
                layout.ENTRIES,
            ),
        }
        folders = [layout.ROTATIONS]
        if self.grade is not None and self.grade.opens:
            known.add(layout.PAYLOADS)
        if self.grade is not None and self.grade.is_whole:
            folders.append("tile")
        else:
            known.add(layout.SUBJECTS)
            folders.append(layout.PROOFS)
        for name in sorted(self.files.names):
            if name not in known and name.partition("/")[0] not in folders:
                wrong(f"{name} does not belong into a bundle of this grade")

    # --- The outcome -------------------------------------------------------------------------------------

    def found(self, bad: Bad | None) -> BundleVerification:
        """What was found, given the first thing that is wrong."""
        fitting = [each for each in self.compared.values() if each.result == HOLDS]
        stands_alone = not self.pinned and not fitting
        return BundleVerification(
            ok=bad is None,
            size=0 if self.head is None else self.head.size,
            root="" if self.head is None else self.head.root.hex(),
            entries_checked=self.entries,
            anchors=tuple(name for name, _ in self.kept),
            not_checked=tuple(self._unchecked(stands_alone=stands_alone, fitting=bool(fitting))),
            first_bad=bad,
            compared=tuple(self.compared.values()),
            grade=None if self.grade is None else self.grade.value,
            openings=self.openings,
            digest=self.files.digest,
            key=None if self.key is None else str(self.key),
            stands_alone=stands_alone,
        )

    def _unchecked(self, *, stands_alone: bool, fitting: bool) -> Iterator[str]:
        if stands_alone:
            yield "whether the key is the ledger's: it came with the bundle (--key, --anchor, --previous)"
        elif not fitting:
            yield (
                "whether somebody else was shown another ledger, signed with the same key: "
                "no checkpoint that was kept from earlier was compared (--anchor, --previous)"
            )
        for each in self.compared.values():
            if each.result == AHEAD:
                yield f"{each.anchor}, which is newer than this bundle: ask for one made since"
            elif each.result is None and each.size is not None:
                yield f"{each.anchor}, which is of size {each.size}: this bundle has no proof for it"
        if self.grade is not None and not self.grade.is_whole:
            yield "all other entries, of which the bundle has only hashes"
        if self.grade is Grade.WHOLE:
            yield "what the entries commit to, which this bundle does not show"
        yield f"what {layout.MANIFEST}, {layout.GUIDE} and {layout.SCRIPT} say of who made it, and when"
        yield "the dates that others claimed, and requests that never reached the ledger"

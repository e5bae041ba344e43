"""Make a bundle: what an auditor gets, and can check without us.

Rules kept here:

* It is about the ledger as of its head. While it is made every leaf is hashed once more, and nothing is made
  of a ledger whose leaves do not have the signed root, or whose openings do not open.
* It is complete on disk before the entry `report.issued` is appended, and gets its name after that.
* Addresses leave only in a bundle that opens entries, and only with the record who got them and how many.
* A bundle about one person holds their entries, those that open the ledger and change its key, and nothing
  of anybody else: of their entries it has hashes of subtrees, in which random ids and salts keep hiding.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from importlib import resources
from pathlib import Path

from suppress import __version__
from suppress.bundle import layout
from suppress.bundle.folder import Folder, require_empty
from suppress.bundle.guide import guide
from suppress.bundle.layout import Grade, Growth, Payload, Proof, Subject
from suppress.bundle.whole import AllOfIt, Page
from suppress.core import merkle
from suppress.core.address import Address
from suppress.core.canonical import timestamp
from suppress.core.checkpoint import BadNote, Checkpoint
from suppress.core.entry import Disclosed, Entry, Erased, Forgotten, ReportIssued, SubjectAdded
from suppress.core.harvest import Harvest
from suppress.errors import BadFile, BadUsage, LedgerDamaged
from suppress.ledger import Event, Ledger
from suppress.ledger.exhibiting import Exhibit
from suppress.ledger.keys import public_pem
from suppress.ledger.notes import read_note
from suppress.ledger.reading import decoded
from suppress.ledger.sealing import payload_commitment, subject_commitment

TOOL = f"suppress {__version__}"
PURPOSE = "compliance audit"
DISCLOSED_AS = "bundle"
"""Under which name the ledger records that addresses left in a bundle."""

Progress = Callable[[int, int | None], None]

_PII = re.compile(rb'"pii":"([0-9a-f]{64})"')
"""In a leaf only a key can read like this: inside a text each quotation mark has a backslash before it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants a bundle to show, to whom."""

    grade: Grade = Grade.WHOLE
    entries: tuple[int, ...] = ()
    """The chosen ones, for `Grade.ENTRIES`."""
    address: Address | None = None
    """The person, for `Grade.PERSON`."""
    previous: Path | None = None
    """An earlier bundle, or a checkpoint: the new one proves that it still holds."""
    audience: str = "auditor"


@dataclass(frozen=True, slots=True)
class Made:
    """A bundle that was made. `receipt` is the entry that records it, None in a dry run."""

    place: str
    grade: Grade
    size: int
    root: str
    checkpoint: str
    vkey: str
    entries: int
    openings: int
    erased: tuple[int, ...]
    """Entries whose content was erased on record."""
    previous: int | None
    """The size that it is proven to continue."""
    digest: str
    bytes: int
    receipt: int | None


def bundle(
    ledger: Ledger,
    target: Path,
    wanted: Wanted,
    *,
    organisation: str | None,
    now: datetime,
    actor: str,
    dry_run: bool = False,
    progress: Progress = lambda _done, _total: None,
) -> Made:
    """Make one. A dry run proves everything, and writes neither folder nor entry.

    Raises:
        BadUsage: No such entry or person; an audience that is a person's address.
        BadFile: The earlier bundle cannot be read.
        OutputRefused: The target is not an empty place that can be written to.
        LedgerDamaged: The ledger does not have the root that it signed, or is not the earlier bundle's.
        StorageFailed: The disk is full or failed.
    """
    if "@" in wanted.audience or not wanted.audience.strip() or not wanted.audience.isprintable():
        # It is written into the ledger for good, where nothing personal may be.
        raise BadUsage("an audience is an organisation or a role, not a person's address")
    require_empty(target)
    making = _Making(ledger.exhibit(), wanted)
    if wanted.grade is Grade.PERSON:
        making.choose(_person(ledger, wanted.address))
    elif wanted.grade is Grade.ENTRIES:
        making.choose(wanted.entries)
    if dry_run:
        making.prove(None, progress)
        return making.made(target, "", 0, None)
    with Folder(target) as folder:
        making.prove(folder, progress)
        making.write(folder, organisation=organisation, now=now)
        digest = folder.finish()
        receipt = ledger.append(making.record(digest), actor=actor)[0].seq
        folder.publish()
    return making.made(target, digest, folder.size, receipt)


def _person(ledger: Ledger, address: Address | None) -> list[int]:
    history = [] if address is None else ledger.history(address)
    if not history:
        raise BadUsage("nothing is recorded about this address", remedy="suppress show ADDRESS")
    return [recorded.entry.seq for recorded in history]


@dataclass(slots=True)
class _Making:
    """One bundle on its way."""

    exhibit: Exhibit
    wanted: Wanted
    chosen: dict[int, bytes] = field(default_factory=dict)
    """Entry → leaf, for a bundle that does not hold all."""
    payloads: list[Payload] = field(default_factory=list)
    subjects: list[Subject] = field(default_factory=list)
    erased: list[int] = field(default_factory=list)
    openings: int = 0
    previous_note: str = ""
    previous: Checkpoint | None = None
    harvest: Harvest = field(init=False)

    def __post_init__(self) -> None:
        if self.wanted.previous is not None:
            self.previous_note = read_note(self.wanted.previous)
            self.previous = self._earlier(self.wanted.previous)

    def _earlier(self, place: Path) -> Checkpoint:
        try:
            found = self.exhibit.chain.open(self.previous_note)
        except BadNote as wrong:
            raise BadFile(f"{place} holds no checkpoint of this ledger: {wrong}") from wrong
        if found.size > self.exhibit.head.size:
            raise LedgerDamaged(
                f"{place} covers {found.size:,} entries and the ledger has {self.exhibit.head.size:,}: "
                "it was cut short, or is an older copy"
            )
        return found

    # --- Choosing ----------------------------------------------------------------------------------------

    def choose(self, seqs: Iterable[int]) -> None:
        """Take these entries, with their openings, and the entries that are needed to believe them."""
        size, wanted = self.exhibit.head.size, sorted(set(seqs))
        for seq in wanted:
            if not 0 <= seq < size:
                raise BadUsage(f"there is no entry {seq}: the ledger has {size:,}, from 0 to {size - 1}")
        entries = self._take(wanted)
        self._open_subjects(entries)
        committed = {entry.seq: entry for entry in entries if hasattr(entry.body, "pii")}
        openings = self.exhibit.openings(list(committed))
        self._keep_payloads(
            {seq: str(getattr(entry.body, "pii", "")) for seq, entry in committed.items()},
            (Payload(seq, each.salt, each.body) for seq, each in sorted(openings.items())),
        )
        self._take(self._erasures([committed[seq] for seq in self.erased]))
        self._take([0, *self.exhibit.chain.rotated])

    def _take(self, seqs: Sequence[int]) -> list[Entry]:
        found = self.exhibit.leaves_at(seqs)
        self.chosen.update(found)
        return [decoded(seq, found[seq]) for seq in seqs if seq in found]

    def _open_subjects(self, entries: Sequence[Entry]) -> None:
        added = {entry.body.subject: entry for entry in entries if isinstance(entry.body, SubjectAdded)}
        rows = self.exhibit.subjects(added) if added else {}
        for subject, entry in added.items():
            row = rows.get(subject)
            if row is None:
                forgotten = self.exhibit.about(Forgotten.type, subject)
                if not forgotten:
                    raise LedgerDamaged(
                        f"the subject row of entry {entry.seq} is missing, and no entry says why"
                    )
                self._take(forgotten)
                continue
            assert isinstance(entry.body, SubjectAdded)
            if subject_commitment(row.salt, row.key_id, row.blind_index) != entry.body.sid:
                raise LedgerDamaged(f"the subject row of entry {entry.seq} is not the one it commits to")
            self.subjects.append(Subject(entry.seq, row.key_id, row.blind_index, row.salt))

    def _erasures(self, erased: Sequence[Entry]) -> list[int]:
        """The entries that record why these have no content any more."""
        found: set[int] = set()
        for entry in erased:
            about = str(getattr(entry.body, "subject", ""))
            seqs = [
                seq for type_ in (Erased.type, Forgotten.type) for seq in self.exhibit.about(type_, about)
            ]
            bodies = {seq: decoded(seq, leaf).body for seq, leaf in self.exhibit.leaves_at(seqs).items()}
            naming = [
                seq
                for seq, body in bodies.items()
                if isinstance(body, (Erased, Forgotten)) and entry.seq in body.entries
            ]
            if not naming:
                raise LedgerDamaged(f"the payload of entry {entry.seq} is missing, and no entry says why")
            found.add(min(naming))
        return sorted(found)

    def _keep_payloads(self, commitments: dict[int, str], payloads: Iterable[Payload]) -> list[bytes]:
        """Count payloads that open what they should; return their lines. The other entries were erased."""
        lines = []
        for payload in payloads:
            if payload_commitment(payload.salt, payload.body) != commitments.pop(payload.seq, None):
                raise LedgerDamaged(f"the payload of entry {payload.seq} is not the one its leaf commits to")
            lines.append(payload.line() + b"\n")
            if not self.wanted.grade.is_whole:
                self.payloads.append(payload)
        self.openings += len(lines)
        self.erased += commitments
        return lines

    # --- Proving -----------------------------------------------------------------------------------------

    def prove(self, folder: Folder | None, progress: Progress) -> None:
        """Hash every leaf once; into `folder` goes what can only be written on the way.

        Raises:
            LedgerDamaged: The leaves do not have the root that the ledger signed, now or earlier.
        """
        head, rotated = self.exhibit.head, self.exhibit.chain.rotated
        old = [] if self.previous is None else [self.previous.size]
        self.harvest = Harvest(
            head.size,
            inclusion=[*((seq, head.size) for seq in self.chosen), *((seq, seq + 1) for seq in rotated)],
            consistency=[(size, head.size) for size in old],
            roots=[*old, *(seq + 1 for seq in rotated)],
        )
        with ExitStack() as stack:
            all_of_it = None
            if folder is not None and self.wanted.grade.is_whole:
                all_of_it = stack.enter_context(AllOfIt.begun(folder, self.wanted.grade))
            for page in self._pages(progress):
                if all_of_it is not None:
                    all_of_it.write(page)
        if self.harvest.root() != head.root:
            raise LedgerDamaged("the entries do not have the root that the ledger signed")
        if self.previous is not None and self.harvest.root(self.previous.size) != self.previous.root:
            raise LedgerDamaged(
                f"the first {self.previous.size:,} entries are not those of the earlier bundle: "
                "the ledger was changed, or forked, since"
            )

    def _pages(self, progress: Progress) -> Iterator[Page]:
        first = 0
        for leaves in self.exhibit.leaves():
            hashes = [merkle.leaf_hash(leaf) for leaf in leaves]
            opened: list[bytes] = []
            if self.wanted.grade is Grade.OPEN:
                opened = self._opened(first, leaves)
            yield Page(leaves, hashes, self.harvest.add(hashes), opened)
            first += len(leaves)
            progress(first, self.exhibit.head.size)

    def _opened(self, first: int, leaves: Sequence[bytes]) -> list[bytes]:
        """The openings of a page of entries, as lines."""
        found = ((seq, _PII.search(leaf)) for seq, leaf in enumerate(leaves, start=first))
        commitments = {seq: match[1].decode() for seq, match in found if match is not None}
        openings = self.exhibit.openings(list(commitments))
        payloads = (Payload(seq, each.salt, each.body) for seq, each in sorted(openings.items()))
        return self._keep_payloads(commitments, payloads)

    # --- Writing -----------------------------------------------------------------------------------------

    def write(self, folder: Folder, *, organisation: str | None, now: datetime) -> None:
        """Everything that `prove` did not write on its way. Raises `StorageFailed`."""
        head, key = self.exhibit.head, self.exhibit.chain.current
        folder.add(layout.CHECKPOINT, head.note.encode())
        folder.add(layout.VKEY, f"{key}\n".encode())
        folder.add(layout.PEM, public_pem(key))
        if self.previous is not None:
            hashes = tuple(self.harvest.consistency(self.previous.size))
            folder.add(layout.PREVIOUS, self.previous_note.encode())
            folder.add(layout.CONSISTENCY, str(Growth(self.previous.size, hashes, head.note)).encode())
        for seq in self.exhibit.chain.rotated:
            proof = Proof(seq, tuple(self.harvest.inclusion(seq, seq + 1)), self._handover(seq + 1))
            folder.add(f"{layout.ROTATIONS}/{layout.proof_name(seq)}", str(proof).encode())
        if not self.wanted.grade.is_whole:
            self._write_chosen(folder)
        folder.add(layout.SCRIPT, resources.files("suppress.bundle").joinpath(layout.SCRIPT).read_bytes())
        folder.add(
            layout.GUIDE, guide(self.wanted.grade, str(key), previous=self.previous is not None).encode()
        )
        manifest = self._manifest(organisation=organisation, now=now)
        folder.add(layout.MANIFEST, json.dumps(manifest, ensure_ascii=False, indent=2).encode() + b"\n")

    def _write_chosen(self, folder: Folder) -> None:
        note = self.exhibit.head.note
        for seq in self.chosen:
            proof = Proof(seq, tuple(self.harvest.inclusion(seq)), note)
            folder.add(f"{layout.PROOFS}/{layout.proof_name(seq)}", str(proof).encode())
        folder.add(layout.ENTRIES, b"".join(leaf + b"\n" for _, leaf in sorted(self.chosen.items())))
        if self.payloads:
            folder.add(layout.PAYLOADS, b"".join(each.line() + b"\n" for each in self.payloads))
        if self.subjects:
            subjects = sorted(self.subjects, key=lambda each: each.seq)
            folder.add(layout.SUBJECTS, b"".join(each.line() + b"\n" for each in subjects))

    def _handover(self, size: int) -> str:
        """The checkpoint in which one key hands over to the next. Raises `LedgerDamaged`."""
        head = self.exhibit.head
        note = head.note if head.size == size else self.exhibit.checkpoint(size)
        try:
            if note is not None and self.exhibit.chain.open(note).root == self.harvest.root(size):
                return note
        except BadNote:
            pass
        raise LedgerDamaged(
            f"the checkpoint of size {size}, which hands over to a new key, is missing or wrong"
        )

    def _manifest(self, *, organisation: str | None, now: datetime) -> dict[str, object]:
        head, grade = self.exhibit.head, self.wanted.grade
        return {
            "schema": layout.SCHEMA,
            "grade": grade.value,
            "organisation": organisation,
            "audience": self.wanted.audience,
            "made_at": timestamp(now),
            "tool": TOOL,
            "origin": self.exhibit.chain.current.name,
            "size": head.size,
            "root": head.root.hex(),
            "checkpoint": head.note,
            "entries": None if grade.is_whole else sorted(self.chosen),
            "openings": self.openings,
            "erased": self.erased,
            "previous": None if self.previous is None else self.previous.size,
        }

    # --- Recording ---------------------------------------------------------------------------------------

    def record(self, digest: str) -> list[Event]:
        """What the ledger keeps of it. Two equal bundles are two events, so the ids are random."""
        head, audience = self.exhibit.head, self.wanted.audience
        events = [Event(uuid.uuid4().hex, ReportIssued(digest, head.size, head.root.hex(), audience))]
        if self.openings:
            told = Disclosed(DISCLOSED_AS, audience, PURPOSE, "plain", self.openings, digest)
            events.append(Event(uuid.uuid4().hex, told))
        return events

    def made(self, target: Path, digest: str, size: int, receipt: int | None) -> Made:
        """The outcome."""
        head = self.exhibit.head
        return Made(
            place=str(target),
            grade=self.wanted.grade,
            size=head.size,
            root=head.root.hex(),
            checkpoint=head.note,
            vkey=str(self.exhibit.chain.current),
            entries=head.size if self.wanted.grade.is_whole else len(self.chosen),
            openings=self.openings,
            erased=tuple(self.erased),
            previous=None if self.previous is None else self.previous.size,
            digest=digest,
            bytes=size,
            receipt=receipt,
        )

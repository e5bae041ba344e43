"""Who was erased or forgotten, kept outside the database: a restored backup would otherwise bring them back.

    suppress.keys/erasures/<subject id>.json      0600, one file a person

Rules kept here:

* A file holds the leaf that records the erasure. For an erased person it holds also their subject row (blind
  index and salt) and the leaves that make them suppressed; for a forgotten one nothing more. There is no
  address in it, and no evidence; leaves never have any.
* It is written after the commit, as the high-water mark is. An erasure that was killed in between is
  repeated by its operator, who has no answer yet; repeating writes the file.
* The folder lies beside the high-water mark, because both answer the same question: what was done that the
  database in front of us does not know? Neither may be put back from a backup.
* A file may be deleted once no backup is left that is older than its erasure.

Who stays erased by it is recognised by the blind index, exactly as in the database. Together with the index
key, which lies in the folder above, it can tell whether a given address was erased; so keep both in one hand.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from suppress.core.entry import Entry, Erased, Forgotten, SubjectAdded
from suppress.core.leaf import decode
from suppress.core.suppression import Json
from suppress.errors import ConfigWrong, StorageFailed
from suppress.ledger.keys import replace_file, sync_folder
from suppress.ledger.sealing import event_id, subject_commitment
from suppress.ledger.values import Event

LISTED = 4_000
"""Entries that one record names; an entry holds at most 65,535 bytes."""
FOLDER = "erasures"
SCHEMA = "suppress/erasure@1"
_UNNUMBERED = 0
"""Position of an entry read from a file: where it stood in a ledger that may be lost says nothing here."""


@dataclass(frozen=True, slots=True)
class Gone:
    """One person who was erased or forgotten."""

    record: Entry
    """The `erased` or `forgotten` entry."""
    index: tuple[str, bytes, bytes] | None = None
    """Key id, blind index and salt; None for the forgotten."""
    entries: tuple[Entry, ...] = ()
    """Their `subject.added` and what makes them suppressed; none for the forgotten."""

    @property
    def subject(self) -> str:
        """The person's random id."""
        assert isinstance(self.record.body, (Erased, Forgotten))
        return self.record.body.subject

    def file_in(self, folder: Path) -> Path:
        """Where the keys folder has this."""
        return folder / FOLDER / f"{self.subject}.json"


def records(body: Erased | Forgotten, seqs: Sequence[int], id_: str | None = None) -> Iterator[Event]:
    """`body` naming `seqs`: one entry, or several where one cannot name them all; the last has the id `id_`.

    By default an id follows from what the entry names, so that the same erasure is recorded once.
    """
    rest = iter(seqs)
    parts = iter(lambda: tuple(islice(rest, LISTED)), ())
    last = next(parts, ())
    same = (body.basis, body.request, body.override, body.untold)
    digest_of = body.digest_of if isinstance(body, Erased) else None
    for part in parts:
        yield _recorded(Erased(body.subject, last, *same, digest_of))
        last = part
    yield _recorded(replace(body, entries=last), id_)


def _recorded(body: Erased | Forgotten, id_: str | None = None) -> Event:
    named = [str(seq) for seq in body.entries] if isinstance(body, Erased) else []
    return Event(id_ or event_id(body.subject, body.type, named), body)


def keep(folder: Path, gone: Gone) -> None:
    """Write the file of one person in the keys folder, unless it says so already.

    Raises:
        StorageFailed: It cannot be written. The erasure itself is on record; repeating it writes the file.
    """
    file = gone.file_in(folder)
    content = _written(gone)
    try:
        if gone.index is None:
            for draft in file.parent.glob(f".{file.name}-*"):
                draft.unlink()  # left by a kill, with the index of somebody who is now forgotten
        if file.exists() and file.read_bytes() == content:
            return
        file.parent.mkdir(mode=0o700, exist_ok=True)
        sync_folder(folder)  # else a power cut takes the new folder, and this record with it
        replace_file(file, content)
    except OSError as refused:
        raise StorageFailed(f"{file} cannot be written: {refused.strerror}") from refused


def load(folder: Path) -> list[Gone]:
    """All who are on record in `folder` (`…/erasures`): the forgotten, then the erased as they went.

    Nobody is added again under an address whose earlier holder has not been forgotten, so that in this order
    each can be settled; times alone would not do, for two entries may bear the same.

    Raises:
        ConfigWrong: A file is not one that `keep` wrote.
    """
    if not folder.is_dir():
        return []
    found = [_read(file) for file in sorted(folder.glob("*.json"))]
    return sorted(found, key=lambda each: (each.index is not None, each.record.at, each.subject))


def _written(gone: Gone) -> bytes:
    facts: dict[str, Json] = {"schema": SCHEMA, "record": gone.record.leaf.decode()}
    if gone.index is not None:
        key_id, blind_index, salt = gone.index
        facts["index"] = {"key_id": key_id, "blind_index": blind_index.hex(), "salt": salt.hex()}
        facts["entries"] = [entry.leaf.decode() for entry in gone.entries]
    return json.dumps(facts, indent=1, ensure_ascii=False).encode() + b"\n"


def _read(file: Path) -> Gone:
    try:
        gone = _gone(json.loads(file.read_bytes()))
        if file.stem != gone.subject:
            raise ValueError("it is about somebody else than its name says")
    except OSError as refused:
        raise ConfigWrong(f"{file} cannot be read: {refused.strerror}") from refused
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as wrong:
        raise ConfigWrong(
            f"{file} is not a record of an erasure that this program wrote",
            remedy="restore it from another copy; without it this person would not be erased again",
        ) from wrong
    return gone


def _gone(facts: Mapping[str, object]) -> Gone:
    if facts["schema"] != SCHEMA:
        raise ValueError("of another schema")
    record = _entry(facts["record"])
    if isinstance(record.body, Forgotten):
        return Gone(record)
    if not isinstance(record.body, Erased):
        raise ValueError("records nothing of the kind")
    index, leaves = facts["index"], facts["entries"]
    if not isinstance(index, dict) or not isinstance(leaves, list):
        raise ValueError("incomplete")
    key_id, blind_index, salt = (
        index["key_id"],
        bytes.fromhex(index["blind_index"]),
        bytes.fromhex(index["salt"]),
    )
    entries = tuple(_entry(leaf) for leaf in leaves)
    added = entries[0].body if entries else None
    if not isinstance(added, SubjectAdded) or added.sid != subject_commitment(salt, key_id, blind_index):
        raise ValueError("the index is not the one that the person was added with")
    if any(getattr(entry.body, "subject", None) != record.body.subject for entry in entries):
        raise ValueError("entries of several people")
    return Gone(record, (key_id, blind_index, salt), entries)


def _entry(leaf: object) -> Entry:
    if not isinstance(leaf, str):
        raise TypeError("a leaf is text")
    return decode(_UNNUMBERED, leaf.encode())

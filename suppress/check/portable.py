"""The portable snapshot: enough of a ledger to answer checks on a machine that has none. No address is in it.

    list.snapshot           who can be recognised, and what holds for them; signed by the ledger
    list.snapshot.secret    0600: the keys without which nobody in it can be recognised

Rules kept here:

* It answers as the ledger did when it was made: all tiers, channels, senders and classes, rules for domains,
  partners' digests, erased people, waivers. `judging` decides, as for every other way into a ledger.
* It is believed only if its signature is by the key that the reader pinned, its bytes are those that were
  signed, and the secret is the one that belongs to it: with another everybody would look mailable.
* It says when it was made and until when it may be used, and how far each source had been read.
* What it reveals, alone and with its secret: `docs/decisions/0012-portable-snapshot.md`.

The file: `MAGIC`, the length of the signed note and the note, the length of the head and the head (JSON), the
index (16 bytes of a keyed hash and 8 of an offset, in order), and what holds for each person, a line of JSON.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import mmap
import secrets
import struct
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from suppress.check.tagged import TAG, Tagged, tag_of
from suppress.core.canonical import moment, timestamp
from suppress.core.checkpoint import BadNote, Note, parse_vkey
from suppress.core.domains import DomainRule, DomainRules
from suppress.core.hashed import Algorithm, Form, Recipe
from suppress.core.suppression import Channel, Reason, Scope
from suppress.errors import BadFile, BadUsage, Stale
from suppress.ledger.judging import Recognised
from suppress.ledger.rows import row_of_lift, row_of_suppression
from suppress.ledger.rules import Rules
from suppress.ledger.sealing import IndexKey

MAGIC = b"suppress portable snapshot 1\n"
KIND = "suppress.snapshot/1"
"""The first line of the signed text. A checkpoint's second line is a number: neither passes for the other."""
_RECORD = TAG + 8


@dataclass(frozen=True, slots=True)
class Head:
    """What a portable snapshot says of itself."""

    made: datetime
    until: datetime
    size: int
    root: str
    checkpoint: str
    sources: Mapping[str, datetime | None]
    """How far each source had been read: the end of its last complete window."""
    rules: Rules
    count: int
    """Rows by which somebody can be recognised."""


@dataclass(frozen=True, slots=True)
class Secret:
    """What the tags were made with, and the index keys of the ledger."""

    tag: bytes
    index: tuple[IndexKey, ...]

    @property
    def text(self) -> str:
        """The content of the secret file."""
        keys = {key.id: key.secret.hex() for key in self.index}
        return (
            json.dumps({"schema": "suppress/snapshot-secret@1", "tag": self.tag.hex(), "index": keys}) + "\n"
        )

    @property
    def commitment(self) -> str:
        """What the signed text says of it."""
        parts = [self.tag, *(key.id.encode() + b"\x00" + key.secret for key in self.index)]
        return hashlib.sha256(b"suppress/snapshot/v1\x00" + b"\x00".join(parts)).hexdigest()

    @classmethod
    def parse(cls, text: str, name: str) -> Secret:
        """Read it back. Raises `BadFile`."""
        try:
            read = json.loads(text)
            index = tuple(IndexKey(id_, bytes.fromhex(key)) for id_, key in read["index"].items())
            return cls(bytes.fromhex(read["tag"]), index)
        except (ValueError, TypeError, KeyError, AttributeError) as wrong:
            raise BadFile(f"{name} is not the secret of a portable snapshot") from wrong

    def tag_of(self, kind: str, key_id: str, blind: bytes) -> bytes:
        """Under what somebody stands in the index."""
        return tag_of(self.tag, kind, key_id, blind)


# --- Writing ---------------------------------------------------------------------------------------------


def written(
    stream: BinaryIO,
    body: BinaryIO,
    head: Head,
    people: Iterable[Recognised],
    secret: Secret,
    sign: Callable[[str], str],
    origin: str,
) -> int:
    """Write a snapshot to `stream`; `body` is a scratch file. How many rows are in it."""
    index = []
    for each in people:
        index.append((secret.tag_of(each.kind, each.key_id, each.blind), body.tell()))
        body.write(_line(each))
    index.sort()
    facts = _head_facts(head, len(index))
    start = struct.pack("<Q", len(facts)) + facts
    packed = b"".join(tag + struct.pack("<Q", offset) for tag, offset in index)
    digest = hashlib.sha256(start + packed)
    body.seek(0)
    while block := body.read(1 << 20):
        digest.update(block)
    note = sign(_text(origin, head, digest.hexdigest(), secret)).encode()
    stream.write(MAGIC + struct.pack("<I", len(note)) + note + start + packed)
    body.seek(0)
    while block := body.read(1 << 20):
        stream.write(block)
    return len(index)


def new_secret(keys: Sequence[IndexKey]) -> Secret:
    """A secret of this snapshot's own, so that two of them cannot be held against each other."""
    return Secret(secrets.token_bytes(32), tuple(keys))


def _text(origin: str, head: Head, digest: str, secret: Secret) -> str:
    return "".join(
        f"{line}\n"
        for line in (
            KIND,
            origin,
            f"made {timestamp(head.made)}",
            f"until {timestamp(head.until)}",
            f"content {digest}",
            f"secret {secret.commitment}",
        )
    )


def _line(each: Recognised) -> bytes:
    person, standing, held = each.known
    said = [
        person,
        held,
        [row_of_suppression(person, one)[1:] for one in standing.suppressions],
        [row_of_lift(person, one)[1:] for one in standing.lifts],
        None
        if each.bounced == standing
        else [row_of_suppression(person, one)[1:] for one in each.bounced.suppressions],
        [[leave.seq, leave.channel, leave.purpose, timestamp(leave.until)] for leave in each.leaves],
    ]
    return json.dumps(said, separators=(",", ":")).encode() + b"\n"


def _head_facts(head: Head, count: int) -> bytes:
    rules = [
        [
            *(rule.seq, rule.domain, rule.subdomains, rule.channel, str(rule.scope), rule.reason),
            *(rule.source, timestamp(rule.since)),
        ]
        for rule in head.rules.domains.rules
    ]
    facts = {
        "count": count,
        "size": head.size,
        "root": head.root,
        "checkpoint": head.checkpoint,
        "sources": {name: at and timestamp(at) for name, at in head.sources.items()},
        "domains": rules,
        "recipes": [[each.algorithm, each.form] for each in head.rules.recipes],
    }
    return json.dumps(facts).encode()


# --- Reading ---------------------------------------------------------------------------------------------


class Portable(Tagged):
    """An open portable snapshot. It answers checks as `Lookup` does. A context manager."""

    def __init__(self, content: mmap.mmap, start: int, head: Head, secret: Secret, now: datetime) -> None:
        super().__init__(secret, head.rules, now)
        self._content = content
        self._index = start
        self._people = start + head.count * _RECORD
        self.head = head
        self.size, self.root, self.checkpoint = head.size, head.root, head.checkpoint

    @classmethod
    def open(cls, path: Path, *, vkey: str, secret: str, secret_name: str, now: datetime) -> Portable:
        """Verify a snapshot and open it.

        Raises:
            BadUsage: The key is none.
            BadFile: The file is no snapshot, is damaged, or is not signed by this key; or the secret is not
                the one that belongs to it.
            Stale: Its time is over, or it is dated into the future.
        """
        try:
            pinned = parse_vkey(vkey)
        except BadNote as wrong:
            raise BadUsage(
                f"--key: {wrong}", remedy="give the ledger's public key, from suppress init"
            ) from wrong
        given = Secret.parse(secret, secret_name)
        try:
            with path.open("rb") as stream:
                content = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as refused:
            raise BadFile(f"{path} cannot be read as a portable snapshot") from refused
        try:
            note, start = _note_in(content)
            lines = _verified(note, pinned, content, start)
            if not hmac.compare_digest(lines["secret"], given.commitment):
                raise BadFile(
                    f"{secret_name} is not the secret of {path}",
                    remedy="use the two files that suppress snapshot wrote together",
                )
            made, until = moment(lines["made"]), moment(lines["until"])
            head, index = _head_in(content, start, made, until)
        except (BadNote, ValueError, KeyError, IndexError, TypeError, struct.error) as wrong:
            content.close()
            raise BadFile(
                f"{path} is not a portable snapshot of this ledger: {wrong}",
                remedy="copy it again; or suppress snapshot -o FILE where the ledger is",
            ) from wrong
        except BaseException:
            content.close()
            raise
        if not made - timedelta(minutes=5) <= now < until:
            content.close()
            raise Stale(
                f"{path} was made on {made:%Y-%m-%d %H:%M}Z and may be used until {until:%Y-%m-%d %H:%M}Z",
                remedy="suppress snapshot -o FILE where the ledger is, and copy it here",
            )
        return cls(content, index, head, given, now)

    def close(self) -> None:
        """Let go of the file."""
        self._content.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def people(self) -> Iterator[tuple[bytes, bytes]]:
        """Each tag in the index, in order, and the line that stands under it."""
        for place in range(self.head.count):
            yield self._tag(place), self._line(place)

    def _at(self, tag: bytes) -> list[Any]:
        count = self.head.count
        place = bisect_left(range(count), tag, key=self._tag)
        found = []
        while place < count and self._tag(place) == tag:
            found.append(json.loads(self._line(place)))
            place += 1
        return found

    def _line(self, place: int) -> bytes:
        (offset,) = struct.unpack_from("<Q", self._content, self._index + place * _RECORD + TAG)
        self._content.seek(self._people + offset)
        return self._content.readline()

    def _tag(self, place: int) -> bytes:
        spot = self._index + place * _RECORD
        return self._content[spot : spot + TAG]


def _note_in(content: mmap.mmap) -> tuple[Note, int]:
    if content[: len(MAGIC)] != MAGIC:
        raise BadNote("it does not begin as one")
    (length,) = struct.unpack_from("<I", content, len(MAGIC))
    start = len(MAGIC) + 4
    return Note.parse(content[start : start + length]), start + length


def _verified(note: Note, pinned: Any, content: mmap.mmap, start: int) -> dict[str, str]:
    note.verified_by([pinned])
    kind, origin, *rest = note.text.splitlines()
    if kind != KIND or origin != pinned.name:
        raise BadNote("it is signed for something else")
    lines = {name: value for name, _, value in (line.partition(" ") for line in rest)}
    digest = hashlib.sha256()
    view = memoryview(content)
    try:
        for place in range(start, len(content), 1 << 20):
            digest.update(view[place : place + (1 << 20)])
    finally:
        view.release()
    if digest.hexdigest() != lines["content"]:
        raise BadNote("its content is not what was signed")
    return lines


def _head_in(content: mmap.mmap, start: int, made: datetime, until: datetime) -> tuple[Head, int]:
    (length,) = struct.unpack_from("<Q", content, start)
    facts = json.loads(content[start + 8 : start + 8 + length])
    domains = [
        DomainRule(
            seq,
            domain,
            below,
            Channel(channel),
            Scope.parse(scope),
            Reason(reason),
            source,
            "",
            moment(since),
            "",
        )
        for seq, domain, below, channel, scope, reason, source, since in facts["domains"]
    ]
    recipes = tuple(Recipe(Algorithm(one), Form(other)) for one, other in facts["recipes"])
    sources = {name: at and moment(at) for name, at in facts["sources"].items()}
    head = Head(
        made,
        until,
        facts["size"],
        facts["root"],
        facts["checkpoint"],
        sources,
        Rules(DomainRules(domains), recipes),
        facts["count"],
    )
    return head, start + 8 + length

"""What lies in a bundle, and the exact text of each file. Pure; written here and read here.

    SHA256SUMS                   every other file with its digest, as `sha256sum -c` reads it
    VERIFY.txt  verify.sh        how to check it without us, and a script that does
    manifest.json                what this is: grade, sizes, who made it for whom
    checkpoint                   the signed head of the ledger (C2SP tlog-checkpoint)
    checkpoint.previous          the head of an earlier bundle, and
    consistency                  the proof that its entries are still the first ones (C2SP witness request)
    log.vkey  log.pem            the public key that signed it, in two spellings
    entries.ndjson               exact leaves, one a line
    proofs/12.tlog-proof         that the leaf is entry 12 (C2SP tlog-proof); none when all leaves are here
    rotations/7.tlog-proof       that the key before handed over in entry 7, under a checkpoint that it signed
    payloads.ndjson              openings: {"seq":12,"salt":"…","body":{…}}
    subjects.ndjson              openings: {"seq":3,"key":"k1","index":"…","salt":"…"}
    tile/…                       the whole tree as C2SP tlog-tiles, for other people's log tools

Each text has one spelling: what a parser here accepts, the writer beside it would have written.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from suppress.core.canonical import NotCanonical
from suppress.core.harvest import WIDTH
from suppress.core.merkle import HASH_SIZE
from suppress.errors import SuppressError
from suppress.ledger.notes import CHECKPOINT_FILE

SUMS = "SHA256SUMS"
MANIFEST = "manifest.json"
CHECKPOINT = CHECKPOINT_FILE
PREVIOUS = "checkpoint.previous"
CONSISTENCY = "consistency"
VKEY = "log.vkey"
PEM = "log.pem"
ENTRIES = "entries.ndjson"
PAYLOADS = "payloads.ndjson"
SUBJECTS = "subjects.ndjson"
PROOFS = "proofs"
ROTATIONS = "rotations"
GUIDE = "VERIFY.txt"
SCRIPT = "verify.sh"

UNPROVEN = (GUIDE, SCRIPT, MANIFEST, SUMS)
"""Files whose words are the maker's own: digests show that they are whole, and nothing that they are true."""

SCHEMA = "suppress/bundle-manifest@1"
PROOF_HEADER = "c2sp.org/tlog-proof@v1"
MAX_PROOF = 63
"""Hashes. A tree of 2^63 leaves needs no more."""

_NUMBER = r"(?:0|[1-9][0-9]{0,18})"
_SUM = re.compile(r"([0-9a-f]{64})  ([A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)*)")
_PAYLOAD = re.compile(rb'\{"seq":(0|[1-9][0-9]{0,18}),"salt":"([0-9a-f]{64})","body":(\{.*\})\}')
_SUBJECT = re.compile(
    rb'\{"seq":(0|[1-9][0-9]{0,18}),"key":"(k[0-9]{1,9})","index":"([0-9a-f]{64})","salt":"([0-9a-f]{64})"\}'
)
_PROOF_NAME = re.compile(rf"({_NUMBER})\.tlog-proof")


class Grade(StrEnum):
    """How much a bundle shows."""

    WHOLE = "whole"
    """Every entry; nobody's address."""
    OPEN = "open"
    """Every entry with its content."""
    ENTRIES = "entries"
    """Chosen entries with their content, and proof that they stand in the ledger."""
    PERSON = "person"
    """What is recorded about one person, and proof; nothing about anybody else."""

    @property
    def is_whole(self) -> bool:
        """Whether all leaves are in it."""
        return self in (Grade.WHOLE, Grade.OPEN)

    @property
    def opens(self) -> bool:
        """Whether it opens the commitments of its entries."""
        return self is not Grade.WHOLE


class Malformed(ValueError):
    """A file of a bundle is not what its format says."""


# --- Digests ---------------------------------------------------------------------------------------------


def sums_text(digests: Iterable[tuple[str, str]]) -> str:
    """The text of `SHA256SUMS` from (name, digest)."""
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(digests))


def parse_sums(text: str) -> dict[str, str]:
    """Name → digest. Raises `Malformed`."""
    found: dict[str, str] = {}
    for number, line in enumerate(text.split("\n")[:-1], start=1):
        match = _SUM.fullmatch(line)
        if match is None or any(part.strip(".") == "" for part in match[2].split("/")):
            raise Malformed(f"line {number} is not a digest and a name")
        found[match[2]] = match[1]
    if sums_text(found.items()) != text:
        raise Malformed("it is not sorted, or names a file twice")
    return found


# --- Proofs ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Proof:
    """A C2SP tlog-proof: the place of a leaf, the way to the root, and the signed root."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: str

    def __str__(self) -> str:
        lines = [PROOF_HEADER, f"index {self.index}", *map(_base64, self.hashes)]
        return "".join(f"{line}\n" for line in lines) + "\n" + self.checkpoint

    @classmethod
    def parse(cls, text: str) -> Proof:
        """Raises `Malformed`; also on an `extra` line, which nothing would authenticate."""
        head, blank, checkpoint = text.partition("\n\n")
        lines = head.split("\n")
        if not blank or len(lines) < 2 or lines[0] != PROOF_HEADER or not lines[1].startswith("index "):
            raise Malformed("not a tlog-proof")
        return cls(_number(lines[1].removeprefix("index ")), _hashes(lines[2:]), checkpoint)


@dataclass(frozen=True, slots=True)
class Growth:
    """The body of a C2SP witness request: that a checkpoint's tree begins with an older one."""

    old_size: int
    hashes: tuple[bytes, ...]
    checkpoint: str

    def __str__(self) -> str:
        lines = [f"old {self.old_size}", *map(_base64, self.hashes)]
        return "".join(f"{line}\n" for line in lines) + "\n" + self.checkpoint

    @classmethod
    def parse(cls, text: str) -> Growth:
        """Raises `Malformed`."""
        head, blank, checkpoint = text.partition("\n\n")
        lines = head.split("\n")
        if not blank or not lines[0].startswith("old "):
            raise Malformed("not a consistency proof")
        return cls(_number(lines[0].removeprefix("old ")), _hashes(lines[1:]), checkpoint)


def proof_name(seq: int) -> str:
    """The name of an entry's proof, in its folder."""
    return f"{seq}.tlog-proof"


def proven_entry(name: str) -> int:
    """The entry whose proof has this name. Raises `Malformed`."""
    match = _PROOF_NAME.fullmatch(name)
    if match is None:
        raise Malformed("its name is not the number of an entry")
    return int(match[1])


def _hashes(lines: Sequence[str]) -> tuple[bytes, ...]:
    if len(lines) > MAX_PROOF:
        raise Malformed(f"over {MAX_PROOF} hashes")
    return tuple(_hash(line) for line in lines)


def _hash(line: str) -> bytes:
    try:
        content = b64decode(line, validate=True)
    except ValueError as wrong:
        raise Malformed("a hash is not base64") from wrong
    if len(content) != HASH_SIZE or _base64(content) != line:
        raise Malformed("a hash is not the base64 of 32 bytes")
    return content


def _number(text: str) -> int:
    if re.fullmatch(_NUMBER, text) is None:
        raise Malformed(f"{text[:30]!r} is not a plain number")
    return int(text)


def _base64(content: bytes) -> str:
    return b64encode(content).decode()


# --- Openings --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Payload:
    """The opening of an entry's `pii`. Its body is JSON, kept as exactly these bytes."""

    seq: int
    salt: bytes
    body: bytes

    def line(self) -> bytes:
        """One line of `payloads.ndjson`, without its end. The body stands in it byte for byte.

        Raises:
            SuppressError: The body cannot stand in a line; no payload of ours is like that.
        """
        line = b'{"seq":%d,"salt":"%s","body":%s}' % (self.seq, self.salt.hex().encode(), self.body)
        if b"\n" in line or _PAYLOAD.fullmatch(line) is None:
            raise SuppressError(f"the payload of entry {self.seq} is not an object on one line")
        return line

    @classmethod
    def parse(cls, line: bytes) -> Payload:
        """Raises `Malformed`."""
        match = _PAYLOAD.fullmatch(line)
        if match is None:
            raise Malformed("not the opening of a payload")
        return cls(int(match[1]), bytes.fromhex(match[2].decode()), match[3])


@dataclass(frozen=True, slots=True)
class Subject:
    """The opening of the `sid` in a `subject.added`."""

    seq: int
    key: str
    index: bytes
    salt: bytes

    def line(self) -> bytes:
        """One line of `subjects.ndjson`, without its end."""
        text = (
            f'{{"seq":{self.seq},"key":"{self.key}","index":"{self.index.hex()}","salt":"{self.salt.hex()}"}}'
        )
        return text.encode()

    @classmethod
    def parse(cls, line: bytes) -> Subject:
        """Raises `Malformed`."""
        match = _SUBJECT.fullmatch(line)
        if match is None:
            raise Malformed("not the opening of a subject")
        texts = [each.decode() for each in match.groups()]
        return cls(int(texts[0]), texts[1], bytes.fromhex(texts[2]), bytes.fromhex(texts[3]))


# --- Tiles -----------------------------------------------------------------------------------------------


def tile_name(level: int | str, index: int, width: int) -> str:
    """The path of a tile (C2SP tlog-tiles); `entries` instead of a level for a bundle of entries."""
    parts = [f"{index % 1000:03}"]
    while index := index // 1000:
        parts.insert(0, f"x{index % 1000:03}")
    return f"tile/{level}/{'/'.join(parts)}{'' if width == WIDTH else f'.p/{width}'}"


def entry_tile(leaves: Iterable[bytes]) -> bytes:
    """The entries of one tile, each after its length in 16 bits."""
    parts = []
    for leaf in leaves:
        if len(leaf) > 0xFFFF:
            raise NotCanonical(f"an entry of {len(leaf):,} bytes does not fit a tile")
        parts.append(len(leaf).to_bytes(2, "big") + leaf)
    return b"".join(parts)

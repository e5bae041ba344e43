"""Signed checkpoints: the head of a ledger as text that a stranger can verify and keep.

A checkpoint is a C2SP *tlog-checkpoint* (origin, size, root) in a C2SP *signed note*, signed with Ed25519:

    example.com/suppress/5f1c
    20852163
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

    — example.com/suppress/5f1c Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeO…

Rules kept here (https://c2sp.org/signed-note, https://c2sp.org/tlog-checkpoint):

* Reading is strict, so that one checkpoint has one text: canonical base64, plain decimal sizes, no control
  characters, no carriage returns, a last newline, at most 16 signature lines.
* The key is the verifier's own, pinned; nothing is ever verified with a key that came with the note. Lines
  of keys that are not pinned are ignored; a pinned key's line that does not verify refuses the whole note.
* A checkpoint speaks for the log whose name its verified key carries: origin and key name must be equal.

`cryptography` is imported only when something is signed or verified with the default functions.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeAlias

from suppress.core.merkle import HASH_SIZE, MAX_SIZE

MAX_NOTE = 65_536
"""Characters. A checkpoint has a few hundred; a stranger's note of any size must not cost us."""
MAX_SIGNATURES = 16
"""Signature lines. The specification asks for at least so many."""

_ED25519 = b"\x01"
_SIGNATURE_SIZE = 64
_KEY_SIZE = 32
_NAME = re.compile(r"[^\s+\x00-\x1f\ud800-\udfff]+")
_SIZE = re.compile(r"0|[1-9][0-9]{0,19}")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\ud800-\udfff]")

Sign: TypeAlias = Callable[[bytes], bytes]
"""Signs the bytes of a text: 64 bytes of Ed25519, whatever holds the key."""
Verify: TypeAlias = "Callable[[Key, bytes, bytes], bool]"
"""Whether the signature (second) of these bytes (third) is by this key."""


class BadNote(ValueError):
    """A note, checkpoint or key is not what its specification says, or is not signed by a pinned key."""


# --- Keys ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Key:
    """A public Ed25519 key under the name of the log that it signs for."""

    name: str
    public: bytes

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise BadNote("a key's name may not be empty or hold white space, `+` or control characters")
        if len(self.public) != _KEY_SIZE:
            raise BadNote(f"an Ed25519 public key is {_KEY_SIZE} bytes, not {len(self.public)}")

    @property
    def id(self) -> bytes:
        """Four bytes that tell keys of one name apart. No protection: that is the whole key."""
        return sha256(self.name.encode() + b"\n" + _ED25519 + self.public).digest()[:4]

    def __str__(self) -> str:
        """The *vkey*: `<name>+<id in hex>+<base64 of type and key>`."""
        return f"{self.name}+{self.id.hex()}+{_base64(_ED25519 + self.public)}"


def encode_vkey(name: str, public: bytes) -> str:
    """The verifier's text form of a public key. Raises BadNote when name or key cannot be one."""
    return str(Key(name, public))


def parse_vkey(text: str) -> Key:
    """Read a vkey back, with or without white space around it.

    Raises:
        BadNote: Not a vkey, of another kind than Ed25519, or its id belongs to another key.
    """
    name, _, rest = text.strip().partition("+")
    id_, plus, encoded = rest.partition("+")
    if not plus:
        raise BadNote("not a verifier key: <name>+<id>+<key> was expected")
    material = _unbase64(encoded, "the key")
    if material[:1] != _ED25519:
        raise BadNote("not an Ed25519 key")
    key = Key(name, material[1:])
    if id_ != key.id.hex():
        raise BadNote("the verifier key is damaged: its id belongs to another key")
    return key


# --- Notes -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: who claims to have signed, and with what."""

    name: str
    key_id: bytes
    signature: bytes

    def __str__(self) -> str:
        return f"— {self.name} {_base64(self.key_id + self.signature)}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text and its signature lines. Nothing in it is true before `verified_by` says so."""

    text: str
    signatures: tuple[Signature, ...]

    @classmethod
    def parse(cls, note: str | bytes) -> Note:
        """Raises BadNote unless these are exactly the characters that `str` would write."""
        if len(note) > MAX_NOTE:
            raise BadNote(f"a note of over {MAX_NOTE:,} characters")
        if isinstance(note, bytes):
            try:
                note = note.decode()
            except UnicodeDecodeError as wrong:
                raise BadNote("a note that is not UTF-8") from wrong
        if _CONTROL.search(note):
            raise BadNote("a note with control characters")
        text, blank, signed = note.rpartition("\n\n")
        if not blank or not text or not signed.endswith("\n"):
            raise BadNote("not a signed note: text, an empty line, signature lines, a last newline")
        lines = signed[:-1].split("\n")
        if len(lines) > MAX_SIGNATURES:
            raise BadNote(f"a note with over {MAX_SIGNATURES} signatures")
        return cls(text + "\n", tuple(_signature(line) for line in lines))

    def __str__(self) -> str:
        return f"{self.text}\n{''.join(map(str, self.signatures))}"

    def verified_by(self, keys: Iterable[Key], verify: Verify | None = None) -> tuple[Key, ...]:
        """The pinned keys that signed this text, at least one.

        Raises:
            BadNote: None of them signed it, or the line of one of them does not verify.
        """
        check = verify or _verify_ed25519
        pinned = {(key.name, key.id): key for key in keys}
        found: dict[Key, None] = {}
        for line in self.signatures:
            key = pinned.get((line.name, line.key_id))
            if key is None:
                continue
            if len(line.signature) != _SIGNATURE_SIZE or not check(key, line.signature, self.text.encode()):
                raise BadNote(f"the signature of {key.name} does not belong to this text")
            found[key] = None
        if not found:
            raise BadNote("not signed by a key that we trust")
        return tuple(found)


def signed_note(text: str, key: Key, sign: Sign) -> str:
    """The text with one signature line. `sign` must belong to `key`: who verifies will find out.

    Raises:
        BadNote: The text cannot be a note's, or the signature is not one of Ed25519.
    """
    signature = sign(text.encode())
    if len(signature) != _SIGNATURE_SIZE:
        raise BadNote(f"an Ed25519 signature is {_SIGNATURE_SIZE} bytes, not {len(signature)}")
    note = Note(text, (Signature(key.name, key.id, signature),))
    if Note.parse(str(note)) != note:
        raise BadNote("this text cannot stand in a note")
    return str(note)


def _signature(line: str) -> Signature:
    dash, _, rest = line.partition(" ")
    name, space, encoded = rest.partition(" ")
    if dash != "—" or not space or not _NAME.fullmatch(name):
        raise BadNote("a signature line is: — <name> <base64>")
    content = _unbase64(encoded, "a signature")
    if len(content) <= 4:
        raise BadNote("a signature line without a signature")
    return Signature(name, content[:4], content[4:])


def _verify_ed25519(key: Key, signature: bytes, text: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, text)
    except InvalidSignature:
        return False
    return True


# --- Checkpoints -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How long a log is and which root its leaves have."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()
    """Opaque further lines. Ours have none."""

    @property
    def text(self) -> str:
        """The text that is signed."""
        return "".join(f"{line}\n" for line in (self.origin, self.size, _base64(self.root), *self.extensions))

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Read `text` back. Raises BadNote on any other form of the same values."""
        *lines, last = text.split("\n")
        if last or len(lines) < 3 or not all(lines):
            raise BadNote("not a checkpoint: origin, size and root on a line each, a last newline")
        origin, size, root, *extensions = lines
        if not _SIZE.fullmatch(size) or int(size) > MAX_SIZE:
            raise BadNote("a checkpoint's size is a plain whole number")
        hashed = _unbase64(root, "the root")
        if len(hashed) != HASH_SIZE:
            raise BadNote(f"a root is {HASH_SIZE} bytes, not {len(hashed)}")
        return cls(origin, int(size), hashed, tuple(extensions))

    def signed(self, key: Key, sign: Sign) -> str:
        """The signed note. Raises BadNote when the key is of another log, or the checkpoint cannot be one."""
        if key.name != self.origin:
            raise BadNote("a log signs only its own checkpoints: origin and key name differ")
        if Checkpoint.parse(self.text) != self:
            raise BadNote("these values cannot stand in a checkpoint")
        return signed_note(self.text, key, sign)


def open_checkpoint(note: str | bytes, keys: Iterable[Key], verify: Verify | None = None) -> Checkpoint:
    """The checkpoint in a signed note, verified with pinned keys.

    Raises:
        BadNote: The note is malformed, not signed by one of the keys, or speaks for another log than the key.
    """
    read = Note.parse(note)
    signers = read.verified_by(keys, verify)
    checkpoint = Checkpoint.parse(read.text)
    if all(key.name != checkpoint.origin for key in signers):
        raise BadNote("the checkpoint is of another log than the key that signed it")
    return checkpoint


# --- Base64 ----------------------------------------------------------------------------------------------


def _base64(content: bytes) -> str:
    return b64encode(content).decode()


def _unbase64(text: str, what: str) -> bytes:
    """Only the canonical spelling: `b64decode` alone takes other padding bits, which would fork a text."""
    try:
        content = b64decode(text, validate=True)
    except ValueError as wrong:
        raise BadNote(f"{what} is not base64") from wrong
    if _base64(content) != text:
        raise BadNote(f"{what} is not canonical base64")
    return content

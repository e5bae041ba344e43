"""The keys of a ledger: a folder beside the database, never inside it.

    suppress.keys/            0700
    ├── signing.pem           0600  Ed25519, PKCS #8: signs the head in every append
    ├── index.k1              0600  32 bytes in hex: the key of the blind index, named by its id
    ├── log.vkey                    the public key as C2SP signed-note writes it: what `verify` pins
    ├── log.pem                     the same for openssl
    ├── log.5f1c03aa.vkey, .pem     public keys that were retired, by their ids
    └── highwater                   the highest head ever signed, so that a restored old copy is noticed

Rules kept here:

* The folder appears whole or not at all. Private files that others may read are refused, with the command
  that mends it.
* Where files are not wanted, `SUPPRESS_SIGNING_KEY` (the PEM text) and `SUPPRESS_INDEX_KEY` (`k1:` and 64
  hex digits; after a rotation one for each key, with spaces between) take the place of the private files;
  `suppress init` then writes neither. The folder still holds the public key and the high-water mark.
* A new key is on disk before the ledger records it, and in use only once the ledger has: a rotation that is
  killed at any point is finished by the next command that signs (`suppress.ledger.rotating`).
* An index key is never destroyed while a person is indexed under it: an erased person can be recognised by
  no other means.
* Reading the index keys loads no cryptography, so that `suppress check` starts fast.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from suppress.core.checkpoint import Key
from suppress.errors import ConfigWrong, LedgerDamaged, OutputRefused, StorageFailed
from suppress.ledger.sealing import IndexKey

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SIGNING_VARIABLE = "SUPPRESS_SIGNING_KEY"
NEXT_VARIABLE = "SUPPRESS_NEXT_SIGNING_KEY"
INDEX_VARIABLE = "SUPPRESS_INDEX_KEY"

SIGNING_FILE = "signing.pem"
NEXT_FILE = "signing.next.pem"
VKEY_FILE = "log.vkey"
PUBLIC_FILE = "log.pem"
HIGHWATER_FILE = "highwater"

_INDEX_FILE = re.compile(r"index\.(k[0-9]{1,9})")
_INDEX_VALUE = re.compile(r"(?:(k[0-9]{1,9}):)?([0-9a-fA-F]{64})")
_FIRST = "k1"


@dataclass(frozen=True, slots=True)
class Keys:
    """A ledger's keys. `index` holds every live key of the blind index, newest last."""

    folder: Path
    index: tuple[IndexKey, ...] = field(repr=False)
    vkey: str

    @classmethod
    def load(cls, folder: Path, *, environ: Mapping[str, str] | None = None) -> Keys:
        """The keys in `folder`, or the environment's in their place. Loads no cryptography.

        Raises:
            ConfigWrong: No folder, a missing or unreadable key, or a private file that others may read.
        """
        outside = os.environ if environ is None else environ
        if not folder.is_dir():
            raise ConfigWrong(
                f"there is no keys folder {folder}; without its keys a ledger can be verified, not used",
                remedy="restore the folder from your backup, or name it by `keys` in suppress.toml",
            )
        given = outside.get(INDEX_VARIABLE)
        index = _index_values(given) if given else _index_files(folder)
        return cls(folder, index, read_vkey(folder / VKEY_FILE))

    @classmethod
    def create(cls, folder: Path, origin: str, *, environ: Mapping[str, str] | None = None) -> Keys:
        """New keys in a new folder; keys that are there already are loaded instead.

        Raises:
            OutputRefused: The folder cannot be made.
            ConfigWrong: There is a folder, and its keys cannot be used.
        """
        if (folder / VKEY_FILE).exists():
            return cls.load(folder, environ=environ)
        outside = os.environ if environ is None else environ
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))  # 0700
        except OSError as refused:
            raise OutputRefused(f"{folder} cannot be made: {refused.strerror}") from refused
        try:
            _write_new(draft, origin, outside)
            # Renaming a folder replaces an empty one and fails on any other.
            draft.rename(folder)
            sync_folder(folder.parent)
        except OSError as refused:
            if not (folder / VKEY_FILE).exists():  # else another process was quicker
                raise OutputRefused(f"{folder} cannot be made: {refused.strerror}") from refused
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        return cls.load(folder, environ=environ)

    @property
    def newest(self) -> IndexKey:
        """The key under which new people are indexed."""
        return self.index[-1]

    def signing(self, *, environ: Mapping[str, str] | None = None) -> Ed25519PrivateKey:
        """The signing key.

        Raises:
            ConfigWrong: It is missing, unreadable, readable by others, or not an Ed25519 key.
        """
        outside = os.environ if environ is None else environ
        where = SIGNING_VARIABLE if outside.get(SIGNING_VARIABLE) else str(self.folder / SIGNING_FILE)
        pem = outside.get(SIGNING_VARIABLE, "").encode() or _private(self.folder / SIGNING_FILE)
        return _signing_key(pem, where)

    def next_signing(self, *, environ: Mapping[str, str] | None = None) -> Ed25519PrivateKey | None:
        """The signing key of a rotation that is being made; None where there is none.

        Raises:
            ConfigWrong: It is unreadable, readable by others, or not an Ed25519 key.
        """
        outside = os.environ if environ is None else environ
        file = self.folder / NEXT_FILE
        if outside.get(NEXT_VARIABLE):
            return _signing_key(outside[NEXT_VARIABLE].encode(), NEXT_VARIABLE)
        return _signing_key(_private(file), str(file)) if file.exists() else None

    @property
    def highwater(self) -> Path:
        """The file that holds the highest head ever signed."""
        return self.folder / HIGHWATER_FILE


def read_vkey(file: Path) -> str:
    """The public key in a vkey file.

    Raises:
        ConfigWrong: It is missing or cannot be read.
    """
    try:
        return file.read_text("ascii").strip()
    except FileNotFoundError:
        raise ConfigWrong(f"there is no public key {file}", remedy="restore it from your backup") from None
    except (OSError, UnicodeDecodeError) as refused:
        raise ConfigWrong(f"{file} cannot be read", remedy="restore it from your backup") from refused


def read_highwater(file: Path) -> str | None:
    """The note of the highest head ever signed; None when there is none yet.

    Raises:
        LedgerDamaged: The file is there and cannot be read.
    """
    try:
        return file.read_text("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as refused:
        raise LedgerDamaged(
            f"{file}, which holds the highest signed head, cannot be read",
            remedy="check that nobody put back an older ledger (suppress verify), then delete the file",
        ) from refused


def raise_highwater(file: Path, note: str) -> None:
    """Write the mark after a commit, unless another process has signed a higher head meanwhile.

    Raises:
        StorageFailed: It could not be written. What was committed is kept; repeating the append, which then
            adds nothing, writes the mark.
    """
    try:
        known = read_highwater(file)
        if known is None or _size(known) < _size(note):
            replace_file(file, note.encode())
    except OSError as refused:
        raise StorageFailed(f"{file} cannot be written: {refused.strerror}") from refused


def _size(note: str) -> int:
    """The size that a checkpoint names on its second line; -1 where there is none."""
    _, _, rest = note.partition("\n")
    line = rest.partition("\n")[0]
    return int(line) if line.isdecimal() else -1


def replace_file(file: Path, content: bytes) -> None:
    """Write `content` so that a crash leaves the old file or the new one, synced to disk."""
    descriptor, draft = tempfile.mkstemp(prefix=f".{file.name}-", dir=file.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(draft).replace(file)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(draft).unlink()
        raise
    sync_folder(file.parent)


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` durable, where the system lets folders be synced.

    Raises:
        OSError: The disk failed or is full. That some systems sync no folders is no reason to stop.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as refused:
        if refused.errno in (errno.EIO, errno.ENOSPC):
            raise


def public_pem(key: Key) -> bytes:
    """A public key as openssl reads it."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    return Ed25519PublicKey.from_public_bytes(key.public).public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def private_pem(key: Ed25519PrivateKey) -> bytes:
    """The private half, as `signing.pem` holds it."""
    from cryptography.hazmat.primitives import serialization

    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write_new(draft: Path, origin: str, outside: Mapping[str, str]) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    if outside.get(SIGNING_VARIABLE):
        key = Keys(draft, (), "").signing(environ=outside)
    else:
        key = Ed25519PrivateKey.generate()
        write_new_file(draft / SIGNING_FILE, private_pem(key), 0o600)
    if outside.get(INDEX_VARIABLE):
        _index_values(outside[INDEX_VARIABLE])
    else:
        write_new_index_key(draft, _FIRST)
    public = Key(origin, key.public_key().public_bytes_raw())
    write_new_file(draft / PUBLIC_FILE, public_pem(public), 0o644)
    write_new_file(draft / VKEY_FILE, _line(public), 0o644)


def retire_public_key(folder: Path, key: Key) -> None:
    """Keep a public key that signs no more under its id. Raises OSError."""
    vkey = folder / retired_file(key)
    _replace_public(vkey, _line(key))
    _replace_public(vkey.with_suffix(".pem"), public_pem(key))


def retired_file(key: Key) -> str:
    """The name under which a retired public key is kept."""
    return f"log.{key.id.hex()}.vkey"


def settle_signing_key(keys: Keys, key: Key) -> None:
    """End a rotation: name `key` as the one that signs, and put its private half in the place of the old one.

    Raises:
        OSError: The folder cannot be written. It can be done again.
    """
    _replace_public(keys.folder / PUBLIC_FILE, public_pem(key))
    _replace_public(keys.folder / VKEY_FILE, _line(key))
    staged = keys.next_signing(environ={})
    if staged is not None and staged.public_key().public_bytes_raw() == key.public:
        with contextlib.suppress(FileNotFoundError):  # another process ends the same rotation
            (keys.folder / NEXT_FILE).replace(keys.folder / SIGNING_FILE)
    sync_folder(keys.folder)


def _replace_public(file: Path, content: bytes) -> None:
    replace_file(file, content)
    file.chmod(0o644)


def _line(key: Key) -> bytes:
    return f"{key}\n".encode()


def write_new_index_key(folder: Path, id_: str) -> None:
    """A new random index key under this id. Raises OSError, also when there is one."""
    write_new_file(folder / f"index.{id_}", secrets.token_bytes(32).hex().encode() + b"\n", 0o600)


def write_new_file(file: Path, content: bytes, mode: int) -> None:
    """Make a file that is not there yet, synced to disk."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _signing_key(pem: bytes, where: str) -> Ed25519PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as wrong:
        raise ConfigWrong(
            f"{where} holds no private key in PEM form", remedy="restore it from your backup"
        ) from wrong
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigWrong(f"{where} holds a key of another kind", remedy="restore it from your backup")
    return key


def _index_files(folder: Path) -> tuple[IndexKey, ...]:
    found: list[IndexKey] = []
    for file in folder.iterdir():
        if match := _INDEX_FILE.fullmatch(file.name):
            text = _private(file).decode("ascii", "replace").strip()
            found.append(_index_value(f"{match[1]}:{text}", str(file)))
    if not found:
        raise ConfigWrong(
            f"there is no index key in {folder}; without it nobody can be recognised",
            remedy=f"restore index.{_FIRST} from your backup, or set {INDEX_VARIABLE}",
        )
    return tuple(sorted(found, key=_number))


def _index_values(text: str) -> tuple[IndexKey, ...]:
    found = {key.id: key for key in (_index_value(each, INDEX_VARIABLE) for each in text.split())}
    if not found or len(found) != len(text.split()):
        raise ConfigWrong(
            f"{INDEX_VARIABLE} holds no index key, or two of one id", remedy="restore it from your backup"
        )
    return tuple(sorted(found.values(), key=_number))


def _number(key: IndexKey) -> int:
    return int(key.id[1:])


def _index_value(text: str, where: str) -> IndexKey:
    match = _INDEX_VALUE.fullmatch(text.strip())
    if match is None:
        raise ConfigWrong(
            f"{where} is not an index key: 64 hex digits, in the environment after the key's id (k1:…)",
            remedy="restore it from your backup",
        )
    return IndexKey(match[1] or _FIRST, bytes.fromhex(match[2]))


def _private(file: Path) -> bytes:
    try:
        mode = file.stat().st_mode
        content = file.read_bytes()
    except FileNotFoundError:
        raise ConfigWrong(f"there is no key {file}", remedy="restore it from your backup") from None
    except OSError as refused:
        raise ConfigWrong(f"{file} cannot be read: {refused.strerror}") from refused
    if os.name == "posix" and mode & 0o077:
        raise ConfigWrong(f"others may read the private key {file}", remedy=f"chmod 600 {file}")
    return content

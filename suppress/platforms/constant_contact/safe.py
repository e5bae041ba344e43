"""Where the grant of a source is kept: in the keyring, or in a private file that says so.

Rules kept here:

* A small private file tells where the grant is, so that a keyring is asked only if it holds one.
* One process at a time changes a grant: whoever does holds `alone`.
* A new refresh token is durable before `write` returns. A process that was killed between writing the file
  and changing names left the new grant in a draft; whoever comes next under the lock adopts it. The draft
  says which refresh token it follows, so that no older one is ever taken for the newer.
* A refresh leaves a note in the file of the lock until its outcome is known. Found later, it tells that one
  was cut off. That the platform took the refresh token no longer is noted there, too, for the status.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

from suppress.errors import SignInNeeded, SourceFailed, StorageFailed
from suppress.platforms.constant_contact.grant import Grant, NoGrant, digest, from_facts, parsed, to_facts
from suppress.platforms.constant_contact.keyring_entry import KeyringEntry, NoKeyring
from suppress.platforms.constant_contact.private_file import Exposed, PrivateFile
from suppress.plugin.lock import locked
from suppress.plugin.pace import Clock
from suppress.plugin.signing import Store

PATIENCE = 300.0
"""Seconds to wait for another process that signs in or renews: longer than its request may take."""

_BEGUN, _CUT_OFF = b"refreshing\n", b"cut off\n"


class Safe:
    """What is kept for one source."""

    def __init__(self, folder: Path, key: str, *, source: str, clock: Clock) -> None:
        self._source = source
        self._clock = clock
        self._lock = folder / f"{key}.lock"
        self._file = PrivateFile(folder / f"{key}.json")
        self.keyring = KeyringEntry(key)

    @contextlib.contextmanager
    def alone(self) -> Iterator[bool]:
        """Hold the lock. Lends whether a refresh before this one was cut off.

        Raises:
            SourceFailed: Another process held it for too long.
            StorageFailed: The folder or the lock cannot be made.
        """
        with contextlib.ExitStack() as opened:
            try:
                note = opened.enter_context(locked(self._lock, clock=self._clock, patience=PATIENCE))
                note.seek(0)
                cut_off = note.read(len(_BEGUN)) == _BEGUN or note.read().endswith(_CUT_OFF)
                self._recover()
            except TimeoutError:
                raise SourceFailed(
                    f"another process has renewed the sign-in of source {self._source!r} "
                    f"for {PATIENCE:.0f} seconds",
                    remedy="wait for the other process to end, then run the same command again",
                ) from None
            except OSError as refused:
                raise self._refused(refused) from None
            yield cut_off

    def begin(self) -> None:
        """Note that a refresh is under way, and make sure that its result can be kept; under the lock.

        Raises:
            StorageFailed: It could not be kept, so that nothing should be asked for.
        """
        try:
            content = self._file.read() or b""
            if _kept(content) is Store.KEYRING:
                self.keyring.rehearse()
            else:
                self._file.reserve(len(content))
            self._lock.write_bytes(_BEGUN)
        except NoKeyring as refused:
            raise self._no_keyring(refused) from None
        except OSError as refused:
            raise self._refused(refused) from None

    def settle(self, *, known: bool) -> None:
        """The refresh came to an end; `known` is whether its outcome is, so that nothing was lost."""
        with contextlib.suppress(OSError):
            if known:
                self._lock.write_bytes(b"")
            self._file.discard()

    def note_end(self, grant: Grant, *, cut_off: bool) -> None:
        """Note that the platform takes this grant no longer; under the lock."""
        text = f"ended {_digest(grant)}\n".encode()
        with contextlib.suppress(OSError):
            self._lock.write_bytes(text + (_CUT_OFF if cut_off else b""))

    def has_ended(self, grant: Grant) -> bool:
        """Whether the platform was found to take this grant no longer."""
        try:
            return f"ended {_digest(grant)}\n".encode() in self._lock.read_bytes()
        except OSError:
            return False

    def where(self) -> Store | None:
        """Where the grant is kept, None if there is none. Raises what `read` raises."""
        return _kept(self._content())

    @property
    def place(self) -> str:
        """Where the grant is kept, in words."""
        try:
            if _kept(self._file.read() or b"") is Store.KEYRING:
                return self.keyring.place
        except NoKeyring:
            return "the keyring, which does not answer"
        except (Exposed, OSError):
            pass  # whoever reads it says what is wrong
        return f"the file {self._file.path}"

    def read(self) -> Grant | None:
        """The grant, None if nobody has signed in.

        Raises:
            SignInNeeded: It cannot be read, or others could have.
        """
        content = self._content()
        kept = _kept(content)
        try:
            if kept is Store.KEYRING:
                return self.keyring.read()
            return _grant(content) if kept is Store.FILE else None
        except NoKeyring as refused:
            raise SignInNeeded(
                f"source {self._source!r}: the keyring that holds the sign-in cannot be used: {refused}",
                remedy=f"unlock it, or sign in again with: suppress login {self._source} --store file",
            ) from None
        except NoGrant as wrong:
            raise SignInNeeded(
                f"source {self._source!r}: what {self.place} holds cannot be read: {wrong}",
                remedy=f"suppress login {self._source}",
            ) from None

    def write(self, grant: Grant, *, store: Store | None = None, before: Grant | None = None) -> None:
        """Keep it, in `store` or where the one before is kept; under the lock.

        Raises:
            StorageFailed: It could not be kept.
        """
        try:
            kept = store or _kept(self._file.read() or b"") or Store.FILE
            facts: dict[str, object] = {"v": 1, "kept": kept.value}
            if kept is Store.KEYRING:
                self.keyring.write(grant)
                if store is None:
                    return
            else:
                facts |= {"grant": to_facts(grant), "after": _digest(before)}
            content = json.dumps(facts).encode()
            if store is not None:
                self._file.reserve(len(content))
            self._file.replace(content)
        except NoKeyring as refused:
            raise self._no_keyring(refused) from None
        except OSError as refused:
            raise self._refused(refused) from None

    def forget(self) -> bool:
        """Remove it; under the lock. Whether there was any.

        Raises:
            StorageFailed: It cannot be removed.
        """
        try:
            kept = _kept(self._file.read() or b"")
        except (Exposed, OSError):
            kept = Store.FILE  # whatever it is, it is removed
        try:
            if kept is Store.KEYRING:
                self.keyring.forget()
            self._file.remove()
            self._lock.write_bytes(b"")
        except NoKeyring as refused:
            raise self._no_keyring(refused) from None
        except OSError as refused:
            raise self._refused(refused) from None
        return kept is not None

    def _content(self) -> bytes:
        try:
            return self._file.read() or b""
        except Exposed as exposed:
            raise SignInNeeded(f"source {self._source!r}: {exposed.message}", remedy=exposed.remedy) from None
        except OSError as refused:
            raise SignInNeeded(
                f"source {self._source!r}: {self._file.path} cannot be read: {_why(refused)}",
                remedy=f"let this user read it, or sign in again with: suppress login {self._source}",
            ) from None

    def _recover(self) -> None:
        """Adopt what a killed process had written and not put in place, if it follows what is there."""
        try:
            draft = self._file.draft()
            if draft is None:
                return
            facts = parsed(draft)
            follows = facts.get("after") if isinstance(facts, dict) else ""
            _grant(draft)
            current = self._file.read()
            known = None if current is None or _kept(current) is not Store.FILE else _grant(current)
        except (NoGrant, Exposed):
            # Half-written, or somebody else's: what is in place is what holds.
            self._file.discard()
            return
        if follows == _digest(known) and (current is None or known is not None):
            self._file.adopt()
        else:
            self._file.discard()

    def _no_keyring(self, refused: NoKeyring) -> StorageFailed:
        return StorageFailed(
            f"the sign-in of source {self._source!r} cannot be kept in the keyring: {refused}",
            remedy=f"unlock it, or keep it in a file: suppress login {self._source} --store file",
        )

    def _refused(self, refused: OSError) -> StorageFailed:
        return StorageFailed(
            f"the sign-in of source {self._source!r} cannot be kept in {self._file.path.parent}: "
            f"{_why(refused)}",
            remedy="free some space or make that folder writable, then run the same command again",
        )


def _why(refused: OSError) -> str:
    return refused.strerror or type(refused).__name__


def _digest(grant: Grant | None) -> str | None:
    return None if grant is None or grant.refresh_token is None else digest(grant.refresh_token)


def _kept(content: bytes) -> Store | None:
    if not content:
        return None
    try:
        facts = parsed(content)
        return Store(str(facts.get("kept"))) if isinstance(facts, dict) else Store.FILE
    except (NoGrant, ValueError):
        return Store.FILE  # and reading it says what is wrong with it


def _grant(content: bytes) -> Grant:
    facts = parsed(content)
    return from_facts(facts.get("grant") if isinstance(facts, dict) else None)

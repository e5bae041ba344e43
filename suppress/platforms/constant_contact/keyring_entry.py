"""A grant in the system's keyring, through the library `keyring`.

Rules kept here:

* What only looks like a keyring is refused: the backends that drop or refuse everything (`null`, `fail`), and
  `keyrings.alt`, which keeps secrets in a plain file and is picked without a word once it is installed. Of a
  chain of keyrings the first real one is used alone, so that no plain one takes over while that is locked.
* Nothing waits for ever: without a session, some keyrings wait for a window that nobody can see.
* The refresh token is in one entry, so that it is replaced at once or not at all, and is read back before it
  counts. The access token is too long for some keyrings (Windows takes 2,560 bytes) and goes in pieces; if a
  crash leaves pieces of two tokens, a digest shows it, and the token is renewed.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from suppress.platforms.constant_contact.grant import Grant, NoGrant, digest, from_facts, parsed, to_facts

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

SERVICE = "suppress"
PATIENCE = 30.0
"""Seconds for one answer of the keyring; a person may have to unlock it."""
PIECE = 1_000
"""Characters of one entry; Windows takes 1,280."""

_PLAIN = ("keyrings.alt",)
_EMPTY = ("keyring.backends.null", "keyring.backends.fail")

_T = TypeVar("_T")


class NoKeyring(ValueError):
    """No keyring can be used; the message says why, in words that follow "because"."""


class KeyringEntry:
    """The entries of one grant."""

    def __init__(self, name: str, *, patience: float = PATIENCE) -> None:
        self._name = name
        self._patience = patience
        self._backend: KeyringBackend | None = None

    @property
    def place(self) -> str:
        """Which keyring it is, in words. Raises `NoKeyring`."""
        backend = self._opened()
        return f"the keyring ({type(backend).__module__}.{type(backend).__name__})"

    def read(self) -> Grant | None:
        """The grant; its access token is missing if the pieces do not fit together.

        Raises:
            NoKeyring: The keyring does not answer.
            NoGrant: The entry is not ours.
        """
        text = self._get(self._name)
        if text is None:
            return None
        facts = parsed(text)
        if not isinstance(facts, dict):
            raise NoGrant("it holds no sign-in")
        grant = from_facts(facts | {"access_token": ""})
        count = facts.get("pieces")
        pieces = [self._get(f"{self._name}#{each}") for each in range(count if isinstance(count, int) else 0)]
        access = "".join(piece or "" for piece in pieces)
        if digest(access) != facts.get("access"):
            return grant.without_access()
        return from_facts(facts | {"access_token": access})

    def rehearse(self) -> None:
        """Write what is there once more: a keyring that takes nothing shows now. Raises `NoKeyring`."""
        self._set(self._name, self._get(self._name) or "")

    def probe(self) -> None:
        """Make sure that it keeps what it is given, before anybody signs in for it. Raises `NoKeyring`."""
        name = f"{self._name}#probe"
        self._set(name, "probe")
        self._delete(name)

    def write(self, grant: Grant) -> None:
        """Keep it: the part that cannot be had again first. Raises `NoKeyring`."""
        access = grant.access_token
        pieces = [access[at : at + PIECE] for at in range(0, len(access), PIECE)]
        facts = to_facts(grant) | {"access": digest(access), "pieces": len(pieces)}
        del facts["access_token"]
        self._set(self._name, json.dumps(facts))
        for number, piece in enumerate(pieces):
            self._set(f"{self._name}#{number}", piece)

    def forget(self) -> None:
        """Remove every entry. Raises `NoKeyring`."""
        number = 0
        while self._get(f"{self._name}#{number}") is not None:
            self._delete(f"{self._name}#{number}")
            number += 1
        if self._get(self._name) is not None:
            self._delete(self._name)

    def _get(self, name: str) -> str | None:
        backend = self._opened()
        return self._asked(lambda: backend.get_password(SERVICE, name))

    def _set(self, name: str, value: str) -> None:
        backend = self._opened()
        self._asked(lambda: backend.set_password(SERVICE, name, value))
        if self._get(name) != value:
            raise NoKeyring("it does not give back what it was given")

    def _delete(self, name: str) -> None:
        backend = self._opened()
        self._asked(lambda: backend.delete_password(SERVICE, name))

    def _opened(self) -> KeyringBackend:
        if self._backend is None:
            self._backend = self._asked(_real)
        return self._backend

    def _asked(self, question: Callable[[], _T]) -> _T:
        """The keyring's answer, from a thread that may be left behind."""
        answers: list[_T] = []
        failures: list[Exception] = []

        def ask() -> None:
            try:
                answers.append(question())
            except Exception as failure:
                failures.append(failure)

        thread = threading.Thread(target=ask, daemon=True, name="keyring")
        thread.start()
        thread.join(self._patience)
        if answers:
            return answers[0]
        if not failures:
            raise NoKeyring(f"it did not answer within {self._patience:.0f} seconds")
        if isinstance(failures[0], NoKeyring):
            raise failures[0]
        # A backend's own words may hold what it was given.
        raise NoKeyring(f"it failed ({type(failures[0]).__name__})") from None


def _real() -> KeyringBackend:
    try:
        import keyring
        from keyring.backends.chainer import ChainerBackend
    except ImportError:
        raise NoKeyring("the extra is not installed (pip install 'suppress-ledger[keyring]')") from None
    found = keyring.get_keyring()
    chain: list[KeyringBackend] = found.backends if isinstance(found, ChainerBackend) else [found]
    for backend in chain:
        module = type(backend).__module__
        if not module.startswith(_EMPTY) and not module.startswith(_PLAIN):
            return backend
    if any(type(backend).__module__.startswith(_PLAIN) for backend in chain):
        raise NoKeyring("the only one here is keyrings.alt, which keeps secrets in plain text")
    raise NoKeyring("there is none on this machine, or none that a program without a session may use")

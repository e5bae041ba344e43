"""The access token of a source, as the client asks for it; here the one that was given from outside.

Rules kept here:

* A token is never shown, logged or kept: it is read when a request needs it.
* A file that others on this machine can read is refused.
* Whoever refreshes the token may have written a new one since: when the platform refuses it, the file is
  read once more.

A sign-in that is kept and renewed here is in `granted`; a token from outside outweighs it.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import Protocol

from suppress.config import SourceSettings
from suppress.errors import SignInNeeded

_LARGEST = 65_536
_TOKEN = re.compile(r"[!-~]+")


class AccessToken(Protocol):
    """What signs the requests of one source."""

    @property
    def renewals(self) -> int:
        """How many other tokens to try for one request that is refused."""

    @property
    def place(self) -> str:
        """Where the token comes from, for messages."""

    def authorization(self) -> str:
        """The header's value. Raises `SignInNeeded` when there is no usable token."""

    def renewed(self) -> bool:
        """Look for another token, after a refusal. Whether there is one."""

    def refused(self, why: str) -> SignInNeeded:
        """The error for a source that cannot sign in, with the way out."""

    def close(self) -> None:
        """Give connections back."""


class Token:
    """The token of one `[sources.NAME]` table."""

    renewals = 1

    def __init__(self, settings: SourceSettings) -> None:
        self._name = settings.name
        self._given = settings.access_token
        self._file = settings.access_token_file
        self._read: str | None = None

    @property
    def place(self) -> str:
        """Where the token comes from, for messages."""
        if self._given is None and self._file is not None:
            return f"the file {self._file}"
        return self._variable

    @property
    def _variable(self) -> str:
        return f"SUPPRESS_SOURCES__{self._name.upper().replace('-', '_')}__ACCESS_TOKEN"

    def authorization(self) -> str:
        """The header's value. Raises `SignInNeeded` when there is no usable token."""
        if self._given is None and self._file is None:
            raise self.refused("there is no access token")
        if self._read is None:
            self._read = self._usable(self._given if self._given is not None else self._from_file())
        return f"Bearer {self._read}"

    def renewed(self) -> bool:
        """Read the file once more, after a refusal. Whether there is another token now."""
        before = self._read
        if self._given is not None or self._file is None:
            return False
        self._read = self._usable(self._from_file())
        return self._read != before

    def close(self) -> None:
        """Nothing is open."""

    def refused(self, why: str) -> SignInNeeded:
        """The error for a source that cannot sign in, with the way out."""
        return SignInNeeded(
            f"source {self._name!r} cannot sign in to Constant Contact: {why}",
            remedy=f"set {self._variable}, or name a file with mode 0600 as access_token_file "
            f"in [sources.{self._name}]",
        )

    def _usable(self, text: str) -> str:
        token = text.strip()
        if not token:
            raise self.refused(f"{self.place} is empty")
        if _TOKEN.fullmatch(token) is None:
            raise self.refused(f"{self.place} holds more than one token alone; leave out 'Bearer' and quotes")
        return token

    def _from_file(self) -> str:
        try:
            # Without blocking, so that a pipe that nobody writes to is not waited for.
            descriptor = os.open(self._file or Path(), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                self._examine(os.fstat(descriptor).st_mode)
                return os.read(descriptor, _LARGEST).decode("utf-8", "replace")
            finally:
                os.close(descriptor)
        except OSError as missing:
            why = missing.strerror or type(missing).__name__
            raise self.refused(f"{self.place} cannot be read ({why})") from None

    def _examine(self, mode: int) -> None:
        """Of the opened file, not of its name, so that it cannot be exchanged in between."""
        if not stat.S_ISREG(mode):
            raise self.refused(f"{self.place} is no file")
        if stat.S_IMODE(mode) & 0o077:
            raise SignInNeeded(
                f"source {self._name!r}: {self.place} can be read by others on this machine",
                remedy=f"chmod 600 {self._file}",
            )

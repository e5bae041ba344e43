"""A keyring that a test can look into: a backend of the library `keyring`, which keeps entries in a folder.

`FILED_KEYRING` names the folder. Real ones need a session; what is ours is tried with this one.
"""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError


class FiledKeyring(KeyringBackend):
    """One file an entry, replaced as a whole."""

    priority = 5.0

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # the library left it out

    def _file(self, service: str, username: str) -> Path:
        return Path(os.environ["FILED_KEYRING"]) / sha256(f"{service}\n{username}".encode()).hexdigest()

    def get_password(self, service: str, username: str) -> str | None:
        """The secret, or None."""
        try:
            return self._file(service, username).read_text()
        except FileNotFoundError:
            return None

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep a secret."""
        file = self._file(service, username)
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_suffix(".draft")
        draft.write_text(password)
        draft.replace(file)

    def delete_password(self, service: str, username: str) -> None:
        """Remove a secret."""
        try:
            self._file(service, username).unlink()
        except FileNotFoundError:
            raise PasswordDeleteError("there is none") from None

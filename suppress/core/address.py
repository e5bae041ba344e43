"""E-mail addresses and their match key (to be written by its owner; signatures are settled)."""

from __future__ import annotations

from dataclasses import dataclass

KEY_VERSION = 1


@dataclass(frozen=True, slots=True)
class Address:
    """An address as received and the key under which it is compared."""

    raw: str
    key: str

    @classmethod
    def parse(cls, raw: str) -> Address:
        """Raises ValueError when nothing is left to compare."""
        key = match_key(raw)
        if not key:
            raise ValueError("no address")
        return cls(raw, key)


def match_key(text: str) -> str:
    return text.strip().casefold()


def alias_key(key: str) -> str | None:
    return None

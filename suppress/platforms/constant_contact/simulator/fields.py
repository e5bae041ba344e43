"""Reads request bodies: each value is what the contract allows, or the request is refused with 400."""

from __future__ import annotations

import re
import uuid
from collections.abc import Container
from dataclasses import dataclass

from suppress.platforms.constant_contact.simulator.http import Request, invalid

MAX_ADDRESS = 80


@dataclass(frozen=True, slots=True)
class Fields:
    """The members of a JSON object. Null counts as absent."""

    members: dict[str, object]
    name: str = "request body"

    @classmethod
    def of(cls, request: Request) -> Fields:
        """The body of a request.

        Raises:
            Refused: 415 or 400.
        """
        return cls._object(request.json(), "request body")

    @classmethod
    def _object(cls, value: object, name: str) -> Fields:
        if not isinstance(value, dict):
            raise invalid(f"{name} must be an object")
        return cls({key: held for key, held in value.items() if held is not None}, name)

    def __contains__(self, name: str) -> bool:
        return name in self.members

    def inner(self, name: str) -> Fields | None:
        """A nested object."""
        return self._object(self.members[name], name) if name in self.members else None

    def objects(self, name: str, most: int) -> list[Fields]:
        """An array of objects."""
        return [self._object(one, name) for one in self._array(name, most)]

    def text(self, name: str, most: int) -> str | None:
        """A string of at most `most` characters."""
        value = self.members.get(name)
        if value is None:
            return None
        if not isinstance(value, str) or len(value) > most:
            raise invalid(f"{name} must be text of at most {most} characters")
        return value

    def one_of(self, name: str, known: Container[str]) -> str | None:
        """One of a few words."""
        value = self.text(name, 100)
        if value is not None and value not in known:
            raise invalid(f"{name} does not have a valid value")
        return value

    def flag(self, name: str) -> bool:
        """A boolean, false where absent."""
        value = self.members.get(name, False)
        if not isinstance(value, bool):
            raise invalid(f"{name} must be true or false")
        return value

    def number(self, name: str, lowest: int, highest: int) -> int | None:
        """A whole number in a range."""
        value = self.members.get(name)
        if value is None:
            return None
        if type(value) is not int or not lowest <= value <= highest:
            raise invalid(f"{name} must be a number from {lowest} to {highest}")
        return value

    def ids(self, name: str, most: int) -> tuple[str, ...]:
        """An array of UUIDs."""
        values = self._array(name, most)
        ids = tuple(one for one in values if isinstance(one, str) and is_uuid(one))
        if len(ids) != len(values):
            raise invalid(f"{name} must be an array of at most {most} UUIDs")
        return ids

    def _array(self, name: str, most: int) -> list[object]:
        value = self.members.get(name, [])
        if not isinstance(value, list) or len(value) > most:
            raise invalid(f"{name} must be an array of at most {most}")
        return value

    def address(self, name: str, most: int = MAX_ADDRESS) -> str | None:
        """An e-mail address.

        Raises:
            Refused: 400 for text that no mail could be sent to.
        """
        value = self.text(name, most)
        if value is not None and not is_address(value):
            raise invalid(f"{name} is not a valid email address")
        return value


def is_address(text: str) -> bool:
    """Whether the platform takes this as an address: something, one `@`, a domain with a dot."""
    return re.fullmatch(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+", text) is not None


def is_uuid(text: str) -> bool:
    """Whether this is an id as the platform writes them."""
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True

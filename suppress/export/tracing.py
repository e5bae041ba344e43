"""Whose list leaked: canaries that were hidden in partners' lists, looked for in a file that turned up.

A canary is found as the digest that stands in the partner's list, and as the address itself, which only a
partner with the key, or one who was given addresses, could write to.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from suppress.config import DestinationSettings
from suppress.platforms.hashed_file import HashedFile

_WORD = re.compile(rb"[0-9A-Za-z@.+/=_-]+")
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Traced:
    """One destination whose canaries were found."""

    destination: str
    found: int
    canaries: int


def traced(blocks: Iterable[bytes], destinations: Iterable[DestinationSettings]) -> tuple[Traced, ...]:
    """The destinations whose canaries are in this text, in any form in which we gave them out.

    Raises:
        ConfigWrong: The settings of a list's canaries are wrong.
    """
    owners: dict[bytes, tuple[str, str]] = {}
    hidden: dict[str, int] = {}
    for settings in destinations:
        listed = HashedFile(settings)
        hidden[settings.name] = len(listed.canaries)
        for canary in listed.canaries:
            for form in (canary, listed.digest(canary)):
                owners[form.encode()] = owners[form.upper().encode()] = (settings.name, canary)
    found: dict[str, set[str]] = {}
    for word in _words(blocks):
        if (owner := owners.get(word)) is not None:
            found.setdefault(owner[0], set()).add(owner[1])
    return tuple(Traced(name, len(found[name]), hidden[name]) for name in sorted(found))


def _words(blocks: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for block in blocks:
        text = rest + block
        words = [match.group() for match in _WORD.finditer(text)]
        # The last word may go on in the next block; a word longer than any of ours is none of ours.
        rest = words.pop()[-_BLOCK:] if words and text.endswith(words[-1]) else b""
        yield from words
    yield from [rest] if rest else []

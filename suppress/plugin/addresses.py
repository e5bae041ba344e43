"""Which addresses a platform can be told about at all, and whom of those that were told an answer names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from unicodedata import category

from suppress.core.address import MAX_ADDRESS, match_key
from suppress.core.spelling import comparable


def flaw(address: str) -> str | None:
    """Why no contact can have this address; None if one may.

    Looked at before anything is sent: platforms count the errors of an app (over 5 % of a day's answers cost
    it HubSpot's certification), and at some one such address fails a whole batch. What is not certainly
    impossible is left to the platform.
    """
    local, at, domain = address.rpartition("@")
    if not (local and at and domain):
        return "no name or no domain"
    if any(category(each) in ("Cc", "Cs", "Zs", "Zl", "Zp") for each in address):
        return "white space or a control character"
    return "too long" if len(address.encode()) > MAX_ADDRESS else None


class Asked:
    """The addresses of one call, found again by how an answer spells them.

    Most platforms compare without case, and answer in small letters or as they were asked. The looser a
    spelling compares, the later it is tried, and one that could be either of two is nobody's.
    """

    def __init__(self, addresses: Iterable[str]) -> None:
        self._by_form: list[dict[str, str | None]] = [{}, {}, {}]
        for address in addresses:
            for known, form in zip(self._by_form, _forms(address), strict=True):
                known[form] = address if form not in known else None

    def found(self, said: str) -> str | None:
        """The address that was asked about under this spelling; None if none was."""
        for known, form in zip(self._by_form, _forms(said), strict=True):
            if form in known:
                return known[form]
        return None


def _forms(address: str) -> Iterator[str]:
    yield comparable(address)
    yield address.strip().lower()
    yield match_key(address)

"""Which addresses HubSpot can be told about, and whom of those that were told an answer speaks of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from unicodedata import category

from suppress.core.address import MAX_ADDRESS, match_key
from suppress.core.spelling import comparable

_SEPARATORS = ("/", "\\")


def flaw(address: str) -> str | None:
    """Why no contact can have this address; None if one may.

    Looked at here, because too many errors (over 5 % of a day's answers) cost an app its certification.
    """
    local, at, domain = address.rpartition("@")
    if not (local and at and domain):
        return "no name or no domain"
    if any(category(each) in ("Cc", "Cs", "Zs", "Zl", "Zp") for each in address):
        return "white space or a control character"
    return "too long" if len(address.encode()) > MAX_ADDRESS else None


def fits_a_path(address: str) -> bool:
    """Whether the address can be one segment of a path.

    Servers decode an encoded slash before they route, or refuse it (RFC 3986, section 7.3): such a call
    could reach another one than was meant, so that it is never sent.
    """
    return not any(each in address for each in _SEPARATORS)


class Asked:
    """The addresses of one call, found again by how an answer spells them.

    HubSpot compares without case, and answers in small letters or as it was asked. The looser a spelling
    compares, the later it is tried, and one that could be either of two is nobody's.
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

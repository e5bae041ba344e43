"""Which addresses can be one segment of a path."""

from __future__ import annotations

_SEPARATORS = ("/", "\\")


def fits_a_path(address: str) -> bool:
    """Whether the address can be one segment of a path.

    Servers decode an encoded slash before they route, or refuse it (RFC 3986, section 7.3): such a call
    could reach another one than was meant, so that it is never sent.
    """
    return not any(each in address for each in _SEPARATORS)

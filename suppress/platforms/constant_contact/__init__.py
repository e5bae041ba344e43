"""Constant Contact, V3 API: the source, and a simulator of the platform.

Start with `source` (what is asked, and when a run may be called complete), then `census` (how the counts must
add up), `wire` (their JSON → our `Observed`) and `client` (what each answer means). `simulator` is the whole
platform on loopback, for tests and for `suppress demo`.

Importing this package is cheap: `ConstantContact` is loaded when it is first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from suppress.platforms.constant_contact.source import ConstantContact

__all__ = ["ConstantContact"]


def __getattr__(name: str) -> object:
    if name == "ConstantContact":
        from suppress.platforms.constant_contact.source import ConstantContact

        return ConstantContact
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""Suppression-list manager: every opt-out kept, told to every system, checked, and proved.

What a program may rely on:

    from suppress import Ledger

    with Ledger.open("sqlite:///suppress.db") as ledger:
        verdict = ledger.check("pat@example.com")

`suppress.core.merkle` is public too; plugin authors start at `suppress.plugin`. The command line is
`suppress.cli`. Names are loaded when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from suppress.core.mailing import Mailing, MessageClass
    from suppress.core.verdict import Ruling, Tier, Verdict
    from suppress.errors import SuppressError
    from suppress.ledger import Ledger

__version__ = "0.1.0"
__all__ = ["Ledger", "Mailing", "MessageClass", "Ruling", "SuppressError", "Tier", "Verdict", "__version__"]

_HOMES = {
    "Ledger": "suppress.ledger",
    "Mailing": "suppress.core.mailing",
    "MessageClass": "suppress.core.mailing",
    "Ruling": "suppress.core.verdict",
    "SuppressError": "suppress.errors",
    "Tier": "suppress.core.verdict",
    "Verdict": "suppress.core.verdict",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'suppress' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)

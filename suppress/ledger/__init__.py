"""The ledger room: the only one that knows SQL. It speaks core values and returns core values.

`Ledger` (`store`) appends and answers; `Lookup` (`lookup`) only answers, for `suppress check`, and loads
neither SQLAlchemy nor cryptography. Names are loaded when they are first used, so that importing this
package costs nothing.

Read next: `tables` (what is kept, and which of it may change), `appending` (the six steps of an append),
`folding` (entries to standing), `inspection` (what `suppress verify` reads), `erasing` (what is taken out
again). The reasons are told in
`docs/explanation/ledger.md`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from suppress.ledger.erasing import Erasure as Erasure
    from suppress.ledger.erasing import Grounds as Grounds
    from suppress.ledger.keys import Keys as Keys
    from suppress.ledger.lookup import Lookup as Lookup
    from suppress.ledger.store import Ledger as Ledger
    from suppress.ledger.values import Event as Event
    from suppress.ledger.values import Head as Head
    from suppress.ledger.values import KnownDigest as KnownDigest
    from suppress.ledger.values import Listed as Listed
    from suppress.ledger.values import Receipt as Receipt
    from suppress.ledger.values import Recorded as Recorded
    from suppress.ledger.values import SourceState as SourceState

_HOMES = {
    "Erasure": "erasing",
    "Event": "values",
    "Grounds": "erasing",
    "Head": "values",
    "Keys": "keys",
    "KnownDigest": "values",
    "Ledger": "store",
    "Listed": "values",
    "Lookup": "lookup",
    "Receipt": "values",
    "Recorded": "values",
    "SourceState": "values",
}

__all__ = [
    "Erasure",
    "Event",
    "Grounds",
    "Head",
    "Keys",
    "KnownDigest",
    "Ledger",
    "Listed",
    "Lookup",
    "Receipt",
    "Recorded",
    "SourceState",
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"suppress.ledger.{home}"), name)

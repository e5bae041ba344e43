"""The gate before an import: contact files and addresses in; kept, withheld and to-be-reviewed out.

Rules kept here:

* Kept rows leave as the bytes they came in, in order. Withheld and review rows get five columns that say
  why. No row is dropped, however malformed: rows = kept + withheld + review, or the run fails.
* A row is withheld if any of its addresses is suppressed; it goes to review if an alias of one is, or if it
  cannot be read with certainty. Where a row's shape leaves in doubt which cell is the address, every cell is
  looked at: a lost quote must not let a suppressed person through.
* A check of a file is recorded before its results get their names. A result without a record is not left
  behind, and neither is half a result.

`gate` decides about addresses and rows; `sorting` carries a file through it. Names are loaded when they are
first used, so that an answer about an address does not wait for what reads files.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from suppress.check.annotation import COLUMNS as COLUMNS
    from suppress.check.annotation import Finding as Finding
    from suppress.check.gate import Alias as Alias
    from suppress.check.gate import Answer as Answer
    from suppress.check.gate import Answers as Answers
    from suppress.check.gate import Decision as Decision
    from suppress.check.gate import Gate as Gate
    from suppress.check.gate import check_addresses as check_addresses
    from suppress.check.sorting import FileChecked as FileChecked
    from suppress.check.sorting import Targets as Targets
    from suppress.check.sorting import check_file as check_file

_HOMES = {
    "COLUMNS": "annotation",
    "Alias": "gate",
    "Answer": "gate",
    "Answers": "gate",
    "Decision": "gate",
    "FileChecked": "sorting",
    "Finding": "annotation",
    "Gate": "gate",
    "Targets": "sorting",
    "check_addresses": "gate",
    "check_file": "sorting",
}

__all__ = [
    "COLUMNS",
    "Alias",
    "Answer",
    "Answers",
    "Decision",
    "FileChecked",
    "Finding",
    "Gate",
    "Targets",
    "check_addresses",
    "check_file",
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"suppress.check.{home}"), name)

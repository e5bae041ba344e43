"""The gate before an import: contact files and addresses in; kept, withheld and to-be-reviewed out.

Rules kept here:

* Kept rows leave as the bytes they came in, in order. Withheld and review rows get five columns that say
  why. No row is dropped, however malformed: rows = kept + withheld + review, or the run fails.
* A row is withheld if any of its addresses is suppressed; it goes to review if an alias of one is, or if it
  cannot be read with certainty. Where a row's shape leaves in doubt which cell is the address, every cell is
  looked at: a lost quote must not let a suppressed person through.
* A check of a file is recorded before its results get their names. A result without a record is not left
  behind, and neither is half a result.

`gate` decides about addresses and rows; `sorting` carries a file through it.
"""

from suppress.check.annotation import COLUMNS, Finding
from suppress.check.gate import Alias, Answer, Answers, Decision, Gate, check_addresses
from suppress.check.sorting import FileChecked, Targets, check_file

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

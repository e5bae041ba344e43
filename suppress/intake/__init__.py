"""Opt-outs that people bring: one taken by phone, reply or letter; or an old list with its original dates.

Rules kept here:

* An opt-out is never lost for a flaw beside it. A malformed address is kept as text, an unreadable date
  becomes "unknown" and is reported; only a row in which no address can be found is rejected, by its number.
* No date is invented, and nothing here lifts: a row that says "Active" is ignored, whoever it is about.
* The same request is recorded once, however often and in however many files it is given, so that an import
  may be killed at any point and repeated.

`adding` takes one request; `layouts` and `profiles` read what a row of a list says; `importing` carries a
list through. `consenting` takes the one thing that lifts; `correcting` and `reverting` take back what staff
claimed.
"""

from suppress.intake.adding import Added, Evidence, add
from suppress.intake.importing import Imported, Remark, import_file
from suppress.intake.layouts import Layout, Mapped
from suppress.intake.recognising import layout_of

__all__ = [
    "Added",
    "Evidence",
    "Imported",
    "Layout",
    "Mapped",
    "Remark",
    "add",
    "import_file",
    "layout_of",
]

"""What a row of a list of opt-outs says. Pure: rows in, claims out.

Without a profile, every row of a mapped list is an opt-out: that is what the list is. Exports of known
systems, in which only some rows are, are in `profiles`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from suppress.core.address import Address
from suppress.core.suppression import Channel, Reason
from suppress.errors import BadUsage
from suppress.files.columns import chosen, folded
from suppress.files.contacts import ContactFile
from suppress.intake.cells import addresses_of

NO_ADDRESS = "no address"


@dataclass(frozen=True, slots=True)
class Claim:
    """What one row says, verbatim."""

    cells: tuple[str, ...]
    """The address columns."""
    opted_out: bool
    reason: Reason
    date: str = ""
    received: str = ""
    texts: tuple[str, ...] = ()
    """Other words of the row that tell one request from another."""
    unknown: str = ""
    """A status word that nobody knows, where nothing else says that the row is an opt-out."""
    channel: Channel = Channel.EMAIL
    footer: bool = False
    """Not about anybody: what a report writes below its rows."""


class Layout(Protocol):
    """How to read the rows of one kind of list."""

    @property
    def profile(self) -> str:
        """Its name: a profile, or `map`."""
        ...

    @property
    def source(self) -> str:
        """What the ledger calls requests from such a list, unless the user says otherwise."""
        ...

    @property
    def identity(self) -> str:
        """What tells two ways of reading the same file apart."""
        ...

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a list of this kind cannot show."""
        ...

    def claim(self, row: Sequence[str]) -> Claim:
        """What a row says; cells that it lacks are empty."""
        ...

    def addresses(self, cells: Sequence[str]) -> list[Address]:
        """Whom the cells of a claim are about, without doubles."""
        ...

    @property
    def nothing(self) -> str:
        """What is said of a row in which nobody is named."""
        ...

    def evidence(self, row: Sequence[str]) -> Mapping[str, str]:
        """The cells that the claim rests on, under their headings."""
        ...


# --- Mapped ----------------------------------------------------------------------------------------------

FIELDS = ("email", "date", "received", "reason", "source")


@dataclass(frozen=True, slots=True)
class Mapped:
    """A list whose columns the user named. Every row is an opt-out."""

    columns: Mapping[str, tuple[int, ...]]
    names: tuple[str, ...]
    profile: str = "map"
    source: str = "import"
    warnings: tuple[str, ...] = ()
    nothing: str = NO_ADDRESS

    @classmethod
    def of(cls, contacts: ContactFile, mapping: Sequence[str]) -> Mapped:
        """From `email=Column,date=Column`; a field may be repeated for several columns."""
        found: dict[str, tuple[int, ...]] = {}
        for pair in (each for given in mapping for each in given.split(",")):
            field, sign, column = (part.strip() for part in pair.partition("="))
            if field not in FIELDS or not sign or not column:
                raise BadUsage(
                    f"--map {pair!r}: not FIELD=COLUMN", remedy=f"the fields are {', '.join(FIELDS)}"
                )
            added = chosen([column], contacts.columns.names, contacts.width)
            found[field] = (*found.get(field, ()), *added)
        if "email" not in found:
            raise BadUsage("--map names no column of addresses", remedy="add email=COLUMN")
        return cls(found, contacts.columns.names)

    @property
    def identity(self) -> str:
        """Fields and columns."""
        return ";".join(f"{field}={columns}" for field, columns in sorted(self.columns.items()))

    def claim(self, row: Sequence[str]) -> Claim:
        """Every row is an opt-out."""
        reason, source = self._text("reason", row), self._text("source", row)
        mailable = folded(reason) if folded(reason) in _MAILABLE else ""
        return Claim(
            cells=tuple(cell_of(row, index) for index in self.columns["email"]),
            opted_out=True,
            reason=reason_in(reason),
            date=self._text("date", row),
            received=self._text("received", row),
            texts=(reason, source),
            unknown=mailable,
        )

    def addresses(self, cells: Sequence[str]) -> list[Address]:
        """All addresses of a row."""
        return addresses_of(cells)

    def evidence(self, row: Sequence[str]) -> Mapping[str, str]:
        """The mapped cells."""
        return named_cells(self.names, [index for columns in self.columns.values() for index in columns], row)

    def _text(self, field: str, row: Sequence[str]) -> str:
        return next(
            (text for index in self.columns.get(field, ()) if (text := cell_of(row, index).strip())), ""
        )


_MAILABLE = frozenset(
    {
        *("active", "subscribed", "enabled", "confirmed", "express", "implied", "explicit", "mailable"),
        *("opted in", "opted-in", "opt in", "opt-in", "optin", "deliverable"),
    }
)
"""Words of people who may be mailed: a list with them is no list of opt-outs, whatever was mapped."""

_REASONS = (
    (re.compile(r"complain|abuse|\bfbl\b|(reported|marked)( as)? spam|^spam$|spam report"), Reason.COMPLAINT),
    (re.compile(r"unsub|opt(ed)?[\s_-]?out|one[\s_-]?click|\bcontact\b"), Reason.UNSUBSCRIBED),
    (re.compile(r"request|phone|call|letter|reply|replied|asked"), Reason.REQUESTED),
    (re.compile(r"account|admin|staff|owner|upload|system|manual"), Reason.ACCOUNT),
    (re.compile(r"bounce|invalid|undeliver|not exist|no such|mailbox"), Reason.BOUNCED),
)


def reason_in(text: str) -> Reason:
    """The reason that a text of an old list names; unknown when it names none that we know."""
    lower = text.strip().casefold()
    for reason in Reason:
        if lower == reason.value:
            return reason
    return next((reason for words, reason in _REASONS if words.search(lower)), Reason.UNKNOWN)


def cell_of(row: Sequence[str], index: int) -> str:
    """A cell; one that the row lacks is empty."""
    return row[index] if index < len(row) else ""


def named_cells(names: Sequence[str], indexes: Sequence[int], row: Sequence[str]) -> dict[str, str]:
    """The filled cells of these columns, under their headings."""
    return {
        names[index].strip() if index < len(names) else f"column {index + 1}": row[index]
        for index in sorted(set(indexes))
        if index < len(row) and row[index].strip()
    }

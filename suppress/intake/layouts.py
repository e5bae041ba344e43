"""What a row of a list of opt-outs says. Pure: rows in, claims out.

Rules kept here:

* Without a profile, every row of a mapped list is an opt-out: that is what the list is.
* In an export of Constant Contact's screens a row is an opt-out if `Email status` says unsubscribed or an
  opt-out date is there; then all of its addresses are opted out. Headers vary by account and era, so they
  are matched by name, in any order and case, and unknown columns are ignored.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from suppress.core.address import Address, addresses_in
from suppress.core.spelling import bare, comparable
from suppress.core.suppression import Reason
from suppress.errors import BadFile, BadUsage
from suppress.files.columns import chosen, folded, listed
from suppress.files.contacts import ContactFile

PROFILES = ("constant-contact",)

NO_ADDRESS = "no address"

_CELL_UP_TO = 2_000
"""Characters of a cell that may hold addresses."""


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


def layout_of(contacts: ContactFile, *, profile: str | None, mapping: Sequence[str]) -> Layout:
    """The layout of a file: as mapped, as named, or recognised by its header.

    Raises:
        BadUsage: Mapping and profile together, an unknown one, or columns that are not there.
        BadFile: The file is of no known layout, or lacks what its profile needs.
    """
    if mapping and profile is not None:
        raise BadUsage("--map and --profile each say what the columns mean: give one of them")
    if mapping:
        return Mapped.of(contacts, mapping)
    if profile is not None and profile not in PROFILES:
        raise BadUsage(f"there is no profile {profile!r}; there is {', '.join(PROFILES)}", remedy="use --map")
    if profile is not None or ConstantContact.fits(contacts.columns.names):
        return ConstantContact.of(contacts)
    raise BadFile(
        f"{contacts.name}: nothing says which of its rows are opt-outs; "
        f"there is {listed(contacts.columns.names, contacts.width)}",
        remedy="if every row is an opt-out: --map email=COLUMN,date=COLUMN,reason=COLUMN",
    )


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
        return Claim(
            cells=tuple(_cell(row, index) for index in self.columns["email"]),
            opted_out=True,
            reason=reason_in(reason),
            date=self._text("date", row),
            received=self._text("received", row),
            texts=(reason, source),
        )

    def addresses(self, cells: Sequence[str]) -> list[Address]:
        """All addresses of a row."""
        return addresses_of(cells)

    def evidence(self, row: Sequence[str]) -> Mapping[str, str]:
        """The mapped cells."""
        return _named(self.names, [index for columns in self.columns.values() for index in columns], row)

    def _text(self, field: str, row: Sequence[str]) -> str:
        return next(
            (text for index in self.columns.get(field, ()) if (text := _cell(row, index).strip())), ""
        )


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


# --- Constant Contact ------------------------------------------------------------------------------------

_WHICH = r"(?: ?[-\u2013] ?(?:home|work|other))?(?: \d+)?"
_HEADINGS = {
    "address": re.compile(r"email address" + _WHICH),
    "status": re.compile(r"email (?:permission )?status" + _WHICH),
    "date": re.compile(r"confirmed opt[ -]?out date" + _WHICH),
    "source": re.compile(r"confirmed opt[ -]?out source" + _WHICH),
    "reason": re.compile(r"confirmed opt[ -]?out reason" + _WHICH),
}
_UNSUBSCRIBED = re.compile(r"unsub|opted?[\s_-]?out|do not (?:e-?)?mail")
_NO_DATE = {"", "-", "n/a", "na", "none", "null"}


@dataclass(frozen=True, slots=True)
class ConstantContact:
    """Exports of the product's screens: contacts (old and new form) and campaign reports.

    Layouts and values were collected from exports that projects published; none is documented. The status of
    one address stands for all of a row: an older export has a status for each of home, work and other.
    """

    columns: Mapping[str, tuple[int, ...]]
    names: tuple[str, ...]
    profile: str = "constant-contact"
    source: str = "constant-contact-export"
    identity: str = ""
    nothing: str = NO_ADDRESS
    warnings: tuple[str, ...] = (
        "an export of Constant Contact's screens cannot hold deleted contacts, because the screens hide "
        "them; their opt-outs come with: suppress sync --full",
    )

    @classmethod
    def fits(cls, names: Sequence[str]) -> bool:
        """Whether a header is one of these: an address, and something that says who opted out."""
        found = _headings(names)
        return bool(found["address"]) and bool(found["status"] or found["date"])

    @classmethod
    def of(cls, contacts: ContactFile) -> ConstantContact:
        """The layout of this file. Raises `BadFile` if it lacks what decides."""
        names = contacts.columns.names
        if not cls.fits(names):
            raise BadFile(
                f"{contacts.name} is no export of Constant Contact: it needs the columns “Email address” and "
                f"“Email status” or “Confirmed Opt-Out Date”; there is {listed(names, contacts.width)}",
                remedy="if every row is an opt-out: --map email=COLUMN,date=COLUMN",
            )
        return cls(_headings(names), names)

    def claim(self, row: Sequence[str]) -> Claim:
        """An opt-out by status or by date; otherwise a contact who may be mailed, which says nothing."""
        date = next((text for text in self._texts("date", row) if text.casefold() not in _NO_DATE), "")
        source, reason = " ".join(self._texts("source", row)), " ".join(self._texts("reason", row))
        statuses = self._texts("status", row)
        return Claim(
            cells=tuple(_cell(row, index) for index in self.columns["address"]),
            opted_out=bool(date) or any(_UNSUBSCRIBED.match(text.casefold()) for text in statuses),
            # What the person typed as a reason is their words, not a kind of opt-out.
            reason=reason_in(source) if source else Reason.UNKNOWN,
            date=date,
            # The platform is a system of ours: it had the request when the person made it.
            received=date,
            texts=(source, reason),
        )

    def addresses(self, cells: Sequence[str]) -> list[Address]:
        """All addresses of a row."""
        return addresses_of(cells)

    def evidence(self, row: Sequence[str]) -> Mapping[str, str]:
        """The cells that decide, not the person's name and street."""
        return _named(self.names, [index for columns in self.columns.values() for index in columns], row)

    def _texts(self, kind: str, row: Sequence[str]) -> list[str]:
        return [text for index in self.columns[kind] if (text := _cell(row, index).strip())]


def _headings(names: Sequence[str]) -> dict[str, tuple[int, ...]]:
    plain = [folded(name) for name in names]
    return {
        kind: tuple(index for index, name in enumerate(plain) if heading.fullmatch(name))
        for kind, heading in _HEADINGS.items()
    }


def _cell(row: Sequence[str], index: int) -> str:
    return row[index] if index < len(row) else ""


def _named(names: Sequence[str], indexes: Sequence[int], row: Sequence[str]) -> dict[str, str]:
    return {
        names[index].strip() if index < len(names) else f"column {index + 1}": row[index]
        for index in sorted(set(indexes))
        if index < len(row) and row[index].strip()
    }


def addresses_of(cells: Sequence[str]) -> list[Address]:
    """All addresses of a row, without doubles; two spellings of one are no doubles."""
    found: dict[tuple[str, str], Address] = {}
    for cell in cells:
        if len(cell) <= _CELL_UP_TO:
            for each in _in_cell(cell):
                found.setdefault((each.key, comparable(bare(each.raw, each.key))), each)
    return list(found.values())


def _in_cell(cell: str) -> tuple[Address, ...]:
    several = addresses_in(cell)
    # Of `a@x.com; b@y.com` the cell read as one address is a name that nobody has.
    return several[1:] if len(several) > 2 and several[0].key.startswith('"') else several

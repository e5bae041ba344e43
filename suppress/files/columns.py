"""Which columns of a contact file hold addresses: by their names, else by what stands in them.

Rules kept here:

* Every column that an import would take for an address counts: `Email`, `E-mail 1 - Value`, `Email address -
  home`. Columns *about* e-mail (`Email status`, `Email opt-in date`) and about other people (`Owner email`)
  do not; if one of those holds addresses, that is said.
* A first row that holds an address, or the digest of one, is no header.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from suppress.core.hashed import Digest
from suppress.errors import BadUsage

_CERTAIN = {
    *("email", "emails", "mail", "emailaddress", "emailaddresses", "mailaddress", "emailid", "eaddress"),
    *("proxyaddresses", "principalname"),  # of Exchange and Active Directory
    *("emailaddr", "useremail", "contactemail", "customeremail", "subscriberemail", "memberemail"),
    *("emailadresse", "mailadresse", "courriel", "correo", "correoelectronico", "adresseemail"),
    *("adressemail", "emailadres", "epost", "epostadress", "sahkoposti", "indirizzoemail", "pochta"),
}
_PLACES = {
    *("home", "work", "other", "primary", "secondary", "business", "personal", "private", "alternate"),
    *("alternative", "alt", "main", "value", "contact", "customer", "user", "subscriber", "member", "your"),
    *("office", "company", "second", "third", "additional"),
}
_MAIL = {"email", "emails", "mail", "mails"}
_ADDRESS = re.compile(r"(?<![^\s@])[^\s@]++@[^\s@]")
"""Each run of characters is looked at from its start only: a cell may hold megabytes without a space."""

_SEEN = 12
"""Column names listed in an error; a wide export has a hundred."""


@dataclass(frozen=True, slots=True)
class Columns:
    """What was decided about a file's columns, counted from 0."""

    names: tuple[str, ...]
    """Names from the header; empty when there is none."""
    addresses: tuple[int, ...]
    how: str
    """`by name`, `by content` or `as asked`."""
    overlooked: tuple[int, ...] = ()
    """Columns that hold addresses and were not taken."""

    def label(self, index: int) -> str:
        """How a column is called in messages: its name, else its number from 1."""
        name = self.names[index].strip() if index < len(self.names) else ""
        return f"“{name}”" if name else f"number {index + 1}"


def is_header(row: Sequence[str]) -> bool:
    """Whether a first row names columns, that is, holds no address itself, nor the digest of one."""
    return not any(_ADDRESS.search(cell) or Digest.parse(cell) is not None for cell in row)


def folded(name: str) -> str:
    """A column name as names are compared: without case, accents, marks and spaces at its ends."""
    text = unicodedata.normalize("NFKD", name.replace("\ufeff", "")).casefold()
    return " ".join("".join(each for each in text if not unicodedata.combining(each)).split())


def chosen(wanted: Sequence[str], names: Sequence[str], width: int) -> tuple[int, ...]:
    """The columns that the user named, each by its heading or by its number from 1.

    Raises:
        BadUsage: There is no such column.
    """
    found: list[int] = []
    known = [folded(name) for name in names]
    for each in wanted:
        same = [index for index, name in enumerate(known) if name == folded(each)]
        if not same and each.strip().isdecimal() and 1 <= int(each) <= width:
            same = [int(each) - 1]
        if not same:
            raise BadUsage(f"there is no column {each!r}", remedy=f"the file has {listed(names, width)}")
        found += [index for index in same if index not in found]
    return tuple(found)


def decided(names: Sequence[str], sample: Sequence[Sequence[str]]) -> Columns | None:
    """The address columns by name, else by the rows in `sample`; None when nothing looks like an address."""
    width = max([len(names), *map(len, sample)], default=0)
    shares = [_share(sample, index) for index in range(width)]
    holding = tuple(index for index, share in enumerate(shares) if share is not None and share >= 0.5)
    named = tuple(index for index, name in enumerate(names) if _certain(name) or _likely(name))
    if any(shares[index] != 0 for index in named):
        rest = tuple(index for index in holding if index not in named)
        return Columns(tuple(names), named, "by name", rest)
    if not holding:
        best = max((share for share in shares if share), default=None)
        holding = tuple(index for index, share in enumerate(shares) if best is not None and share == best)
    if holding:
        # A column called "Email" that holds yes and no is about e-mail. It may still hold an address further
        # down, and looking there costs nothing.
        return Columns(tuple(names), tuple(sorted({*named, *holding})), "by content")
    certain = tuple(index for index in named if _certain(names[index]))
    return Columns(tuple(names), certain, "by name") if certain else None


def means_address(name: str) -> bool:
    """Whether a name may be that of an address, for names of which no row was seen."""
    return _certain(name) or _likely(name)


def listed(names: Sequence[str], width: int) -> str:
    """The columns that were seen, for a message. Rows are never quoted: they are about people."""
    if not names:
        return f"{width} column{'s' * (width != 1)} without names"
    shown = ", ".join(f"“{name.strip()}”" for name in names[:_SEEN])
    more = f" and {len(names) - _SEEN} more" if len(names) > _SEEN else ""
    return f"the column{'s' * (len(names) != 1)} {shown}{more}"


def _words(name: str) -> list[str]:
    text = re.sub(r"\be[\s_-]+(?=(mail|post))", "e", folded(re.sub(r"([a-z])([A-Z])", r"\1 \2", name)))
    return re.findall(r"[^\W_\d]+", text.replace("e mail", "email"))


def _certain(name: str) -> bool:
    words = [word for word in _words(name) if word not in _PLACES]
    return "".join(words) in _CERTAIN


def _likely(name: str) -> bool:
    """Whether a name may mean an address; then a look at the rows decides."""
    words = set(_words(name))
    return bool(words & _MAIL) and not words & _ABOUT


_ABOUT = {
    *("status", "permission", "source", "list", "lists", "type", "label", "opt", "optin", "optout", "date"),
    *("sent", "count", "opened", "clicked", "bounced", "subject", "template", "verified", "format", "owner"),
    *("preference", "preferences", "domain", "manager", "sender", "from", "assigned", "creator", "created"),
    *("modified", "updated", "by", "valid", "consent", "subscribed", "unsubscribed", "reason", "hash"),
}
"""Words that make a column one about e-mail, or about somebody else's."""


def _share(sample: Sequence[Sequence[str]], index: int) -> float | None:
    """Which part of a column's filled cells hold an address; None when no cell is filled."""
    filled = [row[index] for row in sample if index < len(row) and row[index].strip()]
    if not filled:
        return None
    return sum(_ADDRESS.search(cell) is not None for cell in filled) / len(filled)

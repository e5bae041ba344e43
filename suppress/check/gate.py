"""Decisions: may this address be imported, may this row?

`Gate` is the readable engine: rows in, decisions out. Whatever replaces it for speed keeps its answers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple, Protocol

from suppress.core.address import Address, key_at_once
from suppress.core.mailing import ANY_MAIL, Mailing
from suppress.core.possible import alone, possible_in
from suppress.core.roles import is_role
from suppress.core.verdict import CLEAR, Ruling, Verdict
from suppress.errors import BadUsage

if TYPE_CHECKING:
    # For their types only: none is needed to check an address.
    from suppress.files.contacts import ContactFile
    from suppress.files.records import Record


class Answers(Protocol):
    """Who may say whether people may be mailed: an open ledger (`Lookup`), or a copy for elsewhere."""

    def verdicts(self, addresses: Sequence[Address], mailing: Mailing = ANY_MAIL) -> list[Verdict]:
        """The verdict for each address, in the same order."""
        ...


class Alias(StrEnum):
    """What happens to a row whose address only reaches the same mailbox as a suppressed one."""

    BLOCK = "block"
    REVIEW = "review"
    IGNORE = "ignore"


def terms_of(mailing: Mailing, alias: Alias) -> Mapping[str, str]:
    """What was asked of a check, as its entry keeps it: only what is not usual."""
    return mailing.terms | ({} if alias is Alias.REVIEW else {"alias": alias.value})


def ruled(verdict: Verdict, alias: Alias) -> Ruling:
    """The answer after the user's choice about aliases."""
    if verdict.ruling is not Ruling.REVIEW or alias is Alias.REVIEW:
        return verdict.ruling
    return Ruling.SUPPRESSED if alias is Alias.BLOCK else Ruling.CLEAR


# --- Addresses -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer for one address as it was asked."""

    address: str
    ruling: Ruling
    verdict: Verdict
    role: bool = False
    """Whether it is the address of an office: a tag, and no reason to withhold it."""


def check_addresses(
    lookup: Answers, asked: Sequence[str], *, alias: Alias = Alias.REVIEW, mailing: Mailing = ANY_MAIL
) -> list[Answer]:
    """One answer for each, in order. What was asked may hold a name or several addresses: the worst counts.

    Raises:
        BadUsage: Nothing in one of them can be compared.
    """
    answers = []
    for each in asked:
        found = possible_in(each)
        if not found:
            raise BadUsage(f"{each!r} holds no address", remedy="suppress check ADDRESS")
        ruling, verdict = _worst(lookup.verdicts(found, mailing), alias)
        answers.append(Answer(each, ruling, verdict, any(is_role(one.key) for one in found)))
    return answers


_GRAVITY = {Ruling.SUPPRESSED: 2, Ruling.REVIEW: 1, Ruling.CLEAR: 0}


def _worst(verdicts: Iterable[Verdict], alias: Alias) -> tuple[Ruling, Verdict]:
    """The gravest answer. One that a waiver let through says more than one that is clear."""
    ruling, worst = Ruling.CLEAR, CLEAR
    for verdict in verdicts:
        found = ruled(verdict, alias)
        if _GRAVITY[found] > _GRAVITY[ruling] or (worst is CLEAR and verdict.waiver is not None):
            ruling, worst = found, verdict
    return ruling, worst


# --- Rows ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of one row, and why."""

    ruling: Ruling
    verdict: Verdict = CLEAR
    address: str | None = None
    doubt: str | None = None
    """Why the row could not be read with certainty, in words."""
    valid: bool = True
    """Whether one of its addresses is one that mail systems accept."""
    role: bool = False
    """Whether one of its addresses is of an office. Told of rows that are not plainly kept."""


KEEP = Decision(Ruling.CLEAR)
KEEP_INVALID = Decision(Ruling.CLEAR, valid=False)

_SOUND = re.compile(r"[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
"""Match keys without flaws: nearly all there are. The others are asked for theirs, which takes longer."""
_SOUND_UP_TO = 64

_BETWEEN = re.compile(r"""[\s,;|<>"'()]+""")
_AROUND = 320
"""Characters on each side of an at sign that can belong to an address (RFC 5321, 4.5.3.1)."""
_STRAYS_UP_TO = 1_000
"""Places of a row that are looked at where its shape is in doubt; one with more cannot be kept."""
CELL_UP_TO = 2_000
"""Characters of a cell that is read in every spelling; in a longer one, plain addresses are found."""


class _Seen(NamedTuple):
    """The addresses of one row."""

    own: tuple[Address, ...]
    """From the address columns."""
    stray: tuple[Address, ...]
    """From all cells, where the row's shape leaves in doubt which one is meant."""
    doubt: str | None
    """Why the row could not be read with certainty."""
    unclear: bool
    """Whether, besides, none of its own addresses can be relied on."""


class Gate:
    """The readable engine: decides about rows, a batch at a time."""

    def __init__(
        self, contacts: ContactFile, lookup: Answers, alias: Alias, mailing: Mailing = ANY_MAIL
    ) -> None:
        self._contacts = contacts
        self._lookup = lookup
        self._alias = alias
        self._mailing = mailing

    def decide(self, rows: Sequence[Record]) -> list[Decision]:
        """One decision a row, in order."""
        seen = [self._seen(row) for row in rows]
        asked: list[Address] = []
        for each in seen:
            asked += each.own
            asked += each.stray
        verdicts = self._lookup.verdicts(asked, self._mailing)
        decisions, start = [], 0
        for each in seen:
            middle = start + len(each.own)
            end = middle + len(each.stray)
            decisions.append(self._decided(each, verdicts[start:middle], verdicts[middle:end]))
            start = end
        return decisions

    def decide_cells(self, rows: Sequence[Sequence[str]]) -> list[Decision | None]:
        """The same for regular rows, of which only the address cells are told; None where that is not enough.

        It is enough where each cell is nothing but an address, however it is read.
        """
        seen = [self._only_addresses(cells) for cells in rows]
        asked = [address for own in seen for address in own or ()]
        verdicts = iter(self._lookup.verdicts(asked, self._mailing))
        return [
            None
            if own is None
            else self._decided(_Seen(own, (), None, unclear=False), list(islice(verdicts, len(own))), ())
            for own in seen
        ]

    def _only_addresses(self, cells: Sequence[str]) -> tuple[Address, ...] | None:
        found = [self._only(cell) for cell in cells if cell and not cell.isspace()]
        own = tuple(each for each in found if each is not None)
        return own if len(own) == len(found) else None

    def _only(self, cell: str) -> Address | None:
        """The address that is all there is in a cell, however it is read; None if it takes a closer look."""
        key = key_at_once(cell) if len(cell) <= CELL_UP_TO and alone(cell) else None
        if key is None or self._contacts.readings(cell):
            return None
        return Address(cell, key)

    def _seen(self, row: Record) -> _Seen:
        doubt = self._contacts.misshapen(row)
        own: tuple[Address, ...] = ()
        for cell in self._contacts.addresses(row):
            if len(cell) > CELL_UP_TO:
                cell = cell.strip()  # noqa: PLW2901 - spaces around an address are no part of it
            if len(cell) > CELL_UP_TO:
                doubt = doubt or f"the address cell holds {len(cell)} characters"
            else:
                own += possible_in(cell)
        if doubt is None:
            return _Seen(own, (), None, unclear=False)
        known = {each.key for each in own}
        places = list(islice(_places(self._contacts.texts(row)), _STRAYS_UP_TO + 1))
        stray = {each.key: each for text in places for each in possible_in(text)}
        unclear = "\0" in row.text or not any("@" in key for key in known) or len(places) > _STRAYS_UP_TO
        # The sign for a character that could not be read: this may be anybody's address.
        unclear = unclear or any("\ufffd" in cell for cell in self._contacts.addresses(row))
        return _Seen(own, tuple(each for key, each in stray.items() if key not in known), doubt, unclear)

    def _decided(self, seen: _Seen, own: Sequence[Verdict], stray: Sequence[Verdict]) -> Decision:
        waived: Verdict | None = None
        for found in own:
            if found is not CLEAR:
                ruling, verdict = _worst(own, self._alias)
                if ruling is not Ruling.CLEAR:
                    whose = _whose(seen.own, own, verdict)
                    return Decision(ruling, verdict, whose.raw.strip(), role=is_role(whose.key))
                waived = verdict if verdict.waiver is not None else None
                break
        ruling, verdict = _worst(stray, self._alias) if stray else (Ruling.CLEAR, CLEAR)
        if ruling is not Ruling.CLEAR:
            whose = _whose(seen.stray, stray, verdict)
            role = is_role(whose.key)
            return Decision(Ruling.REVIEW, verdict, whose.raw.strip(), seen.doubt, role=role)
        if seen.unclear:
            return Decision(Ruling.REVIEW, doubt=seen.doubt)
        valid = any(_is_sound(each) for each in seen.own)
        if waived is not None:
            whose = _whose(seen.own, own, waived)
            return Decision(Ruling.CLEAR, waived, whose.raw.strip(), valid=valid, role=is_role(whose.key))
        return KEEP if valid else KEEP_INVALID


def _places(texts: Iterable[str]) -> Iterator[str]:
    """Where addresses may stand in texts: what is between spaces and quotes, or around an at sign."""
    for text in texts:
        for piece in _BETWEEN.split(text):
            if "@" in piece and len(piece) <= CELL_UP_TO:
                yield piece
            elif "@" in piece:
                yield from (
                    piece[max(0, at.start() - _AROUND) : at.end() + _AROUND] for at in _AT.finditer(piece)
                )


_AT = re.compile("@")


def _whose(addresses: Sequence[Address], verdicts: Sequence[Verdict], verdict: Verdict) -> Address:
    return next(address for address, found in zip(addresses, verdicts, strict=True) if found is verdict)


def _is_sound(address: Address) -> bool:
    key = address.key
    if not key.isascii():
        return False  # its domain is ASCII, so it is what stands before the `@`
    if _SOUND.fullmatch(key) and len(key) <= _SOUND_UP_TO and address.raw.strip().lower() == key:
        return True
    return address.sound

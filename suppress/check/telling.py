"""Telling: rows of people whom a card names, with what is known of them behind, as bytes of the result.

All that is written behind a row, but the day, is the same for everybody who opted out by one rule. It is made
once for each rule, by the functions that write every other row; a compiled loop puts the rows of a block, the
days and these together.

Tricks, by name:

* *Never decoded*: what is written behind a row is encoded as the file is, and the row's bytes are copied.
* *Counted by numbers*: of a rule, an age and whether it is an office one small number is made, and what is
  to be counted is worked out once for each of these.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import NamedTuple

import numpy as np

from suppress.check.annotation import COLUMNS, annotation
from suppress.check.cards import UNDATED, stamped
from suppress.check.compiled import compiled, inlined
from suppress.check.fast import ToldRows
from suppress.check.gate import Decision
from suppress.check.hashing import PAD, Bytes, Hashes, Numbers, words
from suppress.check.recognition import Recognition, Told
from suppress.check.tally import AGES
from suppress.core.mailing import Mailing
from suppress.files.records import Record
from suppress.files.text import TextFile

_SOME_DAY = stamped(datetime(1, 2, 3, 4, 5, 6, 789, UTC))
"""A day that nothing else looks like."""
_SINCE = COLUMNS.index("suppress_since")
_LONGEST_DAY = len("2026-11-24T12:34:56.789012")
_AGES = len(AGES) + 2
"""As many as there are with those that are older, and without a day."""
_MILLION = 1_000_000
_MARCH = 365 + (date(1970, 1, 1) - date(1, 3, 1)).days
"""Days from the first of March in the year 0 to 1970."""
_DASH, _ZERO, _T, _COLON, _DOT, _FEED, _RETURN = b"-0T:.\n\r"


class Written(NamedTuple):
    """Rows as they are written, one behind another."""

    text: bytes
    ends: Numbers
    """Where in the text each of them ends."""
    spans: Numbers
    """Where in the block each of them starts and stops."""


NOTHING = Written(b"", np.empty(0, np.int64), np.empty((0, 2), np.int64))


class Saying:
    """What is needed to say, and to count, what becomes of people who are told by their cards."""

    def __init__(self, recognition: Recognition, mailing: Mailing, now: datetime) -> None:
        self._recognition = recognition
        self._mailing = mailing
        self._ages = np.array(sorted(stamped(now - longest) for _, longest in AGES), np.int64)
        self._kinds: dict[int, Decision] = {}
        self._cells: dict[int, tuple[str, ...]] = {}

    def counted(self, told: Told) -> Iterator[tuple[Decision, int]]:
        """What becomes of their rows, and of how many the same is to be counted."""
        ages = np.searchsorted(self._ages, told.since, side="right") + 1
        ages[told.since == UNDATED] = 0
        kinds = (told.rules * _AGES + ages) * 2 + told.roles
        numbers = np.bincount(kinds)
        for kind in np.flatnonzero(numbers).tolist():
            if kind not in self._kinds:
                self._kinds[kind] = self.decision(told, int(np.flatnonzero(kinds == kind)[0]), None)
            yield self._kinds[kind], int(numbers[kind])

    def decision(self, told: Told, place: int, address: str | None) -> Decision:
        """What becomes of the row of one of them."""
        rule, since, seq = (int(each[place]) for each in (told.rules, told.since, told.seqs))
        verdict = self._recognition.verdict(rule, since, seq, self._mailing)
        return Decision(verdict.ruling, verdict, address, role=bool(told.roles[place]))

    def cells(self, told: Told) -> list[tuple[str, ...]]:
        """The annotation of each of their rows."""
        days = np.datetime_as_string(told.since.astype("M8[us]")).tolist()
        dated = (told.since != UNDATED).tolist()
        found = []
        for rule, day, known in zip(told.rules.tolist(), days, dated, strict=True):
            cells = self._cells.get(rule) or self._cells.setdefault(rule, self._undated(rule))
            when = f"{day.removesuffix('.000000')}Z" if known else ""
            found.append((*cells[:_SINCE], when, *cells[_SINCE + 1 :]))
        return found

    def _undated(self, rule: int) -> tuple[str, ...]:
        verdict = self._recognition.verdict(rule, UNDATED, 0, self._mailing)
        return annotation(Decision(verdict.ruling, verdict), 0)


class Telling(Saying):
    """The same, and what is needed to write their rows of a file of text."""

    def __init__(self, contacts: TextFile, recognition: Recognition, mailing: Mailing, now: datetime) -> None:
        super().__init__(recognition, mailing, now)
        self._contacts = contacts
        # All that is written behind rows, and where in it that of each rule starts, has its day, and ends. Of
        # each rule twice: for those without a day, and for the others.
        self._tails = b""
        self._places = np.full((2 * len(recognition.rules), 3), -1, np.int64)

    def written(self, rows: ToldRows) -> Written:
        """The rows as they stand in the block, and behind each what is said of its person."""
        spans, told = rows.spans, rows.told
        tails = 2 * told.rules + (told.since != UNDATED)
        for new in set(tails[self._places[tails, 0] < 0].tolist()):
            self._add_tail(new)
        places = self._places[tails]
        fixed = int((spans[:, 1] - spans[:, 0] + places[:, 2] - places[:, 0]).sum())
        room = bytearray(fixed + _LONGEST_DAY * len(spans) + len(PAD))
        ends = np.empty(len(spans), np.int64)
        text, view = rows.cells.text, rows.cells.words
        size = write(text, view, spans, words(self._tails + PAD), places, told.since, words(room), ends)
        return Written(bytes(room[:size]), ends, spans)

    def _add_tail(self, number: int) -> None:
        """What is written behind the row of everybody who opted out by one rule, with or without a day."""
        rule, dated = divmod(number, 2)
        verdict = self._recognition.verdict(rule, _SOME_DAY if dated else UNDATED, 0, self._mailing)
        cells = annotation(Decision(verdict.ruling, verdict), 0)
        row = Record(0, "\n", [""] * self._contacts.width)
        whole = self._contacts.extended(row, cells).removesuffix("\n")
        day = cells[_SINCE].removesuffix("Z")
        before, _, behind = whole.partition(day) if dated else (whole, "", "")
        start, middle = len(self._tails), self._contacts.encoded(before)
        self._tails += middle + self._contacts.encoded(behind)
        self._places[number] = start, start + len(middle), len(self._tails)


@compiled
def write(
    text: Bytes,
    view: Hashes,
    spans: Numbers,
    tails: Hashes,
    places: Numbers,
    since: Numbers,
    room: Hashes,
    ends: Numbers,
) -> int:
    """Put the rows into `room` and where each one ends into `ends`; how long all of them are."""
    at = 0
    for row in range(len(spans)):
        start, stop = spans[row, 0], spans[row, 1]
        end = stop
        while end > start and (text[end - 1] == _FEED or text[end - 1] == _RETURN):
            end -= 1
        at = _copy(view, start, end, room, at)
        at = _copy(tails, places[row, 0], places[row, 1], room, at)
        if since[row] != UNDATED:
            at = _moment(since[row], room, at)
        at = _copy(tails, places[row, 1], places[row, 2], room, at)
        at = _copy(view, end, stop, room, at)
        ends[row] = at
    return at


@inlined
def _copy(source: Hashes, start: int, stop: int, room: Hashes, at: int) -> int:
    """Copy bytes by words. The last one may reach beyond them, where the next bytes will be."""
    for place in range(0, stop - start, 8):
        room[at + place] = source[start + place]
    return at + stop - start


@inlined
def _moment(since: int, room: Hashes, at: int) -> int:
    """A moment as `datetime.isoformat` writes it, but for the offset from UTC."""
    seconds, fraction = since // _MILLION, since % _MILLION
    year, month, day = _date(seconds // 86_400)
    at = _number(year, 4, _DASH, room, at)
    at = _number(month, 2, _DASH, room, at)
    at = _number(day, 2, _T, room, at)
    at = _number(seconds // 3_600 % 24, 2, _COLON, room, at)
    at = _number(seconds // 60 % 60, 2, _COLON, room, at)
    at = _number(seconds % 60, 2, _DOT, room, at)
    if fraction:
        at = _number(fraction, 6, _DOT, room, at)
    return at - 1  # nothing stands behind the last number


@inlined
def _number(number: int, digits: int, behind: int, room: Hashes, at: int) -> int:
    """A number in so many digits, and what stands behind it: as one word, the first digit lowest."""
    word = behind
    for _ in range(digits):
        word = word << 8 | _ZERO + number % 10
        number //= 10
    room[at] = np.uint64(word)
    return at + digits + 1


@inlined
def _date(day: int) -> tuple[int, int, int]:
    """Year, month and day of so many days since 1970, in the calendar of `datetime`.

    Years are taken to begin in March, so that a leap day is the last of its year; 400 years are 146,097 days,
    and five months from March on, as from August on, are 153 days.
    """
    day += _MARCH
    era, day = day // 146_097, day % 146_097
    year = (day - day // 1_460 + day // 36_524 - day // 146_096) // 365
    day -= 365 * year + year // 4 - year // 100
    month = (5 * day + 2) // 153
    day -= (153 * month + 2) // 5
    year += 400 * era + (month > 9)
    return year, (month + 2) % 12 + 1, day + 1

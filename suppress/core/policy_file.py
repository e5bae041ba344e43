"""Policies of the user's own, in a TOML file that reads like the shipped table.

    [[policy]]
    id = "acme.two-days"
    version = 1
    title = "What we promise on our website"
    regime = "Acme privacy notice of 2026-01-01, section 4"
    trigger = "received"
    n = 2
    unit = "business_days"
    strict = { weekend = ["sunday"] }
    lenient = { weekend = ["saturday", "sunday"], holidays = "US" }
    source = "https://acme.example/privacy"
    verified_on = 2026-01-01

Rules kept here:

* Whatever is wrong is refused with the line on which it stands: a rule of law that was half understood would
  be worse than none.
* A file cannot change a shipped policy: its ids must be others.
* Strict days leave out nothing that lenient days count, so that the alarm comes before the breach.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from itertools import pairwise
from typing import Any

from suppress.core import calendars
from suppress.core.policy import WEEK, DayZero, Policy, Trigger, Unit, by_id, policies, policy_of
from suppress.core.toml_lines import Lines, lines

_ID = re.compile(r"[a-z0-9]+([.-][a-z0-9]+)*")
LONGEST = 3_650
"""Days. A longer time than ten years is a slip of the keyboard."""


class PolicyWrong(ValueError):
    """What is wrong in a policy file, and on which line (None where it is about the whole file)."""

    def __init__(self, says: str, line: int | None) -> None:
        super().__init__(says)
        self.says = says
        self.line = line


def read(text: str) -> dict[str, tuple[Policy, ...]]:
    """The policies of a file by id, oldest version first.

    Raises:
        PolicyWrong: It is not TOML, or holds something that no policy can be.
    """
    try:
        found = tomllib.loads(text)
    except (ValueError, RecursionError) as wrong:
        place = re.search(r"\(at line (\d+)", str(wrong))
        raise PolicyWrong(f"is not TOML: {wrong}", int(place[1]) if place else None) from wrong
    where = lines(text)
    for key in found:
        if key not in ("policy", "version"):
            raise PolicyWrong(f"unknown key {key!r}; policies are tables [[policy]]", where.get((key,)))
    rows = found.get("policy", [])
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise PolicyWrong("holds no policy; each begins with [[policy]]", where.get(("policy",)))
    made = [_Row(number, row, where).policy() for number, row in enumerate(rows)]
    _refuse_overlap(made, where)
    return by_id(made)


def _refuse_overlap(made: Sequence[Policy], where: Lines) -> None:
    numbers = {id(each): number for number, each in enumerate(made)}
    ids = sorted({each.id for each in made})
    for id_ in ids:
        versions = sorted((each for each in made if each.id == id_), key=lambda each: each.version)
        for older, newer in pairwise(versions):
            line = where.get(("policy", numbers[id(newer)]))
            if older.version == newer.version:
                raise PolicyWrong(f"{id_} has version {newer.version} twice", line)
            ends, begins = older.effective_to, newer.effective_from
            if ends is None or begins is None or ends >= begins:
                raise PolicyWrong(
                    f"{id_}: version {newer.version} must begin (effective_from) after version "
                    f"{older.version} ends (effective_to)",
                    line,
                )


class _Row:
    """One [[policy]], checked key by key."""

    def __init__(self, number: int, row: Mapping[str, Any], where: Lines) -> None:
        self._number = number
        self._row = row
        self._where = where

    def policy(self) -> Policy:
        for key in self._row:
            if key not in _KINDS:
                close = difflib.get_close_matches(key, _KINDS, n=1)
                hint = f"; did you mean {close[0]!r}?" if close else ""
                raise self._wrong(f"unknown key {key!r}{hint}", key)
        for key in _REQUIRED:
            if key not in self._row:
                raise self._wrong(f"the policy lacks {key!r}")
        for key, value in self._row.items():
            if (problem := _KINDS[key](value)) is not None:
                raise self._wrong(f"{key} {problem}", key)
        self._refuse_contradictions()
        return policy_of({"version": 1, **self._row})

    def _refuse_contradictions(self) -> None:
        row = self._row
        if row["id"] in policies():
            raise self._wrong(f"{row['id']!r} is a shipped policy; give yours another id", "id")
        if row["unit"] == Unit.CALENDAR_DAYS:
            for key in ("strict", "lenient"):
                if key in row:
                    raise self._wrong(f"{key} has no meaning with calendar_days: every day counts", key)
        strict, lenient = row.get("strict", {}), row.get("lenient", {})
        if not set(strict.get("weekend", ())) <= set(lenient.get("weekend", ())):
            raise self._wrong("strict leaves out a day of the week that lenient counts", "strict")
        if strict.get("holidays") not in (None, lenient.get("holidays")):
            raise self._wrong("strict leaves out holidays that lenient counts", "strict")
        begins, ends = row.get("effective_from"), row.get("effective_to")
        if begins is not None and ends is not None and begins > ends:
            raise self._wrong("effective_to is before effective_from", "effective_to")

    def _wrong(self, says: str, key: str | None = None) -> PolicyWrong:
        line = self._where.get(("policy", self._number))
        if key is not None:
            line = self._where.get(("policy", self._number, key), line)
        return PolicyWrong(says, line)


Kind = Callable[[object], "str | None"]
"""What is wrong with a value, or None."""


def _text(value: object) -> str | None:
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        return "must be text, and say something"
    return None


def _id(value: object) -> str | None:
    if not isinstance(value, str) or not _ID.fullmatch(value):
        return "must be small letters and digits, joined by '.' or '-', such as acme.two-days"
    return None


def _number(least: int, most: int) -> Kind:
    def kind(value: object) -> str | None:
        if type(value) is not int or not least <= value <= most:
            return f"must be a whole number from {least} to {most:,}"
        return None

    return kind


def _day(value: object) -> str | None:
    if not isinstance(value, date) or isinstance(value, datetime):
        return "must be a day, such as 2026-11-23 (without quotes)"
    return None


def _one_of(choices: Iterable[str]) -> Kind:
    names = tuple(choices)

    def kind(value: object) -> str | None:
        return None if value in names else f"must be one of {', '.join(names)}"

    return kind


def _days(value: object) -> str | None:
    if not isinstance(value, dict) or not {"weekend"} <= value.keys() <= {"weekend", "holidays"}:
        return 'must be like { weekend = ["saturday", "sunday"], holidays = "US" }'
    weekend, region = value["weekend"], value.get("holidays")
    if not isinstance(weekend, list) or not all(each in WEEK for each in weekend):
        return f"has a weekend of other words than {', '.join(WEEK)}"
    if len(set(weekend)) == len(WEEK):
        return "leaves no day of the week that counts"
    if region is not None and (not isinstance(region, str) or not calendars.known(region)):
        return f"names {region!r}, a region whose public holidays are not known here; write an ISO 3166 code"
    return None


_REQUIRED = ("id", "title", "regime", "trigger", "n", "unit", "source", "verified_on")
_KINDS: Mapping[str, Kind] = {
    "id": _id,
    "version": _number(1, 1_000_000),
    "title": _text,
    "regime": _text,
    "trigger": _one_of(Trigger),
    "n": _number(0, LONGEST),
    "unit": _one_of(Unit),
    "day_zero": _one_of(DayZero),
    "strict": _days,
    "lenient": _days,
    "applies_to": _text,
    "mechanism_days": _number(1, LONGEST),
    "record_retention": _text,
    "ask_again_after": _text,
    "transfer_rule": _text,
    "effective_from": _day,
    "effective_to": _day,
    "source": _text,
    "verified_on": _day,
}

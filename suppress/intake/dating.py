"""The dates of one file: whether 3/4/2024 is in March or in April is decided by all of them, or asked.

Rules kept here:

* The whole column is looked at first. One date such as 25/12/2024 says that days come first, one such as
  12/25/2024 that months do, and the file is read so. What was decided is said.
* Where nothing decides, the order that the profile's system documents is taken, and said; without one the
  file is refused until the user says the order. Where both orders occur, the dates that allow both have none.
* Numbers are what spreadsheets and databases write for a date: days since 1899-12-30 (five digits), seconds
  (ten) or milliseconds (thirteen) since 1970.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from suppress.errors import BadUsage
from suppress.files.dates import EARLIEST_YEAR, day_and_month, read_moment

_NUMBER = re.compile(r"(\d{5}|\d{10}|\d{13})(\.\d+)?")
_DAY_ZERO = datetime(1899, 12, 30, tzinfo=UTC)
"""Excel counts 1900 as a leap year: from March 1900 on its days are right counted from here."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

ORDERS = {"mdy": "the month before the day", "dmy": "the day before the month"}


@dataclass(slots=True)
class Dating:
    """What the dates of a file show, and how they are read."""

    zone: tzinfo
    order: str | None = None
    """`mdy` or `dmy` once it is known."""
    given: bool = False
    """The user said so."""
    first: int = 0
    """Dates that can only have the day first."""
    second: int = 0
    """Dates that can only have the month first."""
    either: int = 0
    example: str = ""
    days: bool = False
    """Excel's day numbers were seen."""
    seconds: bool = False

    def look(self, text: str) -> None:
        """Take a date into account."""
        number = _NUMBER.fullmatch(text.strip())
        if number is not None:
            self.days, self.seconds = self.days or len(number[1]) == 5, self.seconds or len(number[1]) > 5
        pair = day_and_month(text)
        if pair is None or pair[0] == pair[1]:
            return
        one, other = pair
        if one > 12 >= other:
            self.first += 1
        elif other > 12 >= one:
            self.second += 1
        elif one <= 12 and other <= 12:
            self.either += 1
            self.example = self.example or text.strip()

    def decide(self, documented: str | None) -> tuple[str, ...]:
        """Settle the order, and say what was settled.

        Raises:
            BadUsage: Nothing says whether days or months come first.
        """
        said = list(self._numbers())
        if self.given or not (self.first or self.second or self.either):
            return tuple(said)
        if self.first and self.second:
            said.append(
                f"{self.first:,} dates write the day before the month and {self.second:,} the month first; "
                f"{self.either:,} that allow both are recorded without a date (--date-format settles it)"
            )
        elif self.first or self.second:
            self.order = "dmy" if self.first else "mdy"
            said.append(f"dates write {ORDERS[self.order]}, as {self.first or self.second:,} of them show")
        elif documented is not None:
            self.order = documented
            said.append(
                f"dates such as {self.example} are taken to write {ORDERS[documented]}, as this system does"
            )
        else:
            raise BadUsage(
                f"nothing says whether dates such as {self.example} write the month or the day first",
                remedy="say it: --date-format mdy (March 4th is 3/4/2024) or --date-format dmy",
            )
        return tuple(said)

    def read(self, text: str) -> datetime | None:
        """The moment that a date of this file means; None when it cannot be known."""
        number = _NUMBER.fullmatch(text.strip())
        if number is not None:
            return self._from_number(number[0], len(number[1]))
        order = self.order
        pair = day_and_month(text)
        if pair is not None and order is None:
            one, other = pair
            if one <= 12 and other <= 12 and one != other:
                return None
            order = "dmy" if one > 12 else "mdy"
        return read_moment(text, self.zone, day_first=order == "dmy")

    def _from_number(self, text: str, digits: int) -> datetime | None:
        if digits == 5:
            moment = (_DAY_ZERO + timedelta(days=float(text))).replace(tzinfo=self.zone)
        else:
            unit = "seconds" if digits == 10 else "milliseconds"
            moment = _EPOCH + timedelta(**{unit: float(text)})
        return moment.astimezone(UTC) if moment.year >= EARLIEST_YEAR else None

    def _numbers(self) -> list[str]:
        said = []
        if self.days:
            said.append("dates of five digits are taken for the day numbers of a spreadsheet")
        if self.seconds:
            said.append("dates of ten or thirteen digits are taken for seconds or milliseconds since 1970")
        return said

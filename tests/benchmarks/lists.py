"""A contact list and the people who opted out, as large as wanted and the same each time.

    uv run python -m tests.benchmarks.lists FOLDER [--rows N] [--people N]

`list.csv` has seven columns and some 87 bytes a row. A quarter of its addresses are in Title Case, one in
twenty in capitals, one in 25 has a space at an end, one in 125 an accent or a domain with one (half of the
accents decomposed, half of the domains as A-labels), and one row in twenty has cells with commas in quotes.
One row in fifty is somebody who opted out. The shorter list is the start of the longer one.

`people.csv` is everybody who opted out: address, reason, date. `suppress.db` is a ledger of them.
"""

from __future__ import annotations

import argparse
import random
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from suppress.core.address import Address
from suppress.core.suppression import OptOut, Origin, Reason
from suppress.ledger import Ledger

HEADER = "email,first_name,last_name,company,city,country,joined\n"

_FIRST = (
    "anna ben carla david emma felix greta hugo ines jonas kira liam mia noah olga paul rosa sam tina uwe"
)
_LAST = "adams baker clark davis evans fischer garcia huber ivanov jones keller lopez meyer novak olsen patel"
_ACCENTED = ("jörg", "zoé", "andré", "søren", "bjørn", "renée", "müller", "garcía", "françois", "núñez")
_FREE = ("gmail.com",) * 24 + ("yahoo.com",) * 8 + ("hotmail.com",) * 6 + ("outlook.com",) * 4
_CITIES = ("Springfield", "Riverside", "Greenville", "Fairview", "Franklin", "Bristol", "Clinton", "Salem")
_COMPANIES = ("Acme Outdoor", "Northwind", "Globex", "Initech", "Umbrella Foods", "Stark Supply")
_DAY = datetime(2015, 1, 1, tzinfo=UTC)
_REASONS = (Reason.UNSUBSCRIBED, Reason.UNSUBSCRIBED, Reason.UNSUBSCRIBED, Reason.COMPLAINT, Reason.UNKNOWN)


def person(number: int) -> str:
    """The address of somebody: the same number, the same address, and no two alike."""
    mixed = number * 2_654_435_761 % (1 << 32)
    first = _FIRST.split()[mixed % 20]
    last = _LAST.split()[mixed // 20 % 16]
    place = mixed // 320 % 100
    domain = _FREE[place] if place < len(_FREE) else f"mail{mixed // 32_000 % 20_000}.example.com"
    if mixed % 125 == 0:
        first = _ACCENTED[mixed // 125 % len(_ACCENTED)]
    elif mixed % 125 == 1:
        domain = f"bücher{mixed // 125 % 300}.example"
    return f"{first}.{last}{number}@{domain}"


def people(count: int) -> Iterator[tuple[str, Reason, datetime]]:
    """Everybody who opted out: address, reason, when."""
    for number in range(count):
        yield person(number), _REASONS[number % len(_REASONS)], _DAY + timedelta(minutes=number)


def rows(count: int, suppressed: int) -> Iterator[tuple[str, bool]]:
    """The lines of the list, each with whether its person opted out."""
    chance = random.Random(7)
    for number in range(count):
        due = chance.random() < 0.02
        whose = chance.randrange(suppressed) if due else suppressed + number
        address = person(whose)
        first, last = (part.title() for part in address.partition("@")[0].split(".", 1))
        company = _COMPANIES[number % len(_COMPANIES)]
        if number % 20 == 0:
            company = f'"{company}, Inc."'
        yield (
            f"{_spelled(address, chance)},{first},{last},{company},{_CITIES[number % len(_CITIES)]},US,"
            f"20{10 + number % 16}-0{1 + number % 9}-1{number % 10}\n",
            due,
        )


def _spelled(address: str, chance: random.Random) -> str:
    """As somebody typed it."""
    drawn = chance.random()
    if not address.isascii():
        local, _, domain = address.partition("@")
        if drawn < 0.5:
            address = unicodedata.normalize("NFD", local) + "@" + domain.encode("idna").decode()
        drawn = chance.random()
    if drawn < 0.25:
        address = address.title()
    elif drawn < 0.30:
        address = address.upper()
    elif drawn < 0.34:
        address = f" {address}" if drawn < 0.32 else f"{address} "
    return address


def write_list(file: Path, count: int, suppressed: int) -> int:
    """Write the list; how many of its rows are people who opted out."""
    due = 0
    with file.open("w", encoding="utf-8", newline="") as stream:
        stream.write(HEADER)
        for line, of_suppressed in rows(count, suppressed):
            stream.write(line)
            due += of_suppressed
    return due


def write_people(file: Path, count: int) -> None:
    """Write the plain list that other programs read."""
    with file.open("w", encoding="utf-8", newline="") as stream:
        stream.write("email,reason,date\n")
        stream.writelines(f"{address},{reason},{when:%Y-%m-%d}\n" for address, reason, when in people(count))


def write_ledger(folder: Path, count: int, page: int = 20_000) -> str:
    """Make a ledger that suppresses everybody; its URL."""
    url = f"sqlite:///{folder / 'suppress.db'}"
    Ledger.create(url, keys=folder / "suppress.keys")
    told: list[OptOut] = []
    with Ledger.open(url, keys=folder / "suppress.keys") as ledger:
        for address, reason, when in people(count):
            parsed = Address.parse(address)
            told.append(OptOut(parsed, "main", Origin.PLATFORM, reason, occurred_at=when, received_at=when))
            if len(told) == page:
                ledger.append(told, actor="benchmark")
                told = []
        if told:
            ledger.append(told, actor="benchmark")
    return url


def write(folder: Path, count: int, suppressed: int) -> int:
    """Write all three; how many rows are people who opted out."""
    folder.mkdir(parents=True, exist_ok=True)
    due = write_list(folder / "list.csv", count, suppressed)
    write_people(folder / "people.csv", suppressed)
    write_ledger(folder, suppressed)
    return due


def main() -> None:
    """Write all three."""
    asked = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    asked.add_argument("folder", type=Path)
    asked.add_argument("--rows", type=int, default=1_000_000)
    asked.add_argument("--people", type=int, default=500_000)
    said = asked.parse_args()
    due = write(said.folder, said.rows, said.people)
    print(f"{said.rows:,} rows, of which {due:,} are people who opted out")


if __name__ == "__main__":
    main()

"""A report over five years and ten destinations, with and without verifying the ledger first.

uv run python -m tests.benchmarks.report [PEOPLE] [FOLDER]

The ledger is made in FOLDER, and used again when it is there: making one of a million people takes minutes.
Each report is made in a process of its own, so that the memory it says is its own.
"""

from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from suppress.config import DestinationSettings, Settings, SourceSettings
from suppress.core.address import Address
from suppress.core.entry import CheckDone, Honoured, SyncDone
from suppress.core.suppression import Consent, OptOut, Origin, Reason, Visibility
from suppress.ledger import Event, Ledger
from suppress.ledger.appending import Told

FIRST = datetime(2021, 11, 20, 6, tzinfo=UTC)
DAYS = 1826
PLACES = tuple(f"place{number}" for number in range(10))
WAYS = ("gathered", "issued")
"""The facts alone, as `suppress status` wants them; and all of `suppress report`, which verifies first."""


def main() -> None:
    """Make the ledger if need be, and measure both ways."""
    people = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    if len(sys.argv) > 3:
        print(json.dumps(_measured(Path(sys.argv[2]), sys.argv[3])))
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(sys.argv[2] if len(sys.argv) > 2 else scratch)
        if not (folder / "l.db").exists():
            began = time.perf_counter()
            make(folder, people)
            print(f"made in {time.perf_counter() - began:,.0f} s")
        for way in WAYS:
            command = [sys.executable, "-m", "tests.benchmarks.report", str(people), str(folder), way]
            print(way, subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip())


def settings(folder: Path) -> Settings:
    """One account that is read, ten systems that are told."""
    return Settings(
        ledger=f"sqlite:///{folder / 'l.db'}",
        keys=folder / "l.keys",
        organisation="Acme",
        timezone="America/New_York",
        policies=("us.can-spam", "ca.casl"),
        sources={"main": SourceSettings("main", "constant-contact", sender="Acme")},
        destinations={name: DestinationSettings(name, "csv") for name in PLACES},
    )


def make(folder: Path, people: int) -> None:
    """Five years of days: requests, a run over the source, each destination told; now and then a consent."""
    clock = [FIRST]
    url, keys = f"sqlite:///{folder / 'l.db'}", folder / "l.keys"
    dice = random.Random(7)
    numbers = iter(range(people))
    Ledger.create(url, keys=keys, clock=lambda: clock[0])
    with Ledger.open(url, keys=keys, clock=lambda: clock[0]) as ledger:
        for day in range(DAYS):
            clock[0] = FIRST + timedelta(days=day)
            count = people * (day + 1) // DAYS - people * day // DAYS
            events: list[Told] = [_request(next(numbers), clock[0], dice) for _ in range(count)]
            if day % 7 == 3 and day > 60:
                events.append(_consent(dice.randrange(people * day // DAYS // 2 or 1), clock[0]))
            done = SyncDone(
                "main", "constant-contact", "window", True, clock[0] - timedelta(days=1), clock[0],
                3, count, count, count, 0, 0, 0, None, (),
            )  # fmt: skip
            events += [Event(f"sync{day}", done), Event(f"check{day}", CheckDone("ab" * 32, 9, 8, 1, 0, 0))]
            ledger.append(events, actor="benchmark")
            _tell(ledger, clock, day)


def _request(number: int, now: datetime, dice: random.Random) -> OptOut:
    acted = now - timedelta(seconds=dice.randrange(3 * 86_400))
    who = Address.parse(f"person{number}@example.com")
    if dice.random() < 0.05:
        return OptOut(who, "telephone", Origin.PERSON, Reason.REQUESTED, received_at=acted)
    seen = Visibility.DELETED if dice.random() < 0.2 else Visibility.VISIBLE
    reason = Reason.UNSUBSCRIBED if dice.random() < 0.8 else Reason.ACCOUNT
    return OptOut(who, "main", Origin.PLATFORM, reason, occurred_at=acted, visibility=seen)


def _consent(number: int, now: datetime) -> Consent:
    return Consent(Address.parse(f"person{number}@example.com"), "form", now - timedelta(hours=1))


def _tell(ledger: Ledger, clock: list[datetime], day: int) -> None:
    """Every destination is told once a day, but for three weeks in which nobody told two of them."""
    clock[0] += timedelta(hours=1)
    upto = ledger.head().size - 1
    told = [
        Event(f"told{day}{name}", Honoured(name, upto, "ab" * 32, 1, (), place % 3 > 0))
        for place, name in enumerate(PLACES)
        if not (place < 2 and 300 <= day < 321)
    ]
    ledger.append(told, actor="benchmark")


def _measured(folder: Path, way: str) -> dict[str, object]:
    began = time.perf_counter()
    size, missed = dict(_ways(folder))[way]()
    own = resource.getrusage(resource.RUSAGE_SELF)
    beside = resource.getrusage(resource.RUSAGE_CHILDREN)  # the process that verifies
    return {
        "seconds": round(time.perf_counter() - began, 1),
        "processor": round(own.ru_utime + own.ru_stime + beside.ru_utime + beside.ru_stime, 1),
        "MiB": (own.ru_maxrss + beside.ru_maxrss) // 1024,
        "entries": size,
        "missed": missed,
    }


def _ways(folder: Path) -> Iterator[tuple[str, Callable[[], tuple[int, int]]]]:
    from suppress.audit import verify
    from suppress.report.asking import Wanted, gathered
    from suppress.report.integrity import UNVERIFIED
    from suppress.report.issue import issue
    from suppress.report.target import Format, Target

    chosen = settings(folder)
    now = FIRST + timedelta(days=DAYS)
    wanted, target = Wanted(), Target(Format.HTML, str(folder / "report.html"))

    def alone() -> tuple[int, int]:
        with Ledger.open(chosen.ledger, keys=chosen.keys, read_only=True) as ledger:
            facts = gathered(ledger, chosen, wanted, UNVERIFIED, now=now)
        return facts.manifest.ledger.size, len(facts.deadlines.missed)

    def whole() -> tuple[int, int]:
        with Ledger.open(chosen.ledger, keys=chosen.keys, read_only=True) as ledger:
            issued = issue(
                ledger, chosen, wanted, target, partial(verify, chosen.ledger, keys=chosen.keys, apart=True),
                now=now, actor="benchmark", dry_run=True,
            )  # fmt: skip
        return issued.facts.manifest.ledger.size, len(issued.facts.deadlines.missed)

    yield "gathered", alone
    yield "issued", whole


if __name__ == "__main__":
    main()

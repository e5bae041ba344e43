"""A quarter of a small sender's ledger: three destinations, late and open requests, drift, an erasure."""

from __future__ import annotations

from collections.abc import Sequence

from suppress.config import DestinationSettings, Settings, SourceSettings
from suppress.core.entry import CheckDone, Disclosed
from suppress.core.suppression import Origin, Reason, Visibility
from suppress.report.facts import Facts
from tests.report.books import Book, noon

SETTINGS = Settings(
    organisation="Acme Outdoor",
    sources={
        "main": SourceSettings("main", "constant-contact", sender="Acme"),
        "shop": SourceSettings("shop", "constant-contact", sender="Acme Shop"),
    },
    destinations={
        "crm": DestinationSettings("crm", "csv"),
        "newsletter": DestinationSettings("newsletter", "mailchimp"),
        "help desk": DestinationSettings("help desk", "csv"),
    },
)


def quarter(
    *,
    full: bool = False,
    since: str | None = "2026-07-01",
    policies: Sequence[str] = ("us.can-spam", "mbp.google-yahoo"),
) -> Facts:
    """The facts of July to September 2026."""
    book = Book(now=noon("2026-06-20"))
    for name in SETTINGS.destinations:
        book.destination(name)
    for number in range(24):
        acted = f"20{16 + number % 9}-03-0{1 + number % 9}"
        book.opt_out(f"old{number}", acted=acted, visibility=_seen(number))
    book.sync(observed=24, new=24, deleted=12, missed=12, census=_census(24, 12))
    for name in SETTINGS.destinations:
        book.told(name)
    for day in range(96):
        _day(book, day)
    return book.facts(
        since=since,
        until="2026-09-30",
        settings=SETTINGS,
        full=full,
        as_of="2026-10-01",
        policies=policies,
        sample=4,
        seed="2026-Q3",
        what_if=("deleted-missed", "policy=ca.casl"),
    )


def _day(book: Book, day: int) -> None:
    book.later(days=1)
    today = book.now.date().isoformat()
    for number in range(day % 4):
        source = "shop" if number else "main"
        book.opt_out(
            f"p{day}-{number}", acted=today, received=today, source=source, visibility=_seen(day + number)
        )
    if day % 23 == 7:
        book.opt_out(
            f"call{day}", received=today, origin=Origin.PERSON, source="phone", reason=Reason.REQUESTED
        )
    if day % 7 == 0:
        book.sync(observed=60, new=day % 4, mode="window")
    if day % 2 == 0:
        book.told("crm")
    if day % 5 == 0:
        book.told("newsletter", verified=day % 10 == 0)
        book.write(Disclosed("newsletter", "Mailchimp", "suppression", "plain", 40 + day, "cd" * 32))
    if day % 31 == 30:
        book.told("help desk", failed=[len(book.entries) - 3] if day > 60 else [])
    _sometimes(book, day)


def _sometimes(book: Book, day: int) -> None:
    match day:
        case 20:
            book.write(CheckDone("ef" * 32, 1_000, 941, 52, 7, 3))
        case 30:
            first = book.drift("p3-0")
            book.sync(drift=[first, book.drift("p6-1", source="shop")], mode="window")
        case 44:
            book.sync(observed=90, new=2, deleted=20, missed=20, census=_census(90, 20))
        case 50:
            book.consent("p7-1")
            book.erased("old3")
        case 60:
            book.corrected(book.opt_out("typo"))
            book.forgotten("old5")
        case 88:
            book.drift("p10-0")


def _seen(number: int) -> Visibility:
    return Visibility.DELETED if number % 2 else Visibility.VISIBLE


def _census(opted_out: int, deleted: int) -> dict[str, int]:
    return {
        "contacts": 5_000,
        "opted_out": opted_out,
        "opted_out_visible": opted_out - deleted,
        "opted_out_deleted": deleted,
        "rounds": 1,
    }

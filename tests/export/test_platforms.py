"""The real plugins under export and patrol: strangers undo what was told, and every one of them is found.

What goes over the line is recorded all the while and searched for anything that could raise reach.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from suppress.config import Settings
from suppress.core.address import Address
from suppress.core.entry import DriftFound, OptOutRecorded
from suppress.core.suppression import Consent
from suppress.core.verdict import Ruling
from suppress.export import ExportResult, export
from suppress.ledger import Ledger
from suppress.patrol import PatrolResult, patrol
from suppress.patrol.judging import Finding
from suppress.plugin.kit.reach import raising, undeclared
from suppress.show import show
from suppress.status import status
from tests.export.strangers import PLATFORMS, Account
from tests.ledgers import ledger_with

PEOPLE = [f"person{number}@example.com" for number in range(40)]
KNOWN, UNKNOWN = PEOPLE[:30], PEOPLE[30:]
"""Contacts there, and suppressed people whom the platform does not know."""
BACK, GONE, CAME = PEOPLE[:3], PEOPLE[3:5], UNKNOWN[:1]
"""Subscribed again; deleted and added again; unknown when it was told, and added since."""
STRANGERS = ["left1@example.org", "left2@example.org"]


@dataclass
class Place:
    """A ledger with opt-outs, and one account that is told."""

    ledger: Ledger
    there: Account
    folder: Path

    def export(self, *, dry_run: bool = False) -> ExportResult:
        with closing(self.there.open()) as exporter:
            return export(
                self.ledger,
                exporter,
                self.there.settings,
                purpose="suppression compliance",
                recipient="Acme CRM",
                actor="test",
                state=self.folder / "state",
                wait=lambda _until: None,
                dry_run=dry_run,
            )

    def patrol(self, *, later: int = 0) -> PatrolResult:
        now = datetime.now(UTC) + timedelta(minutes=later)
        state = self.folder / "state"
        with closing(self.there.open()) as exporter:
            return patrol(self.ledger, exporter, self.there.settings, state=state, now=now, actor="test")

    def drift(self) -> dict[str, str]:
        """Subject → what the entries of drift say, without who did it."""
        entries = (each.body for each in self.ledger.entries())
        return {
            each.subject: each.observed.partition(", by ")[0]
            for each in entries
            if isinstance(each, DriftFound)
        }

    def subjects(self, addresses: list[str]) -> set[str | None]:
        return {each.subject for each in self.ledger.standings([Address.parse(one) for one in addresses])}

    def mailed(self) -> list[str]:
        return [each for each in PEOPLE if self.there.would_mail(each)]

    def open_drift(self) -> int:
        found = status(
            self.ledger,
            Settings(destinations={"crm": self.there.settings}, state=self.folder / "state"),
            now=datetime.now(UTC),
        )
        # A destination whose opt-outs were brought home is no source that somebody forgot to read.
        assert "crm" not in [each.name for each in found.sources]
        return sum(each.people for each in found.drift)


@pytest.fixture(params=[*PLATFORMS])
def place(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Place]:
    """Forty people opted out, thirty of them are mailed there, and so is one who did not."""
    url = ledger_with(tmp_path, *PEOPLE)
    there = PLATFORMS[request.param]([*KNOWN, "free@example.com"])
    with closing(there), Ledger.open(url, keys=tmp_path / "suppress.keys") as ledger:
        yield Place(ledger, there, tmp_path)
        # Whatever a test did: no byte of it could have made anybody mailable.
        assert [] == sorted({*undeclared(there.calls, there.line.sent)})
        assert [] == sorted({*raising(there.line.sent)})


def test_everyone_is_told_and_nobody_else(place: Place) -> None:
    """A dry run changes nothing; whom the platform does not know it is not made to know."""
    planned = place.export(dry_run=True)
    before = place.mailed()
    told = place.export()
    there = place.there

    assert 40 == planned.count
    assert {*KNOWN} <= {*before}
    assert (True, []) == (told.verified, place.mailed())
    assert there.would_mail("free@example.com")
    assert {Finding.HELD, Finding.UNKNOWN} >= {
        each for each, count in place.patrol().findings.items() if count
    }


def test_whatever_strangers_undo_is_found_named_and_mended(place: Place) -> None:
    """Subscribed again, deleted and added again, newly added: each by its name, until an export mends it."""
    there = place.there
    place.export()
    place.patrol()
    for address in BACK:
        there.resubscribe(address)
    for address in GONE:
        there.delete(address)
    first = place.patrol(later=1)
    for address in [*GONE, *CAME]:
        there.add(address)
    second, third = place.patrol(later=2), place.patrol(later=3)
    seen = place.drift()
    laundered = Finding.RECREATED if there.forgets else Finding.MAILABLE
    came = CAME if there.forgets else []
    lost = show(place.ledger, Address.parse(BACK[0])).destinations
    opened = place.open_drift()
    place.export()

    assert (len(GONE) if there.forgets else 0) == first.findings[Finding.GONE]
    assert place.subjects([*BACK, *GONE, *came]) == seen.keys()
    assert {str(Finding.MAILABLE)} == {seen[each or ""] for each in place.subjects(BACK)}
    assert {str(laundered)} == {seen[each or ""] for each in place.subjects(GONE)}
    assert second.findings == third.findings, "what was found keeps its name until it is mended"
    assert [None] == [each.at for each in lost], "a destination that lost somebody does not hold them"
    assert len(seen) == opened
    assert [] == place.mailed()
    assert ((), 0) == (place.patrol(later=4).drift, place.open_drift())


def test_opt_outs_that_only_the_platform_knows_come_home(place: Place) -> None:
    """With the platform's own date, and its reason where it tells one; once."""
    place.export()
    for address in STRANGERS:
        place.there.opt_out(address)
    found = place.patrol()
    again = place.patrol(later=1)
    bodies = [each.body for each in place.ledger.entries()]
    learned = [each for each in bodies if isinstance(each, OptOutRecorded) and each.source == "crm"]

    assert (2, 0) == (found.learned, again.learned)
    assert {place.there.reason} == {each.reason for each in learned}
    assert all(each.occurred_at is not None for each in learned)
    assert place.ledger.check(STRANGERS[0]).ruling is Ruling.SUPPRESSED
    assert 0 == place.open_drift()


def test_who_consents_is_not_told_and_not_lifted_there(place: Place) -> None:
    """Nothing is sent for them, and what the platform still holds is counted."""
    place.export()
    at = datetime.now(UTC) + timedelta(seconds=5)
    place.ledger.append([Consent(Address.parse(KNOWN[0]), "form", at)], actor="test")
    sent = len(place.there.line.sent)
    told = place.export()
    writes = [each for each in place.there.line.sent[sent:] if KNOWN[0].encode() in each.body]

    assert (0, 1, []) == (told.count, told.released, writes)
    assert (1, ()) == ((found := place.patrol()).released, found.drift)
    assert not place.there.would_mail(KNOWN[0])

"""A report of a real ledger: verified, quoted, recorded, whole on disk or not there."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from suppress.audit import Bad, Verification, verify
from suppress.config import Settings
from suppress.core.address import Address
from suppress.core.entry import Corrected, DestinationChanged, Honoured, ReportIssued
from suppress.core.suppression import Drift, OptOut, Origin, Reason, Visibility
from suppress.errors import LedgerDamaged, OutputRefused
from suppress.ledger import Event, Ledger
from suppress.report.asking import Wanted, gathered
from suppress.report.integrity import Integrity
from suppress.report.issue import Issued, issue
from suppress.report.target import Format, Target

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """Two people, one of them hidden, told to a CRM; one drifted."""
    clock = [NOW - timedelta(days=3)]
    url = f"sqlite:///{tmp_path / 'suppress.db'}"
    Ledger.create(url, keys=tmp_path / "suppress.keys", organisation="Acme", clock=lambda: clock[0])
    with Ledger.open(url, clock=lambda: clock[0]) as opened:
        people = [
            OptOut(
                Address.parse(f"{name}@example.com"),
                "main",
                Origin.PLATFORM,
                Reason.UNSUBSCRIBED,
                occurred_at=clock[0],
                received_at=clock[0],
                visibility=visibility,
            )
            for name, visibility in (("ann", Visibility.DELETED), ("Bob.Smith", Visibility.VISIBLE))
        ]
        opened.append(people, actor="test")
        last = opened.head().size - 1
        opened.append([Event("told", Honoured("crm", last, "ab" * 32, 2, (), True))], actor="test")
        opened.append([Drift(people[1].address, "main", "explicit")], actor="test")
        yield opened


def settings(ledger: Ledger) -> Settings:
    return Settings(ledger=f"sqlite:///{ledger.place}", organisation="Acme")


def issued(ledger: Ledger, target: Target, *, full: bool = False, dry_run: bool = False) -> Issued:
    chosen = settings(ledger)
    return issue(
        ledger,
        chosen,
        Wanted(full=full),
        target,
        lambda: verify(chosen.ledger),
        now=NOW,
        actor="test",
        dry_run=dry_run,
    )


def last_entry(ledger: Ledger) -> object:
    size = ledger.head().size
    return next(ledger.entries(size - 1)).body


@pytest.mark.parametrize("format_", [each for each in Format if each is not Format.ALL])
def test_it_is_written_for_its_owner_and_recorded(ledger: Ledger, tmp_path: Path, format_: Format) -> None:
    """The entry holds the digest of what is on disk, and the head that the report quotes."""
    place = tmp_path / f"report.{format_.value}"
    before = ledger.head()

    found = issued(ledger, Target(format_, str(place)))

    content = place.read_bytes()
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert found.digest == hashlib.sha256(content).hexdigest()
    assert found.bytes == len(content)
    assert last_entry(ledger) == ReportIssued(found.digest, before.size, before.root.hex(), "redacted")
    assert found.receipt == before.size
    assert found.facts.manifest.ledger.checkpoint == before.note


def test_what_is_written_meanwhile_is_not_in_the_report(ledger: Ledger, tmp_path: Path) -> None:
    """It is about the head at its start, however busy the ledger is, and no head is quoted unverified."""
    chosen = settings(ledger)
    before = ledger.head()
    sizes: list[int] = []

    def verified() -> Verification:
        ledger.append([Event("meanwhile", DestinationChanged("mail", "csv", "added"))], actor="test")
        found = verify(chosen.ledger)
        sizes.append(found.size)
        return found

    target = Target(Format.JSON, str(tmp_path / "report.json"))
    found = issue(ledger, chosen, Wanted(), target, verified, now=NOW, actor="test")

    assert sizes == [before.size + 1]
    assert found.facts.manifest.ledger.size == before.size
    assert found.facts.manifest.ledger.checkpoint == before.note
    assert verify(chosen.ledger).ok


def test_a_ledger_that_became_shorter_meanwhile_gives_no_report(ledger: Ledger, tmp_path: Path) -> None:
    """An older copy that was put back verifies, and does not hold what the report is about."""
    found = verify(settings(ledger).ledger)
    place = tmp_path / "report.json"

    with pytest.raises(LedgerDamaged, match=f"had {found.size} entries, and {found.size - 1} when"):
        issue(
            ledger,
            settings(ledger),
            Wanted(),
            Target(Format.JSON, str(place)),
            lambda: replace(found, size=found.size - 1),
            now=NOW,
            actor="test",
        )

    assert not place.exists()


def test_a_long_ledger_is_verified_in_a_process_of_its_own(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the same bytes as a result."""
    chosen = settings(ledger)
    target = Target(Format.JSON, str(tmp_path / "report.json"))
    here = issued(ledger, target, dry_run=True)
    monkeypatch.setattr("suppress.report.issue.LONG", 1)

    apart = issue(
        ledger, chosen, Wanted(), target, partial(verify, chosen.ledger), now=NOW, actor="test", dry_run=True
    )

    assert apart.facts.integrity.ok
    assert apart.digest == here.digest


@pytest.mark.parametrize("long", [1, 1_000])
def test_damage_is_named_whichever_is_quicker(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, long: int
) -> None:
    """Facts that cannot be gathered of a damaged ledger are no answer: the entry that is wrong is."""
    monkeypatch.setattr("suppress.report.issue.LONG", long)
    chosen = settings(ledger)
    with closing(sqlite3.connect(str(ledger.place))) as attacker, attacker:
        guards = [name for (name,) in attacker.execute("SELECT name FROM sqlite_master WHERE type='trigger'")]
        for name in guards:
            attacker.execute(f'DROP TRIGGER "{name}"')
        attacker.execute("UPDATE ledger SET leaf = X'7B7D' WHERE seq = 2")

    with pytest.raises(LedgerDamaged, match="no report is made of a ledger that does not verify"):
        issue(
            ledger,
            chosen,
            Wanted(),
            Target(Format.JSON, str(tmp_path / "report.json")),
            partial(verify, chosen.ledger),
            now=NOW,
            actor="test",
        )


def test_a_folder_is_recorded_by_its_index(ledger: Ledger, tmp_path: Path) -> None:
    """Which names the digest of every other file."""
    found = issued(ledger, Target(Format.CSV, str(tmp_path / "annexes")))
    index = tmp_path / "annexes" / "index.csv"

    assert found.digest == hashlib.sha256(index.read_bytes()).hexdigest()
    assert stat.S_IMODE((tmp_path / "annexes").stat().st_mode) == 0o700
    assert (tmp_path / "annexes" / "missed.csv").is_file()

    again = issued(ledger, Target(Format.CSV, str(tmp_path / "annexes")))

    assert again.digest == hashlib.sha256(index.read_bytes()).hexdigest() != found.digest


def test_the_same_ledger_options_and_instant_give_the_same_bytes(ledger: Ledger, tmp_path: Path) -> None:
    """A dry run changes nothing, so two of them are equal in every format."""
    for format_ in Format:
        target = Target(format_, str(tmp_path / "report"))

        assert issued(ledger, target, dry_run=True).digest == issued(ledger, target, dry_run=True).digest


def test_a_dry_run_writes_neither_file_nor_entry(ledger: Ledger, tmp_path: Path) -> None:
    """It gathers and renders all the same."""
    before = ledger.head()

    found = issued(ledger, Target(Format.HTML, str(tmp_path / "report.html")), dry_run=True)

    assert found.receipt is None
    assert found.facts.verdict.suppressed == 2
    assert not (tmp_path / "report.html").exists()
    assert ledger.head() == before


def test_addresses_are_looked_up_for_the_full_variant(ledger: Ledger, tmp_path: Path) -> None:
    """For those named one by one, as they were spelled, and it is recorded as full."""
    place = tmp_path / "full.json"

    issued(ledger, Target(Format.JSON, str(place)), full=True)

    found = json.loads(place.read_text())
    assert set(found["addresses"].values()) == {"Bob.Smith@example.com", "ann@example.com"}
    body = last_entry(ledger)
    assert isinstance(body, ReportIssued)
    assert body.audience == "full"


def test_no_report_is_made_of_a_damaged_ledger(ledger: Ledger, tmp_path: Path) -> None:
    """It would be evidence of nothing; the message names the entry."""
    damaged = Verification(False, 5, "", 2, (), (), Bad(2, "its bytes were changed"))
    before = ledger.head()

    with pytest.raises(LedgerDamaged, match="does not verify: entry 2: its bytes were changed"):
        issue(
            ledger,
            settings(ledger),
            Wanted(),
            Target(Format.HTML, str(tmp_path / "report.html")),
            lambda: damaged,
            now=NOW,
            actor="test",
        )

    assert ledger.head() == before
    assert not (tmp_path / "report.html").exists()


@pytest.mark.parametrize("name", ["missing/report.html", "suppress.db"])
def test_a_place_that_cannot_be_written_leaves_no_record(ledger: Ledger, tmp_path: Path, name: str) -> None:
    """No folder to write in; a name that is the ledger's own."""
    before = ledger.head()

    with pytest.raises(OutputRefused):
        issued(ledger, Target(Format.HTML, str(tmp_path / name)))

    assert ledger.head() == before


def test_a_folder_that_cannot_be_made_is_refused(ledger: Ledger, tmp_path: Path) -> None:
    """A file is in the way."""
    (tmp_path / "taken").write_text("")

    with pytest.raises(OutputRefused, match="taken cannot be made"):
        issued(ledger, Target(Format.CSV, str(tmp_path / "taken")))


def test_corrections_strike_out_runs_and_receipts(ledger: Ledger) -> None:
    """The receipt was of another system: the CRM was told nothing."""
    told = next(entry.seq for entry in ledger.entries() if isinstance(entry.body, Honoured))
    ledger.append([Event("added", DestinationChanged("crm", "csv", "added"))], actor="test")
    ledger.append([Event("wrong", Corrected(told, "another system"))], actor="test")
    facts = gathered(
        ledger,
        settings(ledger),
        Wanted(),
        Integrity.of(verify(settings(ledger).ledger)),
        now=NOW,
    )

    assert [(each.exports, each.untold) for each in facts.coverage.destinations] == [(0, 2)]


def test_progress_is_told(ledger: Ledger) -> None:
    """With how far along of how many."""
    told: list[tuple[int, int | None]] = []
    chosen = settings(ledger)

    issue(
        ledger,
        chosen,
        Wanted(),
        Target(Format.JSON, "-"),
        lambda: verify(chosen.ledger),
        now=NOW,
        actor="test",
        dry_run=True,
        progress=lambda done, total: told.append((done, total)),
    )

    assert told == [(0, ledger.head().size)]


def test_an_erased_address_is_said_to_be_erased(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is gone is not shown, and not hidden either."""
    monkeypatch.setattr(Ledger, "payload", lambda _self, _seq: None)
    facts = gathered(
        ledger,
        settings(ledger),
        Wanted(full=True),
        Integrity.of(verify(settings(ledger).ledger)),
        now=NOW,
    )

    assert set(facts.addresses.values()) == {"(erased)"}

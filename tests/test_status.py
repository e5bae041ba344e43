"""`suppress status`: one screen about now, from the same figures as a report."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from suppress.cli.exposition import exposition
from suppress.config import Settings, SourceSettings
from suppress.core.address import Address
from suppress.core.entry import Honoured, ReportIssued, SyncDone
from suppress.core.spans import spans
from suppress.core.suppression import Drift, OptOut, Origin, Reason
from suppress.ledger import Event, Ledger
from suppress.report.anchored import Anchored, last, remember
from suppress.status import Status, status
from tests import backends
from tests.conftest import Command
from tests.small_ledger import made

# A Friday; under us.can-spam act by Wednesday 2026-12-02, a breach after Monday 2026-12-07.
RECEIVED = datetime(2026, 11, 20, 12, tzinfo=UTC)


@dataclass
class Bench:
    """A ledger whose clock the test sets."""

    ledger: Ledger
    clock: list[datetime]

    def at(self, now: datetime) -> Status:
        settings = Settings(
            organisation="Acme", sources={"main": SourceSettings("main", "constant-contact", sender="Acme")}
        )
        return status(self.ledger, settings, now=now)

    def ask(self, name: str, source: str = "telephone") -> None:
        who = Address.parse(f"{name}@example.com")
        asked = OptOut(who, source, Origin.PERSON, Reason.REQUESTED, received_at=RECEIVED)
        self.ledger.append([asked], actor="test")

    def drift(self, name: str, source: str = "main") -> int:
        found = Drift(Address.parse(f"{name}@example.com"), source, "explicit")
        return self.ledger.append([found], actor="test")[0].seq

    def synced(self, *, mode: str = "census", source: str = "main", drift: tuple[int, ...] = ()) -> None:
        done = SyncDone(
            source, "constant-contact", mode, True, None, self.clock[0], 1, 0, 0, 0, 0, 0, 0,
            {"rounds": 1} if mode == "census" else None, spans(drift),
        )  # fmt: skip
        self.ledger.append([Event(f"{mode}{self.clock[0]}{source}", done)], actor="test")

    def told(self) -> None:
        body = Honoured("crm", self.ledger.head().size - 1, "ab" * 32, 1, (), True)
        self.ledger.append([Event(f"told{self.clock[0]}", body)], actor="test")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    clock = [RECEIVED]
    url = backends.url_in(tmp_path)
    Ledger.create(url, keys=tmp_path / "suppress.keys", clock=lambda: clock[0])
    with Ledger.open(url, keys=tmp_path / "suppress.keys", clock=lambda: clock[0]) as ledger:
        yield Bench(ledger, clock)


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        # open, of these due soon, at risk, overdue
        ("2026-11-28", (1, 0, 0, 0)),
        ("2026-11-29", (1, 1, 0, 0)),
        ("2026-12-02", (1, 1, 0, 0)),
        ("2026-12-03", (0, 0, 1, 0)),
        ("2026-12-08", (0, 0, 0, 1)),
    ],
)
@pytest.mark.both_back_ends
def test_a_request_waits_then_is_due_soon_then_at_risk_then_overdue(
    bench: Bench, day: str, expected: tuple[int, int, int, int]
) -> None:
    """Due soon is three days before the strict date."""
    bench.ask("ann")
    waiting = bench.at(datetime.fromisoformat(f"{day}T12:00+00:00")).waiting

    assert (waiting.open, waiting.due_soon, waiting.at_risk, waiting.overdue) == expected


@pytest.mark.both_back_ends
def test_the_next_strict_date_is_said_while_requests_are_open(bench: Bench) -> None:
    """And none when nobody waits."""
    assert bench.at(RECEIVED).waiting.next_strict is None

    bench.ask("ann")

    assert str(bench.at(RECEIVED).waiting.next_strict) == "2026-12-02"


@pytest.mark.both_back_ends
def test_overdue_is_a_finding_and_what_is_merely_stale_is_not(bench: Bench) -> None:
    """A source that was never read is a warning."""
    assert not bench.at(RECEIVED).findings
    assert any("never read" in point.says for point in bench.at(RECEIVED).points)

    bench.ask("ann")

    assert bench.at(RECEIVED + timedelta(days=30)).findings


@pytest.mark.both_back_ends
def test_drift_is_counted_by_source_until_a_census_no_longer_lists_it(bench: Bench) -> None:
    """One person found twice at one source is one person; a window changes nothing."""
    bench.ask("ann")
    bench.ask("bob")
    seqs = (bench.drift("ann"), bench.drift("bob"), bench.drift("bob", "second"))
    bench.synced(drift=seqs[:2])
    bench.synced(mode="window")

    found = bench.at(RECEIVED)
    assert [(each.source, each.people) for each in found.drift] == [("main", 2), ("second", 1)]
    assert found.findings

    bench.clock[0] += timedelta(days=1)
    bench.synced(drift=seqs[:1])
    bench.synced(source="second")

    assert [(each.source, each.people) for each in bench.at(bench.clock[0]).drift] == [("main", 1)]


@pytest.mark.both_back_ends
def test_it_shows_what_was_read_and_told_and_the_ledger(bench: Bench) -> None:
    """Freshness of the source, the last receipt, size and root."""
    bench.ask("ann")
    bench.synced()
    bench.told()
    found = bench.at(RECEIVED + timedelta(hours=27))

    assert [(each.name, each.run_is_stale, each.census_is_stale) for each in found.sources] == [
        ("main", True, False)
    ]
    assert [(each.name, each.last_count, each.untold) for each in found.destinations] == [("crm", 1, 0)]
    assert (found.size, found.root) == (bench.ledger.head().size, bench.ledger.head().root.hex())
    assert (found.suppressed, found.last_entry) == (1, RECEIVED)


class TestCommand:
    """The installed command: screen, JSON, exit codes."""

    def test_a_new_ledger_is_fine(self, command: Command) -> None:
        """Nothing to do yet but to begin; exit code 0."""
        command("init")
        done = command("status", "--json")

        assert (done.exit_code, done.err) == (0, "")
        assert next(iter(done.json())) == "schema"
        assert done.json()["schema"] == "suppress/status@1"
        assert done.json()["findings"] is False
        assert done.json()["size"] == 1

    def test_overdue_ends_with_1_and_says_what_to_do(self, command: Command) -> None:
        """A request of last year that nobody was told of."""
        command("init")
        command("add", "ann@example.com", "--received", "2025-01-02")
        done = command("status")

        assert done.exit_code == 1
        assert "overdue         1" in done.out
        assert "action: 1 request is overdue" in done.out
        assert "ann@example.com" not in done.out

    def test_sources_and_destinations_are_listed(self, command: Command) -> None:
        """Configured, and never read or told."""
        (command.folder / "suppress.toml").write_text(
            '[sources.main]\nplatform = "constant-contact"\nclient_id = "x"\n'
            '[destinations.crm]\nplatform = "csv"\npath = "crm.csv"\n'
        )
        command("init")
        done = command("status")

        assert done.exit_code == 0
        assert "main    constant-contact  never (stale)      never (stale)" in done.out
        assert "crm          csv       never" in done.out

    def test_all_well_is_said(self, command: Command) -> None:
        """Told, read and counted within the last day."""
        (command.folder / "suppress.toml").write_text(
            '[sources.main]\nplatform = "constant-contact"\nclient_id = "x"\n'
        )
        with Ledger.open(made(command.folder, ["ann@example.com"])) as ledger:
            told = Honoured("crm", ledger.head().size - 1, "ab" * 32, 1, (), True)
            run = SyncDone(
                "main", "constant-contact", "census", True, None, None, 1, 1, 1, 1, 0, 1, 1, {"rounds": 1}, ()
            )
            ledger.append([Event("told", told), Event("run", run)], actor="test")
        done = command("status")

        assert done.exit_code == 0
        assert "nothing calls for attention" in done.out
        assert "0 min ago" in done.out

    def test_metrics_end_as_the_screen_does(self, command: Command) -> None:
        """Exit code 1 when a request is overdue, and the figures all the same."""
        command("init")
        command("add", "ann@example.com", "--received", "2025-01-02")
        done = command("status", "--prometheus")

        assert done.exit_code == 1
        assert 'suppress_requests_waiting{state="overdue"} 1\n' in done.out
        assert "example.com" not in done.out

    def test_two_formats_at_once_are_wrong_usage(self, command: Command) -> None:
        """One stream holds one thing."""
        command("init")
        done = command("status", "--prometheus", "--json")

        assert done.exit_code == 2
        assert "exclude each other" in done.err

    def test_without_a_ledger_it_says_how_to_begin(self, command: Command) -> None:
        """Exit code 10, one clear line."""
        done = command("status")

        assert done.exit_code == 10
        assert "suppress init" in done.err


class TestPrometheus:
    """The text format, read back by Prometheus' own client."""

    def read(self, found: Status) -> dict[tuple[str, ...], float]:
        """Samples by name and values of labels; the parser is strict about HELP, TYPE and escapes."""
        text = exposition(found)
        families = list(text_string_to_metric_families(text))
        assert len({each.name for each in families}) == len(families)
        for each in families:
            assert each.type == "gauge"
            assert each.documentation
            assert f"# HELP {each.name} " in text
        return {(s.name, *s.labels.values()): s.value for each in families for s in each.samples}

    def test_what_waits_is_told_by_state(self, bench: Bench) -> None:
        """One open and due soon, then one overdue, at no destination."""
        bench.ask("ann")
        soon = self.read(bench.at(datetime(2026, 11, 30, 12, tzinfo=UTC)))
        over = self.read(bench.at(datetime(2026, 12, 8, 12, tzinfo=UTC)))

        waiting = "suppress_requests_waiting"
        assert [soon[waiting, each] for each in ("open", "due_soon", "at_risk", "overdue")] == [1, 1, 0, 0]
        assert [over[waiting, each] for each in ("open", "due_soon", "at_risk", "overdue")] == [0, 0, 0, 1]
        assert (soon[("suppress_findings",)], over[("suppress_findings",)]) == (0, 1)
        assert over["suppress_destination_overdue", "(no destination)"] == 1
        assert over[("suppress_people_suppressed",)] == 1

    def test_what_never_was_has_no_sample(self, bench: Bench) -> None:
        """No time of a run before the first; the stale gauge tells."""
        before = self.read(bench.at(RECEIVED))
        bench.synced()
        bench.told()
        after = self.read(bench.at(RECEIVED))

        assert ("suppress_source_last_run_timestamp_seconds", "main") not in before
        assert before["suppress_source_stale", "main", "run"] == 1
        assert after["suppress_source_stale", "main", "run"] == 0
        assert after["suppress_source_last_run_timestamp_seconds", "main"] == RECEIVED.timestamp()
        assert after["suppress_destination_last_told_timestamp_seconds", "crm"] == RECEIVED.timestamp()
        assert after["suppress_destination_untold", "crm"] == 0

    def test_names_are_escaped_and_nobody_is_named(self, bench: Bench) -> None:
        """A source may be called anything by the ledger; a person is never in it."""
        name = 'a"b\\c\nd{e="f"} 1'
        bench.ask("ann")
        bench.drift("ann", name)
        found = self.read(bench.at(RECEIVED))

        assert found["suppress_mailable_again", name] == 1
        assert "ann" not in exposition(bench.at(RECEIVED)).replace("announced", "")

    def test_every_name_is_one_that_prometheus_takes(self, bench: Bench) -> None:
        """Small letters and underscores, our prefix, a unit where there is one."""
        for name, *_ in self.read(bench.at(RECEIVED)):
            assert re.fullmatch(r"suppress_[a-z_]+", name)


class TestAnchors:
    """When a checkpoint last left us."""

    def test_none_was_given_out_for_long(self, bench: Bench) -> None:
        """Said after forty days, and no finding."""
        early, late = bench.at(RECEIVED + timedelta(days=40)), bench.at(RECEIVED + timedelta(days=41))

        assert not any("No checkpoint" in point.says for point in early.points)
        assert any("No checkpoint" in point.says for point in late.points)
        assert not late.findings
        assert late.anchored is None

    def test_a_report_quotes_one(self, bench: Bench) -> None:
        """Its entry says when, and of how many entries."""
        bench.clock[0] += timedelta(days=30)
        issued = ReportIssued("ab" * 32, 1, "cd" * 32, "redacted")
        bench.ledger.append([Event("report", issued)], actor="test")
        found = bench.at(RECEIVED + timedelta(days=60))

        assert found.anchored == Anchored(RECEIVED + timedelta(days=30), 1, "redacted")
        assert not any("No checkpoint" in point.says for point in found.points)

    def test_the_command_remembers_what_it_gave_out(self, command: Command) -> None:
        """On the screen, in JSON and in the metrics."""
        command("init")
        command("add", "ann@example.com")
        before = command("status")
        command("anchor", "-o", "anchor.note")

        assert re.search(r"last anchor +never", before.out)
        assert re.search(r"last anchor +0 min ago, of 3 entries", command("status").out)
        assert command("status", "--json").json()["anchored"]["by"] == "anchor"
        assert "suppress_last_anchor_timestamp_seconds " in command("status", "--prometheus").out

    def test_a_damaged_memory_looks_like_none(self, tmp_path: Path) -> None:
        """State may be lost."""
        (tmp_path / "last-anchor.note").write_bytes(b"\xff")

        assert last(tmp_path, ()) is None

    def test_a_folder_that_cannot_be_written_is_no_error(self, tmp_path: Path) -> None:
        """The anchor was given out all the same."""
        (tmp_path / "file").write_text("")
        remember(tmp_path / "file", "note")

        assert last(tmp_path / "file", ()) is None


@pytest.mark.parametrize(
    ("time", "said"),
    [
        (timedelta(minutes=59), "59 min ago"),
        (timedelta(hours=1), "1 h ago"),
        (timedelta(hours=47, minutes=59), "47 h ago"),
        (timedelta(hours=48), "2 days ago"),
        (timedelta(minutes=-5), "0 min ago"),
    ],
)
def test_time_is_said_in_the_largest_unit_that_says_enough(time: timedelta, said: str) -> None:
    """A clock that runs ahead does not make it negative."""
    from suppress.cli.status import _ago

    assert _ago(RECEIVED - time, RECEIVED) == said

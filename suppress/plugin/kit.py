"""Proves a plugin in one class: subclass a contract, say how to open your platform, and run pytest.

```python
from suppress.plugin.kit import ExporterContract


class TestMyExporter(ExporterContract):
    def exporter(self, place):
        return MyExporter(DestinationSettings("mine", "my-platform", options={"path": str(place / "list")}))

    def mails(self, place, address):
        return address not in (place / "list").read_text()
```

Run it against a simulator or a test account, never against one that mails people. `place` is an empty folder:
opening twice with the same one must reach the same destination, as another run of the program would.

pytest is needed to run these tests, not to import this module. They hold for every capability; a test of
something that your destination cannot do passes without touching it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from suppress.core.address import match_key
from suppress.core.reconcile import Permission
from suppress.core.spelling import comparable
from suppress.core.suppression import EVERYTHING, Reason, Scope
from suppress.plugin.contract import (
    Census,
    Delivery,
    Exporter,
    Finding,
    Intent,
    LedgerPosition,
    Observation,
    Page,
    Remote,
    Result,
    Source,
    Summary,
    Suppressed,
    Unit,
    Window,
)
from suppress.plugin.tally import Tally

HOSTILE = (
    "plain@example.com",
    "=1+1@example.com",
    "+tag@example.com",
    "-dash@example.com",
    "'quote@example.com",
    "o'brien@example.com",
    '"comma, quoted"@example.com',
    '"say ""hi"""@example.com',
    "semi;colon@example.com",
    "two\nlines@example.com",
    "carriage\rreturn@example.com",
    "tab\tstop@example.com",
    "percent%2Fslash@example.com",
    "a/b?c=d&e#f@example.com",
    "<script>alert(1)</script>@example.com",
    "[b]bold[/b]@example.com",
    "back\\slash@example.com",
    "no-at-sign",
    "UPPER.Case@Example.COM",
    "büro@bücher.example",
    "用户@例え.example",
    "smile😀@example.com",
    "x" * 300 + "@example.com",
    *("straße@example.com", "strasse@example.com", "\uff33trasse@example.com"),
    *("Νίκος@example.com", "νικοσ@example.com"),
    *("'tis@example.com", "tis@example.com"),
    *("pat@müller.example", "pat@xn--mller-kva.example"),
)
"""Spellings that have broken exporters: formulas, quotes, line ends, URL syntax, markup, other scripts, and
several spellings of one person."""

POSITION = LedgerPosition(size=7, root="00" * 32, checkpoint="example.com/ledger\n7\nAA=\n\n— note\n")
"""Some place in some ledger."""

_POLLS = 1_000
"""How often a job is asked for before the test calls it stuck."""


class Killed(BaseException):
    """Stands for the process ending; no `except Exception` of a plugin may swallow it."""


def people(addresses: Iterable[str]) -> list[Suppressed]:
    """Entries for these addresses as the engine hands them over: sorted by key, one for each spelling."""
    found: dict[str, dict[str, str]] = {}
    for address in addresses:
        found.setdefault(match_key(address), {}).setdefault(comparable(address), address)
    scopes = (EVERYTHING, Scope("Acme"), Scope("Acme", "News"))
    start = datetime(2026, 1, 5, 9, tzinfo=UTC)
    return [
        Suppressed(
            seq=number,
            key=key,
            address=address,
            scope=scopes[number % 3],
            reason=list(Reason)[number % len(Reason)],
            occurred_at=None if number % 4 == 3 else start + timedelta(hours=number),
            source="main",
            idempotency_key=f"{number}.{place}:kit",
        )
        for number, key in enumerate(sorted(found))
        for place, address in enumerate(found[key].values())
    ]


class ExporterContract(ABC):
    """Everything the engine relies on in an exporter, as tests."""

    addresses: Sequence[str] = HOSTILE
    """Whom to suppress; leave out what your destination cannot hold, and say so in your plugin's manual."""

    @abstractmethod
    def exporter(self, place: Path) -> Exporter:
        """Open the destination that lives in `place`, as a new run of the program would."""

    def written(self, place: Path) -> object:
        """All that the destination holds, to see that nothing was written. Default: the files in `place`."""
        return {str(path): path.read_bytes() for path in sorted(place.rglob("*")) if path.is_file()}

    @abstractmethod
    def mails(self, place: Path, address: str) -> bool:
        """Whether the destination would mail a contact with this very spelling.

        Ask the destination itself, past the exporter, whose own reading may share its mistakes. It does
        compare as it likes; a list that is told whom not to mail would mail everybody else.
        """

    def known(self, place: Path, addresses: Sequence[str]) -> None:  # noqa: B027 (most take anyone)
        """Make these addresses known, and mailable, at a destination that only takes known ones.

        Those who are known already stay as they are.
        """

    # What every exporter must keep. Each test opens its own destination.

    def test_everyone_handed_over_is_accounted_for(self, tmp_path: Path) -> None:
        """Each entry has exactly one outcome, or the snapshot has as many rows."""
        entries = people(self.addresses)
        tally = self._pushed(tmp_path, entries)

        assert sum(tally.close().values()) == len({each.key for each in entries}), "the counts do not add up"

    def test_every_spelling_of_a_person_is_suppressed(self, tmp_path: Path) -> None:
        """A contact of the same person under another spelling would be mailed: asked past the exporter."""
        entries = people(self.addresses)
        self._pushed(tmp_path, entries)
        mailed = [each.address for each in entries if self.mails(tmp_path, each.address)]

        assert not mailed, f"{len(mailed)} of {len(entries)} spellings would still be mailed: {mailed}"

    def test_what_was_pushed_reads_back_as_suppressed(self, tmp_path: Path) -> None:
        """Reading back shows what the outcomes claimed, for spellings that break naive exporters too."""
        entries = people(self.addresses)
        tally = self._pushed(tmp_path, entries)

        missed = tally.missed()
        assert not missed, f"{len(missed)} of {tally.people} people were not taken: {sorted(missed)}"
        assert self._states(tmp_path, entries) <= {Remote.SUPPRESSED, Remote.NOT_MAILABLE, Remote.UNREADABLE}

    def test_a_dry_plan_covers_everyone_and_writes_nothing(self, tmp_path: Path) -> None:
        """A dry run may read, and changes nothing at all."""
        entries = people(self.addresses)
        self.known(tmp_path, self.addresses)
        before = self.written(tmp_path)
        with closing(self.exporter(tmp_path)) as exporter:
            planned = list(exporter.plan(iter(entries)))

        named = [each.address for each in planned]
        assert named == [each.address for each in entries], "plan each entry, in order, by its address"
        assert self.written(tmp_path) == before, "a plan wrote something"

    def test_a_plan_knows_what_is_already_done(self, tmp_path: Path) -> None:
        """After a push, a destination that can be read plans nothing more to suppress."""
        entries = people(self.addresses)
        self._pushed(tmp_path, entries)
        with closing(self.exporter(tmp_path)) as exporter:
            intents = {each.intent for each in exporter.plan(iter(entries))}
            readable = exporter.capabilities.can_read_one or exporter.capabilities.can_read_many

        assert not readable or Intent.SUPPRESS not in intents

    def test_pushing_again_changes_nothing(self, tmp_path: Path) -> None:
        """A repeated run is harmless: everyone is still taken, and the destination reads the same."""
        entries = people(self.addresses)
        self._pushed(tmp_path, entries)
        before = self._states(tmp_path, entries)
        tally = self._pushed(tmp_path, entries)

        assert not tally.missed()
        assert self._states(tmp_path, entries) == before

    def test_a_kill_at_any_entry_is_repaired_by_the_next_push(self, tmp_path: Path) -> None:
        """Killed after any number of entries, the next run ends as an undisturbed one."""
        entries = people(self.addresses)
        for survived in (0, 1, len(entries) // 2, len(entries) - 1):
            place = tmp_path / str(survived)
            place.mkdir()
            self.known(place, self.addresses)
            self._killed(place, entries, survived)
            tally = self._pushed(place, entries, known=False)

            assert not tally.missed(), f"killed after {survived} entries, the next push did not mend it"
            assert self._states(place, entries).isdisjoint({Remote.MAILABLE, Remote.UNKNOWN})

    def test_a_kill_never_makes_anyone_mailable(self, tmp_path: Path) -> None:
        """Whoever was suppressed before a killed run is suppressed after it."""
        entries = people(self.addresses)
        early, late = entries[::2], entries
        self._pushed(tmp_path, early)
        self._killed(tmp_path, late, len(late) // 2)

        assert self._states(tmp_path, early).isdisjoint({Remote.MAILABLE, Remote.UNKNOWN})

    def test_later_pushes_never_suppress_less(self, tmp_path: Path) -> None:
        """What is added later takes nothing away. (A snapshot is handed everyone each time.)"""
        entries = people(self.addresses)
        early, late = entries[::2], entries[1::2]
        self._pushed(tmp_path, early)
        with closing(self.exporter(tmp_path)) as exporter:
            whole = exporter.capabilities.unit is Unit.SNAPSHOT
        self._pushed(tmp_path, entries if whole else late)

        assert self._states(tmp_path, entries).isdisjoint({Remote.MAILABLE, Remote.UNKNOWN})

    def test_a_sweep_shows_everyone_who_is_suppressed(self, tmp_path: Path) -> None:
        """Pages end, and between them hold everyone who was pushed."""
        entries = people(self.addresses)
        self._pushed(tmp_path, entries)
        with closing(self.exporter(tmp_path)) as exporter:
            if not exporter.capabilities.can_list_all:
                return
            swept = {each.address for each in _swept(exporter) if each.state is not Remote.MAILABLE}

        assert {match_key(each) for each in swept} >= {each.key for each in entries}

    def test_nobody_to_suppress_is_fine(self, tmp_path: Path) -> None:
        """An empty ledger exports without fuss."""
        tally = self._pushed(tmp_path, [])

        assert sum(tally.close().values()) == 0

    def test_check_looks_and_writes_nothing(self, tmp_path: Path) -> None:
        """`suppress doctor` may be run at any time."""
        self.known(tmp_path, self.addresses)
        before = self.written(tmp_path)
        with closing(self.exporter(tmp_path)) as exporter:
            findings = list(exporter.check())

        assert findings, "say at least that all is well"
        assert all(isinstance(each, Finding) for each in findings)
        assert self.written(tmp_path) == before, "a check wrote something"

    def test_evidence_holds_no_address(self, tmp_path: Path) -> None:
        """Evidence is kept for years and shown to auditors: digests and ids, never people."""
        entries = people(self.addresses)
        with closing(self.exporter(tmp_path)) as exporter:
            self.known(tmp_path, self.addresses)
            answers = list(exporter.push(_handed(exporter, entries), POSITION))
        evidence = " ".join(repr(each.evidence) for each in answers if isinstance(each, Result))

        assert not [each.seq for each in entries if each.address in evidence or each.key in evidence]

    def test_capabilities_are_declared_whole(self, tmp_path: Path) -> None:
        """What is declared is enough for the engine to drive it."""
        with closing(self.exporter(tmp_path)) as exporter:
            can = exporter.capabilities
        declared = can.config.get("properties", {})

        assert can.unit is not Unit.BATCH or (can.max_batch or 0) > 0, "a batch has a largest size"
        assert can.max_concurrency >= 1
        assert isinstance(declared, dict)
        assert set(can.secrets) <= set(declared), "a secret is one of the declared keys"
        assert can.delivery is not Delivery.JOB or can.unit is not Unit.SNAPSHOT, "a snapshot is no job"

    def test_closing_twice_is_fine(self, tmp_path: Path) -> None:
        """Both an error path and a `with` block may close."""
        exporter = self.exporter(tmp_path)
        exporter.close()
        exporter.close()

    def _pushed(self, place: Path, entries: Sequence[Suppressed], *, known: bool = True) -> Tally:
        if known:
            self.known(place, [each.address for each in entries])
        with closing(self.exporter(place)) as exporter:
            tally = Tally(exporter.name, exporter.capabilities.unit)
            tally.take(exporter.push(tally.handing(_handed(exporter, entries)), POSITION))
            for _ in range(_POLLS):
                if not tally.jobs:
                    break
                jobs, tally.jobs = tally.jobs, []
                tally.take(answer for job in jobs for answer in exporter.poll(job))
        assert not tally.jobs, f"a job was not done after {_POLLS} polls"
        tally.close()
        return tally

    def _killed(self, place: Path, entries: Sequence[Suppressed], survived: int) -> None:
        """Push, and let the process end when entry number `survived` is asked for."""

        def until_killed(handed: Iterable[Suppressed]) -> Iterator[Suppressed]:
            for number, entry in enumerate(handed):
                if number == survived:
                    raise Killed
                yield entry

        with closing(self.exporter(place)) as exporter:
            try:
                for _ in exporter.push(until_killed(_handed(exporter, entries)), POSITION):
                    pass
            except Killed:
                return
        raise AssertionError("the exporter went on after the process had ended")

    def _states(self, place: Path, entries: Sequence[Suppressed]) -> set[Remote]:
        """What reading back shows; a destination that cannot be read shows nothing."""
        with closing(self.exporter(place)) as exporter:
            can = exporter.capabilities
            if not (can.can_read_one or can.can_read_many):
                return set()
            addresses = [each.address for each in entries]
            found = list(exporter.read_back(addresses))
        named = [each.address for each in found]
        assert named == addresses, "read back every address that was asked for, in order"
        return {each.state for each in found}


class SourceContract(ABC):
    """Everything the engine relies on in a source, as tests."""

    now: datetime = datetime(2026, 11, 23, 12, tzinfo=UTC)
    """The clock of the platform that the tests run against."""

    @abstractmethod
    def source(self, place: Path) -> Source:
        """Open the account that lives in `place`."""

    @abstractmethod
    def opted_out(self) -> frozenset[str]:
        """The truth: the match keys of everyone who opted out there and whom any query can show."""

    def test_a_census_finds_exactly_the_truth(self, tmp_path: Path) -> None:
        """Nobody who opted out is missing, deleted or not, and nobody else is called opted out."""
        pages, _ = self._pulled(tmp_path, Census())

        assert _opted_out(pages) == self.opted_out()

    def test_a_census_adds_up(self, tmp_path: Path) -> None:
        """The summary comes last, is complete, and its rows are the pages' rows."""
        pages, summary = self._pulled(tmp_path, Census())

        assert summary.complete, f"incomplete: {summary.problems}"
        assert not summary.problems
        assert summary.rows == sum(page.rows for page in pages)
        assert summary.requests > 0

    def test_a_window_finds_nobody_else(self, tmp_path: Path) -> None:
        """A window shows part of the truth and nothing but the truth."""
        with closing(self.source(tmp_path)) as source:
            window = source.window(None, self.now)
        pages, _ = self._pulled(tmp_path, window)

        assert _opted_out(pages) <= self.opted_out()

    def test_windows_follow_one_another_without_a_gap(self, tmp_path: Path) -> None:
        """The next window begins no later than the last one ended, and none ends in the future."""
        with closing(self.source(tmp_path)) as source:
            first = source.window(None, self.now)
            second = source.window(first.before, self.now + timedelta(days=1))

        assert first.after <= first.before <= self.now
        assert second.after <= first.before <= second.before, "an opt-out between two windows would be lost"

    def test_pulling_again_shows_the_same_people(self, tmp_path: Path) -> None:
        """A repeated run finds the same requests, under the same fingerprints."""
        first, _ = self._pulled(tmp_path, Census())
        again, _ = self._pulled(tmp_path, Census())

        assert _fingerprints(first) == _fingerprints(again)

    def test_people_carry_the_source_name(self, tmp_path: Path) -> None:
        """The ledger names the account, not the platform."""
        pages, _ = self._pulled(tmp_path, Census())
        with closing(self.source(tmp_path)) as source:
            name, platform = source.name, source.platform

        assert {each.source for page in pages for each in page.observed} <= {name}
        assert platform == platform.lower()

    def test_check_says_how_it_is(self, tmp_path: Path) -> None:
        """`suppress doctor` has something to show."""
        with closing(self.source(tmp_path)) as source:
            findings = list(source.check())

        assert findings
        assert all(isinstance(each, Finding) for each in findings)

    def test_closing_twice_is_fine(self, tmp_path: Path) -> None:
        """Both an error path and a `with` block may close."""
        source = self.source(tmp_path)
        source.close()
        source.close()

    def _pulled(self, place: Path, what: Window | Census) -> tuple[list[Page], Summary]:
        with closing(self.source(place)) as source:
            *pages, last = source.pull(what)
        assert isinstance(last, Summary), "a pull ends with its summary"
        assert all(isinstance(page, Page) for page in pages), "there is one summary, at the end"
        return [page for page in pages if isinstance(page, Page)], last


def _opted_out(pages: Iterable[Page]) -> frozenset[str]:
    return frozenset(
        each.address.key
        for page in pages
        for each in page.observed
        if each.permission is Permission.OPTED_OUT and each.address is not None
    )


def _fingerprints(pages: Iterable[Page]) -> set[tuple[str, ...]]:
    return {
        (each.address.key if each.address else "", each.permission.value, *each.fingerprint)
        for page in pages
        for each in page.observed
    }


def _handed(exporter: Exporter, entries: Sequence[Suppressed]) -> Iterator[Suppressed]:
    """In the order that the engine uses: a snapshot sorted by key, everything else newest first."""
    return iter(entries) if exporter.capabilities.unit is Unit.SNAPSHOT else reversed(entries)


def _swept(exporter: Exporter) -> Iterator[Observation]:
    cursor = None
    for _ in range(_POLLS):
        page, cursor = exporter.sweep(cursor)
        yield from page
        if cursor is None:
            return
    raise AssertionError(f"a sweep did not end after {_POLLS} pages")

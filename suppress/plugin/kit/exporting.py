"""The contract of any exporter, as tests."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from suppress.core.address import match_key
from suppress.errors import DestinationFailed
from suppress.plugin.contract import (
    Delivery,
    Exporter,
    Finding,
    Intent,
    Job,
    Observation,
    Outcome,
    Remote,
    Result,
    Suppressed,
    Unit,
)
from suppress.plugin.kit.entries import HOSTILE, POSITION, people
from suppress.plugin.tally import Tally

_POLLS = 1_000
"""How often a job is asked for before the test calls it stuck."""


class Killed(BaseException):
    """Stands for the process ending; no `except Exception` of a plugin may swallow it."""


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

    def test_a_job_may_be_asked_for_by_the_next_run(self, tmp_path: Path) -> None:
        """The engine keeps the token; whoever sent it has ended, and what it knew is known no longer."""
        entries = people(self.addresses)
        self.known(tmp_path, self.addresses)
        with closing(self.exporter(tmp_path)) as exporter:
            if exporter.capabilities.delivery is not Delivery.JOB:
                return
            pushed = list(exporter.push(in_order(exporter, entries), POSITION))
        said = self._asked_for(tmp_path, [each for each in pushed if isinstance(each, Job)])
        taken = [each.address for each in said if each.outcome in (Outcome.SUPPRESSED, Outcome.ALREADY)]

        assert {each.address for each in said} <= {each.address for each in entries}, "a job named a stranger"
        assert not [each for each in taken if self.mails(tmp_path, each)], (
            "somebody was claimed who is mailed"
        )
        assert not self._pushed(tmp_path, entries, known=False).missed(), "the push after it did not mend it"

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
            found = {each.address for each in swept(exporter) if each.state is not Remote.MAILABLE}

        assert {match_key(each) for each in found} >= {each.key for each in entries}

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
            answers = list(exporter.push(in_order(exporter, entries), POSITION))
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
            tally.take(exporter.push(tally.handing(in_order(exporter, entries)), POSITION))
            for _ in range(_POLLS):
                if not tally.jobs:
                    break
                jobs, tally.jobs = tally.jobs, []
                tally.take(answer for job in jobs for answer in exporter.poll(job))
        assert not tally.jobs, f"a job was not done after {_POLLS} polls"
        tally.close()
        return tally

    def _asked_for(self, place: Path, jobs: Sequence[Job]) -> list[Result]:
        """What a new run hears of these jobs; one that is gone there is told anew, so that is no fault."""
        said: list[Result] = []
        with closing(self.exporter(place)) as exporter:
            for _ in range(_POLLS):
                waiting, jobs = jobs, []
                for job in waiting:
                    with contextlib.suppress(DestinationFailed):
                        answers = list(exporter.poll(job))
                        said += [each for each in answers if isinstance(each, Result)]
                        jobs += [each for each in answers if isinstance(each, Job)]
        assert not jobs, f"a job was not done after {_POLLS} polls"
        return said

    def _killed(self, place: Path, entries: Sequence[Suppressed], survived: int) -> None:
        """Push, and let the process end when entry number `survived` is asked for."""

        def until_killed(handed: Iterable[Suppressed]) -> Iterator[Suppressed]:
            for number, entry in enumerate(handed):
                if number == survived:
                    raise Killed
                yield entry

        with closing(self.exporter(place)) as exporter:
            try:
                for _ in exporter.push(until_killed(in_order(exporter, entries)), POSITION):
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


def in_order(exporter: Exporter, entries: Sequence[Suppressed]) -> Iterator[Suppressed]:
    """These entries as the engine hands them over: a snapshot's sorted by key, all others newest first."""
    return iter(entries) if exporter.capabilities.unit is Unit.SNAPSHOT else reversed(entries)


def swept(exporter: Exporter) -> Iterator[Observation]:
    """Everyone whom a sweep shows, to its end."""
    cursor = None
    for _ in range(_POLLS):
        page, cursor = exporter.sweep(cursor)
        yield from page
        if cursor is None:
            return
    raise AssertionError(f"a sweep did not end after {_POLLS} pages")

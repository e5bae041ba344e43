"""Two programs at once over one ledger: as if one had run after the other; nothing lost, nothing twice.

The programs are the installed `suppress`. What must overlap is made to: a sync waits at its second page until
the other program is done, or both share the pace of one API key and so take turns.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import pytest

from suppress.audit import verify
from suppress.core.address import match_key
from suppress.core.entry import Disclosed, ImportDone, OptOutRecorded, SyncDone
from suppress.platforms.constant_contact.simulator import Limits, People, Scenario, Simulator
from tests.conftest import Command, Done
from tests.ledger.making import Place

pytestmark = pytest.mark.both_back_ends

PEOPLE = People(active=4, unsubscribed=14, unsubscribed_deleted=6, unsubscribed_cleaned=4)
ACCOUNT = Scenario(people=PEOPLE, limits=replace(Limits(), rows_per_page=6))
Facts = Counter[tuple[str, str, str, datetime | None]]


@dataclass(frozen=True, slots=True)
class Desk:
    """A folder with a ledger, where programs run over one source."""

    place: Place
    platform: Simulator
    command: Command

    def __call__(self, *arguments: str | Path, state: str = "state") -> Done:
        """One run. Another `state` is that of another machine."""
        settings = "SUPPRESS_SOURCES__MAIN__"
        env = {
            f"{settings}PLATFORM": "constant-contact",
            f"{settings}API_URL": self.platform.url,
            f"{settings}ACCESS_TOKEN": self.platform.token,
            "XDG_STATE_HOME": str(self.place.folder / state),
        }
        return self.command(*arguments, env=env, cwd=self.place.folder)

    def both(self, *runs: Callable[[], Done]) -> list[Done]:
        """At once."""
        with ThreadPoolExecutor() as pool:
            return [future.result() for future in [pool.submit(run) for run in runs]]

    def facts(self) -> Facts:
        """What is on record of people: address, source, reason and date of every entry about one."""
        found: Facts = Counter()
        with self.place.open() as ledger:
            for entry in ledger.entries():
                if isinstance(entry.body, OptOutRecorded):
                    payload = ledger.payload(entry.seq) or {}
                    told = entry.body
                    found[str(payload["address"]), told.source, told.reason, told.occurred_at] += 1
        return found

    def records(self, kind: type[SyncDone] | type[ImportDone] | type[Disclosed]) -> int:
        """How many runs of a kind are on record."""
        with self.place.open() as ledger:
            return sum(isinstance(entry.body, kind) for entry in ledger.entries())

    def suppressed(self) -> set[str]:
        with self.place.open() as ledger:
            return {each.key for each in ledger.suppressed()}

    def sound(self) -> bool:
        return verify(self.place.url, keys=self.place.keys).ok


@contextmanager
def desk(folder: Path, platform: Simulator) -> Iterator[Desk]:
    folder.mkdir()
    yield Desk(Place(folder).create(), platform, Command(folder))


@pytest.fixture
def platform() -> Iterator[Simulator]:
    with Simulator(ACCOUNT) as simulator:
        yield simulator


def old_list(folder: Path, name: str, people: range) -> Path:
    """A list of opt-outs with their dates, as another platform gave it."""
    path = folder / name
    rows = "".join(f"old{number}@example.com,2024-03-05 10:00:00\n" for number in people)
    path.write_text(f"Email address,Unsubscribed at\n{rows}")
    return path


def importing(where: Desk, path: Path) -> Callable[[], Done]:
    mapping = ["--map", "email=Email address,date=Unsubscribed at"]
    return lambda: where("import", path, *mapping, "--source", "old")


def test_two_syncs_at_once_record_everybody_once(platform: Simulator, tmp_path: Path) -> None:
    """As one after the other would: the second one finds nobody new."""
    with desk(tmp_path / "a", platform) as where:
        done = where.both(
            lambda: where("sync", "--full", "--json"),
            lambda: where("sync", "--full", "--json", state="another-machine"),
        )

        assert [0, 0] == [each.exit_code for each in done], [each.err for each in done]
        told = [each.json()["sources"][0]["opt_outs"] for each in done]
        assert {match_key(address): 1 for address in platform.truth()} == Counter(
            match_key(address) for address, *_ in where.facts().elements()
        )
        assert 24 == sum(each["new"] for each in told)
        assert [24, 24] == [each["observed"] for each in told]
        assert 2 == where.records(SyncDone)
        assert where.sound()


def test_a_list_is_imported_in_the_middle_of_a_sync(platform: Simulator, tmp_path: Path) -> None:
    """Both are recorded whole, and people in both have both on record."""
    with desk(tmp_path / "a", platform) as where:
        shared = sorted(platform.truth())[:4]
        path = old_list(where.place.folder, "old.csv", range(5))
        path.write_text(path.read_text() + "".join(f"{each},2023-01-02 10:00:00\n" for each in shared))
        imported: list[Done] = []
        platform.before_page(2, lambda _: imported.append(importing(where, path)()))
        synced = where("sync", "--full", "--json")

        assert 0 == synced.exit_code, synced.err
        assert [0] == [each.exit_code for each in imported], imported
        own = Counter(source for _, source, *_ in where.facts().elements())
        assert (24, 9) == (own["main"], own["old"])
        expected = platform.truth() | {f"old{number}@example.com" for number in range(5)}
        assert {match_key(address) for address in expected} == where.suppressed()
        assert (1, 1) == (where.records(SyncDone), where.records(ImportDone))
        assert where.sound()


def test_two_lists_at_once_are_as_one_after_the_other(platform: Simulator, tmp_path: Path) -> None:
    """Half of the people are in both, with the same facts."""
    with desk(tmp_path / "a", platform) as where, desk(tmp_path / "b", platform) as serial:
        lists = [old_list(tmp_path, "one.csv", range(400)), old_list(tmp_path, "two.csv", range(200, 600))]
        done = where.both(*(importing(where, each) for each in lists))
        after = [importing(serial, each)() for each in lists]

        assert [0] * 4 == [each.exit_code for each in (*done, *after)], done
        assert serial.facts() == where.facts()
        assert 600 == len(where.suppressed())
        assert 2 == where.records(ImportDone)
        assert where.sound()


def test_an_export_in_the_middle_of_a_sync_is_of_one_moment(platform: Simulator, tmp_path: Path) -> None:
    """Of the moment when the first page was recorded, and the second one not asked for."""
    with desk(tmp_path / "a", platform) as where:
        told: list[tuple[Done, set[str]]] = []
        path = where.place.folder / "out.csv"

        def export(_: Simulator) -> None:
            told.append((where("export", "csv", "-o", path), where.suppressed()))

        platform.before_page(2, export)
        synced = where("sync", "--full")

        ((exported, held),) = told
        assert (0, 0) == (synced.exit_code, exported.exit_code), (synced.err, exported.err)
        with path.open(newline="") as file:
            rows = {match_key(next(iter(row.values()))) for row in csv.DictReader(file)}
        assert rows == held
        assert 6 == len(rows)
        assert {match_key(address) for address in platform.truth()} == where.suppressed()
        assert 1 == where.records(Disclosed)
        assert where.sound()

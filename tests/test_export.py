"""Export: told, read back, and only then recorded; nothing leaves without purpose and record."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suppress.cli.console import Screen
from suppress.cli.exported import draw
from suppress.config import DestinationSettings
from suppress.core.address import Address
from suppress.core.canonical import timestamp
from suppress.core.entry import Body, DestinationChanged, Disclosed, Honoured, OptOutRecorded
from suppress.core.suppression import Consent, Reason, Scope
from suppress.errors import BadUsage, DestinationFailed
from suppress.export import BASIS, PURPOSES, ExportResult, export, receipts
from suppress.export import run as run_module
from suppress.ledger import Event, Grounds, Ledger, Listed, Receipt
from suppress.platforms.csv_file import CsvFile
from suppress.plugin.contract import Delivery, Exporter, Unit
from tests.conftest import Command
from tests.ledgers import ledger_with, opt_out, told
from tests.plugin.memory import BATCH, JOBS, RECORD, SNAPSHOT, WRITE_ONLY, Ended, Memory, Server

pytestmark = pytest.mark.both_back_ends

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
MEMORY = DestinationSettings("memory", "memory")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """Three people, the last of them the newest."""
    url = ledger_with(tmp_path, *(aged(name, day) for day, name in enumerate("abc")))
    with Ledger.open(url, keys=tmp_path / "suppress.keys") as opened:
        yield opened


def aged(name: str, day: int) -> Any:
    """A person who opted out so many days after the fifth of January."""
    return opt_out(f"{name}@example.com", occurred_at=START + timedelta(days=day))


def run(
    ledger: Ledger, exporter: Exporter, settings_: DestinationSettings = MEMORY, **options: Any
) -> ExportResult:
    """One export for the usual purpose; jobs are waited for in no time."""
    given_: dict[str, Any] = {"purpose": "suppression compliance", "recipient": "Acme CRM"} | options
    return export(
        ledger, exporter, settings_, actor="test", wait=given_.pop("wait", lambda _: None), **given_
    )


def to_file(ledger: Ledger, file: Path, **changes: Any) -> ExportResult:
    """One export to a CSV file."""
    settings_ = replace(DestinationSettings("file", "csv", options={"path": str(file)}), **changes)
    return run(ledger, CsvFile(settings_), settings_)


def bodies(ledger: Ledger, *kinds: type[Body]) -> list[Any]:
    """The entries of these kinds, in order."""
    return [entry.body for entry in ledger.entries() if isinstance(entry.body, kinds)]


def emails(file: Path) -> list[str]:
    """The first column."""
    return [row["email"] for row in csv.DictReader(io.StringIO(file.read_text(), newline=""))]


class Spy:
    """A ledger that can be told to lie or to end the process; everything else is the real one's."""

    def __init__(self, ledger: Ledger, **replaced: Any) -> None:
        self._ledger, self._replaced = ledger, replaced

    def __getattr__(self, name: str) -> Any:
        return self._replaced.get(name) or getattr(self._ledger, name)


# --- A file ------------------------------------------------------------------------------------------------


def test_a_file_holds_everyone_who_may_not_be_mailed_and_leaves_a_receipt(
    ledger: Ledger, tmp_path: Path
) -> None:
    """New destination, disclosure, and what it now holds: in one append, after the file is verified."""
    size = ledger.head().size
    result = to_file(ledger, tmp_path / "list.csv")
    changed, disclosed, honoured = bodies(ledger, DestinationChanged, Disclosed, Honoured)

    assert ["a@example.com", "b@example.com", "c@example.com"] == emails(tmp_path / "list.csv")
    assert DestinationChanged("file", "csv", "added") == changed
    assert (
        Disclosed("file", "Acme CRM", "suppression compliance", "plain", 3, str(result.artefact), BASIS)
        == disclosed
    )
    told = Honoured("file", size - 1, str(result.artefact), 3, (), verified=True)
    assert honoured == replace(
        told, sent=3, accepted=3, confirmed=3, pushed_at=result.pushed_at, confirmed_at=result.confirmed_at
    )
    assert (True, 3, {"suppressed": 3}, size + 2, None) == (
        result.verified,
        result.count,
        result.outcomes,
        result.receipt,
        result.failure,
    )


def test_the_receiver_is_shown_a_checkpoint_that_the_ledger_keeps(ledger: Ledger, tmp_path: Path) -> None:
    """So that the file is a witness: its checkpoint can be compared with the ledger for ever."""
    result = to_file(ledger, tmp_path / "list.csv")
    manifest = json.loads((tmp_path / "list.csv.manifest.json").read_bytes())

    assert {
        "size": result.position.size,
        "root": result.position.root,
        "checkpoint": result.position.checkpoint,
    } == manifest["ledger"]
    assert result.position.checkpoint.splitlines()[1] == str(result.position.size)


@given(st.permutations(range(6)), st.integers(1, 5))
@settings(max_examples=12, deadline=None)
def test_equal_standings_give_equal_files(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], cut: int
) -> None:
    """In whatever order and in however many steps people were recorded."""
    files = []
    crowd = [aged(f"p{number}", number) for number in range(6)]
    for people in (crowd, [crowd[number] for number in order]):
        folder = tmp_path_factory.mktemp("ledger")
        with Ledger.open(ledger_with(folder, *people[:cut]), keys=folder / "suppress.keys") as ledger:
            told(ledger, *people[cut:])
            to_file(ledger, folder / "list.csv")
        files.append((folder / "list.csv").read_bytes())

    assert files[0] == files[1]


def test_a_repeated_export_is_recorded_again_but_the_destination_is_not_new(
    ledger: Ledger, tmp_path: Path
) -> None:
    """Each time the list leaves is an event; being added is one only once."""
    first, second = (to_file(ledger, tmp_path / "list.csv") for _ in range(2))

    assert first.artefact == second.artefact
    assert ["added"] == [each.change for each in bodies(ledger, DestinationChanged)]
    assert 2 == len(bodies(ledger, Disclosed)) == len(bodies(ledger, Honoured))


def test_settings_that_change_are_recorded_also_when_they_change_back(ledger: Ledger, tmp_path: Path) -> None:
    """Auditors ask since when a destination was fed as it is; a flag for one run is no change of settings."""
    file = tmp_path / "list.csv"
    plain = {"path": str(file)}
    for options in (plain, {**plain, "preset": "ses"}, plain, plain):
        to_file(ledger, file, options=options)
    to_file(ledger, file, options={**plain, "preset": "ses"}, origins={"preset": "--preset"})
    to_file(ledger, file, options={**plain, "api_key": "s3cr3t"})
    to_file(ledger, file, sender="Acme")

    assert ["added", "reconfigured", "reconfigured", "reconfigured"] == [
        each.change for each in bodies(ledger, DestinationChanged)
    ]


def test_a_consent_takes_a_person_off_the_next_file_and_an_opt_out_puts_them_back(
    ledger: Ledger, tmp_path: Path
) -> None:
    """Nothing is deleted anywhere: the standing decides."""
    seen = []
    consent = Consent(Address.parse("b@example.com"), "office", START + timedelta(days=30))
    for event in (None, consent, aged("b", 60)):
        if event is not None:
            ledger.append([event], actor="test")
        to_file(ledger, tmp_path / "list.csv")
        seen.append(len(emails(tmp_path / "list.csv")))

    assert [3, 2, 3] == seen


def test_a_destination_of_one_sender_gets_its_own_people(tmp_path: Path) -> None:
    """And whoever opted out of everything; another brand's list is none of its business."""
    people = [
        opt_out("all@example.com"),
        opt_out("acme@example.com", scope=Scope("Acme")),
        opt_out("news@example.com", scope=Scope("Acme", "News")),
        opt_out("other@example.com", scope=Scope("Other")),
    ]
    with Ledger.open(ledger_with(tmp_path, *people), keys=tmp_path / "suppress.keys") as ledger:
        to_file(ledger, tmp_path / "list.csv", sender="Acme")

    assert ["acme@example.com", "all@example.com", "news@example.com"] == emails(tmp_path / "list.csv")


@pytest.mark.parametrize(
    ("spelled", "expected"),
    [
        ("Pat@Example.com", "Pat@Example.com"),
        ("\u200b Pat@Example.com \ufeff\r\n", "Pat@Example.com"),
        ("Pat Doe <Pat@Example.com>", "Pat@Example.com"),
        ("mailto:Pat@Example.com?subject=x", "Pat@Example.com"),
        ("=Pat@Example.com", "=Pat@Example.com"),
        ('"pat doe"@example.com', '"pat doe"@example.com'),
    ],
)
def test_addresses_are_written_as_they_were_first_spelled(
    tmp_path: Path, spelled: str, expected: str
) -> None:
    """Without what stands around them, which no importer takes."""
    with Ledger.open(ledger_with(tmp_path, spelled), keys=tmp_path / "suppress.keys") as ledger:
        to_file(ledger, tmp_path / "list.csv")

    assert [expected] == emails(tmp_path / "list.csv")


def test_an_empty_ledger_gives_an_empty_file(tmp_path: Path) -> None:
    """With a header, a manifest and a receipt: nobody is a fact too."""
    with Ledger.open(ledger_with(tmp_path, "a@example.com"), keys=tmp_path / "suppress.keys") as ledger:
        ledger.append(
            [Consent(Address.parse("a@example.com"), "x", START + timedelta(days=999))], actor="test"
        )
        result = to_file(ledger, tmp_path / "list.csv")

    assert ([], 0, True) == (emails(tmp_path / "list.csv"), result.count, result.verified)


def test_a_kill_between_file_and_receipt_is_repaired_by_the_next_run(ledger: Ledger, tmp_path: Path) -> None:
    """The file is there without a receipt; never a receipt without the file."""

    def dies(_events: Sequence[Event], *, actor: str) -> tuple[Receipt, ...]:
        assert emails(tmp_path / "list.csv"), "the receipt came before the file"
        raise Ended

    size = ledger.head().size
    with pytest.raises(Ended):
        to_file(Spy(ledger, append=dies), tmp_path / "list.csv")  # type: ignore[arg-type]  # a ledger's stand-in
    assert size == ledger.head().size
    before = (tmp_path / "list.csv").read_bytes()
    to_file(ledger, tmp_path / "list.csv")

    assert before == (tmp_path / "list.csv").read_bytes()
    assert 1 == len(bodies(ledger, Honoured))


def test_one_address_of_two_subjects_is_told_once(ledger: Ledger, tmp_path: Path) -> None:
    """As it can be after a change of the index key."""

    def doubled(**options: Any) -> Iterator[Listed]:
        for each in ledger.suppressed(**options):
            yield each
            yield replace(each, subject="another")

    result = to_file(Spy(ledger, suppressed=doubled), tmp_path / "list.csv")  # type: ignore[arg-type]  # a stand-in

    assert 3 == result.count


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [(SNAPSHOT, [(2, None)]), (BATCH, [(1, 3), (3, 3)])],
    ids=["snapshot", "parts"],
)
def test_long_exports_say_how_far_they_are(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, capabilities: Any, expected: list[tuple[int, int | None]]
) -> None:
    """A file's length is not known until it is written; parts are."""
    monkeypatch.setattr(run_module, "PART", 2)
    seen: list[tuple[int, int | None]] = []
    run(ledger, Memory(Server(), capabilities), progress=lambda done, total: seen.append((done, total)))

    assert sorted(expected) == sorted(seen)


# --- Purpose and recipient ---------------------------------------------------------------------------------


@pytest.mark.parametrize("purpose", ["marketing", "", "lookalike audience", "Suppression Compliance "])
def test_only_compliance_is_a_purpose(ledger: Ledger, tmp_path: Path, purpose: str) -> None:
    """15 U.S.C. 7704(a)(4)(A)(iv): the address may not be released for anything else. Nothing happens."""
    size = ledger.head().size
    with pytest.raises(BadUsage) as refused:
        run(ledger, Memory(Server(), SNAPSHOT), purpose=purpose)

    assert refused.value.remedy is not None
    assert all(each in refused.value.remedy for each in PURPOSES)
    assert size == ledger.head().size


@pytest.mark.parametrize("recipient", ["bob@broker.example", " ", "a\nb"])
def test_a_recipient_is_no_person(ledger: Ledger, recipient: str) -> None:
    """It is written into the ledger for good."""
    with pytest.raises(BadUsage, match="organisation or system"):
        run(ledger, Memory(Server(), SNAPSHOT), recipient=recipient)


@pytest.mark.parametrize("purpose", sorted(PURPOSES))
def test_each_admitted_purpose_is_recorded(ledger: Ledger, purpose: str) -> None:
    """The disclosure log says why."""
    run(ledger, Memory(Server(), SNAPSHOT), purpose=purpose)

    assert [purpose] == [each.purpose for each in bodies(ledger, Disclosed)]


# --- Dry run -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "capabilities", [SNAPSHOT, BATCH, RECORD, JOBS], ids=["snapshot", "batch", "record", "job"]
)
def test_a_dry_run_writes_nothing_anywhere(ledger: Ledger, capabilities: Any) -> None:
    """Neither at the destination nor in the ledger."""
    server, size = Server(), ledger.head().size
    result = run(ledger, Memory(server, capabilities), dry_run=True)

    assert (True, 3, {"suppress": 3}) == (result.dry_run, result.count, result.outcomes)
    assert (None, None, None) == (result.receipt, result.upto, result.artefact)
    assert ({}, [], size) == (server.suppressed, server.received, ledger.head().size)


# --- Destinations that do not do as they are told ----------------------------------------------------------


@pytest.mark.parametrize(
    ("capabilities", "fault"),
    [
        (SNAPSHOT, "accepts and forgets"),
        (SNAPSHOT, "cannot be read"),
        (SNAPSHOT, "is silent about one"),
        (SNAPSHOT, "ends without a snapshot"),
        (SNAPSHOT, "answers twice"),
        (BATCH, "is silent about one"),
        (BATCH, "answers twice"),
        (BATCH, "answers for a stranger"),
        (BATCH, "reads back in disorder"),
        (BATCH, "reads back too few"),
    ],
)
def test_an_answer_that_does_not_add_up_leaves_no_receipt(
    ledger: Ledger, capabilities: Any, fault: str
) -> None:
    """Nothing is taken as done because nothing was said about it."""
    with pytest.raises(DestinationFailed):
        run(ledger, Memory(Server(), capabilities, frozenset({fault})))

    assert [] == bodies(ledger, Honoured)


@pytest.mark.parametrize("capabilities", [SNAPSHOT, BATCH], ids=["snapshot", "batch"])
def test_a_plugin_that_breaks_is_a_failed_destination(ledger: Ledger, capabilities: Any) -> None:
    """Not an internal error of ours; and its own words, which may hold a token, are left out."""
    with pytest.raises(DestinationFailed) as failed:
        run(ledger, Memory(Server(), capabilities, frozenset({"breaks"})))

    assert "the plugin of 'memory' broke: KeyError" in failed.value.message
    assert "s3cr3t" not in failed.value.message


def test_a_snapshot_for_an_exporter_of_batches_is_refused(ledger: Ledger) -> None:
    """What a plugin declares is held against it."""
    exporter = Memory(Server(), SNAPSHOT)

    class Lying(Memory):
        def push(self, entries: Any, position: Any) -> Any:
            return exporter.push(entries, position)

    with pytest.raises(DestinationFailed, match="a snapshot that was not asked for"):
        run(ledger, Lying(Server(), BATCH))


def test_what_cannot_be_read_back_is_not_called_verified(ledger: Ledger) -> None:
    """It was taken, by the destination's own word; the receipt says no more than that."""
    for capabilities in (WRITE_ONLY, replace(WRITE_ONLY, unit=Unit.SNAPSHOT)):
        result = run(
            ledger, Memory(Server(), capabilities), replace(MEMORY, platform=capabilities.unit.value)
        )

        assert (False, None) == (result.verified, result.failure)
    assert {False} == {each.verified for each in bodies(ledger, Honoured)}


def test_reading_back_too_early_is_neither_proof_nor_failure(ledger: Ledger) -> None:
    """A destination that takes hours to obey is looked at again by a patrol."""
    eventual = replace(BATCH, delivery=Delivery.EVENTUAL)
    result = run(ledger, Memory(Server(), eventual, frozenset({"accepts and forgets"})))

    assert (False, None, ()) == (result.verified, result.failure, result.failed)


def test_addresses_that_a_destination_does_not_know_are_not_mailed_there(ledger: Ledger) -> None:
    """Skipping them is as good as suppressing them, and reading back shows it."""
    result = run(ledger, Memory(Server(unknown={"b@example.com"})))

    assert ({"skipped_unknown": 1, "suppressed": 2}, True, None) == (
        result.outcomes,
        result.verified,
        result.failure,
    )


# --- Destinations that are told person by person -----------------------------------------------------------


@pytest.mark.parametrize("capabilities", [BATCH, RECORD, JOBS], ids=["batch", "record", "job"])
def test_everyone_is_told_newest_first_and_later_only_who_is_new(ledger: Ledger, capabilities: Any) -> None:
    """The newest request has the least time left that matters; the others were told already."""
    server = Server()
    size = ledger.head().size
    run(ledger, Memory(server, capabilities))
    first = [key[0] for batch in server.received for key in batch]
    told(ledger, aged("d", 9))
    run(ledger, Memory(server, capabilities))
    run(ledger, Memory(server, capabilities))
    uptos = [each.upto for each in bodies(ledger, Honoured)]

    assert ["c", "b", "a"] == first
    assert ["c", "b", "a", "d"] == [key[0] for batch in server.received for key in batch]
    assert size - 1 == uptos[1]
    assert uptos == sorted(uptos)
    assert [3, 1] == [each.count for each in bodies(ledger, Disclosed)]


def test_what_a_person_asked_again_after_a_consent_is_told_again(ledger: Ledger) -> None:
    """Even if the entry that stands is the old one: the destination may have been released meanwhile."""
    server = Server()
    ledger.append([Consent(Address.parse("a@example.com"), "x", START + timedelta(days=30))], actor="test")
    run(ledger, Memory(server))
    assert "a@example.com" not in server.suppressed
    told(ledger, aged("a", 60))
    run(ledger, Memory(server))

    assert "a@example.com" in server.suppressed


def test_a_person_who_is_refused_stays_an_exception_until_taken(ledger: Ledger) -> None:
    """All their requests are listed, the run fails, and the next one tells them again and nobody else."""
    told(ledger, aged("b", 5))
    server = Server(rejects={"b@example.com"})
    first = run(ledger, Memory(server))
    requests = {
        entry.seq
        for recorded in [ledger.history(Address.parse("b@example.com"))]
        for entry in (each.entry for each in recorded)
        if isinstance(entry.body, OptOutRecorded)
    }
    server.received.clear()
    second = run(ledger, Memory(server))
    server.rejects.clear()
    third = run(ledger, Memory(server))

    assert 2 == len(requests)
    assert requests == set(first.failed) == set(second.failed) == set(bodies(ledger, Honoured)[1].failed)
    assert [["b@example.com"]] * 2 == server.received
    assert isinstance(first.failure, DestinationFailed)
    assert "1 of 3 people" in first.failure.message
    assert ((), None) == (third.failed, third.failure)


def test_a_destination_that_forgets_is_found_by_reading_back(ledger: Ledger) -> None:
    """Accepted is not suppressed."""
    result = run(ledger, Memory(Server(), BATCH, frozenset({"accepts and forgets"})))

    assert (False, 3) == (result.verified, len(result.failed))
    assert result.failure is not None


def test_a_killed_run_goes_on_where_it_was(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts that are done are not told again, even if somebody new came first; at most one part is lost."""
    monkeypatch.setattr(run_module, "PART", 2)
    told(ledger, *(aged(name, day) for day, name in enumerate("defg", start=3)))
    server = Server(dies_after=3)
    with pytest.raises(Ended):
        run(ledger, Memory(server))
    assert 4 == len(bodies(ledger, Disclosed)), "what may have left is on record before it leaves"
    told(ledger, aged("h", 9))
    server.dies_after = None
    result = run(ledger, Memory(server))
    times = [key[0] for batch in server.received for key in batch]

    assert sorted("abcdefgh") == sorted(key[0] for key in server.suppressed)
    assert {"d": 1, "f": 1} == {name: times.count(name) for name in "df"}
    assert (8, True, None) == (result.count, result.verified, result.failure)
    assert 5 == result.outcomes["already"], "four whose part was done, and g, whose part h has joined"


def test_a_run_that_was_killed_before_its_first_receipt_begins_anew(ledger: Ledger) -> None:
    """The disclosure is on record; nothing is taken as told."""
    server = Server(dies_after=0)
    with pytest.raises(Ended):
        run(ledger, Memory(server))
    server.dies_after = None
    result = run(ledger, Memory(server))

    assert (3, None) == (len(server.suppressed), result.failure)
    assert 2 == len(bodies(ledger, Disclosed))


def test_a_part_with_exceptions_is_told_again_after_a_kill(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its receipt does not cover everyone in it."""
    monkeypatch.setattr(run_module, "PART", 2)
    server = Server(rejects={"c@example.com"}, dies_after=1)
    with pytest.raises(Ended):
        run(ledger, Memory(server))
    server.dies_after, server.rejects = None, set()
    result = run(ledger, Memory(server))

    assert (None, 3) == (result.failure, len(server.suppressed))


def test_changed_settings_tell_everyone_again_also_after_a_kill(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another audience knows nobody yet; receipts of the old one count for nothing."""
    monkeypatch.setattr(run_module, "PART", 2)
    run(ledger, Memory(Server()))
    other, elsewhere = replace(MEMORY, options={"audience": "b2"}), Server(dies_after=1)
    with pytest.raises(Ended):
        run(ledger, Memory(elsewhere), other)
    elsewhere.dies_after = None
    run(ledger, Memory(elsewhere), other)

    assert ["a", "b", "c"] == sorted(key[0] for key in elsewhere.suppressed)
    assert ["added", "reconfigured"] == [each.change for each in bodies(ledger, DestinationChanged)]


def test_jobs_are_asked_for_until_they_are_done(ledger: Ledger) -> None:
    """At the time that the destination names."""
    waited: list[datetime] = []
    server = Server(polls_needed=5)
    result = run(ledger, Memory(server, JOBS), wait=waited.append)

    assert (True, 3) == (result.verified, len(server.suppressed))
    assert server.polled >= 5
    assert waited == sorted(waited)
    assert waited


def test_a_job_that_does_not_end_leaves_its_people_untold(ledger: Ledger) -> None:
    """They are exceptions of the receipt; the next run tells them again."""
    server = Server()
    stuck = run(ledger, Memory(server, JOBS, frozenset({"never ends"})))
    mended = run(ledger, Memory(server, JOBS))

    assert ({"pending": 3}, 3) == (stuck.outcomes, len(stuck.failed))
    assert (None, 3) == (mended.failure, len(server.suppressed))


def test_waiting_sleeps_until_the_time_but_never_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """A destination that names next year does not hang the run."""
    slept: list[float] = []
    monkeypatch.setattr("suppress.export.run.time.sleep", slept.append)
    now = datetime.now(UTC)
    for until in (now - timedelta(hours=1), now + timedelta(seconds=30), now + timedelta(days=400)):
        run_module.waited(until)

    assert 0.1 == slept[0]
    assert 20 < slept[1] <= 30
    assert 60 == slept[2]


# --- Erased people -----------------------------------------------------------------------------------------


def erased(ledger: Ledger, *names: str, forget: bool = False) -> set[int]:
    """Erase these people; the entries whose address went."""
    gone: set[int] = set()
    for name in names:
        address = Address.parse(f"{name}@example.com")
        seen = [each.entry.seq for each in ledger.history(address)]
        remove = ledger.forget if forget else ledger.erase
        gone.update(remove(address, Grounds("Art. 17 GDPR"), seen=seen, actor="test").entries)
    return gone


def test_erased_people_are_counted_and_excepted_not_hidden(ledger: Ledger, tmp_path: Path) -> None:
    """Their address is gone, so no list can name them; receipt and manifest say so."""
    gone = erased(ledger, "b")
    result = to_file(ledger, tmp_path / "list.csv")
    manifest = json.loads((tmp_path / "list.csv.manifest.json").read_bytes())

    assert ["a@example.com", "c@example.com"] == emails(tmp_path / "list.csv")
    assert (1, 1) == (manifest["erased"], result.position.erased)
    assert gone == set(result.failed) == set(bodies(ledger, Honoured)[-1].failed)
    assert None is result.failure


def test_a_file_written_after_the_erasure_excepts_them_although_an_older_one_named_them(
    ledger: Ledger, tmp_path: Path
) -> None:
    """A file has only whom it names."""
    to_file(ledger, tmp_path / "list.csv")
    gone = erased(ledger, "b")

    assert gone == set(to_file(ledger, tmp_path / "list.csv").failed)


def test_a_destination_that_was_told_before_the_erasure_holds_them_still(ledger: Ledger) -> None:
    """Records stay where they are: only who was never told is an exception, and nobody is told twice."""
    server = Server()
    run(ledger, Memory(server))
    told(ledger, aged("d", 9))
    gone = erased(ledger, "b", "d")
    result = run(ledger, Memory(server))
    again = run(ledger, Memory(server))
    changed = run(ledger, Memory(server), replace(MEMORY, sender="Acme"))

    (untold,) = gone & set(result.failed)
    assert untold == max(gone)
    assert (untold,) == again.failed == bodies(ledger, Honoured)[2].failed
    assert {"a@example.com", "b@example.com", "c@example.com"} == server.suppressed.keys()
    assert gone == set(changed.failed), "with other settings it is another destination"


def test_forgotten_people_and_those_who_consented_since_are_no_exceptions(
    ledger: Ledger, tmp_path: Path
) -> None:
    """The first are nobody to us any more, the others gave us their address anew."""
    erased(ledger, "a", forget=True)
    erased(ledger, "b")
    address = Address.parse("b@example.com")
    ledger.append([Consent(address, "web form", START + timedelta(days=30), approver="Sam")], actor="test")
    ledger.append([aged("b", 60)], actor="test")
    result = to_file(ledger, tmp_path / "list.csv")

    assert (0, ()) == (result.position.erased, result.failed)
    assert ["b@example.com", "c@example.com"] == emails(tmp_path / "list.csv")


def test_erased_people_never_hold_a_watermark_back(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With more of them than an entry holds, those who can be told come first; the rest is on record."""
    monkeypatch.setattr(receipts, "LISTED", 1)
    monkeypatch.setattr(receipts, "RUNS", 1)
    gone = erased(ledger, "a", "b")
    result = to_file(ledger, tmp_path / "list.csv")
    final = bodies(ledger, Honoured)[-1]

    assert (result.position.size - 1, (max(gone),)) == (final.upto, final.failed)


def test_a_receipt_does_not_let_anybody_guess_an_address(ledger: Ledger) -> None:
    """The digest of a part with one person in it stays in the ledger for good, longer than their address."""
    run(ledger, Memory(Server()))
    told(ledger, aged("d", 9))
    run(ledger, Memory(Server()))
    alone = next(each for each in ledger.suppressed() if each.key == "d@example.com")
    when = timestamp(alone.suppression.latest)
    guesses = {
        hashlib.sha256(f"{text}\0{when}\0{alone.heard}\n".encode()).hexdigest()
        for text in (alone.key, alone.address)
    }

    assert guesses.isdisjoint(body.artefact for body in bodies(ledger, Honoured, Disclosed))


# --- The command -------------------------------------------------------------------------------------------


def test_the_command_needs_no_settings_for_a_file(command: Command) -> None:
    """As the tutorial says; paths belong to the working directory."""
    ledger_with(command.folder, "a@example.com", "b@example.com")
    machine = command("export", "csv", "-o", "list.csv", "--recipient", "Acme CRM", "--json")
    person = command("export", "csv", "-o", "ses.csv", "--preset", "ses")
    facts = machine.json()

    assert (0, 0) == (machine.exit_code, person.exit_code), person.err
    assert "suppress/export@1" == facts["schema"]
    assert (2, {"suppressed": 2}, True, [], "list.csv") == (
        facts["count"],
        facts["outcomes"],
        facts["verified"],
        facts["failed"],
        facts["file"],
    )
    assert ["a@example.com", "b@example.com"] == emails(command.folder / "list.csv")
    assert "everyone is there" in person.out
    assert "Not in it: date, source and scope" in person.out


def test_a_dry_run_of_the_command_says_so(command: Command) -> None:
    """And leaves no file."""
    ledger_with(command.folder, "a@example.com")
    done = command("export", "csv", "-o", "list.csv", "--dry-run")

    assert 0 == done.exit_code
    assert "(dry run: nothing was written)" in done.out
    assert not (command.folder / "list.csv").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["csv"], 2, "export csv needs a file to write"),
        (["csv", "-o", "-"], 2, "it needs a file, not a stream"),
        (["csv", "-o", "gone/list.csv"], 2, "gone/list.csv cannot be written: No such file or directory"),
        (["csv", "-o", "x.csv", "--preset", "hubspt"], 2, "did you mean 'hubspot'?"),
        (["csv", "-o", "x.csv", "--purpose", "marketing"], 2, "'marketing' is no purpose"),
        (["crn"], 2, "there is no destination 'crn'; did you mean 'crm'?; configured: crm, csv"),
        (["crm"], 2, "there is no destination platform 'nowhere'"),
    ],
)
def test_what_cannot_be_exported_ends_with_one_line(
    command: Command, arguments: list[str], code: int, words: str
) -> None:
    """Right exit code, nothing on stdout, nothing left behind."""
    ledger_with(command.folder, "a@example.com")
    env = {"SUPPRESS_DESTINATIONS__CRM__PLATFORM": "nowhere"}
    done = command("export", *arguments, env=env)

    assert (code, "") == (done.exit_code, done.out)
    assert words in done.err
    assert "Traceback" not in done.err
    assert [] == list(command.folder.glob("*.csv*"))


def test_without_a_ledger_there_is_nothing_to_export(command: Command) -> None:
    """Exit code 10, as for every command."""
    assert 10 == command("export", "csv", "-o", "list.csv").exit_code


def test_a_configured_destination_is_told_with_its_own_settings(command: Command) -> None:
    """Its path belongs to the settings file, its preset to the importer."""
    ledger_with(command.folder, "a@example.com")
    (command.folder / "suppress.toml").write_text(
        '[destinations.crm]\nplatform = "csv"\npath = "out/crm.csv"\npreset = "hubspot"\n', encoding="utf-8"
    )
    (command.folder / "out").mkdir()
    done = command("export", "crm", "--json")

    assert 0 == done.exit_code, done.err
    assert b"Email\na@example.com\n" == (command.folder / "out" / "crm.csv").read_bytes()


def test_a_destination_that_does_not_obey_ends_with_5_after_the_result(
    command: Command, tmp_path: Path
) -> None:
    """What was reached is shown and recorded; the failure is on stderr."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "forgetful.py").write_text(
        "from pathlib import Path\n"
        "from suppress.plugin.hookspec import ExporterDescription, hookimpl\n"
        "from tests.plugin.memory import BATCH, Memory, Server\n"
        "@hookimpl\n"
        "def suppress_exporters():\n"
        "    def opened(settings):\n"
        "        return Memory(Server(), BATCH, frozenset({'accepts and forgets'}), settings.name)\n"
        "    yield ExporterDescription(name='memory', label='M', capabilities=BATCH, factory=opened)\n",
        encoding="utf-8",
    )
    about = site / "forgetful-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: forgetful\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[suppress]\nforgetful = forgetful\n")
    ledger_with(command.folder, "a@example.com")
    env = {
        "PYTHONPATH": f"{site}:{Path(__file__).parents[1]}",
        "SUPPRESS_DESTINATIONS__MEMORY__PLATFORM": "memory",
    }
    done = command("export", "memory", "--json", env=env)

    assert 5 == done.exit_code, done.err
    assert ({"suppressed": 1}, False, 1) == (
        done.json()["outcomes"],
        done.json()["verified"],
        len(done.json()["failed"]),
    )
    assert "may still be mailed there" in json.loads(done.err)["message"]


def test_people_are_told_about_erased_people(ledger: Ledger, tmp_path: Path) -> None:
    """An importer that relies on the list alone would mail them."""
    erased(ledger, "b")
    result = to_file(ledger, tmp_path / "list.csv")
    shown = io.StringIO()
    draw(Screen(shown), result)

    assert "1 suppressed person was erased: no list can name them" in shown.getvalue()


def test_reasons_reach_the_file(tmp_path: Path) -> None:
    """The one that stands: a complaint is stronger than an upload."""
    people = [
        opt_out("a@example.com", reason=Reason.ACCOUNT),
        opt_out("a@example.com", reason=Reason.COMPLAINT),
    ]
    with Ledger.open(ledger_with(tmp_path, *people), keys=tmp_path / "suppress.keys") as ledger:
        to_file(ledger, tmp_path / "list.csv")

    assert ",complaint," in (tmp_path / "list.csv").read_text(encoding="utf-8")

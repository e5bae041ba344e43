"""Patrol: whoever is mailable at a destination is found, told apart, recorded, and told first next time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suppress.audit import verify
from suppress.config import DestinationSettings
from suppress.core.address import Address
from suppress.core.entry import DriftFound, Honoured, OptOutRecorded, PatrolDone
from suppress.core.spelling import comparable
from suppress.core.suppression import Consent, Reason, Scope
from suppress.errors import DestinationFailed
from suppress.export import export
from suppress.ledger import Grounds, Ledger
from suppress.patrol import PatrolResult, patrol
from suppress.patrol.judging import DRIFT, Finding
from suppress.plugin.contract import (
    Capabilities,
    Delivery,
    Detail,
    LedgerPosition,
    Observation,
    Outcome,
    Planned,
    Pushed,
    Remote,
    Result,
    Suppressed,
    Unit,
    Unknowns,
)
from suppress.plugin.errors import ContractBroken, RecordRejected, Transient
from tests.backends import url_in
from tests.ledgers import ledger_with, opt_out, told

pytestmark = pytest.mark.both_back_ends

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
CRM = DestinationSettings("crm", "crm")
CONTACTS = Capabilities(
    unit=Unit.BATCH,
    delivery=Delivery.SYNC,
    detail=Detail.PER_RECORD,
    creates_unknown=Unknowns.NEVER,
    target="account",
    max_batch=100,
    can_read_many=True,
    can_list_all=True,
)
UNLISTED = replace(CONTACTS, can_list_all=False)
EVENTUAL = replace(UNLISTED, delivery=Delivery.EVENTUAL)
BLIND = replace(CONTACTS, can_read_many=False, can_list_all=False)


@dataclass
class Crm:
    """A destination of contacts: whom it does not know it does not mail, and anybody may change them."""

    capabilities: Capabilities = CONTACTS
    contacts: dict[str, Observation] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    fails_after: int | None = None
    refuses: frozenset[str] = frozenset()
    name: str = "crm"

    def knows(self, address: str, state: Remote = Remote.MAILABLE, **facts: Any) -> None:
        """Somebody writes a contact there, past us."""
        self.contacts[comparable(address)] = Observation(address, state, **facts)

    def check(self) -> Iterable[Any]:
        return ()

    def plan(self, entries: Iterable[Suppressed]) -> Iterator[Planned]:
        raise AssertionError("a patrol plans nothing")

    def push(self, entries: Iterable[Suppressed], position: LedgerPosition) -> Iterator[Pushed]:
        for entry in entries:
            if comparable(entry.address) not in self.contacts:
                yield Result(entry.address, Outcome.SKIPPED_UNKNOWN)
            else:
                if self.capabilities.delivery is not Delivery.EVENTUAL:
                    self.knows(entry.address, Remote.SUPPRESSED, kind=Reason.ACCOUNT)
                yield Result(entry.address, Outcome.SUPPRESSED)

    def poll(self, job: object) -> Iterator[Pushed]:
        return iter(())

    def read_back(self, addresses: Sequence[str]) -> Iterator[Observation]:
        for address in addresses:
            if self.fails_after is not None and len(self.asked) >= self.fails_after:
                raise Transient("the destination did not answer")
            if address in self.refuses:
                raise RecordRejected("that is no address", code="INVALID")
            self.asked.append(address)
            found = self.contacts.get(comparable(address))
            yield Observation(address, Remote.UNKNOWN) if found is None else replace(found, address=address)

    def sweep(self, cursor: str | None) -> tuple[tuple[Observation, ...], str | None]:
        held = [self.contacts[key] for key in sorted(self.contacts)]
        held = [each for each in held if each.state is not Remote.MAILABLE]
        start = int(cursor or 0)
        return tuple(held[start : start + 2]), None if start + 2 >= len(held) else str(start + 2)

    def close(self) -> None:
        pass


@dataclass
class World:
    """A ledger, a destination, and where patrols remember what they saw."""

    ledger: Ledger
    crm: Crm
    state: Path
    now: datetime = NOON

    def export(self) -> None:
        export(
            self.ledger, self.crm, CRM, purpose="suppression compliance", recipient="Acme CRM", actor="test"
        )

    def patrol(self, **options: Any) -> PatrolResult:
        return patrol(self.ledger, self.crm, CRM, state=self.state, now=self.now, actor="test", **options)

    def kinds(self, type_: str) -> list[Any]:
        return [entry.body for entry in self.ledger.entries() if entry.body.type == type_]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Ann and Bob opted out and are contacts there; nobody was told yet."""
    url = ledger_with(tmp_path, "ann@example.com", "bob@example.com")
    with Ledger.open(url, keys=tmp_path / "suppress.keys") as ledger:
        crm = Crm()
        crm.knows("ann@example.com")
        crm.knows("bob@example.com")
        yield World(ledger, crm, tmp_path / "state")


def found(result: PatrolResult) -> dict[Finding, int]:
    """How many were found how, without those that nobody was."""
    return {finding: count for finding, count in result.findings.items() if count}


class TestWhatIsFound:
    def test_before_any_export_nobody_has_drifted(self, world: World) -> None:
        """They are mailable because nobody said otherwise."""
        result = world.patrol()

        assert found(result) == {Finding.NOT_TOLD: 2}
        assert not result.drift

    def test_after_an_export_everybody_is_held(self, world: World) -> None:
        world.export()

        assert found(world.patrol()) == {Finding.HELD: 2}

    def test_who_was_made_mailable_again_has_drifted(self, world: World) -> None:
        """With the date and the integration that the platform names."""
        world.export()
        world.crm.knows("ann@example.com", at=NOON, by="import of old.csv")
        result = world.patrol()
        (strayed,) = result.drift
        (entry,) = world.kinds(DriftFound.type)

        assert found(result) == {Finding.HELD: 1, Finding.MAILABLE: 1}
        assert (strayed.since, strayed.by) == (NOON, "import of old.csv")
        assert (entry.observed, entry.patrol, entry.source) == ("mailable, by import of old.csv", True, "crm")

    def test_who_was_deleted_there_and_came_back_was_laundered(self, world: World) -> None:
        world.export()
        world.patrol()
        del world.crm.contacts["ann@example.com"]
        gone = world.patrol()
        world.crm.knows("ann@example.com")
        back = world.patrol()

        assert found(gone) == {Finding.HELD: 1, Finding.GONE: 1}
        assert not gone.drift
        assert [each.finding for each in back.drift] == [Finding.RECREATED]

    def test_who_was_unknown_there_and_arrived_later_has_drifted(self, world: World) -> None:
        """Somebody imported them past the gate."""
        told(world.ledger, "new@example.com")
        world.export()
        world.patrol()
        world.crm.knows("new@example.com")

        assert [each.finding for each in world.patrol().drift] == [Finding.ARRIVED]

    def test_a_weaker_reason_is_a_finding_until_it_is_mended(self, world: World) -> None:
        """Bounces are reset by machines; an opt-out that became one is on its way out."""
        world.crm.knows("ann@example.com", Remote.SUPPRESSED, kind=Reason.UNSUBSCRIBED)
        world.crm.knows("bob@example.com", Remote.SUPPRESSED, kind=Reason.UNSUBSCRIBED)
        world.patrol()
        world.crm.knows("ann@example.com", Remote.SUPPRESSED, kind=Reason.BOUNCED)
        first, second = world.patrol(), world.patrol()
        world.crm.knows("ann@example.com", Remote.SUPPRESSED, kind=Reason.UNSUBSCRIBED)

        assert [each.before for each in (*first.weakened, *second.weakened)] == ["unsubscribed"] * 2
        assert not world.patrol().weakened
        assert not first.drift

    def test_a_consent_is_no_drift(self, world: World) -> None:
        """Who came back of their own will may be mailed there."""
        world.export()
        world.ledger.append([Consent(Address.parse("ann@example.com"), "form", NOON)], actor="test")
        world.crm.knows("ann@example.com")

        assert found(world.patrol()) == {Finding.HELD: 1}

    def test_what_takes_its_time_is_pending_for_a_day(self, world: World) -> None:
        """Then what was accepted was not done."""
        world.crm.capabilities = EVENTUAL
        world.export()
        world.now = datetime.now(UTC)
        early = world.patrol()
        world.now += timedelta(days=2)
        late = world.patrol()

        assert found(early) == {Finding.PENDING: 2}
        assert found(late) == {Finding.NOT_TAKEN: 2}

    def test_a_destination_that_shows_nothing_is_said_to(self, world: World) -> None:
        world.crm.capabilities = BLIND
        result = world.patrol()

        assert not result.readable
        assert not world.kinds(PatrolDone.type)

    def test_whom_the_list_shows_nobody_asks_for(self, world: World) -> None:
        """A hundred thousand calls are saved where one list answers."""
        world.export()
        world.crm.asked.clear()
        world.crm.knows("ann@example.com")
        world.patrol()

        assert world.crm.asked == ["ann@example.com"]


class TestWhatIsRecorded:
    def test_the_next_export_tells_whoever_drifted_and_nobody_else(self, world: World) -> None:
        world.export()
        world.crm.knows("ann@example.com")
        result = world.patrol()
        receipt = world.kinds(Honoured.type)[-1]
        world.export()
        (ann,) = world.ledger.history(Address.parse("ann@example.com"))[:1]

        assert result.receipt is not None
        assert receipt.not_taken == 1
        assert world.crm.contacts["ann@example.com"].state is Remote.SUPPRESSED
        assert ann.entry.seq <= receipt.upto
        assert not world.patrol().drift

    def test_the_same_drift_is_one_entry_however_often_it_is_seen(self, world: World) -> None:
        world.export()
        world.crm.knows("ann@example.com")
        seqs = [[each.seq for each in world.patrol().drift] for _ in range(3)]

        assert seqs[0] == seqs[1] == seqs[2] != [None]
        assert len(world.kinds(DriftFound.type)) == 1
        assert [body.drift for body in world.kinds(PatrolDone.type)] == [(seqs[0][0], seqs[0][0])] * 3

    def test_drift_after_it_was_mended_is_excepted_again(self, world: World) -> None:
        """Else the next export would take the newest receipt's word for it."""
        world.export()
        for _ in range(2):
            world.crm.knows("ann@example.com")
            world.patrol()
            world.export()

        assert world.crm.contacts["ann@example.com"].state is Remote.SUPPRESSED

    def test_a_dry_run_finds_the_same_and_writes_nothing(self, world: World) -> None:
        world.export()
        world.crm.knows("ann@example.com")
        world.crm.knows("stranger@example.com", Remote.SUPPRESSED)
        size = world.ledger.head().size
        dry = world.patrol(dry_run=True)

        assert (world.ledger.head().size, len(dry.drift), dry.learned) == (size, 1, 1)
        assert (len(world.patrol().drift), world.patrol().learned) == (1, 0)

    def test_one_that_the_destination_refuses_to_show_hides_no_other(self, world: World) -> None:
        """They are unreadable; whoever drifted beside them is found."""
        world.crm.capabilities = UNLISTED
        told(world.ledger, *(f"p{number}@example.com" for number in range(9)))
        world.export()
        world.crm.knows("ann@example.com")
        world.crm.refuses = frozenset({"p3@example.com", "p8@example.com"})
        result = world.patrol()

        assert result.complete
        assert found(result) == {
            Finding.MAILABLE: 1,
            Finding.HELD: 1,
            Finding.UNREADABLE: 2,
            Finding.UNKNOWN: 7,
        }

    def test_progress_counts_the_list_and_then_the_people(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A list of a hundred thousand takes minutes before anybody is judged."""
        monkeypatch.setattr("suppress.patrol.PEOPLE", 1)
        world.export()
        steps: list[int] = []
        world.patrol(progress=lambda done, _total: steps.append(done))

        assert steps == [1, 2, 3, 4]

    def test_a_patrol_that_breaks_off_is_recorded_as_incomplete(self, world: World) -> None:
        world.crm.capabilities = UNLISTED
        world.export()
        world.crm.asked.clear()
        world.crm.fails_after = 1
        result = world.patrol()
        (done,) = world.kinds(PatrolDone.type)

        assert isinstance(result.failure, DestinationFailed)
        assert not result.complete
        assert not done.complete

    def test_the_ledger_verifies_afterwards(self, world: World, tmp_path: Path) -> None:
        world.export()
        world.crm.knows("ann@example.com")
        world.crm.knows("stranger@example.com", Remote.SUPPRESSED)
        world.patrol()

        assert verify(url_in(tmp_path), keys=tmp_path / "suppress.keys").first_bad is None


class TestWhatIsLearned:
    def test_an_opt_out_that_only_the_destination_knows_is_an_opt_out(self, world: World) -> None:
        world.crm.knows("stranger@example.com", Remote.SUPPRESSED, kind=Reason.UNSUBSCRIBED, at=NOON)
        result = world.patrol()
        verdict = world.ledger.check("Stranger@example.com")
        recorded = world.kinds(OptOutRecorded.type)[-1]

        assert (result.learned, verdict.ruling.value, verdict.source) == (1, "suppressed", "crm")
        assert (recorded.occurred_at, recorded.reason, recorded.scope) == (NOON, Reason.UNSUBSCRIBED, Scope())

    def test_a_bounce_is_no_opt_out(self, world: World) -> None:
        world.crm.knows("stranger@example.com", Remote.NOT_MAILABLE, kind=Reason.BOUNCED)
        result = world.patrol()

        assert (result.learned, result.bounced) == (0, 1)
        assert world.ledger.check("stranger@example.com").ruling.value == "clear"

    @pytest.mark.parametrize(
        ("at", "learned"), [(NOON - timedelta(days=1), 0), (None, 0), (NOON + timedelta(days=1), 1)]
    )
    def test_only_an_opt_out_after_the_consent_is_news(
        self, world: World, at: datetime | None, learned: int
    ) -> None:
        """The destination still holds who consented: nothing that we send may change that."""
        world.ledger.append([Consent(Address.parse("ann@example.com"), "form", NOON)], actor="test")
        world.crm.knows("ann@example.com", Remote.SUPPRESSED, at=at)
        result = world.patrol()

        assert (result.learned, result.released) == (learned, 1 - learned)

    def test_the_erased_are_known_and_not_learned_again(self, world: World) -> None:
        """Their address must not come back through a destination's list."""
        ann = Address.parse("ann@example.com")
        seen = [each.entry.seq for each in world.ledger.history(ann)]
        world.ledger.erase(ann, Grounds("Art. 17 GDPR"), seen=seen, actor="test")
        world.crm.knows("ann@example.com", Remote.SUPPRESSED)

        assert world.patrol().learned == 0

    def test_a_sender_learns_for_itself_alone(self, world: World) -> None:
        world.crm.knows("stranger@example.com", Remote.SUPPRESSED)
        patrol(
            world.ledger,
            world.crm,
            replace(CRM, sender="Acme"),
            state=world.state,
            now=NOON,
            actor="test",
        )

        assert world.kinds(OptOutRecorded.type)[-1].scope == Scope("Acme")

    def test_a_list_that_never_ends_is_refused(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        page = (Observation("a@example.com", Remote.SUPPRESSED),)
        monkeypatch.setattr(world.crm, "sweep", lambda _cursor: (page, "again"))

        assert isinstance(world.patrol().failure, ContractBroken)


people = st.sampled_from(["ann@example.com", "bob@example.com", "eve@example.com"])
steps = st.lists(
    st.tuples(
        st.sampled_from(
            ["opt out", "export", "patrol", "make mailable", "delete", "they opt out", "consent"]
        ),
        people,
    ),
    max_size=14,
)


@pytest.mark.sqlite_only("the steps are the same on a server, and a ledger a step is dear there")
@settings(max_examples=15, deadline=None)
@given(steps)
def test_whoever_is_suppressed_and_mailable_there_is_always_found(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str]]
) -> None:
    """Against the naive definition; and an export after a patrol leaves nobody mailable."""
    folder = tmp_path_factory.mktemp("world")
    clock = NOON
    with Ledger.open(ledger_with(folder)) as ledger:
        world = World(ledger, Crm(), folder / "state")
        for step, address in [*steps, ("patrol", ""), ("export", ""), ("patrol", "")]:
            clock += timedelta(hours=1)
            _step(world, step, address, clock)
        mailable = _suppressed(ledger) & _mailable(world.crm)

    assert not mailable


def _step(world: World, step: str, address: str, clock: datetime) -> None:
    match step:
        case "opt out":
            told(world.ledger, opt_out(address, occurred_at=clock))
        case "export":
            world.export()
        case "patrol":
            expected = _suppressed(world.ledger) & _mailable(world.crm)
            result = world.patrol()
            named = sum(result.findings[each] for each in (*DRIFT, Finding.NOT_TOLD, Finding.PENDING))
            assert named == len(expected)
        case "make mailable":
            world.crm.knows(address, at=clock)
        case "delete":
            world.crm.contacts.pop(address, None)
        case "they opt out":
            world.crm.knows(address, Remote.SUPPRESSED, kind=Reason.UNSUBSCRIBED, at=clock)
        case "consent":
            world.ledger.append([Consent(Address.parse(address), "form", clock)], actor="test")


def _suppressed(ledger: Ledger) -> set[str]:
    return {each.key for each in ledger.suppressed()}


def _mailable(crm: Crm) -> set[str]:
    return {key for key, each in crm.contacts.items() if each.state is Remote.MAILABLE}

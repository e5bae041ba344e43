"""Waivers: one person, one purpose, until a day; never silently, and never more than that."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from suppress.audit import verify
from suppress.core.address import Address
from suppress.core.entry import Corrected
from suppress.core.mailing import Mailing
from suppress.core.suppression import Channel
from suppress.core.verdict import Ruling, Tier
from suppress.errors import BadUsage
from suppress.intake.domains import suppress_domain
from suppress.intake.waivers import ERASED, EXPIRED, IN_FORCE, Waived, end_waiver, waive, waivers
from suppress.ledger import Event, Grounds, Ledger, Lookup
from tests.small_ledger import made

pytestmark = pytest.mark.both_back_ends

PAT, SAM = Address.parse("pat@example.com"), Address.parse("s.am@gmail.com")
RECALL = Mailing(purpose="recall notice")


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """At noon."""
    return Clock()


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A ledger of two people."""
    return made(tmp_path, ["pat@example.com", "sam@gmail.com"])


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """Where its keys are."""
    return tmp_path / "suppress.keys"


@pytest.fixture
def ledger(url: str, keys: Path, clock: Clock) -> Iterator[Ledger]:
    """Open, with that clock."""
    # What the fixture recorded is dated by the real clock, which a ledger never goes behind.
    clock.now = max(clock.now, datetime.now(UTC))
    with Ledger.open(url, keys=keys, clock=clock) as found:
        yield found


def let(ledger: Ledger, clock: Clock, address: Address = PAT, **said: object) -> Waived:
    """A waiver with whatever a test does not care about filled in."""
    usual = {
        "purpose": "Recall  notice",
        "until": clock.now.date() + timedelta(days=7),
        "reason": "a safety recall",
        "approver": "Kim",
        "zone": UTC,
        "now": clock.now,
        "actor": "test",
    }
    return waive(ledger, address, **{**usual, **said})  # type: ignore[arg-type]  # names of its parameters


def test_a_waiver_lets_its_person_through_for_its_purpose_and_says_so(
    ledger: Ledger, clock: Clock, url: str, keys: Path
) -> None:
    """The verdict still tells what it lets pass, and by which entry, to every way of asking."""
    with Lookup.open(url, keys=keys, clock=clock) as lookup:
        before = ledger.check(PAT.raw, RECALL)
        seq = let(ledger, clock).seq

        for verdict in (ledger.check("PAT@example.com ", RECALL), lookup.verdict(PAT, RECALL)):
            assert (Ruling.CLEAR, seq) == (verdict.ruling, verdict.waiver)
            assert (before.tier, before.since, before.reason) == (verdict.tier, verdict.since, verdict.reason)


@pytest.mark.parametrize(
    "mailing",
    [Mailing(), Mailing(purpose="newsletter"), Mailing(Channel.SMS, purpose="recall notice")],
    ids=["no purpose", "another purpose", "another channel"],
)
def test_without_its_purpose_a_waiver_does_nothing(ledger: Ledger, clock: Clock, mailing: Mailing) -> None:
    """A plain check never counts one."""
    before = ledger.check(PAT.raw, mailing)
    let(ledger, clock)

    assert before == ledger.check(PAT.raw, mailing)


def test_it_is_for_one_person_and_not_for_whoever_shares_their_mailbox(ledger: Ledger, clock: Clock) -> None:
    """By the very match key: an alias of Sam's is another row, with an answer of its own."""
    assert Tier.ALIAS is ledger.check(SAM.raw).tier
    let(ledger, clock, SAM)

    assert Ruling.CLEAR is ledger.check(SAM.raw, RECALL).ruling
    assert Ruling.SUPPRESSED is ledger.check("sam@gmail.com", RECALL).ruling
    assert Ruling.REVIEW is ledger.check("sa.m@gmail.com", RECALL).ruling
    assert Ruling.SUPPRESSED is ledger.check(PAT.raw, RECALL).ruling


def test_one_person_passes_a_rule_for_their_whole_domain(ledger: Ledger, clock: Clock) -> None:
    """And their colleagues do not."""
    suppress_domain(ledger, "corp.example", note="asked", actor="test")
    let(ledger, clock, Address.parse("buyer@corp.example"))

    assert Ruling.CLEAR is ledger.check("buyer@corp.example", RECALL).ruling
    assert Ruling.SUPPRESSED is ledger.check("other@corp.example", RECALL).ruling


def test_it_ends_with_its_last_day_in_the_sender_s_zone(ledger: Ledger, clock: Clock) -> None:
    """To the second."""
    until = let(ledger, clock).until

    clock.now = until - timedelta(seconds=1)
    assert Ruling.CLEAR is ledger.check(PAT.raw, RECALL).ruling
    assert [IN_FORCE] == [each.state for each in waivers(ledger, clock.now)]
    clock.now = until
    assert Ruling.SUPPRESSED is ledger.check(PAT.raw, RECALL).ruling
    assert [EXPIRED] == [each.state for each in waivers(ledger, clock.now)]


def test_taking_it_back_ends_it_at_once(ledger: Ledger, clock: Clock) -> None:
    """With a reason; and a correction of that brings it back."""
    seq = let(ledger, clock).seq
    asked = {"purpose": "recall notice", "now": clock.now, "actor": "test"}
    assert (seq,) == end_waiver(ledger, PAT, reason="over", dry_run=True, **asked)  # type: ignore[arg-type]
    assert Ruling.CLEAR is ledger.check(PAT.raw, RECALL).ruling

    assert (seq,) == end_waiver(ledger, PAT, reason="over", dry_run=False, **asked)  # type: ignore[arg-type]
    assert Ruling.SUPPRESSED is ledger.check(PAT.raw, RECALL).ruling
    assert [] == list(waivers(ledger, clock.now))
    with pytest.raises(BadUsage, match="no such waiver"):
        end_waiver(ledger, PAT, reason="over", dry_run=False, **asked)  # type: ignore[arg-type]
    with pytest.raises(BadUsage, match="--reason is empty"):
        end_waiver(ledger, PAT, reason=" ", dry_run=False, **asked)  # type: ignore[arg-type]

    ended = next(entry.seq for entry in ledger.about(Corrected.type))
    ledger.append([Event("again", Corrected(ended, "it was needed after all"))], actor="test")
    assert Ruling.CLEAR is ledger.check(PAT.raw, RECALL).ruling


def test_an_erasure_ends_it_and_takes_reason_and_approver(
    ledger: Ledger, clock: Clock, url: str, keys: Path
) -> None:
    """What nobody can account for any more lets nobody through."""
    let(ledger, clock)
    seen = [each.entry.seq for each in ledger.history(PAT)]
    ledger.erase(PAT, Grounds("Art. 17 GDPR"), seen=seen, actor="test")

    verdict = ledger.check(PAT.raw, RECALL)
    assert (Ruling.SUPPRESSED, Tier.ERASED, None) == (verdict.ruling, verdict.tier, verdict.waiver)
    (state,) = waivers(ledger, clock.now)
    assert (ERASED, None, None, None) == (state.state, state.address, state.reason, state.approver)
    with pytest.raises(BadUsage, match="was erased"):
        let(ledger, clock)
    assert verify(url, keys=keys).ok


def test_what_was_said_is_listed(ledger: Ledger, clock: Clock) -> None:
    """Who approved it, why, until when."""
    let(ledger, clock)
    (state,) = waivers(ledger, clock.now)

    assert ("pat@example.com", "Recall notice", "a safety recall", "Kim", Channel.EMAIL) == (
        state.address,
        state.purpose,
        state.reason,
        state.approver,
        state.channel,
    )


def test_the_same_waiver_is_recorded_once_and_a_dry_run_writes_nothing(ledger: Ledger, clock: Clock) -> None:
    """Another day is another waiver."""
    assert let(ledger, clock, dry_run=True).seq is None
    assert Ruling.SUPPRESSED is ledger.check(PAT.raw, RECALL).ruling

    first = let(ledger, clock)
    again = let(ledger, clock, purpose="recall NOTICE")
    assert (first.seq, True, False) == (again.seq, first.new, again.new)
    assert let(ledger, clock, until=clock.now.date()).new


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"purpose": ""}, "needs its purpose"),
        ({"purpose": "mail to pat@example.com"}, "--purpose may hold an address"),
        ({"purpose": "x" * 501}, "is not one line"),
        ({"reason": " "}, "needs its reason"),
        ({"approver": ""}, "needs its approver"),
        ({"until": date(2020, 1, 1)}, "is past"),
        ({"until": date(2099, 1, 1)}, "over a year away"),
        ({"address": Address.parse("new@example.com")}, "nothing to waive"),
    ],
)
def test_a_waiver_that_lacks_anything_is_refused(
    ledger: Ledger, clock: Clock, said: dict[str, object], problem: str
) -> None:
    """Nothing is written."""
    size = ledger.head().size

    with pytest.raises(BadUsage, match=problem):
        let(ledger, clock, **said)  # type: ignore[arg-type]  # names of its parameters
    assert size == ledger.head().size


def test_a_waiver_says_nothing_in_a_list_for_other_systems(ledger: Ledger, clock: Clock) -> None:
    """Destinations go on holding the person suppressed."""
    let(ledger, clock)

    assert ["pat@example.com", "sam@gmail.com"] == [each.key for each in ledger.suppressed()]

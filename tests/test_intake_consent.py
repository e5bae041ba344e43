"""Consents and corrections: only what is later and evidenced lifts; only what staff made is struck out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from suppress.audit import verify
from suppress.core.address import Address
from suppress.core.entry import Corrected, OptInRecorded
from suppress.core.mailing import Mailing
from suppress.core.suppression import EVERYTHING, Channel, OptOut, Origin, Reason, Scope
from suppress.core.verdict import Ruling
from suppress.errors import BadUsage
from suppress.intake import Evidence, add
from suppress.intake.consenting import Consented, consent
from suppress.intake.correcting import correct
from suppress.intake.domains import suppress_domain
from suppress.intake.waivers import waive
from suppress.ledger import Grounds, Ledger
from suppress.show import show
from tests.backends import url_in
from tests.small_ledger import SINCE, made, opted_out

pytestmark = pytest.mark.both_back_ends

PAT, SAM = Address.parse("pat@example.com"), Address.parse("sam@example.com")
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LATER = SINCE + timedelta(days=30)
FORM = Evidence("form.pdf", "ab" * 32)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A ledger in which a platform reported that Pat unsubscribed."""
    with Ledger.open(made(tmp_path, ["pat@example.com"]), keys=tmp_path / "suppress.keys") as opened:
        yield opened


def consented(ledger: Ledger, at: datetime = LATER, who: Address = PAT, **more: Any) -> Consented:
    """Record a consent."""
    told: dict[str, Any] = {"evidence": FORM, "approver": "Kim", "zone": UTC, "now": NOW, "actor": "test"}
    return consent(ledger, who, at=at, **(told | more))


def added(ledger: Ledger, who: Address = SAM, **more: Any) -> int:
    """An opt-out that somebody typed in; its entry."""
    told: dict[str, Any] = {"received": SINCE, "zone": UTC, "now": NOW, "actor": "test"}
    seq = add(ledger, who, **(told | more)).seq
    assert seq is not None
    return seq


def is_suppressed(ledger: Ledger, who: Address = PAT, mailing: Mailing | None = None) -> bool:
    """Whether a person may not be mailed."""
    return ledger.check(who.raw, mailing or Mailing()).ruling is Ruling.SUPPRESSED


def verified(folder: Path) -> bool:
    """Whether nothing is wrong with the ledger."""
    return verify(url_in(folder), keys=folder / "suppress.keys").ok


# --- Consent ---------------------------------------------------------------------------------------------


def test_a_later_consent_lifts_and_says_what(ledger: Ledger, tmp_path: Path) -> None:
    """Entry, evidence and approver are on record, and the ledger verifies."""
    done = consented(ledger, note="signed at the fair")
    body = ledger.history(PAT)[-1].entry.body

    assert not is_suppressed(ledger)
    assert [2] == [each.seq for each in done.lifted]
    assert isinstance(body, OptInRecorded)
    assert ("Kim", FORM.digest, LATER) == (body.approver, body.evidence, body.occurred_at)
    assert {"file": "form.pdf", "sha256": FORM.digest, "note": "signed at the fair", "approver": "Kim"} == (
        ledger.payload(done.seq or 0) or {}
    )["evidence"]
    assert verified(tmp_path)


@pytest.mark.parametrize("early", [timedelta(0), timedelta(microseconds=1), timedelta(days=900)])
def test_a_consent_that_is_not_later_is_refused_and_nothing_is_recorded(
    ledger: Ledger, early: timedelta
) -> None:
    """On the same instant the opt-out stands; the message has the date and entry of the opt-out."""
    size = ledger.head().size
    with pytest.raises(BadUsage, match=r"is not after the opt-out of 2024-03-05 10:00 \(UTC\) \(entry 2"):
        consented(ledger, SINCE - early)

    assert is_suppressed(ledger)
    assert size == ledger.head().size


@pytest.mark.parametrize("zone", [UTC, ZoneInfo("America/New_York")], ids=str)
def test_an_opt_out_known_by_its_day_may_have_come_at_its_end(ledger: Ledger, zone: Any) -> None:
    """A list says 5 March; a consent of that afternoon may be older or younger, so it is refused."""
    midnight = datetime(2024, 3, 5, tzinfo=zone)
    ledger.append(
        [OptOut(SAM, "old list", Origin.FILE, Reason.UNSUBSCRIBED, occurred_at=midnight, facts=("a",))],
        actor="test",
    )
    with pytest.raises(BadUsage, match="is not after"):
        consented(ledger, midnight + timedelta(hours=23, minutes=59), SAM, zone=zone)

    consented(ledger, midnight + timedelta(hours=24), SAM, zone=zone)
    assert not is_suppressed(ledger, SAM)


def test_an_opt_out_without_a_date_counts_from_when_it_was_learned(ledger: Ledger) -> None:
    """A consent from before that day is refused, and the message says why."""
    ledger.append([OptOut(SAM, "old list", Origin.FILE, Reason.UNKNOWN, facts=("a",))], actor="test")
    with pytest.raises(BadUsage, match="when the ledger learned of it: it has no date"):
        consented(ledger, SINCE, SAM)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"at": NOW + timedelta(seconds=1)}, "lies in the future"),
        ({"approver": "  "}, "--approver is empty"),
        ({"approver": "kim@example.com"}, "--approver may hold an address"),
        ({"who": SAM}, "there is nothing to lift"),
        ({"channel": Channel.SMS}, "there is nothing to lift"),
    ],
)
def test_a_consent_that_cannot_be_is_refused(ledger: Ledger, more: dict[str, Any], message: str) -> None:
    """No future date, no missing approver, nobody who never opted out in that channel."""
    with pytest.raises(BadUsage, match=message):
        consented(ledger, **more)


def test_a_consent_reaches_as_far_as_it_says(ledger: Ledger) -> None:
    """Consent to one list leaves all other mail forbidden."""
    news = Scope("Acme", "News")
    consented(ledger, scope=news)

    assert not is_suppressed(ledger, mailing=Mailing(target=news))
    assert is_suppressed(ledger, mailing=Mailing(target=Scope("Acme")))
    assert is_suppressed(ledger)


def test_what_a_consent_does_not_lift_is_told(ledger: Ledger) -> None:
    """A rule for the domain goes on withholding, before and after."""
    suppress_domain(ledger, "example.com", note="they asked", actor="test")
    done = consented(ledger)

    assert done.verdict is not None
    assert Ruling.SUPPRESSED is done.verdict.ruling
    with pytest.raises(BadUsage, match=r"what withholds it is example\.com"):
        consented(ledger, who=SAM)


def test_the_same_consent_is_recorded_once_and_a_dry_run_records_none(ledger: Ledger) -> None:
    """Repeating it changes nothing."""
    size = ledger.head().size
    dry = consented(ledger, dry_run=True)
    assert (None, [2], size) == (dry.seq, [each.seq for each in dry.lifted], ledger.head().size)

    first, again = consented(ledger), consented(ledger)
    assert (True, False, first.seq) == (first.new, again.new, again.seq)


def test_an_opt_out_after_the_consent_stands_and_the_old_consent_is_refused(ledger: Ledger) -> None:
    """The same consent, given again after a new opt-out, lifts nothing."""
    consented(ledger)
    added(ledger, PAT, occurred=LATER + timedelta(days=1), received=LATER + timedelta(days=1))

    assert is_suppressed(ledger)
    with pytest.raises(BadUsage, match="is not after the opt-out"):
        consented(ledger)


def test_a_complaint_is_lifted_and_said_to_be_one(ledger: Ledger) -> None:
    """Platforms hold complainers back on their own."""
    added(ledger, reason=Reason.COMPLAINT, occurred=SINCE)

    assert consented(ledger, who=SAM).complained
    assert not consented(ledger).complained


# --- Corrections -----------------------------------------------------------------------------------------


def struck(ledger: Ledger, seq: int, **more: Any) -> int:
    """Strike out an entry; the correction's."""
    told: dict[str, Any] = {"approver": "Kim", "reason": "the other Pat", "actor": "test"}
    found = correct(ledger, seq, **(told | more)).seq
    assert found is not None
    return found


def test_what_was_typed_for_the_wrong_person_is_struck_out_and_stays_on_record(
    ledger: Ledger, tmp_path: Path
) -> None:
    """With approver and reason in the entry; struck out once; shown as such."""
    seq = added(ledger)
    correction = struck(ledger, seq)
    body = ledger.history(SAM)[-1].entry.body

    assert not is_suppressed(ledger, SAM)
    assert Corrected(seq, "the other Pat", "Kim") == body
    assert {seq: correction} == show(ledger, SAM).struck
    assert correction == struck(ledger, seq)
    assert verified(tmp_path)


def test_the_same_request_counts_again_after_it_was_struck_out(ledger: Ledger) -> None:
    """It was Sam after all: the same words on the same day are recorded anew, and then once."""
    first = added(ledger)
    struck(ledger, first)
    second, third = added(ledger), added(ledger)

    assert is_suppressed(ledger, SAM)
    assert (True, second) == (first < second, third)


def test_striking_out_a_correction_brings_the_opt_out_back(ledger: Ledger) -> None:
    """Suppressing again is always allowed; and it may be struck out once more."""
    seq = added(ledger)
    correction = struck(ledger, seq)
    struck(ledger, correction)
    assert is_suppressed(ledger, SAM)

    struck(ledger, seq)
    assert not is_suppressed(ledger, SAM)


def test_a_consent_that_was_a_mistake_is_struck_out_and_can_be_recorded_again(ledger: Ledger) -> None:
    """Its correction is not struck out: a consent needs its evidence and approver each time."""
    done = consented(ledger)
    correction = struck(ledger, done.seq or 0)
    assert is_suppressed(ledger)
    with pytest.raises(BadUsage, match="it struck out a consent, which would lift again"):
        struck(ledger, correction)

    assert consented(ledger).new
    assert not is_suppressed(ledger)


@pytest.mark.parametrize("reason", [Reason.UNSUBSCRIBED, Reason.COMPLAINT])
def test_what_a_person_did_is_not_struck_out(ledger: Ledger, reason: Reason) -> None:
    """Whoever typed it in."""
    with pytest.raises(BadUsage, match="it is what the person did"):
        struck(ledger, added(ledger, reason=reason))
    assert is_suppressed(ledger, SAM)


def test_a_request_with_evidence_is_not_struck_out(ledger: Ledger) -> None:
    """A letter is there: only their own later consent lifts it."""
    with pytest.raises(BadUsage, match="there is evidence that the person asked"):
        struck(ledger, added(ledger, evidence=FORM))


@pytest.mark.parametrize("reason", list(Reason))
def test_what_a_platform_reports_is_not_struck_out(ledger: Ledger, reason: Reason) -> None:
    """Nor what its staff entered: the next sync would report it again."""
    told = OptOut(SAM, "main", Origin.PLATFORM, reason, facts=("x",))
    (receipt,) = ledger.append([told], actor="test")
    with pytest.raises(BadUsage, match="the platform of the source 'main' reported it"):
        struck(ledger, receipt.seq)


def test_an_erased_person_is_not_made_mailable_by_a_correction(ledger: Ledger) -> None:
    """Nothing says any more whether there was evidence."""
    seq = added(ledger)
    ledger.erase(SAM, Grounds("Art. 17 GDPR"), seen=[seq], actor="test")
    with pytest.raises(BadUsage, match="the person was erased"):
        struck(ledger, seq)


def test_other_entries_are_not_struck_out_and_the_command_for_them_is_named(ledger: Ledger) -> None:
    """Rules and waivers have commands of their own; records of what was done have none."""
    rule = suppress_domain(ledger, "example.org", note="they asked", actor="test").seq
    told: dict[str, Any] = {"purpose": "recall", "reason": "safety", "approver": "Kim", "actor": "test"}
    waiver = waive(ledger, PAT, until=NOW.date(), zone=UTC, now=NOW, **told).seq
    for seq, remedy in ((rule, "domain lift"), (waiver, "waiver end"), (0, "suppress show")):
        assert seq is not None
        with pytest.raises(BadUsage) as refused:
            struck(ledger, seq)
        assert remedy in (refused.value.remedy or "")


@pytest.mark.parametrize(
    ("seq", "more", "message"),
    [
        (99, {}, "there is no entry 99"),
        (-1, {}, "there is no entry -1"),
        (2, {"approver": ""}, "--approver is empty"),
        (2, {"reason": "for pat@example.com"}, "--reason may hold an address"),
    ],
)
def test_a_correction_that_cannot_be_is_refused(
    ledger: Ledger, seq: int, more: dict[str, str], message: str
) -> None:
    """An entry that is not there, and words that may not stay."""
    with pytest.raises(BadUsage, match=message):
        struck(ledger, seq, **more)


def test_a_dry_run_strikes_nothing_out(ledger: Ledger) -> None:
    """It says whether it would be new."""
    seq = added(ledger)
    dry = correct(ledger, seq, approver="Kim", reason="typo", actor="test", dry_run=True)

    assert (None, True, True) == (dry.seq, dry.new, is_suppressed(ledger, SAM))


def test_opted_out_by_a_source_stays_so_whatever_is_struck_out(ledger: Ledger) -> None:
    """Pat was reported and typed in: striking out the typed one leaves the other."""
    struck(ledger, added(ledger, PAT))

    assert is_suppressed(ledger)
    assert EVERYTHING == ledger.standing(PAT).suppressions[0].scope
    assert opted_out("pat@example.com").source == ledger.standing(PAT).suppressions[0].source

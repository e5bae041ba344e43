"""sync: complete, repeatable, and never an undoing, against a simulated account over real HTTP."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from suppress.config import SourceSettings
from suppress.core.address import Address, match_key
from suppress.core.entry import DriftFound, OptOutRecorded, SyncDone
from suppress.core.reconcile import Observed, Permission
from suppress.core.suppression import Consent
from suppress.errors import Incomplete, SourceFailed
from suppress.ledger import Ledger
from suppress.platforms.constant_contact import ConstantContact
from suppress.platforms.constant_contact.simulator import (
    Fault,
    FaultKind,
    People,
    Scenario,
    Simulator,
    demo_scenario,
)
from suppress.plugin.contract import Census, Finding, Page, Summary, Window
from suppress.sync import SourceResult, sync
from tests.conftest import Command

pytestmark = pytest.mark.both_back_ends

LATER = datetime(2026, 11, 23, tzinfo=UTC)


def run(
    ledger: Ledger, platform: Simulator, state: Path, *, full: bool = False, dry_run: bool = False
) -> SourceResult:
    """One sync of the simulated account."""
    settings = SourceSettings(
        "main", "constant-contact", "Acme", platform.token, options={"api_url": platform.url}
    )
    source = ConstantContact(settings, state=state)
    try:
        (result,) = sync(ledger, [source], full=full, now=datetime.now(UTC), actor="test", dry_run=dry_run)
    finally:
        source.close()
    return result


def suppressed(ledger: Ledger) -> set[str]:
    """The match keys of everyone who may not be mailed."""
    return {each.key for each in ledger.suppressed()}


def truth(platform: Simulator) -> set[str]:
    """The same, as the platform knows it."""
    return {match_key(address) for address in platform.truth()}


def kinds(ledger: Ledger) -> Counter[str]:
    """How many entries of each type."""
    return Counter(entry.body.type for entry in ledger.entries())


def test_a_census_finds_everyone_and_says_what_a_naive_sync_would_have_lost(
    ledger: Ledger, tmp_path: Path
) -> None:
    """The demo's account: 200 people, 80 of them hidden because their contact was deleted."""
    with Simulator(demo_scenario()) as platform:
        result = run(ledger, platform, tmp_path, full=True)

        assert truth(platform) == suppressed(ledger)
    assert result.complete
    assert (200, 200, 0, 80, 80) == (
        result.observed,
        result.new,
        result.known,
        result.deleted,
        result.missed_by_naive_sync,
    )


def test_a_second_run_adds_nothing_but_its_own_record(ledger: Ledger, tmp_path: Path) -> None:
    """Rows come again in the overlap; the ledger keeps each once."""
    with Simulator(Scenario(people=People(active=5, unsubscribed=4, unsubscribed_deleted=3))) as platform:
        run(ledger, platform, tmp_path, full=True)
        before = kinds(ledger)
        again = run(ledger, platform, tmp_path, full=True)

    assert before + Counter({"sync.done": 1}) == kinds(ledger)
    assert (0, 7) == (again.new, again.known)


def test_a_window_finds_dated_opt_outs_and_a_census_the_undated(ledger: Ledger, tmp_path: Path) -> None:
    """`optout_after` cannot match a contact that has no opt-out date."""
    people = People(active=3, unsubscribed=2, unsubscribed_deleted=2, without_date=4)
    with Simulator(Scenario(people=people)) as platform:
        first = run(ledger, platform, tmp_path)
        assert 4 == len(suppressed(ledger))
        assert first.first_run

        run(ledger, platform, tmp_path, full=True)
        assert truth(platform) == suppressed(ledger)


def test_someone_who_comes_back_on_the_platform_stays_suppressed_and_is_drift(
    ledger: Ledger, tmp_path: Path
) -> None:
    """Only an evidenced consent lifts; a platform's word does not."""
    with Simulator(Scenario(people=People(active=2, unsubscribed=2))) as platform:
        run(ledger, platform, tmp_path, full=True)
        held = sorted(platform.truth())
        platform.resubscribe(held[0])
        result = run(ledger, platform, tmp_path, full=True)

        assert {match_key(address) for address in held} == suppressed(ledger)
        assert 1 == len(result.drift)
        again = run(ledger, platform, tmp_path, full=True)
        assert [each.seq for each in result.drift] == [each.seq for each in again.drift]
    drifts = [entry for entry in ledger.entries() if isinstance(entry.body, DriftFound)]
    assert [result.drift[0].seq] == [entry.seq for entry in drifts]
    dones = [entry.body for entry in ledger.entries() if isinstance(entry.body, SyncDone)]
    assert [(), (drifts[0].seq,) * 2, (drifts[0].seq,) * 2] == [done.drift for done in dones]


def test_an_opt_out_after_a_consent_suppresses_again(ledger: Ledger, tmp_path: Path) -> None:
    """The newest of the person's own acts decides."""
    with Simulator(Scenario(people=People(unsubscribed=1))) as platform:
        run(ledger, platform, tmp_path, full=True)
        (address,) = platform.truth()
        consent = Consent(
            Address.parse(address), "desk", datetime.now(UTC) - timedelta(hours=2), facts=("form",)
        )
        ledger.append([consent], actor="test")
        assert set() == suppressed(ledger)

        platform.resubscribe(address)
        platform.unsubscribe(address, at=datetime.now(UTC) - timedelta(hours=1))
        result = run(ledger, platform, tmp_path)

        assert {match_key(address)} == suppressed(ledger)
        assert 1 == result.new


def test_a_dry_run_writes_nothing(ledger: Ledger, tmp_path: Path) -> None:
    """It counts what it would do."""
    with Simulator(Scenario(people=People(active=1, unsubscribed=3))) as platform:
        result = run(ledger, platform, tmp_path, full=True, dry_run=True)

    assert 3 == result.new
    assert {"log.opened": 1} == dict(kinds(ledger))


def test_a_failed_run_keeps_what_it_read_and_repeats_its_window(ledger: Ledger, tmp_path: Path) -> None:
    """A watermark that advanced past a failed page would lose that page for ever."""
    fault = Fault(FaultKind.ERROR, page=1, times=1, status=403)
    people = People(active=1, unsubscribed=3)
    with Simulator(Scenario(people=people, faults=(fault,))) as platform:
        failed = run(ledger, platform, tmp_path)
        assert isinstance(failed.failure, SourceFailed)
        assert not failed.complete
        assert ledger.source_state("main").last_before is None

        run(ledger, platform, tmp_path)
        assert truth(platform) == suppressed(ledger)
        assert ledger.source_state("main").last_before is not None


class ShortSource:
    """A source whose census shows one opt-out and whose counts do not add up."""

    name = "main"
    platform = "constant-contact"

    def window(self, last_before: datetime | None, now: datetime) -> Window:
        """Everything up to now."""
        return Window(last_before or LATER - timedelta(days=1), now)

    def pull(self, what: Window | Census) -> Iterator[Page | Summary]:
        """One page, then a summary that admits what is missing."""
        seen = Observed("main", Address.parse("pat@example.com"), Permission.OPTED_OUT, "unsubscribed")
        whole = isinstance(what, Window)
        yield Page("all", (seen,), 1)
        yield Summary(whole, 1, 1, 1, 0, 0, problems=() if whole else ("2 counted, 1 shown",))

    def check(self) -> Iterator[Finding]:
        """Nothing to say."""
        yield from ()

    def close(self) -> None:
        """Nothing to give back."""


def test_a_census_that_does_not_add_up_is_a_failure_that_keeps_everything(ledger: Ledger) -> None:
    """A smaller success would be the very mistake this tool exists for."""
    (result,) = sync(ledger, [ShortSource()], full=True, now=LATER, actor="test")

    assert isinstance(result.failure, Incomplete)
    assert "2 counted, 1 shown" in result.failure.message
    assert {"pat@example.com"} == suppressed(ledger)
    state = ledger.source_state("main")
    assert (None, None) == (state.last_before, state.census_at)


def test_a_pull_that_ends_early_is_a_failure(ledger: Ledger) -> None:
    """Silence at the end of a walk must not read as success."""

    class Silent(ShortSource):
        def pull(self, what: Window | Census) -> Iterator[Page | Summary]:
            yield from ()

    (result,) = sync(ledger, [Silent()], full=False, now=LATER, actor="test")

    assert isinstance(result.failure, SourceFailed)
    assert ledger.source_state("main").last_before is None


def test_a_run_that_is_cut_short_says_what_it_did(ledger: Ledger) -> None:
    """`requests: 0, observed: 0` beside a thousand new entries would read as a run that never began."""

    class Broken(ShortSource):
        def pull(self, what: Window | Census) -> Iterator[Page | Summary]:
            seen = Observed("main", Address.parse("pat@example.com"), Permission.OPTED_OUT, "unsubscribed")
            mailable = Observed("main", Address.parse("kim@example.com"), Permission.MAILABLE, "explicit")
            yield Page("all", (seen, mailable), 2)
            yield Page("all", (), 0)
            raise SourceFailed("answered 503")

    for new in (1, 0):
        (result,) = sync(ledger, [Broken()], full=True, now=LATER, actor="test")
        assert (2, 2, 1) == (result.requests, result.rows, result.observed)
        assert (new, 1 - new) == (result.new, result.known)
        done = [entry.body for entry in ledger.entries() if isinstance(entry.body, SyncDone)][-1]
        assert (2, 1, False) == (done.requests, done.observed, done.complete)


@pytest.mark.parametrize("breaks", [True, False])
def test_a_census_may_see_fewer_than_its_window(ledger: Ledger, breaks: bool) -> None:
    """It broke off, or people came back in between: still, no more are new than were seen."""

    class Other(ShortSource):
        def pull(self, what: Window | Census) -> Iterator[Page | Summary]:
            name = "pat" if isinstance(what, Window) else "undated"
            address = Address.parse(f"{name}@example.com")
            yield Page("all", (Observed("main", address, Permission.OPTED_OUT, "unsubscribed"),), 1)
            if breaks and isinstance(what, Census):
                raise SourceFailed("answered 503")
            yield Summary(True, 1, 1, 1, 0, 0)

    (result,) = sync(ledger, [Other()], full=True, now=LATER, actor="test")
    assert (2, 2, 0, not breaks) == (result.observed, result.new, result.known, result.complete)


@pytest.mark.parametrize("together", [True, False], ids=["one page", "two pages"])
@pytest.mark.parametrize("dry_run", [True, False])
def test_contacts_that_share_an_address_are_one_new_person_and_nobody_known(
    ledger: Ledger, together: bool, dry_run: bool
) -> None:
    """On a first run nobody was known before. The run's entry says the same, and its counts add up."""

    class Shared(ShortSource):
        def pull(self, what: Window | Census) -> Iterator[Page | Summary]:
            found = [
                Observed(
                    "main",
                    Address.parse(address),
                    Permission.OPTED_OUT,
                    "unsubscribed",
                    fingerprint=(f"contact {number}", ""),
                )
                for number, address in enumerate(["pat@x.com", "PAT@x.com", "kim@x.com", "pat@x.com "])
            ]
            for page in [found] if together else [found[:1], found[1:]]:
                yield Page("all", tuple(page), len(page))
            yield Summary(True, 1, 4, 4, 0, 0)

    first, second = (
        sync(ledger, [Shared()], full=True, now=LATER, actor="test", dry_run=dry_run)[0] for _ in range(2)
    )
    done = [entry.body for entry in ledger.entries() if isinstance(entry.body, SyncDone)]

    assert (4, 2, 0, 2) == (first.observed, first.new, first.known, first.shared)
    if not dry_run:
        assert (4, 0, 4, 0) == (second.observed, second.new, second.known, second.shared)
        assert [(2, 0, 2), (0, 4, None)] == [(each.new, each.known, each.shared) for each in done]


def test_a_person_reads_what_a_run_did_before_it_was_cut_short(command: Command) -> None:
    """Without claiming that a naive sync would have lost nobody."""
    assert 0 == command("init").exit_code
    faults = (Fault(FaultKind.QUOTA_EXCEEDED, page=2),)
    with Simulator(Scenario(people=People(unsubscribed=600), faults=faults)) as platform:
        env = {"SUPPRESS_SOURCES__MAIN__ACCESS_TOKEN": platform.token}
        done = command("sync", env={**env, "SUPPRESS_SOURCES__MAIN__API_URL": platform.url})

    assert 5 == done.exit_code, done.err
    assert "cut short" in done.out
    assert "500" in done.out
    assert "would have lost" not in done.out


class TwoContacts(ShortSource):
    """A census that shows a mailable contact before the opt-out of another one with the same address."""

    def __init__(self, ids: tuple[str, str], *, complete: bool = True) -> None:
        self.ids = ids
        self.complete = complete
        self.pulls = 0

    def pull(self, what: Window | Census) -> Iterator[Page | Summary]:
        """The window shows neither: the opt-out has no date."""
        self.pulls += 1
        if isinstance(what, Census):
            one, other = self.ids
            mailable = Observed(
                "main",
                Address.parse("Pat@Example.com"),
                Permission.MAILABLE,
                "explicit",
                fingerprint=(one, ""),
            )
            yield Page("all", (mailable,), 1)
            out = Observed(
                "main", Address.parse("pat@example.com"), Permission.OPTED_OUT, "out", fingerprint=(other, "")
            )
            yield Page("all", (out,), 1)
        whole = self.complete or isinstance(what, Window)
        yield Summary(whole, 2, 2, 1, 0, 0, problems=() if whole else ("2 counted, 1 shown",))


def test_the_order_in_which_contacts_are_shown_does_not_decide_what_is_drift(ledger: Ledger) -> None:
    """Otherwise the second run would find what the first one had passed by."""
    source = TwoContacts(("a", "b"))
    (first,) = sync(ledger, [source], full=True, now=LATER, actor="test")
    assert (1, 1, True) == (first.new, len(first.drift), first.complete)
    assert (3, 6) == (source.pulls, first.requests)

    before = kinds(ledger)
    (again,) = sync(ledger, [source], full=True, now=LATER, actor="test")
    assert before + Counter({"sync.done": 1}) == kinds(ledger)
    assert (5, [first.drift[0].seq]) == (source.pulls, [each.seq for each in again.drift])


def test_a_census_that_does_not_add_up_is_not_taken_twice_in_one_run(ledger: Ledger) -> None:
    """It has to be repeated anyway, and its problems are said once."""
    source = TwoContacts(("a", "b"), complete=False)
    (result,) = sync(ledger, [source], full=True, now=LATER, actor="test")

    assert 2 == source.pulls
    assert isinstance(result.failure, Incomplete)
    assert 1 == result.failure.message.count("2 counted, 1 shown")


def test_who_opts_out_during_a_census_costs_no_second_one(ledger: Ledger) -> None:
    """A contact that changed between two walks passed nobody by."""
    source = TwoContacts(("a", "a"))
    (result,) = sync(ledger, [source], full=True, now=LATER, actor="test")

    assert (1, 0, 2) == (result.new, len(result.drift), source.pulls)


def test_one_source_that_fails_does_not_stop_the_others(ledger: Ledger, tmp_path: Path) -> None:
    """Several accounts, one expired token."""
    with Simulator(Scenario(people=People(unsubscribed=2))) as platform:
        options = {"api_url": platform.url}
        broken = ConstantContact(
            SourceSettings("old", "constant-contact", None, "expired", options=options), state=tmp_path
        )
        good = ConstantContact(
            SourceSettings("main", "constant-contact", None, platform.token, options=options), state=tmp_path
        )
        results = sync(ledger, [broken, good], full=False, now=datetime.now(UTC), actor="test")
        broken.close()
        good.close()

    assert [False, True] == [result.complete for result in results]
    assert results[0].failure is not None
    assert 4 == results[0].failure.exit_code
    assert 2 == len(suppressed(ledger))


def test_evidence_is_kept_as_the_platform_gave_it(ledger: Ledger, tmp_path: Path) -> None:
    """Raw values are the audit trail; they live in the erasable payload, not in the leaf."""
    with Simulator(Scenario(people=People(unsubscribed_deleted=1))) as platform:
        run(ledger, platform, tmp_path, full=True)
        (address,) = platform.truth()
        contact = platform.contact(address)

    (entry,) = [each for each in ledger.entries() if isinstance(each.body, OptOutRecorded)]
    payload = ledger.payload(entry.seq)
    assert payload is not None
    assert address == payload["address"]
    assert contact.contact_id in str(payload["evidence"])
    assert address.encode() not in entry.leaf
    assert contact.contact_id.encode() not in entry.leaf

"""Coverage, census and drift: what was read and told, what it showed, and who came back."""

from __future__ import annotations

from datetime import timedelta

from suppress.config import DestinationSettings, Settings, SourceSettings
from suppress.core.suppression import Channel, Origin, Reason, Visibility
from suppress.report.census import Identity
from suppress.report.contents import tables
from suppress.report.drift import Closing
from tests.report.books import Book, day, noon

COUNTS = {
    "status_all": 30,
    "status_all_counted": 30,
    "contacts": 30,
    "opted_out": 12,
    "opted_out_visible": 8,
    "opted_out_deleted": 4,
    "rounds": 1,
}


class TestSources:
    """A source counts as read when a run was complete."""

    def test_an_incomplete_run_proves_nothing(self) -> None:
        """It is shown, and the last complete one stays what it was."""
        book = Book()
        book.sync(mode="window")
        book.later(days=1).sync(mode="census", complete=False)
        (source,) = book.facts().coverage.sources

        assert (source.runs, source.incomplete_runs) == (2, 1)
        assert source.last_complete == noon("2026-09-01")
        assert source.last_run_complete is False
        assert source.last_census is None

    def test_read_until_is_the_end_of_the_last_complete_window(self) -> None:
        """Opt-outs dated before it have been read."""
        book = Book()
        book.sync(mode="window")
        (source,) = book.facts().coverage.sources

        assert source.read_until == noon("2026-09-01") - timedelta(minutes=5)

    def test_a_daily_job_is_stale_after_26_hours(self) -> None:
        """On the hour it is not; a second later it is."""
        book = Book()
        book.sync(mode="window")
        limit = noon("2026-09-01") + timedelta(hours=26)

        assert not book.facts(as_of=limit).coverage.sources[0].run_is_stale
        assert book.facts(as_of=limit + timedelta(seconds=1)).coverage.sources[0].run_is_stale

    def test_a_weekly_census_is_stale_after_eight_days(self) -> None:
        """The same for the census, which a window does not renew."""
        book = Book()
        book.sync(mode="census")
        book.later(days=8).sync(mode="window")

        assert not book.facts().coverage.sources[0].census_is_stale
        assert book.facts(as_of=book.now + timedelta(seconds=1)).coverage.sources[0].census_is_stale

    def test_configured_and_never_read_it_is_listed_with_what_to_do(self) -> None:
        """A forgotten source must not be an empty success."""
        facts = Book().facts()

        assert [(each.name, each.last_complete) for each in facts.coverage.sources] == [("main", None)]
        assert any("main was never read" in point.says for point in facts.verdict.points)

    def test_read_and_no_longer_configured_it_is_listed_too(self) -> None:
        """The report names a source that somebody took out of the settings."""
        book = Book()
        book.sync(source="old account")
        facts = book.facts()

        assert [(each.name, each.configured) for each in facts.coverage.sources] == [
            ("main", True),
            ("old account", False),
        ]
        assert any("old account is known to the ledger" in point.says for point in facts.verdict.points)

    def test_requests_of_a_source_that_never_reported_a_run_are_listed(self) -> None:
        """A run that was cut short before its end left requests behind."""
        book = Book()
        book.opt_out("ann", source="half")

        found = {each.name: each for each in book.facts().coverage.sources}

        assert (found["half"].requests, found["half"].platform) == (1, "unknown")

    def test_a_struck_out_run_does_not_count(self) -> None:
        """Nor does a struck-out receipt or change of destination."""
        book = Book()
        run = book.sync()
        told = book.told("crm")
        added = book.destination("mail")
        for entry in (run, told, added):
            book.corrected(entry)
        coverage = book.facts().coverage

        assert coverage.sources[0].last_complete is None
        assert [(each.name, each.active) for each in coverage.destinations] == [("crm", False)]

    def test_without_any_source_the_report_says_what_that_means(self) -> None:
        """A ledger of letters and lists only."""
        facts = Book().facts(settings=Settings())

        assert facts.coverage.sources == ()
        assert any("No source is configured" in limit for limit in facts.limits)


def test_people_and_files_are_listed_by_the_name_they_were_recorded_under() -> None:
    """They are no sources that could be read again."""
    book = Book()
    book.opt_out("ann", origin=Origin.PERSON, source="telephone")
    book.opt_out("bob", origin=Origin.FILE, source="old.csv")
    book.opt_out("cyd", origin=Origin.FILE, source="old.csv")

    assert [(each.name, each.origin, each.requests) for each in book.facts().coverage.brought] == [
        ("old.csv", Origin.FILE, 2),
        ("telephone", Origin.PERSON, 1),
    ]


class TestDestinations:
    """When each was told, up to where, and what it still lacks."""

    def test_what_it_lacks_is_counted_request_by_request(self) -> None:
        """One that failed, one that came since; a bounce and a lifted one are owed to nobody."""
        book = Book()
        failed = book.opt_out("ann")
        book.opt_out("bob")
        upto = book.told("crm", failed=[failed])
        book.opt_out("cyd")
        book.opt_out("dan", reason=Reason.BOUNCED)
        book.opt_out("eve")
        book.later(days=1).consent("eve")
        book.opt_out("fay", channel=Channel.SMS)
        (crm,) = book.facts().coverage.destinations

        assert (crm.untold, crm.upto, crm.verified, crm.active) == (2, upto - 1, True, True)

    def test_configured_and_never_told_it_is_listed(self) -> None:
        """And while nobody is told, the verdict says so."""
        book = Book()
        book.opt_out("ann")
        facts = book.facts()

        assert [(each.name, each.exports, each.untold) for each in facts.coverage.destinations] == [
            ("crm", 0, 1)
        ]
        assert any("No destination has been told" in point.says for point in facts.verdict.points)

    def test_its_platform_comes_from_the_settings_or_the_ledger(self) -> None:
        """A destination that nobody configures any more keeps its platform's name."""
        book = Book()
        book.destination("gone")
        settings = Settings(destinations={"crm": DestinationSettings("crm", "mailchimp", sender="Acme")})
        found = {each.name: each for each in book.facts(settings=settings).coverage.destinations}

        assert (found["gone"].platform, found["crm"].platform) == ("csv", "mailchimp")
        assert (found["gone"].configured, found["crm"].sender) == (False, "Acme")


class TestCensus:
    """The source's counts, and the sums that must hold between them."""

    def test_every_sum_is_named_with_both_sides(self) -> None:
        """A census that adds up says which sums it held to."""
        book = Book()
        book.sync(census=COUNTS, observed=12, new=5, deleted=4, missed=4)
        (census,) = book.facts().population.censuses

        assert [(each.says, each.left, each.right) for each in census.identities] == [
            ("opted out = new in this run + already known", 12, 12),
            ("opted out in the census = opted out in the run", 12, 12),
            ("opted out = visible + deleted", 12, 12),
            ("deleted opt-outs in the census = deleted opt-outs in the run", 4, 4),
            ("contacts shown by status=all = the platform's own count", 30, 30),
        ]
        assert all(each.holds for each in census.identities)

    def test_a_sum_that_does_not_hold_needs_action(self) -> None:
        """A visible opt-out is missing: the report says so at the top."""
        book = Book()
        book.sync(census={**COUNTS, "opted_out_visible": 7}, observed=12, deleted=4)
        facts = book.facts()

        assert facts.verdict.action_needed
        assert any("sum in this report does not hold" in point.says for point in facts.verdict.points)

    def test_an_account_that_changed_meanwhile_is_not_held_to_its_own_count(self) -> None:
        """After several rounds the source has compared them with one another; the count moves on."""
        book = Book()
        book.sync(census={**COUNTS, "rounds": 2, "status_all_counted": 31}, observed=12, deleted=4)

        assert all(each.holds for each in book.facts().population.censuses[0].identities)

    def test_counts_of_another_platform_are_shown_without_our_sums(self) -> None:
        """Only identities whose counts are there are asked for."""
        book = Book()
        book.sync(census={"hard bounces": 3}, observed=2, new=2)

        (census,) = book.facts().population.censuses

        assert census.identities == (Identity("opted out = new in this run + already known", 2, 2),)
        assert tables(book.facts())["census"].rows == (
            ("main", "Hard bounces", 3),
            ("main", "A plain query for opt-outs would have missed", 0),
        )

    def test_contacts_that_share_an_address_are_named_in_the_sum(self) -> None:
        """They are requests of one person: the sum holds, and says how."""
        book = Book()
        book.sync(census={"hard bounces": 3}, observed=3, new=2, shared=1)

        (census,) = book.facts().population.censuses

        words = "opted out = new in this run + already known + 1 of an address counted already"
        assert census.identities == (Identity(words, 3, 3),)

    def test_the_last_complete_census_of_the_period_counts(self) -> None:
        """A later one belongs to a later report; an incomplete one to none."""
        book = Book()
        first = book.sync(census=COUNTS)
        book.later(days=1).sync(census=COUNTS, complete=False)
        later = book.on("2026-10-05").sync(census=COUNTS)

        assert [each.seq for each in book.facts(until="2026-09-30").population.censuses] == [first]
        assert [each.seq for each in book.facts().population.censuses] == [later]


class TestHidden:
    """People whom the usual query does not show."""

    def test_each_person_is_found_once(self) -> None:
        """By the entry that first said they were deleted."""
        book = Book()
        book.opt_out("ann", visibility=Visibility.VISIBLE, acted="2026-08-01")
        seq = book.opt_out("ann", visibility=Visibility.DELETED, acted="2026-08-02")
        book.opt_out("ann", visibility=Visibility.DELETED, acted="2026-08-03")
        (hidden,) = book.facts().population.hidden

        assert (hidden.seq, hidden.acted, hidden.recorded) == (seq, day("2026-08-02"), day("2026-09-01"))

    def test_found_before_the_period_they_are_not_found_again(self) -> None:
        """A second request of the same person is no second find."""
        book = Book()
        book.opt_out("ann", visibility=Visibility.DELETED)
        book.on("2026-10-02").opt_out("ann", visibility=Visibility.DELETED)
        book.opt_out("bob", visibility=Visibility.DELETED)

        assert [each.subject for each in book.facts(since="2026-10-01").population.hidden] == ["bob"]

    def test_requests_are_counted_by_when_the_person_acted(self) -> None:
        """Undated ones are counted apart and never dated."""
        book = Book()
        book.opt_out("ann", visibility=Visibility.VISIBLE, acted="2026-08-01")
        book.opt_out("bob", visibility=Visibility.DELETED, acted="2026-08-31")
        book.opt_out("cyd", origin=Origin.PERSON, acted="2026-07-01")
        book.opt_out("dan", visibility=Visibility.DELETED)
        book.opt_out("eve", channel=Channel.SMS, visibility=Visibility.DELETED)
        population = book.facts().population

        assert [(m.month, m.visible, m.deleted, m.elsewhere) for m in population.months] == [
            ("2026-07", 0, 0, 1),
            ("2026-08", 1, 1, 0),
        ]
        assert (population.visible, population.deleted, population.elsewhere, population.undated) == (
            1,
            2,
            1,
            1,
        )


class TestDrift:
    """An incident lasts until a complete census of its source no longer lists it."""

    def test_it_stays_open_while_the_census_lists_it(self) -> None:
        """Found and listed: open, and action is needed."""
        book = Book()
        book.opt_out("ann")
        seq = book.later(days=1).drift("ann")
        book.sync(drift=[seq])
        facts = book.facts()

        assert [each.closed for each in facts.drift] == [None]
        assert (facts.verdict.drift_open, facts.verdict.findings) == (1, True)

    def test_a_window_closes_nothing(self) -> None:
        """Nor does a census that was incomplete, or another source's."""
        book = Book()
        book.opt_out("ann")
        book.drift("ann")
        book.sync(mode="window")
        book.sync(complete=False)
        book.sync(source="second")

        assert book.facts().verdict.drift_open == 1

    def test_a_complete_census_without_it_closes_it(self) -> None:
        """It says when and why."""
        book = Book()
        book.opt_out("ann")
        book.drift("ann")
        book.later(days=7).sync()
        (incident,) = book.facts().drift

        assert (incident.closed, incident.closing) == (noon("2026-09-08"), Closing.CENSUS)

    def test_listed_again_it_is_open_again(self) -> None:
        """The same facts are never recorded twice; the run lists the old entry."""
        book = Book()
        book.opt_out("ann")
        seq = book.drift("ann")
        book.later(days=7).sync()
        book.later(days=7).sync(mode="window", drift=[seq, 0])
        (incident,) = book.facts().drift

        assert (incident.closed, incident.reopened) == (None, 1)

    def test_a_consent_that_lifts_closes_it(self) -> None:
        """In its own channel only."""
        book = Book()
        book.opt_out("ann")
        book.drift("ann")
        book.opt_out("ann", channel=Channel.SMS)
        book.drift("ann", channel=Channel.SMS)
        book.later(days=1).consent("ann")

        assert [each.closing for each in book.facts().drift] == [Closing.CONSENT, None]

    def test_struck_out_or_forgotten_it_is_closed(self) -> None:
        """And open again if striking it out was wrong."""
        book = Book()
        for person in ("ann", "bob"):
            book.opt_out(person)
        wrong = book.drift("ann")
        book.drift("bob")
        book.later(days=1).sync(drift=[wrong])
        book.drift("bob")
        correction = book.corrected(wrong)
        book.forgotten("bob")
        assert [each.closing for each in book.facts().drift] == [
            Closing.CORRECTED,
            Closing.CENSUS,
            Closing.FORGOTTEN,
        ]

        book.corrected(correction)

        assert [each.closed is None for each in book.facts().drift] == [True, False, False]

    def test_a_report_shows_what_was_found_in_its_period_or_lasted_into_it(self) -> None:
        """Closed before it began, or found after it ended: another report's."""
        book = Book()
        book.opt_out("ann")
        book.drift("ann")
        book.later(days=1).sync()
        book.drift("ann")
        book.on("2026-10-05").sync()
        book.on("2026-11-05").drift("ann")

        assert len(book.facts(since="2026-10-01", until="2026-10-31").drift) == 1
        assert len(book.facts().drift) == 3


def test_the_sources_sender_comes_from_the_settings() -> None:
    """Senders are named on the cover."""
    settings = Settings(sources={"main": SourceSettings("main", "constant-contact", sender="Acme")})

    assert Book().facts(settings=settings).manifest.senders == ("Acme",)

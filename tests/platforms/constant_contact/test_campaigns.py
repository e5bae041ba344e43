"""Campaign reports: evidence beside opt-outs, a second word on the deleted, bounces, and a budget."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from suppress.config import SourceSettings
from suppress.core.entry import OptOutRecorded
from suppress.core.suppression import Json, Reason
from suppress.ledger import Ledger
from suppress.platforms.constant_contact import ConstantContact
from suppress.platforms.constant_contact.application import Application
from suppress.platforms.constant_contact.simulator import (
    Fault,
    FaultKind,
    Limits,
    People,
    Scenario,
    SignIn,
    Simulator,
)
from suppress.plugin.contract import Severity
from suppress.sync import SourceResult, sync
from tests.platforms.constant_contact.accounts import Bare, account, person, pulled, serving, window
from tests.platforms.constant_contact.signed import world
from tests.platforms.constant_contact.test_examination import by_subject
from tests.plugin.serving import Asked, Says

CROWD = People(active=4, unsubscribed=5, unsubscribed_by_account=2, unsubscribed_deleted=3, bounced=6)
FREE = Limits(per_second=1_000_000, per_day=1_000_000_000, token_per_second=1_000_000)
SUMMARIES = "/v3/reports/summary_reports/email_campaign_summaries"


def run(
    ledger: Ledger, platform: Simulator, state: Path, *, dry_run: bool = False, **options: Json
) -> SourceResult:
    """One sync."""
    given: dict[str, Json] = {"api_url": platform.url, "client_id": "acme", **options}
    source = ConstantContact(
        SourceSettings("main", "constant-contact", None, platform.token, options=given), state
    )
    try:
        (result,) = sync(ledger, [source], full=False, now=datetime.now(UTC), actor="test", dry_run=dry_run)
    finally:
        source.close()
    return result


def reasons(ledger: Ledger) -> Counter[Reason]:
    return Counter(entry.body.reason for entry in ledger.entries() if isinstance(entry.body, OptOutRecorded))


def evidence(ledger: Ledger) -> list[dict[str, object]]:
    payloads = [
        ledger.payload(entry.seq) for entry in ledger.entries() if isinstance(entry.body, OptOutRecorded)
    ]
    found = [payload["evidence"] for payload in payloads if payload is not None]
    return [dict(each) for each in found if isinstance(each, dict)]


@pytest.mark.both_back_ends
def test_a_click_is_evidence_of_the_opt_out_and_no_second_one(ledger: Ledger, tmp_path: Path) -> None:
    """Eight clicked a link, two were marked by staff: ten requests, eight with their campaign."""
    with Simulator(Scenario(people=CROWD)) as platform:
        first = run(ledger, platform, tmp_path, campaign_evidence=True)
        size = ledger.head().size
        second = run(ledger, platform, tmp_path, campaign_evidence=True)
        asked = [exchange.path for exchange in platform.requests]

    found = evidence(ledger)
    assert (10, 10, True, ()) == (first.observed, first.new, first.complete, first.notes)
    assert 8 == sum("campaign.activity_id" in each and "campaign.created_time" in each for each in found)
    assert 10 == len(found)
    assert (0, 0, size + 1) == (second.new, second.known, ledger.head().size)
    assert 2 == asked.count(SUMMARIES)
    read = [each for each in asked if each.endswith("/tracking/optouts")]
    assert len(read) == len(set(read)), "a report that was read is not read again"


@pytest.mark.both_back_ends
def test_bounces_are_recorded_only_if_wanted_and_are_no_opt_out(ledger: Ledger, tmp_path: Path) -> None:
    """Codes B and S; nobody who bounced is drift, though the platform would mail them on."""
    with Simulator(Scenario(people=CROWD)) as platform:
        without = run(ledger, platform, tmp_path)
        assert Reason.BOUNCED not in reasons(ledger)
        first = run(ledger, platform, tmp_path, bounces=True)
        again = run(ledger, platform, tmp_path, bounces=True)
        truth = [
            each
            for each in platform.backend.seen()
            if any(bounce.code in ("B", "S") for bounce in each.bounces)
        ]

    assert truth, "the account has no hard bounce"
    assert reasons(ledger)[Reason.BOUNCED] == len(truth) == first.bounced == first.bounced_new
    assert (0, 0) == (without.bounced, first.new)
    assert (0, ()) == (again.bounced_new, again.drift)


@pytest.mark.both_back_ends
def test_whom_only_a_report_names_is_recorded_unless_suppressed(ledger: Ledger, tmp_path: Path) -> None:
    """A deleted person whom no query of contacts shows: the second source is independent of the first."""
    report = {
        "contact_id": "gone",
        "campaign_activity_id": "act-1",
        "tracking_activity_type": "em_optouts",
        "email_address": "gone@example.com",
        "created_time": "2024-06-08T01:31:05Z",
        "deleted_at": "2024-07-01",
    }
    earlier = {**report, "created_time": "2023-01-01T00:00:00Z"}
    undated = {key: value for key, value in report.items() if key != "created_time"}
    moved = {**report, "contact_id": "id-00001", "email_address": "before@example.com"}
    nobody = {"contact_id": "x", "created_time": "2024-06-08T01:31:05Z"}
    contacts = Bare([person(1, "unsubscribed")])

    def answers(asked: Asked, number: int) -> Says:
        if "summary_reports" in asked.target:
            row = {"campaign_id": "c-1", "last_sent_date": "2024", "unique_counts": {"optouts": 2}}
            return Says.json({"bulk_email_campaign_summaries": [row, {"campaign_id": "../x"}], "_links": {}})
        if "/v3/emails/" in asked.target:
            roles = [("primary_email", "act-1"), ("permalink", "act-2")]
            rows = [{"role": role, "campaign_activity_id": one} for role, one in roles]
            return Says.json({"campaign_activities": rows})
        if "cursor" in asked.target:
            return Says.json(
                {"tracking_activities": [report, earlier, moved, nobody], "_links": {"next": None}}
            )
        if "tracking" in asked.target:
            href = "/v3/reports/email_reports/act-1/tracking/optouts?cursor=2"
            return Says.json({"tracking_activities": [undated], "_links": {"next": {"href": href}}})
        return contacts(asked, number)

    with serving(answers, tmp_path) as (server, _):
        given: dict[str, Json] = {"api_url": server.url, "campaign_evidence": True}
        source = ConstantContact(
            SourceSettings("main", "constant-contact", access_token="t", options=given), tmp_path
        )
        (first,) = sync(ledger, [source], full=False, now=datetime.now(UTC), actor="test")
        (tmp_path / "again").mkdir()
        once_more = ConstantContact(
            SourceSettings("main", "constant-contact", access_token="t", options=given), tmp_path / "again"
        )
        (second,) = sync(ledger, [once_more], full=False, now=datetime.now(UTC), actor="test")
        source.close()
        once_more.close()

    held = {each.key: each.suppression.since for each in ledger.suppressed()}
    assert {"gone@example.com", "p1@example.com", "before@example.com"} == set(held)
    assert datetime(2024, 6, 8, 1, 31, 5, tzinfo=UTC) == held["gone@example.com"], "the newest click"
    assert (3, 3, 2) == (first.observed, first.new, first.deleted)
    assert (0, 2) == (second.new, second.known), "without the file all is read again, and nothing doubles"


def test_no_more_than_the_budget_is_asked_and_the_next_run_goes_on(ledger: Ledger, tmp_path: Path) -> None:
    """Newest campaign first; what a dry run reads counts as unread."""
    with Simulator(Scenario(people=People(unsubscribed=30), limits=FREE)) as platform:

        def reports() -> int:
            return sum("/reports/" in each.path or "/emails/" in each.path for each in platform.requests)

        run(ledger, platform, tmp_path, dry_run=True, campaign_evidence=True, evidence_budget=7)
        notes: list[tuple[str, ...]] = []
        spent: list[int] = []
        while not notes or notes[-1]:
            before = reports()
            result = run(ledger, platform, tmp_path, campaign_evidence=True, evidence_budget=7)
            notes.append(result.notes)
            spent.append(reports() - before)
            assert result.complete
            assert len(notes) < 40
        read = [each.path for each in platform.requests if each.path.endswith("/optouts")]

    assert len(notes) > 2
    assert max(spent) <= 7
    assert "evidence_budget allows 7 requests a run" in notes[0][0]
    repeated = [path for path, times in Counter(read).items() if times > 1]
    assert len(repeated) <= 3, "only what the dry run read, or a budget cut in the middle"
    assert 30 == len(list(ledger.suppressed()))


@pytest.mark.parametrize(
    ("scenario", "words"),
    [
        (Scenario(people=CROWD, sign_in=SignIn(scopes=("contact_data",))), "the token's scope campaign_data"),
        (Scenario(people=CROWD, faults=(Fault(FaultKind.ERROR, times=9, path=SUMMARIES),)), "answered 500"),
    ],
)
def test_reports_that_cannot_be_read_are_a_note_and_no_failure(
    scenario: Scenario, words: str, tmp_path: Path
) -> None:
    """Evidence may lack; opt-outs may not."""
    with account(scenario, tmp_path, campaign_evidence=True, bounces=True) as cc:
        found = cc.first_window()

    assert (True, 10) == (found.done.complete, found.done.opted_out)
    assert any(words in note for note in found.done.notes), found.done.notes


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            {"bulk_email_campaign_summaries": 5},
            "expected a list as bulk_email_campaign_summaries, found a number",
        ),
        ([], "expected a list as bulk_email_campaign_summaries, found null"),
        (
            {
                "bulk_email_campaign_summaries": [],
                "_links": {"next": {"href": "https://evil.example/v3/reports"}},
            },
            "the next page lies outside",
        ),
        ({"bulk_email_campaign_summaries": [], "_links": {"next": 5}}, "expected a link"),
        (
            {"bulk_email_campaign_summaries": [], "_links": {"next": {"href": f"{SUMMARIES}?cursor=1"}}},
            "the pages lead in a circle",
        ),
        (
            {
                "bulk_email_campaign_summaries": [
                    {"campaign_id": "c-1", "unique_counts": {"optouts": 1}},
                    {"campaign_id": "a/b", "unique_counts": {"optouts": 1}},
                    {"campaign_id": "c-3", "unique_counts": "?"},
                ]
            },
            "expected the id of a campaign, found a text",
        ),
    ],
)
def test_a_report_that_is_not_as_promised_is_a_note(answer: object, words: str, tmp_path: Path) -> None:
    """The token follows no link elsewhere, and no id leads out of its path."""
    contacts = Bare([person(1, "unsubscribed")])

    def answers(asked: Asked, number: int) -> Says:
        if "summary_reports" in asked.target:
            return Says.json(answer)
        if "/v3/emails/" in asked.target:
            rows = [{"role": "primary_email", "campaign_activity_id": "../../contacts"}]
            return Says.json({"campaign_activities": rows})
        return contacts(asked, number)

    with serving(answers, tmp_path) as (server, _):
        given: dict[str, Json] = {"api_url": server.url, "campaign_evidence": True}
        source = ConstantContact(
            SourceSettings("main", "constant-contact", access_token="t", options=given), tmp_path
        )
        found = pulled(source, window())
        source.close()

    assert (True, {"p1@example.com"}) == (found.done.complete, found.opted_out)
    assert words in found.done.notes[0]


def test_a_file_that_is_none_is_read_as_nothing_read(tmp_path: Path) -> None:
    """It may be lost."""
    with account(Scenario(people=CROWD), tmp_path, campaign_evidence=True) as cc:
        first = cc.first_window()
        first.pages[-1].recorded()
        (file,) = tmp_path.glob("constant-contact-reports-*.json")
        assert 0o600 == file.stat().st_mode & 0o777
        file.write_text("[]", encoding="utf-8")
        again = cc.first_window()

    assert first.done.requests == again.done.requests


def test_a_sign_in_asks_for_what_reports_need(tmp_path: Path) -> None:
    """And doctor says if it is missing."""
    given: dict[str, Json] = {"client_id": "acme", "bounces": True}
    application = Application.of(SourceSettings("main", "constant-contact", options=given))
    assert ("contact_data", "account_read", "campaign_data", "offline_access") == application.scopes

    sign_in = SignIn(privileges=("contacts:read",))
    with account(Scenario(sign_in=sign_in), tmp_path, bounces=True) as cc:
        source = cc.source()
        found = by_subject(list(source.check()))
        source.close()
    assert Severity.FAIL is found["privileges"].severity
    assert "ui:campaign:metrics" in found["privileges"].message


def test_scopes_that_reports_need_are_missed_by_name(tmp_path: Path) -> None:
    """A sign-in from before they were wanted has to be made once more."""
    for before, severity in ((False, Severity.FAIL), (True, Severity.PASS)):
        state = tmp_path / severity.value
        with world(state, bounces=before) as here:
            here.sign_in()
            now = replace(here, options={"bounces": True})
            source = ConstantContact(now.settings, state, now=now.clock.utc, clock=now.clock)
            found = by_subject(list(source.check()))
            source.close()

        assert severity is found["scopes"].severity
        assert ("lacks campaign_data" in found["scopes"].message) is (severity is Severity.FAIL)

"""Reports name who clicked a campaign's link, deleted people too, and nobody else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from suppress.platforms.constant_contact.simulator import (
    LastPage,
    Scenario,
    Simulator,
    Switches,
    large_scenario,
)
from suppress.platforms.constant_contact.simulator.model import Contact, OptOut
from tests.platforms.constant_contact_simulator.calling import UNLIMITED, call, get, pages, standing_still

ACCOUNT = replace(large_scenario(600), limits=UNLIMITED)


def opted_out(cc: Simulator) -> list[tuple[Contact, OptOut]]:
    """Everybody who ever opted out."""
    return [(one, one.email.opt_out) for one in cc.backend.account if one.email and one.email.opt_out]


def report(cc: Simulator, campaign: str, name: str = "optouts", **query: str) -> list[Any]:
    """All rows of one campaign's report."""
    path = f"/reports/email_reports/{campaign}/tracking/{name}"
    return [row for page in pages(cc, path, **query) for row in page["tracking_activities"]]


def test_the_reports_of_all_campaigns_name_exactly_who_clicked() -> None:
    """Nobody whom staff, an upload, a partner or a spam complaint unsubscribed; deleted people, too."""
    with standing_still(ACCOUNT) as cc:
        named = {
            row["contact_id"]: row
            for campaign in cc.backend.account.campaigns
            for row in report(cc, campaign.primary, limit="3")
        }
        clicked = {
            one.contact_id: one
            for one, out in opted_out(cc)
            if out.source == "Contact" and out.campaign is not None and not out.complaint
        }

    assert named.keys() == clicked.keys()
    assert {key for key, row in named.items() if "deleted_at" in row} == {
        key for key, one in clicked.items() if one.deleted
    }
    assert all(row["tracking_activity_type"] == "em_optouts" for row in named.values())


def test_a_report_is_newest_first_and_ends_with_null() -> None:
    """Page by page; the contract requires `_links` in it."""
    with standing_still(ACCOUNT) as cc:
        campaign = max(
            (one.primary for one in cc.backend.account.campaigns), key=lambda held: len(report(cc, held))
        )
        found = list(pages(cc, f"/reports/email_reports/{campaign}/tracking/optouts", limit="2"))

    times = [row["created_time"] for page in found for row in page["tracking_activities"]]
    assert len(found) > 1
    assert times == sorted(times, reverse=True)
    assert found[-1]["_links"] == {"next": None}


@pytest.mark.parametrize(("last_page", "links"), [(LastPage.EMPTY, {}), (LastPage.MISSING, {})])
def test_a_report_may_end_without_next(last_page: LastPage, links: dict[str, Any]) -> None:
    """But never without `_links`, which the contract requires."""
    scenario = replace(ACCOUNT, switches=Switches(report_last_page=last_page))
    with standing_still(scenario) as cc:
        campaign = cc.backend.account.campaigns[0].primary
        found = get(cc, f"/reports/email_reports/{campaign}/tracking/optouts")

    assert found["_links"] == links


def test_bounces_are_told_apart_by_their_code() -> None:
    """Only `B` and `S` are worth a suppression; the report can be asked for them alone."""
    with standing_still(ACCOUNT) as cc:
        campaigns = [one.primary for one in cc.backend.account.campaigns]
        rows = [row for held in campaigns for row in report(cc, held, "bounces")]
        path = "/v3/reports/email_reports/{}/tracking/bounces"
        query = [("bounce_code", "B"), ("bounce_code", "S")]
        answers = [call(cc, "GET", path.format(held), query) for held in campaigns]
        hard = [row for answer in answers for row in answer.json()["tracking_activities"]]

    assert {row["bounce_code"] for row in rows} > {"B", "S"}
    assert {row["bounce_code"] for row in hard} == {"B", "S"}
    assert all(row["current_email_address"] == row["email_address"] for row in rows)


def test_the_details_of_one_person_name_the_campaign_of_the_click() -> None:
    """The cheapest evidence for one opt-out."""
    with standing_still(ACCOUNT) as cc:
        one, out = next(pair for pair in opted_out(cc) if pair[1].campaign and not pair[1].complaint)
        path = f"/reports/contact_reports/{one.contact_id}/activity_details"
        (row,) = get(cc, path, tracking_activities_list="em_optouts")["tracking_activities"]
        plain = get(cc, path, tracking_activities_list="em_optouts", include_campaign_activity_names="false")
        sends = [
            row
            for page in pages(cc, path, tracking_activities_list="em_sends", limit="5")
            for row in page["tracking_activities"]
        ]

    assert row["campaign_activity_id"] == out.campaign
    assert row["campaign_activity_name"].startswith("Acme Outdoor news")
    assert "campaign_activity_name" not in plain["tracking_activities"][0]
    assert out.at is not None
    assert all(each["created_time"] < f"{out.at:%Y-%m-%dT%H:%M:%SZ}" for each in sends)
    assert {each["tracking_activity_type"] for each in sends} == {"em_sends"}


def test_people_whom_staff_unsubscribed_have_no_campaign() -> None:
    """Absence is normal, not an error."""
    with standing_still(ACCOUNT) as cc:
        one = next(one for one, out in opted_out(cc) if out.source == "Account")
        path = f"/reports/contact_reports/{one.contact_id}/activity_details"
        found = get(cc, path, tracking_activities_list="em_optouts")

    assert found == {"tracking_activities": [], "_links": {"next": None}}


def test_the_summary_of_a_person_counts_campaign_by_campaign() -> None:
    """Between two dates, both required."""
    with standing_still(ACCOUNT) as cc:
        one = next(pair[0] for pair in opted_out(cc) if pair[1].campaign and not pair[1].complaint)
        path = f"/reports/contact_reports/{one.contact_id}/activity_summary"
        whole = get(cc, path, start="2000-01-01T00:00:00Z", end="2030-01-01")["campaign_activities"]
        none = get(cc, path, start="2000-01-01", end="2000-01-02")["campaign_activities"]
        refused = call(cc, "GET", f"/v3{path}", {"start": "2000-01-01"}).status

    assert sum(row["em_unsubscribes"] for row in whole) <= 1
    assert all(row["em_sends"] == 1 for row in whole)
    assert none == []
    assert refused == 400


def test_the_summary_of_campaigns_counts_what_the_reports_name() -> None:
    """Campaigns without opt-outs can be skipped; complaints are a count and nothing more."""
    with standing_still(ACCOUNT) as cc:
        path = "/reports/summary_reports/email_campaign_summaries"
        rows = [row for page in pages(cc, path) for row in page["bulk_email_campaign_summaries"]]
        named = {one.campaign_id: len(report(cc, one.primary)) for one in cc.backend.account.campaigns}
        complaints = sum(out.complaint for _, out in opted_out(cc))
        bounced = sum(len(one.bounces) for one in cc.backend.account)

    assert {row["campaign_id"]: row["unique_counts"]["optouts"] for row in rows} == named
    assert sum(row["unique_counts"]["abuse"] for row in rows) == complaints > 0
    assert sum(row["unique_counts"]["bounces"] for row in rows) == bounced > 0
    assert all(row["unique_counts"]["sends"] >= 0 for row in rows)
    assert rows == sorted(rows, key=lambda row: str(row["last_sent_date"]), reverse=True)


def test_campaigns_are_listed_with_the_removed_ones() -> None:
    """In a window of time; one alone shows the roles of its activities."""
    with standing_still(ACCOUNT) as cc:
        every = [row for page in pages(cc, "/emails", limit="13") for row in page["campaigns"]]
        some = get(cc, "/emails", after_date="2024-01-01", before_date="2025-01-01", limit="500")["campaigns"]
        one = get(cc, f"/emails/{every[0]['campaign_id']}")

    assert {row["current_status"] for row in every} == {"Done", "Removed"}
    assert 0 < len(some) < len(every) == len(cc.backend.account.campaigns)
    assert {row["updated_at"][:4] for row in some} == {"2024"}
    assert [activity["role"] for activity in one["campaign_activities"]] == ["primary_email", "permalink"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/reports/contact_reports/{person}/activity_details?tracking_activities_list=em_all", 400),
        (
            "/reports/contact_reports/{person}/activity_details"
            "?tracking_activities_list=em_sends&tracking_activity_type=em_opens",
            400,
        ),
        ("/reports/contact_reports/{person}/activity_details?limit=0", 400),
        ("/reports/contact_reports/{person}/activity_details?cursor=nonsense", 400),
        ("/reports/contact_reports/{person}/activity_details?cursor=bGltaXQ9NQ==", 400),
        ("/reports/contact_reports/{person}/activity_details?cursor=bGltaXQ9NSZuZXh0PTI=&limit=5", 400),
        ("/reports/contact_reports/17/activity_details", 404),
        ("/reports/email_reports/17/tracking/optouts", 404),
        ("/reports/email_reports/{campaign}/tracking/bounces?cursor=nonsense", 400),
        ("/reports/email_reports/{campaign}/tracking/bounces?bounce_code=Q", 400),
    ],
)
def test_reports_refuse_with_one_object(path: str, status: int) -> None:
    """Not with an array, as contacts do; the key names the service."""
    with standing_still(ACCOUNT) as cc:
        person = next(iter(cc.backend.account)).contact_id
        where = path.format(person=person, campaign=cc.backend.account.campaigns[0].primary)
        answer = call(cc, "GET", f"/v3{where}")

    assert answer.status == status
    assert answer.json()["error_key"].startswith("reportingsvc.")


def test_the_owner_is_named_after_the_scenario() -> None:
    """The label of the account in a report of ours comes from here."""
    scenario = Scenario(limits=UNLIMITED, organisation="Bright Boots")
    with standing_still(scenario) as cc:
        plain = get(cc, "/account/summary")
        address = get(cc, "/account/summary", extra_fields="physical_address")
        rights = [one["privilege_name"] for one in get(cc, "/account/user/privileges")]

    assert plain["organization_name"] == "Bright Boots"
    assert "physical_address" not in plain
    assert address["physical_address"]["city"] == "Waltham"
    assert "contacts:read" in rights


def test_lists_counts_and_cross_references_agree_with_the_account() -> None:
    """Counts are of visible people, unless the switch says that deleted opt-outs count too."""
    for counts_deleted in (False, True):
        switches = Switches(counts_include_deleted=counts_deleted)
        with standing_still(replace(ACCOUNT, switches=switches)) as cc:
            counts = get(cc, "/contacts/counts", include="new_subscriber")
            plain = get(cc, "/contacts/counts")
            active = get(cc, "/contact_lists", include_membership_count="active")["lists"]
            wrong = call(cc, "GET", "/v3/contact_lists", {"include_membership_count": "some"}).status
            visible = [one for one in cc.backend.account if not one.deleted]
            unsubscribed = [one for one in cc.backend.account if one.unsubscribed]
            lists = get(cc, "/contact_lists", include_membership_count="all", include_count="true")
            members = sum(len(one.lists) for one in cc.backend.account)
            person = visible[0]
            xrefs = get(cc, "/contacts/contact_id_xrefs", sequence_ids=f"1,{person.sequence_id}")["xrefs"]

        shown = unsubscribed if counts_deleted else [one for one in unsubscribed if not one.deleted]
        assert counts["total"] == len(visible)
        assert counts["unsubscribed"] == len(shown)
        assert counts["pending"] > 0
        assert counts.pop("new_subscriber") == 0
        assert plain == counts
        assert wrong == 400
        assert sum(one["membership_count"] for one in active) < members
        assert lists["lists_count"] == len(lists["lists"]) == 4
        assert sum(one["membership_count"] for one in lists["lists"]) == members
        assert xrefs == [{"sequence_id": person.sequence_id, "contact_id": person.contact_id}]


def test_the_sms_history_names_the_act_and_its_medium() -> None:
    """An opt-out by the person's phone, or a deactivation by the carrier."""
    with standing_still(replace(ACCOUNT, people=replace(ACCOUNT.people, sms_only=9))) as cc:
        left = [one for one in cc.backend.account if one.sms and one.sms.opt_out_date]
        histories = [get(cc, f"/contacts/sms_engagement_history/{one.contact_id}") for one in left]
        mailable = next(one for one in cc.backend.account if one.sms and not one.sms.opt_out_date)
        kept = get(cc, f"/contacts/sms_engagement_history/{mailable.contact_id}")
        silent = next(one for one in cc.backend.account if one.sms is None)
        nothing = get(cc, f"/contacts/sms_engagement_history/{silent.contact_id}")

    assert nothing == []
    assert [act["history_details"]["state"] for act in kept] == ["E"]
    details = [[act["history_details"] for act in history] for history in histories]
    assert all([one["consent_action_type"] for one in each] == ["opt_in", "opt_out"] for each in details)
    assert all([one["state"] for one in each] == ["E", "O"] for each in details)
    assert {each[1]["consent_medium_type"] for each in details} == {"MD", "CD"}

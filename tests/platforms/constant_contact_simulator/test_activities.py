"""Bulk activities: what they do to hidden and unsubscribed people, and how they are waited for."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from suppress.platforms.constant_contact.simulator import (
    ExportDates,
    Permission,
    Scenario,
    Simulator,
    Switches,
    large_scenario,
)
from tests.platforms.constant_contact_simulator.calling import UNLIMITED, Answer, call, get, standing_still

PAT = "pat@example.com"
BOUNDARY = "----boundary"


def account(**switches: Any) -> Simulator:
    """One mailable person, one unsubscribed, one hidden, one deleted."""
    cc = standing_still(Scenario(limits=UNLIMITED, switches=Switches(**switches)))
    for name in ("pat", "out", "hidden", "gone"):
        cc.add(f"{name}@example.com")
    for name in ("out", "hidden"):
        cc.unsubscribe(f"{name}@example.com")
    for name in ("hidden", "gone"):
        cc.delete(f"{name}@example.com")
    return cc


def lists(cc: Simulator) -> list[str]:
    """The id of the second list, on which nobody is yet."""
    return [cc.backend.account.lists[1].list_id]


def done(cc: Simulator, name: str, body: object) -> Any:
    """The activity when it is completed."""
    queued = call(cc, "POST", f"/v3/activities/{name}", body=body)
    assert queued.status == 201, queued
    return awaited(cc, queued)


def awaited(cc: Simulator, queued: Answer) -> Any:
    """Poll until it is completed."""
    path = queued.json()["_links"]["self"]["href"].removeprefix("/v3")
    while (activity := get(cc, path))["state"] != "completed":
        pass
    return activity


def upload(cc: Simulator, text: str, **parts: str) -> Answer:
    """A file import."""
    held = {"list_ids": ",".join(lists(cc))} | parts
    lines = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="people.csv"\r\n\r\n{text}',
        *(
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}'
            for name, value in held.items()
        ),
        f"--{BOUNDARY}--\r\n",
    ]
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    raw = "\r\n".join(lines).encode()
    return call(cc, "POST", "/v3/activities/contacts_file_import", raw=raw, headers=headers)


def on_list(cc: Simulator) -> set[str]:
    """Who is on that list now."""
    return {
        one.email.address.partition("@")[0]
        for one in cc.backend.account
        if one.email is not None and lists(cc)[0] in one.lists
    }


# --- Waiting ---------------------------------------------------------------------------------------------


def test_an_activity_is_initialized_then_processing_then_completed() -> None:
    """Each poll brings it further; it takes effect when it is completed."""
    with account(activity_polls=3) as cc:
        queued = call(cc, "POST", "/v3/activities/contact_delete", body={"contact_ids": [_id(cc, "pat")]})
        path = f"/activities/{queued.json()['activity_id']}"
        polls = []
        for _ in range(4):
            polls.append((get(cc, path), cc.contact(PAT).deleted))

    assert queued.json()["state"] == "initialized"
    assert "started_at" not in queued.json()
    assert [activity["state"] for activity, _ in polls] == ["processing"] * 2 + ["completed"] * 2
    assert [deleted for _, deleted in polls] == [False, False, True, True]
    assert [activity["percent_done"] for activity, _ in polls] == [50, 50, 100, 100]
    assert "completed_at" in polls[-1][0]


def test_an_activity_is_completed_in_time_although_nobody_polls() -> None:
    """The next request of any kind finds it done."""
    with account(activity_seconds=10) as cc:
        call(cc, "POST", "/v3/activities/contact_delete", body={"contact_ids": [_id(cc, "pat")]})
        cc.advance(10)
        get(cc, "/account/user/privileges")
        deleted = cc.contact(PAT).deleted

    assert deleted


def test_an_activity_may_be_completed_at_once() -> None:
    """With no polls at all."""
    with account(activity_polls=0) as cc:
        queued = call(cc, "POST", "/v3/activities/contact_delete", body={"contact_ids": [_id(cc, "pat")]})
        deleted = cc.contact(PAT).deleted

    assert queued.json()["state"] == "completed"
    assert deleted


def test_the_last_ten_days_are_listed_newest_first() -> None:
    """Filtered by state, page by page."""
    with account(activity_polls=0) as cc:
        made = []
        for _ in range(3):
            queued = call(cc, "POST", "/v3/activities/contact_exports", body={})
            made.append(queued.json()["activity_id"])
            cc.advance(timedelta(days=4))
        shown = get(cc, "/activities", limit="1")
        rest = call(cc, "GET", shown["_links"]["next"]["href"]).json()
        unfinished = get(cc, "/activities", state="processing")["activities"]

    listed = [one["activity_id"] for one in (*shown["activities"], *rest["activities"])]
    assert listed == [made[2], made[1]]
    assert rest["_links"] == {}
    assert unfinished == []


def test_too_many_unfinished_activities_are_refused() -> None:
    """429 until the queue drains."""
    limits = replace(UNLIMITED, queued_activities=2)
    with standing_still(Scenario(limits=limits)) as cc:
        queued = [call(cc, "POST", "/v3/activities/contact_exports", body={}) for _ in range(3)]
        awaited(cc, queued[0])
        after = call(cc, "POST", "/v3/activities/contact_exports", body={})

    assert [answer.status for answer in queued] == [201, 201, 429]
    assert "You exceeded 2 queued activities" in queued[2].json()[0]["error_message"]
    assert after.status == 201


# --- Imports ---------------------------------------------------------------------------------------------


def test_an_import_never_revives_an_opt_out() -> None:
    """Hidden people come back visible and unsubscribed, on no list, and are counted."""
    names = ("pat", "out", "hidden", "gone", "new")
    rows = [{"email": f"{name}@example.com", "first_name": "N"} for name in names]
    with account() as cc:
        activity = done(cc, "contacts_json_import", {"import_data": rows, "list_ids": lists(cc)})
        visible = {name for name in names if not cc.contact(f"{name}@example.com").deleted}
        new = cc.contact("new@example.com")

    assert activity["status"] == {
        "items_total_count": 5,
        "person_count": 5,
        "error_count": 0,
        "correctable_count": 0,
        "cannot_add_to_list_count": 2,
    }
    assert on_list(cc) == {"pat", "gone", "new"}
    assert visible == set(names)
    assert cc.truth() == {"out@example.com", "hidden@example.com"}
    assert new.email is not None
    assert (new.email.permission, new.email.opt_in_source) == (Permission.IMPLICIT, "Account")
    assert new.details.first_name == "N"


def test_an_import_counts_what_it_cannot_read_and_says_where() -> None:
    """A partial success is `completed` too."""
    rows = [{"email": "no at sign"}, {"zip": "02451"}, {"email": f"{'a' * 45}@example.com"}]
    rows += [{"email": "fine@example.com"}]
    with account() as cc:
        activity = done(cc, "contacts_json_import", {"import_data": rows, "list_ids": lists(cc)})

    assert activity["status"]["correctable_count"] == 3
    assert [error.partition(":")[0] for error in activity["activity_errors"]] == ["row 1", "row 2", "row 3"]
    assert on_list(cc) == {"fine"}


def test_what_lies_beyond_4_mb_of_an_import_is_dropped_silently() -> None:
    """As the vendor does."""
    rows = [{"email": f"p{number}@example.com", "other_street": "x" * 250} for number in range(15_000)]
    with account() as cc:
        activity = done(cc, "contacts_json_import", {"import_data": rows, "list_ids": lists(cc)})

    assert 10_000 < activity["status"]["person_count"] < 15_000


def test_a_file_import_takes_the_products_own_headings() -> None:
    """And keeps the file's name; a number without an address makes an SMS-only contact."""
    text = "\ufeffEmail Address,First Name,sms_number\nfay@example.com,Fay,\n,,202-555-0142\n"
    with account() as cc:
        activity = awaited(cc, upload(cc, text, sms_permission_to_send="explicit"))
        fay = cc.contact("fay@example.com")
        sms_only = [one for one in cc.backend.account if one.email is None]

    assert activity["source_file_name"] == "people.csv"
    assert activity["status"]["items_total_count"] == 3
    assert fay.details.first_name == "Fay"
    assert [one.sms.number for one in sms_only if one.sms] == ["2025550142"]
    assert [one.sms.permission for one in sms_only if one.sms] == ["explicit"]


@pytest.mark.parametrize(
    ("text", "parts", "status"),
    [
        ("name\nFay\n", {}, 400),
        ("", {}, 400),
        ("email\n" + "a@example.com\n" * 40_001, {}, 400),
        ("email\na@example.com\n", {"list_ids": "00000000-0000-4000-8000-000000000001"}, 404),
    ],
    ids=["no address column", "empty", "too long", "unknown list"],
)
def test_a_file_that_cannot_be_imported_is_refused(text: str, parts: dict[str, str], status: int) -> None:
    """Before anything is queued."""
    with account() as cc:
        answer = upload(cc, text, **parts)

    assert answer.status == status


def test_a_file_import_is_multipart_and_has_a_file() -> None:
    """Never JSON; and a form without its parts is refused."""
    path = "/v3/activities/contacts_file_import"
    with account() as cc:
        as_json = call(cc, "POST", path, body={})
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        empty = call(cc, "POST", path, raw=b"nothing here", headers=headers)
        no_file = b'--x\r\nContent-Disposition: form-data; name="list_ids"\r\n\r\nnone\r\n--x--\r\n'
        partial = call(cc, "POST", path, raw=no_file, headers=headers)

    assert [as_json.status, empty.status, partial.status] == [415, 400, 400]


# --- Deletions and lists ---------------------------------------------------------------------------------


def test_a_bulk_deletion_hides_unsubscribed_people_with_the_others() -> None:
    """This is how one organisation lost sight of 8,529 opt-outs in two minutes."""
    with account() as cc:
        ids = [_id(cc, name) for name in ("pat", "out")]
        activity = done(cc, "contact_delete", {"contact_ids": ids})
        visible = get(cc, "/contacts", status="unsubscribed")["contacts"]

    assert activity["status"] == {"items_total_count": 2, "items_completed_count": 2}
    assert visible == []
    assert cc.truth() == {"out@example.com", "hidden@example.com"}


def test_a_bulk_deletion_can_go_by_list() -> None:
    """Whoever had unsubscribed is on no list and stays visible."""
    with account() as cc:
        body = {"list_ids": [cc.backend.account.lists[0].list_id]}
        activity = done(cc, "contact_delete", body)
        gone = {name for name in ("pat", "out") if cc.contact(f"{name}@example.com").deleted}

    assert activity["status"]["list_count"] == 1
    assert gone == {"pat"}


def test_adding_to_a_list_revives_but_never_resubscribes() -> None:
    """Un-deleting by adding to a list is documented; a way past an opt-out is not."""
    with account() as cc:
        source = {"contact_ids": [_id(cc, name) for name in ("pat", "out", "hidden", "gone")]}
        done(cc, "add_list_memberships", {"source": source, "list_ids": lists(cc)})
        joined = on_list(cc)
        revived = not cc.contact("hidden@example.com").deleted

    assert joined == {"pat", "gone"}
    assert revived
    assert cc.truth() == {"out@example.com", "hidden@example.com"}


@pytest.mark.parametrize(
    "source",
    [{"all_active_contacts": True}, {"list_ids": True}, {"segment_id": 1}, {"tag_ids": True}],
    ids=str,
)
def test_contacts_are_chosen_by_one_criterion(source: dict[str, Any]) -> None:
    """Everyone active, the members of a list or segment, or those with a tag; less the excluded."""
    tag = "00000000-0000-4000-8000-00000000000a"
    with account() as cc:
        cc.add("sam@example.com")
        first = cc.backend.account.lists[0].list_id
        for name in ("pat", "sam"):
            put = {"update_source": "Account", "taggings": [tag]}
            call(cc, "PUT", f"/v3/contacts/{_id(cc, name)}", body=put)
        source = {key: {"list_ids": [first], "tag_ids": [tag]}.get(key, held) for key, held in source.items()}
        body = {"source": source, "list_ids": lists(cc), "exclude": {"contact_ids": [_id(cc, "sam")]}}
        done(cc, "add_list_memberships", body)
        joined = on_list(cc)
        done(cc, "remove_list_memberships", body)
        left = on_list(cc)

    assert joined == {"pat"}
    assert left == set()


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("contact_delete", {"contact_ids": [], "list_ids": []}),
        ("contact_delete", {"contact_ids": ["x"]}),
        ("add_list_memberships", {"list_ids": "LISTS"}),
        ("add_list_memberships", {"list_ids": "LISTS", "source": {}}),
        (
            "add_list_memberships",
            {"list_ids": "LISTS", "source": {"all_active_contacts": True, "segment_id": 1}},
        ),
        ("add_list_memberships", {"list_ids": "LISTS", "source": {"all_active_contacts": "yes"}}),
        ("add_list_memberships", {"source": {"all_active_contacts": True}}),
        ("contacts_json_import", {"list_ids": "LISTS"}),
        ("contacts_json_import", {"list_ids": "LISTS", "import_data": [1]}),
        ("contact_exports", {"status": "gone"}),
        ("contact_exports", {"fields": ["password"]}),
        ("contact_exports", {"fields": "email_address"}),
        ("contact_exports", {"segment_id": 1, "status": "active"}),
        ("contact_exports", {"segment_id": 1, "tag_ids": []}),
    ],
    ids=str,
)
def test_a_body_outside_the_contract_is_refused(name: str, body: dict[str, Any]) -> None:
    """400, and nothing is queued."""
    with account() as cc:
        if body.get("list_ids") == "LISTS":
            body = body | {"list_ids": lists(cc)}
        answer = call(cc, "POST", f"/v3/activities/{name}", body=body)
        queued = get(cc, "/activities")["activities"]

    assert answer.status == 400
    assert queued == []


# --- Exports ---------------------------------------------------------------------------------------------


def exported(cc: Simulator, **body: Any) -> list[dict[str, str]]:
    """The rows of an export."""
    queued = call(cc, "POST", "/v3/activities/contact_exports", body=body)
    results = queued.json()["_links"]["results"]["href"]
    assert call(cc, "GET", results).status == 404
    awaited(cc, queued)
    answer = call(cc, "GET", results)
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.body.decode(), newline="")))


def test_an_export_has_the_products_headings_in_their_usual_order() -> None:
    """Layout A of the reference, empty columns left out."""
    with account() as cc:
        cc.unsubscribe(PAT, reason="=cmd|' /C calc'!A0")
        put = {
            "update_source": "Account",
            "first_name": "Pat",
            "birthday_month": 2,
            "birthday_day": 29,
            "phone_numbers": [{"phone_number": "2025550100", "kind": "mobile"}, {"kind": "home"}],
            "street_addresses": [{"kind": "home", "city": "Waltham"}],
            "taggings": ["00000000-0000-4000-8000-00000000000a"],
        }
        call(cc, "PUT", f"/v3/contacts/{_id(cc, 'pat')}", body=put)
        (row,) = exported(cc, contact_ids=[_id(cc, "pat")])

    assert row == {
        "Email address": PAT,
        "First name": "Pat",
        "Email status": "Unsubscribed",
        "Email update source": "Account",
        "Confirmed Opt-Out Date": "2026-11-20T00:00:00Z",
        "Confirmed Opt-Out Source": "Contact",
        "Confirmed Opt-Out Reason": "=cmd|' /C calc'!A0",
        "Phone - mobile": "2025550100",
        "City - Home": "Waltham",
        "Birthday": "2/29",
        "Tags": "00000000-0000-4000-8000-00000000000a",
        "Source Name": "Account",
        "Created At": "2026-11-20T00:00:00Z",
        "Updated At": "2026-11-20T00:00:00Z",
    }


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ({}, ["out", "pat"]),
        ({"status": "active"}, ["pat"]),
        ({"status": "unsubscribed"}, ["out"]),
        ({"status": "removed"}, ["gone", "hidden"]),
        ({"new_subscriber": True}, ["out", "pat"]),
    ],
    ids=str,
)
def test_an_export_holds_the_people_of_its_status(body: dict[str, Any], names: list[str]) -> None:
    """By default everyone whom the product shows: hidden opt-outs are in no such file."""
    with account() as cc:
        found = {row["Email address"].partition("@")[0] for row in exported(cc, **body)}

    assert found == set(names)


def test_an_export_of_unsubscribes_may_hold_deleted_people() -> None:
    """Not documented; a client must not rely on either."""
    with account(export_includes_deleted=True) as cc:
        found = {row["Email address"] for row in exported(cc, status="unsubscribed")}

    assert found == cc.truth()


def test_new_subscribers_are_those_of_the_last_thirty_days() -> None:
    """The others are left out."""
    with account() as cc:
        cc.advance(timedelta(days=31))
        cc.add("fresh@example.com")
        found = [row["Email address"] for row in exported(cc, new_subscriber=True)]

    assert found == ["fresh@example.com"]


def test_opt_fields_come_only_beside_the_address() -> None:
    """As the guide warns."""
    with account() as cc:
        alone = exported(cc, fields=["first_name", "email_optout_date", "created_at"])
        beside = exported(cc, fields=["email_address", "email_optout_date", "email_optin_source"])

    assert set(alone[0]) == {"Created At"}
    assert {"Confirmed Opt-Out Date", "Confirmed Opt-In Source"} < set(beside[0])


@pytest.mark.parametrize(
    ("dates", "written"),
    [
        (ExportDates.ISO, "2026-11-20T00:00:00Z"),
        (ExportDates.PLAIN, "2026-11-20 00:00:00"),
        (ExportDates.US, "11/20/2026 12:00 AM"),
    ],
)
def test_dates_in_an_export_are_written_in_the_style_of_the_switch(dates: ExportDates, written: str) -> None:
    """The real format is not proven."""
    with account(export_dates=dates) as cc:
        (row,) = exported(cc, status="unsubscribed")

    assert row["Confirmed Opt-Out Date"] == written


def test_an_export_of_a_whole_account_can_be_read_back() -> None:
    """Hostile reasons, unicode, people without an address, every status word."""
    with standing_still(replace(large_scenario(500), limits=UNLIMITED)) as cc:
        rows = exported(cc) + exported(cc, status="removed")
        everyone = {one.email.address if one.email else "" for one in cc.backend.account}

    words = {row["Email status"] for row in rows}
    assert {row["Email address"] for row in rows} == everyone
    assert words == {"Active", "Unsubscribed", "Awaiting confirmation", "Temporary hold", "Removed", ""}
    assert {"Express", "Implied"} <= {row["Email permission status"] for row in rows}


def _id(cc: Simulator, name: str) -> str:
    return cc.contact(f"{name}@example.com").contact_id

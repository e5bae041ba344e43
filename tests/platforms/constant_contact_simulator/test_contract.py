"""Every request that the simulator takes and every answer that it gives keeps to the vendor's contract."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from suppress.platforms.constant_contact.simulator import (
    Fault,
    FaultKind,
    LastPage,
    Paging,
    Scenario,
    SignIn,
    Simulator,
    Switches,
    Timestamps,
    large_scenario,
)
from suppress.platforms.constant_contact.simulator.routes import API, Route
from tests.contract_of_constant_contact import EXCEPTIONS, Contract, Operation, needs_contract, problems
from tests.platforms.constant_contact_simulator.calling import (
    UNLIMITED,
    call,
    contacts,
    get,
    pages,
    standing_still,
)

pytestmark = needs_contract

ACCOUNT = replace(large_scenario(200), limits=UNLIMITED)
UNKNOWN = "00000000-0000-4000-8000-000000000001"
EVERY_SWITCH = Switches(
    last_page=LastPage.NULL,
    timestamps=Timestamps.OFFSET,
    deleted_at_has_time=True,
    sms_needs_include=True,
    resubscribed_keep_opt_out_date=True,
    paging=Paging.SNAPSHOT,
)


def story(cc: Simulator) -> None:
    """Uses every route well and badly."""
    reading(cc)
    writing(cc)
    bulk(cc)
    reporting(cc)


def reading(cc: Simulator) -> None:
    """Contacts, lists, the owner: with every parameter."""
    people = contacts(cc, status="all", limit="77", include="sms_channel")
    one, sms = people[0]["contact_id"], cc.contact(_address(people, "sms_channel")).contact_id
    lists = [found["list_id"] for found in get(cc, "/contact_lists")["lists"]]
    get(cc, "/contact_lists", include_membership_count="all", include_count="true", limit="1")
    get(cc, "/contact_lists", include_membership_count="active", name="Newsletter", status="all")
    every = "custom_fields,list_memberships,taggings,notes,phone_numbers,street_addresses"
    when = "2024-01-01T00:00:00.000Z"
    for query in (
        {"status": "unsubscribed,deleted", "include_count": "true", "include": every},
        {"email": people[0]["email_address"]["address"], "status": "all"},
        {"lists": ",".join(lists), "tags": f"{UNKNOWN},{UNKNOWN}"},
        {"updated_after": when, "created_after": when, "optout_before": when, "status": "all"},
        {"updated_before": when, "created_before": when, "optout_after": "2020-01-01", "status": "all"},
        {"sms_status": "all", "include": "sms_channel"},
        {"segment_id": "1", "limit": "10"},
    ):
        call(cc, "GET", "/v3/contacts", query)
        call(cc, "GET", "/v3/contacts", query)
    for query in ({"status": "gone"}, {"limit": "501"}, {"segment_id": "1", "status": "all"}):
        assert call(cc, "GET", "/v3/contacts", query).status == 400
    assert call(cc, "GET", "/v3/contacts", {"segment_id": "99"}).status == 404
    get(cc, f"/contacts/{one}", include=every)
    get(cc, f"/contacts/sms_engagement_history/{sms}")
    get(cc, f"/contacts/sms_engagement_history/{one}")
    get(cc, "/contacts/counts", include="new_subscriber")
    get(cc, "/contacts/contact_id_xrefs", sequence_ids=f"{cc.contact(_address(people)).sequence_id},17")
    get(cc, "/account/summary", extra_fields="physical_address,company_logo")
    get(cc, "/account/user/privileges")
    for path, query in (
        (f"/contacts/{one}", {"include": "everything"}),
        ("/contacts/counts", {"include": "old"}),
        ("/contacts/contact_id_xrefs", {"sequence_ids": "one"}),
        ("/contact_lists", {"limit": "0"}),
        ("/account/summary", {"extra_fields": "logo"}),
    ):
        assert call(cc, "GET", f"/v3{path}", query).status == 400
    for path in (f"/contacts/{UNKNOWN}", f"/contacts/sms_engagement_history/{UNKNOWN}"):
        assert call(cc, "GET", f"/v3{path}").status == 404


def writing(cc: Simulator) -> None:
    """What changes contacts, each call in the ways that it can end."""
    list_id = cc.backend.account.lists[0].list_id
    whole = {
        "email_address": {"address": "new@example.com", "permission_to_send": "explicit"},
        "first_name": "New",
        "create_source": "Account",
        "birthday_month": 2,
        "birthday_day": 29,
        "anniversary": "2006-11-15",
        "list_memberships": [list_id],
        "taggings": [UNKNOWN],
        "custom_fields": [{"custom_field_id": UNKNOWN, "value": "blue"}],
        "phone_numbers": [{"phone_number": "2025550100", "kind": "home"}],
        "street_addresses": [{"kind": "home", "city": "Waltham"}],
        "notes": [{"content": "met at the fair"}],
        "sms_channel": {
            "full_sms_address": "+12025550100",
            "sms_channel_consents": [
                {"consent_type": "promotional_sms", "sms_consent_permission": "explicit"}
            ],
        },
    }
    made = call(cc, "POST", "/v3/contacts", body=whole)
    assert made.status == 201
    path = f"/v3/contacts/{made.json()['contact_id']}"
    put = {name: value for name, value in whole.items() if name != "create_source"}
    assert call(cc, "POST", "/v3/contacts", body=whole).status == 409
    assert call(cc, "PUT", path, body=put | {"update_source": "Account"}).status == 200
    taken = {"address": next(iter(sorted(cc.truth())))}
    assert call(cc, "PUT", path, body={"update_source": "Account", "email_address": taken}).status == 409
    out = {"address": "new@example.com", "permission_to_send": "unsubscribed", "opt_out_reason": "no"}
    assert call(cc, "PUT", path, body={"update_source": "Contact", "email_address": out}).status == 200
    again = f"/v3/contacts/resubscribe/{made.json()['contact_id']}"
    for status in (200, 409):
        assert call(cc, "PUT", again, body={"list_ids": [list_id]}).status == status
    assert call(cc, "DELETE", path).status == 204
    form = {"email_address": "new@example.com", "list_memberships": [list_id]}
    assert call(cc, "POST", "/v3/contacts/sign_up_form", body=form).status == 200
    assert (
        call(cc, "POST", "/v3/contacts/sign_up_form", body=form | {"email_address": "a@b.test"}).status == 201
    )
    unknown = {"update_source": "Account"}
    assert call(cc, "PUT", f"/v3/contacts/{UNKNOWN}", body=unknown).status == 404
    assert call(cc, "DELETE", f"/v3/contacts/{UNKNOWN}").status == 404
    stranger = f"/v3/contacts/resubscribe/{UNKNOWN}"
    assert call(cc, "PUT", stranger, body={"list_ids": [list_id]}).status == 404
    nowhere = form | {"list_memberships": [UNKNOWN]}
    assert call(cc, "POST", "/v3/contacts/sign_up_form", body=nowhere).status == 404
    assert call(cc, "POST", "/v3/contacts", raw=b"a=1", headers={"Content-Type": "text/plain"}).status == 415
    for method, where in (
        ("POST", "/v3/contacts"),
        ("PUT", path),
        ("POST", "/v3/contacts/sign_up_form"),
        ("PUT", again),
    ):
        assert call(cc, method, where, raw=b"{", headers={"Content-Type": "application/json"}).status == 400


def bulk(cc: Simulator) -> None:
    """Activities: queued, polled, listed, downloaded."""
    list_id = cc.backend.account.lists[0].list_id
    person = cc.contact(min(cc.truth())).contact_id
    queued = [
        call(cc, "POST", f"/v3/activities/{name}", body=body)
        for name, body in (
            ("contacts_json_import", {"import_data": [{"email": "i@example.com"}], "list_ids": [list_id]}),
            ("contact_delete", {"contact_ids": [person]}),
            ("contact_delete", {"list_ids": [list_id]}),
            ("add_list_memberships", {"source": {"contact_ids": [person]}, "list_ids": [list_id]}),
            ("remove_list_memberships", {"source": {"all_active_contacts": True}, "list_ids": [list_id]}),
            ("contact_exports", {"status": "unsubscribed", "fields": ["email_address"]}),
        )
    ]
    queued.append(upload(cc, "email,first_name\nf@example.com,Fay\n", list_id))
    for answer in queued:
        assert answer.status == 201
        links = answer.json()["_links"]
        assert "results" not in links or call(cc, "GET", links["results"]["href"]).status == 404
        while (done := get(cc, links["self"]["href"].removeprefix("/v3")))["state"] != "completed":
            pass
        assert "results" not in links or call(cc, "GET", done["_links"]["results"]["href"]).status == 200
    list(pages(cc, "/activities", limit="3"))
    get(cc, "/activities", state="completed")
    for name in ("contacts_json_import", "contact_delete", "add_list_memberships", "remove_list_memberships"):
        assert call(cc, "POST", f"/v3/activities/{name}", body={}).status == 400
    assert call(cc, "POST", "/v3/activities/contact_exports", body={"status": "gone"}).status == 400
    assert call(cc, "POST", "/v3/activities/contacts_file_import", body={}).status == 415
    assert upload(cc, "name\nFay\n", list_id).status == 400
    assert upload(cc, "email\nf@example.com\n", UNKNOWN).status == 404
    nowhere = {"source": {"contact_ids": [person]}, "list_ids": [UNKNOWN]}
    assert call(cc, "POST", "/v3/activities/remove_list_memberships", body=nowhere).status == 404
    assert call(cc, "GET", "/v3/activities", {"state": "gone"}).status == 400
    assert call(cc, "GET", f"/v3/activities/{UNKNOWN}").status == 404
    assert call(cc, "GET", f"/v3/contact_exports/{UNKNOWN}").status == 404


def upload(cc: Simulator, text: str, list_ids: str) -> Any:
    """A multipart file import."""
    parts = (
        f'--x\r\nContent-Disposition: form-data; name="file"; filename="people.csv"\r\n'
        f"Content-Type: text/csv\r\n\r\n{text}\r\n"
        f'--x\r\nContent-Disposition: form-data; name="list_ids"\r\n\r\n{list_ids}\r\n--x--\r\n'
    )
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    return call(cc, "POST", "/v3/activities/contacts_file_import", raw=parts.encode(), headers=headers)


def reporting(cc: Simulator) -> None:
    """Campaigns and what people did with them."""
    campaign = cc.backend.account.campaigns[-10]
    person = next(one for one in cc.backend.account if one.email and one.email.opt_out)
    report = f"/reports/contact_reports/{person.contact_id}"
    list(pages(cc, f"{report}/activity_details", tracking_activities_list="em_sends,em_optouts", limit="20"))
    query = [("tracking_activity_type", "em_sends"), ("tracking_activity_type", "em_bounces")]
    names = ("include_campaign_activity_names", "false")
    assert call(cc, "GET", f"/v3{report}/activity_details", [*query, names]).status == 200
    get(cc, f"{report}/activity_summary", start="2010-01-01T00:00:00Z", end="2030-01-01T00:00:00Z")
    tracking = f"/reports/email_reports/{campaign.primary}/tracking"
    list(pages(cc, f"{tracking}/optouts", limit="1"))
    codes = [("bounce_code", "B"), ("bounce_code", "S"), ("limit", "9")]
    assert call(cc, "GET", f"/v3{tracking}/bounces", codes).status == 200
    list(pages(cc, "/reports/summary_reports/email_campaign_summaries", limit="50"))
    get(cc, "/emails", after_date="2020-01-01T00:00:00Z", before_date="2025-01-01T00:00:00Z", limit="7")
    get(cc, f"/emails/{campaign.campaign_id}")
    strangers = f"/reports/email_reports/{UNKNOWN}/tracking"
    for path in (
        f"/reports/contact_reports/{UNKNOWN}/activity_details",
        f"/reports/contact_reports/{UNKNOWN}/activity_summary?start=2020-01-01&end=2021-01-01",
        f"{strangers}/optouts",
        f"{strangers}/bounces",
        f"/emails/{UNKNOWN}",
    ):
        assert call(cc, "GET", f"/v3{path}").status == 404
    for path in (
        f"{report}/activity_details?limit=101",
        f"{report}/activity_summary?start=2010-01-01",
        f"{tracking}/optouts?limit=0",
        f"{tracking}/bounces?bounce_code=Q",
        "/reports/summary_reports/email_campaign_summaries?limit=501",
        "/emails?after_date=yesterday",
    ):
        assert call(cc, "GET", f"/v3{path}").status == 400


def _address(people: list[Any], member: str = "email_address") -> str:
    found = next(one for one in people if member in one and "email_address" in one)
    address: str = found["email_address"]["address"]
    return address


@pytest.fixture(scope="module")
def told() -> Iterator[Simulator]:
    """A simulator of the default reading to which the whole story has happened."""
    with standing_still(ACCOUNT) as cc:
        story(cc)
    yield cc


def test_every_request_and_answer_keeps_to_the_contract(told: Simulator) -> None:
    """No exchange of the story differs from the contract, but for the listed exceptions."""
    assert [] == problems(told.requests)


def test_the_story_uses_every_route(told: Simulator) -> None:
    """No route is left out of the comparison, and each is an operation of the contract."""
    contract = Contract.load()
    used = {found[0].name for one in told.requests if (found := contract.operation(one.method, one.path))}

    assert used == {f"{route.method} {route.template}" for route in API}


def test_the_story_sends_every_parameter(told: Simulator) -> None:
    """Each query parameter that the contract declares for a served route was sent at least once."""
    contract = Contract.load()
    sent, declared = set(), set()
    for one in told.requests:
        found = contract.operation(one.method, one.path)
        assert found is not None
        operation = found[0]
        sent |= {(operation.name, name) for name, _ in one.query} - {(operation.name, "cursor")}
        declared |= {(operation.name, each["name"]) for each in operation.parameters if each["in"] == "query"}

    # Parameters that change nothing here: the account has no SMS lists.
    assert declared - sent == {
        ("GET /contact_lists", "channel_type"),
        ("GET /contact_lists", "include_sms_membership_count"),
    }


def test_every_switch_keeps_to_the_contract() -> None:
    """The other readings keep to it too, and every listed exception is needed by one of the two."""
    with standing_still(replace(ACCOUNT, switches=EVERY_SWITCH)) as cc:
        story(cc)
    raw = [problem for one in cc.requests for problem in Contract.load().check(one)]

    assert [] == problems(cc.requests)
    assert [] == [known.reason for known in EXCEPTIONS if not any(known.covers(one) for one in raw)]


def _operation(route: Route) -> Operation:
    found = Contract.load().operation(route.method, f"/v3{route.template}")
    assert found is not None
    return found[0]


@pytest.mark.parametrize("route", API, ids=lambda route: f"{route.method} {route.template}")
def test_refusals_and_failures_keep_to_the_contract(route: Route) -> None:
    """401, 403, 429, 500 and 503 of each route have a status and a body that the contract knows."""
    path = "/v3" + re.sub(r"\{\w+\}", UNKNOWN, route.template)
    query = {"sequence_ids": "17", "start": "2020-01-01", "end": "2021-01-01"}
    required = {one["name"] for one in _operation(route).parameters if one.get("required")}
    query = {name: text for name, text in query.items() if name in required}
    failing = tuple(Fault(FaultKind.ERROR, status=status, path=path) for status in (500, 503))
    narrow = SignIn(scopes=("offline_access",), privileges=())
    with standing_still(Scenario(limits=replace(UNLIMITED, per_second=2), faults=failing)) as cc:
        statuses = [call(cc, route.method, path, query).status for _ in range(3)]
        refused = call(cc, route.method, path, query, token="wrong").status
    with standing_still(Scenario(limits=UNLIMITED, sign_in=narrow)) as denied:
        forbidden = call(denied, route.method, path, query).status

    assert [*statuses, refused] == [500, 503, 429, 401]
    assert forbidden == (200 if route.scope is None else 403)
    assert [] == problems((*cc.requests, *denied.requests))


STATUSES = ("all", "active", "deleted", "not_set", "pending_confirmation", "temp_hold", "unsubscribed")
INSTANTS = st.datetimes().map(lambda at: f"{at.replace(year=2018 + at.year % 9):%Y-%m-%dT%H:%M:%SZ}")


def some(words: tuple[str, ...]) -> st.SearchStrategy[str]:
    """One or more of these words, separated by commas."""
    return st.lists(st.sampled_from(words), min_size=1, unique=True).map(",".join)


QUERIES = st.fixed_dictionaries(
    {},
    optional={
        "status": some(STATUSES),
        "sms_status": some(("all", "explicit", "unsubscribed", "pending_confirmation", "not_set")),
        "include": some(("custom_fields", "list_memberships", "taggings", "notes", "phone_numbers")),
        "include_count": st.sampled_from(("true", "false")),
        "limit": st.integers(20, 500).map(str),
        **{
            f"{what}_{side}": INSTANTS
            for what in ("optout", "updated", "created")
            for side in ("after", "before")
        },
    },
)


@given(query=QUERIES)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_set_of_parameters_keeps_to_the_contract(query: dict[str, str]) -> None:
    """Whatever filters are combined, the walk ends, shows nobody twice, and keeps to the contract."""
    with standing_still(ACCOUNT) as cc:
        found = [one["contact_id"] for one in contacts(cc, **query)]

    assert len(found) == len(set(found))
    assert [] == problems(cc.requests)

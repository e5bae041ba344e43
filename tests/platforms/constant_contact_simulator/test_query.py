"""`GET /contacts` shows who the reference says it shows, in every reading of what the vendor leaves open."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from suppress.platforms.constant_contact.simulator import (
    LastPage,
    Order,
    Paging,
    People,
    Permission,
    Scenario,
    Simulator,
    Switches,
    Timestamps,
    WithoutStatus,
    large_scenario,
)
from suppress.platforms.constant_contact.simulator.model import Contact, OptOut, delete, unsubscribe
from tests.platforms.constant_contact_simulator.calling import (
    UNLIMITED,
    addresses,
    call,
    contacts,
    get,
    pages,
    standing_still,
)

EMPTY = Scenario(limits=UNLIMITED)
EPOCH = "2000-01-01T00:00:00.000Z"


def account(*names: str, switches: Switches | None = None) -> Simulator:
    """An account with these mailable people at example.com."""
    cc = standing_still(replace(EMPTY, switches=switches or Switches()))
    for name in names:
        cc.add(f"{name}@example.com")
    return cc


def everyone(switches: Switches | None = None) -> Simulator:
    """One person of each class that section 10 of the reference tells apart."""
    cc = account("clicked", "staff", "hidden", "deleted", "back", "readded", switches=switches)
    cc.unsubscribe("clicked@example.com")
    cc.unsubscribe("staff@example.com", source="Account")
    cc.unsubscribe("hidden@example.com")
    cc.delete("hidden@example.com")
    cc.delete("deleted@example.com")
    cc.unsubscribe("back@example.com")
    cc.advance(60)
    cc.resubscribe("back@example.com")
    cc.unsubscribe("readded@example.com")
    cc.delete("readded@example.com")
    cc.revive("readded@example.com")
    cc.add("waiting@example.com", Permission.PENDING_CONFIRMATION)
    cc.add("held@example.com", Permission.TEMP_HOLD)
    cc.add("unset@example.com", Permission.NOT_SET)
    return cc


def shown(cc: Simulator, **query: str) -> set[str]:
    """The names that a query shows."""
    with cc:
        return {address.partition("@")[0] for address in addresses(cc, **query)}


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"status": "unsubscribed"}, "clicked staff readded"),
        ({"status": "deleted"}, "hidden deleted"),
        ({"status": "active"}, "back unset"),
        ({"status": "pending_confirmation"}, "waiting"),
        ({"status": "temp_hold"}, "held"),
        ({"status": "not_set"}, "unset"),
        ({"status": "temp_hold,deleted"}, "held hidden deleted"),
        ({"status": "all"}, "clicked staff hidden deleted back readded waiting held unset"),
        ({}, "clicked staff back readded waiting held unset"),
        ({"status": "all", "optout_after": EPOCH}, "clicked staff hidden readded"),
        ({"optout_after": EPOCH}, "clicked staff readded"),
        ({"status": "all", "email": "HIDDEN@example.com"}, "hidden"),
        ({"email": "hidden@example.com"}, ""),
    ],
    ids=str,
)
def test_each_status_shows_its_people(query: dict[str, str], names: str) -> None:
    """Section 2.2 of the reference, row by row."""
    assert set(names.split()) == shown(everyone(), **query)


def test_hidden_people_are_seen_by_the_main_query_only() -> None:
    """The reason why this product exists."""
    scenario = replace(large_scenario(400), limits=UNLIMITED)
    with standing_still(scenario) as cc:
        naive = set(addresses(cc, status="unsubscribed"))
        complete = set(addresses(cc, status="all", optout_after=EPOCH))
        whole = {
            one["email_address"]["address"]
            for one in contacts(cc, status="all")
            if one.get("email_address", {}).get("permission_to_send") == "unsubscribed"
        }
        truth = cc.truth()
        undated = {
            one.email.address
            for one in cc.backend.account
            if one.email and one.unsubscribed and one.email.opt_out and one.email.opt_out.at is None
        }

    assert naive < truth
    assert complete == truth - undated
    assert whole == truth


def test_no_status_may_mean_active_only() -> None:
    """Support staff say so, against contract and guide."""
    cc = everyone(Switches(without_status=WithoutStatus.ACTIVE))

    assert shown(cc) == {"back", "unset"}


def test_deleted_may_leave_out_who_had_unsubscribed() -> None:
    """Whether `status=deleted` shows them is not documented."""
    assert shown(everyone(Switches(deleted_includes_unsubscribed=False)), status="deleted") == {"deleted"}


def test_active_may_show_people_on_hold() -> None:
    """The exact rule of `active` is not documented."""
    cc = everyone(Switches(active_includes_on_hold=True))

    assert shown(cc, status="active") == {"back", "unset", "held", "waiting"}


def test_people_who_came_back_may_keep_their_opt_out_date() -> None:
    """Then `optout_after` finds them, with a permission that is no opt-out."""
    cc = everyone(Switches(resubscribed_keep_opt_out_date=True))
    with cc:
        found = contacts(cc, status="all", optout_after=EPOCH, email="back@example.com")

    assert [one["email_address"]["permission_to_send"] for one in found] == ["explicit"]
    assert found[0]["email_address"]["opt_out_date"].startswith("2026-11-20")


@pytest.mark.parametrize("inclusive", [False, True])
def test_bounds_are_exclusive_unless_switched(inclusive: bool) -> None:
    """Undocumented; a client overlaps its windows."""
    cc = account("pat", switches=Switches(inclusive_bounds=inclusive))
    at = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
    cc.unsubscribe("pat@example.com", at=at)
    with cc:
        after = addresses(cc, status="all", optout_after=at.isoformat())
        before = addresses(cc, status="all", optout_before=at.isoformat())
        around = addresses(
            cc, status="all", optout_after="2026-11-20T08:29:59Z", optout_before="2026-11-20T08:30:01Z"
        )

    assert (after == before == ["pat@example.com"]) is inclusive
    assert around == ["pat@example.com"]


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-20",
        "2026-11-20T00:00:00Z",
        "2026-11-20T00:00:00.000Z",
        "2026-11-19T19:00:00-05:00",
        "2026-11-20T00:00:00",
    ],
)
def test_dates_are_taken_in_every_form(text: str) -> None:
    """ISO 8601 with any offset, or the date alone; without an offset it is UTC."""
    cc = account("pat")
    cc.unsubscribe("pat@example.com", at=datetime(2026, 11, 20, 0, 0, 1, tzinfo=UTC))
    cc.add("sam@example.com")
    cc.unsubscribe("sam@example.com", at=datetime(2026, 11, 19, 23, 59, 59, tzinfo=UTC))

    assert shown(cc, status="all", optout_after=text) == {"pat"}


def test_a_date_may_be_unpadded() -> None:
    """The guide itself shows `2018-3-31`."""
    assert shown(account("pat"), created_after="2018-3-31") == {"pat"}


def test_an_unsubscribe_leaves_the_contacts_own_clock_alone() -> None:
    """So that `updated_after` loses it, as on the real platform."""
    cc = account("pat")
    cc.advance(timedelta(days=30))
    cc.unsubscribe("pat@example.com")
    with cc:
        later = f"{cc.clock.now() - timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"
        missed = addresses(cc, status="unsubscribed", updated_after=later)
        found = addresses(cc, status="all", optout_after=later)

    assert missed == []
    assert found == ["pat@example.com"]


def test_a_fresh_opt_out_may_appear_late() -> None:
    """Until then the contact is shown as it was; the truth has it at once."""
    cc = account("pat", switches=Switches(visibility_delay=90))
    cc.unsubscribe("pat@example.com")
    with cc:
        early = contacts(cc, status="all")
        cc.advance(89.9)
        still = addresses(cc, status="all", optout_after=EPOCH)
        cc.advance(0.2)
        late = addresses(cc, status="all", optout_after=EPOCH)
        truth = cc.truth()

    assert early[0]["email_address"]["permission_to_send"] == "implicit"
    assert (still, late) == ([], ["pat@example.com"])
    assert truth == {"pat@example.com"}


# --- Paging ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("last_page", "end"),
    [
        (LastPage.EMPTY, {"_links": {}}),
        (LastPage.NULL, {"_links": {"next": None}}),
        (LastPage.MISSING, {}),
    ],
)
def test_the_last_page_ends_the_walk_in_one_of_three_ways(last_page: LastPage, end: dict[str, Any]) -> None:
    """A recorded response has `{}`; null and a missing key must not stop a client either."""
    with account("a", "b", "c", switches=Switches(last_page=last_page)) as cc:
        first, last = pages(cc, limit="2")

    assert first["_links"]["next"]["href"].startswith("/v3/contacts?cursor=")
    assert {name: last[name] for name in last if name != "contacts"} == end


def test_the_cursor_is_base64_of_limit_page_and_filters() -> None:
    """As the two public samples of it are."""
    with account("a", "b", "c") as cc:
        href = get(cc, "/contacts", limit="2", status="all")["_links"]["next"]["href"]

    text = base64.b64decode(href.partition("cursor=")[2]).decode()
    assert text == "limit=2&next=2&status%5B%5D=all"


def test_filters_and_counts_travel_in_the_cursor() -> None:
    """The second page answers the same question as the first."""
    with everyone() as cc:
        found = list(
            pages(
                cc,
                status="all",
                limit="1",
                include_count="true",
                optout_after=EPOCH,
                optout_before="2030-01-01",
                updated_before="2030-01-01",
                include="list_memberships",
            )
        )

    assert [len(page["contacts"]) for page in found] == [1, 1, 1, 1]
    assert {page["contacts_count"] for page in found} == {4}
    assert all("list_memberships" in page["contacts"][0] for page in found)


@pytest.mark.parametrize(
    "query",
    [
        {"cursor": "not base64!"},
        {"cursor": "bm90IGEgcXVlcnk="},
        {"cursor": base64.b64encode(b"limit=5").decode()},
        {"cursor": base64.b64encode(b"limit=5&next=0").decode()},
        {"cursor": base64.b64encode(b"limit=5&next=2&colour=red").decode()},
        {"cursor": base64.b64encode(b"limit=5&next=2&walk=gone").decode()},
        {"cursor": base64.b64encode(b"limit=5&next=2").decode(), "status": "all"},
        {"status": "everyone"},
        {"status": ""},
        {"sms_status": "temp_hold"},
        {"include": "passwords"},
        {"limit": "0"},
        {"limit": "501"},
        {"limit": "many"},
        {"include_count": "yes"},
        {"optout_after": "yesterday"},
        {"optout_after": "2026-13-01"},
        {"optout_after": "2026-11-20T25:00:00Z"},
        {"segment_id": "1", "status": "all"},
        {"lists": ",".join(["0f6c2c1e-5d0a-11ef-9d5c-0242ac130003"] * 26)},
        {"tags": ",".join(["0f6c2c1e-5d0a-11ef-9d5c-0242ac130003"] * 51)},
    ],
    ids=str,
)
def test_a_value_outside_the_contract_is_refused(query: dict[str, str]) -> None:
    """400 with an array, as contacts answer."""
    with account("pat") as cc:
        answer = call(cc, "GET", "/v3/contacts", query)

    assert answer.status == 400
    assert [one["error_key"] for one in answer.json()] == ["contacts.api.validation.error"]


def test_rows_shift_when_contacts_change_during_a_walk() -> None:
    """Pages are cut by number from the account as it is, so that a deletion hides a row from the walk."""
    with account(*"abcdef") as cc:
        ids = {one.contact_id: one for one in cc.backend.account}
        order = [ids[key] for key in sorted(ids)]
        gone = order[0].email
        assert gone is not None
        cc.before_page(2, lambda cc: cc.delete(gone.address))
        seen = {one["contact_id"] for one in contacts(cc, limit="2")}

    assert seen == {one.contact_id for one in order} - {order[2].contact_id}


def test_a_snapshot_keeps_its_rows_whatever_happens() -> None:
    """The other reading: what the first page saw, the last page still sees."""
    with account(*"abcdef", switches=Switches(paging=Paging.SNAPSHOT)) as cc:
        cc.before_page(2, lambda cc: cc.delete("a@example.com"))
        cc.before_page(2, lambda cc: cc.add("g@example.com"))
        seen = {address[0] for address in addresses(cc, limit="2", status="active")}

    assert seen == set("abcdef")


def test_old_snapshots_are_forgotten() -> None:
    """Cursors do not live for ever; how long is not documented."""
    with account(*"ab", switches=Switches(paging=Paging.SNAPSHOT)) as cc:
        first = get(cc, "/contacts", limit="1")["_links"]["next"]["href"]
        for _ in range(64):
            get(cc, "/contacts", limit="1")
        answer = call(cc, "GET", first)

    assert answer.status == 400


@pytest.mark.parametrize(
    ("order", "key"),
    [
        (Order.CONTACT_ID, lambda one: one["contact_id"]),
        (Order.OLDEST, lambda one: one["created_at"]),
        (Order.NEWEST, lambda one: -datetime.fromisoformat(one["created_at"]).timestamp()),
    ],
)
def test_rows_come_in_the_order_of_the_switch(order: Order, key: Callable[[Any], Any]) -> None:
    """The order is documented nowhere."""
    scenario = Scenario(people=People(active=40), limits=UNLIMITED, switches=Switches(order=order))
    with standing_still(scenario) as cc:
        found = contacts(cc, limit="7")

    assert len(found) == 40
    assert found == sorted(found, key=key)


def test_rows_may_come_in_no_order() -> None:
    """But in the same one on each page, so that a walk is complete."""
    scenario = Scenario(people=People(active=40), limits=UNLIMITED, switches=Switches(order=Order.SHUFFLED))
    with standing_still(scenario) as cc:
        found = [one["contact_id"] for one in contacts(cc, limit="7")]

    assert len(set(found)) == 40
    assert found not in (sorted(found), sorted(found, reverse=True))


def test_a_segment_is_computed_before_it_answers() -> None:
    """202 with a status first; the same call again brings the members."""
    with account(*"abc", switches=Switches(segment_waits=2)) as cc:
        answers = [call(cc, "GET", "/v3/contacts", {"segment_id": "1", "limit": "2"}) for _ in range(3)]
        rest = call(cc, "GET", answers[2].json()["_links"]["next"]["href"])

    assert [answer.status for answer in answers] == [202, 202, 200]
    assert answers[0].json() == {"contacts": [], "_links": {}, "status": "processing"}
    assert len(answers[2].json()["contacts"] + rest.json()["contacts"]) == 3


# --- How a contact is written ----------------------------------------------------------------------------


def test_a_hidden_opt_out_looks_as_in_the_reference() -> None:
    """Unsubscribed and deleted, the opt-in fields gone, absent values left out."""
    cc = account("pat")
    cc.advance(timedelta(days=500))
    cc.unsubscribe("pat@example.com", reason="No longer interested")
    cc.advance(timedelta(days=23))
    cc.delete("pat@example.com")
    with cc:
        (found,) = contacts(cc, status="all", include="list_memberships")

    assert found.pop("contact_id")
    assert found == {
        "email_address": {
            "address": "pat@example.com",
            "permission_to_send": "unsubscribed",
            "created_at": "2026-11-20T00:00:00Z",
            "updated_at": "2028-04-03T00:00:00Z",
            "opt_out_source": "Contact",
            "opt_out_date": "2028-04-03T00:00:00Z",
            "opt_out_reason": "No longer interested",
            "confirm_status": "off",
        },
        "create_source": "Account",
        "created_at": "2026-11-20T00:00:00Z",
        "updated_at": "2026-11-20T00:00:00Z",
        "deleted_at": "2028-04-26",
        "list_memberships": [],
    }


@pytest.mark.parametrize(
    ("timestamps", "written"),
    [
        (Timestamps.SECONDS, "2026-11-20T00:00:00Z"),
        (Timestamps.MILLISECONDS, "2026-11-20T00:00:00.000Z"),
        (Timestamps.OFFSET, "2026-11-19T20:00:00-04:00"),
    ],
)
def test_instants_are_written_in_the_style_of_the_switch(timestamps: Timestamps, written: str) -> None:
    """Live responses have whole seconds; older samples have milliseconds or an offset."""
    cc = account("pat", switches=Switches(timestamps=timestamps, deleted_at_has_time=True))
    cc.delete("pat@example.com")
    with cc:
        (found,) = contacts(cc, status="all")

    assert {found["created_at"], found["deleted_at"], found["email_address"]["opt_in_date"]} == {written}


def test_people_without_an_address_have_no_email_member() -> None:
    """Known by SMS number only; their channel comes unasked or with `include`."""
    people = People(sms_only=6)
    for needs_include in (False, True):
        switches = Switches(sms_needs_include=needs_include)
        with standing_still(Scenario(people=people, limits=UNLIMITED, switches=switches)) as cc:
            plain = contacts(cc)
            asked = contacts(cc, include="sms_channel")
            out = contacts(cc, sms_status="unsubscribed", status="all")

        assert all("email_address" not in one for one in plain)
        assert all(("sms_channel" in one) is not needs_include for one in plain)
        assert all("sms_channel" in one for one in asked)
        assert 0 < len(out) < 6


# --- Against a model -------------------------------------------------------------------------------------

YEARS = st.integers(2017, 2027)
FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "status": st.sampled_from(("all", "deleted", "unsubscribed", "active", "temp_hold")),
        "optout_after": YEARS,
        "optout_before": YEARS,
        "updated_after": YEARS,
        "updated_before": YEARS,
        "created_after": YEARS,
        "created_before": YEARS,
    },
)


@given(filters=FILTERS, limit=st.integers(5, 500))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_walk_shows_exactly_who_passes_every_filter(filters: dict[str, Any], limit: int) -> None:
    """Each filter written down once more, the plain way, and all of them combined with AND."""
    scenario = replace(large_scenario(150), limits=UNLIMITED)
    with standing_still(scenario) as cc:
        query = {
            name: str(value) if name == "status" else f"{value}-01-01" for name, value in filters.items()
        }
        found = [one["contact_id"] for one in contacts(cc, limit=str(limit), **query)]
        expected = {one.contact_id for one in cc.backend.account if passes(one, filters)}

    assert len(found) == len(set(found))
    assert set(found) == expected


def passes(one: Contact, filters: dict[str, Any]) -> bool:
    """Whether a contact passes every filter."""
    permission = one.email.permission if one.email else None
    status = {
        "all": True,
        "deleted": one.deleted,
        "unsubscribed": permission == "unsubscribed" and not one.deleted,
        "active": permission in {"explicit", "implicit", "not_set"} and not one.deleted,
        "temp_hold": permission == "temp_hold" and not one.deleted,
        None: not one.deleted,
    }
    opted_out_at = one.email.opt_out.at if one.email and one.email.opt_out and one.unsubscribed else None
    clocks = {"optout": opted_out_at, "updated": one.updated_at, "created": one.created_at}
    for name, year in filters.items():
        if name == "status":
            continue
        clock, side = name.split("_")
        at, bound = clocks[clock], datetime(year, 1, 1, tzinfo=UTC)
        if at is None or (at <= bound if side == "after" else at >= bound):
            return False
    return status[filters.get("status")]


def test_an_opt_out_of_somebody_without_an_address_is_refused_by_the_model() -> None:
    """There is nothing that could be unsubscribed."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    nobody = Contact("id", "1", at, at)

    with pytest.raises(ValueError, match="no e-mail address"):
        unsubscribe(nobody, OptOut("Contact", at, at))
    assert delete(delete(nobody, at), at + timedelta(days=1)).deleted_at == at

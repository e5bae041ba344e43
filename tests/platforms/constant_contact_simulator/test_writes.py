"""What each write does to people who opted out or were deleted: section 3 of the reference, row by row."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from suppress.platforms.constant_contact.simulator import Permission, Scenario, Simulator, Switches
from tests.platforms.constant_contact_simulator.calling import UNLIMITED, Answer, call, standing_still

PAT = "pat@example.com"


def account(**switches: Any) -> Simulator:
    """An account with one mailable person."""
    cc = standing_still(Scenario(limits=UNLIMITED, switches=Switches(**switches)))
    cc.add(PAT)
    return cc


def lists(cc: Simulator, count: int = 1) -> list[str]:
    """The ids of the first lists."""
    return [one.list_id for one in cc.backend.account.lists[:count]]


def put(cc: Simulator, address: str = PAT, **body: Any) -> Answer:
    """A PUT of the contact that has this address."""
    return call(cc, "PUT", f"/v3/contacts/{cc.contact(address).contact_id}", body=body)


def post(cc: Simulator, path: str = "", **body: Any) -> Answer:
    """A POST of a contact."""
    return call(cc, "POST", f"/v3/contacts{path}", body=body)


def permission(cc: Simulator, address: str = PAT) -> str | None:
    """What the account may send to an address."""
    email = cc.contact(address).email
    return None if email is None else email.permission.value


# --- POST /contacts --------------------------------------------------------------------------------------


@pytest.mark.parametrize("deleted", [False, True])
def test_creating_an_address_again_is_a_conflict(deleted: bool) -> None:
    """Also for a deleted contact: this is how people discover that deleted ones are still there."""
    with account() as cc:
        cc.unsubscribe(PAT)
        if deleted:
            cc.delete(PAT)
        answer = post(cc, email_address={"address": "PAT@example.com"}, create_source="Account")

    assert answer.status == 409
    assert answer.json()[0]["error_key"] == "contacts.api.conflict"
    assert answer.json()[0]["error_message"].startswith("Validation failed: Email already exists for contact")


def test_a_new_contact_is_implicit_unless_told_otherwise() -> None:
    """With the source that created it as the opt-in source."""
    with account() as cc:
        one = post(cc, email_address={"address": "a@example.com"}, create_source="Contact").json()
        out = {"address": "b@example.com", "permission_to_send": "unsubscribed"}
        two = post(cc, email_address=out, create_source="Account", list_memberships=lists(cc)).json()

    assert one["email_address"]["permission_to_send"] == "implicit"
    assert one["email_address"]["opt_in_source"] == "Contact"
    assert two["email_address"]["opt_out_source"] == "Account"
    assert "opt_in_date" not in two["email_address"]
    assert two["list_memberships"] == []
    assert cc.truth() == {"b@example.com"}


def test_a_contact_may_be_known_by_name_only() -> None:
    """The address is optional, but something must be known."""
    with account() as cc:
        named = post(cc, first_name="Nameless", create_source="Account")
        nothing = post(cc, create_source="Account")

    assert named.status == 201
    assert "email_address" not in named.json()
    assert nothing.status == 400


# --- PUT /contacts/{contact_id} --------------------------------------------------------------------------


def test_a_put_replaces_every_top_level_field() -> None:
    """What is omitted becomes null; sub-resources are left alone."""
    with account() as cc:
        notes = [{"content": "met at the fair"}]
        put(cc, update_source="Account", first_name="Pat", last_name="Doe", notes=notes)
        after = put(cc, update_source="Account", first_name="Pat").json()

    assert after["first_name"] == "Pat"
    assert "last_name" not in after
    assert [note["content"] for note in after["notes"]] == ["met at the fair"]
    assert after["email_address"]["address"] == PAT


def test_a_put_can_unsubscribe_and_the_source_follows_it() -> None:
    """The reason is kept; lists and opt-in fields go; a second opt-out keeps the first date."""
    with account() as cc:
        out = {"address": PAT, "permission_to_send": "unsubscribed", "opt_out_reason": "=1+1"}
        first = put(cc, update_source="Contact", email_address=out).json()
        cc.advance(3_600)
        again = put(cc, update_source="Account", email_address=out).json()

    email = first["email_address"]
    assert (email["opt_out_source"], email["opt_out_reason"]) == ("Contact", "=1+1")
    assert first["list_memberships"] == []
    assert "opt_in_source" not in email
    assert again["email_address"] == email


@pytest.mark.parametrize("source", ["Account", "Contact"])
@pytest.mark.parametrize("lifts", [True, False])
def test_a_put_lifts_an_opt_out_where_the_platform_lets_it(source: str, lifts: bool) -> None:
    """The schema allows it; V2 refused for people who had left by themselves."""
    with account(put_lifts_contact_opt_out=lifts) as cc:
        cc.unsubscribe(PAT, source=source)
        body = {"address": PAT, "permission_to_send": "explicit"}
        answer = put(cc, update_source="Account", email_address=body)
        found = permission(cc)

    refused = source == "Contact" and not lifts
    assert answer.status == (400 if refused else 200)
    assert found == ("unsubscribed" if refused else "explicit")


def test_a_put_revives_a_deleted_contact_which_stays_unsubscribed() -> None:
    """Reviving needs the account as its source; the original date stays."""
    with account() as cc:
        cc.unsubscribe(PAT)
        cc.advance(timedelta(days=9))
        cc.delete(PAT)
        refused = put(cc, update_source="Contact")
        revived = put(cc, update_source="Account")

    assert refused.status == 400
    assert "deleted_at" not in revived.json()
    assert revived.json()["email_address"]["opt_out_date"] == "2026-11-20T00:00:00Z"
    assert cc.truth() == {PAT}


def test_reviving_may_date_the_opt_out_anew() -> None:
    """Whether the original date survives is not documented."""
    with account(revived_keep_opt_out_date=False) as cc:
        cc.unsubscribe(PAT)
        cc.advance(timedelta(days=9))
        cc.delete(PAT)
        revived = put(cc, update_source="Account").json()

    assert revived["email_address"]["opt_out_date"] == "2026-11-29T00:00:00Z"


def test_a_put_can_change_the_address_and_the_opt_out_goes_along() -> None:
    """Unless another contact has it."""
    with account() as cc:
        cc.add("sam@example.com")
        cc.unsubscribe(PAT)
        taken = put(cc, update_source="Account", email_address={"address": "SAM@example.com"})
        moved = put(cc, update_source="Account", email_address={"address": "new@example.com"})

    assert taken.status == 409
    assert moved.status == 200
    assert cc.truth() == {"new@example.com"}


def test_a_put_sets_lists_only_for_people_who_may_be_mailed() -> None:
    """An unsubscribed contact is on no list."""
    with account() as cc:
        joined = put(cc, update_source="Account", list_memberships=lists(cc, 2)).json()
        cc.unsubscribe(PAT)
        left = put(cc, update_source="Account", list_memberships=lists(cc, 2)).json()

    assert joined["list_memberships"] == lists(cc, 2)
    assert left["list_memberships"] == []


# --- DELETE, sign-up, resubscribe ------------------------------------------------------------------------


def test_deleting_hides_and_keeps_the_opt_out() -> None:
    """A second deletion changes nothing."""
    with account() as cc:
        cc.unsubscribe(PAT)
        path = f"/v3/contacts/{cc.contact(PAT).contact_id}"
        first, shown = call(cc, "DELETE", path), call(cc, "GET", path).json()
        cc.advance(timedelta(days=1))
        second, again = call(cc, "DELETE", path), call(cc, "GET", path).json()

    assert (first.status, first.body, second.status) == (204, b"", 204)
    assert shown == again
    assert shown["deleted_at"] == "2026-11-20"
    assert cc.truth() == {PAT}


def test_the_sign_up_form_silently_resubscribes() -> None:
    """Whoever had opted out becomes explicit, whoever was deleted comes back."""
    with account() as cc:
        cc.unsubscribe(PAT)
        cc.delete(PAT)
        answer = post(cc, "/sign_up_form", email_address=PAT, list_memberships=lists(cc), first_name="P")
        shown = call(cc, "GET", f"/v3/contacts/{cc.contact(PAT).contact_id}").json()

    assert (answer.status, answer.json()["action"]) == (200, "updated")
    assert shown["email_address"]["permission_to_send"] == "explicit"
    assert shown["email_address"]["opt_in_source"] == "Contact"
    assert "opt_out_date" not in shown["email_address"]
    assert "deleted_at" not in shown
    assert cc.truth() == frozenset()


def test_the_sign_up_form_creates_strangers_and_keeps_what_it_does_not_send() -> None:
    """Top-level fields that the form leaves out stay."""
    with account() as cc:
        put(cc, update_source="Account", last_name="Doe")
        kept = post(cc, "/sign_up_form", email_address=PAT, list_memberships=lists(cc), first_name="Pat")
        made = post(cc, "/sign_up_form", email_address="a@example.com", list_memberships=lists(cc))
        details = cc.contact(PAT).details

    assert kept.status == 200
    assert (details.first_name, details.last_name) == ("Pat", "Doe")
    assert (made.status, made.json()["action"]) == (201, "created")
    assert permission(cc, "a@example.com") == "explicit"


def test_the_sign_up_form_takes_a_number_without_an_address() -> None:
    """SMS-only contacts exist."""
    channel = {
        "sms_address": "2025550142",
        "dial_code": "1",
        "country_code": "US",
        "sms_channel_consents": [{"sms_consent_permission": "explicit", "consent_type": "promotional_sms"}],
    }
    with account() as cc:
        answer = post(cc, "/sign_up_form", sms_channel=channel, list_memberships=lists(cc))
        shown = call(cc, "GET", f"/v3/contacts/{answer.json()['contact_id']}").json()

    assert answer.status == 201
    assert "email_address" not in shown
    assert shown["sms_channel"]["sms_address"] == "2025550142"


def test_resubscribing_asks_the_person_once_and_waits_for_them() -> None:
    """Still unsubscribed until confirmed; a second message is refused for ever."""
    with account() as cc:
        cc.unsubscribe(PAT)
        path = f"/v3/contacts/resubscribe/{cc.contact(PAT).contact_id}"
        first = call(cc, "PUT", path, body={"list_ids": lists(cc)}).status
        waiting = permission(cc)
        second = call(cc, "PUT", path, body={"list_ids": lists(cc)}).status
        cc.confirm_resubscribe(PAT)
        back = cc.contact(PAT)
        third = call(cc, "PUT", path, body={"list_ids": lists(cc)}).status

    assert (first, waiting, second) == (200, "unsubscribed", 409)
    assert back.email is not None
    assert back.email.permission is Permission.EXPLICIT
    assert list(back.lists) == lists(cc)
    assert third == 400


def test_resubscribing_may_be_allowed_again() -> None:
    """The other reading."""
    with account(resubscribe_again=True) as cc:
        cc.unsubscribe(PAT)
        path = f"/v3/contacts/resubscribe/{cc.contact(PAT).contact_id}"
        statuses = [call(cc, "PUT", path, body={"list_ids": lists(cc)}).status for _ in range(2)]

    assert statuses == [200, 200]


def test_nobody_confirms_a_message_that_was_never_sent() -> None:
    """A test that forgot the request hears of it."""
    with account() as cc, pytest.raises(LookupError, match="no resubscribe message"):
        cc.confirm_resubscribe(PAT)


# --- Bodies that are refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        [],
        {"create_source": "Robot"},
        {"email_address": {"address": "a@example.com"}},
        {"create_source": "Account", "email_address": "a@example.com"},
        {"create_source": "Account", "email_address": {}},
        {"create_source": "Account", "email_address": {"address": "no at sign"}},
        {"create_source": "Account", "email_address": {"address": f"{'a' * 70}@example.com"}},
        {"create_source": "Account", "email_address": {"address": "a@b.test", "permission_to_send": "maybe"}},
        {"create_source": "Account", "first_name": 7},
        {"create_source": "Account", "first_name": "x" * 51},
        {"create_source": "Account", "first_name": "A", "birthday_month": 2},
        {"create_source": "Account", "first_name": "A", "birthday_month": 13, "birthday_day": 1},
        {"create_source": "Account", "first_name": "A", "birthday_month": True, "birthday_day": 1},
        {"create_source": "Account", "first_name": "A", "anniversary": "last May"},
        {"create_source": "Account", "first_name": "A", "list_memberships": ["not-an-id"]},
        {"create_source": "Account", "first_name": "A", "list_memberships": "all"},
        {"create_source": "Account", "first_name": "A", "notes": [{}] * 151},
        {"create_source": "Account", "first_name": "A", "notes": ["note"]},
        {"create_source": "Account", "sms_channel": {"full_sms_address": "+12025550100"}},
        {
            "create_source": "Account",
            "sms_channel": {"full_sms_address": "+12025550100", "sms_channel_consents": [{}]},
        },
    ],
    ids=str,
)
def test_a_body_outside_the_contract_is_refused(body: object) -> None:
    """400, and nobody was added."""
    with account() as cc:
        answer = call(cc, "POST", "/v3/contacts", body=body)
        size = len(cc.backend.account)

    assert answer.status == 400
    assert size == 1


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/contacts/{id}", {"first_name": "A"}),
        ("/contacts/resubscribe/{id}", {"list_ids": []}),
        ("/contacts/resubscribe/{id}", {}),
    ],
)
def test_a_put_outside_the_contract_is_refused(path: str, body: dict[str, Any]) -> None:
    """A source is required to update, a list to resubscribe."""
    with account() as cc:
        answer = call(cc, "PUT", f"/v3{path.format(id=cc.contact(PAT).contact_id)}", body=body)

    assert answer.status == 400


def test_the_sign_up_form_needs_a_list_and_somebody() -> None:
    """And its addresses are shorter than a contact's."""
    long = f"{'a' * 45}@example.com"
    with account() as cc:
        statuses = [
            post(cc, "/sign_up_form", email_address=PAT).status,
            post(cc, "/sign_up_form", list_memberships=lists(cc)).status,
            post(cc, "/sign_up_form", email_address=long, list_memberships=lists(cc)).status,
        ]

    assert statuses == [400, 400, 400]


def test_json_is_the_only_content_type() -> None:
    """415 for anything else, 400 for what is no JSON."""
    with account() as cc:
        form = call(cc, "POST", "/v3/contacts", raw=b"a=1", headers={"Content-Type": "text/plain"})
        charset = {"Content-Type": "application/json; charset=utf-8"}
        broken = call(cc, "POST", "/v3/contacts", raw=b"{", headers=charset)

    assert (form.status, broken.status) == (415, 400)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_malformed_id_is_not_found(method: str) -> None:
    """With the vendor's own words."""
    with account() as cc:
        answer = call(cc, method, "/v3/contacts/17", body={"update_source": "Account"})

    assert answer.status == 404
    assert answer.json() == [
        {"error_key": "contacts.api.not_found", "error_message": "contact_id is in an invalid format."}
    ]

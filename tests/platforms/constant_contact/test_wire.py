"""The wire: an opt-out is recognised whatever surrounds it, and nothing breaks the reader."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from suppress.core.reconcile import Observed, Permission
from suppress.core.suppression import Reason
from suppress.platforms.constant_contact import wire

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
ORIGIN = "https://api.cc.email"

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.sampled_from(
    ["address", "permission_to_send", "opt_out_date", "opt_out_source", "opt_out_reason", "updated_at"]
)
ALMOST_CONTACTS = st.fixed_dictionaries(
    {},
    optional={
        "contact_id": st.text() | JSON,
        "email_address": st.dictionaries(FIELDS, st.text() | JSON) | JSON,
        "deleted_at": st.text() | JSON,
        "created_at": JSON,
    },
)


def contact(*, deleted_at: object = None, contact_id: object = "0f6c2c1e", **email: object) -> dict[str, Any]:
    """The vendor's row, unsubscribed unless said otherwise; None leaves a field out."""
    given = {"address": "Pat@Example.com", "permission_to_send": "unsubscribed"} | email
    made: dict[str, Any] = {
        "email_address": {key: value for key, value in given.items() if value is not None}
    }
    if deleted_at is not None:
        made["deleted_at"] = deleted_at
    if contact_id is not None:
        made["contact_id"] = contact_id
    return made


def row(value: object) -> wire.Row:
    return wire.row(value, source="main", query="status=all", fetched_at=AT)


def observed(**fields: object) -> Observed:
    return row(contact(**fields)).observed


# --- What is an opt-out -----------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["unsubscribed", " Unsubscribed ", "UNSUBSCRIBED"])
@pytest.mark.parametrize("deleted_at", [None, "2024-07-01", "2024-07-01T10:00:00Z"])
@pytest.mark.parametrize("source", [None, "Account", "Contact", "System", "Landing Page"])
@pytest.mark.parametrize("date", [None, "2024-06-08T01:31:05Z", "not a date"])
def test_the_permission_alone_makes_an_opt_out(
    word: str, deleted_at: str | None, source: str | None, date: str | None
) -> None:
    """Deleted or not, dated or not, whoever entered it."""
    found = observed(permission_to_send=word, deleted_at=deleted_at, opt_out_source=source, opt_out_date=date)

    assert Permission.OPTED_OUT is found.permission


@pytest.mark.parametrize("word", ["explicit", "implicit", "not_set", "Explicit"])
def test_a_mailable_contact_with_an_old_opt_out_date_is_no_opt_out(word: str) -> None:
    """Somebody who came back may keep the date; that is evidence of a re-subscribe."""
    assert Permission.MAILABLE is observed(permission_to_send=word, opt_out_date="2020-01-01").permission


@pytest.mark.parametrize("word", ["explicit", "implicit", "not_set"])
def test_a_deleted_contact_is_not_mailable(word: str) -> None:
    """Nor is it an opt-out."""
    assert Permission.HELD is observed(permission_to_send=word, deleted_at="2024-07-01").permission


@pytest.mark.parametrize("word", ["pending_confirmation", "temp_hold", "", None, "something new"])
def test_any_other_permission_is_a_hold(word: str | None) -> None:
    """In one real account 73 of 26,475 contacts had none at all."""
    assert Permission.HELD is observed(permission_to_send=word).permission


@pytest.mark.parametrize("nothing", [None, "", False])
def test_deleted_means_that_a_date_of_deletion_is_there(nothing: object) -> None:
    """An empty one is none."""
    assert not observed(deleted_at=nothing).deleted
    assert observed(deleted_at="2016-07-08").deleted


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("Contact", Reason.UNSUBSCRIBED),
        ("contact ", Reason.UNSUBSCRIBED),
        ("Account", Reason.ACCOUNT),
        ("System", Reason.ACCOUNT),
        ("Landing Page", Reason.UNKNOWN),
        (None, Reason.UNKNOWN),
        (7, Reason.UNKNOWN),
    ],
)
def test_the_reason_is_who_did_it(source: object, reason: Reason) -> None:
    """The person, the account, or nobody knows."""
    assert reason is observed(opt_out_source=source).reason


# --- What is kept -----------------------------------------------------------------------------------------


def test_a_contact_of_the_vendors_documents() -> None:
    """Unsubscribed and deleted: the row that this program exists for."""
    given = {
        "contact_id": "0f6c2c1e-5d0a-11ef-9d5c-0242ac130003",
        "email_address": {
            "address": "pat@example.com",
            "permission_to_send": "unsubscribed",
            "created_at": "2019-03-02T15:20:11Z",
            "updated_at": "2024-06-08T01:31:05Z",
            "opt_out_source": "Contact",
            "opt_out_date": "2024-06-08T01:31:05Z",
            "opt_out_reason": "No longer interested",
            "confirm_status": "off",
        },
        "first_name": "Pat",
        "create_source": "Account",
        "created_at": "2019-03-02T15:20:11Z",
        "updated_at": "2023-01-30T18:04:55Z",
        "deleted_at": "2024-07-01",
    }

    found = row(given)

    assert "id:0f6c2c1e-5d0a-11ef-9d5c-0242ac130003" == found.identity
    assert datetime(2019, 3, 2, 15, 20, 11, tzinfo=UTC) == found.created_at
    assert ("0f6c2c1e-5d0a-11ef-9d5c-0242ac130003", "2024-06-08T01:31:05Z") == found.observed.fingerprint
    assert datetime(2024, 6, 8, 1, 31, 5, tzinfo=UTC) == found.observed.opted_out_at
    assert found.observed.opted_out_at == found.observed.changed_at
    assert found.observed.deleted
    assert {
        "contact_id": "0f6c2c1e-5d0a-11ef-9d5c-0242ac130003",
        "created_at": "2019-03-02T15:20:11Z",
        "updated_at": "2023-01-30T18:04:55Z",
        "deleted_at": "2024-07-01",
        "create_source": "Account",
        "address": "pat@example.com",
        "permission_to_send": "unsubscribed",
        "opt_out_source": "Contact",
        "opt_out_date": "2024-06-08T01:31:05Z",
        "opt_out_reason": "No longer interested",
        "confirm_status": "off",
        "email_address.created_at": "2019-03-02T15:20:11Z",
        "email_address.updated_at": "2024-06-08T01:31:05Z",
        "query": "status=all",
        "fetched_at": "2026-11-23T12:00:00Z",
    } == found.observed.evidence


def test_names_are_not_kept() -> None:
    """They are no evidence of an opt-out."""
    assert "Ottilie" not in json.dumps(row(contact() | {"first_name": "Ottilie"}).observed.evidence)


def test_free_text_is_kept_as_received() -> None:
    """Markup, formulas and control characters are evidence; showing them safely is others' work."""
    hostile = '=cmd|"/c calc"!A1<script>\x00\u202e'

    assert hostile == observed(opt_out_reason=hostile).evidence["opt_out_reason"]


def test_values_that_a_payload_cannot_hold_are_kept_as_text() -> None:
    """Numbers with a point, numbers beyond 2^53, lists, and half a surrogate pair."""
    found = observed(
        opt_out_reason="a\ud800b", opt_out_source=1.5, opt_out_date=2**60, opt_in_source=["x"], opt_in_date=7
    ).evidence

    assert "a\\ud800b" == found["opt_out_reason"]
    assert ("1.5", str(2**60), '["x"]', 7) == (
        found["opt_out_source"],
        found["opt_out_date"],
        found["opt_in_source"],
        found["opt_in_date"],
    )


def test_a_value_nested_beyond_measure_is_named_instead_of_kept() -> None:
    """It would break the encoder."""
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]

    assert "(a list, nested too deep to keep)" == observed(opt_out_reason=deep).evidence["opt_out_reason"]


@pytest.mark.parametrize("email", [None, {}, {"address": None}, {"address": ""}, {"address": "  "}])
def test_a_contact_may_have_no_address(email: object) -> None:
    """SMS-only contacts have no email_address at all."""
    found = row({"contact_id": "1", "email_address": email}).observed

    assert found.address is None


def test_contacts_without_an_id_are_told_apart_by_address() -> None:
    """And without both by all that they hold."""
    assert row(contact(contact_id=None)).identity == row(contact(contact_id="")).identity
    assert row(contact(contact_id=None)).identity != row(contact(contact_id=None, address="x@y.z")).identity
    assert row({"first_name": "A"}).identity != row({"first_name": "B"}).identity


def test_a_contact_id_may_be_a_number() -> None:
    """It is kept as text."""
    assert ("17", "") == observed(contact_id=17).fingerprint


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ([], "expected a contact, found a list"),
        ("pat@example.com", "expected a contact, found a text"),
        ({"email_address": "pat@example.com"}, "expected an email_address object, found a text"),
        ({"email_address": {"permission_to_send": True}}, "permission_to_send, found true or false"),
        ({"email_address": {"permission_to_send": ["unsubscribed"]}}, "permission_to_send, found a list"),
        ({"email_address": {"address": {"x": 1}}}, "address, found an object"),
        ({"email_address": {"address": 7}}, "address, found a number"),
        (None, "expected a contact, found null"),
    ],
)
def test_what_could_hide_an_opt_out_is_refused(value: object, why: str) -> None:
    """Reading it as 'not an opt-out' would lose one; the value is not repeated."""
    with pytest.raises(wire.NotAsPromised) as raised:
        row(value)

    assert why in str(raised.value)
    assert "pat@" not in str(raised.value)


@settings(deadline=None)
@given(ALMOST_CONTACTS | JSON)
def test_any_json_is_a_row_or_a_clear_error(value: object) -> None:
    """And what comes out can be written into a leaf and a payload."""
    try:
        found = row(value)
    except wire.NotAsPromised as wrong:
        assert str(wrong).startswith("expected ")
        return

    json.dumps(found.observed.evidence, allow_nan=False).encode()
    for text in (*found.observed.fingerprint, found.observed.word, found.identity):
        assert isinstance(text, str)
        text.encode()


# --- Pages ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "links",
    [
        {},
        {"_links": {}},
        {"_links": None},
        {"_links": {"next": None}},
        {"_links": {"next": {}}},
        {"_links": {"next": ""}},
        {"_links": {"next": {"href": None}}},
        {"_links": {"next": {"href": ""}}},
        {"_links": []},
    ],
)
def test_the_last_page_may_look_like_any_of_these(links: dict[str, object]) -> None:
    """Seen, documented, or to be expected."""
    assert wire.answer({"contacts": [], **links}).next is None


@pytest.mark.parametrize("next_", [{"href": "/v3/contacts?cursor=x"}, "/v3/contacts?cursor=x"])
def test_the_next_page_is_named(next_: object) -> None:
    """In the documented form, or as a plain text."""
    assert "/v3/contacts?cursor=x" == wire.answer({"contacts": [], "_links": {"next": next_}}).next


@pytest.mark.parametrize("links", [[1], 7, {"next": 7}, {"next": ["/v3"]}, {"next": {"href": {"x": 1}}}])
def test_a_next_page_that_cannot_be_read_is_refused(links: object) -> None:
    """Taken for the last page, it would lose the rest."""
    with pytest.raises(wire.NotAsPromised, match="a link to the next page"):
        wire.answer({"contacts": [], "_links": links})


@pytest.mark.parametrize(
    ("value", "count"),
    [
        (0, 0),
        (3249, 3249),
        ("3249", 3249),
        (None, None),
        (-1, None),
        (True, None),
        ("many", None),
        (1.5, None),
    ],
)
def test_the_count_is_optional(value: object, count: int | None) -> None:
    """A number, a number as text, or nothing that could be held against a run."""
    assert count == wire.answer({"contacts": [], "contacts_count": value}).count


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({}, "expected a list of contacts, found none"),
        ({"contacts": {}}, "expected a list of contacts, found an object"),
        ({"contacts_count": 2}, "expected a list of contacts, found none"),
        (
            {"contacts_count": 0, "_links": {"next": {"href": "/v3/contacts?cursor=x"}}},
            "expected a list of contacts, found none",
        ),
        ([], "expected an object with contacts, found a list"),
        (None, "expected an object with contacts, found null"),
        ("ok", "expected an object with contacts, found a text"),
        (3.5, "expected an object with contacts, found a number"),
    ],
)
def test_a_page_without_contacts_is_no_empty_page(body: object, why: str) -> None:
    """An empty success would be the worst of errors."""
    with pytest.raises(wire.NotAsPromised, match=why):
        wire.answer(body)


@pytest.mark.parametrize(
    "body", [{"contacts_count": 0}, {"contacts": None, "contacts_count": 0, "_links": {}}]
)
def test_a_page_that_counts_nobody_may_leave_the_list_out(body: object) -> None:
    """Live answers omit what is absent, and most questions for the last minutes find nobody."""
    assert wire.Answer((), 0, None) == wire.answer(body)


@settings(deadline=None)
@given(JSON)
def test_any_json_is_a_page_or_a_clear_error(value: object) -> None:
    """Never a crash."""
    try:
        wire.answer(value)
    except wire.NotAsPromised as wrong:
        assert str(wrong).startswith("expected ")


@settings(deadline=None)
@given(JSON)
@example({"contacts": [1], "_links": {"next": {"href": "x"}}})
def test_any_links_are_a_link_none_or_a_clear_error(value: object) -> None:
    """Never a crash, and never a next page that is no text."""
    try:
        found = wire.answer({"contacts": [], "_links": value}).next
    except wire.NotAsPromised:
        return

    assert found is None or len(found) > 0


# --- Next pages -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "href",
    [
        "/v3/contacts?cursor=bGltaXQ9NTAwJm5leHQ9Mg==",
        "/v3/contacts?cursor=a%2Fb+c&status%5B%5D=all",
        "/v3/contacts",
    ],
)
def test_a_next_page_is_followed_as_it_is(href: str) -> None:
    """Nothing added, nothing encoded anew; the own host may be named."""
    assert href == wire.next_target(href, origin=ORIGIN)
    assert href == wire.next_target(ORIGIN + href, origin=ORIGIN)


@settings(deadline=None)
@given(st.text() | st.builds("/v3/contacts{}".format, st.text()))
@example("https://evil.example/v3/contacts?cursor=x")
@example("https://api.cc.email.evil.example/v3/contacts")
@example("https://api.cc.email@evil.example/v3/contacts")
@example("//evil.example/v3/contacts")
@example("http://api.cc.email/v3/contacts")
@example("/v3/contacts/../account/summary")
@example("/v3/contacts/counts")
@example("/v3/contactsX")
@example("/v3/account")
@example("/v3/contacts?x=1#y")
@example("/v3/contacts?x=a b")
@example("\\\\evil.example\\v3")
@example("v3/contacts")
@example("http://[")
def test_no_next_page_leads_elsewhere(href: str) -> None:
    """The token must not follow; and the error repeats no query."""
    try:
        target = wire.next_target(href, origin=ORIGIN)
    except wire.NotAsPromised as wrong:
        assert str(wrong).startswith("the next page lies outside /v3/contacts")
        return

    assert target.partition("?")[0] == "/v3/contacts"
    assert target.isascii() and target.isprintable() and " " not in target


def test_a_foreign_host_is_named() -> None:
    """So that somebody notices."""
    with pytest.raises(wire.NotAsPromised, match=r"\(at evil\.example\)"):
        wire.next_target("https://evil.example/v3/contacts?cursor=x", origin=ORIGIN)


# --- Complaints -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ([{"error_key": "contacts.api.conflict", "error_message": "No"}], ("contacts.api.conflict", "No")),
        ({"error_key": "unauthorized", "error_message": "Unauthorized"}, ("unauthorized", "Unauthorized")),
        ({"activity_errors": ["Line 3", "Line 4"]}, ("", "Line 3; Line 4")),
        ({"activity_errors": [{"message": "Line 3"}, 7]}, ("", "Line 3")),
        ({"error": "invalid_grant", "error_description": "Expired"}, ("invalid_grant", "Expired")),
        (
            [{"error_key": "a", "error_message": "A"}, {"error_key": "b", "error_message": "B"}],
            ("a; b", "A; B"),
        ),
        ([{"error_key": "a", "error_message": "A"}] * 3, ("a", "A")),
        ([{"error_message": "Email pat@example.com exists"}], ("", "Email [address] exists")),
        ({"activity_errors": "x"}, ("", "")),
        ({}, ("", "")),
        ([], ("", "")),
        (None, ("", "")),
        ("oops", ("", "")),
    ],
)
def test_the_vendors_words_in_all_four_shapes(body: object, said: tuple[str, str]) -> None:
    """Without addresses."""
    assert said == wire.complaint(body)


@settings(deadline=None)
@given(JSON)
def test_any_json_is_a_complaint_or_none(value: object) -> None:
    """Short and printable."""
    for text in wire.complaint(value):
        assert len(text) <= 200
        assert text.isprintable()

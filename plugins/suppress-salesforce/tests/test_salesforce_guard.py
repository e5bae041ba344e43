"""What may be sent to an org at all: everything else raises before it leaves."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from salesforce_org import destination
from suppress_salesforce import settings as options
from suppress_salesforce.calls import org_calls, sign_in_calls

from suppress.core.suppression import Json
from suppress.plugin.errors import CallForbidden, WouldIncreaseReach
from suppress.plugin.guard import Body, permitted

CALLS = (
    *sign_in_calls(),
    *org_calls("66.0", options.read(destination("https://acme.my.salesforce.com")).targets),
)
ROOT = "/services/data/v66.0"
ID, JOB = "0035g0000000001AAA", "7505g0000000001AAA"
GOOD: Json = {
    "allOrNone": False,
    "records": [{"attributes": {"type": "Contact"}, "id": ID, "HasOptedOutOfEmail": True}],
}
NEW_JOB: dict[str, Json] = {
    "object": "Contact",
    "operation": "update",
    "contentType": "CSV",
    "lineEnding": "LF",
    "columnDelimiter": "COMMA",
}


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("PATCH", f"{ROOT}/composite/sobjects", GOOD),
        ("POST", f"{ROOT}/jobs/ingest", NEW_JOB),
        ("PUT", f"{ROOT}/jobs/ingest/{JOB}/batches", f"Id,HasOptedOutOfEmail\n{ID},true\n".encode()),
        ("PATCH", f"{ROOT}/jobs/ingest/{JOB}", {"state": "UploadComplete"}),
        ("POST", f"{ROOT}/jobs/query", {"operation": "query", "query": "SELECT Id FROM Contact"}),
        ("POST", "/services/oauth2/token", b"grant_type=client_credentials&client_id=a"),
        ("GET", f"{ROOT}/query?q=SELECT", None),
    ],
)
def test_what_is_needed_is_permitted(method: str, target: str, body: Body) -> None:
    """Else the refusals below would prove nothing."""
    permitted(CALLS, method, target, body)


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("DELETE", f"{ROOT}/sobjects/Contact/{ID}"),
        ("DELETE", f"{ROOT}/composite/sobjects"),
        ("DELETE", f"{ROOT}/jobs/ingest/{JOB}"),
        ("POST", f"{ROOT}/composite/sobjects"),
        ("POST", f"{ROOT}/sobjects/Contact"),
        ("PATCH", f"{ROOT}/sobjects/Contact/{ID}"),
        ("PATCH", f"{ROOT}/composite/sobjects/Contact/Email"),
        ("PATCH", f"{ROOT}/sobjects/Contact/Email/pat@example.com"),
        ("POST", f"{ROOT}/composite"),
        ("POST", f"{ROOT}/actions/standard/emailSimple"),
        ("GET", f"{ROOT}/sobjects/User/describe"),
        ("GET", "/services/data/v65.0/limits"),
    ],
)
def test_no_record_is_created_upserted_or_deleted(method: str, target: str) -> None:
    """Not on the list, so nothing is sent, whatever the body."""
    with pytest.raises(CallForbidden):
        permitted(CALLS, method, target, GOOD if method != "GET" else None)


def _records(**values: Json) -> Json:
    return {"allOrNone": False, "records": [{"attributes": {"type": "Contact"}, "id": ID, **values}]}


@pytest.mark.parametrize(
    "body",
    [
        _records(HasOptedOutOfEmail=False),
        _records(HasOptedOutOfEmail=None),
        _records(HasOptedOutOfEmail="true"),
        _records(HasOptedOutOfEmail=1),
        _records(),
        _records(HasOptedOutOfEmail=True, Email="new@example.com"),
        _records(Email="new@example.com"),
        _records(DoNotCall=True),
        _records(PersonHasOptedOutOfEmail=True),
        {"allOrNone": True, "records": [{}]},
        {"allOrNone": False, "records": []},
        {"allOrNone": False, "records": [{"attributes": {"type": "User"}, "id": ID, "IsActive": True}]},
        {"allOrNone": False, "records": [{"attributes": {"type": "Contact"}, "HasOptedOutOfEmail": True}]},
        {"allOrNone": False, "records": [*GOOD["records"] * 201]} if isinstance(GOOD, dict) else None,
        [],
        b"{}",
    ],
)
def test_no_value_but_true_and_no_field_but_the_checkbox(body: Body) -> None:
    """Clearing it, nulling it, or writing anything beside it raises."""
    with pytest.raises(WouldIncreaseReach):
        permitted(CALLS, "PATCH", f"{ROOT}/composite/sobjects", body)


@pytest.mark.parametrize(
    "changed",
    [
        {"operation": "insert"},
        {"operation": "upsert", "externalIdFieldName": "Email"},
        {"operation": "delete"},
        {"operation": "hardDelete"},
        {"object": "User"},
        {"assignmentRuleId": "01Q000000000001"},
    ],
)
def test_no_job_but_an_update(changed: dict[str, Json]) -> None:
    """Upsert creates what it does not find."""
    with pytest.raises(WouldIncreaseReach):
        permitted(CALLS, "POST", f"{ROOT}/jobs/ingest", {**NEW_JOB, **changed})


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", f"jobs/ingest/{JOB}", {"state": "Aborted"}),
        ("POST", "jobs/query", {"operation": "queryAll", "query": "SELECT Id FROM Contact"}),
        ("POST", "jobs/query", {"operation": "query", "query": "DELETE"}),
        ("POST", "jobs/ingest", []),
        ("PUT", f"jobs/ingest/{JOB}/batches", {"a": 1}),
    ],
)
def test_other_bodies_are_refused(method: str, path: str, body: Body) -> None:
    """Each body has a check of its own."""
    with pytest.raises(WouldIncreaseReach):
        permitted(CALLS, method, f"{ROOT}/{path}", body)


@pytest.mark.parametrize("body", [b"grant_type=password&username=a&password=b", b"", {"grant_type": "x"}])
def test_no_sign_in_that_is_being_retired(body: Body) -> None:
    """Neither a password nor anything unheard of."""
    with pytest.raises(WouldIncreaseReach):
        permitted(CALLS, "POST", "/services/oauth2/token", body)


@given(st.sampled_from(["false", "", "#N/A", "TRUE", "1", "true,x", "true\r"]), st.integers(0, 4))
@settings(max_examples=40)
def test_no_row_of_a_file_but_true(value: str, place: int) -> None:
    """An empty cell, `#N/A` or false in any row of a bulk file raises."""
    rows = [f"{ID},true"] * 5
    rows[place] = f"{ID},{value}"
    file = "\n".join(["Id,HasOptedOutOfEmail", *rows, ""]).encode()
    with pytest.raises(WouldIncreaseReach):
        permitted(CALLS, "PUT", f"{ROOT}/jobs/ingest/{JOB}/batches", file)


@pytest.mark.parametrize(
    "header", ["Id,Email", "Id,HasOptedOutOfEmail,Email", "Email,HasOptedOutOfEmail", ""]
)
def test_no_column_but_the_checkbox(header: str) -> None:
    """A file is by Id."""
    file = f"{header}\n{ID},true\n".encode()
    with pytest.raises(WouldIncreaseReach):
        permitted(CALLS, "PUT", f"{ROOT}/jobs/ingest/{JOB}/batches", file)

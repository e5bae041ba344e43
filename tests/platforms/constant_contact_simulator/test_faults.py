"""Things that go wrong on the way, each as often and where the scenario says."""

from __future__ import annotations

import http.client
import json
import time
from dataclasses import replace
from typing import Any

import pytest

from suppress.platforms.constant_contact.simulator import Fault, FaultKind, Scenario, Simulator
from tests.platforms.constant_contact_simulator.calling import (
    UNLIMITED,
    Answer,
    call,
    contacts,
    pages,
    standing_still,
)


def account(*faults: Fault, people: int = 6) -> Simulator:
    """An account whose ids are in the order of the people's numbers."""
    cc = standing_still(Scenario(limits=UNLIMITED, faults=faults))
    for number in range(people):
        cc.add(f"p{number}@example.com")
    return cc


def first_page(cc: Simulator, **query: str) -> Answer:
    """The first page of two contacts."""
    return call(cc, "GET", "/v3/contacts", {"limit": "2"} | query)


@pytest.mark.parametrize(
    ("fault", "status", "body"),
    [
        (Fault(FaultKind.ERROR), 500, "internal_error"),
        (Fault(FaultKind.ERROR, status=503), 503, "internal_error"),
        (Fault(FaultKind.ERROR, status=409), 409, "contacts.api.conflict"),
        (Fault(FaultKind.THROTTLED), 429, "throttled"),
        (Fault(FaultKind.QUOTA_EXCEEDED), 429, "quota_exceeded"),
        (Fault(FaultKind.TOKEN_EXPIRED), 401, "unauthorized"),
    ],
    ids=str,
)
def test_an_answer_is_replaced_as_often_as_the_fault_says(fault: Fault, status: int, body: str) -> None:
    """Then the platform is well again."""
    with account(fault) as cc:
        struck, well = first_page(cc), first_page(cc)

    found = struck.json()
    found = found[0] if isinstance(found, list) else found
    assert (struck.status, found["error_key"]) == (status, body)
    assert well.status == 200


def test_a_gateway_may_answer_with_a_page() -> None:
    """HTML where JSON was expected, with any status."""
    faults = (Fault(FaultKind.HTML), Fault(FaultKind.HTML, status=200))
    with account(*faults) as cc:
        bad, lying = first_page(cc), first_page(cc)

    assert (bad.status, lying.status) == (502, 200)
    assert bad.headers["Content-Type"] == lying.headers["Content-Type"] == "text/html; charset=utf-8"
    assert lying.body.startswith(b"<html>")


def test_a_connection_may_end_in_the_middle_of_a_body() -> None:
    """The length promises more than comes."""
    with account(Fault(FaultKind.DROP)) as cc:
        with pytest.raises(http.client.IncompleteRead) as cut:
            first_page(cc)
        well = first_page(cc)

    assert 0 < len(cut.value.partial) < len(well.body)
    assert well.body.startswith(cut.value.partial)


def test_a_body_may_be_cut_short_without_a_sign() -> None:
    """A fitting length, but no JSON."""
    with account(Fault(FaultKind.GARBLED)) as cc:
        struck = first_page(cc)

    assert struck.status == 200
    with pytest.raises(json.JSONDecodeError):
        struck.json()


def test_an_answer_may_be_slow() -> None:
    """By the seconds of the fault."""
    with account(Fault(FaultKind.SLOW, seconds=0.2)) as cc:
        began = time.monotonic()
        status = first_page(cc).status
        took = time.monotonic() - began

    assert status == 200
    assert took >= 0.2


def test_closing_does_not_wait_for_a_slow_answer() -> None:
    """Ctrl-C ends a simulator at once."""
    cc = account(Fault(FaultKind.SLOW, seconds=60))
    began = time.monotonic()
    with cc:
        connection = http.client.HTTPConnection(cc.url.removeprefix("http://"))
        connection.request("GET", "/v3/contacts", headers={"Authorization": f"Bearer {cc.token}"})
        while not cc.requests:
            pass
    connection.close()

    assert time.monotonic() - began < 10


def ids(rows: list[Any]) -> list[str]:
    """The contact ids of some rows."""
    return [row["contact_id"] for row in rows]


def test_a_row_may_come_twice() -> None:
    """As if one had been inserted before the second page; nothing is lost, and only this once."""
    with account(Fault(FaultKind.DUPLICATE_ROW, page=2)) as cc:
        struck = ids(contacts(cc, limit="2"))
        well = ids(contacts(cc, limit="2"))

    assert struck == [*well[:2], *well[1:]]


def test_a_row_may_be_missing() -> None:
    """As if one before the second page had gone; the next walk has it again."""
    with account(Fault(FaultKind.MISSING_ROW, page=2)) as cc:
        struck = ids(contacts(cc, limit="2", include_count="true"))
        well = ids(contacts(cc, limit="2"))

    assert struck == [*well[:2], *well[3:]]


def test_a_fault_strikes_its_page_and_path_only() -> None:
    """Two faults of one page strike two requests, in their order."""
    faults = (
        Fault(FaultKind.ERROR, page=2, status=503, times=2),
        Fault(FaultKind.ERROR, page=2, status=500),
        Fault(FaultKind.ERROR, path="/v3/contacts/counts"),
    )
    with account(*faults) as cc:
        first = first_page(cc)
        href = first.json()["_links"]["next"]["href"]
        second = [call(cc, "GET", href).status for _ in range(4)]
        counts = [call(cc, "GET", "/v3/contacts/counts").status for _ in range(2)]

    assert first.status == 200
    assert second == [503, 503, 500, 200]
    assert counts == [500, 200]


def test_a_failed_write_may_have_happened() -> None:
    """The answer is lost, not the write: what a client that repeats a POST has to reckon with."""
    with account(Fault(FaultKind.ERROR, path="/v3/contacts"), people=0) as cc:
        body = {"email_address": {"address": "a@example.com"}, "create_source": "Account"}
        statuses = [call(cc, "POST", "/v3/contacts", body=body).status for _ in range(2)]

    assert statuses == [500, 409]


def test_faults_may_begin_and_end_while_it_runs() -> None:
    """An outage of a day, in a test that lives through two weeks."""
    with account() as cc:
        well = first_page(cc).status
        cc.strike(Fault(FaultKind.ERROR, status=503, times=1_000))
        struck = [first_page(cc).status for _ in range(3)]
        cc.strike()
        mended = first_page(cc).status

    assert (well, struck, mended) == (200, [503] * 3, 200)


def test_a_page_may_hold_fewer_rows_than_were_asked_for() -> None:
    """Whoever takes a short page for the last one loses everybody behind it."""
    with standing_still(Scenario(limits=replace(UNLIMITED, rows_per_page=2))) as cc:
        for number in range(5):
            cc.add(f"p{number}@example.com")
        shown = list(pages(cc, limit="500", status="all"))

    assert [2, 2, 1] == [len(page["contacts"]) for page in shown]
    assert 5 == len({one["contact_id"] for page in shown for one in page["contacts"]})

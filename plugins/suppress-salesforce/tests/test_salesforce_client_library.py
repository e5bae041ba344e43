"""The community's own client, `simple-salesforce`, finds the simulated org to be one.

It was written by others, against the real platform: what it reads here, the simulator says rightly.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from requests import PreparedRequest, Response, Session
from requests.adapters import HTTPAdapter
from salesforce_org import Watched, org_of

with warnings.catch_warnings():
    # Its SOAP library uses what the standard library gives up; nothing of that is used here.
    warnings.simplefilter("ignore")
    from simple_salesforce.api import Salesforce
    from simple_salesforce.exceptions import SalesforceExpiredSession
    from simple_salesforce.format import format_soql

PAT, OBRIEN = "pat@example.com", "o'brien@example.com"


@pytest.fixture
def org() -> Iterator[Watched]:
    """Two contacts and a lead."""
    with org_of(PAT, OBRIEN) as simulator:
        simulator.org.add("Lead", Email=OBRIEN)
        yield simulator


class _Plain(HTTPAdapter):
    """The library insists on https; the org on this machine speaks http."""

    def send(self, request: PreparedRequest, *args: Any, **more: Any) -> Response:
        assert request.url is not None
        request.url = request.url.replace("https://", "http://", 1)
        return super().send(request, *args, **more)


@pytest.fixture
def client(org: Watched) -> Iterator[Any]:
    """Signed in by a session. Its attributes are made up as they are asked for, so it has no types."""
    with Session() as session:
        session.mount("https://127.0.0.1", _Plain())
        yield Salesforce(
            instance_url=org.url.replace("http:", "https:"),
            session_id=org.sessions.opened(),
            version="66.0",
            session=session,
        )


def test_its_queries_are_answered(client: Any) -> None:
    """With its own quoting of an apostrophe."""
    found = client.query(format_soql("SELECT Id, Email FROM Contact WHERE Email = {}", OBRIEN))

    assert [OBRIEN] == [each["Email"] for each in found["records"]]
    assert (1, True) == (found["totalSize"], found["done"])


def test_its_paging_reaches_the_end(client: Any, org: Watched) -> None:
    """A row a page."""
    org.switches.page = 1

    assert {PAT, OBRIEN} == {each["Email"] for each in client.query_all_iter("SELECT Email FROM Contact")}


def test_it_reads_the_org_s_limits(client: Any) -> None:
    """And the usage in the header of each answer."""
    assert 100_000 == client.limits()["DailyApiRequests"]["Max"]
    assert 100_000 == client.api_usage["api-usage"].total


def test_its_bulk_update_takes_effect(client: Any, org: Watched) -> None:
    """Upload, poll, and its own counting of the three result files."""
    org.switches.validation_rule = 2
    idents = [row.ident for row in org.org.rows["Contact"].values()]
    (job,) = client.bulk2.Contact.update(
        records=[{"Id": each, "HasOptedOutOfEmail": "true"} for each in idents]
    )

    assert (2, 1) == (job["numberRecordsTotal"], job["numberRecordsFailed"])
    assert "FIELD_CUSTOM_VALIDATION_EXCEPTION" in client.bulk2.Contact.get_failed_records(job["job_id"])
    assert idents[0] in client.bulk2.Contact.get_successful_records(job["job_id"])
    assert not org.org.would_mail(PAT)


def test_its_bulk_query_reads_everybody(client: Any) -> None:
    """Page after page, by the locator in the header."""
    pages = list(client.bulk2.Contact.query("SELECT Id, Email FROM Contact", max_records=1))

    assert 2 == len(pages)
    assert PAT in "".join(pages)


def test_a_session_that_ended_is_one_to_it(client: Any, org: Watched) -> None:
    """By the status and code that it knows."""
    org.sessions.expire()
    with pytest.raises(SalesforceExpiredSession):
        client.query("SELECT Id FROM Contact")


def test_its_composite_update_takes_effect(client: Any, org: Watched) -> None:
    """The call that the exporter makes, made by somebody else."""
    record = {
        "attributes": {"type": "Contact"},
        "id": next(iter(org.org.rows["Contact"].values())).ident,
        "HasOptedOutOfEmail": True,
    }
    (result,) = client.restful(
        "composite/sobjects", method="PATCH", json={"allOrNone": False, "records": [record]}
    )

    assert result["success"] is True
    assert not org.org.would_mail(PAT)

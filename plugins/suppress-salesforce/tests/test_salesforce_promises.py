"""Answers that break what Salesforce promises: nobody is taken as told by them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from salesforce_org import Watched, opened, told
from suppress_salesforce.simulator import Org, Switches
from suppress_salesforce.simulator.bulk import refused

from suppress.core.suppression import Json
from suppress.errors import DestinationFailed, SuppressError
from suppress.plugin.contract import Severity
from suppress.plugin.errors import AuthFailed, ContractBroken, PermissionMissing, Throttled, Transient
from suppress.plugin.loopback import Request, Response, answer, page

PEOPLE = ["pat@example.com", "o'brien@example.com", "kim@example.com"]
BULK: dict[str, Json] = {"mode": "bulk", "bulk_page": 2}
Twist = Callable[[Response], Response]


class Lying(Watched):
    """An org whose answers to some calls are twisted, after it did what it was asked."""

    def __init__(self, call: str, twist: Twist, switches: Switches | None = None) -> None:
        org = Org(switches or Switches())
        for address in PEOPLE:
            org.add("Contact", Email=address)
        super().__init__(org)
        self.call = call
        self.twist = twist

    def _handle(self, request: Request) -> Response:
        said = super()._handle(request)
        return self.twist(said) if re.fullmatch(self.call, f"{request.method} {request.path}") else said


def says(**values: object) -> Twist:
    """The answer's object with other values."""
    return lambda said: answer(said.status, {**json.loads(said.body), **values}, *said.headers)


def instead(response: Response) -> Twist:
    """Another answer."""
    return lambda _said: response


def headed(name: str, value: str) -> Twist:
    """Another header."""

    def twist(said: Response) -> Response:
        kept = tuple(each for each in said.headers if each[0] != name)
        return Response(said.status, said.body, said.content_type, (*kept, (name, value)))

    return twist


def text(old: bytes, new: bytes) -> Twist:
    """Other bytes."""
    return lambda said: Response(said.status, said.body.replace(old, new), said.content_type, said.headers)


QUERY, BULK_PAGE = "GET .*/query", "GET .*/jobs/query/.*/results"


@pytest.mark.parametrize(
    ("call", "twist", "options"),
    [
        (QUERY, says(totalSize=9), {}),
        (QUERY, says(done=False), {}),
        (QUERY, says(done=False, nextRecordsUrl="/services/data/v1.0/query/01g"), {}),
        (QUERY, says(done=False, nextRecordsUrl="https://example.com/query/01g"), {}),
        (QUERY, says(records=[{"Id": "0035g0000000001AAA"}], totalSize=1), {}),
        (QUERY, instead(answer(200, [])), {}),
        ("GET .*/describe", instead(answer(200, {"name": "Contact"})), {}),
        ("GET .*/describe", instead(page(200, "<html>Sign in</html>")), {}),
        ("PATCH .*/composite/sobjects", instead(answer(200, [])), {}),
        ("POST .*/jobs/query", instead(answer(200, {})), BULK),
        ("POST .*/jobs/query", says(id="../limits"), BULK),
        ("POST .*/jobs/ingest", instead(answer(200, [])), BULK),
        ("GET .*/jobs/query/[^/]*", says(state="Failed"), BULK),
        ("GET .*/jobs/query/[^/]*", says(numberRecordsProcessed=7), BULK),
        (BULK_PAGE, headed("Sforce-NumberOfRecords", "9"), BULK),
        (BULK_PAGE, headed("Sforce-Locator", "2"), BULK),
        (BULK_PAGE, headed("Sforce-Locator", "../limits"), BULK),
        (BULK_PAGE, text(b'"Id"', b'"Other"'), BULK),
        ("GET .*/successfulResults", text(b'"false"', b'"true"'), BULK),
        ("GET .*/successfulResults", text(b"0035g0000000001", b"0035g0000000009"), BULK),
        ("GET .*/successfulResults", text(b"sf__Id", b"Sf__Id"), BULK),
        ("GET .*/jobs/ingest/[^/]*", instead(answer(200, {"id": "750"})), BULK),
    ],
)
def test_an_answer_that_does_not_add_up_ends_the_run(
    call: str, twist: Twist, options: dict[str, Json]
) -> None:
    """With an error that the engine knows, which names nobody."""
    with Lying(call, twist) as simulator:
        with pytest.raises((ContractBroken, Transient)) as broken:
            told(opened(simulator, **{"mode": "composite", **options}), PEOPLE)

        assert not [each for each in PEOPLE if each in str(broken.value)]


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (refused(403, "API_DISABLED_FOR_ORG", "not enabled"), PermissionMissing),
        (refused(400, "INVALID_FIELD", "No such column"), PermissionMissing),
        (refused(400, "MALFORMED_QUERY", "near o'brien@example.com pat@exa"), DestinationFailed),
        (refused(429, "TOO_MANY", "slow"), Throttled),
        (refused(500, "UNKNOWN_EXCEPTION", "an error"), Transient),
        (refused(401, "INVALID_SESSION_ID", "expired"), AuthFailed),
        (Response(403), PermissionMissing),
        (Response(404), DestinationFailed),
    ],
)
def test_a_refusal_is_the_error_that_says_what_to_do(response: Response, kind: type[SuppressError]) -> None:
    """And quotes no statement, in which addresses are."""
    with Lying(QUERY, instead(response)) as simulator, pytest.raises(SuppressError) as raised:
        told(opened(simulator), PEOPLE)

    assert kind is type(raised.value)
    assert "brien" not in raised.value.message
    assert "pat@" not in raised.value.message


def test_an_end_of_an_upload_whose_answer_is_lost_is_looked_for() -> None:
    """It arrived: the job is not handed over twice."""
    with Lying("PATCH .*/jobs/ingest/.*", instead(refused(503, "SERVER_UNAVAILABLE", ""))) as simulator:
        found = told(opened(simulator, **BULK), PEOPLE)

        assert len(PEOPLE) == len(found)
        assert not [each for each in PEOPLE if simulator.org.would_mail(each)]


def test_an_upload_that_did_not_end_is_an_error() -> None:
    """The job stays open, and nobody is taken as told."""

    class Deaf(Lying):
        def _handle(self, request: Request) -> Response:
            return self.twist(Response(200)) if request.method == "PATCH" else super()._handle(request)

    with (
        Deaf("nothing", instead(refused(503, "SERVER_UNAVAILABLE", ""))) as simulator,
        pytest.raises(Transient),
    ):
        told(opened(simulator, **BULK), PEOPLE)


def test_an_org_that_shows_no_accounts_is_asked_for_none() -> None:
    """Its describe says that there is no such thing, or not for this user; leads and contacts are told."""
    with Lying("GET .*/Account/describe", instead(refused(404, "NOT_FOUND", "none"))) as simulator:
        found = told(opened(simulator), PEOPLE)

    assert len(PEOPLE) == len(found)


def test_hidden_accounts_of_an_org_that_has_them_are_an_error() -> None:
    """Contacts say that there are person accounts: these cannot be passed over."""
    without = instead(answer(200, {"fields": []}))
    with (
        Lying("GET .*/Account/describe", without, Switches(person_accounts=True)) as simulator,
        pytest.raises(PermissionMissing, match="PersonEmail"),
    ):
        told(opened(simulator), PEOPLE)


def test_an_allowance_that_is_not_shown_is_a_warning() -> None:
    """And no failure: the header of each answer tells as well."""
    with Lying("GET .*/limits", instead(answer(200, {}))) as simulator:
        findings = list(opened(simulator).check())

    assert [Severity.WARN, Severity.PASS] == [each.severity for each in findings]


@pytest.mark.parametrize("twist", [says(totalSize=9), says(records=[{}], totalSize=1)])
def test_a_sweep_that_does_not_add_up_is_an_error(twist: Twist) -> None:
    """A list that ends early looks like people who were let go."""
    with Lying(QUERY, twist) as simulator, pytest.raises(ContractBroken):
        cursor: Any = None
        exporter = opened(simulator)
        while True:
            _, cursor = exporter.sweep(cursor)
            assert cursor is not None


def test_a_job_of_few_looks_is_waited_for() -> None:
    """A bulk query takes a while: it is looked at until it is done."""
    with Lying("nothing", instead(Response(200)), Switches(job_looks=3)) as simulator:
        exporter = opened(simulator, **BULK)
        found = told(exporter, PEOPLE)

        assert len(PEOPLE) == len(found)
        asked = [each for each in simulator.exchanges if not each.request.path.endswith("/token")]
        assert exporter.requests == len(asked)

"""AWS's own client is held to the plugin's list of calls: it could make every call of SES, and may not."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ses_opening import settings_for
from suppress_ses.calls import OPERATIONS, calls
from suppress_ses.exporter import fits_a_path
from suppress_ses.gateway import Gateway
from suppress_ses.settings import Options
from suppress_ses.simulator import Simulator

from suppress.core.suppression import Json
from suppress.plugin.addresses import flaw
from suppress.plugin.errors import CallForbidden, WouldIncreaseReach
from suppress.plugin.guard import permitted

HOST = "https://email.eu-west-1.amazonaws.com"
LIST = "/v2/email/suppression/addresses"
PAT = "pat@example.com"


@pytest.fixture
def platform() -> Iterator[Simulator]:
    """Where anything that got past the guard would be seen."""
    with Simulator() as simulator:
        yield simulator


def gateway(platform: Simulator, **options: Json) -> Gateway:
    """The client that the exporter uses, whole."""
    given = settings_for(platform.url, **options)
    return Gateway(given, Options.of(given))


@pytest.mark.parametrize(
    ("operation", "given"),
    [
        ("delete_suppressed_destination", {"EmailAddress": PAT}),
        ("put_account_suppression_attributes", {"SuppressedReasons": []}),
        ("put_account_suppression_attributes", {"SuppressedReasons": ["BOUNCE"]}),
        ("put_configuration_set_suppression_options", {"ConfigurationSetName": "a", "SuppressedReasons": []}),
        (
            "create_import_job",
            {
                "ImportDestination": {
                    "SuppressionListDestination": {"SuppressionListImportAction": "DELETE"}
                },
                "ImportDataSource": {"S3Url": "s3://b/k", "DataFormat": "CSV"},
            },
        ),
        ("create_contact", {"ContactListName": "all", "EmailAddress": PAT, "UnsubscribeAll": False}),
        ("update_contact", {"ContactListName": "all", "EmailAddress": PAT, "UnsubscribeAll": False}),
        ("delete_contact", {"ContactListName": "all", "EmailAddress": PAT}),
        ("delete_contact_list", {"ContactListName": "all"}),
        ("delete_configuration_set", {"ConfigurationSetName": "a"}),
        ("put_account_sending_attributes", {"SendingEnabled": True}),
        ("send_email", {"Content": {"Simple": {"Subject": {"Data": "x"}, "Body": {}}}}),
        ("create_tenant", {"TenantName": "a"}),
    ],
)
def test_an_operation_that_is_not_on_the_list_never_leaves(
    platform: Simulator, operation: str, given: dict[str, Any]
) -> None:
    """botocore would build, sign and send it."""
    with closing(gateway(platform)) as held, pytest.raises(CallForbidden):
        getattr(held.client, operation)(**given)

    assert platform.exchanges == ()


def test_every_operation_of_ses_but_six_is_refused(platform: Simulator) -> None:
    """Whatever a later boto3 brings is refused, too, before a request is built."""
    with closing(gateway(platform)) as held:
        service, events = held.client.meta.service_model, held.client.meta.events
        names = service.operation_names
        for name in set(names) - OPERATIONS:
            model = service.operation_model(name)
            with pytest.raises(CallForbidden, match=f"tried {name},"):
                events.emit(f"before-call.sesv2.{name}", model=model, params={"headers": {}})

        assert set(names) > OPERATIONS
        assert len(names) > 80


@pytest.mark.parametrize(
    ("given", "options"),
    [
        ({"EmailAddress": PAT, "Reason": "BOUNCE"}, {}),
        ({"EmailAddress": PAT, "Reason": "NONE"}, {}),
        ({"EmailAddress": PAT, "Reason": "COMPLAINT", "TenantName": "another"}, {}),
        ({"EmailAddress": PAT, "Reason": "COMPLAINT"}, {"tenant": "brand-b"}),
    ],
)
def test_the_bytes_are_looked_at_right_before_they_leave(
    platform: Simulator, given: dict[str, str], options: dict[str, Json]
) -> None:
    """A permitted operation with another reason, or for another list, is refused at `before-send`."""
    with closing(gateway(platform, **options)) as held, pytest.raises(WouldIncreaseReach):
        held.client.put_suppressed_destination(**given)

    assert platform.exchanges == ()


def test_a_handler_of_somebody_else_cannot_change_what_was_looked_at(platform: Simulator) -> None:
    """Ours comes last of those before sending."""

    def meddling(request: Any, **_: object) -> None:
        request.method = "DELETE"
        request.url = f"{platform.url}{LIST}/pat%40example.com"

    with closing(gateway(platform)) as held:
        held.client.meta.events.register("before-send.sesv2", meddling)
        with pytest.raises(CallForbidden):
            held.client.put_suppressed_destination(EmailAddress=PAT, Reason="COMPLAINT")

    assert platform.exchanges == ()


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("DELETE", f"{LIST}/pat%40example.com", None),
        ("PUT", "/v2/email/account/suppression", {"SuppressedReasons": []}),
        ("POST", "/v2/email/import-jobs", {"ImportDestination": {}}),
        ("PUT", LIST, b"EmailAddress"),
        ("PUT", LIST, {"Reason": "COMPLAINT"}),
        ("PUT", LIST, {"EmailAddress": [PAT], "Reason": "COMPLAINT"}),
        ("PUT", f"{LIST}?Reason=BOUNCE", {"EmailAddress": PAT, "Reason": "COMPLAINT"}),
        ("POST", "/v2/email/list-configuration-sets", {"Delete": True}),
    ],
)
def test_what_is_not_on_the_list_is_refused_by_its_bytes(
    method: str, target: str, body: Json | bytes
) -> None:
    """The same list that the contract kit holds every request to."""
    with pytest.raises(CallForbidden):
        permitted(calls(Options.of(settings_for(HOST))), method, target, body)


def test_a_body_that_is_no_json_is_refused(platform: Simulator) -> None:
    """Whoever made it, it is no suppression."""

    def spoiling(request: Any, **_: object) -> None:
        request.body = "EmailAddress=pat"

    with closing(gateway(platform)) as held:
        held.client.meta.events.register("before-send.sesv2", spoiling)
        with pytest.raises(WouldIncreaseReach):
            held.client.put_suppressed_destination(EmailAddress=PAT, Reason="COMPLAINT")


@settings(max_examples=150, deadline=None)
@given(local=st.text(min_size=1, max_size=30), domain=st.text(min_size=1, max_size=30))
def test_every_address_that_is_asked_for_passes_the_guard(local: str, domain: str) -> None:
    """As botocore itself spells it in a path; a refusal would end the run for everybody else."""
    address = f"{local}@{domain}"
    if flaw(address) is None and fits_a_path(address):
        target = botocore_path(address)

        assert permitted(calls(Options.of(settings_for(HOST))), "GET", target).method == "GET"


def botocore_path(address: str) -> str:
    """What botocore writes for the address in a URL."""
    from botocore.utils import percent_encode

    return f"{LIST}/{percent_encode(address)}"


def test_no_address_is_logged_even_at_level_debug(
    platform: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    """botocore and urllib3 write URLs there."""
    with caplog.at_level(logging.DEBUG), closing(gateway(platform)) as held:
        held.client.put_suppressed_destination(EmailAddress=PAT, Reason="COMPLAINT")
        held.client.get_suppressed_destination(EmailAddress=PAT)

    assert "pat" not in caplog.text

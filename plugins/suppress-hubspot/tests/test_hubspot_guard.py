"""Nothing that could make somebody mailable leaves for HubSpot."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hubspot_opening import settings_for
from hypothesis import given, settings
from hypothesis import strategies as st
from suppress_hubspot.calls import PROPERTIES, calls
from suppress_hubspot.segments import fits_a_path
from suppress_hubspot.settings import Options
from suppress_hubspot.simulator import Scenario, Simulator

from suppress.core.suppression import Json
from suppress.plugin.addresses import flaw
from suppress.plugin.errors import CallForbidden, WouldIncreaseReach
from suppress.plugin.guard import permitted
from suppress.plugin.lanes import Lanes
from suppress.plugin.transport import Transport

CALLS = calls(Options.of(settings_for("https://api.hubapi.com")))
_PREFERENCES = "/communication-preferences/v4"
_BATCH = f"{_PREFERENCES}/statuses/batch"
SUBSCRIBES: dict[str, Json] = {"subscriptionId": 1, "statusState": "SUBSCRIBED", "channel": "EMAIL"}


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("POST", f"{_PREFERENCES}/statuses/pat%40example.com", SUBSCRIBES),
        ("POST", f"{_PREFERENCES}/statuses/pat%40example.com/resubscribe", None),
        ("POST", "/communication-preferences/2026-09/statuses/pat%40example.com/resubscribe", None),
        ("POST", f"{_PREFERENCES}/statuses/pat%40example.com/unsubscribe-all", {"statusState": "SUBSCRIBED"}),
        ("POST", f"{_PREFERENCES}/statuses/pat%40example.com/unsubscribe-all?status=SUBSCRIBED", None),
        ("DELETE", f"{_PREFERENCES}/statuses/pat%40example.com/unsubscribe-all", None),
        ("POST", f"{_BATCH}/write", {"inputs": [SUBSCRIBES]}),
        ("POST", f"{_BATCH}/unsubscribe-all", {"inputs": [SUBSCRIBES]}),
        ("POST", f"{_BATCH}/unsubscribe-all", {"inputs": ["pat@example.com"], "status": "SUBSCRIBED"}),
        ("POST", f"{_BATCH}/unsubscribe-all", {"inputs": []}),
        ("POST", f"{_BATCH}/unsubscribe-all", {"inputs": ["pat@example.com"] * 101}),
        ("POST", f"{_BATCH}/unsubscribe-all", b"email\n"),
        ("POST", "/communication-preferences/v3/subscribe", {"emailAddress": "pat@example.com"}),
        ("PATCH", "/crm/v3/objects/contacts/101", {"properties": {"hs_email_optout": "false"}}),
        ("POST", "/crm/v3/objects/contacts", {"properties": {"email": "pat@example.com"}}),
        ("POST", "/crm/v3/imports", None),
        ("POST", "/crm/v3/objects/contacts/gdpr-delete", {"objectId": "pat@example.com"}),
        ("DELETE", "/crm/v3/objects/contacts/101", None),
        ("POST", "/crm/v3/objects/contacts/search", {"properties": ["email", "phone"]}),
        ("POST", "/crm/v3/objects/contacts/search", {"properties": list(PROPERTIES), "delete": True}),
    ],
)
def test_what_must_never_be_called_is_refused_before_anything_is_sent(
    method: str, target: str, body: Json | bytes
) -> None:
    """The simulator would have taken it down."""
    with Simulator(Scenario(enterprise=True)) as platform:
        mine = calls(Options.of(settings_for(platform.url)))
        transport = Transport.writing(platform.url, calls=mine, pace=Lanes(at_once=1, whose="HubSpot"))
        with pytest.raises(CallForbidden):
            transport.send(method, target, authorization=f"Bearer {platform.token}", body=body)
        transport.close()

        assert platform.exchanges == ()


def test_a_body_that_names_a_status_raises_as_what_it_is() -> None:
    """The engine tells a call that raises reach from one that was merely forgotten in the list."""
    with pytest.raises(WouldIncreaseReach):
        permitted(CALLS, "POST", f"{_BATCH}/unsubscribe-all", {"inputs": [SUBSCRIBES]})


@settings(max_examples=300)
@given(local=st.text(min_size=1, max_size=40), domain=st.text(min_size=1, max_size=40))
def test_every_address_that_can_be_told_passes_the_guard(local: str, domain: str) -> None:
    """A call that the guard refuses would end the run for everybody else."""
    address = f"{local}@{domain}"
    if flaw(address) is None and fits_a_path(address):
        target = f"{_PREFERENCES}/statuses/{quote(address, safe='')}/unsubscribe-all"

        assert permitted(CALLS, "POST", f"{target}?channel=EMAIL&verbose=true").repeatable


def test_slashes_do_not_fit_a_path() -> None:
    """Neither of the two that servers take for one."""
    assert not fits_a_path("a/b@example.com")
    assert not fits_a_path("a\\b@example.com")
    assert fits_a_path("a%2Fb@example.com")

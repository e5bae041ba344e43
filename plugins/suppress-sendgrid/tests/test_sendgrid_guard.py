"""Nothing that could make somebody mailable leaves for SendGrid, nor anything for another list."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sendgrid_opening import GROUP, settings_for
from suppress_sendgrid.calls import calls
from suppress_sendgrid.reading import fits_a_path
from suppress_sendgrid.settings import Options
from suppress_sendgrid.simulator import Simulator

from suppress.core.suppression import Json
from suppress.plugin.addresses import flaw
from suppress.plugin.errors import CallForbidden, WouldIncreaseReach
from suppress.plugin.guard import permitted
from suppress.plugin.lanes import Lanes
from suppress.plugin.transport import Transport

HOST = "https://api.sendgrid.com"
GLOBAL = "/v3/asm/suppressions/global"
MINE = f"/v3/asm/groups/{GROUP}"
PAT: dict[str, Json] = {"recipient_emails": ["pat@example.com"]}


@pytest.mark.parametrize("scope", ["global", "group"])
@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("DELETE", f"{GLOBAL}/pat%40example.com", None),
        ("DELETE", f"{MINE}/suppressions/pat%40example.com", None),
        ("DELETE", MINE, None),
        ("DELETE", "/v3/suppression/bounces", {"delete_all": True}),
        ("DELETE", "/v3/suppression/blocks", {"emails": ["pat@example.com"]}),
        ("DELETE", "/v3/suppression/spam_reports/pat%40example.com", None),
        ("DELETE", "/v3/suppression/invalid_emails", {"delete_all": True}),
        ("POST", "/v3/asm/groups", {"name": "a new one"}),
        ("PATCH", MINE, {"name": "another name"}),
        ("POST", "/v3/asm/groups/999/suppressions", PAT),
        ("POST", f"{MINE}/suppressions", {**PAT, "delete_all": True}),
        ("POST", f"{MINE}/suppressions/search", {"recipient_emails": "pat@example.com"}),
        ("POST", GLOBAL, {**PAT, "remove": True}),
        ("POST", GLOBAL, {"recipient_emails": []}),
        ("POST", GLOBAL, {"recipient_emails": ["pat@example.com"] * 1_001}),
        ("POST", GLOBAL, b"pat@example.com"),
        ("PUT", "/v3/marketing/contacts", {"contacts": [{"email": "pat@example.com"}]}),
        ("POST", "/v3/mail/send", {"personalizations": []}),
        ("POST", "/v3/scopes/requests", None),
    ],
)
def test_what_must_never_be_called_is_refused_before_anything_is_sent(
    scope: str, method: str, target: str, body: Json | bytes
) -> None:
    """The simulator would have taken it down."""
    with Simulator() as platform:
        mine = calls(Options.of(settings_for(platform.url, scope)))
        transport = Transport.writing(platform.url, calls=mine, pace=Lanes(at_once=1, whose="SendGrid"))
        with pytest.raises(CallForbidden):
            transport.send(method, target, authorization=f"Bearer {platform.token}", body=body)
        transport.close()

        assert platform.exchanges == ()


def test_each_destination_writes_to_its_own_list_only() -> None:
    """A destination for a group cannot widen an opt-out to the account, whatever goes wrong in it."""
    of_group = calls(Options.of(settings_for(HOST, "group")))
    of_account = calls(Options.of(settings_for(HOST, "global")))

    assert permitted(of_group, "POST", f"{MINE}/suppressions", PAT).repeatable
    assert permitted(of_account, "POST", GLOBAL, PAT).repeatable
    with pytest.raises(CallForbidden):
        permitted(of_group, "POST", GLOBAL, PAT)
    with pytest.raises(CallForbidden):
        permitted(of_account, "POST", f"{MINE}/suppressions", PAT)


def test_a_body_that_says_more_than_addresses_raises_as_what_it_is() -> None:
    """The engine tells a call that raises reach from one that was merely forgotten in the list."""
    with pytest.raises(WouldIncreaseReach):
        permitted(calls(Options.of(settings_for(HOST))), "POST", GLOBAL, {"delete_all": True})


@settings(max_examples=200)
@given(local=st.text(min_size=1, max_size=40), domain=st.text(min_size=1, max_size=40))
def test_every_address_that_can_be_read_passes_the_guard(local: str, domain: str) -> None:
    """A call that the guard refuses would end the run for everybody else."""
    address = f"{local}@{domain}"
    if flaw(address) is None and fits_a_path(address):
        mine = calls(Options.of(settings_for(HOST)))

        assert permitted(mine, "GET", f"{GLOBAL}/{quote(address, safe='')}").method == "GET"


def test_slashes_do_not_fit_a_path() -> None:
    """Neither of the two that servers take for one."""
    assert not fits_a_path("a/b@example.com")
    assert not fits_a_path("a\\b@example.com")
    assert fits_a_path("a%2Fb@example.com")

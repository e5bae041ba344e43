"""The vendor's own client library finds the simulated account to be one.

It was written by others, against the real platform: what it reads here, the simulator says rightly.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from python_http_client.exceptions import ForbiddenError, TooManyRequestsError, UnauthorizedError
from sendgrid import SendGridAPIClient
from sendgrid_opening import GROUP, account, outcomes
from suppress_sendgrid.simulator import Scenario, Simulator

from suppress.plugin.contract import Outcome, Remote

PAT, LEE = "pat@example.com", "lee@example.com"


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulator]:
    """One account; a proxy of the environment is not for this machine."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    scenario = Scenario(unsubscribed=(LEE,), bounces=("gone@example.com",), subusers=("brand-b",))
    with Simulator(scenario) as simulator:
        yield simulator


def client(platform: Simulator, key: str | None = None, subuser: str | None = None) -> Any:
    """It carries no types; its calls are built from a path."""
    made = SendGridAPIClient(key or platform.token, host=platform.url, impersonate_subuser=subuser)
    return made.client


def said(response: Any) -> Any:
    """The JSON of an answer."""
    return json.loads(response.body)


def test_it_adds_and_finds_a_global_suppression(platform: Simulator) -> None:
    """And is told `{}` about somebody who is not there."""
    them = client(platform)
    added = them.asm.suppressions._("global").post(request_body={"recipient_emails": [PAT]})

    assert (added.status_code, said(added)) == (201, {"recipient_emails": [PAT]})
    assert said(them.asm.suppressions._("global")._(PAT).get()) == {"recipient_email": PAT}
    assert said(them.asm.suppressions._("global")._("nobody@example.com").get()) == {}
    listed = said(them.suppression.unsubscribes.get(query_params={"limit": 1, "offset": 1}))
    assert [each["email"] for each in listed] == [LEE]


def test_it_adds_to_a_group_and_searches_it(platform: Simulator) -> None:
    """A group that is gone takes them for everything."""
    them = client(platform).asm.groups._(str(GROUP))
    assert said(them.get())["id"] == GROUP
    them.suppressions.post(request_body={"recipient_emails": [PAT]})

    assert said(them.suppressions.search.post(request_body={"recipient_emails": [PAT, LEE]})) == [PAT]
    assert said(them.suppressions.get()) == [PAT]
    gone = client(platform).asm.groups._("999").suppressions
    assert gone.post(request_body={"recipient_emails": ["kim@example.com"]}).status_code == 201
    assert "kim@example.com" in platform.account.globally


def test_it_takes_the_refusals_for_what_they_are(platform: Simulator) -> None:
    """401, 403 for a subuser who is not there, and 429 with the time of the reset."""
    with pytest.raises(UnauthorizedError):
        client(platform, "SG.other").scopes.get()
    with pytest.raises(ForbiddenError):
        client(platform, subuser="brand-x").scopes.get()
    with Simulator(Scenario(per_window=1)) as busy:
        assert said(client(busy).scopes.get())["scopes"]
        with pytest.raises(TooManyRequestsError) as refused:
            client(busy).scopes.get()
        assert refused.value.headers["X-RateLimit-Reset"].isdecimal()


def test_what_it_deletes_reads_back_as_mailable() -> None:
    """Somebody else with a key undoes an opt-out: the drift that a patrol is for."""
    for scope in ("global", "group"):
        with account(scope=scope) as (platform, exporter):
            assert outcomes(exporter, PAT) == {PAT: Outcome.SUPPRESSED}
            them = client(platform).asm
            held = them.suppressions._("global") if scope == "global" else them.groups._("101").suppressions
            assert held._(PAT).delete().status_code == 204
            (seen,) = exporter.read_back([PAT])

            assert seen.state is Remote.MAILABLE


def test_what_the_plugin_tells_a_subuser_it_finds_there(platform: Simulator) -> None:
    """Both mean the same lists."""
    with account(Scenario(subusers=("brand-b",)), on_behalf_of="brand-b") as (theirs, exporter):
        outcomes(exporter, PAT)
        read = client(theirs, subuser="brand-b").asm.suppressions._("global")._(PAT).get()

        assert said(read) == {"recipient_email": PAT}
        assert said(client(theirs).asm.suppressions._("global")._(PAT).get()) == {}

"""Headers that an exporter sends with every call."""

from __future__ import annotations

from suppress.plugin.guard import Call
from suppress.plugin.lanes import Lanes
from suppress.plugin.transport import Transport
from tests.plugin.serving import Says, Serving

CALLS = (Call("GET", "/v1/people"), Call("PUT", "/v1/people"))


def test_a_plugins_own_headers_go_with_every_call() -> None:
    """Klaviyo wants its revision on each call, Salesforce what a write must not set off."""
    with Serving(lambda _asked, _number: Says.json({})) as server:
        transport = Transport.writing(
            server.url, calls=CALLS, pace=Lanes(at_once=1, whose="Acme"), headers={"Revision": "2026-07-15"}
        )
        transport.send("GET", "/v1/people", authorization="Bearer abc")
        transport.send("PUT", "/v1/people")
        transport.close()

    assert ["2026-07-15"] * 2 == [asked.headers["Revision"] for asked in server.asked]
    assert "Bearer abc" == server.asked[0].headers["Authorization"]

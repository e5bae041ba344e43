"""The simulated account itself: scenarios, refusals, and what it says when a request is wrong."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import pytest
from suppress_sendgrid.simulator import Fault, Scenario, Simulator, Trap, launch
from suppress_sendgrid.simulator.scenario import load

from suppress.errors import BadFile


def ask(platform: Simulator, method: str, target: str, body: object = None) -> tuple[int, object]:
    """Status and JSON of one call."""
    data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    request = Request(
        platform.url + target, data, {"Authorization": f"Bearer {platform.token}"}, method=method
    )
    try:
        with build_opener(ProxyHandler({})).open(request) as reply:
            text = reply.read()
            return reply.status, json.loads(text) if text else None
    except HTTPError as refused:
        with refused:
            return refused.code, json.loads(refused.read())


@pytest.mark.parametrize(
    ("method", "target", "body", "status"),
    [
        ("POST", "/v3/asm/suppressions/global", b"no json", 400),
        ("POST", "/v3/asm/suppressions/global", [], 400),
        ("POST", "/v3/asm/suppressions/global", {"recipient_emails": []}, 400),
        ("POST", "/v3/asm/suppressions/global", {"recipient_emails": [7]}, 400),
        ("POST", "/v3/asm/groups/101/suppressions", {"recipient_emails": ["no-at-sign"]}, 400),
        ("POST", "/v3/asm/groups/999/suppressions/search", {"recipient_emails": ["a@b.example"]}, 404),
        ("GET", "/v3/asm/groups/999/suppressions", None, 404),
        ("GET", "/v3/asm/groups/999", None, 404),
        ("DELETE", "/v3/asm/groups/999/suppressions/a%40b.example", None, 404),
        ("DELETE", "/v3/asm/suppressions/global/a%40b.example", None, 404),
        ("GET", "/v3/suppression/bounces?limit=501", None, 400),
        ("GET", "/v3/suppression/bounces?limit=0", None, 400),
        ("GET", "/v3/suppression/bounces?offset=x", None, 400),
        ("GET", "/v3/suppression/drops", None, 404),
        ("GET", "/v3/nothing", None, 404),
    ],
)
def test_a_wrong_request_is_refused_in_the_vendors_shape(
    method: str, target: str, body: object, status: int
) -> None:
    """`{"errors": [{"field", "message"}]}`."""
    with Simulator() as platform:
        answered, said = ask(platform, method, target, body)

    assert answered == status
    assert isinstance(said, dict)
    assert set(said["errors"][0]) == {"field", "message"}


def test_a_filter_is_a_prefix_and_has_a_wildcard() -> None:
    """As the vendor's contract says."""
    with Simulator(Scenario(bounces=("sales@example.com", "pat@sales.example"))) as platform:
        _, prefix = ask(platform, "GET", "/v3/suppression/bounces?email=sales")
        _, inside = ask(platform, "GET", "/v3/suppression/bounces?email=%25sales")

    assert isinstance(prefix, list)
    assert isinstance(inside, list)
    assert (len(prefix), len(inside)) == (1, 2)


def test_a_fault_may_let_calls_through_first() -> None:
    """And is over after its times."""
    with Simulator(Scenario(faults=(Fault(Trap.ERROR, "scopes", after=1, times=2),))) as platform:
        statuses = [ask(platform, "GET", "/v3/scopes")[0] for _ in range(4)]

    assert statuses == [200, 503, 503, 200]


def test_its_clock_may_be_ahead() -> None:
    """By which it dates what is put on a list."""
    now = datetime(2026, 11, 1, tzinfo=UTC)
    with Simulator(
        Scenario(clock_skew=3_600, unsubscribed=("pat@example.com",)), clock=lambda: now
    ) as platform:
        _, rows = ask(platform, "GET", "/v3/suppression/unsubscribes")

    assert rows == [{"created": int(now.timestamp()) + 3_600, "email": "pat@example.com"}]


def test_a_scenario_file_sets_every_switch(tmp_path: Path) -> None:
    """With the names of the fields."""
    file = tmp_path / "s.toml"
    file.write_text(
        'groups = [7]\nunsubscribed = ["pat@example.com"]\nper_window = 9\n'
        '[[faults]]\ntrap = "limit"\ncall = "global add"\nseconds = 2\n'
    )

    assert load(str(file)) == Scenario(
        groups=(7,),
        unsubscribed=("pat@example.com",),
        per_window=9,
        faults=(Fault(Trap.LIMIT, "global add", seconds=2),),
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nonsense = 1", "nonsense: there is no such key"),
        ("faults = 7", "faults: must be a list"),
        ('[[faults]]\ntrap = "boredom"', "trap: must be one of error, page"),
        ("not toml", "Expected '=' after a key"),
    ],
)
def test_a_scenario_that_is_none_is_said(tmp_path: Path, text: str, words: str) -> None:
    """One line, with what is wrong."""
    file = tmp_path / "s.toml"
    file.write_text(text)
    with pytest.raises(BadFile, match=words):
        load(str(file))


def test_a_scenario_that_is_not_there_names_those_that_are(tmp_path: Path) -> None:
    """By name."""
    with pytest.raises(BadFile, match="scenarios by name: demo, busy"):
        load(str(tmp_path / "none.toml"))


def test_what_is_launched_says_how_to_use_it(tmp_path: Path) -> None:
    """The table to paste, for the group that is there; without one, for the global list."""
    file = tmp_path / "s.toml"
    file.write_text("groups = []")
    for scenario, words in ((None, 'scope = "group"\ngroup_id = 101'), (str(file), 'scope = "global"')):
        running = launch(0, scenario)
        try:
            assert words in running.settings
            assert running.environment == {"SUPPRESS_DESTINATIONS__SENDGRID__API_KEY": running.token}
            assert running.label == "SendGrid"
            assert running.holds["unsubscribe groups"] == (scenario is None)
        finally:
            running.close()

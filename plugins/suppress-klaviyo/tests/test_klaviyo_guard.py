"""Nothing that could make somebody mailable, or suppress more than was asked, leaves for Klaviyo."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from klaviyo_opening import settings_for
from suppress_klaviyo.calls import JOB, JOBS, calls, suppression
from suppress_klaviyo.settings import Options
from suppress_klaviyo.simulator import Simulator

from suppress.core.suppression import Json
from suppress.plugin.errors import CallForbidden, WouldIncreaseReach
from suppress.plugin.guard import permitted
from suppress.plugin.lanes import Lanes
from suppress.plugin.transport import Transport

CALLS = calls(Options.of(settings_for("https://a.klaviyo.com")))
PAT: dict[str, Json] = {"type": "profile", "attributes": {"email": "pat@example.com"}}
LIST: Json = {"list": {"data": {"type": "list", "id": "Y6nRLr"}}}
SEGMENT: Json = {"segment": {"data": {"type": "segment", "id": "Y6nRLr"}}}


def job(profiles: Json, **beside: Json) -> dict[str, Json]:
    """A suppression job's body."""
    return {"data": {"type": JOB, "attributes": {"profiles": {"data": profiles}}, **beside}}


@pytest.mark.parametrize(
    "body",
    [
        job([PAT], relationships=LIST),
        job([PAT], relationships=SEGMENT),
        {"data": {"type": JOB, "attributes": {}, "relationships": LIST}},
        {"data": {"type": JOB, "attributes": {"profiles": None}, "relationships": SEGMENT}},
        {
            "data": {
                "type": "profile-suppression-bulk-delete-job",
                "attributes": {"profiles": {"data": [PAT]}},
            }
        },
        job([]),
        job([PAT] * 101),
        job([{**PAT, "id": "01P"}]),
        job(
            [{"type": "profile", "attributes": {"email": "pat@example.com", "subscriptions": {"email": {}}}}]
        ),
        job([{"type": "profile", "attributes": {"phone_number": "+15005550006"}}]),
        job(["pat@example.com"]),
        job("pat@example.com"),
        {**job([PAT]), "meta": {}},
        b"pat@example.com",
        [],
    ],
)
def test_only_a_suppression_of_named_addresses_is_sent(body: Json | bytes) -> None:
    """A list or a segment would suppress everybody in it; other fields would change the person."""
    with pytest.raises(WouldIncreaseReach):
        permitted(CALLS, "POST", JOBS, body)


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("POST", "/api/profile-suppression-bulk-delete-jobs", suppression(["pat@example.com"])),
        ("POST", "/api/profile-subscription-bulk-create-jobs", {"data": {}}),
        ("POST", "/api/profile-subscription-bulk-delete-jobs", {"data": {}}),
        ("POST", "/api/data-privacy-deletion-jobs", {"data": {}}),
        ("POST", "/api/profiles", {"data": PAT}),
        ("PATCH", "/api/profiles/01P", {"data": PAT}),
        ("POST", "/api/profile-import", {"data": PAT}),
        ("DELETE", f"{JOBS}/job1", None),
        ("POST", f"{JOBS}?dry=1", suppression(["pat@example.com"])),
        ("GET", "/api/events", None),
        ("GET", f"{JOBS}/../profile-suppression-bulk-delete-jobs/1", None),
    ],
)
def test_what_must_never_be_called_is_refused_before_anything_is_sent(
    method: str, target: str, body: Json
) -> None:
    """Un-suppressing, subscribing, deleting, writing profiles."""
    with Simulator() as platform:
        mine = calls(Options.of(settings_for(platform.url)))
        transport = Transport.writing(platform.url, calls=mine, pace=Lanes(at_once=1, whose="Klaviyo"))
        with pytest.raises(CallForbidden):
            transport.send(method, target, authorization=f"Klaviyo-API-Key {platform.key}", body=body)
        transport.close()

        assert platform.exchanges == ()


@given(st.lists(st.text(max_size=12), min_size=1, max_size=100))
def test_whatever_is_told_passes_the_guard(addresses: list[str]) -> None:
    """A body that the guard refuses would end the run for everybody else."""
    assert permitted(CALLS, "POST", JOBS, suppression(addresses)).repeatable

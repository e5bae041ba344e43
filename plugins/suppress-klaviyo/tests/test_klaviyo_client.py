"""Klaviyo's own Python client understands the simulator, and does there what the exporter does."""

from __future__ import annotations

import pytest
from klaviyo_api import KlaviyoAPI
from klaviyo_opening import account, told
from openapi_client.exceptions import ApiException
from suppress_klaviyo.calls import suppression
from suppress_klaviyo.simulator import Scenario, Simulator

from suppress.plugin.contract import Outcome, Remote

PAT, SAM = "pat@example.com", "sam@example.com"


def vendors_client(platform: Simulator) -> KlaviyoAPI:
    """The client, talking to the simulator, without retries."""
    return KlaviyoAPI(platform.key, max_delay=1, max_retries=0, test_host=platform.url)


def test_a_job_of_the_vendors_client_suppresses_as_ours_does() -> None:
    """Started, asked for, and read back by both."""
    with account(Scenario(profiles=(PAT, SAM))) as (platform, exporter):
        client = vendors_client(platform)
        started = client.Profiles.bulk_suppress_profiles(suppression([PAT]))
        ended = client.Profiles.get_bulk_suppress_profiles_job(started.data.id)
        (seen,) = exporter.read_back([PAT])
        ours = told(exporter, PAT, SAM)
        page = client.Profiles.get_profiles(
            filter=f'any(email,["{PAT}","{SAM}"])', additional_fields_profile=["subscriptions"]
        )

    assert (started.data.attributes.status, ended.data.attributes.status) == ("queued", "complete")
    assert ended.data.attributes.completed_count == 1
    assert seen.state is Remote.SUPPRESSED
    assert ours == {PAT: Outcome.ALREADY, SAM: Outcome.SUPPRESSED}
    marketing = [each.attributes.subscriptions.email.marketing for each in page.data]
    assert [each.can_receive_email_marketing for each in marketing] == [False, False]
    assert {each.suppression[0].reason for each in marketing} == {"USER_SUPPRESSED"}


def test_the_vendors_client_understands_a_refusal() -> None:
    """One bad address, named by its number."""
    with Simulator(Scenario(invalid=(PAT,))) as platform, pytest.raises(ApiException) as raised:
        vendors_client(platform).Profiles.bulk_suppress_profiles(suppression([SAM, PAT]))

    assert raised.value.status == 400
    assert "/data/attributes/profiles/data/1/attributes/email" in str(raised.value.body)

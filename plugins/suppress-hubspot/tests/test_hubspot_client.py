"""HubSpot's own Python client understands the simulator, and sees what the exporter did.

The client is written by the vendor. It has version 3 of the preferences and the contacts, not the calls that
opt somebody out; so it looks on.
"""

from __future__ import annotations

import pytest
from hubspot import HubSpot as VendorsClient
from hubspot.communication_preferences.exceptions import ApiException
from hubspot.crm.contacts import BatchReadInputSimplePublicObjectId
from hubspot_opening import account
from suppress_hubspot.simulator import Scenario

from suppress.plugin.kit import POSITION, people

PAT, SAM = "pat@example.com", "sam@example.com"


def test_the_vendors_client_sees_the_opt_out() -> None:
    """In the statuses, in the contact, and in a search."""
    with account(Scenario(contacts=(PAT, SAM))) as (platform, exporter):
        list(exporter.push(iter(people([PAT])), POSITION))
        client = VendorsClient(access_token=platform.token, host=platform.url)
        statuses = client.communication_preferences.status_api
        seen = {each: statuses.get_email_status(each).subscription_statuses for each in (PAT, SAM)}
        read = client.crm.contacts.batch_api.read(
            batch_read_input_simple_public_object_id=BatchReadInputSimplePublicObjectId(
                id_property="email",
                inputs=[{"id": each} for each in (PAT, SAM, "x@example.com")],
                properties=["email", "hs_email_optout"],
                properties_with_history=[],
            )
        )
        asked = {"propertyName": "hs_email_optout", "operator": "EQ", "value": "true"}
        found = client.crm.contacts.search_api.do_search(
            public_object_search_request={
                "filterGroups": [{"filters": [asked]}],
                "properties": ["email"],
                "sorts": ["lastmodifieddate"],
                "limit": 10,
            }
        )

    assert {each.status for each in seen[PAT]} == {"NOT_SUBSCRIBED"}
    assert {each.source_of_status for each in seen[PAT]} == {"PORTAL_WIDE_STATUS"}
    assert {each.status for each in seen[SAM]} == {"SUBSCRIBED"}
    assert [each.properties["hs_email_optout"] for each in read.results] == ["true", None]
    assert (read.num_errors, read.errors[0].category) == (1, "OBJECT_NOT_FOUND")
    assert [each.properties["email"] for each in found.results] == [PAT]


def test_the_vendors_client_understands_a_refusal() -> None:
    """The body of an error is what it expects."""
    with account() as (platform, _):
        client = VendorsClient(access_token="other", host=platform.url)
        with pytest.raises(ApiException) as raised:
            client.communication_preferences.status_api.get_email_status(PAT)

    assert raised.value.status == 401
    assert "INVALID_AUTHENTICATION" in str(raised.value.body)

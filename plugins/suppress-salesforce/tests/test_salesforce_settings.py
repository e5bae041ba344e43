"""What `[destinations.NAME]` may say for Salesforce."""

from __future__ import annotations

import pytest
from salesforce_org import destination
from suppress_salesforce import settings, suppress_exporters
from suppress_salesforce.exporter import Salesforce

from suppress.config import DestinationSettings
from suppress.core.suppression import Json
from suppress.errors import ConfigWrong
from suppress.plugin.contract import Delivery
from suppress.plugin.registry import Registry

ORG = "https://acme.my.salesforce.com"


def test_the_hook_describes_one_platform_and_opens_it() -> None:
    """Through the registry, as a run does."""
    (described,) = suppress_exporters()
    exporter = Registry.load(environ={"SUPPRESS_LOAD_PLUGINS": "suppress-salesforce"}).exporter(
        DestinationSettings("crm", "salesforce", options={"instance_url": ORG})
    )
    exporter.close()

    assert "salesforce" == described.name
    assert isinstance(exporter, Salesforce)


def test_defaults_are_the_vendors_limits() -> None:
    """And sign-in goes to the org itself."""
    options = settings.read(DestinationSettings("crm", "salesforce", options={"instance_url": f"{ORG}/"}))

    assert (ORG, ORG, "66.0") == (options.instance_url, options.login_url, options.version)
    assert ["Contact", "Lead", "Account"] == [each.name for each in options.targets]
    assert (2_000, 150, 100_000_000) == (options.bulk_from, options.query_addresses, options.bulk_bytes)


def test_a_jwt_names_the_vendors_login_host() -> None:
    """Unless another one is configured, or the org is on this machine."""
    key: dict[str, Json] = {"private_key_file": "key.pem"}

    assert "https://login.salesforce.com" == settings.read(destination(ORG, **key)).login_url
    assert "http://127.0.0.1:1" == settings.read(destination("http://127.0.0.1:1", **key)).login_url
    named = settings.read(destination(ORG, login_url="https://test.salesforce.com", **key))
    assert "https://test.salesforce.com" == named.login_url


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("instance_url", "", "instance_url"),
        ("instance_url", "http://acme.my.salesforce.com", "https"),
        ("login_url", "ftp://x", "login_url"),
        ("api_version", "66", "api_version"),
        ("api_version", "latest", "api_version"),
        ("batch", 0, "batch"),
        ("poll_seconds", -1, "poll_seconds"),
        ("objects", ("Contact", "User"), "objects"),
        ("objects", (), "objects"),
        ("contact_field", "DoNotCall", "custom field"),
        ("contact_field", "HasOptedOutOfEmail FROM User", "names of fields"),
        ("lead_email_fields", ("Email, Name",), "names of fields"),
        ("lead_email_fields", (), "names no field"),
    ],
)
def test_a_value_that_means_nothing_is_refused(key: str, value: Json, why: str) -> None:
    """By the name of its key."""
    options: dict[str, Json] = {"instance_url": ORG, key: value}
    with pytest.raises(ConfigWrong, match=why):
        settings.read(DestinationSettings("crm", "salesforce", options=options))


@pytest.mark.parametrize(("mode", "delivery"), [("composite", Delivery.SYNC), ("auto", Delivery.JOB)])
def test_the_mode_decides_whether_there_are_jobs(mode: str, delivery: Delivery) -> None:
    """Composite calls answer at once."""
    options = settings.read(destination(ORG, mode=mode))

    assert delivery is settings.capabilities(options).delivery

"""What `[destinations.NAME]` may say, and how a wrong value is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from mailchimp_platform import AUDIENCE, KEY, settings
from suppress_mailchimp.exporter import Mailchimp
from suppress_mailchimp.settings import CAPABILITIES, CONFIG, LARGEST, Options

from suppress.config import DestinationSettings
from suppress.core.suppression import Json
from suppress.errors import ConfigWrong
from suppress.plugin.contract import Delivery, Reach, Unknowns
from suppress.plugin.options import checked


def options(**given: Json) -> Options:
    whole: dict[str, Json] = {"audience": AUDIENCE, "api_key": KEY, **given}
    kept = {key: value for key, value in whole.items() if value is not None}
    return Options.of(DestinationSettings("news", "mailchimp", options=kept))


def test_the_data_centre_comes_from_the_key() -> None:
    """What follows the last hyphen."""
    found = options()

    assert (found.origin, found.prefix) == ("https://us19.api.mailchimp.com", "/3.0")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8350", "http://127.0.0.1:8350/3.0", "http://127.0.0.1:8350/"]
)
def test_a_url_of_this_machine_overrides_the_data_centre(url: str) -> None:
    """With or without the version at its end."""
    found = options(api_url=url)

    assert (found.origin, found.prefix) == ("http://127.0.0.1:8350", "/3.0")


def test_a_proxy_may_have_a_path() -> None:
    """The version goes behind it."""
    found = options(api_url="https://proxy.example.com/mailchimp")

    assert (found.origin, found.prefix) == ("https://proxy.example.com", "/mailchimp/3.0")


def test_a_token_may_name_its_data_centre_or_leave_it_to_be_asked_for() -> None:
    """An OAuth token does not carry it."""
    assert options(api_key=None, access_token="t0ken").origin is None
    assert options(api_key=None, access_token="t0ken", dc="us6").origin == "https://us6.api.mailchimp.com"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"audience": "a b"}, "destinations.news.audience"),
        ({"audience": ""}, "destinations.news.audience"),
        ({"api_key": None}, "needs either api_key or access_token, and has neither"),
        ({"access_token": "t0ken"}, "and has both"),
        ({"api_key": "no data centre"}, "a character that no key has"),
        ({"api_key": "0123456789"}, "destinations.news.api_key names no data centre"),
        ({"dc": "evil.example.com/"}, "destinations.news.dc names no data centre"),
        ({"api_url": "http://us19.api.mailchimp.com"}, "destinations.news.api_url must begin with https://"),
        ({"login_url": "ftp://x"}, "destinations.news.login_url"),
        ({"unknown": "create"}, "destinations.news.unknown must be one of skip, create_suppressed"),
        ({"archived": "yes"}, "destinations.news.archived must be one of leave, strict"),
        ({"method": "put"}, "destinations.news.method must be one of auto, patch, list, batches"),
        ({"connections": 9}, "destinations.news.connections must be a whole number, 1 to 8"),
        ({"list_call_size": 501}, "1 to 500"),
        ({"batch_size": 0}, "1 to 500"),
        ({"page_size": 1001}, "1 to 1,000"),
        ({"poll_seconds": True}, "destinations.news.poll_seconds must be a whole number"),
        ({"audience": "all", "unknown": "create_suppressed"}, "for one audience only"),
    ],
)
def test_a_wrong_value_is_named_by_its_key(given: dict[str, Json], says: str) -> None:
    """And no secret is repeated."""
    with pytest.raises(ConfigWrong) as wrong:
        options(**given)

    assert says in wrong.value.message
    assert not any(
        str(value) in f"{wrong.value.message} {wrong.value.remedy}"
        for key, value in given.items()
        if key in ("api_key", "access_token") and value
    )


def test_the_declared_settings_are_those_that_are_read() -> None:
    """With the defaults that the vendor's documentation gives, and no key beside them."""
    given: dict[str, Json] = {"audience": AUDIENCE, "api_key": KEY}
    whole = checked(given, CONFIG, table="destinations.news", origins={})
    found = Options.of(DestinationSettings("news", "mailchimp", options=whole))

    assert found == options()
    assert (found.connections, found.list_call_size, found.batch_size, found.page_size) == (8, 500, 500, 1000)
    assert set(LARGEST) <= set(CONFIG["properties"])  # type: ignore[arg-type]  # a table of settings
    assert set(CAPABILITIES.secrets) == {"api_key", "access_token"}


def test_capabilities_follow_the_settings() -> None:
    """What the engine is told is what this destination will do."""
    plain = Mailchimp(settings("http://127.0.0.1:1")).capabilities
    batches = Mailchimp(settings("http://127.0.0.1:1", method="batches", connections=3)).capabilities
    created = Mailchimp(settings("http://127.0.0.1:1", unknown="create_suppressed")).capabilities
    every = Mailchimp(settings("http://127.0.0.1:1", audience="all")).capabilities

    assert (plain.delivery, plain.creates_unknown, plain.reach) == (
        Delivery.SYNC,
        Unknowns.NEVER,
        Reach.TARGET,
    )
    assert (batches.delivery, batches.max_concurrency) == (Delivery.JOB, 3)
    assert created.creates_unknown is Unknowns.ALWAYS
    assert every.reach is Reach.ACCOUNT


def test_a_key_may_lie_in_a_file(tmp_path: Path) -> None:
    """With its data centre at the end."""
    (tmp_path / "key").write_text(f"{KEY}\n")
    found = options(api_key=None, api_key_file=str(tmp_path / "key"))

    assert (found.token, found.origin) == (KEY, "https://us19.api.mailchimp.com")

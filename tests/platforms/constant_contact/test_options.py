"""What `[sources.NAME]` may say about a Constant Contact account."""

from __future__ import annotations

from datetime import timedelta

import pytest

from suppress.config import SourceSettings
from suppress.core.suppression import Json
from suppress.errors import ConfigWrong
from suppress.platforms.constant_contact.options import Options


def options(**given: Json) -> Options:
    return Options.of(SourceSettings("main", "constant-contact", options=given))


def test_without_any_option_it_is_the_vendors_host() -> None:
    """With the documented limits and safe windows."""
    assert (
        Options(
            origin="https://api.cc.email",
            prefix="",
            client_id="",
            lag=timedelta(minutes=5),
            overlap=timedelta(hours=48),
            daily_budget=10_000,
        )
        == options()
    )


@pytest.mark.parametrize(
    ("url", "origin", "prefix"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080", ""),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080", ""),
        ("http://127.0.0.1:8080/v3", "http://127.0.0.1:8080", ""),
        ("http://127.0.0.1:8080/v3/", "http://127.0.0.1:8080", ""),
        ("https://proxy.example.com/cc", "https://proxy.example.com", "/cc"),
        ("https://proxy.example.com/cc/v3", "https://proxy.example.com", "/cc"),
    ],
)
def test_the_api_may_be_named_with_or_without_its_version(url: str, origin: str, prefix: str) -> None:
    """Both are what people write."""
    found = options(api_url=url)

    assert (origin, prefix) == (found.origin, found.prefix)


@pytest.mark.parametrize(
    ("value", "duration"),
    [
        ("5m", timedelta(minutes=5)),
        ("90s", timedelta(seconds=90)),
        ("48h", timedelta(hours=48)),
        ("2d", timedelta(days=2)),
        ("10 MIN", timedelta(minutes=10)),
        (300, timedelta(minutes=5)),
        ("0", timedelta()),
    ],
)
def test_lag_and_overlap_are_durations(value: Json, duration: timedelta) -> None:
    """A number alone is seconds."""
    assert (duration, duration) == (options(lag=value).lag, options(overlap=value).overlap)


@pytest.mark.parametrize("value", [5_000, "5000"])
def test_a_partner_may_have_another_budget(value: Json) -> None:
    """A variable of the environment is a text."""
    assert 5_000 == options(daily_budget=value).daily_budget


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("lag", "soon"),
        ("lag", "-5m"),
        ("lag", True),
        ("overlap", "5y"),
        ("overlap", {"h": 1}),
        ("daily_budget", 0),
        ("daily_budget", -1),
        ("daily_budget", True),
        ("daily_budget", "many"),
        ("client_id", 7),
        ("api_url", 7),
        ("api_url", "http://api.cc.email"),
        ("api_url", "https://api.cc.email/?a=b"),
    ],
)
def test_what_cannot_be_is_refused_by_name(key: str, value: Json) -> None:
    """The message names the key in suppress.toml."""
    with pytest.raises(ConfigWrong, match=rf"^sources\.main\.{key} "):
        options(**{key: value})

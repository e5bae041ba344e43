"""What `[destinations.NAME]` may say, and what is said when it cannot be."""

from __future__ import annotations

import pytest
from suppress_hubspot.settings import Options

from suppress.config import DestinationSettings
from suppress.core.suppression import Json
from suppress.errors import ConfigWrong
from suppress.plugin.contract import Reach, Unit
from suppress.plugin.registry import Registry


def destination(**options: Json) -> DestinationSettings:
    """A `[destinations.crm]` table."""
    return DestinationSettings("crm", "hubspot", options=options)


def test_a_table_without_more_than_a_token_is_enough() -> None:
    """The defaults are those of the smallest plan."""
    options = Options.of(destination())

    assert (options.origin, options.prefix, options.version) == ("https://api.hubapi.com", "", "v4")
    assert (options.per_10_seconds, options.per_day, options.batch_size) == (100, 250_000, 100)
    assert options.capabilities.unit is Unit.RECORD
    assert options.capabilities.reach is Reach.ACCOUNT


def test_a_brand_is_a_target_of_its_own() -> None:
    """An opt-out of everything is narrowed to it, which the report of losses says."""
    found = Options.of(destination(business_unit=7, mode="batch", batch_size=50)).capabilities

    assert (found.target, found.reach) == ("brand", Reach.TARGET)
    assert (found.unit, found.max_batch) == (Unit.BATCH, 50)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"api_url": "http://api.hubapi.com"}, "api_url must begin with https"),
        ({"per_10_seconds": 0}, "per_10_seconds must be a whole number, 1 or more"),
        ({"per_day": -1}, "per_day must be a whole number, 1 or more"),
        ({"batch_size": 101}, "batch_size must be a whole number, 1 to 100"),
        ({"connections": 65}, "connections must be a whole number, 1 to 64"),
        ({"business_unit": True}, "business_unit must be a whole number"),
        ({"time_zone": "Mars/Olympus"}, "time_zone must be an IANA name"),
        ({"time_zone": "../etc/passwd"}, "time_zone must be an IANA name"),
    ],
)
def test_what_cannot_be_is_said_by_its_key(options: dict[str, Json], words: str) -> None:
    """Before anything is sent."""
    with pytest.raises(ConfigWrong, match=words):
        Options.of(destination(**options))


def test_the_registry_opens_it_with_checked_options() -> None:
    """As `suppress export` does: a misspelt key is refused, and defaults are filled in."""
    registry = Registry.load()
    exporter = registry.exporter(destination(access_token="pat-na1-x"))
    exporter.close()
    with pytest.raises(ConfigWrong, match="unknown key 'acess_token'"):
        registry.exporter(destination(acess_token="pat-na1-x"))

    assert "access_token" in registry.secrets()

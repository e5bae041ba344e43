"""What `[destinations.NAME]` may say, and what is said when it cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest
from suppress_hubspot.settings import Options, token_of

from suppress.config import DestinationSettings
from suppress.core.suppression import Json
from suppress.errors import ConfigWrong
from suppress.plugin.contract import Reach, Unit
from suppress.plugin.errors import AuthFailed
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
        ({"per_day": -1}, "per_day must be a whole number, 0 or more"),
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


def test_a_token_comes_from_the_setting_or_its_file(tmp_path: Path) -> None:
    """A file is for tokens that are renewed."""
    file = tmp_path / "token"
    file.write_text(" pat-na1-y \n")

    assert token_of(destination(access_token=" pat-na1-x ")) == "pat-na1-x"
    assert token_of(destination(access_token_file=str(file))) == "pat-na1-y"


def test_a_token_that_is_missing_names_where_to_put_it(tmp_path: Path) -> None:
    """No setting, no file, an empty file, or one that is no text."""
    empty = tmp_path / "empty"
    empty.write_text("\n")
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe")

    with pytest.raises(AuthFailed, match="has no access token") as raised:
        token_of(destination())
    assert raised.value.remedy is not None
    assert "SUPPRESS_DESTINATIONS__CRM__ACCESS_TOKEN" in raised.value.remedy
    with pytest.raises(AuthFailed, match="cannot be read: No such file"):
        token_of(destination(access_token_file=str(tmp_path / "none")))
    with pytest.raises(AuthFailed, match="cannot be read: it is no text"):
        token_of(destination(access_token_file=str(binary)))
    with pytest.raises(AuthFailed, match="holds no access token"):
        token_of(destination(access_token_file=str(empty)))

"""What `[destinations.NAME]` may say, and what is said when it cannot be."""

from __future__ import annotations

import pytest
from suppress_sendgrid.settings import Options

from suppress.config import DestinationSettings
from suppress.core.suppression import Json
from suppress.errors import ConfigWrong
from suppress.plugin.contract import Reach
from suppress.plugin.registry import Registry


def destination(**options: Json) -> DestinationSettings:
    """A `[destinations.mail]` table."""
    return DestinationSettings("mail", "sendgrid", options=options)


def test_the_global_list_stops_everything() -> None:
    """Order mail, too: the dry run and the report of losses say so."""
    options = Options.of(destination(scope="global"))

    assert (options.origin, options.group) == ("https://api.sendgrid.com", None)
    assert (options.batch_size, options.page_size) == (1_000, 500)
    assert options.capabilities.reach is Reach.ACCOUNT
    assert options.capabilities.blocks_transactional
    assert not options.capabilities.can_read_many


def test_a_group_stops_its_own_mail() -> None:
    """An opt-out of everything is narrowed to it, which the report of losses says."""
    found = Options.of(destination(scope="group", group_id=7, batch_size=50)).capabilities

    assert found.reach is Reach.TARGET
    assert not found.blocks_transactional
    assert (found.max_batch, found.read_batch, found.can_read_many) == (50, 50, True)


def test_subusers_in_europe_have_another_host() -> None:
    """An API key works in its own region only."""
    assert Options.of(destination(scope="global", region="eu")).origin == "https://api.eu.sendgrid.com"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, 'scope must be "global" or "group"'),
        ({"scope": "everything"}, 'scope must be "global" or "group"'),
        ({"scope": "group"}, "group_id is missing"),
        ({"scope": "global", "group_id": 7}, 'group_id does not go with scope = "global"'),
        ({"scope": "group", "group_id": 0}, "group_id must be a whole number"),
        ({"scope": "group", "group_id": True}, "group_id must be a whole number"),
        ({"scope": "global", "api_url": "http://api.sendgrid.com"}, "api_url must begin with https"),
        ({"scope": "global", "batch_size": 1_001}, "batch_size must be a whole number, 1 to 1,000"),
        ({"scope": "global", "page_size": 501}, "page_size must be a whole number, 1 to 500"),
        ({"scope": "global", "per_minute": 0}, "per_minute must be a whole number, 1 or more"),
        ({"scope": "global", "connections": 65}, "connections must be a whole number, 1 to 64"),
        ({"scope": "global", "longest_wait": 3_601}, "longest_wait must be a whole number"),
        ({"scope": "global", "on_behalf_of": "a\nb"}, "on_behalf_of must be a subuser's name"),
        ({"scope": "global", "on_behalf_of": 7}, "on_behalf_of must be a subuser's name"),
        ({"scope": "global", "other_lists": ["drops"]}, "other_lists may hold spam_reports"),
        ({"scope": "global", "other_lists": "bounces"}, "other_lists may hold spam_reports"),
    ],
)
def test_what_cannot_be_is_said_by_its_key(options: dict[str, Json], words: str) -> None:
    """Before anything is sent."""
    with pytest.raises(ConfigWrong, match=words):
        Options.of(destination(**options))


def test_the_registry_opens_it_with_checked_options() -> None:
    """As `suppress export` does: the scope must be chosen, and a misspelt key is refused."""
    registry = Registry.load()
    exporter = registry.exporter(destination(api_key="SG.x", scope="group", group_id="7"))
    exporter.close()
    with pytest.raises(ConfigWrong, match="lacks 'scope'"):
        registry.exporter(destination(api_key="SG.x"))
    with pytest.raises(ConfigWrong, match="unknown key 'apikey'"):
        registry.exporter(destination(apikey="SG.x", scope="global"))

    assert "api_key" in registry.secrets()

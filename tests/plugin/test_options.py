"""A platform's own keys are checked against what its plugin declares."""

from __future__ import annotations

import pytest

from suppress.core.suppression import Json
from suppress.errors import ConfigWrong
from suppress.plugin.options import checked

SCHEMA: dict[str, Json] = {
    "properties": {
        "audience": {"type": "string", "description": "the audience's id"},
        "batch": {"type": "integer", "default": 500},
        "strict": {"type": "boolean"},
        "tags": {"type": "array"},
        "map": {"type": "object"},
        "lag": {"type": ["string", "integer"]},
        "mode": {"enum": ["fast", "slow"]},
    },
    "required": ["audience"],
}
ORIGINS = {"": "suppress.toml, line 3", "batch": "variable SUPPRESS_X"}


def read(**given: Json) -> dict[str, Json]:
    """The options of a table that names its audience."""
    return checked({"audience": "a1", **given}, SCHEMA, table="destinations.crm", origins=ORIGINS)


def refused(**given: Json) -> str:
    """Why the options are refused."""
    with pytest.raises(ConfigWrong) as wrong:
        read(**given)
    return wrong.value.message


def test_declared_keys_are_read_and_defaults_filled_in() -> None:
    """What the file says as the type it has."""
    given: dict[str, Json] = {
        "batch": 7, "strict": False, "tags": ["a"], "map": {"a": "b"}, "lag": 300, "mode": "slow"
    }  # fmt: skip

    assert {"audience": "a1", **given, "tags": ("a",)} == read(**given)
    assert {"audience": "a1", "batch": 500} == read()


def test_text_from_a_variable_is_read_as_the_declared_type() -> None:
    """The environment knows only text."""
    assert {"audience": "a1", "batch": -7, "strict": True, "tags": ("a", "b"), "lag": "5m"} == read(
        batch="-7", strict="True", tags="a, b,", lag="5m"
    )


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ({"batch": "many"}, "must be a whole number"),
        ({"batch": True}, "must be a whole number"),
        ({"batch": "9" * 30}, "must be a whole number"),
        ({"strict": "perhaps"}, "must be true or false"),
        ({"strict": 1}, "must be true or false"),
        ({"tags": ["a", 1]}, "must be a list of texts"),
        ({"map": {"a": 1}}, "must be a table of texts"),
        ({"audience": 5}, "must be text"),
        ({"lag": True}, "must be text or a whole number"),
        ({"mode": "fsat"}, "must be one of fast, slow; did you mean 'fast'?"),
    ],
)
def test_a_wrong_value_is_refused_without_showing_it(given: dict[str, Json], meant: str) -> None:
    """It may be a secret in the wrong place."""
    (key,) = given
    message = refused(**given)

    assert message.endswith(f"destinations.crm.{key} {meant}")
    assert str(given[key]) not in message.replace("fast", "")
    assert message.startswith(ORIGINS.get(key, ORIGINS[""]))


def test_unknown_and_missing_keys_are_refused() -> None:
    """With what is known, and what the missing one means."""
    with pytest.raises(ConfigWrong) as missing:
        checked({}, SCHEMA, table="destinations.crm", origins={})
    with pytest.raises(ConfigWrong) as nothing_known:
        checked({"x": 1}, {}, table="sources.main", origins={}, common=())

    assert (
        "suppress.toml, line 3: [destinations.crm] has an unknown key 'audence'; did you mean 'audience'?"
        == (refused(audence="x"))
    )
    assert "; known: audience, batch, lag, map, mode, strict, tags" in refused(zzz="x")
    assert "settings: [destinations.crm] lacks 'audience': the audience's id" == missing.value.message
    assert "settings: [sources.main] has an unknown key 'x'; it takes none of its own" == (
        nothing_known.value.message
    )


def test_a_missing_key_without_a_description_is_still_said() -> None:
    """Not every author describes."""
    with pytest.raises(ConfigWrong, match="lacks 'x': it is required"):
        checked({}, {"required": ["x"]}, table="sources.main", origins={})

"""A platform's own keys in `suppress.toml`, checked against what its plugin declares.

The declaration is the part of JSON Schema that a table of settings needs: `required`, and `properties`, each
with `type` (`string`, `integer`, `boolean`, `array` of strings, `object` of strings, or a list of these),
`enum`, `default` and `description`.
"""

from __future__ import annotations

from collections.abc import Mapping

from suppress.config import nearest, wrong_at
from suppress.core.suppression import Json
from suppress.errors import ConfigWrong

UNKNOWN_ADDRESSES: Mapping[str, Json] = {
    "unknown": {
        "type": "string",
        "enum": ("skip", "create_suppressed"),
        "default": "skip",
        "description": "what to do with an address that the destination does not know",
    }
}
"""For the `properties` of a destination that can do either: `skip`, where a record would be created or billed
for somebody who is not there and so cannot be mailed; `create_suppressed`, so that a later import finds them
suppressed. `settings.options["unknown"]` is always one of the two."""


def checked(
    given: Mapping[str, Json],
    schema: Mapping[str, Json],
    *,
    table: str,
    origins: Mapping[str, str],
    common: tuple[str, ...] = (),
) -> dict[str, Json]:
    """The options with defaults filled in and text from variables read as the type that is declared.

    `table` is how the settings call them (`sources.main`); `common` names keys that every platform has, for
    the suggestion only.

    Raises:
        ConfigWrong: A key is unknown, missing, or of another type; never with the value of it.
    """
    properties = _table(schema.get("properties"))
    where = origins.get("", "settings")
    for key in given:
        if key not in properties:
            hint = nearest(key, (*properties, *common)) or _known(properties)
            raise wrong_at(origins.get(key, where), f"[{table}] has an unknown key {key!r}{hint}")
    required = schema.get("required")
    for needed in required if isinstance(required, (list, tuple)) else ():
        if needed not in given:
            raise wrong_at(where, f"[{table}] lacks {needed!r}: {_meaning(properties, str(needed))}")
    options: dict[str, Json] = {}
    for key, declared in properties.items():
        rules = _table(declared)
        if key in given:
            options[key] = _read(given[key], rules, origins.get(key, where), f"{table}.{key}")
        elif "default" in rules:
            options[key] = rules["default"]
    return options


def defaults(schema: Mapping[str, Json]) -> dict[str, Json]:
    """What is declared for keys that a table leaves out, for a plugin that is opened without the registry."""
    properties = _table(schema.get("properties"))
    found = {key: _table(declared) for key, declared in properties.items()}
    return {key: rules["default"] for key, rules in found.items() if "default" in rules}


def whole(given: Mapping[str, Json], key: str, table: str, *, least: int = 1, most: int | None = None) -> int:
    """A number that must lie in a range, which a declaration cannot say.

    Raises:
        ConfigWrong: It does not; the message names its key.
    """
    value = given.get(key)
    if (
        not isinstance(value, int)
        or isinstance(value, bool)
        or value < least
        or (most is not None and value > most)
    ):
        upto = "or more" if most is None else f"to {most:,}"
        raise ConfigWrong(f"{table}.{key} must be a whole number, {least} {upto}")
    return value


def _read(value: Json, rules: Mapping[str, Json], origin: str, name: str) -> Json:
    declared = rules.get("type", "string")
    kinds = [str(each) for each in declared] if isinstance(declared, (list, tuple)) else [str(declared)]
    read = next((found for kind in kinds if (found := _as(kind, value)) is not None), None)
    if read is None:
        raise wrong_at(origin, f"{name} must be {' or '.join(_KINDS[kind] for kind in kinds)}")
    choices = rules.get("enum")
    if isinstance(choices, (list, tuple)) and read not in choices:
        hint = nearest(str(read), [str(each) for each in choices])
        raise wrong_at(origin, f"{name} must be one of {', '.join(str(each) for each in choices)}{hint}")
    return read


_KINDS: Mapping[str, str] = {
    "string": "text",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a list of texts",
    "object": "a table of texts",
}


def _as(kind: str, value: Json) -> Json:
    """The value as that type, or None; variables are text, so text is read as what was declared."""
    match kind, value:
        case "string", str():
            return value
        case "integer", int() if not isinstance(value, bool):
            return value
        case "integer", str() if value.removeprefix("-").isdecimal() and len(value) < 19:
            return int(value)
        case "boolean", bool():
            return value
        case "boolean", str() if value.lower() in ("true", "false"):
            return value.lower() == "true"
        case "array", list() | tuple() if all(isinstance(each, str) for each in value):
            return tuple(value)
        case "array", str():
            return tuple(each.strip() for each in value.split(",") if each.strip())
        case "object", Mapping() if all(isinstance(each, str) for each in value.values()):
            return dict(value)
        case _:
            return None


def _table(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, Mapping) else {}


def _known(properties: Mapping[str, Json]) -> str:
    return f"; known: {', '.join(sorted(properties))}" if properties else "; it takes none of its own"


def _meaning(properties: Mapping[str, Json], key: str) -> str:
    meaning = _table(properties.get(key)).get("description")
    return meaning if isinstance(meaning, str) else "it is required"

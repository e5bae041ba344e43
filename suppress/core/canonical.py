"""Canonical JSON, and instants as text: one way to write each value, so that equal things hash alike.

Rules kept here:

* RFC 8785, restricted to strings, integers within ±(2^53-1), booleans, null, arrays and objects with ASCII
  keys; under that restriction the standard library writes it byte for byte. No floats.
* Reading refuses what writing cannot produce: keys that stand twice, floats, anything that is no object.

`leaf` writes entries with it, the ledger room payloads.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache

from suppress.core.suppression import Json

MAX_INTEGER = 2**53 - 1


class NotCanonical(ValueError):
    """These bytes or values have no canonical form; the message says why."""


def canonical(value: Json) -> bytes:
    """Canonical JSON bytes (RFC 8785 for the restricted values of this module).

    Raises:
        NotCanonical: A float, an integer past 2^53-1, a non-ASCII key, text that UTF-8 cannot hold, or values
            nested too deep to write.
    """
    try:
        _refuse_unfit(value)
    except RecursionError as wrong:
        raise NotCanonical("nested too deep") from wrong
    try:
        return _WRITER.encode(value).encode()
    except UnicodeEncodeError as lone:
        raise NotCanonical("text holds a lone surrogate, which UTF-8 cannot express") from lone


def read_object(text: bytes) -> dict[str, Json]:
    """Read one JSON object strictly. Raises NotCanonical."""
    try:
        value = _READER.decode(text.decode())
    except (ValueError, RecursionError) as wrong:
        raise NotCanonical(f"not JSON: {wrong}") from wrong
    if not isinstance(value, dict):
        raise NotCanonical("not a JSON object")
    return value


def _no_doubles(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _no_float(text: str) -> Json:
    raise ValueError(f"a float: {text}")


_READER = json.JSONDecoder(object_pairs_hook=_no_doubles, parse_float=_no_float)


@lru_cache(4096)  # a batch has one `at`, and most requests were received when they were made
def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC with microseconds, always 27 characters, so that text order is time order."""
    utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return utc.isoformat(timespec="microseconds")[:-6] + "Z"


_IS_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z").fullmatch


@lru_cache(4096)
def moment(text: str) -> datetime:
    """Read `timestamp` back. Raises ValueError on any other form."""
    if not _IS_MOMENT(text):
        raise ValueError(f"not a 27-character time: {text!r}")
    return datetime.fromisoformat(text)


def _refuse_unfit(value: Json) -> None:
    match value:
        case None | bool() | str():
            pass
        case int():
            if abs(value) > MAX_INTEGER:
                raise NotCanonical(f"integer {value} is past 2^53-1")
        case Mapping():
            for key, inner in value.items():
                if not key.isascii():
                    raise NotCanonical(f"key {key!r} is not ASCII text")
                if not isinstance(inner, str):  # most are; a bulk append spends its time here
                    _refuse_unfit(inner)
        case list() | tuple():
            for inner in value:
                _refuse_unfit(inner)
        case _:
            raise NotCanonical(f"a {type(value).__name__} has no canonical form")


_WRITER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=dict)

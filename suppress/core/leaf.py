"""The leaf of an entry: the exact bytes that are hashed and kept.

Rules kept here:

* Reading is strict: unknown `v` or `type`, missing or extra fields, a leaf whose re-encoding differs, and
  anything over 65,535 bytes are refused. What is read back is what was hashed.
* A leaf holds no personal data: people are random subject ids, their values salted commitments.

The next module to read is `merkle`, which hashes leaves.
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from suppress.core.canonical import NotCanonical, canonical, moment, read_object, timestamp
from suppress.core.entry import BODIES, Body, Entry, OptOutRecorded, SubjectAdded
from suppress.core.suppression import Json, Scope

FORMAT = 1
MAX_LEAF = 65_535
"""Bytes. Tiles (C2SP tlog-tiles) give an entry a 16-bit length."""


def encode(*, id_: str, at: datetime, actor: str, body: Body) -> bytes:
    """The leaf of an event.

    Raises:
        NotCanonical: A value is outside the format (an integer past 2^53-1, a leaf over 65,535 bytes).
    """
    leaf = canonical(
        {
            "v": FORMAT,
            "type": body.type,
            "id": id_,
            "at": timestamp(at),
            "actor": actor,
            **{
                name: _plain(value)
                for name, _, is_later in _readers(type(body))
                if (value := getattr(body, name)) is not None or not is_later
            },
        }
    )
    if len(leaf) > MAX_LEAF:
        raise NotCanonical(f"an entry of {len(leaf):,} bytes is over the limit of {MAX_LEAF:,}")
    return leaf


def decode(seq: int, leaf: bytes) -> Entry:
    """The entry at position `seq`, read strictly.

    Raises:
        NotCanonical: The bytes are not exactly what `encode` writes.
    """
    if len(leaf) > MAX_LEAF:
        raise NotCanonical(f"over {MAX_LEAF:,} bytes")
    common = _commonplace(seq, leaf)
    if common is not None:
        return common
    raw = read_object(leaf)
    version, kind = raw.get("v"), raw.get("type")
    if type(version) is not int or version != FORMAT:
        raise NotCanonical(f"unknown format {version!r}")
    body_class = BODIES.get(kind) if isinstance(kind, str) else None
    if body_class is None:
        raise NotCanonical(f"unknown type {kind!r}")
    readers = _readers(body_class)
    # A later field stands there only where it says something: one value has one leaf.
    expected = _COMMON | {name for name, _, is_later in readers if not is_later or raw.get(name) is not None}
    if raw.keys() != expected:
        raise NotCanonical(f"fields {sorted(raw.keys() ^ expected)} are missing or unknown in {kind}")
    try:
        values: dict[str, typing.Any] = {name: read(raw.get(name)) for name, read, _ in readers}
        entry = Entry(
            seq, _text(raw["id"]), _time(raw["at"]), _text(raw["actor"]), body_class(**values), leaf
        )
    except (ValueError, TypeError) as wrong:
        raise NotCanonical(f"{kind}: {wrong}") from wrong
    # Each reader takes one text for one value, so writing the raw values again tells as much as `encode`.
    if canonical(raw) != leaf:
        raise NotCanonical("not in canonical form")
    return entry


def _plain(value: object) -> Json:
    if value is None or isinstance(value, str):  # a StrEnum is written as its value
        return value
    match value:
        case datetime():
            return timestamp(value)
        case Scope():
            return str(value)
        case tuple():
            return [_plain(each) for each in value]
        case Mapping():
            return {key: _plain(each) for key, each in value.items()}
        case bool() | int():
            return value
        case _:
            raise NotCanonical(f"a {type(value).__name__} has no canonical form")


_COMMON = frozenset({"v", "type", "id", "at", "actor"})


def _text(value: Json) -> str:
    if type(value) is not str:
        raise ValueError(f"expected text, found {value!r}")
    return value


def _integer(value: Json) -> int:
    if type(value) is not int:
        raise ValueError(f"expected a whole number, found {value!r}")
    return value


def _truth(value: Json) -> bool:
    if type(value) is not bool:
        raise ValueError(f"expected true or false, found {value!r}")
    return value


def _time(value: Json) -> datetime:
    return moment(_text(value))


def _scope(value: Json) -> Scope:
    return _scope_of(_text(value))


@lru_cache(1024)
def _scope_of(text: str) -> Scope:
    scope = Scope.parse(text)
    if str(scope) != text:
        raise ValueError(f"another text of {scope}: {text!r}")
    return scope


def _choice(choices: Mapping[str, StrEnum], value: str) -> StrEnum:
    if value not in choices:
        raise ValueError(f"expected one of {', '.join(choices)}, found {value!r}")
    return choices[value]


Reader: TypeAlias = Callable[[Json], object]


def _reader(hint: object) -> Reader:
    simple: dict[object, Reader] = {
        str: _text,
        int: _integer,
        bool: _truth,
        datetime: _time,
        Scope: _scope,
    }
    if hint in simple:
        return simple[hint]
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        choices = {each.value: each for each in hint}
        return lambda value: _choice(choices, _text(value))
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union) and type(None) in arguments:
        (inner,) = (_reader(each) for each in arguments if each is not type(None))
        return lambda value: None if value is None else inner(value)
    if origin is tuple:
        item = _reader(arguments[0])
        return lambda value: tuple(item(each) for each in _list(value))
    if origin is Mapping:
        item = _reader(arguments[1])
        return lambda value: {key: item(each) for key, each in _dict(value).items()}
    raise TypeError(f"no reader for {hint!r}")


def _list(value: Json) -> list[Json]:
    if not isinstance(value, list):
        raise ValueError(f"expected a list, found {value!r}")
    return value


def _dict(value: Json) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise ValueError(f"expected an object, found {value!r}")
    return value


_known_readers: dict[str, tuple[tuple[str, Reader, bool], ...]] = {}


def _readers(body: type[Body]) -> tuple[tuple[str, Reader, bool], ...]:
    """Name and reader of each field, and whether it came later.

    Worked out on first use, since the hints of all kinds take 10 ms.
    """
    found = _known_readers.get(body.type)
    if found is None:
        hints = typing.get_type_hints(body)
        found = tuple(
            (each.name, _reader(hints[each.name]), "later" in each.metadata) for each in fields(body)
        )
        _known_readers[body.type] = found
    return found


# --- The leaves that nearly all are ----------------------------------------------------------------------
#
# A pattern takes exactly the canonical leaves of a kind whose texts need no escapes, so that what it takes
# is read as `decode` reads it. All other leaves are read field by field. A test holds both to one another.

_TEXT = r'"(?P<{}>[^"\\\x00-\x1f]*)"'
_TIME = r'"(?P<{}>[0-9TZ:.-]{{27}})"'


class Glimpse(NamedTuple):
    """What verification compares of such a leaf with other tables."""

    type: str
    id: str
    at: str
    subject: str
    commitment: str
    """To the person who is added, or to the payload of the opt-out."""


class _Pattern(NamedTuple):
    body: type[Body]
    match: Callable[[str], re.Match[str] | None]
    readers: tuple[tuple[str, Reader], ...]
    told: tuple[str, ...]
    """The groups of a glimpse."""
    times: tuple[str, ...]
    choices: tuple[str, ...]
    """Fields with few values, which are read once each."""


_COMMITMENTS: Mapping[type[Body], str] = {OptOutRecorded: "pii", SubjectAdded: "sid"}
_known_patterns: list[_Pattern] = []


def glimpse(leaf: bytes) -> Glimpse | None:
    """What verification compares of a leaf that nearly all are; None for any other, and for what is no leaf.

    It takes nothing that `decode` refuses, and costs a third of it.
    """
    if len(leaf) > MAX_LEAF:
        return None
    try:
        text = leaf.decode()
        for pattern in _patterns():
            found = pattern.match(text)
            if found is not None:
                for name in pattern.times:
                    if found[name] is not None:
                        moment(found[name])
                _read_choices(pattern.body.type, tuple(map(found.__getitem__, pattern.choices)))
                return Glimpse(pattern.body.type, *found.group(*pattern.told))
    except ValueError:
        pass  # `decode` says in words what is wrong
    return None


@lru_cache(1024)
def _read_choices(kind: str, values: tuple[str | None, ...]) -> None:
    """Raises ValueError unless each is one of its field."""
    (pattern,) = (each for each in _patterns() if each.body.type == kind)
    readers = dict(pattern.readers)
    for name, value in zip(pattern.choices, values, strict=True):
        readers[name](value)


def _commonplace(seq: int, leaf: bytes) -> Entry | None:
    try:
        text = leaf.decode()
        for pattern in _patterns():
            found = pattern.match(text)
            if found is not None:
                at, actor, id_ = found["at"], found["actor"], found["id"]
                values: dict[str, typing.Any] = {name: read(found[name]) for name, read in pattern.readers}
                return Entry(seq, id_, moment(at), actor, pattern.body(**values), leaf)
    except ValueError:
        pass  # `decode` says in words what is wrong
    return None


def _patterns() -> list[_Pattern]:
    if not _known_patterns:
        _known_patterns.extend(map(_pattern, _COMMITMENTS))
    return _known_patterns


def _pattern(body: type[Body]) -> _Pattern:
    readers = {name: read for name, read, _ in _readers(body)}
    hints = typing.get_type_hints(body)
    texts = {"v": str(FORMAT), "type": re.escape(f'"{body.type}"'), "id": _TEXT, "at": _TIME, "actor": _TEXT}
    texts |= {name: _text_of(hints[name]) for name in readers}
    pieces = (f'"{name}":' + texts[name].format(name) for name in sorted(texts))
    match = re.compile(r"\{" + ",".join(pieces) + r"\}").fullmatch
    times = [name for name, hint in hints.items() if name in readers and _TIME in texts[name]]
    choices = [name for name in readers if name not in times and hints[name] is not str]
    told = ("id", "at", "subject", _COMMITMENTS[body])
    return _Pattern(body, match, tuple(readers.items()), told, ("at", *times), tuple(choices))


def _text_of(hint: object) -> str:
    """How a value of a field is written."""
    arguments = [each for each in typing.get_args(hint) if each is not type(None)]
    if arguments:
        return f"(?:null|{_text_of(arguments[0])})"
    return _TIME if hint is datetime else _TEXT

"""Searches what was sent for anything that could make somebody mailable.

Twice, and by different rules: by the plugin's own list of calls, as `suppress.plugin.guard` does it before a
call, and by words that vendors use for it. The guard is only as good as the list, and an exporter might not
use it.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import parse_qsl

from suppress.core.suppression import Json
from suppress.plugin.errors import CallForbidden
from suppress.plugin.guard import Body, Call, permitted
from suppress.plugin.kit.line import Sent

_SAYS = frozenset(
    [
        *("subscribe", "subscribed", "subscribing", "resubscribe", "resubscribed", "optin", "optedin"),
        *("confirmoptin", "doubleoptin", "unsuppress", "unsuppressed", "unarchive", "unarchived"),
        *("undelete", "undeleted", "reactivate", "reactivated", "resume", "resumed", "mailable"),
    ]
)
"""Values that say it, compared without case and marks: Mailchimp's `subscribed`, HubSpot's `SUBSCRIBED`."""
_ASKS = frozenset({"pending", "confirmed"})
"""Values of a status that do: Mailchimp sends somebody `pending` a message that asks them to come back."""
_STOPS = re.compile(r"unsub|optout|optedout|suppress|donotmail|donotemail|blocked|blacklist|blocklist|archiv")
"""Fields that say no: to set one to false is to say yes."""
_SENDS = re.compile(r"(?<!un)subscribed?$|optin|optedin|resubscribe|marketable|mailable|reactivate|canmail")
"""Fields that say yes."""


def undeclared(calls: Sequence[Call], sent: Iterable[Sent]) -> Iterator[str]:
    """Requests that the plugin's list does not hold, or whose body its check refuses, in words."""
    for each in sent:
        try:
            permitted(calls, each.method, each.target, _for_the_guard(each))
        except CallForbidden as forbidden:
            why = forbidden.message.removeprefix("a plugin ").removesuffix("; nothing was sent")
            yield f"{each.method} {_shape(each.path)}: it {why}"


def raising(sent: Iterable[Sent]) -> Iterator[str]:
    """Writes that could raise reach by the words in them, or by deleting, in words without an address."""
    for each in sent:
        shape = f"{each.method} {_shape(each.path)}"
        if each.method == "DELETE":
            yield f"{shape}: deleting a suppression, or a contact that holds one, makes somebody mailable"
        for name, value in _values(each):
            if (why := _why(name, value)) is not None:
                yield f"{shape}: {why}"
        if said := _SAYS.intersection(map(_bare, each.path.split("/"))):
            yield f"{shape}: its path says {min(said)!r}"


def _why(name: str, value: Json) -> str | None:
    """Whether a field with this name and value raises reach."""
    field, word = _bare(name), str(value).lower()
    if isinstance(value, str) and _bare(value) in _SAYS:
        return f"{name or 'its body'} says {value!r}"
    if field.startswith("status") and word in _ASKS:
        return f"{name} says {value!r}, which asks them to come back"
    if _STOPS.search(field):
        return f"{name} is {value!r}" if word in ("0", "false", "no") else None
    return f"{name} is {value!r}" if _SENDS.search(field) and word in ("1", "true", "yes") else None


def _bare(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


def _values(sent: Sent) -> Iterator[tuple[str, Json]]:
    """Every value that was sent with the name of its field."""
    yield from parse_qsl(sent.target.partition("?")[2], keep_blank_values=True)
    kind = sent.headers.get("content-type", "").lower()
    text = sent.body.decode("utf-8", "replace")
    if "form-urlencoded" in kind:
        yield from parse_qsl(text, keep_blank_values=True)
    elif "csv" in kind:
        for row in csv.DictReader(io.StringIO(text)):
            yield from ((name or "", value) for name, value in row.items() if isinstance(value, str))
    else:
        try:
            yield from _fields("", json.loads(text))
        except ValueError:
            # Lines of JSON, as bulk calls take them, or nothing that has fields.
            for line in text.splitlines():
                try:
                    yield from _fields("", json.loads(line))
                except ValueError:
                    continue


def _fields(name: str, value: Json) -> Iterator[tuple[str, Json]]:
    match value:
        case dict():
            for key, each in value.items():
                yield from _fields(str(key), each)
        case list():
            for each in value:
                yield from _fields(name, each)
        case str() if value[:1] in ("{", "["):
            # A batch of calls carries their bodies as text.
            try:
                yield from _fields(name, json.loads(value))
            except ValueError:
                yield name, value
        case str() | int() | float():
            yield name, value


def _for_the_guard(sent: Sent) -> Body:
    """The body as a plugin hands it to its transport."""
    if not sent.body:
        return None
    if "json" in sent.headers.get("content-type", "").lower():
        try:
            value: Json = json.loads(sent.body)
        except ValueError:
            return sent.body
        return value
    return sent.body


def _shape(path: str) -> str:
    """The path without what could be an address or a token."""
    return re.sub(r"[^/]*(?:@|%40)[^/]*|[^/]{40,}", "…", path, flags=re.IGNORECASE)

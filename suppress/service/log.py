"""What the service says while nobody looks: one line an event, as JSON or as text, on stderr.

Rules kept here:

* A line says when, what, which source and how many. Its words are ours; the only text from elsewhere is the
  message of an error, and that passes `scrubbed`.
* `scrubbed` leaves no word that could be an address or a token, even if an error forgot its manners: what
  holds an `@`, and what is as long as a token is, becomes `…`.
* A log that cannot be written (a full disk, a pipe whose reader left) does not end the service.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import TextIO

LONGEST_WORD = 20
"""Letters. A bearer token is longer, whatever the platform; few words of a message are."""
_AT = re.compile(r"@|%40|\uff20|\ufe6b")
"""As itself, percent-encoded, full-width, small: all of them end up as `@` where mail is sent."""


class Format(StrEnum):
    """How a line is written."""

    TEXT = "text"
    JSON = "json"


class Event(StrEnum):
    """What can happen."""

    STARTED = "started"
    SOURCE = "source"
    RUN = "run"
    FAILED = "failed"
    METRICS_FAILED = "metrics-failed"
    ALERTED = "alerted"
    ALERT_FAILED = "alert-failed"
    WAITING = "waiting"
    STOPPED = "stopped"


class Log:
    """Writes lines to a stream."""

    def __init__(self, stream: TextIO, form: Format, now: Callable[[], datetime]) -> None:
        self._stream = stream
        self._form = form
        self._now = now

    def say(
        self,
        event: Event,
        *,
        name: str | None = None,
        error: BaseException | None = None,
        at: datetime | None = None,
        **counts: int | bool,
    ) -> None:
        """One event: `name` is a source or a way of alerting, `at` a moment that the event is about."""
        facts: dict[str, object] = {"time": _time(self._now()), "level": "info", "event": event.value}
        if name is not None:
            facts["name"] = scrubbed(name)
        if error is not None:
            facts |= {"level": "error", **_of(error)}
        if at is not None:
            facts["at"] = _time(at)
        facts |= counts
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(self._line(facts) + "\n")
            self._stream.flush()

    def _line(self, facts: Mapping[str, object]) -> str:
        if self._form is Format.JSON:
            return json.dumps(facts, ensure_ascii=True)
        time, level, event = facts["time"], facts["level"], facts["event"]
        rest = (f"{name}={_word(value)}" for name, value in list(facts.items())[3:])
        return " ".join((f"{time} {level} {event}", *rest))


def scrubbed(text: str) -> str:
    """`text` without any word that could be an address or a token, on one line."""
    words = "".join(each if each.isprintable() else " " for each in text).split()
    return " ".join("…" if len(word) >= LONGEST_WORD or _AT.search(word) else word for word in words)


def _of(error: BaseException) -> dict[str, str]:
    from suppress.errors import SuppressError

    facts = {"error": type(error).__name__}
    if isinstance(error, SuppressError):
        # Of any other error only the type: what a library writes may hold anything.
        facts["message"] = scrubbed(error.message)
        if error.remedy is not None:
            facts["remedy"] = scrubbed(error.remedy)
    return facts


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _word(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case str() if " " in value:
            return json.dumps(value, ensure_ascii=False)
        case _:
            return str(value)

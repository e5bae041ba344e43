"""The line between exporter and simulator: it records every byte that is sent, and can be disturbed.

Rules kept here:

* What the exporter sends arrives as it was sent, and is remembered with its headers, so that a test can look
  for secrets, for calls that were never declared, and for values that would make somebody mailable.
* Answers that name the simulator's own host name the line instead: a page's next link and a job's result
  file are fetched through it too.
* A disturbance is a function from a request to an answer. It may ask the simulator, ask a *shadow* (another
  simulator with the same people, whose answers are right and whose writes do not count), or nobody.
* Nobody is disturbed for ever: after `ENOUGH` disturbed requests the line is quiet again and `gave_up` is
  False, so that an exporter that never stops trying ends a test instead of hanging it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from urllib.parse import quote, urlencode, urlsplit

from suppress.plugin.loopback import Loopback, Request, Response
from suppress.plugin.pace import Clock

ENOUGH = 300
"""Disturbed requests after which an exporter should have stopped."""
_PATIENCE = 60.0
_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "te", "upgrade"})
_OURS = _HOP | {"content-type", "date", "server"}


class Hurry:
    """Clocks for whoever waits: a wait is over at once, and the clocks have moved on by it."""

    def __init__(self) -> None:
        self._skipped = 0.0
        self.clock = Clock(self.monotonic, lambda: time.time() + self._skipped, self._skip)

    def monotonic(self) -> float:
        """Seconds that went by, those that nobody really waited for included."""
        return time.monotonic() + self._skipped

    def _skip(self, seconds: float) -> None:
        self._skipped += max(0.0, seconds)


@dataclass(frozen=True, slots=True)
class Sent:
    """One request as the exporter sent it, and when, by the clock that it was given."""

    method: str
    target: str
    """Path and query."""
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    at: float

    @property
    def path(self) -> str:
        """The path as it went over the wire."""
        return self.target.partition("?")[0]


class Passage:
    """One request on its way: what a disturbance may do with it."""

    def __init__(self, line: Line, request: Request, number: int) -> None:
        self.request = request
        self.number = number
        """How many requests came before it."""
        self._line = line

    @property
    def writes(self) -> bool:
        """Whether it changes something at the platform."""
        return self._line.writes(self.request.method, self.request.path)

    def on(self) -> Response:
        """The simulator's answer."""
        return self._line.forwarded(self.request, self._line.there)

    def astray(self) -> Response:
        """The shadow's answer: right in every way, of a platform that mails nobody."""
        return self._line.forwarded(self.request, self._line.shadow())


Disturbance = Callable[[Passage], Response]


class Line:
    """Listens for the exporter and speaks to `there`, until it is closed."""

    def __init__(
        self,
        there: str,
        *,
        shadow: Callable[[], str],
        writes: Callable[[str, str], bool],
        monotonic: Callable[[], float],
    ) -> None:
        self.there = there
        self.shadow = shadow
        self.writes = writes
        self.sent: list[Sent] = []
        self.disturbed = 0
        """Requests that met the last disturbance."""
        self.lifted = 0
        """How many requests had been sent when it was lifted."""
        self._disturbance: Disturbance | None = None
        self._monotonic = monotonic
        self._listening = Loopback(self._answer, keep=0)
        self._listening.start()

    @property
    def url(self) -> str:
        """What the exporter takes for the platform."""
        return self._listening.url

    @property
    def gave_up(self) -> bool:
        """Whether the exporter stopped before the line did."""
        return self.disturbed < ENOUGH

    def close(self) -> None:
        """Stop listening."""
        self._listening.close()

    def disturb(self, disturbance: Disturbance) -> None:
        """Let each request meet this, from now on."""
        self._disturbance, self.disturbed = disturbance, 0

    def lift(self) -> None:
        """End the disturbance."""
        self._disturbance, self.lifted = None, len(self.sent)

    def _answer(self, request: Request) -> Response:
        target = request.path + (f"?{_query(request)}" if request.query else "")
        number = len(self.sent)
        self.sent.append(Sent(request.method, target, request.headers, request.body, self._monotonic()))
        passage = Passage(self, request, number)
        disturbance = self._disturbance if self.disturbed < ENOUGH else None
        if disturbance is None:
            return passage.on()
        self.disturbed += 1
        return disturbance(passage)

    def forwarded(self, request: Request, there: str) -> Response:
        """The answer that the platform at `there` gives to this request."""
        place = urlsplit(there)
        assert place.port is not None, "a simulator listens on a port of this machine"
        line = HTTPConnection(place.hostname or "127.0.0.1", place.port, timeout=_PATIENCE)
        target = request.path + (f"?{_query(request)}" if request.query else "")
        headers = {name: value for name, value in request.headers.items() if name not in _HOP}
        try:
            line.request(request.method, place.path + target, request.body or None, headers)
            answer = line.getresponse()
            body = answer.read()
        except (OSError, HTTPException) as broken:
            # The simulator's own fault of the line, carried on.
            return Response(502, type(broken).__name__.encode(), "text/plain", reset=True)
        finally:
            line.close()
        seen = {name.lower(): value for name, value in answer.getheaders()}
        if "content-encoding" not in seen:
            body = body.replace(place.netloc.encode(), self._listening.url[len("http://") :].encode())
        return Response(
            answer.status,
            body,
            seen.get("content-type", ""),
            tuple(
                (name, value.replace(place.netloc, self._listening.url[len("http://") :]))
                for name, value in answer.getheaders()
                if name.lower() not in _OURS
            ),
        )


def _query(request: Request) -> str:
    return urlencode(request.query, quote_via=quote)

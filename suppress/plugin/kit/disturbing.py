"""The traps: what goes wrong on the way to a platform, each as a disturbance of the line.

They are named after what they do. Whether the write took effect is what matters in each of them: an exporter
that repeats a harmless write is right, one that takes an answer for more than it says is not.
"""

from __future__ import annotations

import json
from dataclasses import replace

from suppress.plugin.kit.line import Disturbance, Passage
from suppress.plugin.loopback import Response, page

SIGN_IN_WALL = page(200, "<!DOCTYPE html><html><body>Please sign in</body></html>")
"""What a hotel's network answers to anything, with a status that says all is well."""
BAD_GATEWAY = page(502, "<!DOCTYPE html><html><body>Bad gateway</body></html>")


def from_number(first: int, disturbance: Disturbance) -> Disturbance:
    """Disturb each request from number `first` on."""
    return lambda passage: disturbance(passage) if passage.number >= first else passage.on()


def only_number(number: int, disturbance: Disturbance) -> Disturbance:
    """Disturb one request; what is sent after it, the same again included, goes through."""
    return lambda passage: disturbance(passage) if passage.number == number else passage.on()


def answered(response: Response) -> Disturbance:
    """The platform never sees it: somebody on the way answers."""
    return lambda _passage: response


def reset(_passage: Passage) -> Response:
    """The connection breaks before the platform sees the request."""
    return Response(200, reset=True)


def reset_after(passage: Passage) -> Response:
    """The platform does what it was asked, and its answer is lost: a time-out in its sharpest form."""
    passage.on()
    return Response(200, reset=True)


def cut(passage: Passage) -> Response:
    """The platform does what it was asked, and the connection breaks in the middle of its answer."""
    answer = passage.on()
    half = len(answer.body) // 2
    return replace(answer, cut=half) if half else replace(answer, reset=True)


def failed_after(passage: Passage) -> Response:
    """The platform does what it was asked, and then says that it failed."""
    passage.on()
    return BAD_GATEWAY


def astray(passage: Passage) -> Response:
    """Accepted, in the platform's own words, and never applied."""
    return passage.astray()


class Alternating:
    """Every other write fails for good, however often it is tried: a server of several is broken."""

    def __init__(self, failure: Response) -> None:
        self._failure = failure
        self._seen: dict[tuple[str, str, bytes], int] = {}

    def __call__(self, passage: Passage) -> Response:
        if not passage.writes:
            return passage.on()
        request = passage.request
        number = self._seen.setdefault((request.method, request.path, request.body), len(self._seen))
        return passage.on() if number % 2 else self._failure


class Silenced:
    """Writes are answered with a success that names nobody, and are not applied.

    The answer is the platform's own with every list in it emptied. HubSpot has been seen to answer 207 with
    neither results nor errors.
    """

    def __init__(self) -> None:
        self.emptied = 0
        """Answers that had something to lose."""

    def __call__(self, passage: Passage) -> Response:
        if not passage.writes:
            return passage.on()
        answer = passage.astray()
        try:
            value = json.loads(answer.body)
        except ValueError:
            return answer
        empty = _emptied(value)
        self.emptied += empty != value
        return replace(answer, body=json.dumps(empty).encode())


def _emptied(value: object) -> object:
    match value:
        case list():
            return []
        case dict():
            return {key: _emptied(each) for key, each in value.items()}
        case _:
            return value

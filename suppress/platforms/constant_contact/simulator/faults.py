"""Things that go wrong on the way: which fault is due, and what it does to an answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import assert_never

from suppress.platforms.constant_contact.simulator.http import Response, error, errors, page
from suppress.platforms.constant_contact.simulator.limits import quota_exceeded, throttled, unauthorized
from suppress.platforms.constant_contact.simulator.scenario import Fault, FaultKind

SHIFTS = {FaultKind.DUPLICATE_ROW: -1, FaultKind.MISSING_ROW: 1}
"""By how many rows a fault moves a page."""
_UNAVAILABLE = """<html><head><title>502 Bad Gateway</title></head>
<body><center><h1>502 Bad Gateway</h1></center></body></html>"""


@dataclass(slots=True)
class Faults:
    """Hands out the faults of a scenario, each as often as it says."""

    faults: Sequence[Fault]
    _done: dict[int, int] = field(default_factory=dict)

    @property
    def struck(self) -> int:
        """How many requests they have struck so far."""
        return sum(self._done.values())

    def due(self, path: str, number: int) -> Fault | None:
        """The fault that strikes this request for page `number` of `path`, counted as used.

        One at a time, in the order of the scenario: an `error` and then a `slow` strike two requests.
        """
        for index, fault in enumerate(self.faults):
            done = self._done.get(index, 0)
            if fault.path == path and fault.page == number and done < fault.times:
                self._done[index] = done + 1
                return fault
        return None


def struck(response: Response, fault: Fault) -> Response:
    """The answer after one fault."""
    match fault.kind:
        case FaultKind.ERROR:
            return _failed(fault.status or 500)
        case FaultKind.HTML:
            return page(fault.status or 502, _UNAVAILABLE)
        case FaultKind.DROP:
            return replace(response, cut=len(response.body) // 2)
        case FaultKind.GARBLED:
            return replace(response, body=response.body[: len(response.body) // 2])
        case FaultKind.SLOW:
            return replace(response, delay=response.delay + fault.seconds)
        case FaultKind.THROTTLED:
            return throttled()
        case FaultKind.QUOTA_EXCEEDED:
            return quota_exceeded()
        case FaultKind.TOKEN_EXPIRED:
            return unauthorized()
        case FaultKind.DUPLICATE_ROW | FaultKind.MISSING_ROW:
            return response
        case _:
            assert_never(fault.kind)


def _failed(status: int) -> Response:
    """An error of the API: above 499 one object, below an array, as contacts answer."""
    if status >= 500:
        return error(status, "internal_error", "There was a problem with our internal service.")
    known = {400: "validation.error", 404: "not_found", 409: "conflict"}
    key = known.get(status, "error")
    return errors(status, f"contacts.api.{key}", "The scenario asks for this error.")

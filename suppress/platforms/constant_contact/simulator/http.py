"""Requests and answers as values, and the vendor's error shapes. No socket is touched here.

The error bodies come in three shapes on the API host: an array of `{error_key, error_message}` (contacts,
lists, activities), one such object (401, 429, reports), and `{error, error_description}` from OAuth.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import parse_qsl

from suppress.plugin import loopback
from suppress.plugin.loopback import JSON, Response, answer, page

__all__ = ["JSON", "Refused", "Request", "Response", "answer", "page"]


@dataclass(frozen=True, slots=True)
class Request(loopback.Request):
    """One request, and what a fault does to it."""

    shift: int = 0
    """By how many rows a fault moves the page that is asked for."""

    @classmethod
    def of(cls, came: loopback.Request) -> Request:
        """The request as it came in over the line."""
        return cls(came.method, came.path, came.query, came.headers, came.body)

    def json(self) -> object:
        """The body as JSON.

        Raises:
            Refused: 415 for another content type, 400 for a body that is no JSON.
        """
        content_type = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if content_type != JSON:
            raise Refused(
                errors(415, "contacts.api.unsupported_media_type", "Content-Type must be application/json")
            )
        try:
            return json.loads(self.body)
        except ValueError:
            raise invalid("The request body is not valid JSON.") from None

    def form(self) -> dict[str, str]:
        """Parameters of the query string and of a form body together: the token endpoint takes both."""
        body = parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True)
        return dict((*self.query, *body))


class Refused(Exception):
    """Ends a handler with an error answer."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


def errors(status: int, key: str, message: str) -> Response:
    """An error as an array: contacts, lists, activities."""
    return answer(status, [{"error_key": key, "error_message": message}])


def error(status: int, key: str, message: str) -> Response:
    """An error as one object: 401, 429, reports."""
    return answer(status, {"error_key": key, "error_message": message})


def oauth_error(status: int, code: str, description: str) -> Response:
    """An error of the token host."""
    return answer(status, {"error": code, "error_description": description})


def invalid(message: str) -> Refused:
    """400 with the vendor's validation key."""
    return Refused(errors(400, "contacts.api.validation.error", message))


def not_found(message: str) -> Refused:
    """404 with the vendor's key for contacts."""
    return Refused(errors(404, "contacts.api.not_found", message))


def conflict(message: str) -> Refused:
    """409 with the vendor's key."""
    return Refused(errors(409, "contacts.api.conflict", message))

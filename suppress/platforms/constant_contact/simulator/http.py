"""Requests and answers as values, and the vendor's error shapes. No socket is touched here.

The error bodies come in three shapes on the API host: an array of `{error_key, error_message}` (contacts,
lists, activities), one such object (401, 429, reports), and `{error, error_description}` from OAuth.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Request:
    """One request; header names are lower-case."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    shift: int = 0
    """By how many rows a fault moves the page that is asked for."""

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


@dataclass(frozen=True, slots=True)
class Response:
    """One answer; `delay` and `cut` are faults that the server carries out."""

    status: int
    body: bytes = b""
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()
    delay: float = 0.0
    cut: int | None = None
    """Send only so many bytes of the body, then end the connection."""

    def with_headers(self, *headers: tuple[str, str]) -> Response:
        """The same answer with more headers."""
        return replace(self, headers=(*self.headers, *headers))


class Refused(Exception):
    """Ends a handler with an error answer."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


def answer(status: int, value: object) -> Response:
    """A JSON answer."""
    return Response(status, json.dumps(value, ensure_ascii=False).encode())


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


def page(status: int, html: str) -> Response:
    """An HTML page: the approve page, or what a gateway shows when it is broken."""
    return Response(status, html.encode(), "text/html; charset=utf-8")

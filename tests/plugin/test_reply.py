"""What an answer is, before anybody asks what it means."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from suppress.plugin.transport import Reply


@pytest.mark.parametrize(
    ("body", "is_json"),
    [
        (b"{}", True),
        (b"null", True),
        (b"", False),
        (b"<html>", False),
        (b"\xff\xfe", False),
        (b"[" * 10**6, False),
    ],
)
def test_json_is_what_can_be_read_as_json(body: bytes, is_json: bool) -> None:
    """Whatever the content type claims."""
    assert is_json is Reply(200, {}, body).is_json


@pytest.mark.parametrize(
    ("headers", "body", "html"),
    [
        ({}, b"\r\n <!doctype html>", True),
        ({"content-type": "Text/HTML"}, b"Oops", True),
        ({"content-type": "application/json"}, b"Oops", False),
    ],
)
def test_a_web_page_is_recognised(headers: dict[str, str], body: bytes, html: bool) -> None:
    """By its beginning or by its type."""
    assert html is Reply(200, headers, body).looks_like_html


@pytest.mark.parametrize(
    ("body", "kind"),
    [(b" \n", "nothing"), (b"<html>", "a web page"), (b"[]", "JSON"), (b"Oops", "something unreadable")],
)
def test_what_came_has_a_word(body: bytes, kind: str) -> None:
    """For messages, which never repeat the answer itself."""
    assert kind == Reply(200, {}, body).kind


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("Mon, 23 Nov 2026 12:00:00 GMT", datetime(2026, 11, 23, 12, tzinfo=UTC)),
        ("Mon, 23 Nov 2026 12:00:00 -0000", datetime(2026, 11, 23, 12, tzinfo=UTC)),
        ("Mon, 23 Nov 99999 12:00:00 GMT", None),
        ("noon", None),
        (None, None),
    ],
)
def test_the_servers_clock_is_read_if_it_tells(text: str | None, at: datetime | None) -> None:
    """By the Date header."""
    assert at == Reply(200, {} if text is None else {"date": text}, b"").server_time

"""SendGrid's JSON as values, whatever it is."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from suppress_sendgrid import wire

from suppress.plugin.transport import Reply

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["recipient_emails", "recipient_email", "scopes", "id", "email", "created", "errors"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=300)
@given(value=JSON, read=st.sampled_from([wire.echoed, wire.addresses, wire.rows, wire.group, wire.scopes]))
def test_any_answer_is_read_or_refused(value: object, read: Callable[[object], object]) -> None:
    """Never another error, and never a word of it in the message."""
    try:
        read(value)
    except wire.NotAsPromised as wrong:
        assert "@" not in str(wrong)


@settings(max_examples=200)
@given(value=JSON)
def test_only_an_empty_object_means_not_suppressed(value: object) -> None:
    """Whatever else has no address is no answer: it must not look like somebody who can be mailed."""
    try:
        if wire.held(value) is None:
            assert value == {}
    except wire.NotAsPromised:
        assert value != {}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", ""),
        (b"<html>", ""),
        (b"[]", ""),
        (b'{"errors": "all"}', ""),
        (
            b'{"errors": [7, {"message": 7}, {"field": null, "message": "too many requests"}]}',
            "too many requests",
        ),
        (
            b'{"errors": [{"message": "no pat@example.com"}, {"message": "nor that"}]}',
            "no [address]; nor that",
        ),
    ],
)
def test_an_error_says_what_it_says(body: bytes, words: str) -> None:
    """Without anybody's address."""
    assert wire.complaint(Reply(400, {}, body)) == words

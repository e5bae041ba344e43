"""Whose account a sign-in is for, so that a person sees that it is the one they meant."""

from __future__ import annotations

from pathlib import Path

from suppress.config import SourceSettings
from suppress.errors import SuppressError
from suppress.platforms.constant_contact.grant import Grant
from suppress.platforms.constant_contact.options import Options
from suppress.platforms.constant_contact.quota import pace_of
from suppress.plugin.pace import Clock
from suppress.plugin.transport import Patience, Transport
from suppress.plugin.words import vendor_words

SUMMARY = "/v3/account/summary"


def organisation(settings: SourceSettings, grant: Grant, state: Path, *, clock: Clock) -> str | None:
    """The organisation's name; None if the platform does not say, which is no reason to sign nobody in."""
    options = Options.of(settings)
    path = f"{options.prefix}{SUMMARY}"
    transport = Transport.reading(
        options.origin,
        paths=[path],
        pace=pace_of(options, state, clock),
        clock=clock,
        patience=Patience(tries=2, throttles=3),
    )
    try:
        reply = transport.send("GET", path, authorization=f"Bearer {grant.access_token}")
        found = reply.json if reply.status == 200 and reply.is_json else None
    except SuppressError:
        return None
    finally:
        transport.close()
    name = found.get("organization_name") if isinstance(found, dict) else None
    return vendor_words(name, longest=100) if isinstance(name, str) and name.strip() else None

"""The built-in platforms, brought through the same hooks as any plugin's.

Importing this room stays cheap: what a platform needs is imported when an account is opened.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from suppress.config import AlertSettings, SourceSettings
from suppress.core.suppression import Json
from suppress.plugin.hookspec import AlertDescription, ExporterDescription, SourceDescription, hookimpl

if TYPE_CHECKING:
    from suppress.plugin.alerting import AlertChannel
    from suppress.plugin.contract import Source
    from suppress.plugin.signing import SignIn

CONSTANT_CONTACT: Mapping[str, Json] = {
    "properties": {
        "client_id": {"type": "string", "description": "the API key of your application"},
        "client_secret": {"type": "string", "description": "its secret, if it has one"},
        "api_url": {"type": "string", "description": "another host than the vendor's: simulator, proxy"},
        "auth_url": {"type": "string", "description": "another sign-in host than the vendor's"},
        "scopes": {"type": "array", "description": "what a sign-in asks for beside contact_data"},
        "redirect_port": {
            "type": "integer",
            "description": "the port of the registered redirect address http://127.0.0.1:PORT/callback",
        },
        "token_store": {
            "type": "string",
            "enum": ("keyring", "file"),
            "description": "where a sign-in is kept; file is plain text that only its owner can read",
        },
        "lag": {
            "type": ["string", "integer"],
            "description": "how long until a click can be found, such as 5m",
        },
        "overlap": {"type": ["string", "integer"], "description": "how far windows overlap, such as 48h"},
        "sms": {"type": "boolean", "description": "whether each run asks who opted out of SMS"},
        "campaign_evidence": {"type": "boolean", "description": "whether campaign reports are read too"},
        "bounces": {"type": "boolean", "description": "whether mailboxes that do not exist are recorded"},
        "evidence_budget": {"type": "integer", "description": "requests a run for campaign reports"},
        "daily_budget": {"type": "integer", "description": "requests a day that the API key may make"},
    },
}

WEBHOOK: Mapping[str, Json] = {
    "properties": {
        "url": {"type": "string", "description": "where alerts are posted"},
        "secret": {"type": "string", "description": "what they are signed with"},
    },
    "required": ("url", "secret"),
}
COMMAND: Mapping[str, Json] = {
    "properties": {
        "run": {"type": "array", "description": "a program and its arguments; no shell"},
        "seconds": {"type": "integer", "default": 30, "description": "how long it may take"},
    },
    "required": ("run",),
}
EMAIL: Mapping[str, Json] = {
    "properties": {
        "host": {"type": "string", "description": "the mail server"},
        "port": {"type": "integer", "description": "587, or 465 with security = tls"},
        "security": {"type": "string", "enum": ("starttls", "tls", "none"), "default": "starttls"},
        "username": {"type": "string"},
        "password": {"type": "string"},
        "ca_file": {"type": "string", "description": "certificates to trust instead of the system's"},
        "from": {"type": "string", "description": "the address that alerts come from"},
        "to": {"type": "array", "description": "addresses of the same domain"},
    },
    "required": ("host", "from", "to"),
}


@hookimpl
def suppress_sources() -> Iterator[SourceDescription]:
    """Constant Contact."""
    yield SourceDescription(
        name="constant-contact",
        label="Constant Contact",
        factory=_constant_contact,
        config=CONSTANT_CONTACT,
        secrets=("client_secret",),
        sign_in=_constant_contact_sign_in,
        quota=_constant_contact_quota,
    )


@hookimpl
def suppress_exporters() -> Iterator[ExporterDescription]:
    """Files: with addresses, and with digests of them."""
    from suppress.platforms import csv_file, hashed_file

    yield ExporterDescription(
        name="csv", label="CSV file", capabilities=csv_file.CAPABILITIES, factory=csv_file.CsvFile
    )
    yield ExporterDescription(
        name="hashed",
        label="List of digests",
        capabilities=hashed_file.CAPABILITIES,
        factory=hashed_file.HashedFile,
    )


@hookimpl
def suppress_alerts() -> Iterator[AlertDescription]:
    """A signed webhook, a command of one's own, and e-mail."""
    yield AlertDescription(
        name="webhook", label="Signed webhook", factory=_webhook, config=WEBHOOK, secrets=("secret",)
    )
    yield AlertDescription(name="command", label="Command", factory=_command, config=COMMAND)
    yield AlertDescription(name="email", label="E-mail", factory=_mail, config=EMAIL, secrets=("password",))


def _webhook(settings: AlertSettings) -> AlertChannel:
    from suppress.platforms.alerting.webhook import Webhook

    return Webhook(settings)


def _command(settings: AlertSettings) -> AlertChannel:
    from suppress.platforms.alerting.command import Command

    return Command(settings)


def _mail(settings: AlertSettings) -> AlertChannel:
    from suppress.platforms.alerting.mail import Mail

    return Mail(settings)


def _constant_contact_quota(settings: SourceSettings, state: Path) -> tuple[int, int] | None:
    from suppress.platforms.constant_contact.options import Options
    from suppress.platforms.constant_contact.quota import left_today

    return left_today(Options.of(settings), state)


def _constant_contact_sign_in(settings: SourceSettings, state: Path) -> SignIn:
    from suppress.platforms.constant_contact.signing_in import ConstantContactSignIn

    return ConstantContactSignIn(settings, state)


def _constant_contact(settings: SourceSettings, state: Path) -> Source:
    from suppress.platforms.constant_contact import ConstantContact

    return ConstantContact(settings, state)

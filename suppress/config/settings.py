"""The settings as the rest of the program sees them: frozen values, and how they may be shown.

Rule kept here: a secret is never in a `repr`, nor in what `shown` yields.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from suppress.config.layers import nearest
from suppress.core.suppression import EVERYTHING, Json, Scope

MASK = "••••••"
_SECRET = re.compile(r"token|secret|password|passphrase|credential|(api|private|access)_?key", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """One `[sources.NAME]` table. `options` holds what only the platform knows, such as `client_id`."""

    name: str
    platform: str
    sender: str | None = None
    access_token: str | None = field(default=None, repr=False)
    access_token_file: Path | None = None
    options: Mapping[str, Json] = field(default_factory=dict, repr=False)
    origins: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)
    """Where each key came from, for messages about it."""
    owner: str | None = None
    """Who answers for it: a person or a team, for reports."""
    ledger: str = field(default="", repr=False, compare=False)
    """The ledger that it is read into, without a password. Two ledgers may have a source of one name that
    are two accounts, so that what is kept for a source is kept for its ledger."""
    scope: Scope = EVERYTHING
    """How far an opt-out made at this account reaches: all mail of everybody, or its sender's alone."""


@dataclass(frozen=True, slots=True)
class DestinationSettings:
    """One `[destinations.NAME]` table; `options` belongs to the platform's exporter."""

    name: str
    platform: str
    sender: str | None = None
    options: Mapping[str, Json] = field(default_factory=dict, repr=False)
    origins: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)
    state: Path | None = field(default=None, repr=False, compare=False)
    """The folder for what may be lost, such as a count of the day's requests; None in a test without one."""
    recipient: str | None = None
    """Who gets the list, where that is not the destination itself."""
    basis: str | None = None
    """The law or the contract under which the list leaves for it."""
    owner: str | None = None
    """Who answers for it: a person or a team, for reports."""
    max_age: str | None = None
    """How old a source's news may be for an export: `24h`, `7d`."""


@dataclass(frozen=True, slots=True)
class AlertSettings:
    """One `[alerts.NAME]` table; `options` belongs to the kind of alert."""

    name: str
    kind: str
    """How it is told: `webhook`, `command`, `email`, or what a plugin brings."""
    remind: timedelta = timedelta(days=1)
    """How long something may last until it is told again."""
    options: Mapping[str, Json] = field(default_factory=dict, repr=False)
    origins: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that configuration decides, frozen. `origins` says where each value came from."""

    ledger: str = field(default="sqlite:///suppress.db", repr=False)
    """SQLAlchemy URL; may hold a password, so print it only through `redacted`."""
    keys: Path = Path("suppress.keys")
    """Folder of the signing and index keys, outside the database. Default: beside the SQLite file."""
    state: Path = Path("suppress.state")
    """Folder of request budgets and other state that may be lost.

    Default: the user's own, because a platform counts an API key's requests, whatever ledger they are for.
    """
    organisation: str | None = None
    timezone: str = "UTC"
    """The sender's time zone (IANA name): deadlines count its days."""
    policies: tuple[str, ...] = ("us.can-spam",)
    sources: Mapping[str, SourceSettings] = field(default_factory=dict)
    destinations: Mapping[str, DestinationSettings] = field(default_factory=dict)
    alerts: Mapping[str, AlertSettings] = field(default_factory=dict)
    """Who is told when something is wrong, and how."""
    file: Path | None = None
    """The project's file, or the user's when there is no other; None without any."""
    origins: Mapping[str, str] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    """`SUPPRESS_…` variables that mean nothing here; `suppress doctor` lists them."""
    nameless: Mapping[str, str] = field(default_factory=dict)
    """Destinations that only variables know and that name no platform, each with such a variable.

    A secret that a shell exports for one folder is no reason to stop in another one: they are an error where
    they are asked for, and `suppress doctor` lists them.
    """

    def lacks(self, name: str, *, known: Iterable[str] = ()) -> str:
        """Why there is no destination of that name, in words; `known` are names that need no table."""
        if (variable := self.nameless.get(name)) is not None:
            return f"destination {name!r} names no platform: only {variable} speaks of it"
        names = (*self.destinations, *known)
        return f"there is no destination {name!r}{nearest(name, names)}; configured: {', '.join(names)}"


def redacted(url: str) -> str:
    """`url` without the password that it may hold."""
    without = re.sub(r"(?<=://)([^:@/]*):.*@", rf"\1:{MASK}@", url)
    return re.sub(r"(?i)([?&][^=&]*pass[^=&]*=)[^&]*", rf"\1{MASK}", without)


@dataclass(frozen=True, slots=True)
class Shown:
    """One line of `suppress config`: a key, its value with secrets masked, and where it came from."""

    key: str
    value: Json
    origin: str


def shown(settings: Settings, *, secrets: Iterable[str] = ()) -> Iterator[Shown]:
    """Every value that is in force. `secrets` names further option keys whose values are masked."""
    plain: dict[str, Json] = {
        "ledger": redacted(settings.ledger),
        "keys": str(settings.keys),
        "state": str(settings.state),
        "organisation": settings.organisation,
        "timezone": settings.timezone,
        "policies": list(settings.policies),
    }
    for source in settings.sources.values():
        plain |= {f"sources.{source.name}.{key}": value for key, value in _source_items(source)}
    for destination in settings.destinations.values():
        given: dict[str, Json] = {
            "platform": destination.platform,
            "sender": destination.sender,
            "recipient": destination.recipient,
            "basis": destination.basis,
            "owner": destination.owner,
            "max_age": destination.max_age,
        }
        given |= destination.options
        plain |= {f"destinations.{destination.name}.{key}": value for key, value in given.items()}
    for alert in settings.alerts.values():
        said: dict[str, Json] = {"kind": alert.kind, "remind": f"{alert.remind // timedelta(hours=1)}h"}
        plain |= {f"alerts.{alert.name}.{key}": value for key, value in (said | dict(alert.options)).items()}
    hidden = frozenset(secrets)
    for key, value in plain.items():
        if value is not None:
            yield Shown(key, _masked(key, value, hidden), settings.origins.get(key, "default"))


def is_secret(key: str) -> bool:
    """Whether an option of this name holds a secret, judged by its name alone."""
    return _SECRET.search(key) is not None and not key.endswith(("_file", "_path", "_url"))


def _source_items(source: SourceSettings) -> Iterator[tuple[str, Json]]:
    yield "platform", source.platform
    yield "sender", source.sender
    yield "scope", None if source.scope == EVERYTHING else "sender"
    yield "owner", source.owner
    yield "access_token", source.access_token
    yield "access_token_file", None if source.access_token_file is None else str(source.access_token_file)
    yield from source.options.items()


def _masked(key: str, value: Json, hidden: frozenset[str]) -> Json:
    last = key.rpartition(".")[2]
    if last in hidden or is_secret(last):
        return MASK
    match value:
        case Mapping():
            return {name: _masked(name, inner, hidden) for name, inner in value.items()}
        case list() | tuple():
            return [_masked(key, inner, hidden) for inner in value]
        case _:
            return value

"""Settings: flags > environment (`SUPPRESS_…`, nested by `__`) > `suppress.toml` > user config directory.

(Loading is to be written by its owner; the types below are settled.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from suppress.core.suppression import Json


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """One `[sources.NAME]` table. `options` holds what only the platform knows, such as `client_id`."""

    name: str
    platform: str
    sender: str | None = None
    access_token: str | None = field(default=None, repr=False)
    access_token_file: Path | None = None
    options: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DestinationSettings:
    """One `[destinations.NAME]` table; `options` belongs to the platform's exporter."""

    name: str
    platform: str
    sender: str | None = None
    options: Mapping[str, Json] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that configuration decides, frozen. `origins` says where each value came from."""

    ledger: str = "sqlite:///suppress.db"
    """SQLAlchemy URL."""
    keys: Path = Path("suppress.keys")
    """Folder of the signing and index keys, outside the database. Default: beside the SQLite file."""
    state: Path = Path("suppress.state")
    """Folder of request budgets and other state that may be lost. Default: beside the SQLite file."""
    organisation: str | None = None
    timezone: str = "UTC"
    """The sender's time zone (IANA name): deadlines count its days."""
    policies: tuple[str, ...] = ("us.can-spam",)
    sources: Mapping[str, SourceSettings] = field(default_factory=dict)
    destinations: Mapping[str, DestinationSettings] = field(default_factory=dict)
    file: Path | None = None
    origins: Mapping[str, str] = field(default_factory=dict)

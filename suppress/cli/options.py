"""Options that several commands share, and the way from a command to its settings."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from suppress.cli.console import Appearance
from suppress.config import Settings
from suppress.errors import BadUsage

if TYPE_CHECKING:
    from suppress.core.address import Address
    from suppress.core.suppression import Scope
    from suppress.ledger.values import Head


@dataclass(frozen=True, slots=True)
class Root:
    """What was given before the command's name."""

    config: Path | None = None
    ledger: str | None = None
    debug: bool = False
    appearance: Appearance = field(default_factory=Appearance)


AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on stdout instead of text.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would happen; write nothing.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Answer yes to every question.")]

# How a contact file is to be read.
Header = Annotated[
    bool | None, typer.Option("--header/--no-header", help="Whether the first row names columns.")
]
Delimiter = Annotated[
    str | None, typer.Option(help="comma, semicolon, tab, bar or one character. [default: found]")
]
Encoding = Annotated[str | None, typer.Option(help="Of the file. [default: found]")]
Sheet = Annotated[
    str | None,
    typer.Option(metavar="NAME|NUMBER", help="Of a workbook. [default: the first one with an address]"),
]
MaxAge = Annotated[
    str | None, typer.Option(metavar="SPAN", help="Refuse if a source was read longer ago: 24h, 7d, 30m.")
]


def root(ctx: typer.Context) -> Root:
    """The root options of this run."""
    found = ctx.find_root().obj
    return found if isinstance(found, Root) else Root()


def quoted(head: Head) -> dict[str, object]:
    """A head as every result quotes it. Whoever keeps the checkpoint of a receipt holds an anchor."""
    return {"size": head.size, "root": head.root.hex(), "checkpoint": head.note}


def appearance(ctx: typer.Context) -> Appearance:
    """How this run prints."""
    return root(ctx).appearance


def settings(ctx: typer.Context) -> Settings:
    """The settings of this run. Raises `ConfigWrong`."""
    from suppress.config import load

    given = root(ctx)
    return load(config=given.config, ledger=given.ledger)


def one_address(text: str, *, remedy: str = "give one address, such as pat@example.com") -> Address:
    """The one address that somebody typed. Raises `BadUsage`."""
    from suppress.core.address import addresses_in

    found = addresses_in(text)
    if not found or "@" not in found[0].key:
        raise BadUsage(f"{text!r} is no address", remedy=remedy)
    if len(found) > 1:
        raise BadUsage(f"{text!r} holds {len(found)} addresses", remedy="give them one at a time")
    return found[0]


_SPAN = re.compile(r"([0-9]{1,6})\s*(m|min|h|d|w)")
_UNITS = {"m": "minutes", "min": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def duration(option: str, text: str) -> timedelta:
    """A span such as `24h`, `7d` or `30m`. Raises `BadUsage`."""
    found = _SPAN.fullmatch(text.strip().lower())
    if found is None:
        raise BadUsage(f"{option} {text!r} is no span of time", remedy="write it as 30m, 24h or 7d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def scope_of(sender: str | None) -> Scope:
    """All mail, or that of one sender. Raises `BadUsage`."""
    from suppress.core.suppression import Scope

    try:
        return Scope(sender)
    except ValueError as wrong:
        raise BadUsage(f"--sender {sender!r}: {wrong}") from wrong


def scope_given(scope: str | None, sender: str | None, list_: str | None) -> Scope:
    """What was given as a scope's text, or as a sender and one of its lists. Raises `BadUsage`."""
    from suppress.core.suppression import Scope

    if scope is not None and (sender is not None or list_ is not None):
        raise BadUsage("--scope already says which sender and list", remedy="give it alone")
    try:
        return Scope(sender, list_) if scope is None else Scope.parse(scope)
    except ValueError as wrong:
        raise BadUsage(
            f"this is no scope: {wrong}", remedy="--sender NAME, or both --sender and --list"
        ) from wrong


def moment_given(option: str, text: str, zone: tzinfo) -> datetime:
    """The moment that somebody typed. Raises `BadUsage`."""
    from suppress.files.dates import read_moment

    moment = read_moment(text, zone)
    if moment is None:
        raise BadUsage(f"{option} {text!r} is no date", remedy="write it as 2026-11-20 or 2026-11-20 14:30")
    return moment


def actor() -> str:
    """Who runs this command, for the ledger: the login name at this machine, never an address."""
    import getpass
    import platform

    try:
        who = getpass.getuser()
    except (KeyError, OSError):
        who = "unknown"
    return f"{who}@{platform.node() or 'localhost'}".replace("@", " at ")

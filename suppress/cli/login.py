"""`suppress login`: sign in to a source, or say how each one is signed in."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from suppress.cli.console import Cell, Screen, emit, note, typed
from suppress.cli.options import AsJson, duration, settings
from suppress.errors import BadUsage, ConfigWrong, SignInNeeded

if TYPE_CHECKING:
    from suppress.config import Settings
    from suppress.plugin.signing import Invitation, SignedIn, SignIn, Store

STORES = ("keyring", "file")


def login(
    ctx: typer.Context,
    source: Annotated[
        str | None, typer.Argument(metavar="[SOURCE]", help="The source, as its [sources.…] table is called.")
    ] = None,
    status: Annotated[
        bool, typer.Option("--status", help="Say how sources are signed in; ask nobody, change nothing.")
    ] = False,
    device: Annotated[
        bool, typer.Option("--device", help="Show a code to type in a browser on any machine.")
    ] = False,
    store: Annotated[
        str | None,
        typer.Option(help="Where tokens are kept: keyring, or file (plain text that only you can read)."),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65_535, help="Where the browser comes back to; 0 takes any. [default: 8351]"),
    ] = None,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open a browser, or only show the address.")
    ] = True,
    timeout: Annotated[str, typer.Option(metavar="SPAN", help="How long to wait for the person.")] = "5m",
    as_json: AsJson = False,
) -> None:
    """Sign in to a source in a browser; from then on the sign-in renews itself.

    Tokens go into the system's keyring, or into a private file if you say so. With --status, exit code 4
    says that somebody has to sign in:

        suppress login main
        suppress login main --device --store file
        suppress login --status
    """
    chosen = settings(ctx)
    patience = duration("--timeout", timeout)
    if store is not None and store not in STORES:
        raise BadUsage(f"--store {store!r} is no place for tokens; there are: {', '.join(STORES)}")
    if status:
        _status(chosen, source, as_json=as_json)
        return
    name, signing = _one(chosen, source)
    kept = _store(store)

    def consent(why: str) -> bool:
        return _consent(name, why)

    if device:
        found = signing.by_device(_show, store=kept, consent=consent)
    else:
        show = _open if browser else _show
        found = signing.by_browser(show, store=kept, consent=consent, patience=patience, port=port)
    facts = {"sources": [_facts(found)]}
    emit("login", facts, as_json=as_json, human=lambda screen: _draw(screen, [found], signed_in=True))


def of_source(chosen: Settings, name: str) -> SignIn | None:
    """How one configured source is signed in to; None where its platform has no sign-in.

    Raises:
        ConfigWrong: There is no such source, or its table is wrong.
    """
    from suppress.plugin.registry import Registry

    if name not in chosen.sources:
        known = ", ".join(chosen.sources) or "none"
        raise ConfigWrong(f"there is no source {name!r}; configured: {known}")
    return Registry.load().sign_in(chosen.sources[name], chosen.state)


def needs_none(name: str, platform: str) -> BadUsage:
    """The error for a platform that nobody signs in to."""
    return BadUsage(
        f"source {name!r} is of the platform {platform!r}, which has no sign-in", remedy="suppress doctor"
    )


def named(chosen: Settings, source: str | None, command: str) -> str:
    """The source that was meant. Raises `BadUsage` if none was named."""
    if source is not None:
        return source
    known = ", ".join(chosen.sources) or "none; add [sources.main] to suppress.toml"
    raise BadUsage(f"name the source; configured: {known}", remedy=f"suppress {command} SOURCE")


def _one(chosen: Settings, source: str | None) -> tuple[str, SignIn]:
    name = named(chosen, source, "login")
    signing = of_source(chosen, name)
    if signing is None:
        raise needs_none(name, chosen.sources[name].platform)
    return name, signing


def _store(word: str | None) -> Store | None:
    from suppress.plugin.signing import Store

    return None if word is None else Store(word)


def _consent(name: str, why: str) -> bool:
    """Plain text is kept only if a person says so."""
    if not sys.stdin.isatty():
        raise BadUsage(
            f"the keyring cannot be used: {why}; and tokens are kept in plain text only if you say so",
            remedy=f"suppress login {name} --store file keeps them in a file that only you can read",
        )
    note(f"The keyring cannot be used: {why}.")
    answer = typed("Keep the tokens in plain text, in a file that only you can read? [y/N]")
    return answer.casefold() in ("y", "yes")


def _show(invitation: Invitation) -> None:
    if invitation.code is None:
        note("Open this address in a browser on this machine, and sign in there:")
        note("")
        note(f"  {invitation.url}")
        note("")
    else:
        note(f"Open  {invitation.url}  in a browser on any machine, and type the code  {invitation.code}")
        if invitation.complete_url is not None:
            note(f"or open  {invitation.complete_url}  which holds it already.")
    note(f"Waiting until {invitation.until.astimezone():%H:%M:%S}; Ctrl-C ends it.")


def _open(invitation: Invitation) -> None:
    """Show the address, and open it where there is a screen: a browser in text would take the terminal."""
    _show(invitation)
    seen = sys.platform == "darwin" or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
    )
    if seen:
        # Some browsers keep their caller waiting until they are closed.
        threading.Thread(target=_browse, args=(invitation.url,), daemon=True).start()


def _browse(url: str) -> None:
    import contextlib
    import webbrowser

    with contextlib.suppress(webbrowser.Error, OSError):
        webbrowser.open(url)


def _status(chosen: Settings, source: str | None, *, as_json: bool) -> None:
    names = list(chosen.sources) if source is None else [source]
    if not names:
        raise ConfigWrong("no source is configured", remedy="add [sources.main] to suppress.toml")
    found: list[SignedIn] = []
    for name in names:
        signing = of_source(chosen, name)
        if signing is not None:
            found.append(signing.status())
        elif source is not None:
            raise needs_none(name, chosen.sources[name].platform)
    facts = {"sources": [_facts(each) for each in found]}
    emit("login", facts, as_json=as_json, human=lambda screen: _draw(screen, found))
    if any(each.needed for each in found):
        raise typer.Exit(SignInNeeded.exit_code)


def _facts(found: SignedIn) -> Mapping[str, object]:
    return {
        "source": found.source,
        "platform": found.platform,
        "signed_in": not found.needed,
        "problem": found.problem,
        "remedy": found.remedy,
        "from": found.origin.value,
        "account": found.account,
        "scopes": list(found.scopes),
        "expires_at": found.expires_at,
        "renews": found.renews,
        "renewed_at": found.renewed_at,
        "lapses_at": found.lapses_at,
        "days_left": found.days_left,
        "store": found.place,
        "plain_text": found.plain_text,
    }


def _draw(screen: Screen, found: Sequence[SignedIn], *, signed_in: bool = False) -> None:
    for each in found:
        state = "sign-in needed" if each.needed else "signed in"
        screen.heading(f"{each.source} ({each.platform}): {state}")
        screen.fields([pair for pair in _pairs(each) if pair[1] is not None])
        if each.needed:
            screen.line(f"  what to do: {each.remedy}", style="red")
    if signed_in:
        screen.line("Next: suppress sync")


def _pairs(each: SignedIn) -> list[tuple[str, Cell]]:
    kept = None
    if each.place is not None:
        kept = f"{each.place}, {'in plain text' if each.plain_text else 'not in plain text'}"
    left = each.days_left
    return [
        ("  why", each.problem),
        ("  account", each.account),
        ("  scopes", " ".join(each.scopes) or None),
        ("  access token ends", _time(each.expires_at)),
        ("  renews itself", None if each.days_left is None else "yes" if each.renews else "no"),
        ("  lapses unused", None if left is None else f"{_time(each.lapses_at)} (in {left} days)"),
        ("  kept in", kept),
    ]


def _time(at: object) -> str | None:
    from datetime import datetime

    return f"{at:%Y-%m-%d %H:%M} UTC" if isinstance(at, datetime) else None

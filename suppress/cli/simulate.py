"""`suppress simulate`: run a platform's simulator on loopback until it is stopped."""

from __future__ import annotations

import errno
import signal
import threading
from contextlib import closing
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Annotated

import typer

from suppress.cli.console import Screen, emit, note
from suppress.cli.options import AsJson, appearance
from suppress.errors import BadUsage

if TYPE_CHECKING:
    from suppress.plugin.simulated import Launcher, Simulated

BUILT_IN = {"constant-contact": "suppress.platforms.constant_contact.simulator.launch:launch"}
"""Launchers that come with `suppress`, in the form of an entry point's value."""


def simulate(
    ctx: typer.Context,
    platform: Annotated[str, typer.Argument(help="The platform, such as constant-contact.")],
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="The port on 127.0.0.1; 0 takes any free one.")
    ] = 8350,
    scenario: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="A scenario file (TOML or JSON), or demo, or large. [default: demo]"
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run a simulated platform on this machine, to try things out without a real account.

    Nothing leaves the machine, and the people in it are made up. Stop it with Ctrl-C:

        suppress simulate constant-contact
    """
    launch = _launcher(platform)
    stop = threading.Event()
    before = signal.signal(signal.SIGTERM, lambda _number, _frame: stop.set())
    try:
        with closing(_launched(launch, platform, port, scenario)) as running:
            facts = {
                "platform": platform,
                "url": running.url,
                "token": running.token,
                "holds": dict(running.holds),
                "settings": running.settings,
                "environment": dict(running.environment),
            }
            emit("simulate", facts, as_json=as_json, human=lambda screen: _draw(screen, running))
            note("It runs until you stop it with Ctrl-C.", appearance=appearance(ctx))
            stop.wait()
    finally:
        signal.signal(signal.SIGTERM, before)


def _launchers() -> dict[str, EntryPoint]:
    """Every launcher by platform; a built-in one cannot be replaced."""
    from suppress.plugin.simulated import GROUP

    brought = {point.name: point for point in entry_points(group=GROUP)}
    ours = {name: EntryPoint(name, value, GROUP) for name, value in BUILT_IN.items()}
    return brought | ours


def _launcher(platform: str) -> Launcher:
    known = _launchers()
    if platform not in known:
        raise BadUsage(
            f"there is no simulator of {platform!r}; there are: {', '.join(sorted(known))}",
            remedy="suppress simulate --help",
        )
    try:
        found: Launcher = known[platform].load()
    except Exception as failure:
        # A plugin may fail in any way; that is its failure, and one line is enough to name it.
        raise BadUsage(
            f"the simulator of {platform!r} did not load: {type(failure).__name__}: {failure}",
            remedy="reinstall or upgrade the plugin that brings it",
        ) from failure
    return found


def _launched(launch: Launcher, platform: str, port: int, scenario: str | None) -> Simulated:
    try:
        return launch(port, scenario)
    except OSError as refused:
        why = "is in use" if refused.errno == errno.EADDRINUSE else f"cannot be opened: {refused.strerror}"
        raise BadUsage(
            f"port {port} on 127.0.0.1 {why}", remedy=f"suppress simulate {platform} --port 0"
        ) from None


def _draw(screen: Screen, running: Simulated) -> None:
    held = ", ".join(f"{count:,} {name}" for name, count in running.holds.items())
    screen.heading(f"{running.label} is simulated at {running.url} ({held})")
    screen.line()
    screen.line("Put this into suppress.toml:")
    screen.line()
    for line in running.settings.splitlines():
        screen.line(f"    {line}")
    screen.line()
    screen.line("and this into the environment:")
    screen.line()
    for name, value in running.environment.items():
        screen.line(f"    export {name}={value}")

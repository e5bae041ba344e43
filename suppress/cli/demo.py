"""`suppress demo`: the whole story, offline, in under a minute."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from suppress.cli.console import Screen, emit
from suppress.cli.options import AsJson

if TYPE_CHECKING:
    from suppress.demo import Finished


def demo(
    folder: Annotated[
        Path | None, typer.Option("--folder", help="An empty folder to work in. [default: a temporary one]")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the main job offline: hidden opt-outs found, an import checked, a report verified.

    No account is needed and nothing leaves this machine.
    """
    import sys

    from suppress.demo import Chapter, Finished, Ran, story
    from suppress.errors import BadUsage

    if folder is None:
        folder = Path(tempfile.mkdtemp(prefix="suppress-demo-"))
    elif folder.exists() and any(folder.iterdir()):
        raise BadUsage(f"the folder {folder} is not empty", remedy="suppress demo --folder NEW")
    folder.mkdir(parents=True, exist_ok=True)
    screen = Screen(sys.stderr if as_json else sys.stdout)
    for step in story(folder.resolve()):
        match step:
            case Chapter():
                screen.line()
                screen.heading(step.title)
                screen.line(step.text)
            case Ran():
                screen.line(f"$ {step.command}", style="cyan")
                for line in step.output.splitlines():
                    screen.line(f"  {line}")
                if step.exit_code:
                    screen.line(f"  (exit code {step.exit_code})", style="yellow")
            case Finished():
                emit("demo", _facts(step), as_json=as_json, human=lambda end, step=step: _end(end, step))  # type: ignore[misc]


def _facts(finished: Finished) -> dict[str, object]:
    return {
        "folder": str(finished.folder),
        "report": str(finished.report),
        "naive": finished.naive,
        "found": finished.found,
        "deleted": finished.deleted,
        "withheld": finished.withheld,
        "tampered_entry": finished.tampered_entry,
        "seconds": round(finished.seconds),
    }


def _end(screen: Screen, finished: Finished) -> None:
    screen.line()
    screen.heading("What you saw")
    screen.line(
        f"The usual query showed {finished.naive} opt-outs; there were {finished.found}, "
        f"{finished.deleted} of them deleted contacts. {finished.withheld} people were kept off an import."
    )
    screen.line(f"Report:  {finished.report}")
    screen.line(f"Files:   {finished.folder}")
    screen.line(f"Took {finished.seconds:.0f} seconds. Put the real thing beside it:")
    screen.line("  suppress init        # then add your account to suppress.toml")

"""`suppress export`: tell a destination who may not be mailed."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from suppress.cli.console import Screen, emit, progress
from suppress.cli.options import AsJson, DryRun, actor, appearance, settings

if TYPE_CHECKING:
    from suppress.config import DestinationSettings, Settings
    from suppress.core.suppression import Json
    from suppress.export import ExportResult


def export(
    ctx: typer.Context,
    destination: Annotated[
        str, typer.Argument(metavar="DESTINATION", help="A configured destination, or csv for a file.")
    ],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="The file to write.")
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(
            help="Columns for: plain, hubspot, mailchimp, klaviyo, sendgrid, ses, spreadsheet.",
        ),
    ] = None,
    purpose: Annotated[
        str,
        typer.Option(
            help="suppression compliance, compliance audit, regulator request, or court order: "
            "the law admits no other."
        ),
    ] = "suppression compliance",
    recipient: Annotated[
        str | None,
        typer.Option(help="Who gets it: an organisation or system. [default: the destination's name]"),
    ] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Tell a destination who may not be mailed, read back whether it obeyed, and record the receipt.

    A file needs no settings; its manifest beside it says what it is:

        suppress export csv -o suppressed.csv
        suppress export csv -o for-hubspot.csv --preset hubspot --recipient "Acme CRM"
    """
    from suppress.export import export as run
    from suppress.ledger import Ledger
    from suppress.plugin.registry import Registry

    chosen = settings(ctx)
    told = _destination(chosen, destination, output, preset)
    with ExitStack() as stack:
        exporter = Registry.load().exporter(told)
        stack.callback(exporter.close)
        ledger = stack.enter_context(Ledger.open(chosen.ledger, keys=chosen.keys, read_only=dry_run))
        advance = stack.enter_context(progress("Telling", appearance=appearance(ctx), unit="people"))
        result = run(
            ledger,
            exporter,
            told,
            purpose=purpose,
            recipient=recipient or told.name,
            actor=actor(),
            dry_run=dry_run,
            progress=advance,
        )
    emit("export", _facts(result), as_json=as_json, human=lambda screen: _draw(screen, result))
    if result.failure is not None:
        raise result.failure


def _destination(chosen: Settings, name: str, output: Path | None, preset: str | None) -> DestinationSettings:
    from suppress.config import DestinationSettings, nearest
    from suppress.errors import BadUsage, ConfigWrong

    found = chosen.destinations.get(name)
    if found is None:
        if name != "csv":
            names = ", ".join((*chosen.destinations, "csv"))
            raise ConfigWrong(
                f"there is no destination {name!r}{nearest(name, (*chosen.destinations, 'csv'))}; "
                f"configured: {names}",
                remedy=f"add [destinations.{name}] to suppress.toml",
            )
        found = DestinationSettings("csv", "csv", origins={"": "the command line"})
    given: dict[str, Json] = {}
    if output is not None:
        given["path"] = str(output)
    if preset is not None:
        given["preset"] = preset
    if name == "csv" and "path" not in {*found.options, *given}:
        raise BadUsage("export csv needs a file to write", remedy="suppress export csv -o FILE")
    flags = {"path": "-o", "preset": "--preset"}
    return replace(
        found,
        options={**found.options, **given},
        origins={**found.origins, **{key: flags[key] for key in given}},
    )


def _facts(result: ExportResult) -> Mapping[str, object]:
    return {
        "destination": result.destination,
        "platform": result.platform,
        "dry_run": result.dry_run,
        "count": result.count,
        "addresses": result.addresses,
        "outcomes": result.outcomes,
        "verified": result.verified,
        "failed": result.failed,
        "erased": result.position.erased,
        "unrepresented": result.unrepresented,
        "file": result.place,
        "artefact": result.artefact,
        "upto": result.upto,
        "receipt": result.receipt,
        "ledger": {
            "size": result.position.size,
            "root": result.position.root,
            "checkpoint": result.position.checkpoint,
        },
    }


def _draw(screen: Screen, result: ExportResult) -> None:
    would = " (dry run: nothing was written)" if result.dry_run else ""
    screen.heading(f"{result.destination} ({result.platform}){would}")
    outcomes = [(outcome.replace("_", " "), count) for outcome, count in result.outcomes.items()]
    screen.fields([("people", result.count), *((f"  {name}", count) for name, count in outcomes)])
    if result.addresses != result.count:
        screen.fields([("addresses", f"{result.addresses:,}: each spelling on record was handed over")])
    if result.dry_run:
        return
    screen.fields(
        [
            ("read back", "everyone is there" if result.verified else "not verified"),
            ("file", result.place),
            ("manifest", f"{result.place}.manifest.json" if result.place else None),
            ("sha256", result.artefact),
            ("receipt", f"entry {result.receipt}, covers the ledger up to entry {result.upto}"),
        ]
    )
    for words in result.unrepresented:
        screen.line(f"Not in it: {words}")
    if result.position.erased:
        erased = result.position.erased
        people = "1 suppressed person was" if erased == 1 else f"{erased:,} suppressed people were"
        screen.line(
            f"{people} erased: no list can name them, so keep checking imports with suppress check",
            style="yellow",
        )

"""`suppress export`: tell destinations who may not be mailed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from suppress.cli.console import Advance, Screen, emit, note, progress
from suppress.cli.exported import draw, facts
from suppress.cli.options import AsJson, DryRun, MaxAge, actor, appearance, duration, settings

if TYPE_CHECKING:
    from suppress.config import DestinationSettings, Settings
    from suppress.core.suppression import Json
    from suppress.errors import SuppressError
    from suppress.export import ExportResult
    from suppress.ledger import Ledger
    from suppress.plugin.registry import Registry

Destinations = Annotated[
    list[str] | None,
    typer.Argument(metavar="[DESTINATION]...", help="Configured destinations, or csv for a file."),
]
Everywhere = Annotated[
    bool, typer.Option("--all", help="Every configured destination; one that fails stops no other.")
]
Output = Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help="The file to write.")]
Preset = Annotated[
    str | None,
    typer.Option(
        help="Columns for: plain, hubspot, mailchimp, klaviyo, sendgrid, ses, spreadsheet.",
    ),
]
Purpose = Annotated[
    str,
    typer.Option(
        help="suppression compliance, compliance audit, regulator request, or court order: "
        "the law admits no other."
    ),
]
Recipient = Annotated[
    str | None,
    typer.Option(help="Who gets it: an organisation or system. [default: the destination's name]"),
]
Basis = Annotated[
    str | None,
    typer.Option(help="The law or contract under which it leaves. [default: compliance with law]"),
]
AllowStale = Annotated[
    bool, typer.Option("--allow-stale", help="Go on although a source is older than it may be.")
]


def export(
    ctx: typer.Context,
    destinations: Destinations = None,
    everywhere: Everywhere = False,
    output: Output = None,
    preset: Preset = None,
    purpose: Purpose = "suppression compliance",
    recipient: Recipient = None,
    basis: Basis = None,
    max_age: MaxAge = None,
    allow_stale: AllowStale = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Tell destinations who may not be mailed, read back whether they obeyed, and record the receipts.

    A file needs no settings; its manifest beside it says what it is:

        suppress export csv -o suppressed.csv
        suppress export csv -o for-hubspot.csv --preset hubspot --recipient "Acme CRM"
        suppress export --all
    """
    from suppress.ledger import Ledger
    from suppress.plugin.registry import Registry

    chosen = settings(ctx)
    names = _names(chosen, destinations or [], everywhere=everywhere)
    one = len(names) == 1 and not everywhere
    if not one:
        _refuse_single(output=output, preset=preset, recipient=recipient)
    order = _Order(chosen, purpose, recipient, basis, max_age, allow_stale, dry_run)
    told = [_destination(chosen, name, output, preset) for name in names]
    with ExitStack() as stack:
        ledger = stack.enter_context(Ledger.open(chosen.ledger, keys=chosen.keys, read_only=dry_run))
        registry = Registry.load()
        advance = stack.enter_context(progress("Telling", appearance=appearance(ctx), unit="people"))
        if one:
            result = order.done(ledger, registry, told[0], advance)
        else:
            done = [order.tried(ledger, registry, each, advance) for each in told]
    if one:
        emit("export", facts(result), as_json=as_json, human=lambda screen: draw(screen, result))
        if result.failure is not None:
            raise result.failure
        return
    shown = {"destinations": [each.facts for each in done]}
    emit("export", shown, as_json=as_json, human=lambda screen: _draw_all(screen, done))
    _report(done)


@dataclass(frozen=True, slots=True)
class _Done:
    """One destination of several."""

    name: str
    platform: str
    result: ExportResult | None
    failure: SuppressError | None

    @property
    def facts(self) -> dict[str, object]:
        error = None
        if self.failure is not None:
            error = {"error": type(self.failure).__name__, "message": self.failure.message}
        if self.result is None:
            return {"destination": self.name, "platform": self.platform, "error": error}
        return {**facts(self.result), "error": error}


@dataclass(frozen=True, slots=True)
class _Order:
    """What was asked for, for whichever destination."""

    chosen: Settings
    purpose: str
    recipient: str | None
    basis: str | None
    max_age: str | None
    allow_stale: bool
    dry_run: bool

    def done(
        self, ledger: Ledger, registry: Registry, told: DestinationSettings, advance: Advance
    ) -> ExportResult:
        """Tell one destination."""
        from suppress.export import BASIS
        from suppress.export import export as run

        self._require_fresh(ledger, told)
        with ExitStack() as stack:
            exporter = registry.exporter(told, self.chosen.state)
            stack.callback(exporter.close)
            return run(
                ledger,
                exporter,
                told,
                purpose=self.purpose,
                recipient=self.recipient or told.recipient or told.name,
                basis=self.basis or told.basis or BASIS,
                actor=actor(),
                dry_run=self.dry_run,
                state=self.chosen.state,
                progress=advance,
            )

    def tried(self, ledger: Ledger, registry: Registry, told: DestinationSettings, advance: Advance) -> _Done:
        """The same, where another destination must not suffer for what is wrong with this one.

        Raises:
            SuppressError: What is wrong is the ledger, the disk, or what was asked for.
        """
        from suppress.errors import ConfigWrong, DestinationFailed, OutputRefused, SignInNeeded, SourceFailed
        from suppress.plugin.errors import CallForbidden

        try:
            result = self.done(ledger, registry, told, advance)
        except (
            DestinationFailed, SignInNeeded, SourceFailed, ConfigWrong, OutputRefused, CallForbidden
        ) as failure:  # fmt: skip
            return _Done(told.name, told.platform, None, failure)
        return _Done(told.name, told.platform, result, result.failure)

    def _require_fresh(self, ledger: Ledger, told: DestinationSettings) -> None:
        from suppress.check.freshness import read_up_to, require_fresh
        from suppress.errors import Stale

        where = "--max-age" if self.max_age is not None else f"destinations.{told.name}.max_age"
        text = self.max_age or told.max_age
        if text is None:
            return
        longest = duration(where, text)
        if self.allow_stale:
            return
        try:
            require_fresh(read_up_to(ledger, self.chosen.sources), longest, datetime.now(UTC))
        except Stale as stale:
            raise Stale(stale.message, remedy=f"{stale.remedy}; or go on with --allow-stale") from None


def _names(chosen: Settings, asked: Sequence[str], *, everywhere: bool) -> tuple[str, ...]:
    from suppress.errors import BadUsage, ConfigWrong

    if everywhere and asked:
        raise BadUsage("--all and the names of destinations exclude one another")
    if not everywhere:
        if not asked:
            raise BadUsage(
                "export needs a destination", remedy="suppress export --all, or suppress export csv -o FILE"
            )
        return tuple(dict.fromkeys(asked))
    if not chosen.destinations:
        raise ConfigWrong(
            "no destination is configured",
            remedy="add [destinations.NAME] to suppress.toml, or: suppress export csv -o FILE",
        )
    return tuple(chosen.destinations)


def _refuse_single(**given: object) -> None:
    from suppress.errors import BadUsage

    for name, value in given.items():
        if value is not None:
            raise BadUsage(f"--{name} belongs to the export to one destination")


def _destination(chosen: Settings, name: str, output: Path | None, preset: str | None) -> DestinationSettings:
    from suppress.config import DestinationSettings
    from suppress.errors import BadUsage, ConfigWrong

    found = chosen.destinations.get(name)
    if found is None:
        if name != "csv":
            raise ConfigWrong(
                chosen.lacks(name, known=["csv"]),
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


def _draw_all(screen: Screen, done: Sequence[_Done]) -> None:
    for each in done:
        if each.result is not None:
            draw(screen, each.result)
            screen.line()
    failed = sum(each.failure is not None for each in done)
    screen.line(f"{len(done) - failed:,} of {len(done):,} destinations hold everyone")


def _report(done: Sequence[_Done]) -> None:
    """Say what failed, and end as one failure would: sign-in is its own code only if nothing else failed."""
    from suppress.errors import DestinationFailed, SignInNeeded

    failures = [each for each in done if each.failure is not None]
    for each in failures:
        assert each.failure is not None
        note(f"suppress: {each.name}: {each.failure.message}")
        if each.failure.remedy is not None:
            note(f"  what to do: {each.failure.remedy}")
    if failures:
        signed_out = all(isinstance(each.failure, SignInNeeded) for each in failures)
        raise typer.Exit((SignInNeeded if signed_out else DestinationFailed).exit_code)

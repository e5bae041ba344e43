"""`suppress report`: the compliance audit of a period."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from suppress.cli.console import Screen, emit, note, progress
from suppress.cli.options import AsJson, DryRun, actor, appearance, settings

if TYPE_CHECKING:
    from suppress.config import Settings
    from suppress.report.issue import Issued
    from suppress.report.target import Target

DAY = "%Y-%m-%d"
Sender = Annotated[
    str | None, typer.Option("--sender", help="Count only what binds this sender. [default: all]")
]
Destination = Annotated[
    list[str] | None,
    typer.Option("--destination", help="Judge only this destination; may be repeated. [default: all]"),
]
AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        metavar="DAY|INSTANT",
        help="Report as it could have been made then, from the entries up to it. [default: now]",
    ),
]
Policy = Annotated[
    list[str] | None,
    typer.Option(
        "--policy",
        metavar="ID|FILE",
        help="Judge under this policy, of the shipped table or a TOML file; may be repeated. "
        "[default: `policies` of the settings]",
    ),
]
Sample = Annotated[
    int,
    typer.Option("--sample", min=0, max=1_000, help="Requests to draw and to prove one by one."),
]
Seed = Annotated[
    str | None,
    typer.Option("--seed", help="What the draw follows from: let the auditor choose. [default: the root]"),
]
WhatIf = Annotated[
    list[str] | None,
    typer.Option(
        "--what-if",
        metavar="policy=ID|deleted-missed",
        help="Replay the period under another policy, or as if deleted contacts had been missed.",
    ),
]
Since = Annotated[
    datetime | None,
    typer.Option(formats=[DAY], help="First day. [default: the ledger's first entry]"),
]
Until = Annotated[datetime | None, typer.Option(formats=[DAY], help="Last day, included. [default: today]")]
FormatName = Annotated[
    str | None,
    typer.Option("--format", help="html, pdf, xlsx, json, csv or all. [default: by the name's ending]"),
]
Output = Annotated[
    str | None,
    typer.Option(
        "-o",
        "--output",
        metavar="PATH",
        help="A file, a folder for all formats, or - . [default: suppress-report.html]",
    ),
]
Full = Annotated[bool, typer.Option("--full", help="Show addresses where a person is named: personal data.")]


def report(
    ctx: typer.Context,
    since: Since = None,
    until: Until = None,
    format_: FormatName = None,
    output: Output = None,
    full: Full = False,
    sender: Sender = None,
    destination: Destination = None,
    as_of: AsOf = None,
    policy: Policy = None,
    sample: Sample = 25,
    seed: Seed = None,
    what_if: WhatIf = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Report what was honoured, missed, hidden and changed, and prove the figures.

    Verifies the ledger, and records that the report was issued. Exit code 1 if a request is overdue
    or a suppressed person is mailable again; the report is written all the same.

        suppress report -o audit.html
        suppress report --since 2026-07-01 --until 2026-09-30 --full -o q3.html
        suppress report -o audit-2026-q3
        suppress report --as-of 2026-09-30 --policy ca.casl --what-if deleted-missed -o then.html
    """
    from functools import partial

    from suppress.audit import verify
    from suppress.ledger import Ledger
    from suppress.report.asking import Wanted
    from suppress.report.issue import issue

    target = _target(format_, output, as_json=as_json)
    chosen = settings(ctx)
    wanted = Wanted(
        since=_day(since),
        until=_day(until),
        full=full,
        as_of=_instant(as_of, chosen),
        sender=sender,
        destinations=tuple(destination or ()),
        policies=tuple(policy or ()),
        sample=sample,
        seed=seed,
        what_if=tuple(what_if or ()),
    )
    with (
        Ledger.open(chosen.ledger, keys=chosen.keys, read_only=dry_run) as ledger,
        progress("Verifying and reading", appearance=appearance(ctx), unit="entries") as advance,
    ):
        issued = issue(
            ledger,
            chosen,
            wanted,
            target,
            partial(verify, chosen.ledger, keys=chosen.keys, apart=True),
            now=datetime.now(UTC),
            actor=actor(),
            dry_run=dry_run,
            progress=advance,
        )
    _tell(ctx, issued, as_json=as_json)
    if issued.facts.verdict.findings:
        raise typer.Exit(1)


def _target(format_: str | None, output: str | None, *, as_json: bool) -> Target:
    from suppress.errors import BadUsage
    from suppress.report.target import STDOUT, Format, Target

    names = [each.value for each in Format]
    if format_ is not None and format_ not in names:
        raise BadUsage(f"--format {format_} is none of {', '.join(names)}", remedy="suppress report --help")
    chosen = None if format_ is None else Format(format_)
    if as_json and output is None and chosen in (None, Format.JSON):
        return Target(Format.JSON, STDOUT)
    target = Target.chosen(chosen, output)
    if as_json and target.place == STDOUT and target.format is not Format.JSON:
        raise BadUsage(
            f"--json and the {target.format} report cannot both go to standard output",
            remedy="give the report a file with -o",
        )
    return target


def _day(given: datetime | None) -> date | None:
    return None if given is None else given.date()


def _instant(text: str | None, chosen: Settings) -> datetime | date | None:
    """A day, or an instant; without a zone the sender's."""
    from suppress.errors import BadUsage
    from suppress.report.period import Zone

    if text is None:
        return None
    try:
        if len(text) == len("2026-09-30"):
            return date.fromisoformat(text)
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=found.tzinfo or Zone.named(chosen.timezone).rules)
    except ValueError:
        raise BadUsage(
            f"--as-of {text} is neither a day nor an instant",
            remedy="write 2026-09-30 or 2026-09-30T17:00:00Z",
        ) from None


def _tell(ctx: typer.Context, issued: Issued, *, as_json: bool) -> None:
    from suppress.report.target import STDOUT

    if issued.target.place != STDOUT:
        emit("report", _facts(issued), as_json=as_json, human=lambda screen: _draw(screen, issued))
    elif issued.receipt is None and as_json:
        # A dry run wrote nothing to standard output yet.
        emit("report", _facts(issued), as_json=True, human=lambda _screen: None)
    else:
        said = (
            "dry run: nothing was written"
            if issued.receipt is None
            else f"recorded as entry {issued.receipt:,}"
        )
        note(said, appearance=appearance(ctx))


def _facts(issued: Issued) -> dict[str, object]:
    from suppress.report.json import plain

    written = {
        "format": issued.target.format.value,
        "path": issued.target.place,
        "sha256": issued.digest,
        "bytes": issued.bytes,
        "entry": issued.receipt,
        "left_out": list(issued.left_out),
    }
    return {"written": None if issued.receipt is None else written, **plain(issued.facts)}


def _draw(screen: Screen, issued: Issued) -> None:
    from suppress.report.contents import NUMBERS, tables
    from suppress.report.headline import standing

    found = tables(issued.facts)
    headline = standing(issued.facts.verdict)
    style = {"bad": "bold red", "warn": "bold yellow", "good": "bold green"}[headline.kind]
    screen.line(f"{headline.symbol} {headline.headline}: {headline.says}", style=style)
    screen.line()
    for name, value in found[NUMBERS].rows:
        screen.line(f"{value!s:>9}  {name}")
    for point in issued.facts.verdict.points:
        screen.line(f"{point.weight.value}: {point.says}")
        screen.line(f"  next: {point.next_step}", style="dim")
    screen.line()
    if issued.receipt is None:
        screen.line("dry run: nothing was written")
        return
    kind = "full: holds personal data" if issued.facts.manifest.audience == "full" else "redacted"
    for said in issued.left_out:
        screen.line(said, style="yellow")
    screen.fields(
        [
            ("report", f"{issued.target.place} ({kind})"),
            ("sha256 of the sums" if issued.target.is_folder else "sha256", issued.digest),
            ("recorded as entry", issued.receipt),
            ("ledger", f"size {issued.facts.manifest.ledger.size:,}, verified"),
        ]
    )

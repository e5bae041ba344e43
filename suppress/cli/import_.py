"""`suppress import`: old opt-outs, with their original dates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from suppress.cli.console import Screen, emit, note, progress
from suppress.cli.options import AsJson, DryRun, actor, appearance, one_address, quoted, settings
from suppress.errors import BadUsage

if TYPE_CHECKING:
    from suppress.files.contacts import ContactFile
    from suppress.intake import Imported, Layout

_SHOWN = 20
"""Remarks printed for people; all that were kept are in the JSON."""


def import_(
    ctx: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="A CSV file of opt-outs.")],
    profile: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="constant-contact: an export of its screens. [default: found]"),
    ] = None,
    mapping: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="FIELD=COLUMN,…",
            help="What the columns mean: email, date, received, reason, source. Every row is an opt-out.",
        ),
    ] = None,
    source: Annotated[
        str | None, typer.Option(metavar="NAME", help="What to call the source in the ledger.")
    ] = None,
    rejected: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write the rows without an address, each with why.")
    ] = None,
    day_first: Annotated[
        bool, typer.Option("--day-first", help="Read 3/4/2024 as the third of April.")
    ] = False,
    header: Annotated[
        bool | None, typer.Option("--header/--no-header", help="Whether the first row names columns.")
    ] = None,
    delimiter: Annotated[
        str | None, typer.Option(help="comma, semicolon, tab, bar or one character. [default: found]")
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="Of the file. [default: found]")] = None,
    sheet: Annotated[
        str | None,
        typer.Option(metavar="NAME|NUMBER", help="Of a workbook. [default: the first one with an address]"),
    ] = None,
    canary: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ADDRESS",
            help="The list holds digests; this address, so spelled, is known to be in it. May be repeated.",
        ),
    ] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Record the opt-outs of an old list with their original dates.

    Safe to kill and to repeat: what is recorded is not recorded again. Nobody is ever made mailable.

        suppress import contact_export.csv
        suppress import old.csv --map email=Mail,date="Opted out",reason=Why --rejected rejected.csv
        suppress import partner.csv --canary Seed.One@Example.com --source "Acme Partners"
    """
    from suppress.files.contacts import ContactFile, Reading
    from suppress.files.dates import zone_named
    from suppress.intake import import_file
    from suppress.intake.hashed import Hashed, trust
    from suppress.ledger import Ledger

    chosen, look = settings(ctx), appearance(ctx)
    with ExitStack() as stack:
        ledger = stack.enter_context(Ledger.open(chosen.ledger, keys=chosen.keys, read_only=dry_run))
        reading = Reading(encoding=encoding, delimiter=delimiter, header=header, sheet=sheet)
        contacts = stack.enter_context(ContactFile.open(file, reading, need_addresses=False, twice=True))
        layout = _layout(contacts, profile, tuple(mapping or ()), tuple(canary or ()))
        if isinstance(layout, Hashed) and not dry_run:
            trust(ledger, contacts, layout.proof, source=source or layout.source, actor=actor())
        if profile is None and not mapping and not canary:
            note(f"{contacts.name}: recognised as {layout.profile} by its header", appearance=look)
        result = import_file(
            ledger,
            contacts,
            layout,
            source=source,
            zone=zone_named(chosen.timezone),
            day_first=day_first,
            rejected=rejected,
            now=datetime.now(UTC),
            actor=actor(),
            dry_run=dry_run,
            progress=stack.enter_context(progress("Importing", appearance=look)),
        )
        head = ledger.head()
    for warning in result.warnings:
        note(f"note: {warning}", appearance=look)
    facts = {"file": contacts.name, **_facts(result), "dry_run": dry_run, "ledger": quoted(head)}
    emit(
        "import",
        facts,
        as_json=as_json,
        human=lambda screen: _draw(screen, contacts.name, result, rejected),
    )


def _layout(
    contacts: ContactFile, profile: str | None, mapping: Sequence[str], canaries: Sequence[str]
) -> Layout:
    from suppress.intake import layout_of
    from suppress.intake.hashed import hashed_layout, refuse_digests

    if not canaries:
        if profile is None:
            refuse_digests(contacts, mapping)
        return layout_of(contacts, profile=profile, mapping=mapping)
    if profile is not None:
        raise BadUsage("--canary and --profile each say what the list is: give one of them")
    return hashed_layout(contacts, [one_address(each) for each in canaries], mapping)


def _facts(result: Imported) -> Mapping[str, object]:
    return {
        "profile": result.profile,
        "source": result.source,
        "digest": result.digest,
        "rows": result.rows,
        "accepted": result.accepted,
        "duplicate": result.duplicate,
        "ignored": result.ignored,
        "rejected": result.rejected,
        "undated": result.undated,
        "unreadable_dates": result.unreadable_dates,
        "malformed": result.malformed,
        "remarks": [{"line": each.line, "text": each.text} for each in result.remarks],
        "warnings": list(result.warnings),
        "entry": result.seq,
    }


def _draw(screen: Screen, name: str, result: Imported, rejected: str | None) -> None:
    dry = result.seq is None
    screen.heading(f"{name} ({result.profile}){', dry run: nothing was written' if dry else ''}")
    screen.fields(
        [
            ("rows", result.rows),
            ("  would be recorded" if dry else "  recorded", result.accepted),
            ("  people already suppressed" if dry else "  already there", result.duplicate),
            ("  not opt-outs", result.ignored),
            ("  rejected", result.rejected),
            ("opt-outs without a date", result.undated),
        ]
    )
    if result.malformed:
        screen.line(f"{result.malformed:,} opt-outs have an address that mail systems refuse; kept as given.")
    for remark in result.remarks[:_SHOWN]:
        screen.line(f"line {remark.line}: {remark.text}")
    more = result.rejected + result.unreadable_dates - min(_SHOWN, len(result.remarks))
    if more > 0:
        screen.line(f"and {more:,} more remarks; --json has up to 1,000 of them")
    if result.rejected and rejected is None:
        screen.line("Next: look at the rejected rows: run it again with --rejected FILE")
    elif result.rejected and not dry:
        screen.line(f"Next: mend the rows in {rejected} and import them")
    else:
        screen.line("Next: suppress import without --dry-run" if dry else "Next: suppress status")

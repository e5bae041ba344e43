"""`suppress import`: old opt-outs, with their original dates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from suppress.cli.console import Screen, emit, note, progress
from suppress.cli.options import (
    AsJson,
    Delimiter,
    DryRun,
    Encoding,
    Header,
    Sheet,
    actor,
    appearance,
    one_address,
    quoted,
    settings,
)
from suppress.errors import BadUsage

if TYPE_CHECKING:
    from suppress.core.hashed import Form
    from suppress.files.contacts import ContactFile
    from suppress.intake import Imported, Layout

_SHOWN = 20
"""Remarks printed for people; all that were kept are in the JSON."""

File = Annotated[str, typer.Argument(metavar="FILE|-", help="A list of opt-outs, in any format.")]
Profile = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Whose export it is; a wrong one lists all. [default: found]"),
]
ColumnMap = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        metavar="FIELD=COLUMN,…",
        help="What the columns mean: email, date, received, reason, source. Every row is an opt-out.",
    ),
]
Source = Annotated[str | None, typer.Option(metavar="NAME", help="What to call the source in the ledger.")]
Rejected = Annotated[
    str | None, typer.Option(metavar="FILE", help="Write the rows without an address, each with why.")
]
DateFormat = Annotated[
    Literal["mdy", "dmy"] | None,
    typer.Option(help="Whether 3/4/2024 is March 4th or April 3rd. [default: as the whole file shows]"),
]
Canary = Annotated[
    list[str] | None,
    typer.Option(
        metavar="ADDRESS",
        help="The list holds digests; this address, so spelled, is known to be in it. May be repeated.",
    ),
]
DigestForm = Annotated[
    str | None,
    typer.Option(
        metavar="FORM", help="The list holds digests, made of addresses in this form; none is tried."
    ),
]


def import_(
    ctx: typer.Context,
    file: File,
    profile: Profile = None,
    mapping: ColumnMap = None,
    source: Source = None,
    rejected: Rejected = None,
    date_format: DateFormat = None,
    header: Header = None,
    delimiter: Delimiter = None,
    encoding: Encoding = None,
    sheet: Sheet = None,
    canary: Canary = None,
    form: DigestForm = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Record the opt-outs of an old list with their original dates.

    Safe to kill and to repeat: what is recorded is not recorded again. Nobody is ever made mailable. Rows
    that could not be taken are listed, and make the exit code 1.

        suppress import contact_export.csv --dry-run
        suppress import old.csv --map email=Mail,date="Opted out",reason=Why --rejected rejected.csv
        suppress import partner.csv --canary Seed.One@Example.com --source "Acme Partners"
    """
    from suppress.files.contacts import ContactFile, Reading
    from suppress.files.dates import zone_named
    from suppress.intake import import_file
    from suppress.intake.hashed import Hashed, trust
    from suppress.intake.recognising import recognised_by
    from suppress.ledger import Ledger

    chosen, look = settings(ctx), appearance(ctx)
    with ExitStack() as stack:
        ledger = stack.enter_context(Ledger.open(chosen.ledger, keys=chosen.keys, read_only=dry_run))
        reading = Reading(encoding=encoding, delimiter=delimiter, header=header, sheet=sheet)
        contacts = stack.enter_context(ContactFile.open(file, reading, need_addresses=False, twice=True))
        layout = _layout(contacts, profile, tuple(mapping or ()), tuple(canary or ()), form)
        if isinstance(layout, Hashed) and not dry_run:
            trust(ledger, contacts, layout.proof, source=source or layout.source, actor=actor())
        for assumption in contacts.assumptions:
            note(f"{contacts.name}: {assumption}", appearance=look)
        if profile is None and not mapping and not canary:
            note(f"{contacts.name}: recognised as {recognised_by(layout)}", appearance=look)
        result = import_file(
            ledger,
            contacts,
            layout,
            source=source,
            zone=zone_named(chosen.timezone),
            date_format=date_format,
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
    if result.rejected:
        raise typer.Exit(1)


def _layout(
    contacts: ContactFile,
    profile: str | None,
    mapping: Sequence[str],
    canaries: Sequence[str],
    form: str | None,
) -> Layout:
    from suppress.intake import layout_of
    from suppress.intake.hashed import digest_columns, hashed_layout, named_layout, refuse_digests
    from suppress.intake.profiles import profiles

    if canaries:
        if profile is not None or form is not None:
            raise BadUsage("--canary shows what the list is; --profile and --form say it: give one of them")
        return hashed_layout(contacts, [one_address(each) for each in canaries], mapping)
    usual = next((each.hashed for each in profiles() if each.name == profile and each.hashed), None)
    if form is not None or (usual is not None and digest_columns(contacts)):
        return named_layout(contacts, _form(form) if form is not None or usual is None else usual, mapping)
    if profile is None:
        refuse_digests(contacts, mapping)
    return layout_of(contacts, profile=profile, mapping=mapping)


def _form(text: str | None) -> Form:
    from suppress.core.hashed import IN_WORDS, Form

    try:
        return Form(text or "")
    except ValueError:
        known = ", ".join(f"{each.value} ({words})" for each, words in IN_WORDS.items())
        raise BadUsage(f"--form {text!r} is none that is known", remedy=f"one of {known}") from None


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
        "batch": result.batch,
        "reasons": dict(result.reasons),
        "unknown": dict(result.unknown),
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
            *((f"opt-outs: {reason}", number) for reason, number in result.reasons.items()),
            ("batch", result.batch),
        ]
    )
    for word, number in result.unknown.items():
        screen.line(f"{number:,} rows not imported: the status “{word}” is not known", style="yellow")
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

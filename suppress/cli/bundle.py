"""`suppress bundle`: what an auditor gets, and checks without us."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from suppress.cli.console import Screen, emit, progress
from suppress.cli.options import AsJson, DryRun, actor, appearance, settings
from suppress.errors import BadUsage

if TYPE_CHECKING:
    from suppress.bundle import Grade, Made
    from suppress.core.address import Address

_ENTRIES = re.compile(r"([0-9]{1,18})(?:-([0-9]{1,18}))?")
MOST = 100_000
"""Entries that may be chosen: each has a proof in a file of its own."""


def bundle(
    ctx: typer.Context,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="The folder to make; it may hold nothing.")
    ],
    more: Annotated[list[str] | None, typer.Argument(metavar="[SEQ]...", hidden=True)] = None,
    entries: Annotated[
        list[str] | None,
        typer.Option(metavar="SEQ", help="These entries with their content: 12, 40-45 or 12,40-45."),
    ] = None,
    address: Annotated[
        str | None, typer.Option(help="What is recorded about this person, and nothing about anybody else.")
    ] = None,
    open_: Annotated[
        bool, typer.Option("--open", help="Every entry with its content: addresses, evidence.")
    ] = False,
    previous: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="An earlier bundle or checkpoint: prove that it still holds."),
    ] = None,
    audience: Annotated[str, typer.Option(help="Who gets it: an organisation or a role.")] = "auditor",
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Make a folder that proves the ledger, or part of it, to somebody with openssl and a shell.

    By default it holds every entry and nobody's address. It is checked by the script in it, or by suppress
    verify:

        suppress bundle -o audit-2026
        suppress bundle -o sample --entries 12 --entries 40-45 --audience "Miller and Co"
        suppress bundle -o for-pat --address pat@example.com --audience "the person"
        suppress bundle -o audit-2027 --previous audit-2026
    """
    from datetime import UTC, datetime

    from suppress.bundle import Wanted
    from suppress.bundle import bundle as run
    from suppress.ledger import Ledger

    grade, seqs = _grade(entries, more, address, open_=open_)
    chosen = settings(ctx)
    wanted = Wanted(grade, seqs, _address(address), previous, audience)
    with (
        Ledger.open(chosen.ledger, keys=chosen.keys, read_only=dry_run) as ledger,
        progress("Proving", appearance=appearance(ctx), unit="entries") as advance,
    ):
        made = run(
            ledger,
            output,
            wanted,
            organisation=chosen.organisation,
            now=datetime.now(UTC),
            actor=actor(),
            dry_run=dry_run,
            progress=advance,
        )
    emit("bundle", _facts(made, dry_run=dry_run), as_json=as_json, human=lambda screen: _draw(screen, made))


def _grade(
    entries: list[str] | None, more: list[str] | None, address: str | None, *, open_: bool
) -> tuple[Grade, tuple[int, ...]]:
    from suppress.bundle import Grade

    if more and not entries:
        raise BadUsage(f"{more[0]!r} is not an option", remedy="suppress bundle --help")
    if sum((bool(entries), address is not None, open_)) > 1:
        raise BadUsage(
            "--entries, --address and --open are three different bundles", remedy="make them one by one"
        )
    if entries:
        return Grade.ENTRIES, _seqs([*entries, *(more or ())])
    if address is not None:
        return Grade.PERSON, ()
    return (Grade.OPEN if open_ else Grade.WHOLE), ()


def _seqs(texts: Sequence[str]) -> tuple[int, ...]:
    found: set[int] = set()
    for text in (part.strip() for each in texts for part in each.split(",")):
        match = _ENTRIES.fullmatch(text)
        if match is None:
            raise BadUsage(f"--entries {text!r} is not a number, or two with a hyphen between them")
        first = int(match[1])
        last = first if match[2] is None else int(match[2])
        if last < first:
            raise BadUsage(f"--entries {text}: the last is before the first")
        if last - first >= MOST or len(found) > MOST:
            raise BadUsage(f"over {MOST:,} entries", remedy="leave --entries out for all, or add --open")
        found.update(range(first, last + 1))
    return tuple(sorted(found))


def _address(text: str | None) -> Address | None:
    from suppress.core.address import Address

    try:
        return None if text is None else Address.parse(text)
    except ValueError as nothing:
        raise BadUsage(f"{text!r} holds no address") from nothing


def _facts(made: Made, *, dry_run: bool) -> dict[str, object]:
    return {
        "folder": made.place,
        "grade": made.grade.value,
        "entries": made.entries,
        "openings": made.openings,
        "erased": made.erased,
        "previous": made.previous,
        "digest": made.digest,
        "bytes": made.bytes,
        "vkey": made.vkey,
        "receipt": made.receipt,
        "dry_run": dry_run,
        "ledger": {"size": made.size, "root": made.root, "checkpoint": made.checkpoint},
    }


_SHOWS = {
    "whole": "every entry, and nobody's address",
    "open": "every entry with its content",
    "entries": "chosen entries with their content, and proof of their places",
    "person": "what is recorded about one person, and nothing about anybody else",
}


def _draw(screen: Screen, made: Made) -> None:
    would = " (dry run: nothing was written)" if made.receipt is None else ""
    screen.heading(f"{made.place}: {_SHOWS[made.grade.value]}{would}")
    screen.fields(
        [
            ("ledger", f"{made.size:,} entries, root {made.root}"),
            ("in it", f"{made.entries:,} entries, {made.openings:,} with content"),
        ]
    )
    if made.erased:
        screen.line(f"Erased on record, and so without content: {len(made.erased):,} entries")
    if made.previous is not None:
        screen.line(f"It proves that its first {made.previous:,} entries are those of the earlier bundle.")
    if made.receipt is None:
        return
    screen.fields([("sha256", made.digest), ("recorded", f"entry {made.receipt:,}"), ("key", made.vkey)])
    screen.line(f"Check it: sh {made.place}/verify.sh -k KEY.pem, or suppress verify {made.place} --key VKEY")
    screen.line("Give the key by another way than the bundle.")

"""`suppress verify`: prove the ledger, or name its first bad entry."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from suppress.cli.console import Screen, emit, progress
from suppress.cli.options import AsJson, appearance, settings

if TYPE_CHECKING:
    from suppress.audit import Verification

WITHOUT_ANCHOR = 3
"""Exit code: everything that can be checked from inside is right, and no outside checkpoint was given."""


def verify(
    ctx: typer.Context,
    key: Annotated[
        list[str] | None,
        typer.Option("--key", metavar="VKEY", help="Pin this public key. [default: the keys folder's]"),
    ] = None,
    anchor: Annotated[
        list[Path] | None,
        typer.Option("--anchor", metavar="NOTE", help="A checkpoint that was kept elsewhere."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Prove that every entry is as it was signed, or name the first that is not.

    Exit 0: verified. 1: tampered. 3: verified, but without a checkpoint that was kept elsewhere, which alone
    shows that no older copy was put back:

        suppress verify
        suppress verify --anchor march.note --key "$(cat log.vkey)"
    """
    from suppress.audit import verify as run

    chosen = settings(ctx)
    with progress("Verifying", appearance=appearance(ctx), unit="entries") as advance:
        result = run(
            chosen.ledger,
            keys=chosen.keys,
            vkeys=tuple(key or ()),
            anchors=tuple(anchor or ()),
            progress=lambda _step, done, total: advance(done, total),
        )
    emit("verify", asdict(result), as_json=as_json, human=lambda screen: _draw(screen, result))
    if not result.ok:
        raise typer.Exit(1)
    if not result.anchors:
        raise typer.Exit(WITHOUT_ANCHOR)


def _draw(screen: Screen, result: Verification) -> None:
    bad = result.first_bad
    if bad is not None:
        screen.line(f"NOT VERIFIED: {bad.what}", style="bold red")
        if bad.seq is not None:
            screen.line(f"First bad entry: {bad.seq:,}")
        if bad.between is not None:
            good, size = bad.between
            screen.line(f"The first {good:,} entries are as they were signed; those up to {size:,} are not.")
        screen.line("Next: stop writing, keep this copy, and compare it with your newest backup.")
        return
    screen.line(f"Verified: {result.size:,} entries are as they were signed.", style="bold green")
    screen.fields([("Root", result.root), ("Anchors", ", ".join(result.anchors) or "none")])
    screen.line("Not checked:")
    for each in result.not_checked:
        screen.line(f"  - {each}")

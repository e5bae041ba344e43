"""`suppress verify`: prove a ledger or a bundle, or name the first bad entry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from suppress.cli.console import Screen, emit, progress
from suppress.cli.options import AsJson, appearance, settings

if TYPE_CHECKING:
    from suppress.audit import Verification
    from suppress.bundle.checking import BundleVerification
    from suppress.ledger.values import Bad, Compared

UNANCHORED = 3
"""Exit code: all that can be checked from inside is right, and nothing that was kept outside was given."""


def verify(
    ctx: typer.Context,
    bundle: Annotated[
        Path | None, typer.Argument(metavar="[BUNDLE]", help="A bundle's folder. [default: the ledger]")
    ] = None,
    key: Annotated[
        list[str] | None,
        typer.Option("--key", metavar="VKEY", help="Pin this public key. [default: the keys folder's]"),
    ] = None,
    anchor: Annotated[
        list[Path] | None,
        typer.Option("--anchor", metavar="NOTE", help="A checkpoint that was kept elsewhere."),
    ] = None,
    previous: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Your earlier bundle: its checkpoint is an anchor.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Prove that every entry is as it was signed, or name the first that is not.

    Exit 0: verified. 1: tampered. 3: verified, and nothing that was kept outside was given: of a ledger a
    checkpoint, which alone shows that no older copy was put back; of a bundle the key or a checkpoint:

        suppress verify
        suppress verify --anchor march.note --key "$(cat log.vkey)"
        suppress verify audit-2026 --key "$(cat log.vkey)" --previous audit-2025
    """
    anchors = (*(anchor or ()), *([previous] if previous is not None else ()))
    if bundle is not None:
        _verify_bundle(ctx, bundle, tuple(key or ()), anchors, as_json=as_json)
        return
    from suppress.audit import verify as run

    chosen = settings(ctx)
    with progress("Verifying", appearance=appearance(ctx), unit="entries") as advance:
        result = run(
            chosen.ledger,
            keys=chosen.keys,
            vkeys=tuple(key or ()),
            anchors=anchors,
            progress=lambda _step, done, total: advance(done, total),
            apart=True,
        )
    emit("verify", asdict(result), as_json=as_json, human=lambda screen: _draw(screen, result))
    if not result.ok:
        raise typer.Exit(1)
    if not result.anchors:
        raise typer.Exit(UNANCHORED)


def _verify_bundle(
    ctx: typer.Context, folder: Path, keys: Sequence[str], anchors: Sequence[Path], *, as_json: bool
) -> None:
    from suppress.bundle.checking import verify as run

    with progress("Verifying", appearance=appearance(ctx), unit="entries") as advance:
        result = run(folder, vkeys=keys, anchors=anchors, progress=advance)
    facts = {**asdict(result), "bundle": str(folder)}
    emit("verify", facts, as_json=as_json, human=lambda screen: _draw_bundle(screen, folder, result))
    if not result.ok:
        raise typer.Exit(1)
    if result.stands_alone:
        raise typer.Exit(UNANCHORED)


def _draw(screen: Screen, result: Verification) -> None:
    if result.first_bad is not None:
        _draw_bad(screen, result.first_bad, result.compared)
        screen.line("Next: stop writing, keep this copy, and compare it with your newest backup.")
        return
    screen.line(f"Verified: {result.size:,} entries are as they were signed.", style="bold green")
    screen.fields([("Root", result.root), ("Anchors", ", ".join(result.anchors) or "none")])
    _draw_unchecked(screen, result.not_checked)


def _draw_bundle(screen: Screen, folder: Path, result: BundleVerification) -> None:
    if result.first_bad is not None:
        _draw_bad(screen, result.first_bad, result.compared)
        screen.line(f"Next: keep {folder} as it is, and ask for another bundle.")
        return
    found = f"{result.entries_checked:,} entries of a ledger of {result.size:,} are as they were signed."
    screen.line(f"Verified: {found}", style="bold green")
    screen.fields(
        [
            ("Shows", result.grade),
            ("Openings", result.openings),
            ("Root", result.root),
            ("Key", f"{result.key}{' (from the bundle: compare it)' if result.stands_alone else ''}"),
            ("Anchors", ", ".join(result.anchors) or "none"),
            ("sha256", result.digest),
        ]
    )
    _draw_unchecked(screen, result.not_checked)


_SAYS: Mapping[str | None, str] = {
    "holds": "fits",
    "forked": "names other entries",
    "ahead": "covers more entries than there are",
    "foreign": "is not signed with a key of this ledger",
    None: "was not compared",
}


def _draw_bad(screen: Screen, bad: Bad, compared: Sequence[Compared]) -> None:
    screen.line(f"NOT VERIFIED: {bad.what}", style="bold red")
    if bad.seq is not None:
        screen.line(f"First bad entry: {bad.seq:,}")
    if bad.between is not None:
        good, size = bad.between
        screen.line(f"The first {good:,} entries are as they were signed; those up to {size:,} are not.")
    for each in compared:
        size_of = "" if each.size is None else f" ({each.size:,} entries)"
        screen.line(f"Anchor {each.anchor}{size_of}: {_SAYS[each.result]}")


def _draw_unchecked(screen: Screen, not_checked: Sequence[str]) -> None:
    screen.line("Not checked:")
    for each in not_checked:
        screen.line(f"  - {each}")

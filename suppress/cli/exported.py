"""How the outcome of an export is shown: for a person, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from suppress.cli.console import Screen

if TYPE_CHECKING:
    from suppress.export import ExportResult


def facts(result: ExportResult) -> Mapping[str, object]:
    """One destination, for other programs."""
    estimate = result.estimate
    return {
        "destination": result.destination,
        "platform": result.platform,
        "dry_run": result.dry_run,
        "count": result.count,
        "addresses": result.addresses,
        "outcomes": result.outcomes,
        "sent": result.sent,
        "accepted": result.accepted,
        "confirmed": result.confirmed,
        "verified": result.verified,
        "pending": result.pending,
        "failed": result.failed,
        "erased": result.position.erased,
        "released": result.released,
        "unrepresented": result.unrepresented,
        "lost": result.lost,
        "estimate": None
        if estimate is None
        else {"writes": estimate.writes, "reads": estimate.reads, "seconds": round(estimate.seconds)},
        "pushed_at": result.pushed_at,
        "confirmed_at": result.confirmed_at,
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


def draw(screen: Screen, result: ExportResult) -> None:
    """One destination, for a person."""
    would = " (dry run: nothing was written)" if result.dry_run else ""
    screen.heading(f"{result.destination} ({result.platform}){would}")
    outcomes = [(outcome.replace("_", " "), count) for outcome, count in result.outcomes.items()]
    screen.fields([("people", result.count), *((f"  {name}", count) for name, count in outcomes)])
    if result.addresses != result.count:
        screen.fields([("addresses", f"{result.addresses:,}: each spelling on record was handed over")])
    if result.estimate is not None:
        requests = result.estimate.writes + result.estimate.reads
        screen.fields(
            [
                (
                    "would take",
                    f"about {requests:,} requests ({result.estimate.reads:,} of them only look), "
                    f"{_span(result.estimate.seconds)} or more",
                )
            ]
        )
    if not result.dry_run:
        screen.fields(
            [
                ("sent", result.sent),
                ("accepted", result.accepted),
                ("verified", f"{result.confirmed:,}: {_verified(result)}"),
                *([("still worked on", result.pending)] if result.pending else []),
                ("file", result.place),
                ("manifest", f"{result.place}.manifest.json" if result.place else None),
                ("sha256", result.artefact),
                ("receipt", f"entry {result.receipt}, covers the ledger up to entry {result.upto}"),
            ]
        )
    for words in _remarks(result):
        screen.line(words, style="yellow")


def _verified(result: ExportResult) -> str:
    return "everyone is there" if result.verified else "not everyone was seen there"


def _remarks(result: ExportResult) -> Iterator[str]:
    for words in result.unrepresented:
        yield f"Not in it: {words}"
    if result.position.erased:
        erased = result.position.erased
        people = "1 suppressed person was" if erased == 1 else f"{erased:,} suppressed people were"
        yield f"{people} erased: no list can name them, so keep checking imports with suppress check"
    if result.released:
        people = "1 person is" if result.released == 1 else f"{result.released:,} people are"
        yield f"{people} released in the ledger, still suppressed at {result.destination}"


def _span(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"

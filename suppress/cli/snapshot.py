"""`suppress snapshot`: what a machine without the ledger needs to check lists."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from suppress.cli.console import Screen, emit
from suppress.cli.options import AsJson, actor, duration, settings

if TYPE_CHECKING:
    from suppress.check.taking import Taken


def snapshot(
    ctx: typer.Context,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="The file to write.")],
    recipient: Annotated[str, typer.Option(help="Who gets it: an organisation or a system.")] = "",
    valid_for: Annotated[
        str, typer.Option(metavar="SPAN", help="How long it may be used: 24h, 7d. At most 92 days.")
    ] = "7d",
    as_json: AsJson = False,
) -> None:
    """Write a signed copy of who may not be mailed, without their addresses, for machines without the ledger.

    Beside it goes FILE.secret, without which nobody in it can be recognised: keep the two apart on the way.

        suppress snapshot -o list.snapshot --recipient "Acme CI"
        suppress check contacts.csv --offline list.snapshot --key "$(cat log.vkey)" --max-age 24h
    """
    from suppress.check.taking import take
    from suppress.ledger import Ledger

    chosen = settings(ctx)
    with Ledger.open(chosen.ledger, keys=chosen.keys) as ledger:
        taken = take(
            ledger,
            output,
            recipient=recipient,
            valid_for=duration("--valid-for", valid_for),
            sources=chosen.sources,
            now=datetime.now(UTC),
            actor=actor(),
        )
        vkey = ledger.vkey
    facts = {
        "file": str(taken.place),
        "secret": str(taken.secret),
        "digest": taken.digest,
        "made": taken.head.made,
        "valid_until": taken.head.until,
        "rows": taken.count,
        "rules": len(taken.head.rules.domains.rules),
        "sources": dict(taken.head.sources),
        "entry": taken.seq,
        "key": vkey,
        "ledger": {"size": taken.head.size, "root": taken.head.root, "checkpoint": taken.head.checkpoint},
    }
    emit("snapshot", facts, as_json=as_json, human=lambda screen: _draw(screen, taken, vkey))


def _draw(screen: Screen, taken: Taken, vkey: str) -> None:
    again = " (as before)" if taken.kept_secret else " (new)"
    screen.fields(
        [
            ("snapshot", str(taken.place)),
            ("secret", f"{taken.secret}{again}"),
            (
                "recognises",
                f"{taken.count:,} keyed hashes, {len(taken.head.rules.domains.rules):,} rules",
            ),
            ("valid until", f"{taken.head.until:%Y-%m-%d %H:%M}Z"),
            ("sha256", taken.digest),
            ("entry", taken.seq),
        ]
    )
    screen.line("Carry the secret another way than the snapshot. Whoever has both can ask about any address.")
    screen.line(f'Next, there: suppress check FILE --offline {taken.place.name} --key "{vkey}"')

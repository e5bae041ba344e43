"""`suppress revert`: take an import back, as far as nobody did what it says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import typer

from suppress.cli.console import Screen, emit, progress
from suppress.cli.options import AsJson, DryRun, actor, appearance, quoted, settings
from suppress.errors import BadUsage

if TYPE_CHECKING:
    from suppress.intake.reverting import Batch, Reverted


def revert(
    ctx: typer.Context,
    batch: Annotated[
        str | None, typer.Argument(metavar="BATCH", help="As `suppress import` said. [default: list them]")
    ] = None,
    approver: Annotated[str, typer.Option(metavar="NAME", help="Who answers for it.")] = "",
    reason: Annotated[str, typer.Option(help="Why the import was wrong, without an address.")] = "",
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Take an import back: strike out its entries, but for those that people made themselves.

    Rows that say that somebody unsubscribed, complained or asked go on suppressing them: exit code 1 says
    that there are some. An import of nothing else is refused.

        suppress revert 3f9a1c20b7de --approver "Kim Lee" --reason "this was the list of customers"
    """
    from suppress.intake.reverting import batches
    from suppress.intake.reverting import revert as run
    from suppress.ledger import Ledger

    chosen, look = settings(ctx), appearance(ctx)
    with ExitStack() as stack:
        reading = dry_run or batch is None
        ledger = stack.enter_context(Ledger.open(chosen.ledger, keys=chosen.keys, read_only=reading))
        if batch is None:
            if approver or reason:
                raise BadUsage("which import is to be taken back?", remedy="suppress revert lists them")
            every, head = tuple(batches(ledger)), ledger.head()
            listed: dict[str, object] = {"batches": [_batch(each) for each in every], "ledger": quoted(head)}
            emit("revert", listed, as_json=as_json, human=lambda screen: _draw_list(screen, every))
            return
        done = run(
            ledger,
            batch,
            approver=approver,
            reason=reason,
            actor=actor(),
            dry_run=dry_run,
            progress=stack.enter_context(progress("Taking back", appearance=look)),
        )
        head = ledger.head()
    facts = {**_facts(done), "dry_run": dry_run, "ledger": quoted(head)}
    emit("revert", facts, as_json=as_json, human=lambda screen: _draw(screen, done))
    if done.left:
        raise typer.Exit(1)


def _batch(batch: Batch) -> Mapping[str, object]:
    body = batch.body
    return {
        "batch": batch.name,
        "entry": batch.seq,
        "at": batch.at,
        "actor": batch.actor,
        "profile": body.profile,
        "source": body.source,
        "rows": body.rows,
        "accepted": body.accepted,
    }


def _facts(done: Reverted) -> Mapping[str, object]:
    return {
        **_batch(done.batch),
        "struck_out": done.struck,
        "already": done.already,
        "left": {"by_people": done.by_people, "other_imports": done.shared, "erased": done.erased},
        "seq": done.seq,
    }


def _draw_list(screen: Screen, every: Sequence[Batch]) -> None:
    if not every:
        screen.line("There are no imports that could be taken back.")
        return
    rows = [
        (
            each.name,
            f"{each.at:%Y-%m-%d %H:%M}Z",
            each.body.profile,
            each.body.source,
            each.body.rows,
            each.body.accepted,
        )
        for each in every
    ]
    screen.table(("batch", "imported", "profile", "source", "rows", "recorded"), rows)


def _draw(screen: Screen, done: Reverted) -> None:
    dry = done.seq is None
    screen.heading(
        f"import {done.batch.name} (entry {done.batch.seq})"
        + (": dry run, nothing was written" if dry else f" is taken back by entry {done.seq}")
    )
    screen.fields(
        [
            ("would be struck out" if dry else "struck out", done.struck),
            ("struck out before", done.already),
            ("left: what people did", sum(done.by_people.values())),
            ("left: other imports say so too", done.shared),
            ("left: people who were erased", done.erased),
        ]
    )
    screen.line("Next: suppress revert without --dry-run" if dry else "Next: suppress status")

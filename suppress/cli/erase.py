"""`suppress erase`: remove a person's address and evidence. They stay suppressed."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from suppress.cli.console import Screen, agreed, emit, note
from suppress.cli.options import AsJson, DryRun, Yes, actor, quoted, settings
from suppress.errors import BadUsage

if TYPE_CHECKING:
    from suppress.erasure import Prospect
    from suppress.ledger import Erasure, Head, Ledger

Who: TypeAlias = Annotated[
    str, typer.Argument(metavar="ADDRESS", help="In any spelling; - reads it from standard input.")
]
Basis: TypeAlias = Annotated[
    str, typer.Option(metavar="TEXT", help="The legal basis. Stays in the ledger for good.")
]
Request: TypeAlias = Annotated[
    str | None,
    typer.Option(metavar="ID", help="The request's own number; only a commitment to it is kept."),
]
Override: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="REASON",
        help="Do it although a destination has not honoured the opt-out. Stays in the ledger for good.",
    ),
]


def erase(
    ctx: typer.Context,
    address: Who,
    basis: Basis,
    request: Request = None,
    override: Override = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Remove a person's address and evidence. They stay suppressed, and check still finds them.

    Refused while a destination has not honoured their opt-out, because afterwards nobody can be told:

        suppress erase pat@example.com --basis "Art. 17 GDPR" --request DSR-2026-17
    """
    from suppress.erasure import erase as run
    from suppress.erasure import require_told
    from suppress.ledger import Grounds

    with ExitStack() as stack:
        ledger, prospect = opened(ctx, stack, address, read_only=dry_run)
        require_told(prospect, override)
        done = None
        if not dry_run:
            if prospect.held and not agreed(_question(prospect), yes=yes):
                declined()
            grounds = Grounds(basis, request, override or "")
            done = run(ledger, prospect, grounds, actor=actor())
        facts = {**described(prospect, done, ledger.head()), "dry_run": dry_run}
    emit("erase", facts, as_json=as_json, human=lambda screen: _draw(screen, prospect, done, request))


def opened(ctx: typer.Context, stack: ExitStack, address: str, *, read_only: bool) -> tuple[Ledger, Prospect]:
    """The ledger, and what it knows about the person. Raises `BadUsage` where there is no address."""
    from suppress.core.address import addresses_in
    from suppress.erasure import look
    from suppress.ledger import Ledger

    text = sys.stdin.readline().strip() if address == "-" else address
    found = addresses_in(text)
    if len(found) != 1 or "@" not in found[0].key:
        raise BadUsage(f"{text!r} is not one address", remedy="name one person at a time")
    chosen = settings(ctx)
    ledger = stack.enter_context(Ledger.open(chosen.ledger, keys=chosen.keys, read_only=read_only))
    return ledger, look(ledger, chosen.destinations, found[0])


def declined() -> None:
    """End after a "no"."""
    note("nothing was changed")
    raise typer.Exit(130)


def described(prospect: Prospect, done: Erasure | None, head: Head) -> Mapping[str, object]:
    """What both `erase` and `forget` say with --json."""
    return {
        "address": prospect.address.raw,
        "known": prospect.known,
        "suppressed": prospect.suppressed,
        "entries": prospect.held if done is None else done.entries,
        "digests": [
            {
                "rule": str(each.recipe),
                "trusted": each.trusted,
                "entries": [one.entry.seq for one in each.history],
            }
            for each in prospect.digests
        ],
        "recorded": () if done is None else done.recorded,
        "salts": () if done is None else done.salts,
        "remaining": [
            {"seq": each.entry.seq, "type": each.entry.body.type, "at": each.entry.at}
            for each in prospect.recorded
        ],
        "destinations": [
            {
                "destination": each.destination,
                "honoured": each.honoured,
                "configured": each.configured,
                "receipt": each.receipt,
            }
            for each in prospect.destinations
        ],
        "untold": prospect.untold,
        "copies": [str(each) for each in prospect.copies],
        "remains": prospect.remains,
        "ledger": quoted(head),
    }


def unknown(screen: Screen, prospect: Prospect) -> None:
    """Nobody is known by this address."""
    screen.line(f"Nothing is recorded about {prospect.address.raw}: nothing was removed.")
    if prospect.other_spelling:
        screen.line("Another address that reaches the same mailbox is recorded: name that one.")


def digests(screen: Screen, prospect: Prospect) -> None:
    """What goes with the address although it does not name it."""
    if prospect.held_digests:
        entries = ", ".join(map(str, prospect.held_digests))
        screen.line(f"With them the digest of this address in a partner's list: entries {entries}.")


def outside(screen: Screen, prospect: Prospect) -> None:
    """What is beyond our reach."""
    if prospect.untold:
        screen.line(f"Not honoured by: {', '.join(prospect.untold)}", style="yellow")
    told = [each.destination for each in prospect.destinations if each.receipt is not None]
    if told:
        screen.line(f"Told before, and not changed by this: {', '.join(told)}")
    screen.line("Outside our reach: files that were handed out, and backups of the ledger.")
    if prospect.remains:
        screen.line(prospect.remains)
    for copy in prospect.copies:
        screen.line(f"  {copy} is a copy from before an upgrade: delete it when you no longer need it")


def opening(screen: Screen, done: Erasure | None, request: str | None) -> None:
    """What shows, with the request's number, that the entry is about this request."""
    for salt in () if done is None or request is None else done.salts:
        screen.line(f"Keep with request {request}; both together open the commitment in the entry: {salt}")


def _question(prospect: Prospect) -> str:
    return (
        f"Remove address and evidence of {prospect.address.raw} from "
        f"{len(prospect.held)} {'entry' if len(prospect.held) == 1 else 'entries'}? This cannot be undone."
    )


def _draw(screen: Screen, prospect: Prospect, done: Erasure | None, request: str | None) -> None:
    who = prospect.address.raw
    if not prospect.known:
        unknown(screen, prospect)
        return
    entries = ", ".join(str(seq) for seq in (prospect.held if done is None else done.entries))
    if done is None:
        screen.heading(f"{who} would be erased (dry run: nothing was written)")
        screen.line(f"Address and evidence would go from entries {entries or 'none'}.")
    elif done.entries:
        screen.heading(f"{who} was erased: entry {', '.join(map(str, done.recorded))}")
        screen.line(f"Gone are address and evidence of entries {entries}.")
    else:
        screen.heading(f"{who} was erased before: entry {', '.join(map(str, done.recorded))}")
    digests(screen, prospect)
    stays = "They stay suppressed" if prospect.suppressed else "They were not suppressed, and are not now"
    screen.line(
        f"What remains: {len(prospect.recorded)} entries without an address, and a keyed index that "
        f"recognises it. {stays}; a new destination can no longer be told."
    )
    outside(screen, prospect)
    opening(screen, done, request)
    if done is not None and done.entries:
        screen.line(
            "Next: lists that we keep name them until they are written anew: suppress export DESTINATION"
        )

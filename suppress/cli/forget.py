"""`suppress forget`: remove a person from the ledger altogether. They are no longer protected."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import typer

from suppress.cli.console import Screen, agreed, emit, note, require_terminal, typed
from suppress.cli.erase import (
    Basis,
    Override,
    Request,
    Who,
    declined,
    described,
    digests,
    opened,
    opening,
    outside,
    unknown,
)
from suppress.cli.options import AsJson, DryRun, Yes, actor
from suppress.errors import BadUsage

if TYPE_CHECKING:
    from suppress.erasure import Prospect
    from suppress.ledger import Erasure

WORDS = "no longer protected"
"""What has to be typed before a person is forgotten."""


def forget(
    ctx: typer.Context,
    address: Who,
    basis: Basis,
    request: Request = None,
    override: Override = None,
    confirm: Annotated[
        str | None, typer.Option(metavar="TEXT", help=f'"{WORDS}": answers the second question.')
    ] = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Remove a person altogether: address, evidence, and what recognises them. Anybody may mail them again.

    For a court order, or when the purpose of suppressing them has ended. For a request under Art. 17 GDPR
    use erase, which keeps them suppressed. It asks twice:

        suppress forget pat@example.com --basis "court order 4 C 12/26"
        suppress forget - --basis "court order" --yes --confirm "no longer protected" < address.txt
    """
    from suppress.erasure import forget as run
    from suppress.erasure import require_told
    from suppress.ledger import Grounds

    if confirm is not None and confirm != WORDS:
        raise BadUsage(f"--confirm {confirm!r} is not what is asked for", remedy=f'--confirm "{WORDS}"')
    with ExitStack() as stack:
        ledger, prospect = opened(ctx, stack, address, read_only=dry_run)
        require_told(prospect, override)
        done = None
        if not dry_run:
            if prospect.known and not _agreed(prospect, yes=yes, confirmed=confirm is not None):
                declined()
            grounds = Grounds(basis, request, override or "")
            done = run(ledger, prospect, grounds, actor=actor())
        facts = {
            **described(prospect, done, ledger.head()),
            "suppressed": prospect.suppressed and done is None,
            "dry_run": dry_run,
        }
    emit("forget", facts, as_json=as_json, human=lambda screen: _draw(screen, prospect, done, request))


def _agreed(prospect: Prospect, *, yes: bool, confirmed: bool) -> bool:
    who = prospect.address.raw
    if not agreed(f"Forget {who}? This cannot be undone.", yes=yes):
        return False
    if confirmed:
        return True
    require_terminal(f'--confirm "{WORDS}"')
    note(f"{who} will not be recognised any more: the next sync, import or export may mail them.")
    return typed(f'Type "{WORDS}" to go on:') == WORDS


def _draw(screen: Screen, prospect: Prospect, done: Erasure | None, request: str | None) -> None:
    who = prospect.address.raw
    if not prospect.known:
        unknown(screen, prospect)
        return
    if done is None:
        screen.heading(f"{who} would be forgotten (dry run: nothing was written)")
    else:
        screen.heading(f"{who} was forgotten: entry {', '.join(map(str, done.recorded))}")
    screen.line("They are no longer protected: suppress check lets this address pass.", style="bold red")
    digests(screen, prospect)
    screen.line(
        f"What remains: {len(prospect.recorded)} entries about a random number that nothing leads back from. "
        "Should they opt out again, they are somebody new."
    )
    outside(screen, prospect)
    opening(screen, done, request)

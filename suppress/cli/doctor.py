"""`suppress doctor`: what is wrong, and what to do about it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from suppress.cli.console import Screen, emit, note
from suppress.cli.options import AsJson, root

if TYPE_CHECKING:
    from suppress.doctor import Examined
    from suppress.plugin.contract import Compared

_MARKS = {"pass": ("ok  ", "green"), "warn": ("warn", "yellow"), "fail": ("FAIL", "red")}


def doctor(
    ctx: typer.Context,
    queries: Annotated[
        bool,
        typer.Option("--queries", help="Also ask sources in every way, and count whom each one misses."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Look at settings, ledger, keys, disk, plugins, sources and destinations; change nothing.

    A few requests for each account; --queries reads it whole several times, and says first how many requests
    that takes. No address is printed.

    Ends with 0 when nothing failed, else with 2 for the configuration, 10, 11, 12 or 70 for the ledger and
    its disk, 5 for a source or destination (the first of these that failed):

        suppress doctor
        suppress doctor --queries
    """
    from suppress.doctor import examine, exit_code

    given = root(ctx)
    announce = _announce if queries else None
    examined = list(examine(config=given.config, ledger=given.ledger, announce=announce))
    counts = Counter(each.finding.severity.value for each in examined)
    facts = {
        "ok": not counts["fail"],
        "passed": counts["pass"],
        "warned": counts["warn"],
        "failed": counts["fail"],
        "findings": [
            {
                "area": each.area,
                "subject": each.finding.subject,
                "severity": each.finding.severity.value,
                "message": each.finding.message,
                "hint": each.finding.hint,
            }
            for each in examined
        ],
        "queries": {
            each.area.removeprefix("source "): [_facts(one) for one in each.compared]
            for each in examined
            if each.compared
        },
    }
    emit("doctor", facts, as_json=as_json, human=lambda screen: _draw(screen, examined, counts))
    raise typer.Exit(exit_code(examined))


def _announce(area: str, requests: int) -> None:
    note(f"{area}: comparing queries takes {requests:,} requests")


def _facts(compared: Compared) -> dict[str, object]:
    return {
        "query": compared.query,
        "contacts": compared.contacts,
        "found": compared.found,
        "missed": compared.missed,
        "missed_deleted": compared.missed_deleted,
        "since": compared.since,
        "requests": compared.requests,
    }


def _draw(screen: Screen, examined: list[Examined], counts: Counter[str]) -> None:
    area = None
    for each in examined:
        if each.area != area:
            area = each.area
            screen.heading(area)
        finding = each.finding
        mark, style = _MARKS[finding.severity.value]
        screen.line(f"  {mark}  {finding.subject}: {finding.message}", style=style)
        if finding.hint is not None and finding.severity.value != "pass":
            screen.line(f"        {finding.hint}")
        if each.compared:
            screen.table(
                ["query", "contacts", "opted out", "missed", "of these deleted"],
                [
                    (one.query, one.contacts, one.found, one.missed, one.missed_deleted)
                    for one in each.compared
                ],
            )
            for one in each.compared:
                if one.since is not None:
                    screen.line(f"  {one.query}: missed of the opt-outs since {one.since:%Y-%m-%d} alone")
    screen.line(f"{counts['pass']} fine, {counts['warn']} to look at, {counts['fail']} failed")

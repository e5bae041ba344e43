"""`suppress doctor`: what is wrong, and what to do about it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import typer

from suppress.cli.console import Screen, emit
from suppress.cli.options import AsJson, root

if TYPE_CHECKING:
    from suppress.doctor import Examined

_MARKS = {"pass": ("ok  ", "green"), "warn": ("warn", "yellow"), "fail": ("FAIL", "red")}


def doctor(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Look at settings, ledger, keys, disk, plugins, sources and destinations; change nothing.

    Ends with 0 when nothing failed, else with 2 for the configuration, 10, 11, 12 or 70 for the ledger and
    its disk, 5 for a source or destination (the first of these that failed):

        suppress doctor
        suppress doctor --json
    """
    from suppress.doctor import examine, exit_code

    given = root(ctx)
    examined = list(examine(config=given.config, ledger=given.ledger))
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
    }
    emit("doctor", facts, as_json=as_json, human=lambda screen: _draw(screen, examined, counts))
    raise typer.Exit(exit_code(examined))


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
    screen.line(f"{counts['pass']} fine, {counts['warn']} to look at, {counts['fail']} failed")

"""The tables of what did not work: losses in translation, outages, runs by week, exceptions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from suppress.core.entry import Honoured
from suppress.report.activity import Act
from suppress.report.annexes import WEEKS
from suppress.report.facts import Facts
from suppress.report.outages import Run, Week
from suppress.report.table import Listing, Table

_LOST: Mapping[str, str] = {
    "reason": "why they opted out: it stores no reason",
    "date": "when they opted out: it stores no date of ours",
    "source": "where the opt-out came from: it stores no source",
    "widened": "that they opted out of one sender or list alone: it stops everything there",
    "narrowed": "that they opted out of more: its other audiences must be told too",
    "erased": "people whose address was erased before it was told",
    "domain_rules": "rules for whole domains",
    "digest_lists": "partners' lists of digests",
}
RUNS: Mapping[Run, str] = {
    Run.READ: "reading the source",
    Run.TOLD: "telling the destination",
    Run.PATROLLED: "patrolling the destination",
}


@dataclass(frozen=True, slots=True)
class _Loss:
    act: Act[Honoured]
    what: str
    number: int | None


def lost(facts: Facts) -> Iterator[Table]:
    """What each destination cannot hold, by its newest receipt of the period."""
    newest = {act.body.destination: act for act in facts.activity.exports}
    yield (
        Listing(each for name in sorted(newest) for each in _losses(newest[name]))
        .column("Destination", lambda each: each.act.body.destination)
        .column("Receipt", lambda each: each.act.seq)
        .column("What it cannot hold", lambda each: each.what)
        .column("People or rules", lambda each: each.number)
        .table(
            "reason_losses",
            "What is lost when a destination is told: reasons, dates, scopes",
            empty="No destination was told in this period.",
        )
    )


def _losses(act: Act[Honoured]) -> Iterator[_Loss]:
    body = act.body
    if body.lost:
        for name, number in body.lost.items():
            yield _Loss(act, _LOST.get(name, name.replace("_", " ")), number)
    elif body.sent is None:
        yield _Loss(act, "not on record: this receipt is of a version that did not count losses", None)
    else:
        yield _Loss(act, "nothing that was counted", 0)


def availability(facts: Facts) -> Iterator[Table]:
    """Outages one by one, then the runs of the last weeks."""
    yield (
        Listing(facts.availability.outages)
        .column("System", lambda each: each.system)
        .column("What did not work", lambda each: RUNS[each.run])
        .column("Since", lambda each: each.began)
        .column("Until", lambda each: each.ended)
        .column("Runs", lambda each: each.runs)
        .column("First entry", lambda each: each.first)
        .column("Last entry", lambda each: each.last)
        .column("State", lambda each: "open" if each.ended is None else "closed")
        .table(
            "outages",
            "Outage log: runs that did not end whole, until one did",
            empty="Every run that is on record ended whole.",
        )
    )
    yield (
        Listing(shown_weeks(facts))
        .column("System", lambda each: each.system)
        .column("Run", lambda each: RUNS[each.run])
        .column("Week of", lambda each: each.week)
        .column("Runs", lambda each: each.runs)
        .column("Whole", lambda each: each.whole)
        .column("Whole, %", lambda each: 100 * each.whole // each.runs)
        .table("uptime", f"Runs by week, over the last {WEEKS} weeks", empty="No run.")
    )


def shown_weeks(facts: Facts) -> list[Week]:
    """Those of the newest weeks."""
    newest = max((each.week for each in facts.availability.weeks), default=date.min)
    return [each for each in facts.availability.weeks if (newest - each.week).days < 7 * WEEKS]


def exceptions(facts: Facts) -> Iterator[Table]:
    """Each kind of exception with its cause, and what became of it."""
    yield (
        Listing(facts.exceptions)
        .column("Exception", lambda each: each.what)
        .column("System", lambda each: each.system)
        .column("Root cause", lambda each: each.cause)
        .column("Number", lambda each: each.number)
        .column("Not put right", lambda each: each.still)
        .column("Put right by", lambda each: each.put_right)
        .column("Due", lambda each: each.due)
        .column("Owner", lambda each: each.owner or "not named in the settings")
        .column("First entry", lambda each: each.first)
        .column("Last entry", lambda each: each.last)
        .table("exceptions", "Exceptions and their remediation", empty="No exception.")
    )

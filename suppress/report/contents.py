"""The tables of a report, in the order in which a reader meets them; html and csv both take them from here.

Tables of what was done, entry by entry, are in `logs`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from suppress.report import about, annexes, logs, remedies
from suppress.report.census import Census, Month
from suppress.report.deadlines import Tally
from suppress.report.delays import delays
from suppress.report.facts import Facts
from suppress.report.judging import State
from suppress.report.rollforward import Movement
from suppress.report.table import Listing, Table, pairs
from suppress.report.timing import grouped, steps
from suppress.report.words import count_name, word

NUMBERS = "numbers"


def tables(facts: Facts) -> dict[str, Table]:
    """Every table, by name."""
    return {table.name: table for part in _PARTS for table in part(facts)}


def _summary(facts: Facts) -> Iterator[Table]:
    verdict = facts.verdict
    yield pairs(
        NUMBERS,
        "The five numbers",
        (
            ("People who may not be e-mailed, at the end of the period", verdict.suppressed),
            ("People found whom the usual query does not show", verdict.hidden),
            (f"Requests honoured in time or not yet due, of {verdict.requests:,}", verdict.in_time),
            ("Requests late or overdue", verdict.late + verdict.overdue),
            ("Suppressed people mailable again", verdict.drift_open),
        ),
    )
    yield (
        Listing(verdict.points)
        .column("Weight", lambda each: each.weight.value)
        .column("Finding", lambda each: each.says)
        .column("Next step", lambda each: each.next_step)
        .table("points", "What to do", empty="Nothing calls for action.")
    )


def _coverage(facts: Facts) -> Iterator[Table]:
    yield (
        Listing(facts.coverage.sources)
        .column("Source", lambda each: each.name)
        .column("Platform", lambda each: each.platform)
        .column("Sender", lambda each: each.sender)
        .column("Owner", lambda each: each.owner)
        .column("Configured", lambda each: each.configured)
        .column("Last complete run", lambda each: each.last_complete)
        .column("Read until", lambda each: each.read_until)
        .column("Last complete census", lambda each: each.last_census)
        .column("Last run complete", lambda each: each.last_run_complete)
        .column("Runs", lambda each: each.runs)
        .column("Incomplete runs", lambda each: each.incomplete_runs)
        .column("Requests", lambda each: each.requests)
        .table("sources", "Sources that are read", empty="No source is configured and none was ever read.")
    )
    yield (
        Listing(facts.coverage.brought)
        .column("Recorded under", lambda each: each.name)
        .column("Brought by", lambda each: word(each.origin))
        .column("Requests", lambda each: each.requests)
        .table("brought", "Requests that people, files and patrols brought", empty="None.")
    )
    yield (
        Listing(facts.coverage.destinations)
        .column("Destination", lambda each: each.name)
        .column("Platform", lambda each: each.platform)
        .column("Sender", lambda each: each.sender)
        .column("Owner", lambda each: each.owner)
        .column("Configured", lambda each: each.configured)
        .column("Active", lambda each: each.active)
        .column("Last told", lambda each: each.last_export)
        .column("People in the last receipt", lambda each: each.last_count)
        .column("Read back", lambda each: each.verified)
        .column("Told up to entry", lambda each: each.upto)
        .column("Requests not yet told", lambda each: each.untold)
        .column("Receipts", lambda each: each.exports)
        .table(
            "destinations",
            "Destinations that are told",
            empty="No destination is configured and none was ever told.",
        )
    )


def _census(facts: Facts) -> Iterator[Table]:
    population = facts.population
    counts = [
        (census.source, name, number)
        for census in population.censuses
        for name, number in (*_counts(census),)
    ]
    yield (
        Listing(counts)
        .column("Source", lambda each: each[0])
        .column("Counted", lambda each: each[1])
        .column("Number", lambda each: each[2])
        .table(
            "census",
            "What each source showed, by its last complete census",
            empty="No census was completed by the end of the period.",
        )
    )
    sums = [(census, identity) for census in population.censuses for identity in census.identities]
    yield (
        Listing(sums)
        .column("Source", lambda each: each[0].source)
        .column("Census of", lambda each: each[0].at)
        .column("Sum", lambda each: each[1].says)
        .column("Left", lambda each: each[1].left)
        .column("Right", lambda each: each[1].right)
        .column("Holds", lambda each: each[1].holds)
        .table("census_sums", "Sums of the census that must hold", empty="No census, so no sums.")
    )


def _visibility(facts: Facts) -> Iterator[Table]:
    population = facts.population
    total = Month("Total of dated requests", 0, 0, 0)
    for month in population.months:
        total = replace(
            total,
            visible=total.visible + month.visible,
            deleted=total.deleted + month.deleted,
            elsewhere=total.elsewhere + month.elsewhere,
        )
    yield (
        Listing((*grouped(population.months), total))
        .column("When the person acted", lambda each: each.month)
        .column("Visible", lambda each: each.visible)
        .column("Deleted, so hidden", lambda each: each.deleted)
        .column("From people and files", lambda each: each.elsewhere)
        .column("All", lambda each: each.visible + each.deleted + each.elsewhere)
        .table(
            "visibility",
            "Requests of the period, by when the person acted and whether the usual query shows them",
            has_total=True,
        )
    )
    yield (
        Listing(population.hidden)
        .column("Entry", lambda each: each.seq)
        .column("Person", lambda each: each.subject)
        .column("Address", lambda each: facts.addresses.get(each.seq), wanted=_full(facts))
        .column("Source", lambda each: each.source)
        .column("Reason", lambda each: word(each.reason))
        .column("Acted", lambda each: each.acted)
        .column("Recorded", lambda each: each.recorded)
        .table(
            "hidden",
            "People found who are deleted at the platform and may not be mailed"
            + _first_of(len(population.hidden), population.hidden_count),
        )
    )


def _roll_forward(facts: Facts) -> Iterator[Table]:
    roll = facts.roll_forward
    lines: list[Movement] = []
    for total in roll.totals:
        lines += [line for line in roll.reasons if line.channel is total.channel]
        lines.append(total)
    senders = [
        line for total in roll.totals for line in (*roll.senders, total) if line.channel is total.channel
    ]
    yield (
        _movements(lines, "Reason", _reason_of).table(
            "roll_forward",
            "Suppressed people carried forward over the period",
            empty="Nobody is suppressed, and nobody was.",
            has_total=bool(lines),
        )
    )
    yield (
        _movements(senders, "Sender", _sender_of).table(
            "senders",
            "The same by the sender whose source gave the leading reason",
            empty="Nobody is suppressed, and nobody was.",
            has_total=bool(senders),
        )
    )
    yield (
        Listing(roll.scopes)
        .column("Channel", lambda each: word(each.channel))
        .column("Scope", lambda each: each.scope)
        .column("People", lambda each: each.people)
        .table("scopes", "How far the suppressions reach", empty="Nobody is suppressed.")
    )


def _movements(lines: Sequence[Movement], name: str, of: Callable[[Movement], str]) -> Listing[Movement]:
    return (
        Listing(lines)
        .column("Channel", lambda each: word(each.channel))
        .column(name, of)
        .column("Opening", lambda each: each.opening)
        .column("plus new", lambda each: each.new)
        .column("plus re-asserted", lambda each: each.re_asserted)
        .column("less re-consented", lambda each: each.re_consented)
        .column("less corrected", lambda each: each.corrected)
        .column("less forgotten", lambda each: each.forgotten)
        .column("restated", lambda each: each.restated)
        .column("closing", lambda each: each.closing)
        .column("Adds up", lambda each: each.holds)
    )


def _reason_of(line: Movement) -> str:
    return "all reasons" if line.reason is None else word(line.reason)


def _sender_of(line: Movement) -> str:
    return "all senders" if line.sender is None else line.sender or "no particular sender"


_STATES = (
    State.MET,
    State.MET_AFTER_STRICT,
    State.LATE,
    State.OVERDUE,
    State.AT_RISK,
    State.OPEN,
    State.INHERITED,
    State.INHERITED_OPEN,
    State.ENDED,
)


def _deadlines(facts: Facts) -> Iterator[Table]:
    deadlines = facts.deadlines
    policies = Listing(deadlines.policies).column("Policy", lambda each: each.policy)
    destinations = (
        Listing(deadlines.destinations)
        .column("Policy", lambda each: each.policy)
        .column("Destination", lambda each: each.destination)
    )
    for listing in (policies, destinations):
        listing.column("Requests", lambda each: each.requests)
        for state in _STATES:
            listing.column(word(state).capitalize(), partial(Tally.count, state=state))
        listing.column("Unverifiable", lambda each: each.unverifiable)
        listing.column("Adds up", lambda each: each.holds)
        listing.column("First entry", lambda each: each.first_entry)
        listing.column("Last entry", lambda each: each.last_entry)
    policies.column("Sets the earliest date of", lambda each: deadlines.binding[each.policy])
    yield policies.table(
        "deadlines",
        "Deadlines by policy: each request once, as its worst destination stands",
        empty="No policy about e-mail is configured.",
    )
    yield destinations.table(
        "deadlines_by_destination", "Deadlines by destination", empty="No destination owed anything."
    )
    yield (
        Listing(deadlines.pending)
        .column("Policy", lambda each: each.policy)
        .column("State", lambda each: word(each.state))
        .column("Strict date", lambda each: each.strict)
        .column("Lenient date", lambda each: each.lenient)
        .column("Requests", lambda each: each.requests)
        .column("First entry", lambda each: each.first_entry)
        .column("Last entry", lambda each: each.last_entry)
        .table("pending", "Requests not yet honoured everywhere, by last day", empty="None is waiting.")
    )


def _misses(facts: Facts) -> Iterator[Table]:
    deadlines = facts.deadlines
    yield (
        Listing(deadlines.missed)
        .column("Entry", lambda each: each.seq)
        .column("Person", lambda each: each.subject)
        .column("Address", lambda each: facts.addresses.get(each.seq), wanted=_full(facts))
        .column("State", lambda each: word(each.state))
        .column("Destination", lambda each: each.destination)
        .column("Source", lambda each: each.source)
        .column("Clock started", lambda each: each.started)
        .column("by", lambda each: word(each.clock))
        .column("Recorded", lambda each: each.recorded)
        .column("Strict date", lambda each: each.strict)
        .column("Lenient date", lambda each: each.lenient)
        .column("Last day", lambda each: each.last_day)
        .column("Honoured", lambda each: each.honoured)
        .column("Receipt", lambda each: each.receipt)
        .column("Days used", lambda each: each.days_used)
        .column("Days over", lambda each: each.days_over)
        .column("Policy", lambda each: each.policy)
        .column("Cause", lambda each: each.cause)
        .table(
            "missed",
            "Late and overdue requests, one by one",
            empty="No request was late and none is overdue.",
        )
    )
    yield (
        Listing(deadlines.inherited)
        .column("Source", lambda each: each.source)
        .column("Destination", lambda each: each.destination)
        .column("Requests", lambda each: each.requests)
        .column("Not yet honoured", lambda each: each.still_open)
        .column("Honoured since", lambda each: each.honoured_first)
        .column("Last honoured", lambda each: each.honoured_last)
        .column("First entry", lambda each: each.first_entry)
        .column("Last entry", lambda each: each.last_entry)
        .table("inherited", "Inherited requests: their time was up before this process could know")
    )
    yield (
        Listing(steps(deadlines.taken))
        .column("Time", lambda each: each.name)
        .column("Requests", lambda each: each.timely)
        .column("Share so far, %", lambda each: each.within)
        .column("Inherited requests", lambda each: each.inherited)
        .table("time_to_honour", "Calendar days from the clock's start until a destination held the request")
    )
    yield (
        Listing(delays(deadlines.taken))
        .column("Destination", lambda each: each.destination)
        .column("Requests", lambda each: each.requests)
        .column("Fastest", lambda each: each.fastest)
        .column("A quarter within", lambda each: each.quarter)
        .column("Half within", lambda each: each.half)
        .column("Three quarters within", lambda each: each.three_quarters)
        .column("Slowest", lambda each: each.slowest)
        .table("delays", "Calendar days to each destination, inherited requests left out")
    )


def _drift(facts: Facts) -> Iterator[Table]:
    yield (
        Listing(facts.drift)
        .column("Entry", lambda each: each.seq)
        .column("Person", lambda each: each.subject)
        .column("Address", lambda each: facts.addresses.get(each.seq), wanted=_full(facts))
        .column("State", lambda each: "open" if each.closed is None else "closed")
        .column("Where", lambda each: each.source)
        .column("Found by", lambda each: "a patrol of the destination" if each.patrol else "a sync")
        .column("Reported as", lambda each: each.observed)
        .column("Since", lambda each: each.since)
        .column("Found", lambda each: each.found)
        .column("Closed", lambda each: each.closed)
        .column("Closed because", lambda each: word(each.closing))
        .column("Opened again", lambda each: each.reopened)
        .table("drift", "Suppressed people who were mailable again")
    )


def _counts(census: Census) -> Iterator[tuple[str, int]]:
    for name in sorted(census.counts, key=_place):
        yield count_name(name), census.counts[name]
        if name == "opted_out_deleted":
            yield "A plain status=unsubscribed query would have missed", census.missed_by_naive_sync
    if "opted_out_deleted" not in census.counts:
        yield "A plain query for opt-outs would have missed", census.missed_by_naive_sync


def _first_of(shown: int, all_of_them: int) -> str:
    return "" if shown == all_of_them else f" (the first {shown:,} of {all_of_them:,})"


def _full(facts: Facts) -> bool:
    return facts.manifest.audience == "full"


_COUNTS = (
    "opted_out",
    "opted_out_visible",
    "opted_out_deleted",
    "contacts",
    "mailable",
    "deleted",
    "without_address",
    "status_all",
    "status_all_counted",
    "status_unsubscribed",
    "status_unsubscribed_counted",
    "status_deleted",
    "status_deleted_counted",
    "rounds",
)
"""Counts of a census in the order of reading; others follow by name."""


def _place(count: str) -> tuple[int, str]:
    return (_COUNTS.index(count) if count in _COUNTS else len(_COUNTS), count)


_PARTS: Sequence[Callable[[Facts], Iterator[Table]]] = (
    _summary,
    about.manifest,
    about.basis,
    _coverage,
    _census,
    _visibility,
    _roll_forward,
    _deadlines,
    _misses,
    annexes.reach,
    remedies.lost,
    _drift,
    remedies.availability,
    remedies.exceptions,
    logs.handling,
    logs.lessened,
    annexes.access,
    annexes.sampling,
    annexes.replays,
    about.proof,
)

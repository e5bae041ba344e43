"""The tables of what a report is about, where its figures come from, what proves it, what it cannot know."""

from __future__ import annotations

from collections.abc import Iterator

from suppress.report.facts import Facts, Manifest, Quoted
from suppress.report.judging import State
from suppress.report.table import Listing, Table, Value, pairs
from suppress.report.words import word


def manifest(facts: Facts) -> Iterator[Table]:
    """The cover: what was asked for, of which ledger, and how to check it."""
    about = facts.manifest
    yield pairs(
        "manifest",
        "Manifest",
        (
            ("Organisation", about.organisation or "not configured"),
            ("Senders", ", ".join(about.senders) or "not configured"),
            ("First day of the period", about.period.since or "the ledger's first entry"),
            ("Last day of the period", about.period.until),
            ("Time zone of the days", about.period.timezone),
            ("As of", about.as_of),
            *_only(about),
            ("Variant", about.audience),
            ("Entries in the period", about.entries_in_period),
            ("First entry of the period, by number", about.first_seq),
            ("Last entry of the period, by number", about.last_seq),
            ("First entry of the ledger", about.first_entry),
            ("Last entry of the ledger", about.last_entry),
            ("Ledger", about.origin or "unknown"),
            ("Ledger size", about.ledger.size),
            ("Ledger root", about.ledger.root),
            *_earlier(about.ledger),
            ("Made by", about.tool),
            ("Verify with", about.verify_command),
        ),
    )


def _only(about: Manifest) -> Iterator[tuple[str, Value]]:
    if about.only_sender is not None:
        yield "Only what binds the sender", about.only_sender
    for name in about.only_destinations:
        yield "Only the destination", name


def _earlier(ledger: Quoted) -> Iterator[tuple[str, Value]]:
    """A report as of an earlier instant quotes a later checkpoint, and the proof that joins the two."""
    if ledger.signed_size is not None:
        yield "The checkpoint signs a size of", ledger.signed_size
        yield "Proof that it begins with this ledger (RFC 6962)", " ".join(ledger.consistency)


def basis(facts: Facts) -> Iterator[Table]:
    """From which entries each figure of the head was counted, so that anybody can count again."""
    manifest, verdict = facts.manifest, facts.verdict
    overall = facts.deadlines.overall
    period = _span(manifest.first_seq, manifest.last_seq)
    whole = _span(0, manifest.ledger.size - 1) if manifest.ledger.size else "none"
    requests = _span(overall.first_entry, overall.last_entry)
    rows = (
        ("Entries in the period", manifest.entries_in_period, period, "all"),
        (
            "People who may not be e-mailed",
            verdict.suppressed,
            whole if manifest.last_seq is None else _span(0, manifest.last_seq),
            "optout.recorded that no later optin.recorded lifts and no corrected or forgotten strikes out",
        ),
        (
            "People found whom the usual query does not show",
            verdict.hidden,
            period,
            "the first optout.recorded of a person with visibility deleted",
        ),
        (
            "Requests judged",
            overall.requests,
            requests,
            "optout.recorded about e-mail that is no bounce, of the period or not honoured everywhere before",
        ),
        *(
            (
                f"Requests {word(state)}",
                overall.count(state),
                requests,
                "the same, by the first honoured entry of each destination whose upto reaches them",
            )
            for state in (State.MET, State.LATE, State.OVERDUE)
        ),
        ("Suppressed people mailable again", verdict.drift_open, whole, "drift.found that has not ended"),
    )
    yield (
        Listing(rows)
        .column("Figure", lambda each: each[0])
        .column("Number", lambda each: each[1])
        .column("Counted from entries", lambda each: each[2])
        .column("Which of them", lambda each: each[3])
        .table("basis", "Where the figures come from")
    )


def _span(first: int | None, last: int | None) -> str:
    return "none" if first is None or last is None else f"{first:,} to {last:,}"


def proof(facts: Facts) -> Iterator[Table]:
    """What verifying found, the rules that were applied, the maximum by law, and the limits."""
    integrity = facts.integrity
    yield pairs(
        "integrity",
        "Verification of the ledger",
        (
            ("Result", {True: "verified", False: "does not verify", None: "not run"}[integrity.ok]),
            ("Entries checked", integrity.entries_checked),
            ("Anchors held against it", integrity.anchors),
            ("First bad entry", integrity.first_bad or "none"),
            *(("Not checked", each) for each in integrity.not_checked),
        ),
    )
    yield (
        Listing(facts.policies)
        .column("Policy", lambda each: each.id)
        .column("Version", lambda each: each.version)
        .column("Written in", lambda each: each.table)
        .column("Fingerprint", lambda each: each.fingerprint)
        .column("Title", lambda each: each.title)
        .column("Rule", lambda each: each.regime)
        .column("Clock starts at", lambda each: each.clock)
        .column("Time", lambda each: each.time)
        .column("Day zero", lambda each: each.day_zero)
        .column("Strict calendar", lambda each: each.strict)
        .column("Lenient calendar", lambda each: each.lenient)
        .column("Holidays from", lambda each: each.holidays)
        .column("Links must work, days", lambda each: each.mechanism_days)
        .column("Records", lambda each: each.record_retention)
        .column("In force from", lambda each: each.effective_from)
        .column("In force to", lambda each: each.effective_to)
        .column("Applied", lambda each: each.applied)
        .column("Source", lambda each: each.source)
        .column("Verified on", lambda each: each.verified_on)
        .table("policies", "The deadline policies used", empty="No policy is configured.")
    )
    exposure = facts.exposure
    yield pairs(
        "exposure",
        "Maximum by law, not a forecast",
        ()
        if exposure is None
        else (
            ("Maximum for one message, in US dollars", exposure.dollars),
            ("For penalties assessed since", exposure.since),
            ("Source", exposure.source),
            ("Requests late or overdue under us.can-spam", exposure.missed),
            ("Maximum if exactly one message followed each, in US dollars", exposure.one_message_each),
        ),
        empty="No amount is on record for the policies used.",
    )
    yield (
        Listing(facts.limits)
        .column("Limit", lambda each: each)
        .table("limits", "What this report cannot know")
    )

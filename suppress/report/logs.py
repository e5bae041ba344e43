"""The tables of what was done with the ledger, entry by entry."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from suppress.core.entry import Body, CheckDone, DomainLifted, DomainSuppressed, Erased, Forgotten, ImportDone
from suppress.report.activity import Act, Activity
from suppress.report.facts import Facts
from suppress.report.table import Listing, Table
from suppress.report.words import word

B = TypeVar("B", bound=Body)
R = TypeVar("R", Erased, Forgotten)

LISTED = 1_000
"""Entries of a kind that are listed one by one, the newest; the JSON form of the report holds them all."""


def handling(facts: Facts) -> Iterator[Table]:
    """What left, what was told, what came in, what was held back."""
    yield from _sent(facts.activity)
    yield from _taken(facts.activity)
    yield from _ruled(facts.activity)


def _sent(activity: Activity) -> Iterator[Table]:
    yield (
        _acts(activity.disclosures)
        .column("Destination", lambda each: each.body.destination)
        .column("Recipient", lambda each: each.body.recipient)
        .column("Purpose", lambda each: each.body.purpose)
        .column("Form", lambda each: each.body.form)
        .column("People", lambda each: each.body.count)
        .column("SHA-256", lambda each: each.body.artefact)
        .table(
            "disclosures",
            _capped("Disclosure log: addresses that left, to whom and why", activity.disclosures),
        )
    )
    yield (
        _acts(activity.exports)
        .column("Destination", lambda each: each.body.destination)
        .column("Told up to entry", lambda each: each.body.upto if each.body.upto >= 0 else None)
        .column("People", lambda each: each.body.count)
        .column("Requests not taken", lambda each: each.body.not_taken)
        .column("Read back", lambda each: each.body.verified)
        .column("SHA-256", lambda each: each.body.artefact)
        .table("exports", _capped("Receipts of destinations", activity.exports))
    )


def _taken(activity: Activity) -> Iterator[Table]:
    yield (
        _acts(activity.imports)
        .column("Source", lambda each: each.body.source)
        .column("Profile", lambda each: each.body.profile)
        .column("Rows", lambda each: each.body.rows)
        .column("Accepted", lambda each: each.body.accepted)
        .column("Duplicate", lambda each: each.body.duplicate)
        .column("Ignored", lambda each: each.body.ignored)
        .column("Rejected", lambda each: each.body.rejected)
        .column("Adds up", lambda each: each.body.rows == _import_sum(each))
        .column("SHA-256", lambda each: each.body.digest)
        .table("imports", _capped("Files of opt-outs that were imported", activity.imports))
    )
    yield (
        _acts(activity.checks)
        .column("Rows", lambda each: each.body.rows)
        .column("Kept", lambda each: each.body.kept)
        .column("Withheld", lambda each: each.body.withheld)
        .column("For review", lambda each: each.body.review)
        .column("Malformed", lambda each: each.body.invalid)
        .column("Adds up", lambda each: each.body.rows == _check_sum(each))
        .column("Asked for", lambda each: _terms(each.body))
        .column("By waivers", lambda each: each.body.waived or 0)
        .column("SHA-256", lambda each: each.body.digest)
        .table("checks", _capped("Contact files that were checked before an import", activity.checks))
    )


def _ruled(activity: Activity) -> Iterator[Table]:
    yield (
        _acts(activity.rules)
        .column("Domain", lambda each: each.body.domain)
        .column("Rule", lambda each: _rule(each.body))
        .column("Why", lambda each: each.body.note)
        .column("Overruled", lambda each: getattr(each.body, "forced", ""))
        .table("rules", _capped("Rules for whole domains, made and lifted", activity.rules))
    )
    yield (
        _acts(activity.hashes)
        .column("Source", lambda each: each.body.source)
        .column("Digests", lambda each: each.body.algorithm)
        .column("Of", lambda each: each.body.form)
        .column("Canaries", lambda each: each.body.canaries)
        .column("SHA-256", lambda each: each.body.digest)
        .table(
            "hashes",
            _capped("Lists of digests that were believed, and how they were proven", activity.hashes),
        )
    )


def lessened(facts: Facts) -> Iterator[Table]:
    """Whatever lessens protection or removes data, and the reports that were issued."""
    activity = facts.activity
    yield from _permitted(activity)
    yield (
        _acts(activity.corrections)
        .column("Struck-out entry", lambda each: each.body.entry)
        .column("Why", lambda each: each.body.reason)
        .column("Approved by", lambda each: each.body.approver)
        .column("Import taken back", lambda each: each.body.batch)
        .table("corrections", _capped("Entries struck out as wrong", activity.corrections))
    )
    erased = "People whose personal data was erased; they stay suppressed"
    yield _removed(activity.erasures).table("erasures", _capped(erased, activity.erasures))
    forgotten = "People who were forgotten; they are no longer protected"
    yield _removed(activity.forgotten).table("forgotten", _capped(forgotten, activity.forgotten))
    yield (
        _acts(activity.reports)
        .column("Variant", lambda each: each.body.audience)
        .column("Quoted size", lambda each: each.body.size)
        .column("Quoted root", lambda each: each.body.root)
        .column("SHA-256", lambda each: each.body.digest)
        .table("reports", _capped("Reports and bundles that were issued", activity.reports))
    )


def _permitted(activity: Activity) -> Iterator[Table]:
    yield (
        _acts(activity.consents)
        .column("Person", lambda each: each.body.subject)
        .column("Channel", lambda each: word(each.body.channel))
        .column("Scope", lambda each: str(each.body.scope))
        .column("Source", lambda each: each.body.source)
        .column("Consented", lambda each: each.body.occurred_at)
        .column("Approved by", lambda each: each.body.approver)
        .column("SHA-256 of the evidence", lambda each: each.body.evidence)
        .table("consents", _capped("Re-consent register: later, evidenced consents", activity.consents))
    )
    yield (
        _acts(activity.waivers)
        .column("Person", lambda each: each.body.subject)
        .column("Channel", lambda each: word(each.body.channel))
        .column("Purpose", lambda each: each.body.purpose)
        .column("Until", lambda each: each.body.until)
        .table(
            "waivers",
            _capped(
                "Waivers: suppressed people who may be mailed for one purpose until a day", activity.waivers
            ),
        )
    )


def _removed(acts: Sequence[Act[R]]) -> Listing[Act[R]]:
    return (
        _acts(acts)
        .column("Person", lambda each: each.body.subject)
        .column("Entries erased", lambda each: len(each.body.entries))
        .column("Basis", lambda each: each.body.basis)
        .column("Not honoured by", lambda each: ", ".join(each.body.untold))
        .column("Why all the same", lambda each: each.body.override)
    )


def _acts(acts: Sequence[Act[B]]) -> Listing[Act[B]]:
    return (
        Listing(acts[-LISTED:])
        .column("Entry", lambda each: each.seq)
        .column("Recorded", lambda each: each.at)
        .column("By", lambda each: each.actor)
    )


def _capped(caption: str, acts: Sequence[Act[B]]) -> str:
    return caption if len(acts) <= LISTED else f"{caption} (the newest {LISTED:,} of {len(acts):,})"


def _import_sum(act: Act[ImportDone]) -> int:
    body = act.body
    return body.accepted + body.duplicate + body.ignored + body.rejected


def _check_sum(act: Act[CheckDone]) -> int:
    return act.body.kept + act.body.withheld + act.body.review


def _terms(check: CheckDone) -> str:
    """What was asked, where it was not whether anybody may be sent commercial mail at all."""
    return ", ".join(f"{name.replace('_', ' ')} {said}" for name, said in (check.terms or {}).items())


def _rule(body: DomainSuppressed | DomainLifted) -> str:
    match body:
        case DomainLifted():
            return f"lifts entry {body.rule}"
        case DomainSuppressed():
            reach = "and below" if body.subdomains else "alone"
            return f"{reach}, {body.scope}, {word(body.reason)}"

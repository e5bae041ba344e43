"""What `suppress check` prints: why somebody is withheld, and the figures of a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from suppress.cli.console import Screen
from suppress.core.verdict import Ruling, Verdict

if TYPE_CHECKING:
    from suppress.check import Answer, FileChecked, Finding
    from suppress.check.spark import FolderChecked
    from suppress.check.tally import Found
    from suppress.cli.gate import OpenGate

_WORDS = {Ruling.SUPPRESSED: "withheld", Ruling.REVIEW: "review", Ruling.CLEAR: "kept"}
_STYLES = {Ruling.SUPPRESSED: "red", Ruling.REVIEW: "yellow", Ruling.CLEAR: "green"}


def answer_facts(answer: Answer, *, explain: bool) -> Mapping[str, object]:
    """One address, as JSON has it. A waiver is never silent, even where nothing is to be explained."""
    facts = {"address": answer.address, "verdict": answer.ruling.value, **_why(answer.verdict)}
    if explain:
        return {**facts, "waiver": answer.verdict.waiver, "role": answer.role}
    del facts["rule"]
    return facts if answer.verdict.waiver is None else {**facts, "waiver": answer.verdict.waiver}


def finding_facts(finding: Finding) -> Mapping[str, object]:
    """One row, as JSON has it."""
    decision = finding.decision
    return {
        "line": finding.line,
        "outcome": _WORDS[decision.ruling],
        "address": decision.address,
        **_why(decision.verdict),
        "doubt": decision.doubt,
        "waiver": decision.verdict.waiver,
        "role": decision.role,
    }


def file_facts(result: FileChecked | FolderChecked, gate: OpenGate) -> dict[str, object]:
    """The figures of a file, or of folders, as JSON has them."""
    found, head = result.found, gate.portable
    offline = None if head is None else {"made": head.made, "valid_until": head.until}
    return {
        "rows": result.rows,
        "kept": result.kept,
        "withheld": result.withheld,
        "review": result.review,
        "invalid": result.invalid,
        "files": dict(result.files),
        "ledger": dict(gate.ledger),
        "digest": result.digest,
        "entry": result.seq,
        "waived": found.waived,
        "waivers": list(found.waivers),
        "tiers": dict(found.tiers),
        "reasons": dict(found.reasons),
        "ages": dict(found.ages),
        "roles": found.roles,
        "terms": gate.mailing.terms,
        "offline": offline,
    }


def explanation(finding: Finding) -> str:
    """One row in a line."""
    decision = finding.decision
    why = "; ".join(each for each in (decision.doubt, in_words(decision.verdict)) if each)
    who = f" {decision.address}" if decision.address is not None else ""
    return f"line {finding.line}:{who} {_WORDS[decision.ruling]}: {why}{_tag(decision.role)}"


def in_words(verdict: Verdict) -> str:
    """Tier, rule, since when, source and reason; empty when it is clear."""
    if verdict.tier is None:
        return ""
    since = f"{verdict.since:%Y-%m-%d}" if verdict.since is not None else "an unknown date"
    waiver = f"let through by the waiver of entry {verdict.waiver}: " if verdict.waiver is not None else ""
    return (
        f"{waiver}{verdict.tier.value} match ({verdict.rule}), since {since}, source {verdict.source}, "
        f"reason {verdict.reason}"
    )


def draw_answers(screen: Screen, answers: Sequence[Answer]) -> None:
    """Addresses, one line each."""
    for each in answers:
        why = in_words(each.verdict)
        text = f"{each.address}: {each.ruling.value}{': ' if why else ''}{why}{_tag(each.role)}"
        screen.line(text, style=_STYLES[each.ruling])


def draw_file(screen: Screen, name: str, result: FileChecked, gate: OpenGate, *, explained: bool) -> None:
    """The summary of a file: where its rows went and why, and who was let through."""
    head = gate.portable
    against = "a ledger" if head is None else f"the snapshot of {head.made:%Y-%m-%d %H:%M}Z of a ledger"
    screen.heading(f"{name}: checked against {against} of {gate.ledger['size']:,} entries")
    for term, said in gate.mailing.terms.items():
        screen.line(f"asked for {term.replace('_', ' ')} {said}")
    screen.line(f"rows      {result.rows:,}")
    for kind, count in (("kept", result.kept), ("withheld", result.withheld), ("review", result.review)):
        target = result.files.get(kind)
        where = "" if target is None else f" → {'standard output' if target == '-' else target}"
        screen.line(f"{kind.ljust(8)}  {count:,}{where}")
    draw_found(screen, result.found)
    if result.invalid:
        screen.line(f"Of the kept rows, {result.invalid:,} hold no address that mail systems accept.")
    written = any(result.files.values())
    if head is not None and written:
        screen.line(f"No ledger is here, so nothing was recorded. SHA-256 of the list: {result.digest}")
    elif result.seq is None:
        screen.line("Dry run: nothing was written and nothing recorded.")
    elif not written:
        screen.line("Next: write the rows: --kept FILE --withheld FILE --review FILE")
    if result.withheld or result.review:
        why = "" if explained else "Why: add --explain. "
        screen.line(f"{why}The history of one person: suppress show ADDRESS")


def draw_found(screen: Screen, found: Found) -> None:
    """The figures by tier, reason and age, and who was let through."""
    for name, counts in (("by tier", found.tiers), ("by reason", found.reasons), ("by age", found.ages)):
        if counts:
            said = ", ".join(f"{each} {count:,}" for each, count in counts.items())
            screen.line(f"{name.ljust(10)}{said}")
    if found.roles:
        screen.line(f"Of the rows not kept, {found.roles:,} hold the address of an office, not of a person.")
    if found.waived:
        entries = ", ".join(map(str, found.waivers))
        screen.line(
            f"Let through by waivers: {found.waived:,} of the kept rows (entries {entries}).", style="yellow"
        )


def _why(verdict: Verdict) -> dict[str, object]:
    return {
        "tier": verdict.tier,
        "since": verdict.since,
        "source": verdict.source,
        "reason": verdict.reason,
        "rule": verdict.rule,
    }


def _tag(role: bool) -> str:
    return " [role account]" if role else ""

"""`suppress check`: may these people be mailed? The gate before an import."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from suppress.cli.console import Screen, emit, note, progress
from suppress.cli.options import AsJson, DryRun, actor, appearance, settings
from suppress.core.verdict import Ruling, Verdict
from suppress.errors import BadFile, BadUsage

if TYPE_CHECKING:
    from suppress.check import Alias, Answer, FileChecked, Finding, Targets
    from suppress.files.contacts import ContactFile, Reading
    from suppress.ledger import Lookup


def check(
    ctx: typer.Context,
    what: Annotated[
        list[str], typer.Argument(metavar="FILE|ADDRESS...|-", help="A list of contacts, or addresses.")
    ],
    kept: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write the rows that may be imported, unchanged.")
    ] = None,
    withheld: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write the suppressed rows, each with why.")
    ] = None,
    review: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write the rows that a person should look at.")
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FOLDER",
            help="Write all three there, named after the file: list.kept.csv and so on.",
        ),
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Print why, for every row not kept.")] = False,
    alias: Annotated[
        Literal["block", "review", "ignore"],
        typer.Option(help="Rows that reach a suppressed mailbox by another spelling (dots, tags)."),
    ] = "review",
    column: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME|NUMBER", help="A column with addresses; may be repeated. [default: found]"
        ),
    ] = None,
    header: Annotated[
        bool | None, typer.Option("--header/--no-header", help="Whether the first row names columns.")
    ] = None,
    delimiter: Annotated[
        str | None, typer.Option(help="comma, semicolon, tab, bar or one character. [default: found]")
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="Of the file. [default: found]")] = None,
    sheet: Annotated[
        str | None,
        typer.Option(metavar="NAME|NUMBER", help="Of a workbook. [default: the first one with rows]"),
    ] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Check a contact file, or addresses, before anyone is imported or mailed.

    CSV, JSON lines, XLSX, XLS, ODS and Parquet are read, also packed with gzip or Zstandard; results are
    written in the format of the file.

    Ends with 1 if anyone is withheld or to be reviewed. A check of a file is recorded in the ledger.

        suppress check list.csv --kept clean.csv --withheld withheld.csv --review review.csv
        suppress check list.xlsx -o checked
        suppress check pat@example.com
        psql -c "copy contacts to stdout csv header" | suppress check - > clean.csv
    """
    from suppress.check import Alias, Targets, check_addresses
    from suppress.files.contacts import Reading
    from suppress.ledger import Lookup

    file = _file_among(what)
    chosen = settings(ctx)
    with ExitStack() as stack:
        lookup = stack.enter_context(Lookup.open(chosen.ledger, keys=chosen.keys))
        if file is None:
            _refuse_file_options(ctx)
            answers = check_addresses(lookup, what, alias=Alias(alias))
            facts = {"results": [_answer(each, explain=explain) for each in answers]}
            emit("check", facts, as_json=as_json, human=lambda screen: _draw_answers(screen, answers))
            found = any(each.ruling is not Ruling.CLEAR for each in answers)
        else:
            reading = Reading(encoding, delimiter, tuple(column or ()), header, sheet)
            targets = Targets(kept, withheld, review)
            run = _FileRun(ctx, file, lookup, Alias(alias), targets, output, explain=explain, as_json=as_json)
            found = run.done(reading, dry_run=dry_run)
    if found:
        raise typer.Exit(1)


def _file_among(what: Sequence[str]) -> str | None:
    """The file that was named, or None when all are addresses.

    Raises:
        BadFile: Something is neither a file that is there nor an address.
        BadUsage: A file and something else.
    """
    for each in what:
        if each == "-" or os.path.lexists(each):
            if len(what) > 1:
                raise BadUsage(
                    "one file at a time, or any number of addresses", remedy="suppress check --help"
                )
            return each
        tail = each.rpartition("@")[2]
        # A misspelt `exports/a@b/list.csv` must not come back as an address that is clear.
        if "@" not in each or "/" in tail or _ends_like_file(tail):
            raise BadFile(f"there is no file {each}, and it is no address", remedy="suppress check --help")
    return None


def _ends_like_file(name: str) -> bool:
    from suppress.files.kinds import ENDINGS

    return name.lower().endswith(ENDINGS)


def _refuse_file_options(ctx: typer.Context) -> None:
    """An option that cannot do anything is a mistake, and ignoring it may look like success."""
    for name in (
        "kept",
        "withheld",
        "review",
        "output",
        "column",
        "header",
        "delimiter",
        "encoding",
        "sheet",
    ):
        if ctx.params.get(name) not in (None, [], ()):
            raise BadUsage(f"--{name} belongs to the check of a file, and addresses were given")


class _FileRun:
    """The check of one file, and where its output goes."""

    def __init__(
        self,
        ctx: typer.Context,
        file: str,
        lookup: Lookup,
        alias: Alias,
        targets: Targets,
        folder: str | None,
        *,
        explain: bool,
        as_json: bool,
    ) -> None:
        from dataclasses import replace

        if file == "-" and targets.kept is None and folder is None and not as_json:
            # A filter in a pipe: kept rows out where the rows came in.
            targets = replace(targets, kept="-")
        self.piped = "-" in (targets.kept, targets.withheld, targets.review)
        if self.piped and as_json:
            raise BadUsage(
                "rows and --json cannot both go to standard output", remedy="name a file for the rows"
            )
        self.ctx, self.file, self.lookup, self.alias, self.targets = ctx, file, lookup, alias, targets
        self.folder = folder
        self.explain, self.as_json = explain, as_json
        self.screen = Screen(sys.stderr if self.piped else sys.stdout)
        self.findings: list[Mapping[str, object]] = []

    def done(self, reading: Reading, *, dry_run: bool) -> bool:
        """Run it and print the outcome; whether anyone was withheld or is to be reviewed."""
        from suppress.check import check_file
        from suppress.files.contacts import ContactFile
        from suppress.ledger import Ledger

        look, chosen = appearance(self.ctx), settings(self.ctx)
        with ExitStack() as stack:
            contacts = stack.enter_context(ContactFile.open(self.file, reading))
            ledger = None
            if not dry_run:
                ledger = stack.enter_context(Ledger.open(chosen.ledger, keys=chosen.keys))
            for each in contacts.assumptions:
                note(f"{contacts.name}: {each}", appearance=look)
            result = check_file(
                contacts,
                self.lookup,
                ledger,
                actor=actor(),
                targets=self._named(contacts),
                alias=self.alias,
                explain=self._explained if self.explain else None,
                progress=stack.enter_context(progress("Checking", appearance=look)),
            )
        self._print(contacts, result)
        return bool(result.withheld or result.review)

    def _named(self, contacts: ContactFile) -> Targets:
        """The results with names in the folder, after the file, where they have none of their own."""
        from suppress.check import Targets

        if self.folder is None:
            return self.targets
        given = self.targets.by_name()
        return Targets(**{name: given[name] or contacts.beside(self.folder, name) for name in given})

    def _explained(self, finding: Finding) -> None:
        if self.as_json:
            self.findings.append(_finding(finding))
        else:
            self.screen.line(_explanation(finding))

    def _print(self, contacts: ContactFile, result: FileChecked) -> None:
        if not self.as_json:
            _draw_file(self.screen, contacts, result, self.lookup, explained=self.explain)
            return
        facts = {
            "rows": result.rows,
            "kept": result.kept,
            "withheld": result.withheld,
            "review": result.review,
            "invalid": result.invalid,
            "files": dict(result.files),
            "ledger": {
                "size": self.lookup.size,
                "root": self.lookup.root,
                "checkpoint": self.lookup.checkpoint,
            },
            "digest": result.digest,
            "entry": result.seq,
            "assumptions": list(contacts.assumptions),
        }
        if self.explain:
            facts["findings"] = self.findings
        emit("check", facts, as_json=True, human=lambda _screen: None)


_WORDS = {Ruling.SUPPRESSED: "withheld", Ruling.REVIEW: "review", Ruling.CLEAR: "kept"}


def _answer(answer: Answer, *, explain: bool) -> Mapping[str, object]:
    facts = {"address": answer.address, "verdict": answer.ruling.value, **_why(answer.verdict)}
    if not explain:
        del facts["rule"]
    return facts


def _finding(finding: Finding) -> Mapping[str, object]:
    decision = finding.decision
    return {
        "line": finding.line,
        "outcome": _WORDS[decision.ruling],
        "address": decision.address,
        **_why(decision.verdict),
        "doubt": decision.doubt,
    }


def _why(verdict: Verdict) -> dict[str, object]:
    return {
        "tier": verdict.tier,
        "since": verdict.since,
        "source": verdict.source,
        "reason": verdict.reason,
        "rule": verdict.rule,
    }


def _in_words(verdict: Verdict) -> str:
    if verdict.tier is None:
        return ""
    since = f"{verdict.since:%Y-%m-%d}" if verdict.since is not None else "an unknown date"
    return (
        f"{verdict.tier.value} match ({verdict.rule}), since {since}, source {verdict.source}, "
        f"reason {verdict.reason}"
    )


def _explanation(finding: Finding) -> str:
    decision = finding.decision
    why = "; ".join(each for each in (decision.doubt, _in_words(decision.verdict)) if each)
    who = f" {decision.address}" if decision.address is not None else ""
    return f"line {finding.line}:{who} {_WORDS[decision.ruling]}: {why}"


def _draw_answers(screen: Screen, answers: Sequence[Answer]) -> None:
    for each in answers:
        why = _in_words(each.verdict)
        style = {Ruling.SUPPRESSED: "red", Ruling.REVIEW: "yellow", Ruling.CLEAR: "green"}[each.ruling]
        screen.line(f"{each.address}: {each.ruling.value}{': ' if why else ''}{why}", style=style)


def _draw_file(
    screen: Screen, contacts: ContactFile, result: FileChecked, lookup: Lookup, *, explained: bool
) -> None:
    screen.heading(f"{contacts.name}: checked against a ledger of {lookup.size:,} entries")
    screen.line(f"rows      {result.rows:,}")
    for name, count in (("kept", result.kept), ("withheld", result.withheld), ("review", result.review)):
        target = result.files.get(name)
        where = "" if target is None else f" → {'standard output' if target == '-' else target}"
        screen.line(f"{name.ljust(8)}  {count:,}{where}")
    if result.invalid:
        screen.line(f"Of the kept rows, {result.invalid:,} hold no address that mail systems accept.")
    if result.seq is None:
        screen.line("Dry run: nothing was written and nothing recorded.")
    elif not any(result.files.values()):
        screen.line("Next: write the rows: --kept FILE --withheld FILE --review FILE")
    if result.withheld or result.review:
        why = "" if explained else "Why: add --explain. "
        screen.line(f"{why}The history of one person: suppress show ADDRESS")

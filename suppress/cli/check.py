"""`suppress check`: may these people be mailed? The gate before an import."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from suppress.cli.checked import answer_facts, draw_answers, draw_file, explanation, file_facts, finding_facts
from suppress.cli.console import Screen, emit, note, progress
from suppress.cli.gate import OpenGate
from suppress.cli.loading import loading
from suppress.cli.options import (
    AsJson,
    Delimiter,
    DryRun,
    Encoding,
    Header,
    MaxAge,
    Sheet,
    actor,
    appearance,
    settings,
)
from suppress.core.verdict import Ruling
from suppress.errors import BadFile, BadUsage, SuppressError

if TYPE_CHECKING:
    from suppress.check import Alias, FileChecked, Finding, Targets
    from suppress.check.readiness import Ready
    from suppress.files.contacts import ContactFile, Reading
    from suppress.files.forerunner import Forerunner

What = Annotated[
    list[str], typer.Argument(metavar="FILE|ADDRESS...|-", help="A list of contacts, or addresses.")
]
Kept = Annotated[
    str | None, typer.Option(metavar="FILE", help="Write the rows that may be imported, unchanged.")
]
Withheld = Annotated[
    str | None, typer.Option(metavar="FILE", help="Write the suppressed rows, each with why.")
]
Review = Annotated[
    str | None, typer.Option(metavar="FILE", help="Write the rows that a person should look at.")
]
Output = Annotated[
    str | None,
    typer.Option(
        "-o",
        "--output",
        metavar="FOLDER",
        help="Write all three there, named after the file: list.kept.csv and so on.",
    ),
]
Explain = Annotated[bool, typer.Option("--explain", help="Print why, for every row not kept.")]
Aliases = Annotated[
    Literal["block", "review", "ignore"],
    typer.Option(help="Rows that reach a suppressed mailbox by another spelling (dots, tags)."),
]
Column = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME|NUMBER", help="A column with addresses; may be repeated. [default: found]"),
]
Sender = Annotated[str | None, typer.Option(help="Mail of this sender only. [default: whoever sends]")]
Channel = Annotated[Literal["email", "sms"], typer.Option(help="Over which channel.")]
MessageClass = Annotated[
    Literal["commercial", "transactional"],
    typer.Option(help="Opt-outs bind commercial mail, hard bounces all. The record says who chose."),
]
Purpose = Annotated[
    str | None, typer.Option(help="What for, so that waivers for it count; they are said and recorded.")
]
Offline = Annotated[
    Path | None,
    typer.Option(metavar="SNAPSHOT", help="Without a ledger: against what suppress snapshot wrote."),
]
Key = Annotated[
    str | None, typer.Option(metavar="VKEY", help="With --offline: the ledger's public key, or its file.")
]
Engine = Annotated[
    Literal["spark"] | None,
    typer.Option(help="Check folders on Spark, where the workers see them too. [default: here]"),
]
Master = Annotated[
    str | None,
    typer.Option(metavar="URL", help="With --engine: local[2], spark://… [default: as Spark is set up]"),
]
ExitZero = Annotated[
    bool, typer.Option("--exit-zero", help="End with 0 also when somebody is withheld or to be reviewed.")
]


def check(
    ctx: typer.Context,
    what: What,
    kept: Kept = None,
    withheld: Withheld = None,
    review: Review = None,
    output: Output = None,
    explain: Explain = False,
    alias: Aliases = "review",
    column: Column = None,
    header: Header = None,
    delimiter: Delimiter = None,
    encoding: Encoding = None,
    sheet: Sheet = None,
    sender: Sender = None,
    channel: Channel = "email",
    message_class: MessageClass = "commercial",
    purpose: Purpose = None,
    max_age: MaxAge = None,
    offline: Offline = None,
    key: Key = None,
    engine: Engine = None,
    master: Master = None,
    exit_zero: ExitZero = False,
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
    if master is not None and engine is None:
        raise BadUsage("--master goes with --engine spark")
    file = None if engine is not None else _file_among(what)
    with ExitStack() as stack:
        runner = _forerunner(file, encoding, stack) if file is not None else None
        gate = stack.enter_context(
            OpenGate.asked(
                settings(ctx),
                sender=sender,
                channel=channel,
                message_class=message_class,
                purpose=purpose,
                max_age=max_age,
                offline=offline,
                key=key,
            )
        )
        if engine is None and file is None:
            _refuse_file_options(ctx)
            found = _addresses(gate, what, alias, explain=explain, as_json=as_json)
        else:
            # Whoever asks about an address does not wait for what reads files.
            from suppress.check import Alias, Targets
            from suppress.files.contacts import Reading

            reading = Reading(encoding, delimiter, tuple(column or ()), header, sheet)
            targets = Targets(kept, withheld, review)
            if file is None:
                from suppress.cli.check_on_spark import SparkRun

                spark = SparkRun(ctx, gate, Alias(alias), targets, master, as_json=as_json)
                found = spark.done(what, reading, dry_run=dry_run, explain=explain, output=output)
            else:
                run = _FileRun(
                    ctx, file, gate, Alias(alias), targets, output, explain=explain, as_json=as_json
                )
                found = run.done(reading, runner, dry_run=dry_run)
    if found and not exit_zero:
        raise typer.Exit(1)


def _forerunner(file: str, encoding: str | None, stack: ExitStack) -> Forerunner | None:
    """A process that reads a long file from now on; it is gone at the end of the stack."""
    from suppress.files.forerunner import Forerunner

    runner = Forerunner.sent(file, encoding)
    return runner if runner is None else stack.enter_context(runner)


def _addresses(gate: OpenGate, what: Sequence[str], alias: str, *, explain: bool, as_json: bool) -> bool:
    """Answer about addresses; whether anyone is not clear."""
    from suppress.check import Alias, check_addresses

    answers = check_addresses(gate.answers, what, alias=Alias(alias), mailing=gate.mailing)
    facts = {"results": [answer_facts(each, explain=explain) for each in answers]}
    emit("check", facts, as_json=as_json, human=lambda screen: draw_answers(screen, answers))
    return any(each.ruling is not Ruling.CLEAR for each in answers)


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
        gate: OpenGate,
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
        self.ctx, self.file, self.gate, self.alias, self.targets = ctx, file, gate, alias, targets
        self.folder = folder
        self.explain, self.as_json = explain, as_json
        self.screen = Screen(sys.stderr if self.piped else sys.stdout)
        self.findings: list[Mapping[str, object]] = []

    def done(self, reading: Reading, runner: Forerunner | None, *, dry_run: bool) -> bool:
        """Run it and print the outcome; whether anyone was withheld or is to be reviewed."""
        look, chosen = appearance(self.ctx), settings(self.ctx)
        with ExitStack() as stack:
            with loading():
                from suppress.check import check_file
                from suppress.check.sorting import Engine
                from suppress.files.contacts import ContactFile
                from suppress.ledger import Ledger

                ready = self._ready() if runner is not None else None
            contacts = stack.enter_context(ContactFile.open(self.file, reading, forerunner=runner))
            ledger = None
            if not dry_run and self.gate.portable is None:
                ledger = stack.enter_context(Ledger.open(chosen.ledger, keys=chosen.keys))
            for each in contacts.assumptions:
                note(f"{contacts.name}: {each}", appearance=look)
            result = check_file(
                contacts,
                self.gate.answers,
                ledger,
                actor=actor(),
                targets=self._named(contacts),
                alias=self.alias,
                mailing=self.gate.mailing,
                offline=self.gate.portable is not None and not dry_run,
                explain=self._explained if self.explain else None,
                progress=stack.enter_context(progress("Checking", appearance=look)),
                building=lambda people: note(
                    f"reading {people:,} people from the ledger; later checks begin where this one ends",
                    appearance=look,
                ),
                engine=Engine(members=0, ready=ready),  # this process is all ours
            )
        self._print(contacts, result)
        return bool(result.withheld or result.review)

    def _ready(self) -> Ready | None:
        """What can be done for a long file before it is known what stands in it."""
        from suppress.check.readiness import ready

        try:
            return ready(self.gate.answers, self.alias, building=None)
        except SuppressError:  # met again, and told, once the file is open
            return None

    def _named(self, contacts: ContactFile) -> Targets:
        """The results with names in the folder, after the file, where they have none of their own."""
        from suppress.check import Targets

        if self.folder is None:
            return self.targets
        given = self.targets.by_name()
        return Targets(**{name: given[name] or contacts.beside(self.folder, name) for name in given})

    def _explained(self, finding: Finding) -> None:
        if self.as_json:
            self.findings.append(finding_facts(finding))
        else:
            self.screen.line(explanation(finding))

    def _print(self, contacts: ContactFile, result: FileChecked) -> None:
        if not self.as_json:
            draw_file(self.screen, contacts.name, result, self.gate, explained=self.explain)
            return
        facts = {**file_facts(result, self.gate), "assumptions": list(contacts.assumptions)}
        if self.explain:
            facts["findings"] = self.findings
        emit("check", facts, as_json=True, human=lambda _screen: None)

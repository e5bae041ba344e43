"""`suppress check --engine spark`: folders of contact files, checked where Spark runs."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import typer

from suppress.cli.checked import draw_found, file_facts
from suppress.cli.console import Screen, emit, note
from suppress.cli.gate import OpenGate, secret_of
from suppress.cli.options import actor, appearance, settings
from suppress.errors import BadUsage, OutputRefused

if TYPE_CHECKING:
    from suppress.check import Alias, Targets
    from suppress.check.portable import Portable, Secret
    from suppress.check.spark import FolderChecked
    from suppress.files.contacts import Reading
    from suppress.ledger import Ledger

_VALID = timedelta(days=1)
"""How long the snapshot may be used that is made for one run, and removed after it."""
_NAMED = 10
"""How many of the files are named of which the same was assumed."""


class SparkRun:
    """The check of folders on Spark, and what is said of it."""

    def __init__(
        self,
        ctx: typer.Context,
        gate: OpenGate,
        alias: Alias,
        targets: Targets,
        master: str | None,
        *,
        as_json: bool,
    ) -> None:
        self._ctx, self._gate, self._alias = ctx, gate, alias
        self._targets = {name: each for name, each in targets.by_name().items() if each is not None}
        self._master, self._as_json = master, as_json

    def done(
        self, what: Sequence[str], reading: Reading, *, dry_run: bool, explain: bool, output: str | None
    ) -> bool:
        """Run it and print the outcome; whether anyone was withheld or is to be reviewed."""
        if explain or output is not None or dry_run:
            option = "--explain" if explain else "--dry-run" if dry_run else "--output"
            raise BadUsage(
                f"{option} does not go with --engine spark",
                remedy="name folders: --kept FOLDER --withheld FOLDER; withheld rows say why",
            )
        if "kept" not in self._targets or "-" in (*what, *self._targets.values()):
            raise BadUsage(
                "--engine spark reads folders and writes folders",
                remedy="suppress check FOLDER --engine spark --kept FOLDER --withheld FOLDER",
            )
        from suppress.check.elsewhere import Listing
        from suppress.check.spark import Asked, check_folder, session, where

        listing = Listing.of(what)
        with _ended_well(), session(self._master) as spark:
            master = where(spark)
            with self._portable(master) as (portable, secret, ledger):
                result = check_folder(
                    spark,
                    listing,
                    portable,
                    secret,
                    ledger,
                    Asked(reading, self._alias, self._gate.mailing),
                    self._targets,
                    actor=actor(),
                )
                head = {"size": portable.size, "root": portable.root, "checkpoint": portable.checkpoint}
        for sentence, names in result.assumed:
            note(f"{_of(names, result.inputs)}: {sentence}", appearance=appearance(self._ctx))
        facts = {**file_facts(result, self._gate), "ledger": head, "inputs": result.inputs}
        facts["assumptions"] = [
            {"assumed": sentence, "files": list(names[:_NAMED]), "count": len(names)}
            for sentence, names in result.assumed
        ]
        facts["engine"] = {"name": "spark", "master": master}
        what_ = ", ".join(what)
        emit(
            "check",
            facts,
            as_json=self._as_json,
            human=lambda screen: _draw(screen, what_, master, result, portable.size),
        )
        return bool(result.withheld or result.review)

    @contextmanager
    def _portable(self, master: str) -> Iterator[tuple[Portable, Secret, Ledger | None]]:
        """The snapshot that was given, or one of the ledger that is here; then it is recorded who gets it."""
        from suppress.check.portable import Portable, Secret
        from suppress.check.taking import take
        from suppress.ledger import Ledger

        if self._gate.portable is not None:
            assert isinstance(self._gate.answers, Portable)
            assert self._gate.place is not None
            yield self._gate.answers, Secret.parse(*secret_of(self._gate.place)), None
            return
        chosen = settings(self._ctx)
        with ExitStack() as stack:
            ledger = stack.enter_context(Ledger.open(chosen.ledger, keys=chosen.keys))
            now = datetime.now(UTC)
            with _private_folder() as folder:
                taken = take(
                    ledger,
                    folder / "list.snapshot",
                    recipient=f"Spark at {master}",
                    valid_for=_VALID,
                    sources=chosen.sources,
                    now=now,
                    actor=actor(),
                )
                text = taken.secret.read_text("utf-8")
                opened = Portable.open(
                    taken.place, vkey=ledger.vkey, secret=text, secret_name=taken.secret.name, now=now
                )
                portable = stack.enter_context(opened)
            # From here on the snapshot has no name: it is gone when this process is.
            yield portable, Secret.parse(text, taken.secret.name), ledger


@contextmanager
def _private_folder() -> Iterator[Path]:
    """A folder that only we can read, in TMPDIR. What a killed run left of one is removed first."""
    from suppress.check.claimed import Claimed

    try:
        claimed = Claimed(Path(tempfile.gettempdir()), f"suppress-{os.getuid()}")
    except OSError as refused:
        raise OutputRefused(
            f"there is no folder for the snapshot of the ledger: {refused.strerror}",
            remedy="set TMPDIR to a folder in which you may write",
        ) from refused
    with claimed:
        yield claimed.path


@contextmanager
def _ended_well() -> Iterator[None]:
    """While this lasts, SIGTERM ends the run as Ctrl-C does, so that what was begun is removed."""
    before = signal.signal(signal.SIGTERM, _end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _end(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _of(names: Sequence[str], inputs: int) -> str:
    """Which files, in a few words."""
    if len(names) == inputs:
        return names[0] if inputs == 1 else f"all {inputs:,} files"
    more = f" and {len(names) - 1:,} more" if len(names) > 1 else ""
    return f"{names[0]}{more}"


def _draw(screen: Screen, what: str, master: str, result: FolderChecked, size: int) -> None:
    screen.heading(
        f"{what}: {result.inputs:,} files checked on Spark at {master}, ledger of {size:,} entries"
    )
    screen.line(f"rows      {result.rows:,}")
    for kind, count in (("kept", result.kept), ("withheld", result.withheld), ("review", result.review)):
        target = result.files.get(kind)
        screen.line(f"{kind.ljust(8)}  {count:,}{'' if target is None else f' → {target}'}")
    draw_found(screen, result.found)
    if result.invalid:
        screen.line(f"Of the kept rows, {result.invalid:,} hold no address that mail systems accept.")
    if result.seq is None:
        screen.line(f"No ledger is here, so nothing was recorded. SHA-256 of the lists: {result.digest}")

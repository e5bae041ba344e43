"""`suppress check --engine spark`: folders of contact files, checked where Spark runs."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from suppress.cli.checked import draw_found, file_facts
from suppress.cli.console import Screen, emit
from suppress.cli.gate import OpenGate, secret_of
from suppress.cli.options import actor, settings
from suppress.errors import BadUsage

if TYPE_CHECKING:
    from suppress.check import Alias, Targets
    from suppress.check.portable import Portable, Secret
    from suppress.check.spark import FolderChecked
    from suppress.files.contacts import Reading
    from suppress.ledger import Ledger

_VALID = timedelta(days=1)
"""How long the snapshot may be used that is made for one run, and removed after it."""


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
        with session(self._master) as spark:
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
        facts = {**file_facts(result, self._gate), "ledger": head, "inputs": result.inputs}
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
        with (
            tempfile.TemporaryDirectory(prefix="suppress-") as folder,
            Ledger.open(chosen.ledger, keys=chosen.keys) as ledger,
        ):
            now = datetime.now(UTC)
            taken = take(
                ledger,
                Path(folder, "list.snapshot"),
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
            with opened as portable:
                yield portable, Secret.parse(text, taken.secret.name), ledger


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

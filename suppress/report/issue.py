"""Make a report: gather the facts, render them, record that it left us, and give the file its name.

Rules kept here:

* A report is about the ledger as of its head, and quotes that head's checkpoint. No report is made of a
  ledger that does not verify. A long ledger is verified in a process of its own while its facts are gathered;
  they are thrown away when it turns out to be damaged.
* It is complete on disk before the entry `report.issued` is appended, and gets its name after that: a report
  without a record is not left behind, and neither is half a report.

What it is made of is in `asking`, what it says in `facts`, its files are made in `rendering`, where they go
is in `target`.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from suppress.config import Settings
from suppress.core.entry import ReportIssued
from suppress.errors import LedgerDamaged, OutputRefused, SuppressError
from suppress.files.output import outputs
from suppress.ledger import Event, Head, Ledger
from suppress.ledger.beside import LONG, Beside
from suppress.report.asking import Progress, Wanted, gathered
from suppress.report.facts import Facts
from suppress.report.integrity import UNVERIFIED, Integrity, Verified
from suppress.report.packed import Packed
from suppress.report.redacting import redacted
from suppress.report.rendering import Rendered, rendered
from suppress.report.target import Target


@dataclass(frozen=True, slots=True)
class Issued:
    """A report that was made. `receipt` is the entry that records it, None in a dry run."""

    facts: Facts
    target: Target
    digest: str
    bytes: int
    receipt: int | None
    left_out: tuple[str, ...] = ()
    """What a folder does not hold because an optional part is not installed."""


def issue(
    ledger: Ledger,
    settings: Settings,
    wanted: Wanted,
    target: Target,
    verify: Callable[[], Verified],
    *,
    now: datetime,
    actor: str,
    dry_run: bool = False,
    progress: Progress = lambda _done, _total: None,
) -> Issued:
    """Make one report. A dry run gathers and renders it, and writes neither file nor entry.

    `verify` begins after the head of the report is known, so that it is about no less. It is pickled for a
    ledger of `LONG` entries or more.

    Raises:
        LedgerDamaged: The ledger does not verify.
        BadUsage: The period ends before it begins.
        OutputRefused: The file or folder cannot be written.
    """
    head = ledger.head()
    packed: list[Packed] = []

    def pack(lines: Iterator[bytes]) -> None:
        packed.append(Packed.of(lines))

    with Beside(verify, apart=head.size >= LONG) as verification:
        try:
            found = gathered(
                ledger, settings, wanted, UNVERIFIED,
                head=head, now=now, progress=progress, registrar=pack if target.is_folder else None,
            )  # fmt: skip
        except Exception as failed:
            if isinstance(failed, LedgerDamaged) or not isinstance(failed, SuppressError):
                _sound(verification.result(), head)  # what is wrong with the ledger is said rather
            raise
        facts = redacted(replace(found, integrity=_sound(verification.result(), head)))
    made = rendered(facts, target, *packed)
    receipt = None
    if not dry_run:
        ledger.keep_checkpoint(head)
        body = ReportIssued(
            made.digest, facts.manifest.ledger.size, facts.manifest.ledger.root, facts.manifest.audience
        )
        # Two equal reports are two events, so the id is random.
        event = Event(uuid.uuid4().hex, body)
        receipt = _write(made, target, lambda: ledger.append([event], actor=actor)[0].seq)
    return Issued(facts, target, made.digest, made.bytes, receipt, made.left_out)


def _sound(found: Verified, head: Head) -> Integrity:
    integrity = Integrity.of(found)
    if not integrity.ok:
        raise LedgerDamaged(f"no report is made of a ledger that does not verify: {integrity.first_bad}")
    if found.size < head.size:
        raise LedgerDamaged(f"the ledger had {head.size} entries, and {found.size} when it was verified")
    return integrity


def _write(made: Rendered, target: Target, record: Callable[[], int]) -> int:
    names = (*made.long, *made.files)
    places: dict[str, str | None] = dict.fromkeys(names, target.place)
    if target.is_folder:
        root = Path(target.place)
        places = {name: str(root / name) for name in names}
        for folder in dict.fromkeys([root, *((root / name).parent for name in names)]):
            _make_folder(folder)
    with outputs(places) as begun:
        for name, pieces in made.written():
            for piece in pieces:
                begun[name].write(piece)
            begun[name].finish()
        receipt = record()
        for output in begun.values():
            output.publish()
    return receipt


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as refused:
        raise OutputRefused(f"{folder} cannot be made: {refused.strerror}") from refused

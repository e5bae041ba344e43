"""Tell a destination who may not be mailed, read back whether it obeyed, and append the receipt.

Rules kept here:

* Personal data leaves only for a compliance purpose and with an entry that says to whom, why, on what basis,
  how many, and the digest of what left (15 U.S.C. 7704(a)(4)(A)(iv) forbids releasing it for anything else).
* Sent, accepted and verified are three facts. `verified` is said only after reading back.
* The receipt is appended last, when the destination has the list. A run that is killed before it repeats
  harmlessly; a receipt for something that did not happen cannot be.
* One spelling of a person that is not taken, or does not read back, is a failure of the person.
* Answers that do not account for everyone are refused as a whole (`suppress.plugin.tally`).
* `upto` is the head's position *before* the list was read, so that a request that arrived meanwhile is told
  again rather than taken as told.

A snapshot (a file) gets everyone each time. Anything else gets whom it lacks, newest first, in parts: each
part that is done leaves its receipt, and a run that was killed goes on after it. What a destination works on
when a run ends is asked for by the next (`jobs`). Read on in `run`, then `whom` and `telling`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from suppress.config import DestinationSettings
from suppress.export.gate import BASIS, PURPOSES, require_compliance
from suppress.export.result import ExportResult
from suppress.export.run import Progress, Run, Terms, Wait, waited
from suppress.ledger import Ledger
from suppress.plugin.contract import Exporter, Unit

__all__ = ["BASIS", "PURPOSES", "ExportResult", "export"]


def export(
    ledger: Ledger,
    exporter: Exporter,
    settings: DestinationSettings,
    *,
    purpose: str,
    recipient: str,
    actor: str,
    basis: str = BASIS,
    dry_run: bool = False,
    state: Path | None = None,
    progress: Progress = lambda _done, _total: None,
    wait: Wait = waited,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> ExportResult:
    """Tell one destination.

    `state` is the folder where jobs are kept that outlast the run; `wait` is called with the time at which a
    job wants to be asked again.

    Raises:
        BadUsage: A purpose that is none of `PURPOSES`, or a recipient or basis that holds an address.
        DestinationFailed: It failed as a whole, or its answers do not add up. Nothing is recorded as done.
    """
    require_compliance(purpose, recipient, basis)
    # What a receiver is shown is kept, so that it can be compared with what the receiver has.
    head = ledger.head() if dry_run else ledger.keep_checkpoint()
    terms = Terms(purpose, recipient, basis, actor)
    run = Run(ledger, exporter, settings, terms, head, state, progress, wait, clock)
    if dry_run:
        return run.planned()
    if exporter.capabilities.unit is Unit.SNAPSHOT:
        return run.snapshot()
    return run.parts()

"""What became of one export."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from suppress.errors import SuppressError
from suppress.export.estimate import Estimate
from suppress.plugin.contract import LedgerPosition, Unit


@dataclass(frozen=True, slots=True)
class ExportResult:
    """What became of one export. `failure` is set when some people may still be mailed there."""

    destination: str
    platform: str
    unit: Unit
    dry_run: bool
    position: LedgerPosition
    count: int
    """People handed to the destination."""
    outcomes: Mapping[str, int]
    """How many people had which outcome; in a dry run, how many would have which intent."""
    addresses: int = 0
    """Spellings of these people, of which each was handed over."""
    sent: int = 0
    """People who were sent, in this run or one before it that was killed."""
    accepted: int = 0
    """Of these, whom the destination took, by its own word."""
    confirmed: int = 0
    """Of these, whom reading back showed as not mailable."""
    verified: bool = False
    """Reading back showed everyone."""
    pending: int = 0
    """People of whom a job was not done when the run ended; the next run asks for it again."""
    released: int = 0
    """People who consented since it was told of them: the ledger lets them go, it still suppresses them."""
    pushed_at: datetime | None = None
    confirmed_at: datetime | None = None
    failed: tuple[int, ...] = ()
    """The entries that the destination does not hold, as the receipt lists them."""
    place: str | None = None
    artefact: str | None = None
    unrepresented: tuple[str, ...] = ()
    """What the destination cannot hold, in words."""
    lost: Mapping[str, int] = field(default_factory=dict)
    """The same, as the receipt counts it."""
    estimate: Estimate | None = None
    """Of a dry run."""
    upto: int | None = None
    receipt: int | None = None
    """The entry that records all this; None in a dry run."""
    failure: SuppressError | None = None

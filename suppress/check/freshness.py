"""How old the opt-outs may be that a check rests on.

A gate that nobody feeds lets everybody through who opted out since. Asked for, it refuses before it reads the
list, and names the source and the command that reads it. What counts is the end of the source's last complete
window: up to there every request is in the ledger.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from suppress.core.entry import SyncDone
from suppress.errors import Stale

if TYPE_CHECKING:
    from suppress.ledger import Ledger


def read_up_to(ledger: Ledger, configured: Iterable[str]) -> dict[str, datetime | None]:
    """How far each configured source was read; without any, each that was ever read."""
    names = list(configured)
    if not names:
        runs = (entry.body for entry in ledger.about(SyncDone.type))
        names = sorted({run.source for run in runs if isinstance(run, SyncDone)})
    return {name: ledger.source_state(name).last_before for name in names}


def require_fresh(sources: Mapping[str, datetime | None], longest: timedelta, now: datetime) -> None:
    """Refuse when a source was read longer ago.

    Raises:
        Stale: Names the first such source, how old its news is, and what to run.
    """
    if not sources:
        raise Stale(
            "no source was ever read, so nothing says how fresh this ledger is",
            remedy="name a source in suppress.toml, then: suppress sync; or leave --max-age away",
        )
    for name, read in sources.items():
        if read is None:
            raise Stale(f"the source {name} was never read to its end", remedy=f"suppress sync {name}")
        if now - read > longest:
            raise Stale(
                f"the source {name} was last read up to {read:%Y-%m-%d %H:%M}Z, {in_words(now - read)} ago; "
                f"at most {in_words(longest)} is allowed",
                remedy=f"suppress sync {name}",
            )


def in_words(span: timedelta) -> str:
    """A span in the unit that says enough: `90 min`, `30 h`, `3 days`."""
    minutes = int(span.total_seconds()) // 60
    if minutes < 120:
        return f"{minutes} min"
    if minutes < 72 * 60:
        return f"{minutes // 60} h"
    return f"{minutes // (24 * 60)} days"

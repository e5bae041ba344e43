"""One service for each ledger: a locked file beside it, which says who holds it.

Two services would do no harm to the ledger, for every writer is idempotent; they would spend the platform's
requests twice. The lock lies beside the ledger's file, or beside the keys of one on a server, so it does not
reach from one machine to another.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from suppress.errors import LedgerLocked, StorageFailed
from suppress.ledger.place import place_of
from suppress.plugin.lock import locked
from suppress.plugin.pace import Clock


@contextmanager
def only_one(ledger: str, keys: Path, clock: Clock) -> Iterator[None]:
    """Be the service of this ledger.

    Raises:
        LedgerLocked: Another process is; the message says which.
        StorageFailed: The lock cannot be made.
    """
    file = lock_of(ledger, keys)
    held = locked(file, clock=clock, patience=0.0)
    try:
        opened = held.__enter__()
    except TimeoutError:
        raise LedgerLocked(
            f"this ledger is kept in sync already, by {_holder(file)}",
            remedy="leave it to that one, or stop it first",
        ) from None
    except OSError as refused:
        raise StorageFailed(
            f"{file} cannot be locked: {refused.strerror or type(refused).__name__}"
        ) from None
    try:
        _sign(opened, clock.utc())
        yield
    finally:
        opened.truncate(0)
        held.__exit__(None, None, None)


def lock_of(ledger: str, keys: Path) -> Path:
    """The file that is locked: one for each ledger, however its path is spelled."""
    place = place_of(ledger)
    beside = place if isinstance(place, Path) else keys
    return beside.resolve().with_suffix(".service.lock")


def _sign(opened: IO[bytes], now: datetime) -> None:
    facts = {"pid": os.getpid(), "host": platform.node(), "since": now.isoformat(timespec="seconds")}
    opened.truncate(0)
    opened.write(json.dumps(facts).encode())
    opened.flush()


def _holder(file: Path) -> str:
    try:
        facts = json.loads(file.read_bytes())
        since = datetime.fromisoformat(facts["since"]).astimezone(UTC)
        return f"process {int(facts['pid'])} at {facts['host']} since {since:%Y-%m-%d %H:%M} UTC"
    except (OSError, ValueError, TypeError, KeyError):
        # It was just beginning, or ending.
        return "another process"

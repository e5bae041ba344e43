"""A process that appends and says what was acknowledged; the harnesses kill it, starve it, and run several.

    python -m tests.faults.writer URL KEYS NAME BATCHES SIZE

Each batch is appended twice, as a run that was killed and repeated would. A line goes to stdout only after
`append` has returned: the number of the batch. So whatever was read from the pipe was acknowledged.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from suppress.core.suppression import Consent, OptOut
from suppress.errors import LedgerLocked
from suppress.ledger import Event, Ledger
from tests.ledger.making import NOON, consent, opt_out, sync_done


def batch(name: str, number: int, size: int) -> list[OptOut | Consent | Event]:
    """The events of one batch: people of this writer, people whom all writers tell of, and a run."""
    return [
        *(opt_out(f"{name}.{number}.{each}@example.com") for each in range(size)),
        *(opt_out(f"shared{each}@gmail.com", facts=(name, str(number))) for each in range(2)),
        consent(f"{name}.{number}.0@example.com", at=NOON.replace(year=2025)),
        sync_done(f"{name}-{number}", source=name),
    ]


def main(url: str, keys: str, name: str, batches: str, size: str) -> None:
    """Append until done or killed."""
    with Ledger.open(url, keys=Path(keys)) as ledger:
        for number in range(int(batches)):
            events = batch(name, number, int(size))
            for _ in range(2):
                while True:
                    try:
                        ledger.append(events, actor=name)
                    except LedgerLocked:
                        continue
                    break
            os.write(sys.stdout.fileno(), f"{number}\n".encode())


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Several writers in one process tree, each told in which checkpoint every batch of theirs was kept.

    python -m tests.faults.crowd URL KEYS WRITERS BATCHES

A line for each acknowledged batch goes to stdout: writer, batch, and size and root of a head after it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from suppress.errors import LedgerLocked
from suppress.ledger import Ledger
from tests.faults.writer import batch

SIZE = 2


def main(url: str, keys: str, writers: str, batches: str) -> None:
    """Fork the writers, and end as the worst of them did."""
    children = []
    for number in range(int(writers)):
        child = os.fork()
        if not child:
            code = 1
            try:
                _write(url, Path(keys), f"w{number}", int(batches))
                code = 0
            finally:
                os._exit(code)
        children.append(child)
    sys.exit(max(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children))


def _write(url: str, keys: Path, name: str, batches: int) -> None:
    with Ledger.open(url, keys=keys) as ledger:
        for number in range(batches):
            while True:
                try:
                    ledger.append(batch(name, number, SIZE), actor=name)
                except LedgerLocked:
                    continue
                break
            head = ledger.head()
            os.write(1, f"{name} {number} {head.size} {head.root.hex()}\n".encode())


if __name__ == "__main__":
    main(*sys.argv[1:])

"""One `sync` in a process of its own that is killed, by SIGKILL, before or after a step.

    python -m tests.faults.mortal_sync HOST FOLDER NOW FULL AT

A step is a call that leaves a trace outside the process: to the disk, to the platform, to the ledger. `AT`
counts them from 1. What the run came to, if it lives, is printed: exit code and people in drift.
"""

from __future__ import annotations

import os
import sys
from datetime import datetime
from pathlib import Path

import httpx2

from suppress.ledger import Ledger
from suppress.platforms.constant_contact.simulator import Clock
from tests.faults.fortnight import Outcome
from tests.platforms.constant_contact.company import Program
from tests.platforms.constant_contact.dying import Death, void


def main(host: str, folder: str, now: str, full: str, at: str) -> None:
    """Run until done or dead."""
    death = Death(int(at), void)
    for name in ("fsync", "replace"):
        death.watch(os, name)
    death.watch(httpx2.Client, "send")
    death.watch(Ledger, "append")
    program = Program(host, Clock(datetime.fromisoformat(now), frozen=True), Path(folder))
    outcome = Outcome.of(program.sync(full=full == "True"))
    print(outcome.code, outcome.drift)


if __name__ == "__main__":
    main(*sys.argv[1:])

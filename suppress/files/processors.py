"""How many processors there are for work that is shared among processes."""

from __future__ import annotations

import os
import sys


def usable() -> int:
    """Those that are ours; 1 where a process cannot be forked with what it has."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else 1

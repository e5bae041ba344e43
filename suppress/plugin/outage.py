"""Tells one call that failed from a platform that is down."""

from __future__ import annotations

import threading

from suppress.errors import SuppressError
from suppress.plugin.errors import ContractBroken, Transient

BEARABLE = (Transient, ContractBroken)
"""Failures after which the next call may well work: only one person, or one batch, is told later."""
IN_A_ROW = 3
"""Calls, each tried several times, after which the rest is not tried any more."""


class Outage:
    """Counts the calls that failed in a row. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures = 0

    def over(self) -> None:
        """A call worked."""
        with self._lock:
            self._failures = 0

    def bear(self, failure: SuppressError) -> None:
        """Go on after `failure`.

        Raises:
            Transient, ContractBroken: `failure` itself, when too many came in a row.
        """
        with self._lock:
            self._failures += 1
            down = self._failures >= IN_A_ROW
        if down:
            raise failure

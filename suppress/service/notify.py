"""What systemd is told: ready, what is going on, still alive, stopping (sd_notify(3)).

The protocol is one datagram of lines `NAME=value` to the socket that NOTIFY_SOCKET names; a first `@` stands
for the abstract namespace. Without that variable nothing is said. A supervisor that does not listen is no
reason to stop, so failures to send are passed over.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Mapping


class Notify:
    """Speaks to the supervisor, if there is one."""

    def __init__(self, environ: Mapping[str, str], *, pid: int | None = None) -> None:
        self._address = environ.get("NOTIFY_SOCKET", "")
        self.watchdog = _watchdog(environ, os.getpid() if pid is None else pid)
        """Seconds within which a sign of life is expected; None if nobody waits for one."""

    def ready(self) -> None:
        """The lock is held and the settings are right."""
        self._tell("READY=1")

    def status(self, text: str) -> None:
        """One line for `systemctl status`."""
        self._tell(f"STATUS={' '.join(text.split())}")

    def alive(self) -> None:
        """A sign of life. To be given where work goes on, never by a thread that would outlive a hang."""
        if self.watchdog is not None:
            self._tell("WATCHDOG=1")

    def stopping(self) -> None:
        """The service is ending by itself or because it was told to."""
        self._tell("STOPPING=1")

    def _tell(self, line: str) -> None:
        if self._address[:1] not in ("@", "/"):
            return
        address = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(line.encode(), address)


def _watchdog(environ: Mapping[str, str], pid: int) -> float | None:
    microseconds, meant = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", str(pid))
    if not microseconds.isdecimal() or meant != str(pid):
        return None
    return int(microseconds) / 1_000_000

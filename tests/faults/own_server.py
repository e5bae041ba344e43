"""A PostgreSQL server of a harness's own, with fsync on, to be killed, stopped, and looked into.

The server that other tests share is none to be killed; and of a server elsewhere nobody sees the files.
"""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from tests import backends


class OwnServer:
    """A server from the wheel, in a folder of its own."""

    def __init__(self, server: Any) -> None:
        self._server = server

    @property
    def url(self) -> str:
        return str(self._server.get_uri())

    @property
    def folder(self) -> Path:
        """Its files: tables in `base`, the write-ahead log in `pg_wal`."""
        return Path(self._server.pgdata)

    def crash(self) -> None:
        """SIGKILL for the postmaster and everything that it started; what they had in memory is gone."""
        with closing(backends.connection_to(self.url)) as connection:
            found = connection.execute("SELECT pid FROM pg_stat_activity").fetchall()
            for pid in (self._server.get_pid(), *(pid for (pid,) in found)):
                os.kill(pid, signal.SIGKILL)
        self._forget()

    def stop(self) -> None:
        """An orderly end, whoever is connected."""
        self._server.stop()
        self._forget()

    def start(self) -> None:
        """Begin again; after a crash the server first recovers from its log."""
        self._server.ensure_postgres_running()

    def _forget(self) -> None:
        # A process that is dead, and that its parent has not looked at yet, still counts as running for the
        # server that is to come, and its locks as held.
        for lock in (self.folder / "postmaster.pid", *self.folder.glob(".s.PGSQL.*")):
            lock.unlink(missing_ok=True)


@contextmanager
def own_server() -> Iterator[OwnServer]:
    """A new server; its files go at the end."""
    try:
        server = backends.started(Path(tempfile.gettempdir()) / f"suppress-pg-own-{os.getpid()}")
    except backends.NoServer as missing:
        backends.require(str(missing))
    own = OwnServer(server)
    try:
        yield own
    finally:
        own.start()
        server.cleanup()

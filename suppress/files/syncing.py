"""A long file is brought to the disk while more of it is written, so that its end need not be waited for.

ahead = Ahead(stream.fileno())
ahead.written(len(content))       # after each piece
ahead.finish()                    # before the file's own fsync
"""

from __future__ import annotations

import os
import threading

STEP = 64 << 20
"""Bytes after which the disk is asked to take what is there."""


class Ahead:
    """Asks the disk from a thread of its own, one time after another."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._waiting = 0
        self._thread: threading.Thread | None = None
        self._failed: OSError | None = None

    def written(self, size: int) -> None:
        """So many more bytes were handed to the system."""
        self._waiting += size
        if self._waiting >= STEP and (self._thread is None or not self._thread.is_alive()):
            self._waiting = 0
            self._thread = threading.Thread(target=self._sync, daemon=True)
            self._thread.start()

    def finish(self) -> None:
        """Wait for it. Raises the OSError that it met: the system tells of one only once."""
        if self._thread is not None:
            self._thread.join()
        if self._failed is not None:
            raise self._failed

    def _sync(self) -> None:
        try:
            os.fsync(self._descriptor)
        except OSError as failed:
            self._failed = self._failed or failed

"""A destination that is one file, replaced as a whole: whoever is in it is told, by reading it anew.

A format says how its file is written (`push`), who is in it (`_held`, `_holds`) and what of it may be listed
(`sweep`); all the rest is the same for each.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from suppress import __version__
from suppress.config import DestinationSettings
from suppress.core.members import Members
from suppress.errors import DestinationFailed
from suppress.platforms.whole_file import WholeFile
from suppress.plugin.contract import (
    Finding,
    Intent,
    Job,
    LedgerPosition,
    Observation,
    Planned,
    Pushed,
    Remote,
    Suppressed,
)


class ListFile(ABC):
    """One list that is replaced as a whole, with a manifest beside it."""

    def __init__(
        self, settings: DestinationSettings, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.name = settings.name
        self.path = Path(str(settings.options["path"]))
        self._file = WholeFile(self.path)
        self._clock = clock

    def check(self) -> Iterable[Finding]:
        """Whether the folder takes a file, and whether the file there is still the one that was written."""
        return self._file.findings(whole=lambda: self._held() is not None, name=self.name)

    def plan(self, entries: Iterable[Suppressed]) -> Iterator[Planned]:
        """Which entries the file that is there lacks."""
        held = self._held() or Members(())
        for entry in entries:
            if self._holds(held, entry.address):
                yield Planned(entry.address, Intent.ALREADY, Remote.SUPPRESSED)
            else:
                yield Planned(entry.address, Intent.SUPPRESS)

    @abstractmethod
    def push(self, entries: Iterable[Suppressed], position: LedgerPosition) -> Iterator[Pushed]:
        """Replace the file and its manifest; yields one `Snapshot`.

        Raises:
            OutputRefused: The place cannot hold a file.
            StorageFailed: The disk is full or failed. In both cases the old file is as it was.
        """

    def poll(self, job: Job) -> Iterator[Pushed]:
        """Files need no jobs."""
        raise DestinationFailed(f"{self.name} has no job {job.token!r}: files are written at once")

    def read_back(self, addresses: Sequence[str]) -> Iterator[Observation]:
        """Whether the file on the disk, read anew and as its manifest says, holds these addresses."""
        held = self._held()
        for address in addresses:
            if held is None:
                yield Observation(address, Remote.UNREADABLE)
            else:
                # Who is not on a list of people that may not be mailed, may be.
                there = self._holds(held, address)
                yield Observation(address, Remote.SUPPRESSED if there else Remote.MAILABLE)

    def close(self) -> None:  # noqa: B027 (a file is open only while it is read or written)
        """Nothing is kept open."""

    @abstractmethod
    def _held(self) -> Members | None:
        """Who is in the file; None unless file and manifest agree."""

    @abstractmethod
    def _holds(self, held: Members, address: str) -> bool:
        """Whether this address is among them."""

    def _manifest(
        self, digest: str, size: int, rows: int, position: LedgerPosition, **of_the_format: object
    ) -> Mapping[str, Any]:
        """What the file is: `size` in bytes, and when and from which ledger it was made."""
        return {
            "schema": "suppress/manifest@1",
            "file": self.path.name,
            "sha256": digest,
            "bytes": size,
            "rows": rows,
            **of_the_format,
            "erased": position.erased,
            "ledger": {
                "size": position.size,
                "root": position.root,
                "checkpoint": position.checkpoint,
            },
            "created_at": self._clock().isoformat(timespec="seconds").replace("+00:00", "Z"),
            "tool": f"suppress {__version__}",
        }

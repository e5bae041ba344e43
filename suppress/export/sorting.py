"""People in the order in which they are told, in memory that does not grow with their number.

The ledger lists people by match key; whoever opted out last is told first. Runs of them are sorted in memory,
laid aside in temporary files without a name, and merged. The files are this process's alone and end with it.
"""

from __future__ import annotations

import heapq
import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from operator import itemgetter
from typing import Any, TextIO, overload

from suppress.core.batches import batched
from suppress.core.canonical import timestamp
from suppress.errors import StorageFailed
from suppress.ledger.rows import row_of_suppression, suppression_from
from suppress.ledger.values import Listed

RUN = 20_000
"""People sorted at once."""
_READ = 1 << 16


class NewestFirst:
    """Takes people in any order and gives them newest request first; those of one moment by match key."""

    def __init__(self, people: Iterable[Listed]) -> None:
        self._files: list[TextIO] = []
        self._rest: list[tuple[str, str, str]] = []
        self._count = 0
        for each in people:
            self._rest.append(_written(each))
            self._count += 1
            if len(self._rest) == RUN:
                self._lay_aside()
        self._rest.sort(reverse=True)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Listed]:
        """Once at a time: the files have one place to read at."""
        runs = [self._rest, *map(_run, self._files)]
        for _, key, row in heapq.merge(*runs, key=itemgetter(0, 1), reverse=True):
            yield _read(key, row)

    def parts(self, size: int) -> Iterator[list[Listed]]:
        """Newest part first, newest person first in each.

        Parts are cut from the oldest end, so that people who join later leave the older parts as they were:
        a run that was killed finds them done.
        """
        people = iter(self)
        first = self._count % size
        if first:
            yield list(islice(people, first))
        yield from batched(people, size)

    def close(self) -> None:
        """Give the files back."""
        for file in self._files:
            file.close()

    def _lay_aside(self) -> None:
        self._rest.sort(reverse=True)
        with _on_disk():
            file = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 (it lives as long as this)
            self._files.append(file)
            file.writelines(f"{json.dumps(row)}\n" for row in self._rest)
            file.flush()
        self._rest.clear()


class Spelled(Sequence[str]):
    """Addresses in their order, on the disk: what an exporter is asked to read back may be a million."""

    def __init__(self) -> None:
        with _on_disk():
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 (it lives as long as this)
        self._count = 0

    def append(self, address: str) -> None:
        """One more."""
        with _on_disk():
            self._file.write(json.dumps(address).encode() + b"\n")
        self._count += 1

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[str]:
        """Any number of times at once."""
        with _on_disk():
            self._file.flush()
        place, rest = 0, b""
        while chunk := os.pread(self._file.fileno(), _READ, place):
            place += len(chunk)
            *lines, rest = (rest + chunk).split(b"\n")
            yield from map(json.loads, lines)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        """Reads from the beginning: made for going through, not for jumping about."""
        if isinstance(index, slice):
            start, stop, step = index.indices(self._count)
            if step < 1:
                return list(self)[index]
            return list(islice(self, start, stop, step))
        found = range(self._count)[index]
        return next(islice(self, found, None))

    def close(self) -> None:
        """Give the file back."""
        self._file.close()


def _written(each: Listed) -> tuple[str, str, str]:
    row = [each.subject, each.addresses, each.heard, *row_of_suppression(0, each.suppression)[1:]]
    return timestamp(each.suppression.latest), each.key, json.dumps(row)


def _read(key: str, text: str) -> Listed:
    row: list[Any] = json.loads(text)
    subject, addresses, heard, *standing = row
    return Listed(subject, key, tuple(addresses), heard, suppression_from(standing))


def _run(file: TextIO) -> Iterator[tuple[str, str, str]]:
    file.seek(0)
    for line in file:
        latest, key, row = json.loads(line)
        yield latest, key, row


@contextmanager
def _on_disk() -> Iterator[None]:
    try:
        yield
    except OSError as refused:
        raise StorageFailed(
            f"the people to tell cannot be sorted in {tempfile.gettempdir()}: "
            f"{refused.strerror or type(refused).__name__}",
            remedy="free some space there, or name another folder in TMPDIR",
        ) from None

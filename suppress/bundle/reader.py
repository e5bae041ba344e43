"""The files of a stranger's bundle: whatever they hold, the answer is a finding and never a crash."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn, TypeVar

from suppress.bundle import layout
from suppress.ledger.values import Bad

MAX_SMALL = 1 << 25
"""Bytes of a file that is read at once."""
MAX_LINE = 1 << 26
"""Bytes of a line. An entry has at most 65,535; evidence may be long."""

T = TypeVar("T")


class Wrong(ValueError):
    """The first thing that is wrong with a bundle."""

    def __init__(self, bad: Bad) -> None:
        super().__init__(bad.what)
        self.bad = bad


def wrong(what: str, seq: int | None = None, between: tuple[int, int] | None = None) -> NoReturn:
    """Say what is wrong, and stop."""
    raise Wrong(Bad(seq, what, between))


@dataclass(slots=True)
class Reader:
    """The files of a bundle, each checked against its digest before anything else is believed."""

    folder: Path
    names: set[str] = field(default_factory=set)
    digest: str = ""

    def check_digests(self) -> None:
        """Every file is named and is what its digest says, and there is no other."""
        there = set(self._walk(""))
        sums = self._small(layout.SUMS)
        self.digest = hashlib.sha256(sums).hexdigest()
        digests = self.parsed(layout.SUMS, lambda: layout.parse_sums(sums.decode()))
        for name in sorted(digests.keys() - there):
            wrong(f"{name} is missing")
        for name in sorted(there - digests.keys() - {layout.SUMS}):
            wrong(f"{name} is not named in {layout.SUMS}")
        for name, digest in digests.items():
            with (self.folder / name).open("rb") as stream:
                if hashlib.file_digest(stream, "sha256").hexdigest() != digest:
                    wrong(f"{name} is not the file that {layout.SUMS} names")
        self.names = there

    def _walk(self, under: str) -> Iterator[str]:
        with os.scandir(self.folder / under) as found:
            for each in sorted(found, key=lambda entry: entry.name):
                name = f"{under}{each.name}"
                mode = each.stat(follow_symlinks=False).st_mode
                if stat.S_ISDIR(mode):
                    yield from self._walk(f"{name}/")
                elif stat.S_ISREG(mode):
                    yield name
                else:
                    wrong(f"{name} is not a plain file")

    def _small(self, name: str) -> bytes:
        try:
            with (self.folder / name).open("rb") as stream:
                content = stream.read(MAX_SMALL + 1)
        except FileNotFoundError:
            wrong(f"{name} is missing")
        if len(content) > MAX_SMALL:
            wrong(f"{name} is over {MAX_SMALL:,} bytes")
        return content

    def content(self, name: str) -> bytes:
        """A small file's content."""
        if name not in self.names:
            wrong(f"{name} is missing")
        return self._small(name)

    def text(self, name: str) -> str:
        """A small file's text."""
        content = self.content(name)
        return self.parsed(name, content.decode)

    def lines(self, name: str) -> Iterator[bytes]:
        """A file's lines, without their ends; each has one."""
        if name not in self.names:
            wrong(f"{name} is missing")
        with (self.folder / name).open("rb") as stream:
            while line := stream.readline(MAX_LINE):
                if not line.endswith(b"\n"):
                    wrong(f"{name} ends within a line, or has one of over {MAX_LINE:,} bytes")
                yield line[:-1]

    def under(self, folder: str) -> list[str]:
        """The names of the files in a folder of the bundle."""
        return sorted(name.removeprefix(f"{folder}/") for name in self.names if name.startswith(f"{folder}/"))

    @staticmethod
    def parsed(name: str, parse: Callable[[], T]) -> T:
        """What a parser makes of a file; what it refuses is wrong."""
        try:
            return parse()
        except ValueError as refused:
            wrong(f"{name} cannot be read: {refused}")

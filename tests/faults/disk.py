"""A disk that forgets what was not synced: system calls as they were recorded, and what a power cut leaves.

Each file keeps what is durable apart from what was written since, and so does each folder with its names.
fsync of a file makes its content durable, fsync of a folder its names; creating, renaming and unlinking are
lost until then. After any call the disk can be rebuilt: with nothing that was not synced, with all of it, or
with a part of it drawn at random, in which single sectors of a write may be missing.
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

SECTOR = 512
"""Bytes that a disk writes whole or not at all."""

CALLS = (
    "openat",
    "close",
    "write",
    "pwrite64",
    "ftruncate",
    "fsync",
    "fdatasync",
    "unlink",
    "rename",
    "mkdir",
)
"""What is recorded. SQLite and Python use no other calls to change files; `unknown` would say so."""

_CALL = re.compile(r"(\w+)\((.*)\) += (-?\d+)(?: .*)?")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')

Image: TypeAlias = dict[str, bytes]
"""The files that are there after a power cut."""


@dataclass(frozen=True, slots=True)
class Call:
    """A recorded call that succeeded: its name, the texts and the other values that it was given."""

    name: str
    texts: tuple[bytes, ...]
    values: tuple[str, ...]
    result: int


def recorded(trace: Path) -> Iterator[Call]:
    """The calls of a trace that `strace -xx` wrote."""
    for line in trace.read_text("ascii").splitlines():
        match = _CALL.fullmatch(line)
        if match is None or int(match[3]) < 0:
            continue
        texts = tuple(bytes.fromhex(text.replace("\\x", "")) for text in _TEXT.findall(match[2]))
        values = tuple(each.strip() for each in _TEXT.sub("", match[2]).split(","))
        yield Call(match[1], texts, values, int(match[3]))


@dataclass(frozen=True, slots=True)
class Write:
    at: int
    content: bytes

    def applied(self, to: bytes) -> bytes:
        padded = to.ljust(self.at, b"\0")
        return padded[: self.at] + self.content + padded[self.at + len(self.content) :]


@dataclass(frozen=True, slots=True)
class Truncate:
    size: int

    def applied(self, to: bytes) -> bytes:
        return to[: self.size].ljust(self.size, b"\0")


Change: TypeAlias = Write | Truncate


@dataclass(slots=True)
class File:
    """One file, whatever its name is."""

    durable: bytes = b""
    pending: list[Change] = field(default_factory=list)
    is_folder: bool = False

    def sync(self) -> None:
        self.durable = self.content(self.pending)
        self.pending = []

    def content(self, changes: list[Change]) -> bytes:
        found = self.durable
        for change in changes:
            found = change.applied(found)
        return found


@dataclass(frozen=True, slots=True)
class Naming:
    """A name that a file got, or (None) lost."""

    name: str
    file: File | None


@dataclass(slots=True)
class Disk:
    """A folder and everything below it, as the calls of one process change it."""

    folder: Path
    names: dict[str, File] = field(default_factory=dict)
    """As the process sees them."""
    durable: dict[str, File] = field(default_factory=dict)
    pending: list[Naming] = field(default_factory=list)
    acknowledged: tuple[int, ...] = ()
    """The numbers on the last line that the process wrote to stdout."""
    _open: dict[int, tuple[str, File | None]] = field(default_factory=dict)
    _at: dict[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, folder: Path) -> Disk:
        """A folder as it lies there, all of it durable."""
        files = {
            str(each.relative_to(folder)): File(is_folder=True) if each.is_dir() else File(each.read_bytes())
            for each in folder.rglob("*")
        }
        return cls(folder, dict(files), dict(files))

    def follow(self, call: Call) -> bool:
        """Take in a call; whether it changed anything that a power cut could show."""
        match call.name:
            case "openat":
                return self._opened(call)
            case "close":
                self._open.pop(int(call.values[0]), None)
                return False
            case "write" | "pwrite64":
                return self._written(call)
            case "ftruncate":
                return self._change(int(call.values[0]), Truncate(int(call.values[1])))
            case "fsync" | "fdatasync":
                return self._synced(int(call.values[0]))
            case "mkdir":
                return self._named(self._name(call.texts[0]), File(is_folder=True))
            case "unlink":
                return self._named(self._name(call.texts[0]), None)
            case "rename":
                old, new = (self._name(text) for text in call.texts)
                return self._renamed(old, new)
            case _:
                raise AssertionError(f"{call.name} is a call that this disk does not know")

    def _name(self, text: bytes) -> str | None:
        path = Path(os.path.normpath(self.folder / os.fsdecode(text)))
        return str(path.relative_to(self.folder)) if path.is_relative_to(self.folder) else None

    def _opened(self, call: Call) -> bool:
        name, flags = self._name(call.texts[0]), call.values[2]
        self._at[call.result] = 0
        if name is None or name == "." or (name in self.names and self.names[name].is_folder):
            self._open[call.result] = ("/" if name is None else name, None)
            return False
        created = name not in self.names
        if created:
            self._named(name, File())
        self._open[call.result] = (name, self.names[name])
        if "O_TRUNC" in flags and not created:
            return self._change(call.result, Truncate(0))
        return created

    def _written(self, call: Call) -> bool:
        descriptor = int(call.values[0])
        if call.name == "write" and descriptor == 1:
            self.acknowledged = tuple(int(each) for each in call.texts[0].split())
            return True
        content = call.texts[0][: call.result]
        at = int(call.values[3]) if call.name == "pwrite64" else self._at.get(descriptor, 0)
        self._at[descriptor] = at + len(content)
        return self._change(descriptor, Write(at, content))

    def _change(self, descriptor: int, change: Change) -> bool:
        _, file = self._open.get(descriptor, ("", None))
        if file is None:
            return False
        file.pending.append(change)
        return True

    def _synced(self, descriptor: int) -> bool:
        name, file = self._open.get(descriptor, ("", None))
        if file is not None:
            file.sync()
            return True
        within = [each for each in self.pending if str(Path(each.name).parent) == name]
        for naming in within:
            _rename(self.durable, naming)
        self.pending = [each for each in self.pending if each not in within]
        return bool(within)

    def _renamed(self, old: str | None, new: str | None) -> bool:
        if old is None and new is None:  # outside, as where an interpreter keeps compiled modules
            return False
        assert old is not None and new is not None and old in self.names
        file = self.names[old]
        self._named(old, None)
        return self._named(new, file)

    def _named(self, name: str | None, file: File | None) -> bool:
        if name is None:
            return False
        naming = Naming(name, file)
        _rename(self.names, naming)
        self.pending.append(naming)
        return True

    # --- What a power cut leaves -------------------------------------------------------------------------

    def nothing_unsynced(self) -> Image:
        """Only what was synced."""
        return {name: file.durable for name, file in _files(self.durable)}

    def everything(self) -> Image:
        """As if all of it had reached the disk just in time."""
        return {name: file.content(file.pending) for name, file in _files(self.names)}

    def a_part(self, chance: random.Random) -> Image:
        """Some names, some writes, and of some writes only some sectors."""
        names = dict(self.durable)
        for naming in self.pending:
            if chance.random() < 0.5:
                _rename(names, naming)
        return {
            name: file.content([some for each in file.pending for some in _torn(each, chance)])
            for name, file in _files(names)
        }


def _files(names: dict[str, File]) -> Iterator[tuple[str, File]]:
    """Those that a path leads to: one whose folder is lost is lost."""
    for name, file in names.items():
        above = [str(folder) for folder in Path(name).parents][:-1]
        if not file.is_folder and all(each in names for each in above):
            yield name, file


def _rename(names: dict[str, File], naming: Naming) -> None:
    if naming.file is None:
        names.pop(naming.name, None)
    else:
        names[naming.name] = naming.file


def _torn(change: Change, chance: random.Random) -> Iterator[Change]:
    kind = chance.random()
    if kind < 0.4:
        return
    if kind < 0.8 or isinstance(change, Truncate):
        yield change
        return
    for start in range(0, len(change.content), SECTOR):
        if chance.random() < 0.5:
            yield Write(change.at + start, change.content[start : start + SECTOR])

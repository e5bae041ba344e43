"""Many contact files and the folders of their results, for an engine that works on other machines.

Rules kept here:

* A folder is read as Spark reads it: everything below it, but for names that begin with `_` or `.`, by which
  other jobs mark what is not data.
* A result is a folder in which each file has its own name. It is written beside its place under another
  name, and renamed when all is whole. One that holds something already is refused: nothing would say what of
  it is old.
"""

from __future__ import annotations

import contextlib
import glob
import hashlib
import os
import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from suppress.check.tasks import Listed
from suppress.errors import BadFile, EngineFailed, OutputRefused, StorageFailed
from suppress.files.output import UNFINISHED

_ORDER = ("withheld", "review", "kept")
"""The kept rows last: whoever finds them finds the others too."""


@dataclass(frozen=True, slots=True)
class Listing:
    """The contact files of one run, in the order of their names."""

    files: tuple[Listed, ...]
    folders: tuple[Path, ...]
    """The folders that were asked for, all of which is read."""

    @classmethod
    def of(cls, asked: Sequence[str]) -> Listing:
        """The files that folders, names and patterns mean.

        Raises:
            BadFile: Something names no file, or two files would have one name in the results.
        """
        found: dict[str, str] = {}
        for each in asked:
            for path, name in _files(each):
                if found.setdefault(name, path) != path:
                    raise BadFile(
                        f"{found[name]} and {path} would have the same name in the results",
                        remedy="check the folder above them",
                    )
        folders = (Path(each).resolve() for each in asked if Path(each).is_dir())
        return cls(tuple(Listed(found[name], name) for name in sorted(found)), tuple(folders))

    def digest(self, digests: Sequence[str]) -> str:
        """One digest for all of them: of what `sha256sum` writes for the files in this order."""
        lines = (f"{digest}  {each.name}\n" for digest, each in zip(digests, self.files, strict=True))
        return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def _files(asked: str) -> list[tuple[str, str]]:
    """Paths and names that one argument means."""
    if "://" in asked:
        raise BadFile(
            f"{asked} is not a path that this machine sees",
            remedy="mount the storage under the same path here and on every worker, and name that path",
        )
    root = Path(asked)
    if root.is_dir():
        below = (path for path in root.rglob("*") if path.is_file())
        found = [(path, path.relative_to(root)) for path in below]
        found = [(path, name) for path, name in found if not any(_hidden(part) for part in name.parts)]
    elif root.is_file():
        found = [(root, Path(root.name))]
    else:
        paths = [Path(each) for each in glob.glob(asked, recursive=True) if Path(each).is_file()]  # noqa: PTH207 - any path
        common = Path(os.path.commonpath([path.parent for path in paths])) if paths else root
        found = [(path, path.relative_to(common)) for path in paths]
    if not found:
        raise BadFile(f"there is no contact file in {asked}", remedy="name a folder, a file or a pattern")
    return [(str(path.resolve()), name.as_posix()) for path, name in found]


def _hidden(part: str) -> bool:
    return part.startswith(("_", "."))


class Drafts:
    """The folders of results while they are written. A context manager: none is left unless published."""

    def __init__(self, targets: Mapping[str, str], listing: Listing) -> None:
        self._targets = {name: Path(os.path.realpath(target)) for name, target in targets.items()}
        _refuse_misplaced(self._targets, listing)
        token = secrets.token_hex(4)
        self._drafts = {
            name: place.parent / f".{place.name[:40]}.{token}{UNFINISHED}"
            for name, place in self._targets.items()
        }
        self.work = self._drafts["kept"].with_name(f".people.{token}{UNFINISHED}")
        """A folder for what the workers are given."""
        try:
            for each in (self.work, *self._drafts.values()):
                each.mkdir()
        except OSError as refused:
            self._remove()
            raise OutputRefused(f"{each} cannot be made: {refused.strerror}") from refused

    @property
    def places(self) -> dict[str, str]:
        """Where each result is written."""
        return {name: str(place) for name, place in self._drafts.items()}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._remove()

    def require_seen(self, name: str, sizes: Mapping[str, int]) -> None:
        """Refuse where a worker's results are not here. Raises `EngineFailed`."""
        for result, size in sizes.items():
            try:
                here = (self._drafts[result] / name).stat().st_size
            except OSError:
                here = None
            if here != size:
                raise EngineFailed(
                    f"what a worker wrote for {name} is not seen on this machine",
                    remedy="choose folders that this machine and every worker have under the same path",
                )

    def publish(self) -> None:
        """Give all folders their names. Raises `StorageFailed`; then none of them has it."""
        done: list[str] = []
        try:
            for name in _ORDER:
                if name in self._drafts:
                    self._drafts[name].rename(self._targets[name])
                    done.append(name)
        except OSError as failed:
            for name in done:
                with contextlib.suppress(OSError):
                    self._targets[name].rename(self._drafts[name])
            raise StorageFailed(f"the results cannot get their names: {failed.strerror}") from failed

    def _remove(self) -> None:
        for each in (self.work, *self._drafts.values()):
            shutil.rmtree(each, ignore_errors=True)


def _refuse_misplaced(targets: Mapping[str, Path], listing: Listing) -> None:
    """Refuse results that would be read as input, or that are there already."""
    taken: dict[Path, str] = {}
    for name, place in targets.items():
        if place in taken:
            raise OutputRefused(f"--{taken[place]} and --{name} both name {place}")
        taken[place] = name
        if place.exists() and not (place.is_dir() and not any(place.iterdir())):
            raise OutputRefused(
                f"--{name} {place} is there already", remedy="name a folder that does not exist yet"
            )
        if any(place.is_relative_to(folder) for folder in listing.folders):
            raise OutputRefused(
                f"--{name} {place} lies in the folder that is being read", remedy="choose a folder beside it"
            )

"""Many contact files and the folders of their results, for an engine that works on other machines.

Rules kept here:

* A folder is read as Spark reads it: everything below it but marks of other jobs (`_hidden`).
* A result is a folder in which each file has its own name. It is written beside its place under another
  name (`claimed`), and renamed when all is whole. One that holds something already is refused: nothing would
  say what of it is old.
"""

from __future__ import annotations

import contextlib
import glob
import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence, Set
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from suppress.check.claimed import Claimed
from suppress.check.tasks import SAME_PATHS, Listed
from suppress.errors import BadFile, EngineFailed, OutputRefused, StorageFailed

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
        found = _data(below, root)
    elif root.is_file():
        found = [(root, Path(root.name))]
    else:
        paths = [Path(each) for each in glob.glob(asked, recursive=True) if Path(each).is_file()]  # noqa: PTH207 - any path
        common = Path(os.path.commonpath([path.parent for path in paths])) if paths else root
        found = _data(paths, common)
    if not found:
        raise BadFile(f"there is no contact file in {asked}", remedy="name a folder, a file or a pattern")
    return [(str(path.resolve()), name.as_posix()) for path, name in found]


def _data(paths: Iterable[Path], root: Path) -> list[tuple[Path, Path]]:
    """Those that no part of the name below `root` marks as other than data, each with that name."""
    named = ((path, path.relative_to(root)) for path in paths)
    return [(path, name) for path, name in named if not any(map(_hidden, name.parts))]


def _hidden(part: str) -> bool:
    """Whether Spark does not read what is called so (`HadoopFSUtils.shouldFilterOutPathName`).

    That is `_SUCCESS`, `_temporary`, `.part-0.csv.crc`, and copies under way; not a partition `_day=3`. A
    `.crc` whose point at the start was lost on another storage is no list either.
    """
    marked = part.startswith("_") and "=" not in part
    return marked or part.startswith(".") or part.endswith(("._COPYING_", ".crc"))


class Drafts:
    """The folders of results while they are written. A context manager: none is left unless published."""

    def __init__(self, targets: Mapping[str, str], listing: Listing) -> None:
        self._targets = {name: Path(os.path.realpath(target)) for name, target in targets.items()}
        _refuse_misplaced(self._targets, listing)
        with ExitStack() as stack:
            self._drafts: dict[str, Path] = {}
            for name, place in self._targets.items():
                try:
                    draft = stack.enter_context(Claimed(place.parent, place.name)).path
                    for each in {Path(listed.name).parent for listed in listing.files}:
                        (draft / each).mkdir(parents=True, exist_ok=True)
                    if name == "kept":
                        self.work = stack.enter_context(Claimed(place.parent, "people")).path
                        """A folder for what the workers are given."""
                except OSError as refused:
                    raise OutputRefused(f"{place} cannot be made: {refused.strerror}") from refused
                self._drafts[name] = draft
            self._stack = stack.pop_all()

    @property
    def places(self) -> dict[str, str]:
        """Where each result is written."""
        return {name: str(place) for name, place in self._drafts.items()}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

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
                    remedy=SAME_PATHS,
                )

    def publish(self, listing: Listing) -> None:
        """Give all folders their names. Raises `StorageFailed`; then none of them has it.

        A task that was lost, and done again elsewhere, may have left a file that is not whole.
        """
        expected = {each.name for each in listing.files}
        done: list[str] = []
        try:
            for name in _ORDER:
                if (draft := self._drafts.get(name)) is not None:
                    _remove_others(draft, expected)
                    draft.rename(self._targets[name])
                    done.append(name)
        except OSError as failed:
            for name in done:
                with contextlib.suppress(OSError):
                    self._targets[name].rename(self._drafts[name])
            raise StorageFailed(f"the results cannot get their names: {failed.strerror}") from failed


def _remove_others(folder: Path, expected: Set[str]) -> None:
    for path in [each for each in folder.rglob("*") if not each.is_dir()]:
        if path.relative_to(folder).as_posix() not in expected:
            path.unlink()


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

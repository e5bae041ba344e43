"""Writes a new plugin: a whole distribution whose tests all fail until its author has written it.

Rules kept here:

* Nothing is overwritten: a folder that is there is refused, whatever it holds.
* A plugin is there whole or not at all: it is written beside its place and renamed.
* A name that a loaded platform has is refused, because both would be refused when they load.

The files are in `files`, with `$name` for the platform, `$module` for the package, `$klass` for the exporter
and `$label` for how people call it.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from string import Template

from suppress import __version__
from suppress.errors import BadUsage, OutputRefused

_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_LONGEST = 40
_TEMPLATES = {
    "pyproject.toml": "pyproject.toml.txt",
    "README.md": "README.md.txt",
    "$module/__init__.py": "init.py.txt",
    "$module/calls.py": "calls.py.txt",
    "$module/capabilities.py": "capabilities.py.txt",
    "$module/exporter.py": "exporter.py.txt",
    "$module/py.typed": None,
    "$module/simulator.py": "simulator.py.txt",
    "$module/unwritten.py": "unwritten.py.txt",
    "$module/wire.py": "wire.py.txt",
    "tests/test_${module}_contract.py": "test.py.txt",
}


@dataclass(frozen=True, slots=True)
class Skeleton:
    """A plugin that is still to be written."""

    name: str
    distribution: str
    module: str
    folder: Path
    files: dict[str, str]
    """Path below the folder → text."""

    def write(self) -> None:
        """Write all of it, or nothing.

        Raises:
            OutputRefused: The folder is there already, or cannot be made.
        """
        _require_free(self.folder)
        try:
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self.folder.parent, prefix=f".{self.folder.name}.") as draft:
                whole = Path(draft) / self.folder.name
                for path, text in self.files.items():
                    file = whole / path
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.write_text(text, encoding="utf-8")
                os.rename(whole, self.folder)  # noqa: PTH104 (Path.rename says the same in other words)
        except OSError as refused:
            why = refused.strerror or type(refused).__name__
            raise OutputRefused(f"{self.folder} cannot be written: {why}; nothing was left there") from None


def skeleton(name: str, parent: Path, *, taken: Iterable[str] = ()) -> Skeleton:
    """The plugin for the platform `name`, in a folder of its own below `parent`.

    Raises:
        BadUsage: The name cannot be a platform's, or one of those that are `taken` has it.
        OutputRefused: The folder is there already.
    """
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        raise BadUsage(
            f"{name!r} is no name for a platform: small letters and digits, words joined by '-', "
            f"at most {_LONGEST} characters",
            remedy="suppress plugin new my-crm",
        )
    if name in taken:
        raise BadUsage(
            f"there is a platform {name!r} already, and two plugins with one name are both refused",
            remedy="choose another name; suppress plugins lists those that are taken",
        )
    words = name.split("-")
    module = f"suppress_{'_'.join(words)}"
    folder = parent / f"suppress-{name}"
    _require_free(folder)
    values = {
        "name": name,
        "module": module,
        "klass": "".join(each.capitalize() for each in words) + "Exporter",
        "label": " ".join(each.capitalize() for each in words),
        "versions": _versions(),
    }
    files = {
        Template(path).substitute(values): Template(_text(template)).substitute(values)
        for path, template in _TEMPLATES.items()
    }
    return Skeleton(name, f"suppress-{name}", module, folder, files)


def _versions() -> str:
    """The contract that this was written for: until 1.0 it may change with the second number."""
    major, minor = (int(each) for each in __version__.split(".")[:2])
    return f">={major}.{minor},<{major}.{minor + 1}" if major == 0 else f">={major}.{minor},<{major + 1}"


def _require_free(folder: Path) -> None:
    if os.path.lexists(folder):
        raise OutputRefused(
            f"{folder} is there already; nothing was written",
            remedy="name another folder with --folder, or move that one away",
        )


def _text(template: str | None) -> str:
    if template is None:
        return ""
    return resources.files(__name__).joinpath("files", template).read_text(encoding="utf-8")

"""A file and its manifest that are replaced as a whole, or stay as they were.

Rules kept here:

* A file is written beside its target, flushed to the disk and renamed over it, mode 0600. A kill, a full
  disk or a failing caller leaves the old file as it was.
* The file is renamed before its manifest: a kill between the two leaves a pair that does not verify, and
  never a manifest for rows that are not there yet.
* What killed runs left beside the target is removed: it holds addresses.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import json
import os
import secrets
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

from suppress.errors import OutputRefused, StorageFailed
from suppress.plugin.contract import Finding, Severity

_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})


class WholeFile:
    """One file that is replaced as a whole, with `NAME.manifest.json` beside it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.manifest = path.with_name(f"{path.name}.manifest.json")

    def replace(self, blocks: Iterable[bytes], describe: Callable[[], Mapping[str, Any]]) -> None:
        """Write both anew. `describe` is called when all blocks are written.

        Raises:
            OutputRefused: The place cannot hold a file.
            StorageFailed: The disk is full or failed. In both cases the old file is as it was.
        """
        self._refuse_odd_places()
        try:
            with contextlib.ExitStack() as stack:
                written = _written(self.path, blocks)
                stack.callback(written.unlink, missing_ok=True)
                manifest = _written(self.manifest, [(json.dumps(describe(), indent=2) + "\n").encode()])
                stack.callback(manifest.unlink, missing_ok=True)
                written.replace(self.path)
                manifest.replace(self.manifest)
            _sync(self.path.parent)
        except OSError as refused:
            raise self._refused(refused) from refused

    @contextlib.contextmanager
    def opened(self) -> Iterator[tuple[TextIO, Mapping[str, Any]]]:
        """The file as text, from its first byte, and its manifest.

        Raises:
            ValueError: The two do not agree, or are not there.
            UnicodeDecodeError: A ValueError too, while it is read.
        """
        try:
            manifest = json.loads(self.manifest.read_bytes())
            with self.path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                if not isinstance(manifest, dict) or digest != manifest.get("sha256"):
                    raise ValueError("the file differs from its manifest")
                file.seek(0)
                with io.TextIOWrapper(file, encoding="utf-8", newline="") as text:
                    yield text, manifest
        except OSError as missing:
            raise ValueError("the file or its manifest is not there") from missing

    def findings(self, *, whole: Callable[[], bool], name: str) -> Iterator[Finding]:
        """Whether the folder takes a file, and whether the file there is still the one that was written."""
        folder = self.path.parent
        if not folder.is_dir():
            yield Finding(str(folder), Severity.FAIL, "the folder does not exist", hint=f"mkdir -p {folder}")
            return
        if not os.access(folder, os.W_OK):
            yield Finding(str(folder), Severity.FAIL, "the folder cannot be written to")
        if not os.path.lexists(self.path):
            yield Finding(str(self.path), Severity.PASS, "not written yet")
        elif not self.path.is_file():
            yield Finding(str(self.path), Severity.FAIL, "is no regular file", hint="choose another path")
        elif not whole():
            again = f"suppress export {name} writes it anew"
            yield Finding(str(self.path), Severity.WARN, "differs from its manifest", hint=again)
        elif stat.S_IMODE(self.path.stat().st_mode) & 0o077:
            yield Finding(str(self.path), Severity.WARN, "others may read it", hint=f"chmod 600 {self.path}")
        else:
            yield Finding(str(self.path), Severity.PASS, "is as it was written")

    def _refuse_odd_places(self) -> None:
        if self.path.name in ("", "-"):
            raise OutputRefused(
                "an export is read back to be verified, so it needs a file, not a stream", remedy="-o FILE"
            )
        if os.path.lexists(self.path) and not self.path.is_file():
            raise OutputRefused(f"{self.path} is no regular file")

    def _refused(self, refused: OSError) -> OutputRefused | StorageFailed:
        why = refused.strerror or type(refused).__name__
        if refused.errno in _DISK:
            return StorageFailed(f"{self.path} could not be written: {why}; nothing was changed")
        return OutputRefused(f"{self.path} cannot be written: {why}")


def _written(target: Path, blocks: Iterable[bytes]) -> Path:
    """A file beside `target` with these bytes, safely on the disk; nothing if anything fails."""
    _remove_leftovers(target)
    temporary = target.with_name(f".{target.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.writelines(blocks)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        temporary.unlink()
        raise
    return temporary


def _remove_leftovers(target: Path) -> None:
    prefix = f".{target.name}."
    for left in target.parent.iterdir():
        process = left.name.removeprefix(prefix).partition("-")[0]
        if left.name.startswith(prefix) and left.name.endswith(".tmp") and process.isdecimal():
            try:
                os.kill(int(process), 0)
            except (ProcessLookupError, OverflowError):
                left.unlink(missing_ok=True)
            except PermissionError:
                continue


def _sync(folder: Path) -> None:
    # A rename is on the disk only when its folder is.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

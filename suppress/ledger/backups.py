"""A copy of a ledger in use, to be put in its place one day: consistent, verified, its checkpoint beside it.

It is always a SQLite file, also of a ledger on a server: one file that needs no server to be verified, and
that `suppress ledger copy` carries back into one.

    suppress-2026-11-23.db               0600
    suppress-2026-11-23.db.checkpoint    the signed head of the copy, for `verify --anchor`

The copy is announced by its name: until it has verified it lies beside its target under another one, and a
backup never replaces a file. It holds no key. The keys folder is kept apart, and neither its high-water mark
nor its record of erasures (`suppress.ledger.erasures`) is ever put back from an older copy.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from suppress.errors import LedgerDamaged, OutputRefused, StorageFailed
from suppress.ledger.copying import pour
from suppress.ledger.engine import reading, sqlite_engine
from suppress.ledger.heads import read_tip
from suppress.ledger.inspection import Inspection, Outside
from suppress.ledger.keyring import Keyring
from suppress.ledger.keys import read_highwater, replace_file, sync_folder
from suppress.ledger.place import Place, copied
from suppress.ledger.values import Head

_UNFINISHED = re.compile(r"\.suppress-backup-([0-9]{1,9})-[0-9a-f]{8}")


@dataclass(frozen=True, slots=True)
class Backup:
    """Where a backup is, and the head that it was verified against."""

    file: Path
    checkpoint: Path
    head: Head


def run(engine: Engine, place: Place, ring: Keyring, output: Path) -> Backup:
    """Make a backup. Raises what `Ledger.backup` says."""
    checkpoint = output.with_name(f"{output.name}.checkpoint")
    _require_free(output, checkpoint)
    head = copy(engine, place, ring, output, read_highwater(ring.highwater))
    try:
        replace_file(checkpoint, head.note.encode())
    except OSError as refused:
        raise StorageFailed(f"{checkpoint} cannot be written: {refused.strerror}") from refused
    return Backup(output, checkpoint, head)


def copy(engine: Engine, place: Place, ring: Keyring, output: Path, mark: str | None = None) -> Head:
    """Copy a ledger into a new file, and verify it there. Raises what `Ledger.copy` says."""
    _require_free(output)
    with _draft(output) as draft:
        if isinstance(place, Path):
            copied(place, draft)
            head = _verified(draft, ring, mark)
        else:
            head = pour(engine, place, ring, draft, mark)
        _settle(draft)
        draft.rename(output)
        sync_folder(output.parent)
    return head


def _require_free(output: Path, *others: Path) -> None:
    for path in (output, *others):
        if os.path.lexists(path):
            raise OutputRefused(
                f"{path} is there already, and a backup never replaces a file", remedy="name another file"
            )
    if not output.parent.is_dir() or not os.access(output.parent, os.W_OK):
        raise OutputRefused(f"{output} cannot be written: {output.parent} is no folder that takes files")


@contextmanager
def _draft(output: Path) -> Iterator[Path]:
    """A name beside the target that is gone afterwards, as are those of runs that were killed."""
    draft = output.with_name(f".suppress-backup-{os.getpid()}-{secrets.token_hex(4)}")
    try:
        _sweep(output.parent)
        yield draft
    except OSError as refused:
        raise StorageFailed(f"{output} cannot be written: {refused.strerror}") from refused
    finally:
        for left in draft.parent.glob(f"{draft.name}*"):  # with its journal
            left.unlink(missing_ok=True)


def _sweep(folder: Path) -> None:
    """Remove what killed runs have left: it holds addresses."""
    for left in folder.iterdir():
        found = _UNFINISHED.match(left.name)
        if found is None:
            continue
        try:
            os.kill(int(found[1]), 0)
        except (ProcessLookupError, OverflowError):
            left.unlink(missing_ok=True)
        except PermissionError:
            continue


def _verified(draft: Path, ring: Keyring, mark: str | None) -> Head:
    """The head of a copy that is whole, and no older than what was signed when it was made."""
    outside = [] if mark is None else [Outside("the high-water mark", mark)]
    engine = sqlite_engine(draft, mode="ro")
    try:
        inspection = Inspection(lambda: reading(engine, draft), ring.chain.keys, outside, ring.index)
        bad = inspection.first_bad()
        if bad is not None:
            raise LedgerDamaged(f"the copy does not verify and was not kept: {bad.what}")
        with reading(engine, draft) as connection:
            return read_tip(connection).head
    finally:
        engine.dispose()


def _settle(file: Path) -> None:
    with file.open("rb") as stream:
        os.fsync(stream.fileno())

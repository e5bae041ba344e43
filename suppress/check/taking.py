"""A portable snapshot is taken of a ledger: two files that appear whole, and an entry saying who got them."""

from __future__ import annotations

import hashlib
import os
import tempfile
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from suppress.check.freshness import read_up_to
from suppress.check.portable import Head, Secret, new_secret, written
from suppress.core.entry import Disclosed
from suppress.errors import BadUsage, OutputRefused
from suppress.ledger import Event, Ledger

PURPOSE = "suppression compliance"
FORM = "keyed hash"
DESTINATION = "snapshot"
"""What the entry calls the way by which it left."""
LONGEST = timedelta(days=92)


@dataclass(frozen=True, slots=True)
class Taken:
    """What was written."""

    head: Head
    place: Path
    secret: Path
    kept_secret: bool
    """Whether the secret that lay there was used again, so that whoever has it needs no other."""
    count: int
    digest: str
    seq: int


def take(
    ledger: Ledger,
    output: Path,
    *,
    recipient: str,
    valid_for: timedelta,
    sources: Iterable[str],
    now: datetime,
    actor: str,
) -> Taken:
    """Write a snapshot and its secret.

    The entry comes first: should this process end between the two, the list may have been seen.

    Raises:
        BadUsage: No recipient, or a time that is none or too long.
        OutputRefused: A file cannot be written.
        SuppressError: The ledger cannot be read, or its keys are not here.
    """
    if not recipient.strip():
        raise BadUsage("somebody gets this list: say who", remedy='--recipient "Acme CI"')
    if not timedelta() < valid_for <= LONGEST:
        raise BadUsage(f"--valid-for is at most {LONGEST.days} days", remedy="take a new one more often")
    at = ledger.head()
    head = Head(
        now,
        now + valid_for,
        at.size,
        at.root.hex(),
        at.note,
        read_up_to(ledger, sources),
        ledger.rules(),
        0,
    )
    place = output.parent / f"{output.name}.secret"
    secret, kept = _secret(ledger, place)
    try:
        with tempfile.TemporaryFile() as body:
            draft = _draft(output)
            try:
                with draft.open("wb") as stream:
                    count = written(
                        stream, body, head, ledger.recognisable(), secret, ledger.signed, ledger.origin
                    )
                    stream.flush()
                    os.fsync(stream.fileno())
                with draft.open("rb") as stream:
                    digest = hashlib.file_digest(stream, "sha256").hexdigest()
                said = Disclosed(DESTINATION, recipient.strip(), PURPOSE, FORM, count, digest)
                (receipt,) = ledger.append([Event(uuid.uuid4().hex, said)], actor=actor)
                if not kept:
                    _write_private(place, secret.text)
                draft.replace(output)
            finally:
                draft.unlink(missing_ok=True)
    except OSError as refused:
        raise OutputRefused(f"{output} cannot be written: {refused.strerror}") from refused
    return Taken(head, output, place, kept, count, digest, receipt.seq)


def _secret(ledger: Ledger, place: Path) -> tuple[Secret, bool]:
    """The secret that lies there, if it has the ledger's index keys; else a new one."""
    keys = ledger.index_secrets()
    if place.exists():
        found = Secret.parse(place.read_text("utf-8", "replace"), str(place))
        if found.index == keys:
            return found, True
    return new_secret(keys), False


def _draft(output: Path) -> Path:
    handle, name = tempfile.mkstemp(prefix=f".{output.name}-", dir=output.parent)  # 0600
    os.close(handle)
    return Path(name)


def _write_private(place: Path, text: str) -> None:
    draft = _draft(place)
    draft.write_text(text, "utf-8")
    draft.replace(place)

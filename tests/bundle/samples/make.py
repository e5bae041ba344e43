"""Makes the sample of the current form of bundles, once for a release: `python -m tests.bundle.samples.make`.

    1/whole, open, entries, person/    bundles of the newest sample of a ledger, as this program writes them
    1/pinned.vkey, kept.note           the first key of that ledger, and an older checkpoint
    1/expected.json                    what every later program must say of them

A folder that is there is never made again: it is what auditors have.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from suppress.bundle import Grade, Wanted, bundle, layout
from suppress.bundle.checking import verify
from suppress.core.address import Address
from suppress.core.entry import LogOpened
from suppress.ledger import schema
from tests.ledger.making import Place
from tests.ledger.samples.make import samples_of

SAMPLES = Path(__file__).parent
FORM = layout.SCHEMA.rpartition("@")[2]
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def main() -> int:
    """Make the sample, unless it is there."""
    folder = SAMPLES / FORM
    if folder.exists():
        sys.stderr.write(f"{folder} is there, and stays as it is\n")
        return 1
    with tempfile.TemporaryDirectory() as scratch:
        place = _ledger(Path(scratch) / "ledger")
        folder.mkdir()
        with place.open() as ledger:
            first = next(iter(ledger.entries())).body
            assert isinstance(first, LogOpened)
            (folder / "pinned.vkey").write_text(f"{first.vkey}\n")
            (folder / "kept.note").write_text(ledger.head().note)
            for wanted in (
                Wanted(),
                Wanted(Grade.OPEN, previous=folder / "whole"),
                Wanted(Grade.ENTRIES, entries=(0, 2, 5), previous=folder / "whole"),
                Wanted(Grade.PERSON, address=Address.parse("pat@example.com"), previous=folder / "whole"),
            ):
                bundle(
                    ledger,
                    folder / wanted.grade.value,
                    wanted,
                    organisation="Acme Outdoor",
                    now=NOW,
                    actor="sample",
                )
    (folder / "expected.json").write_text(json.dumps(described(folder), indent=1) + "\n")
    return 0


def described(folder: Path) -> dict[str, Any]:
    """What a program says of the bundles in a sample."""
    found = {}
    for grade in Grade:
        result = verify(
            folder / grade.value,
            vkeys=[(folder / "pinned.vkey").read_text()],
            anchors=[folder / "kept.note"],
        )
        found[grade.value] = {
            "bad": None if result.first_bad is None else result.first_bad.what,
            "grade": result.grade,
            "size": result.size,
            "root": result.root,
            "entries": result.entries_checked,
            "openings": result.openings,
            "digest": result.digest,
            "key": result.key,
            "kept": [each.result for each in result.compared],
        }
    return found


def _ledger(folder: Path) -> Place:
    """A copy of the newest sample of a ledger, with the permissions that version control does not keep."""
    shutil.copytree(samples_of(schema.HEAD)[-1], folder)
    for file in [*folder.glob("suppress.keys/*.pem"), *folder.glob("suppress.keys/index.*")]:
        file.chmod(0o600)
    return Place(folder)


if __name__ == "__main__":
    sys.exit(main())

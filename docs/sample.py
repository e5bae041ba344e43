"""Writes the sample report from recorded entries: `python docs/sample.py`; with `--check`, only compares.

`docs/sample-report/ledger` holds the entries of a ledger that `suppress demo` made, byte for byte, with its
signed head: a bundle without its guide. The report of them, as of a fixed instant, is written beside it in
every format whose bytes depend on nothing but the facts; a workbook's depend on the compression library.
"""

from __future__ import annotations

import sys
from base64 import b64decode
from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import islice
from pathlib import Path

from suppress.config import Settings, SourceSettings
from suppress.config.policy_files import chosen
from suppress.core import merkle
from suppress.ledger.reading import decoded
from suppress.report.asking import TOOL, scenario
from suppress.report.facts import Asked, Facts, Quoted
from suppress.report.gathering import gather
from suppress.report.integrity import Integrity
from suppress.report.packed import Packed
from suppress.report.period import Period, Zone
from suppress.report.redacting import redacted
from suppress.report.rendering import folder
from suppress.report.rows import Rows
from suppress.report.sampling import Shown
from suppress.report.target import Format

SAMPLE = Path(__file__).parent / "sample-report"
SETTINGS = Settings(
    organisation="Acme Outdoor", sources={"main": SourceSettings("main", "constant-contact", sender="Acme")}
)
LATER = timedelta(hours=2)
"""After the last entry: when the report is made."""


def leaves() -> list[bytes]:
    """The entries, as the ledger kept them."""
    return (SAMPLE / "ledger" / "entries.ndjson").read_bytes().splitlines()


def facts() -> tuple[Facts, Packed]:
    """What the report says, and its register. The entries are held against the signed head first."""
    found = leaves()
    note = (SAMPLE / "ledger" / "checkpoint").read_text(encoding="utf-8")
    hashes = [merkle.leaf_hash(leaf) for leaf in found]
    size, root = note.splitlines()[1:3]
    assert (int(size), b64decode(root)) == (len(found), merkle.root(hashes)), (
        "the entries are not the signed ones"
    )
    zone = Zone.named(SETTINGS.timezone)
    as_of = decoded(len(found) - 1, found[-1]).at + LATER
    asked = Asked(
        period=Period.between(None, None, as_of=as_of, zone=zone),
        as_of=as_of,
        zone=zone,
        settings=SETTINGS,
        policies=chosen(SETTINGS.policies),
        tool=TOOL,
        sample=3,
        what_if=(scenario("deleted-missed"), scenario("policy=ca.casl")),
    )

    def shown(seqs: Sequence[int], _size: int, _full: bool) -> Mapping[int, Shown]:
        return {
            seq: Shown(
                seq,
                found[seq].decode(),
                hashes[seq].hex(),
                tuple(each.hex() for each in merkle.inclusion_proof(hashes, seq)),
            )
            for seq in seqs
        }

    packed: list[Packed] = []
    found_facts = redacted(
        gather(
            lambda: Rows(zone).of_leaves([found], decoded),
            asked,
            lambda size: Quoted(size, merkle.root(hashes[:size]).hex(), note),
            Integrity(True, len(found), 0, (), None),
            prover=shown,
            registrar=lambda lines: packed.append(Packed.of(lines)),
        )
    )
    return found_facts, packed[0]


def files() -> Mapping[str, bytes]:
    """The files of the report."""
    told, requests = facts()
    made = folder(told, (Format.JSON, Format.PDF, Format.HTML), requests=requests)
    return {name: b"".join(pieces) for name, pieces in made.written()}


def main() -> int:
    """Write the files, or with `--check` name those that differ. Returns the exit code."""
    made = files()
    differing = [name for name, content in made.items() if not _same(SAMPLE / name, content)]
    gone = [path for path in (SAMPLE / "csv").glob("*.csv") if f"csv/{path.name}" not in made]
    if "--check" in sys.argv:
        print("\n".join(f"docs/sample-report/{name} differs from the code" for name in islice(differing, 9)))
        return 1 if differing or gone else 0
    for path in gone:
        path.unlink()
    for name in differing:
        (SAMPLE / name).parent.mkdir(exist_ok=True)
        (SAMPLE / name).write_bytes(made[name])
    return 0


def _same(path: Path, content: bytes) -> bool:
    return path.exists() and path.read_bytes() == content


if __name__ == "__main__":
    sys.exit(main())

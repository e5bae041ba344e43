"""Prove that a ledger is what was signed, or name the first entry that is not: `suppress verify`.

    result = verify("sqlite:///suppress.db", keys=Path("suppress.keys"), anchors=[Path("march.note")])
    assert result.ok, result.first_bad

Rules kept here:

* The public key is the verifier's own: from the keys folder or given as a vkey. It is never taken from the
  ledger that is verified.
* Nothing is written, and a writer may go on meanwhile: the ledger is judged as of the head at the start.
* A ledger that cannot be read is not verified. Whatever a changed file holds, the answer is a finding, never
  a crash.
* What was *not* checked is said. Nothing inside one database can show that an older copy was put back or
  that everything was signed anew with the same key: only a checkpoint that was kept elsewhere can, so its
  absence has its own exit code.

How it is done is in `suppress.ledger.inspection`; what it proves, in `docs/explanation/ledger.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from suppress.core.checkpoint import BadNote, Key, parse_vkey
from suppress.errors import BadUsage, ConfigWrong, LedgerDamaged
from suppress.ledger.keys import HIGHWATER_FILE, VKEY_FILE, Keys, read_highwater, read_vkey
from suppress.ledger.notes import read_note
from suppress.ledger.place import Place, keys_folder, open_read_only, place_of, require_ledger_file
from suppress.ledger.sealing import IndexKey
from suppress.ledger.values import Bad, Compared

if TYPE_CHECKING:
    from suppress.ledger.inspection import Facts, Outside, Progress
    from suppress.ledger.people import Crowd

__all__ = ["Bad", "Compared", "Verification", "verify"]


@dataclass(frozen=True, slots=True)
class Verification:
    """What `verify` found. `size` and `root` are those of the signed head; 0 and empty without one."""

    ok: bool
    size: int
    root: str
    entries_checked: int
    anchors: tuple[str, ...]
    """The files of the checkpoints that the ledger was held against."""
    not_checked: tuple[str, ...]
    first_bad: Bad | None
    compared: tuple[Compared, ...] = ()
    """Each of those checkpoints, and how the ledger stands to it."""


def _silent(_step: str, _done: int, _total: int | None) -> None:
    pass


def verify(
    ledger: str,
    *,
    keys: Path | None = None,
    vkeys: Sequence[str] = (),
    anchors: Sequence[Path] = (),
    progress: Progress = _silent,
    apart: bool = False,
) -> Verification:
    """Verify a whole ledger, against the public key in the `keys` folder or those given as `vkeys`.

    With `apart` a part of a long ledger is looked at in a process of its own, which imports the main module
    anew: it must not run when it is imported.

    Raises:
        BadUsage: No public key to verify with, or a text that is none.
        BadFile: An anchor's file is not a signed note.
        NoLedger, MigrationNeeded, LedgerLocked, StorageFailed: There is nothing that could be verified now.
    """
    from suppress.ledger.inspection import Outside

    place = place_of(ledger)
    folder = keys if keys is not None else keys_folder(place)
    if isinstance(place, Path):
        require_ledger_file(place)
    pinned = _pinned(folder, vkeys)
    outside = [Outside(str(path), read_note(path)) for path in anchors]
    # Read ahead of the head: a writer at work raises the head first and the mark after it.
    outside += [Outside("the high-water mark", note) for note in _highwater(folder)]
    index, without_index = _index_keys(folder)
    try:
        elsewhere = partial(_look, place, folder) if apart else None
        bad, facts = _inspect(place, pinned, outside, index, progress, elsewhere)
    except LedgerDamaged as damaged:
        return Verification(False, 0, "", 0, tuple(map(str, anchors)), (), Bad(None, damaged.message))
    return Verification(
        bad is None,
        facts.size if facts.signed else 0,
        facts.root.hex() if facts.signed else "",
        facts.entries,
        tuple(map(str, anchors)),
        tuple(_unchecked(facts, anchored=bool(anchors), without_index=without_index)),
        bad,
        tuple(Compared(each.name, each.size, each.result) for each in facts.anchors[: len(anchors)]),
    )


def _inspect(
    place: Place,
    pinned: Sequence[Key],
    outside: Sequence[Outside],
    index: Sequence[IndexKey],
    progress: Progress,
    elsewhere: Callable[[int], Crowd] | None,
) -> tuple[Bad | None, Facts]:
    from suppress.ledger.engine import opened, reading
    from suppress.ledger.inspection import Inspection
    from suppress.ledger.schema import require_current

    if isinstance(place, Path):
        open_read_only(place).close()  # rolls back what a killed writer left
    engine = opened(place, mode="ro")
    try:
        with reading(engine, place) as connection:
            require_current(connection, place)
        inspection = Inspection(lambda: reading(engine, place), pinned, outside, index, progress, elsewhere)
        bad = inspection.first_bad()
        if bad is None or not inspection.moved():
            return bad, inspection.facts
        with reading(engine, place) as connection:
            still = Inspection(lambda: nullcontext(connection), pinned, outside, index, progress)
            return still.first_bad(), still.facts
    finally:
        engine.dispose()


def _look(place: Place, folder: Path, size: int) -> Crowd:
    """Passes 3 and 4 over the first `size` entries, for a process that shares nothing with another."""
    from suppress.ledger.engine import opened, reading
    from suppress.ledger.inspection import Inspection
    from suppress.ledger.people import looked_at

    engine = opened(place, mode="ro")
    try:
        inspection = Inspection(lambda: reading(engine, place), (), index=_index_keys(folder)[0])
        inspection.facts.size = size
        return looked_at(inspection)
    finally:
        engine.dispose()


def _pinned(folder: Path, vkeys: Sequence[str]) -> list[Key]:
    if not vkeys:
        try:
            vkeys = [read_vkey(folder / VKEY_FILE)]
        except ConfigWrong as missing:
            raise BadUsage(
                f"no public key to verify with: {missing.message}",
                remedy="suppress verify --key VKEY, with the key you were given when the ledger was opened",
            ) from missing
    try:
        return [parse_vkey(vkey) for vkey in vkeys]
    except BadNote as wrong:
        raise BadUsage(f"not a public key: {wrong}", remedy="give the one line of a log.vkey file") from wrong


def _highwater(folder: Path) -> list[str]:
    try:
        note = read_highwater(folder / HIGHWATER_FILE)
    except LedgerDamaged:
        return ["unreadable"]  # which is signed by nobody, and so a finding
    return [] if note is None else [note]


def _index_keys(folder: Path) -> tuple[tuple[IndexKey, ...], str | None]:
    try:
        return Keys.load(folder).index, None
    except ConfigWrong as missing:
        return (), missing.message


def _unchecked(facts: Facts, *, anchored: bool, without_index: str | None) -> Iterator[str]:
    if not anchored:
        yield (
            "whether an older copy was put back or everything was signed anew with the same key: "
            "no checkpoint kept elsewhere was given (--anchor)"
        )
    if without_index is not None:
        yield f"whether the indexes belong to the addresses: {without_index}"
    if facts.erased:
        yield f"the content of {facts.erased} payloads, which were erased on record"
    for seq, body in facts.restored:
        yield (
            f"what is lost since the ledger went on from a backup of {body.size} entries (entry {seq}); "
            f"{body.outside_size} had been signed"
        )
    yield "the dates that others claimed, and requests that never reached the ledger"

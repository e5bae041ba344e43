"""What tests of backups do to a ledger: copy it, put a copy back, erase people in between."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from suppress.audit import Verification, verify
from suppress.core.address import Address
from suppress.core.verdict import Tier
from suppress.ledger import Grounds, Ledger
from suppress.ledger.restoring import Restoration
from tests import backends
from tests.ledger.making import Place, opt_out

GROUNDS = Grounds("Art. 17 GDPR", "DSR-1")


def peopled(folder: Path) -> Place:
    """A ledger in which Pat and Sam have opted out."""
    made = Place(folder).create()
    made.record(opt_out("pat@example.com", evidence={"note": "stop"}), opt_out("s.am@gmail.com"))
    return made


def backed_up(place: Place, name: str = "backup.db") -> Path:
    with place.open(read_only=True) as ledger:
        return ledger.backup(place.folder / name).file


def put_back(place: Place, backup: Path) -> None:
    """What a person does: cp backup.db suppress.db; on a server, into a new database."""
    if not backends.on_server():
        shutil.copy(backup, place.file)
        return
    backends.emptied(place.folder)
    with Ledger.open(str(backup), keys=place.keys, read_only=True) as ledger:
        ledger.copy(place.url)


def removed(place: Place, address: str, *, forget: bool = False) -> str:
    """Erase or forget; the subject's id."""
    with place.open() as ledger:
        who = Address.parse(address)
        seen = [each.entry.seq for each in ledger.history(who)]
        remove = ledger.forget if forget else ledger.erase
        (subject,) = remove(who, GROUNDS, seen=seen, actor="test").subjects
    return subject


def restored(place: Place, **options: Any) -> Restoration:
    with place.open() as ledger:
        return ledger.restored(actor="test", **options)


def tier(place: Place, address: str) -> Tier | None:
    with place.open(read_only=True) as ledger, place.lookup() as lookup:
        found = ledger.check(address)
        assert found == lookup.verdict(Address.parse(address))
    return found.tier


def types(place: Place, start: int = 0) -> list[str]:
    with place.open(read_only=True) as ledger:
        return [entry.body.type for entry in ledger.entries(start)]


def bodies(place: Place, *kinds: type[Any]) -> list[Any]:
    with place.open(read_only=True) as ledger:
        return [entry.body for entry in ledger.entries() if isinstance(entry.body, kinds)]


def verified(place: Place, *anchors: Path) -> Verification:
    return verify(place.url, keys=place.keys, anchors=anchors)

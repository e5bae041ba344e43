"""Makes the sample of the current schema, once for a release: `python -m tests.ledger.samples.make`.

    0001/suppress.db, suppress.keys/    a small ledger with something of everything, as this program writes it
    0001/anchor.note                    its head
    0001/expected.json                  what every later program must say of it
    0001.2/                             the same schema, with kinds of entry that came after the first sample

A folder that is there is never made again: it is what people have.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from suppress.core.address import Address
from suppress.core.entry import (
    BODIES,
    Body,
    CheckDone,
    Corrected,
    DestinationChanged,
    Disclosed,
    DomainLifted,
    DomainSuppressed,
    HashesTrusted,
    Honoured,
    ImportDone,
    PatrolDone,
    ReportIssued,
    SyncDone,
)
from suppress.core.hashed import Algorithm, Digest
from suppress.core.mailing import Mailing
from suppress.core.suppression import EVERYTHING, Channel, Reason, Scope, Waiver
from suppress.ledger import Event, Grounds, Ledger, schema
from suppress.ledger.appending import Told
from tests.ledger.making import NOON, Place, consent, drift, opt_out

SAMPLES = Path(__file__).parent
ADDRESSES = (
    *("pat@example.com", "p.at@gmail.com", "pat@gmail.com", "lifted@example.com", "list@example.com"),
    *("erased@example.com", "e.rased@gmail.com", "forgotten@example.com", "späti@exämple.de"),
    *("mistake@example.com", "late@example.com", "new.key@example.com", "nobody@example.com"),
    *("anybody@shop.ruled.example", "anybody@lifted.example", "Listed@Partner.example"),
)
TARGETS = ("everything", "sender:Acme", "list:Acme/News")


def main() -> int:
    """Make the sample of this schema, unless those that are there have every kind of entry."""
    made = samples_of(schema.HEAD)
    if made and kinds_in(made) >= set(BODIES):
        sys.stderr.write(f"{made[-1]} is there, and stays as it is\n")
        return 1
    folder = SAMPLES / (f"{schema.HEAD}.{len(made) + 1}" if made else schema.HEAD)
    with tempfile.TemporaryDirectory() as scratch:
        place = Place(Path(scratch))
        _fill(place)
        folder.mkdir()
        shutil.copy(place.file, folder)
        shutil.copytree(place.keys, folder / "suppress.keys")
        with place.open() as ledger:
            (folder / "anchor.note").write_text(ledger.head().note)
        (folder / "expected.json").write_text(
            json.dumps(described(place, ADDRESSES), indent=1, ensure_ascii=False) + "\n"
        )
    return 0


def samples_of(revision: str) -> list[Path]:
    """The samples of a schema, oldest first."""
    folders = [folder for folder in SAMPLES.iterdir() if (folder / "expected.json").is_file()]
    return sorted(folder for folder in folders if revision == folder.name.partition(".")[0])


def kinds_in(folders: Iterable[Path]) -> set[str]:
    """The kinds of entry that any of these samples has."""
    return {
        kind for each in folders for kind in json.loads((each / "expected.json").read_text("utf-8"))["kinds"]
    }


def described(place: Place, addresses: Iterable[str]) -> dict[str, Any]:
    """What a program says of a ledger: its entries and root, and what checks and lists answer."""
    with place.open(read_only=True) as ledger, place.lookup() as lookup:
        leaves = hashlib.sha256()
        for entry in ledger.entries():
            leaves.update(len(entry.leaf).to_bytes(4, "big") + entry.leaf)
        targets = [Scope.parse(text) for text in TARGETS]
        return {
            "size": ledger.head().size,
            "root": ledger.head().root.hex(),
            "leaves": leaves.hexdigest(),
            "kinds": sorted({entry.body.type for entry in ledger.entries()}),
            "payloads": [entry.seq for entry in ledger.entries() if ledger.payload(entry.seq) is not None],
            "listed": {
                channel.value: [[each.key, each.address] for each in ledger.suppressed(channel)]
                for channel in Channel
            },
            "checks": {
                address: {
                    str(target): _said(lookup.verdict(Address.parse(address), Mailing(target=target)))
                    for target in targets
                }
                for address in addresses
            },
        }


def _said(verdict: Any) -> list[str | None]:
    since = None if verdict.since is None else verdict.since.isoformat()
    return [verdict.ruling, verdict.tier, since, verdict.reason, verdict.source]


def _fill(place: Place) -> None:
    """Every kind of entry that this program writes."""
    times = (datetime(2026, 6, 1, 8, tzinfo=UTC) + timedelta(hours=hours) for hours in range(10_000))
    Ledger.create(place.url, keys=place.keys, organisation="Acme Outdoor", clock=lambda: next(times))
    with place.open(clock=lambda: next(times)) as ledger:
        _people(ledger)
        _others(ledger)
        _gone(ledger)
        _keys(ledger)
        backup = ledger.backup(place.folder / "backup.db").file
        ledger.append([opt_out("late@example.com")], actor="sample")
        ledger.erase(
            Address.parse("late@example.com"), Grounds("Art. 17 GDPR"), seen=range(99), actor="sample"
        )
    shutil.copy(backup, place.file)
    with place.open(clock=lambda: next(times)) as ledger:
        ledger.restored(actor="sample")
        ledger.append([opt_out("pat@example.com", at=NOON + timedelta(days=30))], actor="sample")


def _people(ledger: Ledger) -> None:
    told = [
        opt_out("pat@example.com", evidence={"contact_id": "c-1", "opt_out_date": "2026-03-01"}),
        opt_out(" P.At@Gmail.com ", reason=Reason.COMPLAINT, evidence={"words": "Bitte nicht mehr! 🙏"}),
        opt_out("späti@exämple.de", at=None),
        opt_out("lifted@example.com"),
        opt_out("list@example.com", scope=Scope("Acme", "News")),
        opt_out("list@example.com", channel=Channel.SMS, source="sms"),
        opt_out("erased@example.com", evidence={"note": "will be erased"}),
        opt_out("e.rased@gmail.com"),
        opt_out("forgotten@example.com"),
        opt_out("mistake@example.com"),
    ]
    ledger.append(told, actor="sample")
    more: list[Told] = [
        drift("pat@example.com"),
        consent("lifted@example.com", at=NOON + timedelta(days=3)),
        Waiver(
            Address.parse("list@example.com"),
            "recall",
            datetime(2027, 1, 1, tzinfo=UTC),
            evidence={"waiver": "a safety recall", "approver": "Kim"},
        ),
        replace(opt_out(), address=Address(LISTED.hexadecimal, LISTED.key), source="partner"),
    ]
    ledger.append(more, actor="s")
    ledger.keep_checkpoint()


def _others(ledger: Ledger) -> None:
    mistake = ledger.history(Address.parse("mistake@example.com"))[-1].entry.seq
    digest = "5" * 64
    bodies: tuple[Body, ...] = (
        SyncDone(
            "main", "constant-contact", "census", True, NOON, NOON, 9, 120, 9, 9, 0, 4, 4, {"all": 120}, (12,)
        ),
        ImportDone(digest, "constant-contact", "old list", 6, 2, 1, 2, 1, 2, 20),
        CheckDone(digest, 100, 90, 8, 2, 1),
        CheckDone("6" * 64, 10, 9, 1, 0, 0, {"purpose": "recall"}, 1, (14, 14)),
        DestinationChanged("news", "mailchimp", "added"),
        Disclosed("news", "Acme CRM", "suppression compliance", "plain", 7, digest),
        Honoured("news", 20, digest, 7, (3,), verified=True),
        PatrolDone("news", "mailchimp", True, 7, 4, 1, 1, 1, 5, 1, (12, 12)),
        ReportIssued(digest, 10, "7" * 64, "auditor"),
        Corrected(mistake, "somebody else's letter"),
        _rule("ruled.example", subdomains=True),
        _rule("lifted.example", subdomains=False),
        HashesTrusted("partner", digest, LISTED.algorithm.value, "lower", 1),
    )
    events = [Event(f"sample-{number}-{body.type}", body) for number, body in enumerate(bodies)]
    lifted = ledger.append(events, actor="sample")[-2].seq
    ledger.append([Event("lift", DomainLifted("lifted.example", lifted, "the contract ended"))], actor="s")


LISTED = Digest(Algorithm.MD5, hashlib.md5(b"listed@partner.example", usedforsecurity=False).hexdigest())


def _rule(domain: str, *, subdomains: bool) -> DomainSuppressed:
    return DomainSuppressed(
        domain,
        subdomains,
        Channel.EMAIL,
        EVERYTHING,
        Reason.REQUESTED,
        "manual",
        "asked",
        "1.1.2.20261023",
        "",
    )


def _gone(ledger: Ledger) -> None:
    for address, forget in (
        ("erased@example.com", False),
        ("e.rased@gmail.com", False),
        ("forgotten@example.com", True),
    ):
        who = Address.parse(address)
        seen = [each.entry.seq for each in ledger.history(who)]
        grounds = Grounds("Art. 17 GDPR", "DSR-1", "the account was closed", ("news",))
        (ledger.forget if forget else ledger.erase)(who, grounds, seen=seen, actor="sample")
    ledger.append([opt_out("erased@example.com", at=NOON + timedelta(days=9))], actor="sample")


def _keys(ledger: Ledger) -> None:
    ledger.rotate_signing_key(actor="sample")
    ledger.rotate_index_key(actor="sample")
    ledger.append([opt_out("new.key@example.com")], actor="sample")


if __name__ == "__main__":
    sys.exit(main())

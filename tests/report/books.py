"""Ledgers made of nothing but entries: a `Book` numbers and dates them, and renders the facts of any period.

Days are what deadlines count, so a book's clock is set by day: `book.on("2026-11-20")`, noon UTC by default.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from suppress.config import DestinationSettings, Settings, SourceSettings
from suppress.config.policy_files import chosen
from suppress.core import merkle
from suppress.core.entry import (
    Body,
    Corrected,
    DestinationChanged,
    DriftFound,
    Entry,
    Erased,
    Forgotten,
    Honoured,
    LogOpened,
    OptInRecorded,
    OptOutRecorded,
    PatrolDone,
    SubjectAdded,
    SyncDone,
)
from suppress.core.leaf import decode, encode
from suppress.core.policy import Chosen
from suppress.core.spans import spans
from suppress.core.suppression import EVERYTHING, Channel, Origin, Reason, Scope, Visibility
from suppress.report.asking import scenario
from suppress.report.facts import Asked, Facts, Quoted
from suppress.report.gathering import Registrar, gather
from suppress.report.integrity import Integrity
from suppress.report.period import Period, Zone
from suppress.report.rows import Item, Rows
from suppress.report.sampling import Shown

VERIFIED = Integrity(True, 10, 0, (), None)
NOTE = "acme\n1\nroot\n\n— acme signature\n"
SETTINGS = Settings(
    organisation="Acme Outdoor",
    sources={"main": SourceSettings("main", "constant-contact", sender="Acme")},
    destinations={"crm": DestinationSettings("crm", "csv")},
)


def day(text: str) -> date:
    """A day, from ISO text."""
    return date.fromisoformat(text)


def noon(text: str) -> datetime:
    """Noon UTC of a day."""
    return datetime.fromisoformat(f"{text}T12:00:00+00:00")


@dataclass
class Book:
    """Entries in the making."""

    now: datetime = field(default_factory=lambda: noon("2026-09-01"))
    entries: list[Entry] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.write(LogOpened("acme", "vkey", "key", "commitment", 1))

    def on(self, moment: str | datetime) -> Book:
        """Set the clock, which never goes back."""
        moment = noon(moment) if isinstance(moment, str) else moment
        assert moment >= self.now
        self.now = moment
        return self

    def later(self, **time: float) -> Book:
        """Let time pass: `later(days=3)`."""
        return self.on(self.now + timedelta(**time))

    def write(self, body: Body) -> int:
        """Append one entry and return its number."""
        seq = len(self.entries)
        self.entries.append(Entry(seq, f"id{seq}", self.now, "pat at office", body))
        return seq

    def person(self, name: str) -> None:
        """A person turns up."""
        self.write(SubjectAdded(name, "sid"))

    def opt_out(
        self,
        person: str = "ann",
        *,
        acted: datetime | str | None = None,
        received: datetime | str | None = None,
        origin: Origin = Origin.PLATFORM,
        source: str = "main",
        reason: Reason = Reason.UNSUBSCRIBED,
        scope: Scope = EVERYTHING,
        channel: Channel = Channel.EMAIL,
        visibility: Visibility | None = None,
    ) -> int:
        """A request; dates default to none."""
        return self.write(
            OptOutRecorded(
                person,
                channel,
                scope,
                reason,
                source,
                origin,
                _moment(acted),
                _moment(received),
                visibility,
                "pii",
            )
        )

    def consent(
        self,
        person: str = "ann",
        *,
        at: datetime | str | None = None,
        scope: Scope = EVERYTHING,
        channel: Channel = Channel.EMAIL,
    ) -> int:
        """A later consent, by default as of now."""
        return self.write(OptInRecorded(person, channel, scope, "form", _moment(at) or self.now, "pii"))

    def corrected(self, entry: int) -> int:
        """An entry is struck out."""
        return self.write(Corrected(entry, "typed in the wrong window"))

    def erased(self, person: str) -> int:
        """A person's data is erased."""
        return self.write(Erased(person, (), "Art. 17", "request"))

    def forgotten(self, person: str) -> int:
        """A person is forgotten."""
        return self.write(Forgotten(person, (), "court order", "request"))

    def drift(self, person: str = "ann", *, source: str = "main", channel: Channel = Channel.EMAIL) -> int:
        """A source reports a person as mailable."""
        return self.write(DriftFound(person, channel, source, "explicit", None, "pii"))

    def patrol(self, destination: str = "crm", *, drift: Sequence[int] = (), complete: bool = True) -> int:
        """A destination is read; `drift` still holds there."""
        mailable = len(drift)
        done = PatrolDone(destination, "crm", complete, 5 + mailable, 5, mailable, 0, 0, 0, 0, spans(drift))
        return self.write(done)

    def strayed(self, person: str = "ann", *, destination: str = "crm") -> int:
        """A patrol finds a suppressed person mailable at a destination."""
        return self.write(
            DriftFound(person, Channel.EMAIL, destination, "mailable", None, "pii", patrol=True)
        )

    def told(
        self,
        destination: str = "crm",
        *,
        upto: int | None = None,
        failed: Sequence[int] = (),
        verified: bool = True,
    ) -> int:
        """A destination honours everything so far, but for `failed`."""
        last = len(self.entries) - 1 if upto is None else upto
        return self.write(Honoured(destination, last, "ab" * 32, 1, tuple(failed), verified))

    def destination(self, name: str = "crm", change: str = "added") -> int:
        """A destination is added, removed or reconfigured."""
        return self.write(DestinationChanged(name, "csv", change))

    def sync(
        self,
        *,
        source: str = "main",
        mode: str = "census",
        complete: bool = True,
        drift: Sequence[int] = (),
        census: dict[str, int] | None = None,
        observed: int = 0,
        new: int = 0,
        deleted: int = 0,
        missed: int = 0,
        shared: int = 0,
    ) -> int:
        """A run over a source ends."""
        counts = census if census is not None else {"rounds": 1}
        return self.write(
            SyncDone(
                source=source,
                platform="constant-contact",
                mode=mode,
                complete=complete,
                after=None,
                before=self.now - timedelta(minutes=5),
                requests=3,
                rows=observed,
                observed=observed,
                new=new,
                known=observed - new - shared,
                deleted=deleted,
                missed_by_naive_sync=missed,
                census=counts if mode == "census" else None,
                drift=spans(drift),
                shared=shared or None,
            )
        )

    def facts(
        self,
        *,
        since: str | None = None,
        until: str | None = None,
        as_of: datetime | str | None = None,
        zone: str = "UTC",
        policies: Sequence[str] = ("us.can-spam",),
        chosen_policies: Sequence[Chosen] = (),
        settings: Settings = SETTINGS,
        integrity: Integrity = VERIFIED,
        full: bool = False,
        cut: bool = False,
        sender: str | None = None,
        destinations: Sequence[str] = (),
        sample: int = 0,
        seed: str | None = None,
        what_if: Sequence[str] = (),
        from_leaves: bool = False,
        registrar: Registrar | None = None,
    ) -> Facts:
        """The facts of a period, as of the clock unless said otherwise."""
        now = _moment(as_of) or self.now
        where = Zone.named(zone)
        asked = Asked(
            period=Period.between(
                None if since is None else day(since),
                None if until is None else day(until),
                as_of=now,
                zone=where,
            ),
            as_of=now,
            zone=where,
            settings=settings,
            policies=tuple(chosen_policies) or chosen(policies),
            tool="suppress test",
            cut=cut,
            sender=sender,
            destinations=tuple(destinations),
            sample=sample,
            seed=seed,
            what_if=tuple(scenario(each) for each in what_if),
        )
        return gather(
            lambda: self._items(where, from_leaves=from_leaves),
            asked,
            lambda size: Quoted(size, self.root(size) if sample else "ab" * 32, NOTE),
            integrity,
            prover=self.shown,
            address_of=(lambda seq: f"person{seq}@example.com") if full else None,
            registrar=registrar,
        )

    def leaves(self) -> list[bytes]:
        """The leaves, as a ledger keeps them."""
        return [encode(id_=each.id, at=each.at, actor=each.actor, body=each.body) for each in self.entries]

    def hashes(self, size: int) -> list[bytes]:
        """The hashes of the first leaves."""
        return [merkle.leaf_hash(leaf) for leaf in self.leaves()[:size]]

    def root(self, size: int) -> str:
        """The root over the first leaves."""
        return merkle.root(self.hashes(size)).hex()

    def shown(self, seqs: Sequence[int], size: int, full: bool) -> dict[int, Shown]:
        """Entries with their proofs."""
        leaves, hashes = self.leaves(), self.hashes(size)
        return {
            seq: Shown(
                seq,
                leaves[seq].decode(),
                hashes[seq].hex(),
                tuple(each.hex() for each in merkle.inclusion_proof(hashes, seq)),
                "payload" if full else None,
            )
            for seq in seqs
        }

    def _items(self, zone: Zone, *, from_leaves: bool) -> Iterator[Item]:
        if from_leaves:
            return Rows(zone).of_leaves([self.leaves()], decode)
        return Rows(zone).of_entries(self.entries)


def annulled(entries: Sequence[Entry]) -> set[int]:
    """The entries that corrections strike out; a struck-out correction does not count."""
    found: set[int] = set()
    for entry in reversed(entries):
        if isinstance(entry.body, Corrected) and entry.seq not in found:
            found.add(entry.body.entry)
    return found


def _moment(given: datetime | str | None) -> datetime | None:
    if given is None or isinstance(given, datetime):
        return given
    return noon(given) if len(given) == 10 else datetime.fromisoformat(given).astimezone(UTC)

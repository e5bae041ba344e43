"""`Ledger`: append what happened, ask what holds. The way in for verbs and for programs.

    from suppress import Ledger

    with Ledger.open("sqlite:///suppress.db") as ledger:
        print(ledger.check("pat@example.com").ruling)

Rules kept here:

* It takes core values and returns core values; SQL, rows and drivers' errors stay in this room.
* `append` is one transaction and returns only after the commit, so whatever it returned is kept. Repeating
  an append adds nothing: every event has an id derived from its facts.
* Reading is done in short transactions, so that an iteration left open never holds up a writer.
* Without its keys a ledger can be read and verified; finding a person and appending need them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, Engine, select

from suppress.core.address import Address
from suppress.core.domains import DomainRule
from suppress.core.entry import Entry, SyncDone
from suppress.core.mailing import ANY_MAIL, Mailing
from suppress.core.possible import possible_in
from suppress.core.standing import UNHEARD, Standing
from suppress.core.suppression import EVERYTHING, Channel, Json, Scope
from suppress.core.verdict import CLEAR, Verdict, worst
from suppress.errors import ConfigWrong, NoLedger
from suppress.ledger import (
    appending,
    backups,
    copying,
    creating,
    erasing,
    histories,
    listing,
    projections,
    restoring,
    rotating,
    schema,
    tables,
)
from suppress.ledger.appending import Told
from suppress.ledger.backups import Backup
from suppress.ledger.engine import opened, reading, writing
from suppress.ledger.erasing import Erasure, Grounds
from suppress.ledger.exhibiting import Exhibit
from suppress.ledger.heads import keep, read_tip
from suppress.ledger.judging import Recognised, judged
from suppress.ledger.keyring import Keyring, read_history
from suppress.ledger.keys import Keys, raise_highwater, read_highwater
from suppress.ledger.place import Place, keys_folder, open_read_only, place_of, upgrade_copies
from suppress.ledger.reading import decoded
from suppress.ledger.recognising import recognisable
from suppress.ledger.restoring import Restoration
from suppress.ledger.rules import Rules
from suppress.ledger.sealing import IndexKey, expressible
from suppress.ledger.server import REMAINS, Server
from suppress.ledger.sight import TableSight, rules_of
from suppress.ledger.values import Head, KnownDigest, Listed, Receipt, Recorded, SourceState

PAGE = 1000
"""Entries read in one short transaction."""

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The server's clock."""
    return datetime.now(UTC)


class Ledger:
    """An open ledger. Not for use by several threads at once; several processes may each open it."""

    def __init__(self, place: Place, engine: Engine, ring: Keyring | None, clock: Clock) -> None:
        self.place = place
        self._engine = engine
        self._ring = ring
        self._clock = clock

    @classmethod
    def create(cls, url: str, *, keys: Path, organisation: str | None = None, clock: Clock = utc_now) -> bool:
        """Make a ledger with its keys and first entry. False, and nothing changed, if it was there already.

        Raises:
            OutputRefused: The file or the keys folder cannot be made.
            ConfigWrong: The keys folder is there, and belongs to another ledger or cannot be used.
            LedgerDamaged: There is a file of another kind.
            NoLedger: On a server: there is no such database.
            StorageFailed: The server cannot be reached, or this user may not make tables.
        """
        place = place_of(url)
        if not isinstance(place, Path) or place.exists():
            with contextlib.suppress(NoLedger), cls.open(url, keys=keys):
                return False
        return creating.create(place, keys, organisation, clock())

    @classmethod
    def open(
        cls,
        url: str,
        *,
        keys: Path | None = None,
        read_only: bool = False,
        clock: Clock = utc_now,
    ) -> Ledger:
        """Open a ledger. With `read_only`, missing keys are no error until somebody is looked up.

        Raises:
            NoLedger: There is none.
            MigrationNeeded: Its schema is older or newer than this program.
            ConfigWrong: Its keys are missing, unreadable by us, readable by others, or another ledger's.
            LedgerLocked: Another process holds it.
            LedgerDamaged: It cannot be read.
            StorageFailed: The disk or its permissions do not let us.
        """
        place = place_of(url)
        if isinstance(place, Path):
            open_read_only(place).close()  # rolls back what a killed writer left; a reader could not
        folder = keys if keys is not None else keys_folder(place)
        engine = opened(place, mode="ro" if read_only else "rw")
        try:
            with reading(engine, place) as connection:
                schema.require_current(connection, place)
                if read_only and not folder.is_dir():
                    read_history(connection)  # which is damaged, or that of a ledger
                    ring = None
                else:
                    ring = Keyring.of(connection, Keys.load(folder))
        except BaseException:
            engine.dispose()
            raise
        return cls(place, engine, ring, clock)

    def close(self) -> None:
        """Give the database back."""
        self._engine.dispose()

    @property
    def vkey(self) -> str:
        """The public key that whoever verifies pins. Raises `ConfigWrong` without keys."""
        return self._required_ring().vkey

    @property
    def origin(self) -> str:
        """The name of this log: that of its keys. Raises `ConfigWrong` without keys."""
        return self._required_ring().chain.current.name

    def signed(self, text: str) -> str:
        """A note of this text, signed with the ledger's key. Not for a checkpoint: appends sign those.

        Raises:
            ConfigWrong: The signing key is not here.
        """
        return self._required_ring().signer().note(text)

    def index_secrets(self) -> tuple[IndexKey, ...]:
        """The index keys in use, for a portable snapshot. Raises `ConfigWrong` without keys."""
        return self._required_ring().index

    @property
    def index_keys(self) -> tuple[str, ...]:
        """The ids of the index keys in use, newest last. Raises `ConfigWrong` without keys."""
        return tuple(key.id for key in self._required_ring().index)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- Appending -------------------------------------------------------------------------------------

    def append(self, events: Sequence[Told], *, actor: str) -> tuple[Receipt, ...]:
        """Record events in one transaction; one receipt each, in order, once they are on disk.

        Raises:
            LedgerLocked: Another process is writing.
            LedgerDamaged: The head does not verify, or is behind what was already signed.
            StorageFailed: The disk is full or failed. Repeat the same events: nothing is doubled.
            BadUsage: An event that cannot be written.
        """
        if not events:
            return ()
        ring = self._required_ring()
        prepared = appending.prepare(events, ring.index)
        with writing(self._engine, self.place) as connection:
            if ring.follow(connection):
                prepared = appending.prepare(events, ring.index)
            receipts, note = appending.append(
                connection,
                prepared,
                keys=ring.index,
                actor=actor,
                now=self._clock,
                signer=ring.signer(),
                highwater=read_highwater(ring.highwater),
            )
        raise_highwater(ring.highwater, note)
        return receipts

    def keep_checkpoint(self, head: Head | None = None) -> Head:
        """Store a head, by default the current one, among the ledger's checkpoints: it is quoted outside."""
        with writing(self._engine, self.place) as connection:
            kept = read_tip(connection).head if head is None else head
            keep(connection, kept)
        return kept

    def rotate_signing_key(self, *, actor: str) -> Receipt:
        """Sign with a new key from now on. The old key signs the entry that says so, and is then removed.

        Raises:
            ConfigWrong: The key comes from the environment, and the new one is not there.
            StorageFailed: The keys folder cannot be written.
            LedgerLocked, LedgerDamaged: As for an append.
        """
        return rotating.signing_key(
            self._engine, self.place, self._required_ring(), actor=actor, now=self._clock
        )

    def rotate_index_key(self, *, actor: str) -> Receipt:
        """Index new people under a new key from now on. Old keys stay: they find the people before.

        Raises:
            ConfigWrong: The keys come from the environment, and the new one is not there.
            StorageFailed: The keys folder cannot be written.
            LedgerLocked, LedgerDamaged: As for an append.
        """
        return rotating.index_key(
            self._engine, self.place, self._required_ring(), actor=actor, now=self._clock
        )

    # --- Erasing, and going on from a backup -----------------------------------------------------------

    def erase(self, address: Address, grounds: Grounds, *, seen: Iterable[int], actor: str) -> Erasure:
        """Remove address and evidence of a person, who stays suppressed. Repeating it removes nothing more.

        Whether every destination has honoured their opt-out is for the caller to know: `suppress.erasure`.
        `seen` are the entries of their `history` and `digests` that the caller has looked at.

        Raises:
            BadUsage: Something about the person was recorded meanwhile; nothing was removed.
            LedgerLocked, LedgerDamaged, StorageFailed: As for an append.
        """
        return self._removed(address, grounds, seen=seen, actor=actor, forget=False)

    def forget(self, address: Address, grounds: Grounds, *, seen: Iterable[int], actor: str) -> Erasure:
        """Remove also what recognises the person: they are no longer protected. Raises what `erase` does."""
        return self._removed(address, grounds, seen=seen, actor=actor, forget=True)

    def _removed(
        self, address: Address, grounds: Grounds, *, seen: Iterable[int], actor: str, forget: bool
    ) -> Erasure:
        return erasing.run(
            self._engine,
            self.place,
            self._required_ring(),
            address,
            grounds,
            forget=forget,
            seen=frozenset(seen),
            actor=actor,
            now=self._clock,
        )

    def copies(self) -> tuple[Path, ...]:
        """Copies of the ledger beside it that upgrades have left. They still hold what was erased since."""
        return upgrade_copies(self.place)

    @property
    def remains(self) -> str | None:
        """What the database keeps of deleted rows, in words; None for a file, which keeps nothing."""
        return REMAINS if isinstance(self.place, Server) else None

    def backup(self, output: Path) -> Backup:
        """Copy the ledger into a new file, verify the copy, and put its checkpoint beside it.

        Raises:
            OutputRefused: The file is there already, or cannot be made.
            LedgerDamaged: The copy does not verify; it is not kept.
            LedgerLocked, StorageFailed: As for an append.
        """
        return backups.run(self._engine, self.place, self._required_ring(), output)

    def copy(self, url: str) -> tuple[Place, Head]:
        """Copy the ledger to another database, file or server, and verify it there. The keys are the same.

        Raises:
            OutputRefused: The target holds something, or cannot be made.
            LedgerDamaged: The copy does not verify; nothing is kept.
            NoLedger, LedgerLocked, StorageFailed: As for `create` and an append.
        """
        target, ring = place_of(url), self._required_ring()
        if isinstance(target, Path):
            return target, backups.copy(self._engine, self.place, ring, target)
        return target, copying.pour(self._engine, self.place, ring, target)

    def restored(
        self, *, actor: str, anchors: Sequence[str] = (), records: Sequence[Path] = ()
    ) -> Restoration:
        """Go on from a backup that was put in the ledger's place; erase again whom it brought back.

        `anchors` are notes of checkpoints kept elsewhere, `records` further folders of erasures.

        Raises:
            LedgerDamaged: The copy does not verify, or is no older copy of what was signed.
            ConfigWrong: A record of an erasure cannot be read, or an index key is missing.
            BadUsage: An anchor is of another ledger.
            LedgerLocked, StorageFailed: As for an append.
        """
        return restoring.run(
            self._engine,
            self.place,
            self._required_ring(),
            anchors=anchors,
            records=records,
            actor=actor,
            now=self._clock,
        )

    # --- Asking ----------------------------------------------------------------------------------------

    def head(self) -> Head:
        """Size, root and signed note as of now."""
        with reading(self._engine, self.place) as connection:
            return read_tip(connection).head

    def standing(self, address: Address) -> Standing:
        """What holds for one address; `UNHEARD` when the ledger has never seen it."""
        return self.standings([address])[0]

    def standings(self, addresses: Sequence[Address]) -> list[Standing]:
        """What holds for each address, in the same order."""
        with reading(self._engine, self.place) as connection:
            people = self._people(connection, {expressible(each.key) for each in addresses})
            standings = projections.standings_of(connection, dict(people.values()))
        found = {key: standings[person] for key, (person, _) in people.items()}
        return [found.get(expressible(each.key), UNHEARD) for each in addresses]

    def check(self, address: str, mailing: Mailing = ANY_MAIL) -> Verdict:
        """Whether an address may be mailed; of several in one text the gravest answer. No address is clear.

        For many addresses, or a fast start, use `Lookup`.
        """
        asked = possible_in(address)
        if not asked:
            return CLEAR
        with reading(self._engine, self.place) as connection:
            sight = TableSight(connection, self._index_keys(connection))
            rules, now = sight.rules(), self._clock()
            return worst(judged(sight, rules, each, mailing, now) for each in asked)

    def rules(self) -> Rules:
        """Rules for whole domains, and the recipes of partners' digests, that hold now."""
        with reading(self._engine, self.place) as connection:
            return rules_of(connection)

    def domain_rules(self) -> tuple[DomainRule, ...]:
        """The rules for whole domains that hold now, oldest first."""
        return self.rules().domains.rules

    def recognisable(self) -> Iterator[Recognised]:
        """Everybody whom a check can recognise, by blind index, for a portable snapshot."""
        return recognisable(self._engine, self.place)

    def entries(self, start: int = 0, stop: int | None = None) -> Iterator[Entry]:
        """The entries from `start` up to, not including, `stop`; by default up to the head as of now."""
        with reading(self._engine, self.place) as connection:
            size = read_tip(connection).size
        end = size if stop is None else min(stop, size)
        for first in range(max(start, 0), end, PAGE):
            last = min(first + PAGE, end)
            with reading(self._engine, self.place) as connection:
                rows = connection.execute(
                    select(tables.ledger.c.seq, tables.ledger.c.leaf)
                    .where(tables.ledger.c.seq >= first, tables.ledger.c.seq < last)
                    .order_by(tables.ledger.c.seq)
                ).all()
            for seq, leaf in rows:
                yield decoded(seq, leaf)

    def payload(self, seq: int) -> Mapping[str, Json] | None:
        """`address`, `key` and `evidence` of an entry; None when it has none or was erased."""
        with reading(self._engine, self.place) as connection:
            return projections.payload_at(connection, seq)

    def payloads(self, seqs: Sequence[int]) -> dict[int, Mapping[str, Json]]:
        """What `payload` says of each of these entries that has one."""
        with reading(self._engine, self.place) as connection:
            return projections.payloads(connection, seqs)

    def entry(self, seq: int) -> Entry | None:
        """One entry; None when there is none at this place."""
        return next(self.entries(seq, seq + 1), None) if seq >= 0 else None

    def struck_out(self, seqs: Iterable[int]) -> dict[int, int]:
        """Of these entries those that no longer count, each with the correction that struck it out."""
        with reading(self._engine, self.place) as connection:
            return projections.struck_out(connection, seqs)

    def history(self, address: Address) -> list[Recorded]:
        """Every entry about the person behind an address, in order, with payloads."""
        key = expressible(address.key)
        with reading(self._engine, self.place) as connection:
            people = self._people(connection, [key])
            return histories.recorded(connection, people[key][0]) if key in people else []

    def digests(self, address: Address) -> tuple[KnownDigest, ...]:
        """What partners' lists say of an address, by its digests."""
        with reading(self._engine, self.place) as connection:
            return histories.digests(connection, self._index_keys(connection), address)

    def about_people(self, subjects: Iterable[str]) -> Iterator[Entry]:
        """Every entry about these subjects, without payloads, for many at once."""
        with reading(self._engine, self.place) as connection:
            found = list(projections.about_people(connection, subjects))
        yield from found

    def suppressed(self, channel: Channel = Channel.EMAIL, target: Scope = EVERYTHING) -> Iterator[Listed]:
        """Everybody who may not be mailed and whose address is held, sorted by match key (UTF-8 bytes)."""
        return listing.suppressed(self._engine, self.place, channel, target)

    def lifted(self, channel: Channel = Channel.EMAIL) -> list[str]:
        """The subjects who ever consented, in no order; some of them are suppressed again, or still."""
        return listing.lifted(self._engine, self.place, channel)

    def about(self, type_: str, name: str | None = None) -> Iterator[Entry]:
        """The entries of a type that no correction annulled, newest first; found by index, not by replay.

        `name` is what they are about: a source, a destination, an erased subject. By default all of the type.
        """
        with reading(self._engine, self.place) as connection:
            seqs = projections.topics(connection, type_, name)
        for seq in seqs:
            with reading(self._engine, self.place) as connection:
                if projections.is_annulled(connection, seq):
                    continue
                entry = projections.entry_at(connection, seq)
            yield entry

    def exhibit(self) -> Exhibit:
        """Exact leaves and openings as of now, to be shown to somebody outside. Raises `LedgerDamaged`."""
        return Exhibit(self._engine, self.place)

    def source_state(self, name: str) -> SourceState:
        """How far the source `name` was read: by its newest complete runs that no correction annulled."""
        last_before: datetime | None = None
        census_at: datetime | None = None
        with reading(self._engine, self.place) as connection:
            for seq in projections.topics(connection, SyncDone.type, name):
                entry = projections.entry_at(connection, seq)
                run = entry.body
                if not isinstance(run, SyncDone) or not run.complete:
                    continue
                if projections.is_annulled(connection, seq):
                    continue
                last_before = last_before or run.before
                if run.mode == "census":
                    census_at = census_at or entry.at
                if last_before and census_at:
                    break
        return SourceState(last_before, census_at)

    # --- Within ----------------------------------------------------------------------------------------

    def _required_ring(self) -> Keyring:
        if self._ring is None:
            raise ConfigWrong(
                f"this needs the keys of the ledger {self.place}, and there are none beside it",
                remedy="name their folder by `keys` in suppress.toml",
            )
        return self._ring

    def _index_keys(self, connection: Connection) -> tuple[IndexKey, ...]:
        ring = self._required_ring()
        ring.follow(connection)
        return ring.index

    def _people(self, connection: Connection, keys: Sequence[str] | set[str]) -> dict[str, tuple[int, str]]:
        """Match key → (person, subject id), for those that the ledger knows."""
        subjects: dict[str, str] = {}
        for index_key in self._index_keys(connection):
            wanted = {index_key.blind(key): key for key in keys}
            found = projections.subjects_of(connection, index_key, wanted)
            subjects.update((wanted[index], subject) for index, subject in found.items())
        people = projections.entries_by_id(connection, subjects.values())
        return {key: (people[subject], subject) for key, subject in subjects.items() if subject in people}

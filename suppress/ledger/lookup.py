"""`Lookup`: whether addresses are suppressed, fast, and nothing else. What `suppress check` uses.

Rules kept here:

* It reads through `reader`: SQLAlchemy would cost more than the rest of a `suppress check` together. The
  queries are those of `store`, and a test holds both to the same answers.
* The database is opened read-only, and read in short transactions, so that checking a long file does not
  hold up a writer.
* An address is looked up under every live index key: an erased person can be found under an old one only.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from suppress.core.address import Address
from suppress.core.aliases import alias_of
from suppress.core.checkpoint import BadNote, Checkpoint, Note
from suppress.core.standing import Standing
from suppress.core.suppression import EVERYTHING, Channel, Scope
from suppress.core.verdict import CLEAR, Verdict
from suppress.errors import LedgerDamaged
from suppress.ledger import schema
from suppress.ledger.keys import Keys
from suppress.ledger.place import Place, keys_folder, place_of, require_ledger_file, snapshot_file
from suppress.ledger.reader import Reader
from suppress.ledger.reading import ROTATIONS, KeyHistory
from suppress.ledger.rows import standing_from
from suppress.ledger.ruling import certain, doubtful
from suppress.ledger.sealing import IndexKey, expressible

if TYPE_CHECKING:
    from suppress.ledger.roster import Roster

BATCH = 900
"""Addresses in one read transaction and one question. Older builds of SQLite take 999 variables."""

_KNOWN = "SELECT blind_index FROM subject WHERE key_id = ? AND blind_index IN ({})"
_ALIASED = "SELECT alias_index FROM alias WHERE key_id = ? AND alias_index IN ({})"

_OF_PERSON = (
    "EXISTS (SELECT 1 FROM lift WHERE lift.person = {person}), "
    "EXISTS (SELECT 1 FROM about JOIN payload ON payload.seq = about.seq WHERE about.person = {person}), "
    "channel, scope, reason, since, latest, source, standing.seq, visibility "
)
# One statement a tier: most of the time of a look-up is spent on going in and out of SQLite.
# A person without an event row is kept (LEFT JOIN) and refused: left out, they would be clear.
_EXACT = (
    f"SELECT event.seq, {_OF_PERSON.format(person='event.seq')}"
    "FROM subject LEFT JOIN event ON event.id = subject.id LEFT JOIN standing ON standing.person = event.seq "
    "WHERE subject.key_id = ? AND subject.blind_index = ?"
)
_ALIAS = (
    f"SELECT alias.person, {_OF_PERSON.format(person='alias.person')}"
    "FROM alias JOIN standing ON standing.person = alias.person "
    "WHERE alias.key_id = ? AND alias.alias_index = ? ORDER BY alias.person"
)
_LIFT = "SELECT channel, scope, at, seq FROM lift WHERE person = ?"

_LAST = "SELECT max(seq) FROM topic WHERE type IN (?, ?)"
_KEYS = (
    "SELECT seq, leaf FROM ledger "
    "WHERE seq = 0 OR seq IN (SELECT seq FROM topic WHERE type IN (?, ?)) ORDER BY seq"
)
_INDEXED = "SELECT 1 FROM subject WHERE key_id = ? LIMIT 1"


class Lookup:
    """An open ledger that only answers checks. `size`, `root` and `checkpoint` are as of opening."""

    def __init__(self, reader: Reader, folder: Path, live: _Live, head: tuple[int, str]) -> None:
        self.place = reader.place
        self.snapshot = snapshot_file(reader.place, folder)
        """Where `suppress.check` keeps its snapshot of this ledger."""
        self._reader = reader
        self._folder = folder
        self._live = live
        self.size, self.checkpoint = head
        self.root = _root_in(self.checkpoint, reader.place)

    @classmethod
    def open(cls, url: str, *, keys: Path | None = None) -> Lookup:
        """Open a ledger for checks. Raises what `Ledger.open` raises, and writes nothing."""
        place = place_of(url)
        if isinstance(place, Path):
            require_ledger_file(place)
        folder = keys if keys is not None else keys_folder(place)
        loaded = Keys.load(folder)
        reader = Reader.open(place)
        try:
            with reader.translated():
                schema.require_current_for(reader)
                live = _live(reader, loaded)
                head = reader.ask("SELECT size, note FROM head").fetchone()
            if head is None:
                raise LedgerDamaged(f"the ledger {place} has no head")
            return cls(reader, folder, live, (head[0], bytes(head[1]).decode(errors="replace")))
        except BaseException:
            reader.close()
            raise

    def close(self) -> None:
        """Give the database back."""
        self._reader.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def verdict(
        self, address: Address, *, channel: Channel = Channel.EMAIL, target: Scope = EVERYTHING
    ) -> Verdict:
        """The verdict for one address."""
        return self.verdicts([address], channel=channel, target=target)[0]

    def verdicts(
        self,
        addresses: Sequence[Address],
        *,
        channel: Channel = Channel.EMAIL,
        target: Scope = EVERYTHING,
    ) -> list[Verdict]:
        """The verdict for each address, in the same order."""
        found: list[Verdict] = []
        for start in range(0, len(addresses), BATCH):
            with self._reader.reading():
                self._follow_rotations()
                found += self._judged(addresses[start : start + BATCH], channel, target)
        return found

    def roster(self) -> Roster:
        """Everybody who can be recognised, for the engine that decides about long files."""
        from suppress.ledger.roster import Roster

        with self._reader.translated():
            self._follow_rotations()
        return Roster(self._reader, self._live.keys)

    def _follow_rotations(self) -> None:
        """Since this was opened another process may have begun to index new people under a new key."""
        if _last_rotation(self._reader) != self._live.last:
            self._live = _live(self._reader, Keys.load(self._folder))

    def _judged(self, addresses: Sequence[Address], channel: Channel, target: Scope) -> list[Verdict]:
        """Verdicts of a batch. Nearly all addresses of a list are nobody's, which one question finds out."""
        met = [False] * len(addresses)
        keys = [expressible(each.key) for each in addresses]
        looser = [alias_of(key) for key in keys]
        for index_key in self._live.keys:
            own = [index_key.blind(key) for key in keys]
            others = [None if alias is None else index_key.blind_alias(alias.key) for alias in looser]
            known = self._there(_KNOWN, index_key.id, own)
            aliased = self._there(_ALIASED, index_key.id, [each for each in others if each is not None])
            for place, (index, other) in enumerate(zip(own, others, strict=True)):
                if index in known or other in aliased:
                    met[place] = True
        return [
            self._judge(address, channel, target) if hit else CLEAR
            for address, hit in zip(addresses, met, strict=True)
        ]

    def _there(self, question: str, key_id: str, indexes: Sequence[bytes]) -> set[bytes | None]:
        """Those of the indexes that the ledger has under this key."""
        asked = question.format(",".join("?" * len(indexes)))
        return {index for (index,) in self._reader.ask(asked, (key_id, *indexes))}

    def _judge(self, address: Address, channel: Channel, target: Scope) -> Verdict:
        key = expressible(address.key)
        ask = self._reader.ask
        for index_key in self._live.keys:
            rows = ask(_EXACT, (index_key.id, index_key.blind(key))).fetchall()
            if rows:
                found = self._standing(rows).against(channel, target)
                if found is not None:
                    return certain(found, erased=not rows[0][2])
        alias = alias_of(key)
        if alias is None:
            return CLEAR
        for index_key in self._live.keys:
            rows = ask(_ALIAS, (index_key.id, index_key.blind_alias(alias.key))).fetchall()
            for _, of_person in groupby(rows, key=itemgetter(0)):
                found = self._standing(list(of_person)).against(channel, target)
                if found is not None:
                    return doubtful(found, alias.provider.says)
        return CLEAR

    def _standing(self, rows: Sequence[tuple[Any, ...]]) -> Standing:
        """The standing of the one person whose rows these are."""
        person, lifted, _, channel = rows[0][:4]
        if person is None:
            raise LedgerDamaged("a person's row in the ledger names an entry that is not there")
        lifts = self._reader.ask(_LIFT, (person,)).fetchall() if lifted else ()
        # Somebody of whom only drift or consent is known has one row, with nothing in it.
        return standing_from("", [row[3:] for row in rows] if channel is not None else (), lifts)


class _Live(NamedTuple):
    """The index keys of a ledger as of one of its entries."""

    keys: tuple[IndexKey, ...]
    last: int


def _live(reader: Reader, keys: Keys) -> _Live:
    """Those of `keys` that the ledger records. Raises `ConfigWrong` when one is missing that it needs."""
    history = KeyHistory.of(reader.ask(_KEYS, ROTATIONS))
    live = history.live(keys, lambda id_: reader.ask(_INDEXED, (id_,)).fetchone() is not None)
    return _Live(live.index, history.last)


def _last_rotation(reader: Reader) -> int:
    (last,) = reader.ask(_LAST, ROTATIONS).fetchone()
    return last or 0


def _root_in(note: str, place: Place) -> str:
    """The root that a head's note names, in hex. Whether it is signed, `suppress verify` says."""
    try:
        return Checkpoint.parse(Note.parse(note).text).root.hex()
    except BadNote as wrong:
        raise LedgerDamaged(f"the head of the ledger {place} cannot be read: {wrong}") from wrong

"""`Lookup`: whether addresses are suppressed, fast, and nothing else. What `suppress check` uses.

Rules kept here:

* It reads through `reader`: SQLAlchemy would cost more than the rest of a `suppress check` together. The
  queries are those of `store`, and a test holds both to the same answers.
* The database is opened read-only, and read in short transactions, so that checking a long file does not
  hold up a writer.
* An address is looked up under every live index key: an erased person can be found under an old one only.
* It finds people; `judging` says what that means, for `store` and for this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from suppress.core.address import Address
from suppress.core.aliases import alias_of
from suppress.core.checkpoint import BadNote, Checkpoint, Note
from suppress.core.entry import Entry
from suppress.core.hashed import hashed_keys
from suppress.core.mailing import ANY_MAIL, Mailing
from suppress.core.standing import Standing
from suppress.core.verdict import CLEAR, Verdict
from suppress.errors import LedgerDamaged
from suppress.ledger import rules, schema
from suppress.ledger.judging import Known, Leave, bounces_of, judged, waivers_of
from suppress.ledger.keys import Keys
from suppress.ledger.place import Place, keys_folder, place_of, require_ledger_file, snapshot_file
from suppress.ledger.reader import Reader
from suppress.ledger.reading import ROTATIONS, KeyHistory, decoded
from suppress.ledger.rows import standing_from
from suppress.ledger.rules import CHANGERS, Rules
from suppress.ledger.sealing import Blinder, expressible

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

_ENTRIES = (
    "SELECT ledger.seq, ledger.leaf FROM about JOIN ledger ON ledger.seq = about.seq "
    "WHERE about.person = ? ORDER BY ledger.seq"
)

_LAST = "SELECT max(seq) FROM topic WHERE type IN (?, ?, ?, ?, ?, ?)"
_KEYS = (
    "SELECT seq, leaf FROM ledger "
    "WHERE seq = 0 OR seq IN (SELECT seq FROM topic WHERE type IN (?, ?)) ORDER BY seq"
)
_INDEXED = "SELECT 1 FROM subject WHERE key_id = ? LIMIT 1"


class Lookup:
    """An open ledger that only answers checks. `size`, `root` and `checkpoint` are as of opening."""

    def __init__(
        self,
        reader: Reader,
        folder: Path,
        live: _Live,
        head: tuple[int, str],
        clock: Callable[[], datetime],
    ) -> None:
        self.place = reader.place
        self.snapshot = snapshot_file(reader.place, folder)
        """Where `suppress.check` keeps its snapshot of this ledger."""
        self._reader = reader
        self._folder = folder
        self._live = live
        self._clock = clock
        self.size, self.checkpoint = head
        self.root = _root_in(self.checkpoint, reader.place)

    @classmethod
    def open(
        cls, url: str, *, keys: Path | None = None, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> Lookup:
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
            note = bytes(head[1]).decode(errors="replace")
            return cls(reader, folder, live, (head[0], note), clock)
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

    @property
    def rules(self) -> Rules:
        """Domain rules and recipes of digests as they were when somebody was last looked up."""
        return self._live.rules

    def verdict(self, address: Address, mailing: Mailing = ANY_MAIL) -> Verdict:
        """The verdict for one address."""
        with self._reader.reading():
            self._follow_changes()
            return judged(self, self._live.rules, address, mailing, self._clock())

    def verdicts(self, addresses: Sequence[Address], mailing: Mailing = ANY_MAIL) -> list[Verdict]:
        """The verdict for each address, in the same order."""
        found: list[Verdict] = []
        for start in range(0, len(addresses), BATCH):
            with self._reader.reading():
                self._follow_changes()
                found += self._judged(addresses[start : start + BATCH], mailing)
        return found

    def roster(self) -> Roster:
        """Everybody who can be recognised, for the engine that decides about long files."""
        from suppress.ledger.roster import Roster

        with self._reader.translated():
            self._follow_changes()
        return Roster(self._reader, self._live.keys)

    def reopened(self) -> Lookup:
        """Another one on the same ledger, for another process."""
        reader = Reader.open(self.place)
        return Lookup(reader, self._folder, self._live, (self.size, self.checkpoint), self._clock)

    def _follow_changes(self) -> None:
        """Since this was opened another process may have begun to index new people under a new key, or made
        or lifted a rule."""
        size = _size(self._reader)
        if size == self._live.size:
            return
        if _last_change(self._reader) == self._live.last:
            self._live = self._live._replace(size=size)
        else:
            self._live = _live(self._reader, Keys.load(self._folder))

    def _judged(self, addresses: Sequence[Address], mailing: Mailing) -> list[Verdict]:
        """Verdicts of a batch. Nearly all addresses of a list are nobody's, which one question finds out."""
        now = self._clock()
        return [
            judged(self, self._live.rules, address, mailing, now) if hit else CLEAR
            for address, hit in zip(addresses, self._met(addresses), strict=True)
        ]

    def _met(self, addresses: Sequence[Address]) -> list[bool]:
        """Which of these addresses any tier may know."""
        domains, recipes = self._live.rules.domains, self._live.rules.recipes
        keys = [expressible(each.key) for each in addresses]
        met = [domains.concerns(key) for key in keys]
        looser = [alias_of(key) for key in keys]
        asked = [(place, key) for place, key in enumerate(keys)]
        if recipes:
            hashed = ((place, hashed_keys(each, recipes)) for place, each in enumerate(addresses))
            asked += [(place, key) for place, found in hashed for key in found]
        for index_key in self._live.keys:
            own = [(place, index_key.blind(key)) for place, key in asked]
            others = [
                (place, index_key.blind_alias(alias.key))
                for place, alias in enumerate(looser)
                if alias is not None
            ]
            known = self._there(_KNOWN, index_key.id, [index for _, index in own])
            aliased = self._there(_ALIASED, index_key.id, [index for _, index in others])
            for place, index in own:
                met[place] = met[place] or index in known
            for place, index in others:
                met[place] = met[place] or index in aliased
        return met

    def _there(self, question: str, key_id: str, indexes: Sequence[bytes]) -> set[bytes]:
        """Those of the indexes that the ledger has under this key."""
        found: set[bytes] = set()
        for start in range(0, len(indexes), BATCH):
            some = indexes[start : start + BATCH]
            asked = question.format(",".join("?" * len(some)))
            found.update(index for (index,) in self._reader.ask(asked, (key_id, *some)))
        return found

    # --- What `judging` asks ---------------------------------------------------------------------------

    def known(self, key: str) -> list[Known]:
        """Who has this match key or hashed key, within a verdict."""
        rows = (
            self._reader.ask(_EXACT, (index_key.id, index_key.blind(key))).fetchall()
            for index_key in self._live.keys
        )
        return [self._known(found) for found in rows if found]

    def aliased(self, alias_key: str) -> list[Known]:
        """Whose address has this alias key, within a verdict."""
        return [
            self._known(list(of_person))
            for index_key in self._live.keys
            for _, of_person in groupby(
                self._reader.ask(_ALIAS, (index_key.id, index_key.blind_alias(alias_key))).fetchall(),
                key=itemgetter(0),
            )
        ]

    def bounced(self, person: int) -> Standing:
        """What stands of a person's hard bounces, within a verdict."""
        return bounces_of(self._entries(person))

    def waivers(self, person: int) -> list[Leave]:
        """The waivers of a person, within a verdict."""
        return waivers_of(self._entries(person))

    def _entries(self, person: int) -> list[Entry]:
        return [decoded(seq, leaf) for seq, leaf in self._reader.ask(_ENTRIES, (person,))]

    def _known(self, rows: Sequence[tuple[Any, ...]]) -> Known:
        """The one person whose rows these are."""
        person, lifted, held, channel = rows[0][:4]
        if person is None:
            raise LedgerDamaged("a person's row in the ledger names an entry that is not there")
        lifts = self._reader.ask(_LIFT, (person,)).fetchall() if lifted else ()
        # Somebody of whom only drift or consent is known has one row, with nothing in it.
        suppressions: Iterable[tuple[Any, ...]] = [row[3:] for row in rows] if channel is not None else ()
        standing: Standing = standing_from("", suppressions, lifts)
        return Known(person, standing, bool(held))


class _Live(NamedTuple):
    """The index keys and the rules of a ledger as of one of its entries."""

    keys: tuple[Blinder, ...]
    rules: Rules
    size: int
    """Entries up to which nothing has changed them."""
    last: int


def _live(reader: Reader, keys: Keys) -> _Live:
    """Those of `keys` that the ledger records. Raises `ConfigWrong` when one is missing that it needs."""
    size = _size(reader)  # first: what comes while this reads is then looked at by the next question
    history = KeyHistory.of(reader.ask(_KEYS, ROTATIONS))
    live = history.live(keys, lambda id_: reader.ask(_INDEXED, (id_,)).fetchone() is not None)
    keys_ = tuple(map(Blinder, live.index))
    return _Live(keys_, Rules.of(reader.ask(rules.LEAVES, CHANGERS)), size, _last_change(reader))


def _size(reader: Reader) -> int:
    """How many entries there are; -1 where there is no head."""
    row = reader.ask("SELECT size FROM head").fetchone()
    return -1 if row is None else row[0]


def _last_change(reader: Reader) -> int:
    """The newest entry that may have changed a key or a rule."""
    (last,) = reader.ask(_LAST, (*ROTATIONS, *CHANGERS)).fetchone()
    return last or 0


def _root_in(note: str, place: Place) -> str:
    """The root that a head's note names, in hex. Whether it is signed, `suppress verify` says."""
    try:
        return Checkpoint.parse(Note.parse(note).text).root.hex()
    except BadNote as wrong:
        raise LedgerDamaged(f"the head of the ledger {place} cannot be read: {wrong}") from wrong

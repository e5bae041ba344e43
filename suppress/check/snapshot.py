"""The snapshot: whom a check may recognise, as sorted 64-bit hashes with a card each, kept beside the ledger.

    suppress.db → suppress.snapshot          everybody as of one entry of the ledger
                  suppress.snapshot.later    whoever an entry since then is about

(Of a server's ledger, beside its keys.) Both are readable by their owner only, and replaced as a whole. A
check reads the entries that neither covers, and writes the second file anew; when it has grown too long, both
become one. So a check pays for what happened since the last one, and not for how many people there are.

Rules kept here:

* The hashes select, and never decide: whom one names is decided by their card (`cards`), which proves that
  the match keys are equal, or else by the ledger. They may name too many people, and never too few: everybody
  whom `Lookup` could recognise is in it by hash, or, where the address is not held any more, by blind index.
* It says how far it covers the ledger: entries, and the hash of the last one. What came after is added before
  it is used. One that does not fit this ledger and this program, or is damaged, is built anew.
* It holds no address, and what it holds is sealed with a secret made from the index key: read without that
  key it is noise, and changed without it, it is refused (`docs/decisions/0005-snapshot.md`).
* Whoever was forgotten is taken out: `forget` deletes it. Of the erased the hash stays, as their blind index
  stays in the ledger.

Where it cannot be written it is used all the same, and built again the next time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from suppress.check import cards, sealing
from suppress.check.blind_index import BlindIndex
from suppress.check.cards import Card, Cards
from suppress.check.hashing import Folding, Hashes, Numbers
from suppress.check.sealing import Column, NotUsable, Sealed
from suppress.core.address import KEY_VERSION
from suppress.core.aliases import alias_of, table_version
from suppress.ledger.place import later_file

if TYPE_CHECKING:
    from suppress.ledger import Lookup
    from suppress.ledger.roster import Held, Only, Person, Position, Roster

_WORTH_SAVING = 10_000
"""Entries that concern nobody, such as those of checks, after which a snapshot is written again."""
_WORTH_MERGING = 50_000
"""People in the later part up to which it is not merged, however few are in the first one."""

Rule = tuple[str, str, str, str]
"""Channel, scope, reason and source of an opt-out, as the ledger writes them."""
Told = Callable[[int], None]
"""Is told before so many people are read, which takes a while."""
Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Part:
    """Some people. Hashes are in order; beside each stands the person's card, and their number."""

    hashes: Hashes
    cards: Bytes
    numbers: Callable[[], Numbers]
    alias_hashes: Hashes


_NOBODY = Part(
    np.empty(0, np.uint64),
    np.empty((0, cards.SIZE), np.uint8),
    lambda: np.empty(0, np.int64),
    np.empty(0, np.uint64),
)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Who is recognised as of entry `size - 1`, whose hash is `last`. What is `later` overrules `first`."""

    size: int
    last: str
    first_size: int
    """Entries that `first` covers. Whoever has a higher number came later."""
    first: Part
    later: Part
    rules: tuple[Rule, ...]
    """What the cards refer to."""
    unheld: Mapping[int, tuple[str, bytes]] = field(default_factory=dict)
    """People whose address was not held when they were first seen: index key and blind index by number."""

    @property
    def parts(self) -> tuple[Part, ...]:
        """Those with somebody in them, the later one first."""
        return tuple(each for each in (self.later, self.first) if len(each.hashes) or each is self.first)


def current(lookup: Lookup, told: Told | None = lambda _people: None) -> tuple[Snapshot, Folding] | None:
    """A snapshot that covers the ledger as it is now; None when there cannot be one.

    None also where it would have to be built, and nobody may be `told`.

    Raises:
        SuppressError: The ledger cannot be read.
    """
    roster = lookup.roster()
    folding = Folding(roster.secret)
    position = roster.position()
    if position.alias_rules != table_version():
        return None  # aliases in the ledger follow other rules than ours
    store = Store(lookup.snapshot, roster.secret)
    try:
        found = store.opened(roster)
        now = refreshed(found, roster, folding, position)
    except NotUsable:
        if told is None:
            return None
        try:
            found, now = None, rebuilt(roster, folding, position, told)
            now = refreshed(now, roster, folding, roster.position())
        except NotUsable:
            return None
    try:
        store.save(found, now)
    except OSError:
        return now, folding
    if found is None:
        # From the file cards take no memory until one is opened; what was built makes room for it first.
        size = now.size
        del now
        try:
            now = store.opened(roster)
        except NotUsable:
            return None
        if now.size < size:
            return None  # another check has put an older one in its place
    return now, folding


# --- Building and refreshing -----------------------------------------------------------------------------


def rebuilt(roster: Roster, folding: Folding, start: Position, told: Told) -> Snapshot:
    """From everybody in the ledger. What was recorded since `start` is left to `refreshed`.

    Raises:
        NotUsable: The ledger has somebody whom no entry added, or whose address is not the one indexed.
    """
    index = BlindIndex(roster)
    told(index.size)
    gathered = _Gathered(Cards(roster.secret), folding, index.size)
    for page in roster.held(start.size):
        gathered.add(index.found(page))
    unheld = index.unheld(start.size)
    del index  # before all of them are sorted, which takes the most memory
    first, rules = gathered.part(), tuple(gathered.rules)
    return Snapshot(start.size, start.last, start.size, first, _NOBODY, rules, unheld)


def refreshed(old: Snapshot, roster: Roster, folding: Folding, position: Position) -> Snapshot:
    """With the people whom later entries are about as they are now.

    Raises:
        NotUsable: Somebody was forgotten and is still in it.
    """
    if position.size <= old.size:
        return old
    touched = {each.number: each for page in roster.touched(old.size, position.size) for each in page}
    now = replace(old, size=position.size, last=position.last)
    if not touched:
        return now
    held = _Places(old, touched)
    gone = {number for number, each in touched.items() if each.blind is None}
    if gone & held.keys():
        raise NotUsable("somebody was forgotten")
    if any(number < 0 and each.blind is not None for number, each in touched.items()):
        raise NotUsable("somebody has no entry that added them")
    gathered = _Gathered(Cards(roster.secret), folding, len(touched), old.rules)
    unheld = {number: index for number, index in old.unheld.items() if number not in gone}
    for person in touched.values():
        if person.blind is None:
            continue
        if person.key is not None:
            gathered.add([person])
        elif person.number in held:
            # Somebody who was erased is still recognised by the hash from before.
            gathered.closed(person.number, held[person.number])
        else:
            unheld[person.number] = person.blind
    rest = np.flatnonzero(~np.isin(old.later.numbers(), np.fromiter(touched, np.int64, len(touched))))
    later = _joined([_some(old.later, rest), gathered.part()])
    return replace(now, later=later, rules=tuple(gathered.rules), unheld=unheld)


class _Places(dict[int, int]):
    """The hash of each of these people who is in a snapshot."""

    def __init__(self, snapshot: Snapshot, people: Mapping[int, Person]) -> None:
        super().__init__()
        # Whoever is held tells their hash by their key; the long list is searched for the others only.
        asked = [number for number, each in people.items() if each.key is None]
        for part in (snapshot.first, snapshot.later) if asked else ():
            numbers = part.numbers()
            for place in np.flatnonzero(np.isin(numbers, asked)).tolist():
                self[int(numbers[place])] = int(part.hashes[place])


class _Gathered:
    """People on their way into a part.

    They may be millions: what is kept of them goes into memory that is taken once.
    """

    def __init__(self, cards_: Cards, folding: Folding, most: int, rules: Sequence[Rule] = ()) -> None:
        self._cards = cards_
        self._folding = folding
        self.rules: dict[Rule, int] = {rule: place for place, rule in enumerate(rules)}
        self._count = 0
        self._hashes = np.empty(most, np.uint64)
        self._numbers = np.empty(most, np.int64)
        self._content = np.empty((most, cards.SIZE), np.uint8)
        self._aliases = bytearray()

    def add(self, people: Sequence[Held | Person]) -> None:
        """People of whom an address is held. Raises `NotUsable` when there is no room for so many."""
        keys = [each.key for each in people if each.key is not None]
        sealed = self._cards.sealed
        made = [sealed(key.encode(), self._card(each.only)) for key, each in zip(keys, people, strict=True)]
        self._put(self._folding.of_keys(keys), [each.number for each in people], b"".join(made))
        aliases = [alias.key for alias in map(alias_of, keys) if alias is not None]
        self._aliases += self._folding.of_keys(aliases).tobytes()

    def closed(self, number: int, hashed: int) -> None:
        """Somebody of whom only the hash is known."""
        self._put(np.array([hashed], np.uint64), [number], cards.closed())

    def part(self) -> Part:
        """All of them, in order. Nothing can be added any more."""
        end = self._count
        aliases = np.frombuffer(self._aliases, np.uint64)
        aliases.sort()
        first = np.ones(len(aliases), bool)
        np.not_equal(aliases[1:], aliases[:-1], out=first[1:])
        aliases = aliases[first]  # each once, as `np.unique` does in several times the memory
        self._aliases = bytearray()
        return _ordered(self._hashes[:end], self._content[:end], self._numbers[:end], aliases)

    def _put(self, hashes: Hashes, numbers: Sequence[int], content: bytes) -> None:
        start, end = self._count, self._count + len(hashes)
        if end > len(self._hashes):
            raise NotUsable("there are more people than rows in the blind index")
        self._hashes[start:end] = hashes
        self._numbers[start:end] = numbers
        self._content[start:end] = np.frombuffer(content, np.uint8).reshape(-1, cards.SIZE)
        self._count = end

    def _card(self, only: Only | None) -> Card | None:
        if only is None:
            return None
        channel, scope, reason, source, since, seq = only
        rule = self.rules.setdefault((channel, scope, reason, source), len(self.rules))
        return Card(rule, since, seq)


def _ordered(hashes: Hashes, content: Bytes, numbers: Numbers, aliases: Hashes) -> Part:
    """Everybody by their hash: all change places where they are, four bytes of each at a time."""
    order = np.argsort(hashes)
    for each in (hashes, numbers, content):
        words, size = each.reshape(-1).view(np.uint32), each.strides[0] // 4
        for at in range(size):
            words[at::size] = words[at::size][order]
    return Part(hashes, content, lambda: numbers, aliases)


def _some(part: Part, places: NDArray[np.intp]) -> Part:
    own = part.numbers()[places]
    return Part(part.hashes[places], part.cards[places], lambda: own, part.alias_hashes)


def _joined(parts: Sequence[Part]) -> Part:
    return _ordered(
        np.concatenate([each.hashes for each in parts]),
        np.concatenate([each.cards for each in parts]),
        np.concatenate([each.numbers() for each in parts]),
        np.unique(np.concatenate([each.alias_hashes for each in parts])),
    )


def merged(snapshot: Snapshot) -> Snapshot:
    """Both parts as one."""
    stale = np.isin(snapshot.first.numbers(), snapshot.later.numbers())
    first = _joined([_some(snapshot.first, np.flatnonzero(~stale)), snapshot.later])
    return replace(snapshot, first_size=snapshot.size, first=first, later=_NOBODY)


# --- On disk ---------------------------------------------------------------------------------------------


class Store:
    """The two files of one ledger's snapshot."""

    def __init__(self, file: Path, secret: bytes) -> None:
        self._first, self._later = file, later_file(file)
        self._secret = secret
        self._nonce = ""

    def opened(self, roster: Roster) -> Snapshot:
        """What is on disk, and belongs to this history of this ledger. Raises `NotUsable`."""
        file = Sealed(self._first, self._secret)
        head = self._fitting(file, roster)
        self._nonce = file.nonce.hex()
        found = Snapshot(head["size"], head["last"], head["size"], _read(file), _NOBODY, *_said(head))
        try:
            file = Sealed(self._later, self._secret)
            head = self._fitting(file, roster)
        except NotUsable:
            return found
        if head["first"] != self._nonce:
            return found
        rules, unheld = _said(head)
        return replace(
            found, size=head["size"], last=head["last"], later=_read(file), rules=rules, unheld=unheld
        )

    def save(self, old: Snapshot | None, now: Snapshot) -> None:
        """Bring the files up to date, where they are not. Raises OSError."""
        most = max(_WORTH_MERGING, len(now.first.hashes) // 8)
        if old is None or len(now.later.hashes) > most:
            whole = merged(now) if len(now.later.hashes) else now
            self._nonce = sealing.write(self._first, self._secret, _head(whole), _columns(whole.first)).hex()
            self._later.unlink(missing_ok=True)
        elif now.later is not old.later or now.size - old.size > _WORTH_SAVING:
            head = {**_head(now), "first": self._nonce}
            sealing.write(self._later, self._secret, head, _columns(now.later))

    def _fitting(self, file: Sealed, roster: Roster) -> Mapping[str, Any]:
        head = file.head
        if (head["keys"], head["aliases"]) != (KEY_VERSION, table_version()):
            raise NotUsable("it was made by other rules")
        if not roster.is_at(head["size"], head["last"]):
            raise NotUsable("it is of another history")
        return head


def _head(snapshot: Snapshot) -> Mapping[str, Any]:
    return {
        "size": snapshot.size,
        "last": snapshot.last,
        "keys": KEY_VERSION,
        "aliases": table_version(),
        "rules": snapshot.rules,
        "unheld": [[number, id_, index.hex()] for number, (id_, index) in snapshot.unheld.items()],
    }


def _said(head: Mapping[str, Any]) -> tuple[tuple[Rule, ...], dict[int, tuple[str, bytes]]]:
    rules = tuple((channel, scope, reason, source) for channel, scope, reason, source in head["rules"])
    return rules, {number: (id_, bytes.fromhex(index)) for number, id_, index in head["unheld"]}


def _columns(part: Part) -> list[Column]:
    return [
        Column("hashes", part.hashes.astype("<u8", copy=False)),
        Column("aliases", part.alias_hashes.astype("<u8", copy=False)),
        Column("numbers", part.numbers().astype("<i8", copy=False)),
        Column("cards", part.cards, open=True),
    ]


def _read(file: Sealed) -> Part:
    return Part(
        file.column("hashes", "<u8"),
        file.open_column("cards").reshape(-1, cards.SIZE),
        lambda: file.column("numbers", "<i8"),
        file.column("aliases", "<u8"),
    )

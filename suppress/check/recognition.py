"""Recognition: the verdicts of `Lookup`, with the ledger asked only about whom the snapshot leaves open.

An address whose hash is not in the snapshot, nor that of its alias or of its digest, is nobody's: only a rule
for its domain may hold. One whose card opens is decided by it: the card proves that the match keys are equal,
and says all that is known about the person. Whoever else is met is decided by the ledger.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from suppress.check.cards import SIZE, Cards, Said, dated
from suppress.check.compiled import compiled
from suppress.check.filter import Aliases, Reach
from suppress.check.hashing import Bytes, Folding, Hashes, Numbers
from suppress.check.known import Known, Mask, marked
from suppress.check.scan import LONGEST, Cells
from suppress.check.snapshot import Rule, Snapshot
from suppress.core.address import Address
from suppress.core.aliases import alias_of
from suppress.core.hashed import hashed_keys
from suppress.core.latin import read
from suppress.core.mailing import ANY_MAIL, Mailing, MessageClass
from suppress.core.roles import plain_roles
from suppress.core.standing import Standing, Suppression
from suppress.core.suppression import Channel, Reason, Scope
from suppress.core.verdict import CLEAR, Ruling, Tier, Verdict
from suppress.ledger.ruling import by_domain, certain
from suppress.ledger.sealing import expressible

if TYPE_CHECKING:
    from suppress.ledger import Lookup
    from suppress.ledger.roster import Roster


class _People(NamedTuple):
    """A part of the snapshot, ready to be asked."""

    known: Known
    cards: Bytes
    start: int
    """Where its places begin, if all parts were one."""


class Recognition:
    """Whom the snapshot names, and what stands about them."""

    def __init__(self, lookup: Lookup, snapshot: Snapshot, folding: Folding, *, aliases: bool) -> None:
        self._lookup = lookup
        self._roster: Roster = lookup.roster()
        self._laws = lookup.rules
        self._folding = folding
        self._cards = Cards(self._roster.secret)
        self._people: list[_People] = []
        # A later part overrules an earlier one.
        for part in reversed(snapshot.parts):
            cards = part.cards.view()
            cards.flags.writeable = (
                False  # as it is where it stands on disk: one machine code serves for both
            )
            start = sum(len(each.known) for each in self._people)
            self._people.append(_People(Known(part.hashes), cards, start))
        self._alias_keys = [Known(part.alias_hashes) for part in snapshot.parts if len(part.alias_hashes)]
        self._aliases = Aliases(self._alias_keys, folding) if aliases and self._alias_keys else None
        self._reach = Reach(self._laws.domains, folding) if self._laws.domains else None
        self.rules = snapshot.rules
        self._binding: dict[Mailing, Mask] = {}
        unheld: dict[str, set[bytes]] = {}
        for id_, index in snapshot.unheld.values():
            unheld.setdefault(id_, set()).add(index)
        self._unheld: Mapping[str, frozenset[bytes]] = {id_: frozenset(all_) for id_, all_ in unheld.items()}

    def reopen(self) -> None:
        """Ask the ledger through a connection of this process."""
        self._lookup = self._lookup.reopened()

    # --- Cells of a block ------------------------------------------------------------------------------

    def selects(self, cells: Cells, raw: Sequence[str] = ()) -> Met:
        """For each plain cell whether it may be somebody's. Perhaps of too many, never of too few.

        `raw` is how they were spelt, where that is not what stands in the cells.
        """
        people = self._places(cells.hashes)
        found = people >= 0
        if self._aliases is not None:
            self._aliases.mark(cells, found)
        if self._reach is not None:
            self._reach.mark(cells, found)
        if self._unheld or self._laws.recipes:
            # These can be told from nothing but a digest of each address, one by one.
            rest = np.flatnonzero(~found)
            texts = cells.some(rest).texts()
            spelt = [raw[place] for place in rest.tolist()] if raw else texts
            asked = [Address(own, text.lower()) for own, text in zip(spelt, texts, strict=True)]
            found[rest] = self._digested(asked)
        return Met(found, people)

    def nobodys(self, cells: Sequence[str]) -> list[bool | None]:
        """For each cell that is a Latin address which certainly is nobody's, whether it is sound; else None.

        No cell holds a line break.
        """
        found = read(cells)
        keys = [each[0] if each is not None else "" for each in found]
        met = self.selects(Cells.of_keys(keys, self._folding), cells).cells.tolist()
        return [
            None if each is None or is_met or len(each[0]) > LONGEST else each[1]
            for each, is_met in zip(found, met, strict=True)
        ]

    def told(self, content: bytes, cells: Cells, people: Numbers, mailing: Mailing) -> Told:
        """What is said of people whom plain cells of a block may name, by their cards, if these open.

        It is the same that `verdicts` says, which asks nobody else where the card opens.
        """
        spans = zip(cells.starts.tolist(), cells.ends.tolist(), strict=True)
        keys = [content[start:end].lower() for start, end in spans]
        whole, rules, since, seqs = self._said(keys, people, mailing)
        roles = np.array(plain_roles(keys), bool)
        which = np.flatnonzero(whole)
        return Told(which, rules[which], since[which], seqs[which], roles[which])

    def verdict(self, rule: int, since: int, seq: int, mailing: Mailing) -> Verdict:
        """What follows from what is told of one person."""
        usual = _usual(self.rules[rule], mailing)
        assert usual is not None, "only such are told"
        ruling, tier, named, source, reason, scope = usual
        return Verdict(ruling, tier, named, dated(since), source, reason, scope, seq)

    # --- Addresses -------------------------------------------------------------------------------------

    def verdicts(self, addresses: Sequence[Address], mailing: Mailing = ANY_MAIL) -> list[Verdict]:
        """The verdict for each address, in the same order."""
        keys = [expressible(each.key) for each in addresses]
        hashes = self._folding.of_keys(keys)
        found = [self._by_rule(each, mailing) for each in addresses]
        asked: list[int] = []
        people = self._places(hashes)
        met = np.flatnonzero(self._open(addresses, keys, people))
        said = self._said([keys[place].encode() for place in met.tolist()], people[met], mailing)
        for place, whole, rule, since, seq in zip(
            met.tolist(), *(each.tolist() for each in said), strict=True
        ):
            if whole:
                found[place] = self.verdict(rule, since, seq, mailing)
            else:
                asked.append(place)
        if asked:
            answers = self._lookup.verdicts([addresses[place] for place in asked], mailing)
            for place, answer in zip(asked, answers, strict=True):
                found[place] = answer
        return found

    def _by_rule(self, address: Address, mailing: Mailing) -> Verdict:
        """The verdict on an address that is nobody's: only a rule may hold for its domain."""
        rule = self._laws.domains.against(address.key, mailing) if self._laws.domains else None
        return CLEAR if rule is None else by_domain(rule)

    def _places(self, hashes: Hashes) -> Numbers:
        """The first place of each hash in all parts, as if these were one; -1 where it is not."""
        places = np.full(len(hashes), -1)
        for each in self._people:
            each.known.find(hashes, places, each.start)
        return places

    def _digested(self, addresses: Sequence[Address]) -> Mask:
        """Which of these addresses may be known by a digest alone: of the erased, or in a partner's list."""
        met = np.zeros(len(addresses), bool)
        if self._unheld:
            keys = [expressible(each.key).encode() for each in addresses]
            met[list(self._roster.recognised(keys, self._unheld))] = True
        if self._laws.recipes:
            asked = [
                (place, key)
                for place, each in enumerate(addresses)
                for key in hashed_keys(each, self._laws.recipes)
            ]
            there = self._places(self._folding.of_keys([key for _, key in asked])) >= 0
            met[np.array([place for place, _ in asked], np.intp)[there]] = True
            if self._unheld:
                several = self._roster.recognised([key.encode() for _, key in asked], self._unheld)
                met[[asked[place][0] for place in several]] = True
        return met

    def _open(self, addresses: Sequence[Address], keys: list[str], people: Numbers) -> Mask:
        """Which of these addresses may be somebody's, besides those of `people`."""
        met = (people >= 0) | self._digested(addresses)
        if self._alias_keys:
            rest = np.flatnonzero(~met).tolist()
            looser = [(place, alias.key) for place in rest if (alias := alias_of(keys[place]))]
            places = np.array([place for place, _ in looser], np.intp)
            met[places] |= marked(self._alias_keys, self._folding.of_keys([key for _, key in looser]))
        return met

    def _said(self, keys: Sequence[bytes], people: Numbers, mailing: Mailing) -> Said:
        """What the cards of people with these keys say, as far as the ledger need not be asked."""
        if (usual := self._binding.get(mailing)) is None:
            usual = np.array([_usual(rule, mailing) is not None for rule in self.rules] + [False])
            self._binding[mailing] = usual
        cards, alone = self._cards_of(people)
        said = self._cards.opened(keys, cards)
        whole = alone & said.whole & usual[np.minimum(said.rules, len(self.rules))]
        return said._replace(whole=whole)

    def _cards_of(self, people: Numbers) -> tuple[Bytes, Mask]:
        """The card at each of these places, and whether it is the only one beside its hash."""
        alone = np.zeros(len(people), bool)
        cards = np.zeros((len(people), SIZE), np.uint8)
        for each in self._people:
            _deal(each.known.arrays.hashes, each.cards, people - each.start, cards, alone)
        return cards, alone


@compiled
def _deal(hashes: Hashes, cards: Bytes, people: Numbers, dealt: Bytes, alone: Mask) -> None:
    """Deal their cards to the people who are among these, and note whether they share their hash."""
    for number in range(len(people)):
        place = people[number]
        if 0 <= place < len(hashes):
            alone[number] = place + 1 == len(hashes) or hashes[place + 1] != hashes[place]
            for at in range(SIZE):
                dealt[number, at] = cards[place, at]


class Met(NamedTuple):
    """Who may stand in the plain cells of a block."""

    cells: Mask
    """Whether it may be somebody."""
    people: Numbers
    """The place in the snapshot of whoever has this hash; -1 where there is nobody."""


class Told(NamedTuple):
    """What is said of some people by their cards."""

    which: NDArray[np.intp]
    """Their places among those who were asked for, in order."""
    rules: Numbers
    since: Numbers
    """As it stands on a card (`cards`)."""
    seqs: Numbers
    roles: Mask
    """Whether it is the address of an office."""


class _Usual(NamedTuple):
    """What a verdict says of everybody who opted out by one rule."""

    ruling: Ruling
    tier: Tier | None
    rule: str | None
    source: str | None
    reason: Reason | None
    scope: Scope | None


@cache
def _usual(rule: Rule, mailing: Mailing) -> _Usual | None:
    """The verdict on somebody of whom only such an opt-out is known; None where the ledger has to be asked.

    That is where the opt-out does not bind, or something else may let it pass: `suppress.ledger.judging`.
    """
    if mailing.purpose is not None or mailing.message_class is not MessageClass.COMMERCIAL:
        return None
    channel, scope, reason, source = rule
    latest = datetime.min.replace(tzinfo=UTC)
    only = Suppression(Channel(channel), Scope.parse(scope), Reason(reason), None, latest, source, 0)
    found = Standing("", (only,)).against(mailing.channel, mailing.target)
    if found is None:
        return None
    said = certain(found, erased=False)
    return _Usual(said.ruling, said.tier, said.rule, said.source, said.reason, said.scope)

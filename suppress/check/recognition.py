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

from suppress.check.cards import SIZE, Cards, dated
from suppress.check.filter import Aliases, Reach
from suppress.check.hashing import Folding, Hashes
from suppress.check.known import Known, Mask, marked
from suppress.check.scan import LONGEST, Cells
from suppress.check.snapshot import Part, Rule, Snapshot
from suppress.core.address import Address
from suppress.core.aliases import alias_of
from suppress.core.hashed import hashed_keys
from suppress.core.latin import read
from suppress.core.mailing import ANY_MAIL, Mailing, MessageClass
from suppress.core.standing import Standing, Suppression
from suppress.core.suppression import Channel, Reason, Scope
from suppress.core.verdict import CLEAR, Ruling, Tier, Verdict
from suppress.ledger.ruling import by_domain, certain
from suppress.ledger.sealing import expressible

if TYPE_CHECKING:
    from suppress.ledger import Lookup
    from suppress.ledger.roster import Roster


_SAID = np.dtype([("since", "<i8"), ("rule", "<u4"), ("seq", "<u4")])
"""What stands on a card (`cards`), of many."""
_NOTHING = bytes(_SAID.itemsize)


class _People(NamedTuple):
    """A part of the snapshot, ready to be asked."""

    part: Part
    known: Known


class Recognition:
    """Whom the snapshot names, and what stands about them."""

    def __init__(self, lookup: Lookup, snapshot: Snapshot, folding: Folding, *, aliases: bool) -> None:
        self._lookup = lookup
        self._roster: Roster = lookup.roster()
        self._laws = lookup.rules
        self._folding = folding
        self._cards = Cards(self._roster.secret)
        self._people = [_People(part, Known(part.hashes)) for part in snapshot.parts]
        self._alias_keys = [Known(part.alias_hashes) for part in snapshot.parts if len(part.alias_hashes)]
        self._aliases = Aliases(self._alias_keys, folding) if aliases and self._alias_keys else None
        self._reach = Reach(self._laws.domains, folding) if self._laws.domains else None
        self._rules = snapshot.rules
        unheld: dict[str, set[bytes]] = {}
        for id_, index in snapshot.unheld.values():
            unheld.setdefault(id_, set()).add(index)
        self._unheld: Mapping[str, frozenset[bytes]] = {id_: frozenset(all_) for id_, all_ in unheld.items()}

    def reopen(self) -> None:
        """Ask the ledger through a connection of this process."""
        self._lookup = self._lookup.reopened()

    # --- Cells of a block ------------------------------------------------------------------------------

    def selects(self, cells: Cells, raw: Sequence[str] = ()) -> Mask:
        """For each plain cell whether it may be somebody's. Perhaps of too many, never of too few.

        `raw` is how they were spelt, where that is not what stands in the cells.
        """
        found = self._known(cells.hashes)
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
        return found

    def nobodys(self, cells: Sequence[str]) -> list[bool | None]:
        """For each cell that is a Latin address which certainly is nobody's, whether it is sound; else None.

        No cell holds a line break.
        """
        found = read(cells)
        keys = [each[0] if each is not None else "" for each in found]
        met = self.selects(Cells.of_keys(keys, self._folding), cells).tolist()
        return [
            None if each is None or is_met or len(each[0]) > LONGEST else each[1]
            for each, is_met in zip(found, met, strict=True)
        ]

    def told(self, cells: Cells, mailing: Mailing) -> Told:
        """What is said of the people in these plain cells by their cards, of those whose card opens.

        It is the same that `verdicts` says, which asks nobody else where the card opens.
        """
        texts = cells.texts()
        read = self._cards.read
        said = [
            None if card is None else read(text.lower().encode(), card)
            for text, card in zip(texts, self._cards_of(cells.hashes), strict=True)
        ]
        found = np.frombuffer(b"".join(each or _NOTHING for each in said), _SAID)
        usual = np.array([_usual(rule, mailing) is not None for rule in self._rules] + [False])
        opened = np.array([each is not None for each in said], bool)
        opened &= usual[np.minimum(found["rule"], len(self._rules))]
        which = np.flatnonzero(opened).tolist()
        return Told(which, [texts[each] for each in which], found[opened])

    def verdict(self, rule: int, since: int, seq: int, mailing: Mailing) -> Verdict:
        """What follows from what is told of one person."""
        usual = _usual(self._rules[rule], mailing)
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
        met = np.flatnonzero(self._open(addresses, keys, hashes))
        for place, card in zip(met.tolist(), self._cards_of(hashes[met]), strict=True):
            verdict = self._by_card(keys[place].encode(), card, mailing)
            if verdict is None:
                asked.append(place)
            else:
                found[place] = verdict
        if asked:
            answers = self._lookup.verdicts([addresses[place] for place in asked], mailing)
            for place, answer in zip(asked, answers, strict=True):
                found[place] = answer
        return found

    def _by_rule(self, address: Address, mailing: Mailing) -> Verdict:
        """The verdict on an address that is nobody's: only a rule may hold for its domain."""
        rule = self._laws.domains.against(address.key, mailing) if self._laws.domains else None
        return CLEAR if rule is None else by_domain(rule)

    def _known(self, hashes: Hashes) -> Mask:
        return marked([each.known for each in self._people], hashes)

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
            there = self._known(self._folding.of_keys([key for _, key in asked]))
            met[np.array([place for place, _ in asked], np.intp)[there]] = True
            if self._unheld:
                several = self._roster.recognised([key.encode() for _, key in asked], self._unheld)
                met[[asked[place][0] for place in several]] = True
        return met

    def _open(self, addresses: Sequence[Address], keys: list[str], hashes: Hashes) -> Mask:
        """Which of these addresses may be somebody's."""
        met = self._known(hashes) | self._digested(addresses)
        if self._alias_keys:
            rest = np.flatnonzero(~met).tolist()
            looser = [(place, alias.key) for place in rest if (alias := alias_of(keys[place]))]
            places = np.array([place for place, _ in looser], np.intp)
            met[places] |= marked(self._alias_keys, self._folding.of_keys([key for _, key in looser]))
        return met

    def _cards_of(self, hashes: Hashes) -> list[bytes | None]:
        """The card that stands beside each hash; None where there is none, or two."""
        there = np.zeros(len(hashes), bool)
        found = np.empty((len(hashes), SIZE), np.uint8)
        for part, known in reversed(self._people):  # a later part overrules an earlier one
            places = known.places(hashes)
            which = np.flatnonzero(places >= 0)
            own = places[which]
            behind = np.minimum(own + 1, len(part.hashes) - 1)
            there[which] = (behind == own) | (part.hashes[behind] != part.hashes[own])
            found[which] = part.cards[own]
        contents = found.tobytes()
        starts = range(0, len(contents), SIZE)
        return [
            contents[at : at + SIZE] if alone else None
            for at, alone in zip(starts, there.tolist(), strict=True)
        ]

    def _by_card(self, key: bytes, content: bytes | None, mailing: Mailing) -> Verdict | None:
        """What a person's card says, or None where the ledger has to be asked."""
        card = None if content is None else self._cards.opened(key, content)
        usual = None if card is None else _usual(self._rules[card.rule], mailing)
        if card is None or usual is None:
            return None
        ruling, tier, rule, source, reason, scope = usual
        return Verdict(ruling, tier, rule, card.since, source, reason, scope, card.seq)


class Told(NamedTuple):
    """What is said of some people by their cards."""

    which: list[int]
    """Their places among those who were asked for, in order."""
    texts: list[str]
    """Their addresses as they stand in the file."""
    said: NDArray[np.void]
    """What stands on their cards."""


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

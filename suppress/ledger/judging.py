"""The verdict on one address: the tiers in their order, for whatever database the ledger is in. Pure.

Rules kept here:

* There is one definition. Who opens a ledger says how people are found in it (`Sight`), and nothing else, so
  that every way into a ledger gives the same answer.
* A tier only adds: whoever an earlier one suppresses stays suppressed, whatever a later one knows. The first
  certain tier answers (exact or erased, hashed, domain); an alias only where no certain one does.
* A consent speaks for the person, so that it also answers an older digest of theirs in a partner's list.
* A waiver lets one person through, by their very address, for the purpose that it names, until its day; the
  verdict goes on saying what it lets pass. It ends when the person is erased, with the reason for it.
* Mail that opt-outs do not bind is held against hard bounces alone, and for that the person's entries are
  read again: what stands is folded from all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple, Protocol

from suppress.core.address import Address
from suppress.core.aliases import alias_of
from suppress.core.entry import Entry, Erased, OptOutRecorded, WaiverRecorded
from suppress.core.hashed import hashed_keys
from suppress.core.mailing import Mailing, MessageClass
from suppress.core.standing import Lift, Standing, Suppression
from suppress.core.suppression import Channel
from suppress.core.verdict import CLEAR, Ruling, Verdict
from suppress.ledger.folding import annulled_by, standing_of
from suppress.ledger.rules import Rules
from suppress.ledger.ruling import by_domain, by_hash, certain, doubtful
from suppress.ledger.sealing import expressible


class Known(NamedTuple):
    """Somebody whom the ledger recognises."""

    person: int
    standing: Standing
    held: bool
    """Whether an address of theirs is held; if not, they were erased."""


class Leave(NamedTuple):
    """A waiver that was not taken back, and that no erasure ended."""

    seq: int
    channel: Channel
    purpose: str
    until: datetime

    def serves(self, mailing: Mailing, now: datetime) -> bool:
        """Whether it lets such mail through now."""
        same = purpose_in(self.purpose) == purpose_in(mailing.purpose or "")
        return same and self.channel is mailing.channel and now < self.until


class Sight(Protocol):
    """How people are found in one ledger. Keys and alias keys are `expressible`."""

    def known(self, key: str) -> Sequence[Known]:
        """Who has this match key or hashed key."""
        ...

    def aliased(self, alias_key: str) -> Sequence[Known]:
        """Whose address has this alias key, in the order of the ledger."""
        ...

    def bounced(self, person: int) -> Standing:
        """What stands of a person's hard bounces alone: `bounces_of` their entries."""
        ...

    def waivers(self, person: int) -> Sequence[Leave]:
        """The waivers of a person: `waivers_of` their entries."""
        ...


ADDRESS, ALIAS = "address", "alias"


class Recognised(NamedTuple):
    """One way to recognise somebody: a row of the blind index, or one of the index of aliases."""

    kind: str
    key_id: str
    blind: bytes
    known: Known
    bounced: Standing
    leaves: tuple[Leave, ...]


def judged(sight: Sight, rules: Rules, address: Address, mailing: Mailing, now: datetime) -> Verdict:
    """May this address be sent this kind of mail?"""
    key = expressible(address.key)
    own = sight.known(key)
    verdict = _forbidden(sight, rules, address, own, mailing)
    if verdict is CLEAR or mailing.purpose is None:
        return verdict
    leaves = (leave for each in own for leave in sight.waivers(each.person))
    waiver = next((leave.seq for leave in leaves if leave.serves(mailing, now)), None)
    return verdict if waiver is None else replace(verdict, ruling=Ruling.CLEAR, waiver=waiver)


def _forbidden(
    sight: Sight, rules: Rules, address: Address, own: Sequence[Known], mailing: Mailing
) -> Verdict:
    for each in own:
        found = _against(sight, each, mailing)
        if found is not None:
            return certain(found, erased=not each.held)
    lifts = tuple(lift for each in own for lift in each.standing.lifts)
    for hashed, recipe in hashed_keys(address, rules.recipes).items():
        for each in sight.known(hashed):
            found = _against(sight, each, mailing, lifts)
            if found is not None:
                return by_hash(found, str(recipe))
    rule = rules.domains.against(address.key, mailing)
    if rule is not None:
        return by_domain(rule)
    alias = alias_of(expressible(address.key))
    for each in () if alias is None else sight.aliased(alias.key):
        found = _against(sight, each, mailing)
        if found is not None:
            assert alias is not None
            return doubtful(found, alias.provider.says)
    return CLEAR


def _against(
    sight: Sight, known: Known, mailing: Mailing, lifts: tuple[Lift, ...] = ()
) -> Suppression | None:
    standing = known.standing
    if lifts:
        standing = replace(standing, lifts=standing.lifts + lifts)
    found = standing.against(mailing.channel, mailing.target)
    if found is None or mailing.message_class is MessageClass.COMMERCIAL:
        return found
    bounced = sight.bounced(known.person)
    return replace(bounced, lifts=bounced.lifts + lifts).against(mailing.channel, mailing.target)


def bounces_of(entries: Iterable[Entry]) -> Standing:
    """The standing that a person's entries make without those opt-outs that transactional mail passes."""
    return standing_of(
        "",
        [
            entry
            for entry in entries
            if not isinstance(entry.body, OptOutRecorded)
            or MessageClass.TRANSACTIONAL.bound_by(entry.body.reason)
        ],
    )


def waivers_of(entries: Sequence[Entry]) -> list[Leave]:
    """The waivers that a person's entries leave standing, newest first."""
    annulled = annulled_by(entries)
    found = []
    for entry in reversed(entries):
        if isinstance(entry.body, Erased):
            break
        if isinstance(entry.body, WaiverRecorded) and entry.seq not in annulled:
            body = entry.body
            found.append(Leave(entry.seq, body.channel, body.purpose, body.until))
    return found


def purpose_in(text: str) -> str:
    """A purpose as it is compared: case and blanks tell none apart."""
    return " ".join(text.split()).casefold()

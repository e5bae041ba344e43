"""Who is recognised by tags: keyed hashes of match keys, with a line of JSON for what holds for each person.

A portable snapshot is asked that way, and so is what a join of one with the tags of a list brings: `judging`
decides in both. `Asked` says under which tags somebody would be found, by asking as `judging` asks.
"""

from __future__ import annotations

import hmac
import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any, Protocol

from suppress.core.address import Address
from suppress.core.canonical import moment
from suppress.core.mailing import ANY_MAIL, Mailing
from suppress.core.standing import Standing
from suppress.core.suppression import Channel
from suppress.core.verdict import Verdict
from suppress.ledger.judging import ADDRESS, ALIAS, Known, Leave, judged
from suppress.ledger.rows import standing_from
from suppress.ledger.rules import Rules
from suppress.ledger.sealing import IndexKey

TAG = 16
"""Bytes of a tag: enough that no two people of a list of any length share one."""


def tag_of(secret: bytes, kind: str, key_id: str, blind: bytes) -> bytes:
    """Under what somebody stands in the index."""
    return hmac.digest(secret, f"{kind}\x00{key_id}\x00".encode() + blind, "sha256")[:TAG]


class Tagging(Protocol):
    """What tags are made with."""

    @property
    def tag(self) -> bytes:
        """The secret of the snapshot."""
        ...

    @property
    def index(self) -> Sequence[IndexKey]:
        """The index keys of the ledger."""
        ...


class Tagged(ABC):
    """Answers checks from the lines that stand under tags."""

    def __init__(self, secret: Tagging, rules: Rules, now: datetime) -> None:
        self._secret = secret
        self._rules = rules
        self._now = now
        self._records: dict[int, list[Any]] = {}

    def verdicts(self, addresses: Sequence[Address], mailing: Mailing = ANY_MAIL) -> list[Verdict]:
        """The verdict for each address, in the same order."""
        self._records.clear()
        return [judged(self, self._rules, each, mailing, self._now) for each in addresses]

    @abstractmethod
    def _at(self, tag: bytes) -> list[Any]:
        """The lines that stand under a tag, read."""

    # --- What `judging` asks ---------------------------------------------------------------------------

    def known(self, key: str) -> list[Known]:
        """Who has this match key or hashed key."""
        return self._known(
            tag_of(self._secret.tag, ADDRESS, each.id, each.blind(key)) for each in self._secret.index
        )

    def aliased(self, alias_key: str) -> list[Known]:
        """Whose address has this alias key."""
        return self._known(
            tag_of(self._secret.tag, ALIAS, each.id, each.blind_alias(alias_key))
            for each in self._secret.index
        )

    def bounced(self, person: int) -> Standing:
        """What stands of a person's hard bounces."""
        _, _, suppressions, lifts, bounced, _ = self._records[person]
        return standing_from("", suppressions if bounced is None else bounced, lifts)

    def waivers(self, person: int) -> list[Leave]:
        """The waivers of a person."""
        return [
            Leave(seq, Channel(channel), purpose, moment(until))
            for seq, channel, purpose, until in self._records[person][5]
        ]

    def _known(self, tags: Iterable[bytes]) -> list[Known]:
        found = []
        for tag in tags:
            for record in sorted(self._at(tag), key=itemgetter(0)):
                self._records[record[0]] = record
                found.append(Known(record[0], standing_from("", record[2], record[3]), record[1]))
        return found


class Asked(Tagged):
    """Knows nobody, and notes under which tags somebody would have been found.

    Whoever is told that nobody is there asks on, up to the last tier: so no tag that could matter is left
    out, unless a rule for a domain answers, which needs nobody.
    """

    def __init__(self, secret: Tagging, rules: Rules, now: datetime) -> None:
        super().__init__(secret, rules, now)
        self._tags: list[bytes] = []

    def taken(self) -> list[bytes]:
        """The tags since this was last called, each once."""
        found, self._tags = list(dict.fromkeys(self._tags)), []
        return found

    def _at(self, tag: bytes) -> list[Any]:
        self._tags.append(tag)
        return []


class Met(Tagged):
    """Answers from lines that were found elsewhere, by tag."""

    def __init__(
        self, secret: Tagging, rules: Rules, now: datetime, lines: Mapping[bytes, Iterable[bytes]]
    ) -> None:
        super().__init__(secret, rules, now)
        self._lines = lines

    def _at(self, tag: bytes) -> list[Any]:
        return [json.loads(line) for line in self._lines.get(tag, ())]

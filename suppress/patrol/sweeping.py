"""Read a destination's own list: who is held there, and which opt-outs it knows and the ledger does not.

Rules kept here:

* A person who opted out at a destination opted out. Only what the plugin is sure is a bounce is left out: a
  full mailbox is no request.
* Somebody who consented later than that is released: the destination still holds them, because nothing that
  this program sends may change that, and it is no news. Without a date it cannot be told, and is no news.
* Who is on the list is remembered as eight bytes a spelling, so that only the others need be asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from suppress.core.address import Address
from suppress.core.spelling import comparable
from suppress.core.standing import Standing
from suppress.core.suppression import Channel, OptOut, Origin, Reason, Scope
from suppress.export.answering import asked
from suppress.ledger import Ledger
from suppress.ledger.sightings import Sightings
from suppress.patrol.judging import STOPPED, Finding, Judged, Told, judged
from suppress.plugin.contract import Exporter, Observation
from suppress.plugin.errors import ContractBroken


def proof(seen: Observation) -> dict[str, str | None]:
    """For an entry of the ledger: why and by whom, in the platform's words, where it tells."""
    return {name: word for name, word in (("reason", seen.reason), ("by", seen.by)) if word is not None}


@dataclass(slots=True)
class Sweep:
    """One pass over a destination's own list."""

    ledger: Ledger
    exporter: Exporter
    sightings: Sightings
    target: Scope
    actor: str
    dry_run: bool
    weakened: Callable[[Standing, Judged], None]
    """Called for each person who is held for a weaker reason than before."""
    swept: int = 0
    learned: int = 0
    released: int = 0
    bounced: int = 0

    def spellings(self) -> Iterator[str]:
        """Every spelling on the list, in the form that is compared. What is new is recorded page by page.

        Raises:
            ContractBroken: The list never ends.
        """
        cursor: str | None = None
        begun = False
        while cursor is not None or not begun:
            begun = True
            # One page at a time through the same wrapper as any answer, so that a broken plugin is named.
            ((page, after),) = asked(self.exporter, map(self.exporter.sweep, [cursor]))
            if after is not None and after == cursor:
                raise ContractBroken(f"{self.exporter.name!r} shows one page of its list again and again")
            cursor = after
            held = [each for each in page if each.state in STOPPED]
            self._take(held)
            yield from (comparable(each.address) for each in held)

    def _take(self, page: Sequence[Observation]) -> None:
        self.swept += len(page)
        people = [Address.parse(each.address) for each in page]
        standings = self.ledger.standings(people)
        subjects = [standing.subject for standing in standings if standing.subject is not None]
        before = self.sightings.among(subjects)
        seen, news = {}, []
        for observation, address, standing in zip(page, people, standings, strict=True):
            if standing.subject is not None:
                found = judged([observation], before.get(standing.subject), Told(told=True))
                seen[standing.subject] = found.sighting
                if found.finding is Finding.WEAKENED:
                    self.weakened(standing, found)
            opt_out = self._news(observation, address, standing)
            if opt_out is not None:
                news.append(opt_out)
        if self.dry_run:
            self.learned += len({each.address.key for each in news})
            return
        self.sightings.keep(seen)
        if news:
            receipts = self.ledger.append(news, actor=self.actor)
            keys = {each.address.key for each, told in zip(news, receipts, strict=True) if told.new}
            self.learned += len(keys)

    def _news(self, seen: Observation, address: Address, standing: Standing) -> OptOut | None:
        if standing.against(Channel.EMAIL, self.target) is not None:
            return None
        if seen.kind is Reason.BOUNCED:
            self.bounced += 1
            return None
        consent = max((each.at for each in standing.lifts if each.channel is Channel.EMAIL), default=None)
        if consent is not None and (seen.at is None or seen.at <= consent):
            self.released += 1
            return None
        return OptOut(
            address=address,
            source=self.exporter.name,
            origin=Origin.PLATFORM,
            reason=seen.kind or Reason.UNKNOWN,
            scope=self.target,
            occurred_at=seen.at,
            received_at=seen.at,
            evidence=proof(seen),
            facts=(self.exporter.name, "" if seen.at is None else seen.at.isoformat()),
        )

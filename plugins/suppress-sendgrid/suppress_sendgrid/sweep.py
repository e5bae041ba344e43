"""Everyone whom SendGrid does not mail: the list that is configured, and those that it keeps by itself.

| list | state | kind |
|---|---|---|
| spam reports | not mailable | complaint |
| global unsubscribes, or the group | suppressed | unsubscribed |
| bounces, invalid addresses | not mailable | bounced |
| blocks | mailable | bounced |

A blocked message was refused for the moment; SendGrid goes on mailing the address (its page on blocks), so
that nobody counts as held for being on that list.

Rules kept here:

* The strongest reason comes first and nobody is shown twice, or the second list would look like a reason that
  became weaker.
* A page that is shorter than asked for is not the end, unless it has nobody new. What is added meanwhile
  shifts the pages, so that somebody comes twice; that one is left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from suppress.core.spelling import comparable
from suppress.core.suppression import Reason
from suppress.errors import DestinationFailed
from suppress.plugin.contract import Evidence, Observation, Remote
from suppress_sendgrid import wire
from suppress_sendgrid.client import Client, evidence
from suppress_sendgrid.reading import WORDS
from suppress_sendgrid.settings import Options

_MINE = "unsubscribes"
_STOPPED_BY: Mapping[str, tuple[str, Remote, Reason]] = {
    "spam_reports": ("spam report", Remote.NOT_MAILABLE, Reason.COMPLAINT),
    _MINE: (WORDS[True], Remote.SUPPRESSED, Reason.UNSUBSCRIBED),
    "bounces": ("bounce", Remote.NOT_MAILABLE, Reason.BOUNCED),
    "invalid_emails": ("invalid address", Remote.NOT_MAILABLE, Reason.BOUNCED),
    "blocks": ("block", Remote.MAILABLE, Reason.BOUNCED),
}
_CURSOR = re.compile(r"([a-z_]+)@([0-9]{1,12})")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a sweep is: which list, and how many of its rows were seen."""

    name: str
    offset: int

    def __str__(self) -> str:
        return f"{self.name}@{self.offset}"


class Sweep:
    """Pages through the lists of one account, one after another."""

    def __init__(self, client: Client, options: Options) -> None:
        self._client = client
        self._options = options
        self._names = tuple(each for each in _STOPPED_BY if each == _MINE or each in options.other_lists)
        self._shown: set[bytes] = set()
        """Eight bytes for each address that this sweep has shown."""
        self._here: set[bytes] = set()
        """The same for those that the list which is being read has shown."""

    def page(self, cursor: str | None) -> tuple[tuple[Observation, ...], str | None]:
        """A page, and where to go on.

        Raises:
            DestinationFailed: The cursor is none of ours.
            NotAsPromised: A list is of another shape than it should be.
        """
        place = self._place(cursor)
        if place.name == _MINE and self._options.group is not None:
            reply = self._client.members()
            rows: Sequence[wire.Row] = [wire.Row(each, None) for each in wire.addresses(reply.json)]
            following = self._after(place)
        else:
            reply = self._client.page(place.name, place.offset)
            rows = wire.rows(reply.json)
            following = (
                self._after(place) if self._ends(rows) else _Place(place.name, place.offset + len(rows))
            )
        proof = evidence(place.name, reply)
        shown = tuple(self._observed(place.name, each, proof) for each in rows if self._is_new(each.email))
        return shown, None if following is None else str(following)

    def _place(self, cursor: str | None) -> _Place:
        if cursor is None:
            self._shown.clear()
            self._here.clear()
            return _Place(self._names[0], 0)
        found = _CURSOR.fullmatch(cursor)
        if found is None or found[1] not in self._names:
            raise DestinationFailed("that is no cursor of a sweep of SendGrid; begin it anew")
        return _Place(found[1], int(found[2]))

    def _ends(self, rows: Sequence[wire.Row]) -> bool:
        """Whether this is a list's last page: short, and nobody on it whom the list had not shown yet."""
        known = len(self._here)
        self._here.update(_mark(each.email) for each in rows)
        return len(rows) < self._options.page_size and len(self._here) == known

    def _after(self, place: _Place) -> _Place | None:
        self._here.clear()
        later = self._names[self._names.index(place.name) + 1 :]
        return _Place(later[0], 0) if later else None

    def _is_new(self, address: str) -> bool:
        mark = _mark(address)
        new = mark not in self._shown
        self._shown.add(mark)
        return new

    def _observed(self, name: str, row: wire.Row, proof: Evidence) -> Observation:
        word, state, kind = _STOPPED_BY[name]
        if name == _MINE:
            word = WORDS[self._options.group is None]
        return Observation(row.email, state, word, row.created, proof, kind)


def _mark(address: str) -> bytes:
    return blake2b(comparable(address).encode(errors="replace"), digest_size=8).digest()

"""Small ledgers for tests of verbs: made in a moment, holding whom the test says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from suppress.core.address import Address
from suppress.core.suppression import OptOut, Origin, Reason, Visibility
from suppress.ledger import Ledger, Lookup
from tests.backends import url_in

SINCE = datetime(2024, 3, 5, 10, 0, tzinfo=UTC)


def made(folder: Path, suppressed: Iterable[str] = ()) -> str:
    """A ledger in `folder` that suppresses these addresses since `SINCE`; its URL."""
    url = url_in(folder)
    keys = folder / "suppress.keys"
    Ledger.create(url, keys=keys)
    told = [opted_out(address) for address in suppressed]
    with Ledger.open(url, keys=keys) as ledger:
        if told:
            ledger.append(told, actor="test")
    return url


def opted_out(address: str) -> OptOut:
    """An opt-out as a source reports it."""
    return OptOut(
        Address.parse(address),
        "main",
        Origin.PLATFORM,
        Reason.UNSUBSCRIBED,
        occurred_at=SINCE,
        received_at=SINCE,
        visibility=Visibility.DELETED,
    )


@contextmanager
def opened(url: str) -> Iterator[tuple[Lookup, Ledger]]:
    """Both ways into a ledger."""
    with Lookup.open(url) as lookup, Ledger.open(url) as ledger:
        yield lookup, ledger

"""Receipts with many exceptions: they fit into an entry, stay true, and say how many requests they are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suppress.core.address import Address
from suppress.core.entry import Honoured, OptOutRecorded
from suppress.core.leaf import MAX_LEAF, decode, encode
from suppress.errors import BadUsage
from suppress.export import receipts
from suppress.export.receipts import fitting
from suppress.ledger import Event, Ledger
from suppress.show import show
from tests.ledgers import ledger_with, told
from tests.plugin.memory import BATCH, Memory, Server
from tests.test_export import aged, bodies, run

CROWD = [f"p{number}@example.com" for number in range(1_100)]
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """Three people, the first with a second request after the others."""
    with Ledger.open(ledger_with(tmp_path, *map(aged, "abc", range(3)), aged("a", 30))) as opened:
        yield opened


def leaf_of(body: Honoured) -> bytes:
    """As it would be written."""
    return encode(id_="0" * 32, at=NOON, actor="test", body=body)


def test_a_destination_that_refuses_a_crowd_leaves_a_short_receipt(tmp_path: Path) -> None:
    """Their requests stand between the entries that added them: named together, they are one run."""
    with Ledger.open(ledger_with(tmp_path, *CROWD, "z@example.com")) as ledger:
        opt_outs = {
            entry.seq: entry.body.subject
            for entry in ledger.entries()
            if isinstance(entry.body, OptOutRecorded)
        }
        server = Server(rejects=set(CROWD))
        refused = run(ledger, Memory(server, BATCH))
        receipt: Honoured = bodies(ledger, Honoured)[-1]
        server.rejects.clear()
        mended = run(ledger, Memory(server, BATCH))

    assert (1_100, 1_100) == (len(refused.failed), receipt.not_taken)
    assert set(refused.failed) == opt_outs.keys() & set(receipt.exceptions) == set(sorted(opt_outs)[:-1])
    assert ((), (1, 2_200)) == (receipt.failed, receipt.spans)
    assert len(leaf_of(receipt)) < 500
    assert (None, 1_100, ()) == (mended.failure, mended.count, mended.failed)


def test_with_more_runs_than_an_entry_holds_the_watermark_stops_before_the_rest(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the receipt says stays true, and those beyond it are told again."""
    monkeypatch.setattr(receipts, "LISTED", 0)
    monkeypatch.setattr(receipts, "RUNS", 1)
    server = Server(rejects={"a@example.com", "c@example.com"})
    run(ledger, Memory(server))
    final: Honoured = bodies(ledger, Honoured)[-1]
    server.rejects.clear()
    server.received.clear()
    result = run(ledger, Memory(server))

    assert (4, (1, 2), 1) == (final.upto, final.spans, final.not_taken)
    assert (None, 3) == (result.failure, len(server.suppressed))
    assert {"a@example.com", "c@example.com"} == {each for batch in server.received for each in batch}


def test_a_person_among_the_runs_is_shown_as_not_honoured(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runs are read wherever single entries are: here by `suppress show`."""
    monkeypatch.setattr(receipts, "LISTED", 0)
    run(ledger, Memory(Server(rejects={"a@example.com"})))
    final: Honoured = bodies(ledger, Honoured)[-1]

    assert (1, 2, 7, 7) == final.spans
    assert [None] == [each.at for each in show(ledger, Address.parse("a@example.com")).destinations]
    assert [None] != [each.at for each in show(ledger, Address.parse("b@example.com")).destinations]


@given(
    st.sets(st.integers(1, 10**9 - 1), max_size=300),
    st.integers(0, 8_000),
    st.integers(1, 3),
    st.integers(0, 3_000),
)
@settings(max_examples=60)
def test_whatever_is_refused_fits_and_loses_nobody(few: set[int], many: int, step: int, erased: int) -> None:
    """Each request is named or lies beyond the watermark, and nobody else's is named."""
    first = 10**9 - 3 * 8_000 - 10_000
    failed = few | {first + step * number for number in range(many)}
    beside = {each - 1 for each in failed if each - 1 not in failed} if step == 2 else set()
    gone = {first - 2 * number for number in range(1, erased)} - failed
    upto = 10**9
    found = fitting(upto, failed, beside, gone)
    body = found.receipt("newsletter", "0" * 64, 0, verified=True)
    named = set(body.exceptions)

    assert len(leaf_of(body)) <= MAX_LEAF
    assert body == decode(0, leaf_of(body)).body
    assert all(each in named or each > body.upto for each in failed)
    assert all(each <= body.upto for each in named)
    assert named <= failed | beside | gone
    assert body.not_taken == len(named - (beside - failed - gone))
    assert body.upto == upto or len(failed) > receipts.LISTED


@pytest.mark.parametrize(
    "changes",
    [
        {"spans": (2,)},
        {"spans": (3, 2)},
        {"spans": (1, 99)},
        {"spans": (1, 2), "failed": (1,)},
        {"spans": (0, 10**15)},
    ],
    ids=["odd", "backwards", "beyond the watermark", "beside single entries", "no such entry"],
)
def test_runs_that_cannot_be_right_are_refused(ledger: Ledger, changes: dict[str, tuple[int, ...]]) -> None:
    """When they are written and, by the same rule, when they are verified."""
    given_ = {"failed": (), **changes}
    with pytest.raises(BadUsage, match="cannot be right"):
        ledger.append([Event("x", Honoured("crm", 4, "", 0, verified=True, **given_))], actor="test")  # type: ignore[arg-type]  # names of its fields


def test_many_are_looked_up_in_few_questions(ledger: Ledger) -> None:
    """Of the subjects asked for, all entries and no others, in the order of the ledger."""
    subjects = [each.subject for each in ledger.suppressed() if each.key != "b@example.com"]
    told(ledger, "d@example.com")

    assert [1, 2, 5, 6, 7] == [entry.seq for entry in ledger.about_people(subjects)]

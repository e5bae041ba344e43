"""The sampling annex: drawn by a method that anybody can repeat, proven by hashes anybody can compute."""

from __future__ import annotations

import json
from hashlib import sha256

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from suppress.core.suppression import Channel, Origin, Reason
from suppress.report.judging import State
from suppress.report.sampling import drawn
from tests.report.books import Book, day
from tests.report.histories import histories


def climbed(leaf: str, index: int, size: int, proof: tuple[str, ...]) -> str:
    """The root that a leaf and its proof give (RFC 9162, 2.1.3.2), worked out without our code."""
    found, place, last = sha256(b"\x00" + leaf.encode()).digest(), index, size - 1
    for text in proof:
        other = bytes.fromhex(text)
        if place % 2 or place == last:
            found = sha256(b"\x01" + other + found).digest()
            while place % 2 == 0 and place:
                place, last = place >> 1, last >> 1
        else:
            found = sha256(b"\x01" + found + other).digest()
        place, last = place >> 1, last >> 1
    return found.hex()


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories(), st.integers(0, 6), st.text(max_size=8))
def test_everything_drawn_is_proven_and_drawn_rightly(book: Book, size: int, seed: str) -> None:
    """The n smallest digests of those judged; each leaf and each receipt climbs to the quoted root."""
    facts = book.facts(as_of="2027-06-01", sample=size, seed=seed)
    sample, quoted = facts.sample, facts.manifest.ledger
    every = book.facts(as_of="2027-06-01", sample=1_000, seed=seed).sample

    digests = sorted((sha256(f"{seed}:{each.seq}".encode()).hexdigest(), each.seq) for each in every.items)
    assert sample.population == len(every.items) == facts.deadlines.overall.requests
    assert [(each.drawn_by, each.seq) for each in sample.items] == digests[:size]
    for shown in sample.shown:
        assert climbed(shown.leaf, shown.seq, quoted.size, shown.proof) == quoted.root
    leaves = {each.seq: json.loads(each.leaf) for each in sample.shown}
    assert {each.seq for each in sample.items} <= leaves.keys()
    for item in sample.items:
        assert leaves[item.seq]["subject"] == item.subject
    for step in sample.steps:
        if step.receipt is not None:
            receipt = leaves[step.receipt]
            assert (receipt["type"], receipt["destination"]) == ("honoured", step.destination)
            assert receipt["verified"] is step.read_back


def test_the_draw_depends_on_the_seed_alone() -> None:
    """Not on the order of reading; another seed draws others."""
    seqs = list(range(1_000))

    assert drawn(seqs, 10, "a") == drawn(reversed(seqs), 10, "a")
    assert drawn(seqs, 10, "a") != drawn(seqs, 10, "b")
    assert len(drawn(seqs[:3], 10, "a")) == 3


def test_one_request_followed_from_receipt_to_its_receipts() -> None:
    """Received on a Friday, told to one destination on Tuesday, read back, and to the other not yet."""
    book = Book()
    book.destination("crm")
    book.destination("mail")
    seq = book.on("2026-11-20").opt_out(
        "ann", received="2026-11-20", origin=Origin.PERSON, reason=Reason.REQUESTED
    )
    receipt = book.on("2026-11-24").told("crm")
    facts = book.facts(as_of="2026-11-25", sample=25)
    (item,) = facts.sample.items
    crm, mail = facts.sample.steps

    assert (item.seq, item.received, item.recorded, item.state) == (
        seq, day("2026-11-20"), day("2026-11-20"), State.OPEN,
    )  # fmt: skip
    assert (crm.destination, crm.receipt, crm.read_back, crm.days_used, crm.state) == (
        "crm", receipt, True, 2, State.MET,
    )  # fmt: skip
    assert (crm.strict, crm.lenient) == (day("2026-12-02"), day("2026-12-07"))
    assert (mail.destination, mail.receipt, mail.honoured, mail.days_used) == ("mail", None, None, None)
    assert facts.sample.seed == facts.manifest.ledger.root
    assert facts.sample.seed_is == "the ledger's root"


def test_what_the_commitments_commit_to_is_shown_in_the_full_variant_only() -> None:
    """The payload opens the leaf's commitment; a redacted report has none."""
    book = Book()
    book.opt_out("ann", origin=Origin.PERSON)

    assert [each.payload for each in book.facts(sample=1).sample.shown] == [None]
    assert [each.payload for each in book.facts(sample=1, full=True).sample.shown] == ["payload"]


def test_what_is_not_judged_is_not_drawn() -> None:
    """Bounces, text messages and struck-out entries have no deadline to be traced."""
    book = Book()
    book.opt_out("ann", reason=Reason.BOUNCED)
    book.opt_out("bob", channel=Channel.SMS)
    book.corrected(book.opt_out("cyd"))

    assert book.facts(sample=5).sample.items == ()

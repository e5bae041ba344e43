"""Hypothesis: ledgers of a few people and destinations in which anything may happen, in any order.

Times hang around midnight and around deadlines, because that is where days and dates go wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from hypothesis import strategies as st

from suppress.core.entry import OptInRecorded, OptOutRecorded
from suppress.core.suppression import EVERYTHING, Channel, Origin, Reason, Scope, Visibility
from tests.report.books import Book

PEOPLE = ("ann", "bob", "cyd")
PLACES = ("crm", "mail")
_SCOPES = st.sampled_from([EVERYTHING, EVERYTHING, Scope("Acme"), Scope("Acme", "News"), Scope("Beta")])
_CHANNELS = st.sampled_from([Channel.EMAIL, Channel.EMAIL, Channel.EMAIL, Channel.SMS])
_AGES = st.one_of(st.none(), st.sampled_from([0, 1, 2, 9, 13, 14, 15, 16, 17, 18, 40, 900]))
_STEPS = st.sampled_from([0, 1, 5, 13, 24, 47, 24 * 9, 24 * 12, 24 * 15, 24 * 40])


@st.composite
def histories(draw: st.DrawFn, *, consents_may_be_struck_out: bool = True) -> Book:
    """A book of up to 25 happenings."""
    book = Book()
    forgotten: set[str] = set()
    for _ in range(draw(st.integers(1, 25))):
        book.later(hours=draw(_STEPS))
        alive = [person for person in PEOPLE if person not in forgotten]
        happening = draw(st.sampled_from(_HAPPENINGS))
        if happening == "forget" and alive:
            person = draw(st.sampled_from(alive))
            forgotten.add(person)
            book.forgotten(person)
        elif happening == "opt out" and alive:
            _opt_out(draw, book, draw(st.sampled_from(alive)))
        elif happening == "consent" and alive:
            book.consent(
                draw(st.sampled_from(alive)),
                at=book.now - timedelta(days=draw(st.sampled_from([-3, 0, 1, 30]))),
                scope=draw(_SCOPES),
                channel=draw(_CHANNELS),
            )
        elif happening == "erase" and alive:
            book.erased(draw(st.sampled_from(alive)))
        elif happening == "correct":
            kinds = (OptOutRecorded, OptInRecorded) if consents_may_be_struck_out else (OptOutRecorded,)
            _correct(draw, book, kinds)
        elif happening == "tell":
            _tell(draw, book, forgotten)
        elif happening == "add":
            book.destination(draw(st.sampled_from(PLACES)))
        elif happening == "sync":
            book.sync(mode=draw(st.sampled_from(["census", "window"])), complete=draw(st.booleans()))
    return book


_HAPPENINGS = (
    *["opt out"] * 7, *["consent"] * 3, *["tell"] * 3, "correct", "correct", "erase", "forget", "add", "sync",
)  # fmt: skip


def _opt_out(draw: st.DrawFn, book: Book, person: str) -> None:
    acted, received = draw(_AGES), draw(_AGES)
    book.opt_out(
        person,
        acted=None if acted is None else book.now - timedelta(days=acted),
        received=None if received is None else book.now - timedelta(days=received),
        origin=draw(st.sampled_from(Origin)),
        source=draw(st.sampled_from(["main", "desk"])),
        reason=draw(st.sampled_from(Reason)),
        scope=draw(_SCOPES),
        channel=draw(_CHANNELS),
        visibility=draw(st.sampled_from([None, *Visibility])),
    )


def _correct(draw: st.DrawFn, book: Book, kinds: Sequence[type]) -> None:
    wrong = [entry.seq for entry in book.entries if isinstance(entry.body, tuple(kinds))]
    if wrong:
        book.corrected(draw(st.sampled_from(wrong)))


def _tell(draw: st.DrawFn, book: Book, forgotten: set[str]) -> None:
    requests = [
        entry.seq
        for entry in book.entries
        if isinstance(entry.body, OptOutRecorded) and entry.body.subject not in forgotten
    ]
    upto = draw(st.integers(-1, len(book.entries) - 1))
    failed = draw(st.lists(st.sampled_from(requests), max_size=2)) if requests else []
    book.told(
        draw(st.sampled_from(PLACES)),
        upto=upto,
        failed=[seq for seq in failed if seq <= upto],
        verified=draw(st.booleans()),
    )

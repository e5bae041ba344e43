"""The figures, counted again by a naive program from the exported entries: JSON leaves, and nothing of ours.

It knows the ledger's format from its documentation alone: types, fields, and that a correction strikes out.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from suppress.core.entry import CheckDone, Disclosed
from suppress.core.suppression import Channel
from tests.report.books import Book
from tests.report.histories import histories

Leaf = dict[str, Any]
ZONE = ZoneInfo("America/New_York")


class Recount:
    """The entries of a period, read as JSON one by one."""

    def __init__(self, leaves: list[bytes], since: date | None, until: date) -> None:
        self.leaves: list[Leaf] = [json.loads(leaf) for leaf in leaves]
        self.days = [self.day(leaf["at"]) for leaf in self.leaves]
        self.since, self.until = since or date.min, until
        self.struck: set[int] = set()
        for seq in reversed(range(len(self.leaves))):
            if self.leaves[seq]["type"] == "corrected" and seq not in self.struck:
                self.struck.add(self.leaves[seq]["entry"])

    @staticmethod
    def day(text: str) -> date:
        return datetime.fromisoformat(text).astimezone(ZONE).date()

    def within(self, kind: str) -> list[int]:
        """The entries of a kind in the period."""
        return [
            seq
            for seq, leaf in enumerate(self.leaves)
            if leaf["type"] == kind and self.since <= self.days[seq] <= self.until
        ]

    def hidden(self) -> int:
        """People whose first entry as deleted, by e-mail, lies in the period."""
        first: dict[str, int] = {}
        for seq, leaf in enumerate(self.leaves):
            told = [leaf.get(name) for name in ("type", "channel", "origin", "visibility")]
            if told == ["optout.recorded", "email", "platform", "deleted"]:
                first.setdefault(leaf["subject"], seq)
        return sum(seq in self.within("optout.recorded") for seq in first.values())

    def months(self) -> Counter[str]:
        """Dated requests of the period about e-mail, by the month of the act."""
        found: Counter[str] = Counter()
        for seq in self.within("optout.recorded"):
            leaf = self.leaves[seq]
            if leaf["channel"] == "email" and leaf["occurred_at"] is not None:
                found[self.day(leaf["occurred_at"]).isoformat()[:7]] += 1
        return found

    def receipts(self) -> Counter[tuple[str, str]]:
        """By destination: receipts, people named, and those of receipts that were read back."""
        found: Counter[tuple[str, str]] = Counter()
        for seq in self.within("honoured"):
            leaf = self.leaves[seq]
            found[leaf["destination"], "receipts"] += 1
            found[leaf["destination"], "people"] += leaf["count"]
            found[leaf["destination"], "read back"] += leaf["count"] * leaf["verified"]
        return +found

    def honoured_by(self, place: str, seq: int) -> bool | None:
        """Whether the first receipt that covers a request was read back; None without one or if refused."""
        person = self.leaves[seq]["subject"]
        highest, refused, covered = -1, False, None
        for at, leaf in enumerate(self.leaves):
            if leaf["type"] != "honoured" or leaf["destination"] != place or at in self.struck:
                continue
            named = {self.leaves[each].get("subject") for each in leaf["failed"]}
            if covered is None and leaf["upto"] >= seq and leaf["upto"] > highest:
                refused = person in named
                covered = bool(leaf["verified"])
            elif covered is not None and refused and leaf["upto"] >= seq and person not in named:
                refused, covered = False, bool(leaf["verified"])
            highest = max(highest, leaf["upto"])
        return None if refused else covered


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories(), st.sampled_from([None, "2026-09-20"]), st.sampled_from(["2026-10-20", "2029-12-31"]))
def test_figures_are_those_of_a_naive_program(book: Book, since: str | None, until: str) -> None:
    """Entries, hidden people, months, receipts and acts of a period, from the JSON alone."""
    book.write(CheckDone("ab" * 32, 9, 7, 2, 0, 0))
    book.write(Disclosed("crm", "Agency", "compliance", "plain", 3, "cd" * 32))
    found = book.facts(since=since, until=until, as_of="2030-01-01", zone=ZONE.key)
    naive = Recount(
        book.leaves(), None if since is None else date.fromisoformat(since), date.fromisoformat(until)
    )

    inside = [day for day in naive.days if naive.since <= day <= naive.until]
    assert found.manifest.entries_in_period == len(inside)
    assert found.population.hidden_count == naive.hidden()
    assert naive.months() == Counter(
        {each.month: each.visible + each.deleted + each.elsewhere for each in found.population.months}
    )
    receipts: Counter[tuple[str, str]] = Counter()
    for act in found.activity.exports:
        receipts[act.body.destination, "receipts"] += 1
        receipts[act.body.destination, "people"] += act.body.count
        receipts[act.body.destination, "read back"] += act.body.count * act.body.verified
    assert +receipts == naive.receipts()
    assert [each.seq for each in found.activity.checks] == naive.within("check.done")
    assert [each.seq for each in found.activity.disclosures] == naive.within("disclosed")
    assert [each.seq for each in found.activity.consents] == naive.within("optin.recorded")


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories())
def test_receipts_of_traced_requests_are_those_of_a_naive_program(book: Book) -> None:
    """Which receipt honours a request, and whether it was read back: for every request there is."""
    found = book.facts(as_of="2030-01-01", sample=1_000)
    naive = Recount(book.leaves(), None, date(2030, 1, 1))
    ended = {item.seq for item in found.sample.items if item.ended is not None}

    steps = [step for step in found.sample.steps if step.seq not in ended]
    for step in steps:
        if step.destination != "(no destination)":
            assert step.read_back == naive.honoured_by(step.destination, step.seq)


def test_the_naive_program_reads_what_a_ledger_exports() -> None:
    """Two people, one hidden; so that the comparison is no comparison of nothing with nothing."""
    book = Book(now=datetime(2026, 9, 1, tzinfo=UTC))
    book.opt_out("ann", channel=Channel.EMAIL, acted="2026-08-31")
    book.told("crm")
    naive = Recount(book.leaves(), None, date(2026, 12, 31))

    assert naive.months() == {"2026-08": 1}
    assert naive.receipts() == {("crm", "receipts"): 1, ("crm", "people"): 1, ("crm", "read back"): 1}
    assert naive.honoured_by("crm", 1) is True

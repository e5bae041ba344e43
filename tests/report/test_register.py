"""The register: every request is there once, and says what a naive program says of the exported entries."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from suppress.audit import verify
from suppress.bundle import layout
from suppress.config import DestinationSettings, Settings
from suppress.core.address import Address
from suppress.core.entry import Honoured
from suppress.core.suppression import Channel, OptOut, Origin, Reason
from suppress.ledger import Event, Ledger
from suppress.report.asking import Wanted
from suppress.report.facts import Facts
from suppress.report.issue import issue
from suppress.report.judging import State
from suppress.report.packed import PIECE, Packed
from suppress.report.target import Format, Target
from suppress.report.words import word
from tests.conftest import Command
from tests.report.books import Book
from tests.report.histories import histories
from tests.report.naive import Judged, judged

ZONE = ZoneInfo("America/New_York")
POLICIES = ("us.can-spam", "mbp.google-yahoo")


def registered(
    book: Book, *, since: str | None = None, full: bool = False, sample: int = 0
) -> tuple[Facts, list[dict[str, str]]]:
    """The facts of a book, and its register line by line."""
    packed: list[Packed] = []

    def keep(lines: Iterator[bytes]) -> None:
        packed.append(Packed.of(lines))

    facts = book.facts(
        since=since, as_of="2030-01-01", zone=ZONE.key, policies=POLICIES, full=full, sample=sample,
        registrar=keep,
    )  # fmt: skip
    content = b"".join(packed[0].pieces()).decode()
    lines = list(csv.DictReader(io.StringIO(content, newline="")))
    assert packed[0].lines == len(lines) + 1
    return facts, lines


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories(), st.sampled_from([None, "2026-09-20", "2027-01-01"]))
def test_the_lines_are_those_that_the_report_counts(book: Book, since: str | None) -> None:
    """In the order of the ledger, each once; by state, by policy and by destination the same numbers."""
    facts, lines = registered(book, since=since)
    found = facts.deadlines
    seqs = [int(line["Entry"]) for line in lines]

    assert seqs == sorted(set(seqs))
    counted = [line for line in lines if not line["State"].startswith("not judged")]
    assert len(lines) == found.registered
    assert len(lines) - len(counted) == found.bounced + found.other_channels + found.struck_out
    for state in State:
        alike = [line for line in counted if line["State"] == word(state)]
        assert len(alike) == found.overall.count(state), state
        for tally in found.policies:
            under = [line for line in counted if line[f"{tally.policy}: state"] == word(state)]
            assert len(under) == tally.count(state), (state, tally.policy)
    for place in {tally.destination for tally in found.destinations} - {"(no destination)"}:
        owed = [line for line in counted if line[f"{place}: state"] != "not owed"]
        assert len(owed) == sum(each.requests for each in found.reach if each.destination == place)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories())
def test_each_line_says_what_the_sample_traces(book: Book) -> None:
    """Dates, receipts and days, when everything is drawn."""
    facts, lines = registered(book, sample=1_000)
    by_seq = {int(line["Entry"]): line for line in lines}

    assert len(facts.sample.items) == facts.deadlines.overall.requests
    for item in facts.sample.items:
        line = by_seq[item.seq]
        told = [line["Person"], line["Source"], line["Scope"], line["Recorded"], line["State"]]
        assert told == [
            item.subject, item.source, item.scope, item.recorded.isoformat(), word(item.state)
        ]  # fmt: skip
        assert line["Ended"] == ("" if item.ended is None else item.ended.isoformat())
    for step in facts.sample.steps:
        line = by_seq[step.seq]
        dates = [line[f"{step.policy}: {name}"] for name in ("clock started", "strict date", "lenient date")]
        assert dates == [each.isoformat() for each in (step.started, step.strict, step.lenient)]
        if step.destination != "(no destination)":
            honoured, receipt = (line[f"{step.destination}: {name}"] for name in ("honoured", "receipt"))
            assert honoured == ("" if step.honoured is None else step.honoured.isoformat())
            assert receipt == ("" if step.receipt is None else str(step.receipt))


@st.composite
def plain(draw: st.DrawFn) -> Book:
    """Requests over half a year, told to one system now and then."""
    book = Book(now=datetime(2026, 2, 10, 15, tzinfo=UTC))
    book.destination("crm")
    for number in range(draw(st.integers(1, 12))):
        book.later(hours=draw(st.sampled_from([1, 9, 24, 24 * 3, 24 * 9, 24 * 12, 24 * 16])))
        age = draw(st.sampled_from([None, 0, 1, 5, 12, 15, 17, 30]))
        book.opt_out(
            f"p{number}",
            received=None if age is None else book.now - timedelta(days=age),
            origin=draw(st.sampled_from(Origin)),
            source="desk",
        )
        if draw(st.booleans()):
            book.later(hours=draw(st.sampled_from([1, 24, 24 * 11, 24 * 15])))
            book.told("crm", upto=draw(st.integers(0, len(book.entries) - 1)))
    return book


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(plain(), st.sampled_from([0, 1, 9, 11, 14, 15, 40]))
def test_every_request_is_judged_as_a_naive_program_judges_it(book: Book, days: int) -> None:
    """Both dates, the receipt, the business days and the verdict, from the leaves alone."""
    packed: list[Packed] = []
    now = book.now + timedelta(days=days)

    facts = book.facts(as_of=now, zone=ZONE.key, registrar=lambda lines: packed.append(Packed.of(lines)))

    lines = list(csv.DictReader(io.StringIO(b"".join(packed[0].pieces()).decode(), newline="")))
    naive = judged(book.leaves(), "crm", ZONE, now.astimezone(ZONE).date())
    hold(lines, naive)
    assert Counter(each.state for each in naive) == Counter(
        {
            word(state): number
            for tally in facts.deadlines.destinations
            for state in State
            if (number := tally.count(state))
        }
    )


def hold(lines: list[dict[str, str]], naive: list[Judged]) -> None:
    """Hold the lines of a register against what the naive program says."""
    assert [int(line["Entry"]) for line in lines] == [each.seq for each in naive]
    for line, each in zip(lines, naive, strict=True):
        told = [line[f"us.can-spam: {name}"] for name in ("clock started", "strict date", "lenient date")]
        assert told == [day.isoformat() for day in (each.started, each.strict, each.lenient)]
        assert line["crm: honoured"] == ("" if each.honoured is None else each.honoured.isoformat())
        assert line["crm: receipt"] == ("" if each.receipt is None else str(each.receipt))
        assert line["crm: state"] == each.state
        assert line["us.can-spam: days used"] == str(each.used)


def test_a_folder_and_a_bundle_agree(command: Command, tmp_path: Path) -> None:
    """What a stranger counts from `entries.ndjson` is what `csv/requests.csv` and `report.json` say."""
    clock = [datetime(2026, 6, 1, 14, tzinfo=UTC)]
    url = f"sqlite:///{tmp_path / 'suppress.db'}"
    Ledger.create(url, keys=tmp_path / "suppress.keys", clock=lambda: clock[0])
    with Ledger.open(url, clock=lambda: clock[0]) as ledger:
        for number in range(40):
            clock[0] += timedelta(days=2)
            who = Address.parse(f"person{number}@example.com")
            asked = clock[0] - timedelta(days=number % 18)
            ledger.append(
                [OptOut(who, "desk", Origin(_ORIGINS[number % 3]), Reason.REQUESTED, received_at=asked)],
                actor="pat",
            )
            if number % 7 == 6:
                upto = ledger.head().size - 1
                ledger.append(
                    [Event(f"t{number}", Honoured("crm", upto, "ab" * 32, 1, (), True))], actor="pat"
                )
        chosen = Settings(
            ledger=url, timezone=ZONE.key, destinations={"crm": DestinationSettings("crm", "csv")}
        )
        folder = Target(Format.ALL, str(tmp_path / "audit"))
        now = clock[0] + timedelta(days=1)
        issue(ledger, chosen, Wanted(), folder, partial(verify, url), now=now, actor="pat")
    assert command("bundle", "-o", "bundle").exit_code == 0

    leaves = (tmp_path / "bundle" / layout.ENTRIES).read_bytes().splitlines()
    naive = judged(leaves, "crm", ZONE, now.astimezone(ZONE).date())
    with (tmp_path / "audit" / "csv" / "requests.csv").open(newline="") as file:
        hold(list(csv.DictReader(file)), naive)
    states = Counter(each.state for each in naive)
    (tally,) = json.loads((tmp_path / "audit" / "report.json").read_bytes())["deadlines"]["destinations"]
    assert {word(state): tally[state.value] for state in State if tally[state.value]} == states
    assert len(states) > 3
    proven(tmp_path / "audit", json.loads(leaves[-1])["digest"])


def proven(folder: Path, recorded: str) -> None:
    """Prove a report from its own digests: the ledger's entry, the sums, and those that the page prints."""
    sums = folder / "SHA256SUMS"
    assert hashlib.sha256(sums.read_bytes()).hexdigest() == recorded
    done = subprocess.run(
        ["sha256sum", "-c", "--strict", sums.name], cwd=folder, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    register = hashlib.sha256((folder / "csv" / "requests.csv").read_bytes()).hexdigest()
    assert register in (folder / "report.html").read_text()
    with (folder / "csv" / "index.csv").open(newline="") as file:
        (line,) = [each for each in csv.DictReader(file) if each["file"] == "requests.csv"]
    assert (line["sha256"], line["lines"]) == (register, "40")


_ORIGINS = ("platform", "person", "file")


@pytest.mark.parametrize("full", [False, True])
def test_no_address_is_in_it(full: bool) -> None:
    """People are subject ids in either variant; names that read as an address are masked unless full."""
    book = Book()
    book.opt_out("ann", origin=Origin.PERSON, source="sam@example.com")
    book.told("=crm")

    _, (line,) = registered(book, full=full)

    assert line["Source"] == ("sam@example.com" if full else "[address]")
    assert line["Person"] == "ann"
    assert "person1@example.com" not in str(line)
    assert "'=crm: honoured" in line


def test_what_is_not_judged_says_why() -> None:
    """A bounce, a text message, and what was struck out are there with the others."""
    book = Book()
    book.opt_out('a,"b"', reason=Reason.BOUNCED)
    book.opt_out("bob", channel=Channel.SMS)
    book.corrected(book.opt_out("cyd"))

    _, lines = registered(book)

    assert [(line["Person"], line["State"], line["Ended by"]) for line in lines] == [
        ('a,"b"', "not judged: a bounce is no request", ""),
        ("bob", "not judged: not about e-mail", ""),
        ("cyd", "not judged: struck out", "corrected"),
    ]


def test_a_long_file_comes_back_as_it_was_in_pieces() -> None:
    """Whatever its pieces were."""
    content = [b"a line\n" * 100_000, b"", b"x" * 3, b"\xff\n" * PIECE]
    packed = Packed.of(iter(content))

    pieces = list(packed.pieces())

    assert b"".join(pieces) == b"".join(content)
    assert max(map(len, pieces)) <= PIECE
    assert (packed.size, packed.lines) == (sum(map(len, content)), 100_000 + PIECE)


def test_the_register_of_a_date_far_away_is_of_its_day() -> None:
    """The naive program's own calendar, on the cases that everybody gets wrong."""
    leaf = json.dumps(
        {"type": "optout.recorded", "received_at": "2026-11-20T17:00:00Z", "occurred_at": None,
         "at": "2026-11-20T17:00:00Z", "origin": "person"}
    ).encode()  # fmt: skip

    (found,) = judged([leaf], "crm", ZONE, date(2026, 12, 1))

    assert (found.strict, found.lenient) == (date(2026, 12, 2), date(2026, 12, 7))

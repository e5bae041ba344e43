"""Rows that are told by a card are written and counted as the readable engine writes and counts them."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from suppress.check.cards import UNDATED, stamped
from suppress.check.hashing import PAD, words
from suppress.check.sorting import Engine
from suppress.check.telling import write
from suppress.core.suppression import Reason, Scope
from suppress.files.contacts import Reading
from tests.small_ledger import made, opened, opted_out
from tests.test_check_fast import READABLE, World, agree

YEAR = timedelta(days=365)
NOW = datetime.now(UTC)
DAYS = [
    None,
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(2000, 2, 29, 0, 0, 0, 1, tzinfo=UTC),
    *(NOW - part * YEAR for part in (0.01, 0.5, 2, 5)),
]
SOURCES = ["main", "Büro", 'a "b", c', "Αθήνα", "x;y"]
PEOPLE = ["info", "sales+eu", "sales.pat", *(f"pat.{number}" for number in range(80))]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Some people of each day, source, reason and scope; the last of them since the snapshot was made."""
    folder = tmp_path_factory.mktemp("telling")
    with opened(made(folder)) as (lookup, ledger):
        told = [
            replace(
                opted_out(f"{who}@example.com"),
                occurred_at=DAYS[number % len(DAYS)],
                received_at=None,
                source=SOURCES[number % len(SOURCES)],
                reason=list(Reason)[number % len(Reason)],
                scope=Scope.parse(["everything", "sender:Acme, Inc."][number % 2]),
            )
            for number, who in enumerate(PEOPLE)
        ]
        world = World(lookup, ledger, folder)
        ledger.append(told[:60], actor="test")
        world.outcome(b"Email,Name\nnew@example.com,N\n", Engine(0))
        ledger.append([*told[60:], replace(told[0], source="again")], actor="test")
        yield world


def listed(end: str, joint: str = ",") -> str:
    """A list of them all, and of others: in capitals, in quotes, beside accents."""
    rows = [
        f"{who.upper() if number % 3 else who}@Example.com{joint}Zoé {number}"
        for number, who in enumerate(PEOPLE)
    ]
    rows += [f'" {who}@example.com"{joint}"b"' for who in PEOPLE[:9]]
    rows += [f"new{number}@example.com{joint}N" for number in range(40)]
    return end.join([f"Email{joint}Name", *sorted(rows), ""])


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("codec", ["utf-8", "cp1252"])
def test_both_engines_write_the_same(world: World, codec: str, end: str) -> None:
    """Whatever is known of the people, in the file's encoding, and with the line ends of its rows."""
    content = listed(end).encode(codec)
    for block in (500, 1 << 20):
        agree(world, content, block)

    assert world.outcome(content, READABLE) == world.outcome(content, Engine(0, 700, 2))


@pytest.mark.parametrize("joint", [";", "\t", ":", "-", "|"])
def test_a_day_is_quoted_where_the_delimiter_asks_for_it(world: World, joint: str) -> None:
    """As is every other cell that holds it."""
    agree(world, listed("\n", joint).encode(), 1 << 20, reading=Reading(delimiter=joint))


def test_results_are_compressed_as_the_list_is(world: World) -> None:
    """By both engines alike."""
    agree(world, gzip.compress(listed("\n").encode(), mtime=0), 700)


def test_rows_keep_their_order(world: World) -> None:
    """Told ones stand among those to review, those that are read again, and those that are kept."""
    rows = [
        *(f"{who}@example.com,P\nuñ.{who}@example.com,Ü\n{who}@example.com" for who in PEOPLE[:20]),
        "broken row",
        *(f'{who}@example.com,"two\nlines"' for who in PEOPLE[:5]),
        *(f'"{who}@example.com" x,P\n{who}@example.com,Q' for who in PEOPLE[20:40]),
    ]
    agree(world, "\n".join(["Email,Name", *rows, ""]).encode(), 1 << 20)


moments = st.datetimes(timezones=st.just(UTC)) | st.builds(
    lambda day, second: datetime(1, 1, 1, tzinfo=UTC) + timedelta(days=day, seconds=second),
    st.integers(0, 3_652_058),
    st.integers(0, 86_399),
)


@given(
    rows=st.lists(
        st.tuples(
            st.binary(max_size=40).map(lambda body: body.rstrip(b"\r\n")),
            st.sampled_from([b"\n", b"\r\n", b"\r"]),
            st.one_of(st.none(), moments),
            st.integers(0, 2),
        ),
        max_size=8,
    ),
    tails=st.lists(st.tuples(st.binary(max_size=20), st.binary(max_size=20)), min_size=3, max_size=3),
)
@example([(b"", b"\n", datetime.max.replace(tzinfo=UTC), 0)], [(b"", b"")] * 3)
def test_each_row_is_written_whole(
    rows: list[tuple[bytes, bytes, datetime | None, int]], tails: list[tuple[bytes, bytes]]
) -> None:
    """Its bytes, what stands before the day, the day as `datetime` writes it, what stands behind, its end."""
    days = ["" if since is None else since.isoformat().removesuffix("+00:00") for _, _, since, _ in rows]
    expected = [
        body + tails[tail][0] + day.encode() + tails[tail][1] + end
        for (body, end, _, tail), day in zip(rows, days, strict=True)
    ]
    block, behind = b"".join(body + end for body, end, _, _ in rows) + PAD, b""
    places = []
    for before, after in tails:
        places.append((len(behind), len(behind) + len(before), len(behind) + len(before) + len(after)))
        behind += before + after
    stops = np.cumsum([len(body + end) for body, end, _, _ in rows], dtype=np.int64)
    starts = stops - [len(body + end) for body, end, _, _ in rows]
    room, ends = bytearray(len(b"".join(expected)) + len(PAD)), np.empty(len(rows), np.int64)
    size = write(
        np.frombuffer(block, np.uint8),
        words(block),
        np.stack((starts, stops), axis=1).astype(np.int64),
        words(behind + PAD),
        np.array([places[tail] for *_, tail in rows], np.int64).reshape(-1, 3),
        np.array([UNDATED if since is None else stamped(since) for _, _, since, _ in rows], np.int64),
        words(room),
        ends,
    )

    assert b"".join(expected) == bytes(room[:size])
    assert np.cumsum([len(each) for each in expected]).tolist() == ends.tolist()

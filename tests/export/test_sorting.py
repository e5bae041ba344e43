"""Sorting people without holding them, against lists that do."""

from __future__ import annotations

import tempfile
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suppress.core.standing import Suppression
from suppress.core.suppression import Channel, Reason, Scope, Visibility
from suppress.errors import StorageFailed
from suppress.export import sorting
from suppress.export.sorting import NewestFirst, Spelled
from suppress.ledger import Listed

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
ADDRESS = st.text(max_size=12)


def person(number: int, minute: int) -> Listed:
    """Any person, with every field in use."""
    return Listed(
        f"subject-{number}",
        f"k{number % 7}\u2028\n{number}",
        (f"a{number}@example.com", f"ä\ud800{number}@example.com"),
        number,
        Suppression(
            Channel.EMAIL,
            (Scope(), Scope("Acme"), Scope("Acme", "News"))[number % 3],
            Reason.COMPLAINT,
            None if number % 2 else START,
            START + timedelta(minutes=minute),
            "main",
            number,
            Visibility.DELETED if number % 2 else None,
        ),
    )


PEOPLE = st.lists(st.integers(0, 9), max_size=40).map(
    lambda minutes: [person(number, minute) for number, minute in enumerate(minutes)]
)


@given(PEOPLE, st.integers(1, 12), st.integers(1, 9))
@settings(max_examples=60, deadline=None)
def test_parts_are_those_of_a_sorted_list_cut_from_the_oldest_end(
    people: list[Listed], run: int, size: int
) -> None:
    """However many fit into memory, and whatever is in their keys and addresses."""
    oldest_first = sorted(people, key=lambda each: (each.suppression.latest, each.key))
    starts = range(0, len(people), size)
    expected = [oldest_first[start : start + size][::-1] for start in reversed(starts)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sorting, "RUN", run)
        with closing(NewestFirst(people)) as found:
            assert len(people) == len(found)
            assert expected == list(found.parts(size))


@given(st.lists(ADDRESS, max_size=30), st.integers(-35, 35), st.slices(30))
@settings(max_examples=60, deadline=None)
def test_addresses_on_the_disk_are_a_sequence_like_any_other(
    addresses: list[str], index: int, cut: slice
) -> None:
    """Exporters may go through them as often as they like, take one, or a piece."""
    with closing(Spelled()) as found:
        for each in addresses:
            found.append(each)
        assert (len(addresses), addresses, addresses) == (len(found), list(found), list(found))
        assert addresses[cut] == found[cut]
        if -len(addresses) <= index < len(addresses):
            assert addresses[index] == found[index]
        else:
            with pytest.raises(IndexError):
                found[index]


def test_two_may_go_through_the_addresses_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine compares what it asked for with what is answered, one after another."""
    monkeypatch.setattr(sorting, "_READ", 5)
    with closing(Spelled()) as found:
        for number in range(100):
            found.append(f"{number}@example.com")
        assert all(one == other for one, other in zip(found, found, strict=True))


def test_a_full_disk_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With the folder that it is about, and no person."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    monkeypatch.setattr(sorting, "RUN", 1)

    with pytest.raises(StorageFailed, match=r"cannot be sorted in .*gone: No such file"):
        NewestFirst([person(1, 1)])
    with pytest.raises(StorageFailed, match="No such file"):
        Spelled()

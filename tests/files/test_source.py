"""Where bytes come from: pipes of any length, files that change, and a digest that anybody can repeat."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suppress.errors import BadFile
from suppress.files import source, text
from suppress.files.contacts import ContactFile
from suppress.files.source import RECENT, Recent, Source

LIST = b"email,name\n" + b"".join(b"x%d@example.org,some name %d\n" % (n, n) for n in range(60_000))


@contextmanager
def piped(folder: Path, content: bytes) -> Iterator[str]:
    """The name of a pipe that somebody writes to."""
    pipe = folder / "pipe"
    os.mkfifo(pipe)

    def write() -> None:
        # Whoever reads may go away before the end.
        try:
            pipe.write_bytes(content)
        except BrokenPipeError:
            return

    writer = threading.Thread(target=write)
    writer.start()
    yield str(pipe)
    writer.join()
    pipe.unlink()


@pytest.fixture
def short_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pipes are long from 600 kB on, and little of them is held."""
    monkeypatch.setattr(source, "HEAD", 600_000)
    monkeypatch.setattr(source, "RECENT", 300_000)
    monkeypatch.setattr(text, "SURVEYED", 300_000)


@pytest.mark.usefixtures("short_memory")
def test_a_long_pipe_flows_by_and_every_row_is_read(tmp_path: Path) -> None:
    """It is never stored as a whole, and its digest is that of its bytes."""
    with piped(tmp_path, LIST) as name, ContactFile.open(name) as contacts:
        rows = [row.text for batch in contacts.batches() for row in batch]

        assert LIST.decode() == "email,name\n" + "".join(rows)
        assert (None, None) == (contacts.size, contacts.done())
        assert hashlib.sha256(LIST).hexdigest() == contacts.digest


@pytest.mark.usefixtures("short_memory")
def test_a_long_pipe_that_must_be_read_twice_is_stored(tmp_path: Path) -> None:
    """An import looks at all of a list before it records anything."""
    with piped(tmp_path, LIST) as name, ContactFile.open(name, twice=True) as contacts:
        first, second = ([row.text for batch in contacts.batches() for row in batch] for _ in range(2))

        assert first == second
        assert (len(LIST), hashlib.sha256(LIST).hexdigest()) == (contacts.size, contacts.digest)


@pytest.mark.usefixtures("short_memory")
def test_what_passed_last_can_be_read_again(tmp_path: Path) -> None:
    """The fast engine goes back some blocks where it cannot go on."""
    with piped(tmp_path, LIST) as name:
        found = Source.open(name)
        while block := found.read(100_000):
            last = block
        end = found.tell()
        found.seek(end - 250_000)
        again = found.read(250_000)
        found.close()

    assert len(LIST) == end
    assert LIST[-250_000:] == again
    assert LIST.endswith(last)


def test_bytes_let_go_are_not_made_up() -> None:
    """What is not held any more is said to be gone."""
    recent = Recent(10)
    recent.add(b"abc")

    assert (13, None, b"bc", b"") == (recent.end, recent.at(9, 1), recent.at(11, 5), recent.at(13, 1))


@settings(max_examples=30)
@given(
    sizes=st.lists(st.integers(0, RECENT // 2), max_size=8),
    back=st.integers(0, RECENT),
    size=st.integers(0, RECENT // 2),
)
def test_what_passed_last_can_be_read_again_from_anywhere(sizes: list[int], back: int, size: int) -> None:
    """As far back as is promised, in one piece, however it came; and not much more is held."""
    recent, passed = Recent(7), b""
    for number, length in enumerate(sizes):
        block = bytes([number]) * length
        recent.add(block)
        passed += block
    offset = max(0, len(passed) - back)

    assert recent.end == 7 + len(passed)
    assert recent.at(7 + offset, size) == passed[offset : offset + size]
    assert recent.at(6, 1) is None
    if len(passed) > RECENT + max(sizes, default=0):
        assert recent.at(7, 1) is None


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    """A program that still writes would leave rows that nobody checked."""
    path = tmp_path / "list.csv"
    path.write_bytes(b"email\na@example.com\n")
    with ContactFile.open(str(path)) as contacts:
        assert contacts.digest
        with path.open("ab") as more:
            more.write(b"late@example.com\n")
        with pytest.raises(BadFile, match="changed while it was read"):
            assert contacts.digest


def test_a_file_that_the_system_cannot_read_is_refused(tmp_path: Path) -> None:
    """The reason is the system's, in one line."""
    found = Source.open("/proc/self/mem")
    with pytest.raises(BadFile, match="/proc/self/mem cannot be read: Input/output error"):
        found.read(10)
    found.close()

"""Each text of a bundle has one spelling: what is read was written so, and everything else is refused."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suppress.bundle import layout
from suppress.bundle.layout import Growth, Malformed, Payload, Proof, Subject
from suppress.core.canonical import NotCanonical
from suppress.errors import SuppressError

hashes = st.lists(st.binary(min_size=32, max_size=32), max_size=63).map(tuple)
numbers = st.integers(0, 10**18)
keys = st.binary(min_size=32, max_size=32)
NOTE = "example.com/log\n5\nAAAA\n\n— example.com/log AAAA\n"


GOOD = [str(Proof(3, (b"x" * 32,), NOTE)), str(Growth(3, (), NOTE)), "a" * 64 + "  x\n"]


@given(numbers, hashes)
def test_proofs_and_growth_are_read_back(number: int, found: tuple[bytes, ...]) -> None:
    """As C2SP tlog-proof and the witness request write them."""
    proof, growth = Proof(number, found, NOTE), Growth(number, found, NOTE)

    assert proof == Proof.parse(str(proof))
    assert growth == Growth.parse(str(growth))


@given(st.lists(st.tuples(numbers, keys, keys)))
def test_openings_are_read_back(rows: list[tuple[int, bytes, bytes]]) -> None:
    """Salts in hex, bodies byte for byte."""
    for seq, salt, index in rows:
        payload, subject = Payload(seq, salt, b'{"a":"\xc3\xa9 \\n"}'), Subject(seq, "k12", index, salt)

        assert payload == Payload.parse(payload.line())
        assert subject == Subject.parse(subject.line())


@given(
    st.one_of(st.text(), st.sampled_from([str(Proof(3, (b"x" * 32,), NOTE)), str(Growth(3, (), NOTE))])),
    st.data(),
)
def test_anything_else_is_malformed_and_never_a_crash(text: str, data: st.DataObject) -> None:
    """Whatever a stranger writes; what is accepted would have been written so."""
    if text:
        place = data.draw(st.integers(0, len(text) - 1))
        text = text[:place] + data.draw(st.text(max_size=2)) + text[place + 1 :]
    for parse, write in ((Proof.parse, str), (Growth.parse, str)):
        try:
            found = parse(text)
        except Malformed:
            continue
        assert text == write(found)
    for line in (Payload.parse, Subject.parse):
        content = text.encode(errors="replace")
        try:
            read = line(content)
        except Malformed:
            continue
        assert content == read.line()
    try:
        sums = layout.parse_sums(text)
    except Malformed:
        return
    assert text == layout.sums_text(sums.items())


@pytest.mark.parametrize(
    "text",
    [
        "a" * 64 + "  ../x\n",
        "a" * 64 + "  x/../y\n",
        "a" * 64 + "  /etc/passwd\n",
        "a" * 64 + " *x\n",
        "A" * 64 + "  x\n",
        "a" * 64 + "  x\n" + "b" * 64 + "  x\n",
        "a" * 64 + "  y\n" + "b" * 64 + "  x\n",
        "a" * 64 + "  x",
        "a" * 63 + "  x\n",
    ],
)
def test_digests_name_files_inside_and_each_once(text: str) -> None:
    """Sorted, one a line, no way out of the folder."""
    with pytest.raises(Malformed):
        layout.parse_sums(text)


@pytest.mark.parametrize(
    "name", ["01.tlog-proof", "-1.tlog-proof", "x.tlog-proof", "1", "1.tlog-proof/2", "."]
)
def test_a_proofs_name_is_its_entry(name: str) -> None:
    """Without zeros ahead, and nothing else in that folder."""
    with pytest.raises(Malformed):
        layout.proven_entry(name)
    assert 12 == layout.proven_entry(layout.proof_name(12))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("c2sp.org/tlog-proof@v1\nindex 1\n" + ("A" * 43 + "=\n") * 64 + "\nnote", "over 63"),
        ("c2sp.org/tlog-proof@v1\nindex 01\n\nnote", "plain number"),
        ("c2sp.org/tlog-proof@v1\nindex 1\nAA==\n\nnote", "32 bytes"),
        ("c2sp.org/tlog-proof@v1\nindex 1\n" + "A" * 42 + "B=\n\nnote", "32 bytes"),
        ("c2sp.org/tlog-proof@v1\nindex 1\n*\n\nnote", "not base64"),
        ("c2sp.org/tlog-proof@v2\nindex 1\n\nnote", "not a tlog-proof"),
    ],
)
def test_a_proof_has_one_spelling(text: str, says: str) -> None:
    """Base64 with other padding bits, numbers with zeros, hashes without end."""
    with pytest.raises(Malformed, match=says):
        Proof.parse(text)


def test_a_payload_that_cannot_stand_in_a_line_is_refused() -> None:
    """None of ours is like that: a line feed in it is written as an escape."""
    for body in (b'{"a":\n1}', b"[1]", b""):
        with pytest.raises(SuppressError, match="entry 3"):
            Payload(3, b"x" * 32, body).line()


def test_tiles_are_named_as_the_specification_says() -> None:
    """Its own example, and the places where the levels of folders change."""
    assert "tile/0/x001/x234/067" == layout.tile_name(0, 1234067, 256)
    assert "tile/1/000.p/5" == layout.tile_name(1, 0, 5)
    assert "tile/entries/999" == layout.tile_name("entries", 999, 256)
    assert "tile/0/x001/000.p/1" == layout.tile_name(0, 1000, 1)


def test_entries_in_a_tile_have_their_length_in_two_bytes() -> None:
    """Longer ones do not fit; the ledger never writes them."""
    long = b"x" * 0xFFFF

    assert b"\x00\x02ab\x00\x00\xff\xff" + long == layout.entry_tile([b"ab", b"", long])
    with pytest.raises(NotCanonical):
        layout.entry_tile([long + b"x"])


def test_digests_are_those_of_sha256sum() -> None:
    """Two spaces, sorted by name."""
    digest = sha256(b"").hexdigest()

    assert f"{digest}  a\n{digest}  b/c\n" == layout.sums_text([("b/c", digest), ("a", digest)])

"""Encodings: recognised, said, and written back to the same bytes, also where a byte is wrong."""

from __future__ import annotations

import codecs
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suppress.errors import BadFile, BadUsage
from suppress.files import encoding
from suppress.files.encoding import Encoding, blocks, line_at, mended, spoilt, survey

CODECS = ("utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "cp1252", "iso8859-1", "shift_jis", "gb18030")


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of seven bytes, so that borders fall inside characters and line ends."""
    monkeypatch.setattr(encoding, "BLOCK", 7)


@pytest.mark.parametrize(
    ("mark", "codec"),
    [
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
    ],
)
def test_a_byte_order_mark_decides(mark: bytes, codec: str) -> None:
    """The mark is kept apart: it is no part of the first column's name."""
    text = "émail\na@example.com\n"
    stream = io.BytesIO(mark + text.encode(codec))
    found = survey(stream, "list.csv")

    assert Encoding(codec, mark) == found
    assert text == "".join(blocks(stream, found, "list.csv"))


def test_without_a_mark_strict_utf8_is_tried_first() -> None:
    """Nearly every file is this, and it is no guess."""
    assert Encoding("utf-8") == survey(io.BytesIO("é@example.com".encode()), "list.csv")


def test_what_is_not_utf8_is_read_as_windows_1252_and_said() -> None:
    """Spreadsheets on Windows write it; the line that gave it away is named."""
    found = survey(io.BytesIO("email\na@example.com,José\n".encode("cp1252")), "list.csv")

    assert ("cp1252", "not UTF-8 (line 2), read as Windows-1252") == (found.codec, found.guess)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("padding", range(9))
def test_a_byte_outside_every_encoding_is_kept_and_spoils_its_line(padding: int) -> None:
    """0x81 is neither UTF-8 nor Windows-1252, wherever the borders of blocks fall."""
    content = b"email\r\n" + b"x" * padding + b"\r" + b"ok@example.com\nb\x81d@example.com\n"
    stream = io.BytesIO(content)
    found = survey(stream, "list.csv")
    text = "".join(blocks(stream, found, "list.csv"))

    assert ("cp1252", False) == (found.codec, found.sound)
    assert content == found.encoded(text)
    assert [None, None, None, 0x81] == [spoilt(line) for line in text.splitlines()]
    assert "b\ufffdd@example.com" == mended(text).splitlines()[-1]


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("content", [b"email\nJos\xe9\n", "email\nJosé".encode()[:-1]])
def test_bytes_that_break_the_named_encoding_spoil_their_line(content: bytes) -> None:
    """Whoever names an encoding is believed, and nothing else is tried; half a character may end a file."""
    stream = io.BytesIO(content)
    found = survey(stream, "list.csv", "utf-8")

    assert ("utf-8", None, False) == (found.codec, found.guess, found.sound)
    assert content == found.encoded("".join(blocks(stream, found, "list.csv")))


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be", "utf-32-le"])
def test_wide_characters_that_are_cut_are_refused_with_their_line(codec: str) -> None:
    """Where a byte is missing, no later one is where it seems to be."""
    stream = io.BytesIO("email\nJosé\n".encode(codec)[:-1])
    with pytest.raises(BadFile, match=f"line 2: bytes that are not {codec}"):
        survey(stream, "list.csv", codec)
    with pytest.raises(BadFile, match=f"after line 1: bytes that are not {codec}"):
        list(blocks(stream, Encoding(codec), "list.csv"))
    with pytest.raises(BadFile, match="further down: bytes that are not"):
        list(blocks(stream, Encoding(codec), "list.csv", 12))


def test_what_is_added_to_a_line_with_a_spoilt_byte_leaves_the_byte() -> None:
    """A reason may hold an arrow that Windows-1252 lacks; the row before it keeps its bytes."""
    assert b"b\x81d,a \\u2192 b" == Encoding("cp1252", sound=False).encoded("b\udc81d,a → b")


@pytest.mark.usefixtures("small_blocks")
@given(st.sampled_from(CODECS), st.data())
def test_text_encodes_to_the_bytes_it_came_from(codec: str, data: st.DataObject) -> None:
    """For every encoding accepted, wherever the borders of blocks fall."""
    letters = [each for each in 'a@,"\r\né日ｱ€𐍈' if each.encode(codec, "ignore").decode(codec) == each]
    text = data.draw(st.text(letters, min_size=1, max_size=40))
    content = text.encode(codec)
    stream = io.BytesIO(content)

    assert content == b"".join(each.encode(codec) for each in blocks(stream, Encoding(codec), "list.csv"))


@given(
    st.sampled_from(("utf-8", "utf-16-le", "cp1252", "shift_jis", "gb18030")),
    st.lists(
        st.sampled_from(("a@b", "é", "日", "€", "𐍈", b"\xe9", b"\x81", b"\xe2\x82", b"\xf0\x90")), max_size=9
    ),
    st.sampled_from((1, 2, 3, 7)),
)
def test_the_first_byte_that_does_not_decode_is_found(
    codec: str, parts: list[str | bytes], size: int
) -> None:
    """Where Python finds it in one piece, wherever the borders of pieces fall, and behind a mark."""
    content = b"".join(each if isinstance(each, bytes) else each.encode(codec, "ignore") for each in parts)
    expected = None
    try:
        content.decode(codec)
    except UnicodeDecodeError as wrong:
        expected = wrong.start
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoding, "_GLANCED", 2 * size)
        patch.setattr(encoding, "_DECODED", size)
        for mark in (b"", codecs.BOM_UTF8):
            stream = io.BytesIO(mark + content)
            found = encoding._first_bad(stream, Encoding(codec, mark), None)
            assert expected == (None if found is None else found - len(mark))


@pytest.mark.usefixtures("small_blocks")
def test_an_encoding_with_two_spellings_of_one_character_is_refused_where_it_matters() -> None:
    """In Microsoft's Shift-JIS 0x81CA and 0xEEF9 are one sign: rows could not be kept."""
    stream = io.BytesIO(b"email\nlist\n" + b"\xee\xf9")
    with pytest.raises(BadFile, match="in two ways"):
        list(blocks(stream, Encoding("cp932"), "list.csv"))


@pytest.mark.parametrize(
    ("wanted", "content", "expected"),
    [
        (
            "utf-16",
            codecs.BOM_UTF16_BE + "a@b.c".encode("utf-16-be"),
            Encoding("utf-16-be", codecs.BOM_UTF16_BE),
        ),
        ("utf-16", "a@b.c".encode("utf-16-le"), Encoding("utf-16-le")),
        ("utf-8", codecs.BOM_UTF8 + b"a@b.c", Encoding("utf-8", codecs.BOM_UTF8)),
        ("utf-8-sig", b"a@b.c", Encoding("utf-8")),
        ("latin-1", b"Jos\xe9", Encoding("iso8859-1")),
        ("Windows-1252", b"Jos\xe9", Encoding("cp1252")),
    ],
)
def test_a_named_encoding_is_used(wanted: str, content: bytes, expected: Encoding) -> None:
    """Its mark is recognised if there is one."""
    assert expected == survey(io.BytesIO(content), "list.csv", wanted)


@pytest.mark.parametrize("wanted", ["klingon", "utf-7", "iso2022_jp", "rot13", "punycode"])
def test_an_encoding_that_cannot_keep_rows_is_refused(wanted: str) -> None:
    """It does not exist, or what a byte means depends on bytes far before it."""
    with pytest.raises(BadUsage, match=f"--encoding {wanted}"):
        survey(io.BytesIO(b"email\n"), "list.csv", wanted)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"\x00\x01\x02\x00\x00\x07" * 99, "full of NUL bytes"),
        ("a@example.com\n".encode("utf-16-le"), "UTF-16 without"),
        ("a@example.com\n".encode("utf-16-be"), "UTF-16 without"),
    ],
)
def test_bytes_that_are_no_text_are_refused(content: bytes, what: str) -> None:
    """UTF-16 without its mark is not guessed at."""
    with pytest.raises(BadFile, match=what):
        survey(io.BytesIO(content), "list.csv")


@pytest.mark.parametrize("content", [b"", codecs.BOM_UTF8[:0]])
def test_an_empty_file_is_refused(content: bytes) -> None:
    """An export that failed must not pass as a clean list."""
    with pytest.raises(BadFile, match="is empty"):
        survey(io.BytesIO(content), "list.csv")


@pytest.mark.usefixtures("small_blocks")
@given(st.text(alphabet="a\r\né", max_size=40), st.data())
def test_a_line_number_counts_as_editors_count(text: str, data: st.DataObject) -> None:
    """Carriage return and line feed are one end, also across the border of two blocks."""
    content = text.encode("utf-16-le")
    offset = 2 * data.draw(st.integers(0, len(text)))
    before = text[: offset // 2]
    # The line feed of a pair still belongs to the line that the pair ends.
    expected = len(io.StringIO(before + "x", newline="").readlines())

    assert expected == line_at(io.BytesIO(content), offset, Encoding("utf-16-le"))


def test_a_line_number_survives_blocks_shorter_than_a_character(monkeypatch: pytest.MonkeyPatch) -> None:
    """A block may hold no whole character, between the two halves of a line end."""
    monkeypatch.setattr(encoding, "BLOCK", 3)
    content = "a\r\nb".encode("utf-32-le")

    assert 2 == line_at(io.BytesIO(content), 12, Encoding("utf-32-le"))

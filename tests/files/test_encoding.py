"""Encodings: recognised, said, and written back to the same bytes; binary files are named."""

from __future__ import annotations

import codecs
import gzip
import hashlib
import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suppress.errors import BadFile, BadUsage
from suppress.files import encoding
from suppress.files.encoding import Encoding, blocks, line_at, survey

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
    found = survey(stream, "list.csv").encoding

    assert Encoding(codec, mark) == found
    assert text == "".join(blocks(stream, found, "list.csv"))


def test_without_a_mark_strict_utf8_is_tried_first() -> None:
    """Nearly every file is this, and it is no guess."""
    assert Encoding("utf-8") == survey(io.BytesIO("é@example.com".encode()), "list.csv").encoding


def test_what_is_not_utf8_is_read_as_windows_1252_and_said() -> None:
    """Spreadsheets on Windows write it; the line that gave it away is named."""
    found = survey(io.BytesIO("email\na@example.com,José\n".encode("cp1252")), "list.csv").encoding

    assert ("cp1252", "not UTF-8 (line 2), read as Windows-1252") == (found.codec, found.guess)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("padding", range(9))
def test_a_byte_outside_every_encoding_is_named_with_its_line(padding: int) -> None:
    """0x81 is neither UTF-8 nor Windows-1252, wherever the borders of blocks fall."""
    content = b"email\r\n" + b"x" * padding + b"\r" + b"ok@example.com\nb\x81d@example.com\n"
    with pytest.raises(BadFile, match="line 4: byte 0x81 is not cp1252 nor UTF-8") as refused:
        survey(io.BytesIO(content), "list.csv")

    assert 4 == refused.value.line


@pytest.mark.usefixtures("small_blocks")
def test_bytes_that_break_the_named_encoding_are_refused() -> None:
    """Whoever names an encoding is told where the file leaves it, and nothing else is tried."""
    with pytest.raises(BadFile, match=r"line 2: byte 0xe9 is not utf-8$"):
        survey(io.BytesIO(b"email\nJos\xe9\n"), "list.csv", "utf-8")


@pytest.mark.usefixtures("small_blocks")
def test_a_file_cut_inside_a_character_is_refused() -> None:
    """Half a character at the end means that the export did not finish."""
    with pytest.raises(BadFile, match="line 2"):
        survey(io.BytesIO("email\nJosé".encode()[:-1]), "list.csv", "utf-8")


@pytest.mark.usefixtures("small_blocks")
@given(st.sampled_from(CODECS), st.data())
def test_text_encodes_to_the_bytes_it_came_from(codec: str, data: st.DataObject) -> None:
    """For every encoding accepted, wherever the borders of blocks fall."""
    letters = [each for each in 'a@,"\r\né日ｱ€𐍈' if each.encode(codec, "ignore").decode(codec) == each]
    text = data.draw(st.text(letters, min_size=1, max_size=40))
    content = text.encode(codec)
    stream = io.BytesIO(content)

    assert content == b"".join(each.encode(codec) for each in blocks(stream, Encoding(codec), "list.csv"))


@pytest.mark.usefixtures("small_blocks")
def test_an_encoding_with_two_spellings_of_one_character_is_refused_where_it_matters() -> None:
    """In Microsoft's Shift-JIS 0x81CA and 0xEEF9 are one sign: rows could not be kept."""
    stream = io.BytesIO(b"email\nlist\n" + b"\xee\xf9")
    with pytest.raises(BadFile, match="in two ways"):
        list(blocks(stream, Encoding("cp932"), "list.csv"))


def test_a_file_that_changed_after_the_survey_is_still_refused() -> None:
    """The second reading does not trust the first."""
    with pytest.raises(BadFile, match="line 2"):
        list(blocks(io.BytesIO(b"email\n\xff"), Encoding("utf-8"), "list.csv"))


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
    assert expected == survey(io.BytesIO(content), "list.csv", wanted).encoding


@pytest.mark.parametrize("wanted", ["klingon", "utf-7", "iso2022_jp", "rot13", "punycode"])
def test_an_encoding_that_cannot_keep_rows_is_refused(wanted: str) -> None:
    """It does not exist, or what a byte means depends on bytes far before it."""
    with pytest.raises(BadUsage, match=f"--encoding {wanted}"):
        survey(io.BytesIO(b"email\n"), "list.csv", wanted)


def packed() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "what", "remedy"),
    [
        (packed(), "Excel workbook", "save it as CSV"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", "old Excel workbook", "save it as CSV"),
        (gzip.compress(b"email\n", mtime=0), "gzip", "gunzip -c FILE | suppress check -"),
        (b"PAR1....", "Parquet", "CSV"),
        (b"SQLite format 3\x00", "SQLite", "CSV"),
        (b"%PDF-1.7", "PDF", "CSV"),
        (b"\x00\x01\x02\x00\x00\x07" * 99, "full of NUL bytes", "CSV"),
        ("a@example.com\n".encode("utf-16-le"), "UTF-16 without", "--encoding utf-16-le"),
        ("a@example.com\n".encode("utf-16-be"), "UTF-16 without", "--encoding utf-16-be"),
    ],
    ids=["xlsx", "xls", "gzip", "parquet", "sqlite", "pdf", "nul", "utf-16-le", "utf-16-be"],
)
def test_a_file_that_is_no_csv_is_named_with_what_to_do(content: bytes, what: str, remedy: str) -> None:
    """People give the workbook itself, or the export still packed."""
    with pytest.raises(BadFile, match=what) as refused:
        survey(io.BytesIO(content), "list.csv")

    assert remedy in (refused.value.remedy or "")


@pytest.mark.parametrize("content", [b"", codecs.BOM_UTF8[:0]])
def test_an_empty_file_is_refused(content: bytes) -> None:
    """An export that failed must not pass as a clean list."""
    with pytest.raises(BadFile, match="is empty"):
        survey(io.BytesIO(content), "list.csv")


@pytest.mark.usefixtures("small_blocks")
@given(
    st.binary(min_size=1, max_size=40).filter(lambda it: not it.startswith((b"BZh", b"PAR1")) and 0 not in it)
)
def test_the_digest_is_that_of_the_bytes(content: bytes) -> None:
    """The ledger's record of a check must be found again with sha256sum."""
    try:
        found = survey(io.BytesIO(content), "list.csv", "latin-1")
    except BadFile:
        return

    assert (hashlib.sha256(content).hexdigest(), len(content)) == (found.digest, found.size)


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

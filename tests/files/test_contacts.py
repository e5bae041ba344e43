"""A contact file is understood as a person would, says what it assumed, and is read as often as asked."""

from __future__ import annotations

import itertools
import os
import tempfile
import threading
from pathlib import Path

import pytest

from suppress.errors import BadFile, BadUsage, StorageFailed
from suppress.files.contacts import ContactFile, Reading
from suppress.files.delimited import DelimitedFile
from suppress.files.records import Record


def opened(folder: Path, content: str | bytes, reading: Reading | None = None) -> DelimitedFile:
    path = folder / "list.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    contacts = ContactFile.open(str(path), reading)
    assert isinstance(contacts, DelimitedFile)
    return contacts


def rows(contacts: ContactFile) -> list[Record]:
    return list(itertools.chain.from_iterable(contacts.batches()))


def test_preamble_and_rows_are_the_whole_file(tmp_path: Path) -> None:
    """Blank lines, Excel's `sep=` line and the header stand before the first row, and are kept."""
    text = "sep=;\r\n\r\nName;Email\r\nAl;a@example.com\r\n\r\nBo;b@example.com"
    with opened(tmp_path, text) as contacts:
        assert "sep=;\r\n\r\nName;Email\r\n" == contacts.preamble()
        assert text == contacts.preamble() + "".join(row.text for row in rows(contacts))
        assert text == contacts.preamble() + "".join(row.text for row in rows(contacts))
        assert [["a@example.com"], [], ["b@example.com"]] == [
            contacts.addresses(row) for row in rows(contacts)
        ]


def test_a_list_without_a_header_has_no_first_row_to_lose(tmp_path: Path) -> None:
    """The first line is a person."""
    with opened(tmp_path, "a@example.com\nb@example.com\n") as contacts:
        assert contacts.header is None
        assert "" == contacts.preamble()
        assert [1, 2] == [row.line for row in rows(contacts)]


@pytest.mark.parametrize(
    ("header", "content", "first"),
    [
        (False, "Email\na@example.com\n", "Email\n"),
        (True, "a@example.com\nb@example.com\n", "b@example.com\n"),
    ],
)
def test_the_user_decides_about_the_header(tmp_path: Path, header: bool, content: str, first: str) -> None:
    """Against what the first row looks like."""
    with opened(tmp_path, content, Reading(header=header, columns=("1",))) as contacts:
        assert first == rows(contacts)[0].text


def test_a_first_row_that_names_the_wanted_column_is_the_header(tmp_path: Path) -> None:
    """Even if another heading looks like an address."""
    content = "Mailbox,ask@example.com\na@example.com,x\n"
    with opened(tmp_path, content, Reading(columns=("mailbox",))) as contacts:
        assert contacts.header is not None
        assert ((0,), "as asked") == (contacts.columns.addresses, contacts.columns.how)


def test_a_title_above_the_table_is_no_row_of_names(tmp_path: Path) -> None:
    """Rows are as wide as most rows, not as the title."""
    with opened(tmp_path, "Contacts of today\nAl,a@example.com\nBo,b@example.com\n") as contacts:
        assert (2, ()) == (contacts.width, contacts.columns.names)
        assert [None, None] == [contacts.misshapen(row) for row in rows(contacts)]


def test_what_was_assumed_is_said(tmp_path: Path) -> None:
    """Columns, those overlooked, delimiter, header and encoding, so that a wrong guess is seen."""
    content = "Email;Owner email;Name\na@example.com;boss@example.com;José\n".encode("cp1252")
    with opened(tmp_path, content) as contacts:
        said = contacts.assumptions

    assert (
        "addresses in column “Email” (by name)",
        "column “Owner email” holds addresses too and is not used; add it with --column",
        "delimiter: semicolon; header found",
        "encoding: not UTF-8 (line 2), read as Windows-1252; name another with --encoding",
    ) == said


def test_an_encoding_that_a_mark_gave_is_said_without_doubt(tmp_path: Path) -> None:
    """It was no guess."""
    content = "email\nä@example.com\nb@example.com\n"
    with opened(tmp_path, b"\xff\xfe" + content.encode("utf-16-le")) as contacts:
        assert "encoding: utf-16-le" == contacts.assumptions[-1]
        assert ["ä@example.com"] == contacts.addresses(rows(contacts)[0])


def test_a_file_of_two_encodings_is_read_both_ways_where_addresses_stand(tmp_path: Path) -> None:
    """One Windows-1252 byte in a note must not hide an accented address that was written as UTF-8."""
    content = "email,note\njö@example.com,x\nplain@example.com,x\n".encode() + b"\xe9@example.com,Jos\xe9\n"
    with opened(tmp_path, content) as contacts:
        found = [contacts.addresses(row) for row in rows(contacts)]

    assert ["jÃ¶@example.com", "jö@example.com"] == found[0][:2]
    assert ["plain@example.com"] == found[1]
    # A guess was made: as Excel for Mac, or for MS-DOS, writes it, the same byte is another letter.
    assert ["é@example.com", "È@example.com", "Ú@example.com"] == found[2]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("a@example.com,x,y", "the row has 3 cells where 2 are usual"),
        ("a@example.com", "the row has 1 cells where 2 are usual"),
        ('a@example.com,"x\ny"', "column “name” runs over several lines"),
        ("a@example.com,\0", "the row holds a NUL byte"),
        ("a@example.com,x", None),
    ],
)
def test_a_row_of_another_shape_says_so(tmp_path: Path, row: str, reason: str | None) -> None:
    """Its address may not stand where the header says."""
    with opened(tmp_path, f"email,name\nb@example.com,B\n{row}\n") as contacts:
        assert reason == contacts.misshapen(rows(contacts)[1])


def test_cells_are_added_in_the_files_own_manner_and_encoding(tmp_path: Path) -> None:
    """Delimiter, line end and encoding; what the encoding lacks is escaped rather than lost."""
    with opened(tmp_path, "email;name\r\na@example.com;José".encode("cp1252")) as contacts:
        (row,) = rows(contacts)
        longer = contacts.encoded(contacts.extended(row, ["exact", "list → all"]))

    assert b"a@example.com;Jos\xe9;exact;list \\u2192 all\r\n" == longer


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\n\r\n  \n", "holds no rows"),
        (b"sep=;\n", "holds no rows"),
        (b"name,town\nAl,Reno\n", "no column holds addresses; there is the columns “name”, “town”"),
        (b"Al\nBo\n", "no column holds addresses"),
        (b"email,\0\na@example.com,x\n", "line 1: the first row holds NUL bytes"),
    ],
)
def test_a_file_without_addresses_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    """Rather than passed as clean."""
    with pytest.raises(BadFile, match=message):
        opened(tmp_path, content)


def test_a_file_may_be_opened_without_addresses_where_the_caller_names_columns(tmp_path: Path) -> None:
    """An import with its own mapping looks for the columns itself."""
    path = tmp_path / "list.csv"
    path.write_text("who,when\nx,2024-01-01\n")
    with ContactFile.open(str(path), need_addresses=False) as contacts:
        assert () == contacts.columns.addresses
        assert "delimiter: comma; header found" == contacts.assumptions[0]


def test_a_named_column_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """With the names that are."""
    with pytest.raises(BadUsage, match="there is no column 'Fax'"):
        opened(tmp_path, "email\na@example.com\n", Reading(columns=("Fax",)))


def test_a_folder_a_missing_and_an_unreadable_file_are_each_named(tmp_path: Path) -> None:
    """Three ways to mistype a path."""
    with pytest.raises(BadFile, match="is a folder"):
        ContactFile.open(str(tmp_path))
    with pytest.raises(BadFile, match="there is no file"):
        ContactFile.open(str(tmp_path / "none.csv"))
    with pytest.raises(BadFile, match="cannot be read: Not a directory"):
        (tmp_path / "file").write_text("x")
        ContactFile.open(str(tmp_path / "file" / "list.csv"))
    with pytest.raises(BadFile, match="cannot be the name"):
        ContactFile.open("a\0b")


def test_a_pipe_is_read_twice_through_a_copy(tmp_path: Path) -> None:
    """Process substitution gives a name that can be read once only."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(b"email\na@example.com\n",))
    writer.start()
    with ContactFile.open(str(pipe)) as contacts:
        assert ["a@example.com\n"] == [row.text for row in rows(contacts)]
    writer.join()


def test_a_pipe_that_cannot_be_copied_is_the_disks_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A temporary folder that is full or gone is no fault of the file."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    # Held open for writing too, so that opening it for reading does not wait.
    held = os.open(pipe, os.O_RDWR)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(StorageFailed, match="could not be copied to a temporary file: No such file"):
        ContactFile.open(str(pipe))
    os.close(held)

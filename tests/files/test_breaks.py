"""Tabs and line breaks in cells of ODS, as LibreOffice writes them."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from suppress.files import breaks
from suppress.files.breaks import with_breaks
from suppress.files.contacts import ContactFile

TYPE = "application/vnd.oasis.opendocument.spreadsheet"
OFFICE = "urn:oasis:names:tc:opendocument:xmlns"


def ods(*cells: str) -> bytes:
    """A workbook of one column; each cell as it stands in a paragraph."""
    rows = "".join(
        '<table:table-row><table:table-cell office:value-type="string"><text:p>'
        f"{cell}</text:p></table:table-cell></table:table-row>"
        for cell in ("Email", *cells)
    )
    content = (
        f'<office:document-content xmlns:office="{OFFICE}:office:1.0" xmlns:table="{OFFICE}:table:1.0" '
        f'xmlns:text="{OFFICE}:text:1.0" office:version="1.2"><office:body><office:spreadsheet>'
        f'<table:table table:name="T">{rows}</table:table></office:spreadsheet></office:body>'
        "</office:document-content>"
    )
    manifest = (
        f'<m:manifest xmlns:m="{OFFICE}:manifest:1.0">'
        f'<m:file-entry m:full-path="/" m:media-type="{TYPE}"/></m:manifest>'
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("mimetype"), TYPE)
        archive.writestr("content.xml", content)
        archive.writestr("META-INF/manifest.xml", manifest)
    return packed.getvalue()


def test_what_stands_between_two_addresses_stays_between_them(tmp_path: Path) -> None:
    """Or both would be one address, which nobody has."""
    path = tmp_path / "list.ods"
    path.write_bytes(
        ods(
            "x@example.com<text:tab/>pat@example.com",
            "x@example.com<text:line-break/>pat@example.com",
            'x@example.com<text:tab text:tab-ref="1"></text:tab>pat@example.com',
            "x@example.com<text:s/>pat@example.com",
        )
    )
    with ContactFile.open(str(path)) as contacts:
        found = [row.cells[0] for batch in contacts.batches() for row in batch]

    assert [f"x@example.com{each}pat@example.com" for each in "\t\n\t "] == found


@pytest.mark.parametrize("chunk", [1, 2, 7, 64, 199, 300])
def test_an_element_is_found_wherever_a_chunk_ends(monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    """It is read in pieces, as such a file may be large."""
    monkeypatch.setattr(breaks, "_CHUNK", chunk)
    plain = ods("a<text:tab/>b", "c<text:line-break/>d")
    with (
        with_breaks(io.BytesIO(plain)) as copy,
        zipfile.ZipFile(copy) as archive,
        zipfile.ZipFile(io.BytesIO(plain)) as own,
    ):
        expected = own.read("content.xml").replace(b"<text:tab/>", b"\t")

        assert expected.replace(b"<text:line-break/>", b"\n") == archive.read("content.xml")
        assert own.namelist() == archive.namelist()


@pytest.mark.parametrize("content", [ods("a@example.com"), ods("a<text:tab/>b")[:-50], b"", b"PK\3\4rest"])
def test_any_other_file_is_left_as_it_is(content: bytes) -> None:
    """One without such elements, one that is cut off, and one of another kind."""
    stream = io.BytesIO(content)

    assert stream is with_breaks(stream)
    assert content == stream.read()

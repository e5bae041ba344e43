"""Tabs and line breaks in the cells of ODS, which the library that reads workbooks leaves out.

LibreOffice writes a tab in a cell as an element (`text:tab`, OpenDocument 1.3, 6.1.4), other programs write
line breaks so (`text:line-break`, 6.1.5). Without it, the two addresses that it stands between are one that
nobody has.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, BinaryIO, cast

_ODS = b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet"
"""How the archive begins behind its first 30 bytes (OpenDocument 1.3, part 2, 3.3)."""
_CONTENT = "content.xml"
_ELEMENT = re.compile(rb"<text:(tab|line-break)\b[^<>]*(?:/>|></text:\1>)")
_CHARACTERS = {b"tab": b"\t", b"line-break": b"\n"}
_CHUNK = 1 << 20
_LONGEST = 200
"""Bytes of an element, at most."""


def with_breaks(stream: BinaryIO) -> BinaryIO:
    """The workbook, from its start; an ODS file with the characters in place of the elements."""
    stream.seek(0)
    head = stream.read(30 + len(_ODS))
    stream.seek(0)
    if not head.endswith(_ODS):
        return stream
    try:
        with zipfile.ZipFile(stream) as archive:
            found = _has_elements(archive)
            copy = _copied(archive) if found else stream
    except (zipfile.BadZipFile, zlib.error, KeyError, OSError, RuntimeError, ValueError, EOFError):
        copy = stream  # what is wrong with it is told by whoever reads it
    copy.seek(0)
    return copy


def _has_elements(archive: zipfile.ZipFile) -> bool:
    with archive.open(_CONTENT) as content:
        return any(_ELEMENT.search(piece) for piece in _pieces(content))


def _copied(archive: zipfile.ZipFile) -> BinaryIO:
    """The archive, in a file that nobody else sees."""
    copy = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115 - it is handed out open
    with zipfile.ZipFile(copy, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as written:
        for each in archive.infolist():
            with archive.open(each) as source, written.open(each.filename, "w", force_zip64=True) as target:
                if each.filename != _CONTENT:
                    shutil.copyfileobj(source, target)
                    continue
                for piece in _pieces(source):
                    target.write(_ELEMENT.sub(lambda found: _CHARACTERS[found[1]], piece))
    return copy


def _pieces(content: IO[bytes]) -> Iterator[bytes]:
    """The text in pieces, none of which ends within such an element."""
    rest = b""
    while chunk := content.read(_CHUNK):
        piece = rest + chunk
        start = piece.rfind(b"<text:", max(0, len(piece) - _LONGEST))
        # What may be the start of an element's name waits, too.
        end = start if start >= 0 else max(0, len(piece) - len(b"<text:"))
        yield piece[:end]
        rest = piece[end:]
    yield rest

"""What kind of file it is, by its first bytes: names lie, and a pipe has none.

Kinds that can be read are told apart here; others are refused by name, with what to do about them.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Sequence
from enum import StrEnum
from pathlib import PurePath

from suppress.errors import BadFile, OutputRefused
from suppress.files.packing import Packing


class Kind(StrEnum):
    """How the rows of a contact file are stored."""

    DELIMITED = "CSV"
    JSON_LINES = "JSON lines"
    WORKBOOK = "workbook"
    PARQUET = "Parquet"


OF_CSV = (".csv", ".tsv", ".tab", ".psv")
OF_JSON_LINES = (".jsonl", ".ndjson", ".json")
OF_PARQUET = (".parquet", ".pq")
_TABLES = {".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", *OF_CSV, *OF_JSON_LINES, *OF_PARQUET}
"""Endings that promise a kind of table."""

ENDINGS = (*sorted(_TABLES), ".txt", *(each.ending for each in Packing), ".zip")
"""Endings by which a misspelt file name is told from an address."""

_SPREADSHEET = "open it in the program that made it and save it as CSV (UTF-8), then give that file"
_PACKED = "unpack it first, or pipe it in: {tool} FILE | suppress check -"

_REFUSED: tuple[tuple[bytes, str, str], ...] = (
    (b"BZh", "compressed with bzip2", _PACKED.format(tool="bunzip2 -c")),
    (b"\xfd7zXZ\x00", "compressed with xz", _PACKED.format(tool="xz -dc")),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "unpack it first"),
    (b"Rar!\x1a\x07", "a RAR archive", "unpack it first"),
    (b"SQLite format 3\x00", "a SQLite database", "export the table as CSV first"),
    (b"%PDF-", "a PDF document", "export the list as CSV from the program that made it"),
    (b"{\\rtf", "a text document (RTF)", _SPREADSHEET),
    (b"ID;P", "a SYLK file", _SPREADSHEET),
    (b"TABLE\n0,1\n", "a DIF file", _SPREADSHEET),
    (b"TABLE\r\n0,1\r\n", "a DIF file", _SPREADSHEET),
    (b"PARE", "an encrypted Parquet file", "write it without encryption"),
    (b"Obj\x01", "an Avro file", "export it as Parquet or CSV"),
    (b"ORC", "an ORC file", "export it as Parquet or CSV"),
    (b"ARROW1\0\0", "an Arrow file", "export it as Parquet or CSV"),
    (b"\x89PNG", "a picture", "give a list of contacts"),
    (b"\xff\xd8\xff", "a picture", "give a list of contacts"),
    (b"GIF8", "a picture", "give a list of contacts"),
)
_MARKUP = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|\?xml|table|workbook)\b", re.IGNORECASE)
_ZIP, _COMPOUND = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""The starts of XLSX and ODS, and of XLS and of workbooks behind a password."""


def kind_of(head: bytes, name: str) -> Kind:
    """The kind of a file that starts with `head`.

    Raises:
        BadFile: It is of a kind that is not read.
    """
    if head.startswith((_ZIP, _COMPOUND, b"PK\x05\x06")):
        return Kind.WORKBOOK
    if head.startswith(b"PAR1"):
        return Kind.PARQUET
    for magic, what, remedy in _REFUSED:
        if head.startswith(magic):
            raise BadFile(f"{name} is {what}, not a list of contacts", remedy=remedy)
    if _MARKUP.match(head):
        # Web applications send such tables as ".xls", and spreadsheet programs open them.
        raise BadFile(f"{name} is a web page or XML, whatever its name says", remedy=_SPREADSHEET)
    return Kind.JSON_LINES if _is_json(head, name) else Kind.DELIMITED


def refuse_other_ending(target: str, endings: Sequence[str]) -> None:
    """Refuse a name for results that promises another kind of file than will be written.

    Raises:
        OutputRefused: The name ends like another kind of table.
    """
    packed = packing_named(target)
    ending = PurePath(target.removesuffix(packed.ending) if packed else target).suffix.lower()
    if ending in _TABLES.difference(endings):
        own = endings[0][1:]
        raise OutputRefused(
            f"{target}: results have the format of the file that is checked, which is {own.upper()} here",
            remedy=f"choose a name that ends in .{own}",
        )


def split(name: str) -> tuple[str, str]:
    """A file name without the ending that says what table it is, and that ending."""
    ending = PurePath(name).suffix
    return (name.removesuffix(ending), ending) if ending.lower() in _TABLES | {".txt"} else (name, "")


def packing_named(target: str) -> Packing | None:
    """The compression that the name of a result asks for."""
    return next((each for each in Packing if target.lower().endswith(each.ending)), None)


def promises_table(target: str) -> bool:
    """Whether a name ends like that of a table that is not compressed."""
    return PurePath(target).suffix.lower() in _TABLES | {".txt"}


def _is_json(head: bytes, name: str) -> bool:
    """Whether one of the first lines is a JSON object.

    Raises:
        BadFile: It is JSON, but not one object a line.
    """
    text = _as_text(head).lstrip("\ufeff").lstrip()
    if not text.startswith(("{", "[")):
        return False
    lines = [line for line in text[: 1 << 20].splitlines() if line.strip()]
    if any(map(_is_object, lines[:20])):
        return True
    if text.startswith("[") and text[1:].lstrip().startswith(("{", "[", '"', "]")):
        raise BadFile(
            f"{name} is one JSON array, not one object a line", remedy="jq -c '.[]' FILE | suppress check -"
        )
    if re.match(r'\{\s*("(?:[^"\\]|\\.)*"\s*:|\})', text):
        raise BadFile(f"{name} is JSON, but not one object a line", remedy="jq -c . FILE | suppress check -")
    return False


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line, parse_int=str), dict)
    except (ValueError, RecursionError):
        return False


def _as_text(head: bytes) -> str:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return head.decode("utf-16", "replace")
    return head.decode("utf-8", "replace")

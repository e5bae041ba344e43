"""Compressed files: whole, cut off, several in one, and not what they seem."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
import zlib

import zstandard

from tests.files.torture.case import Case, case

TEXT = b"email,name\npat@example.com,P\nnew@example.com,N\n"
JSON = b'{"email": "pat@example.com"}\n{"email": "new@example.com"}\n'
LONG = b"email\n" + b"".join(b"x%d@example.org\n" % number for number in range(3_000)) + b"pat@example.com\n"


def packed(content: bytes) -> bytes:
    """With gzip."""
    return gzip.compress(content, mtime=0)


def frame(content: bytes, **options: object) -> bytes:
    """With Zstandard."""
    return zstandard.ZstdCompressor(**options).compress(content)  # type: ignore[arg-type]  # from a table


def _gz(name: str, content: bytes, expected: str, ending: str = ".csv.gz", **reading: object) -> Case:
    return case(f"gzip: {name}", content, expected, ending, **reading)


def _zst(name: str, content: bytes, expected: str, ending: str = ".csv.zst") -> Case:
    return case(f"zstd: {name}", content, expected, ending)


def _named_inside() -> bytes:
    out = io.BytesIO()
    with gzip.GzipFile("list.csv", "wb", fileobj=out, mtime=5) as stream:
        stream.write(TEXT)
    return out.getvalue()


def _zip(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def _streamed() -> bytes:
    found = zstandard.ZstdCompressor().compressobj()
    return found.compress(TEXT) + found.flush()


CUT = packed(TEXT)
FRAME = frame(TEXT)
SKIPPED = b"\x5f\x2a\x4d\x18" + (4).to_bytes(4, "little") + b"none"

PACKED = [
    _gz("a list", CUT, "WK"),
    _gz("a long list", packed(LONG), "K" * 3_000 + "W"),
    _gz("with a name inside", _named_inside(), "WK"),
    _gz("named as CSV", CUT, "WK", ".csv"),
    _gz("JSON lines", packed(JSON), "WK", ".jsonl.gz"),
    _gz("UTF-16", packed(TEXT.decode().encode("utf-16")), "WK"),
    _gz("two members", packed(TEXT) + packed(b"pat@example.com,P\n"), "WKW"),
    _gz("a row across two members", packed(TEXT + b"pat@exam") + packed(b"ple.com,P\n"), "WKW"),
    _gz("an empty member between", packed(TEXT) + packed(b"") + packed(b"fine@example.org,F\n"), "WKK"),
    _gz("a thousand members", packed(TEXT) + packed(b"new@example.com,N\n") * 1000, "WK" + "K" * 1000),
    _gz("zero bytes behind", CUT + b"\0" * 512, "WK"),
    _gz("bytes behind", CUT + b"pat@example.com,P\n", "!follow bytes that are none"),
    _gz("one byte behind", CUT + b"x", "!follow bytes that are none"),
    _gz("half a header behind", CUT + b"\x1f\x8b", "!ends in the middle"),
    _gz("nothing inside", packed(b""), "!is empty"),
    _gz("a header only", CUT[:10], "!ends in the middle"),
    _gz("two bytes", CUT[:2], "!ends in the middle"),
    _gz("cut in the middle", CUT[:30], "!ends in the middle"),
    _gz("cut before its checksum", CUT[:-8], "!ends in the middle"),
    _gz("cut in its checksum", CUT[:-1], "!ends in the middle"),
    _gz("a wrong checksum", CUT[:-8] + b"\0\0\0\0" + CUT[-4:], "!cannot be unpacked"),
    _gz("a wrong length", CUT[:-4] + b"\0\0\0\0", "!cannot be unpacked"),
    _gz("a broken middle", packed(LONG)[:2000] + b"\xff" * 50 + packed(LONG)[2050:], "!cannot be unpacked"),
    _gz("an unknown method", b"\x1f\x8b\x00" + CUT[3:], "!cannot be unpacked"),
    _gz("packed twice", packed(CUT), "!compressed twice"),
    _gz("a bomb of NUL", packed(b"\0" * 30_000_000), "!full of NUL bytes"),
    _gz("a bomb of one line", packed(b"x" * 30_000_000), "!longer than 8 MiB"),
    _gz("a workbook inside", packed(_zip(mimetype=b"x")), "!inside gzip"),
    _gz("Parquet inside", packed(b"PAR1" + b"\0" * 99), "!inside gzip"),
    _gz("deflate without a header", zlib.compress(TEXT), "!"),
    _zst("a list", FRAME, "WK"),
    _zst("without its length", _streamed(), "WK"),
    _zst("with a checksum", frame(TEXT, write_checksum=True), "WK"),
    _zst("a long list", frame(LONG, level=19), "K" * 3_000 + "W"),
    _zst("JSON lines", frame(JSON), "WK", ".jsonl.zst"),
    _zst("two frames", FRAME + frame(b"pat@example.com,P\n"), "WKW"),
    _zst("a skipped frame in front", SKIPPED + FRAME, "WK"),
    _zst("a skipped frame behind", FRAME + SKIPPED, "WK"),
    _zst("bytes behind", FRAME + b"pat@example.com,P\n", "!follow bytes that are none"),
    _zst("cut in the middle", FRAME[:20], "!ends in the middle"),
    _zst("cut at its end", FRAME[:-1], "!ends in the middle"),
    _zst("its first bytes", FRAME[:4], "!ends in the middle"),
    _zst("a wrong checksum", frame(TEXT, write_checksum=True)[:-1] + b"\0", "!cannot be unpacked"),
    _zst("gzip behind it", FRAME + CUT, "!follow bytes that are none"),
    _zst("a bomb of NUL", frame(b"\0" * 30_000_000), "!full of NUL bytes"),
    _zst("nothing inside", frame(b""), "!is empty"),
    case("bzip2", bz2.compress(TEXT), "!compressed with bzip2", ".csv.bz2"),
    case("xz", lzma.compress(TEXT), "!compressed with xz", ".csv.xz"),
    case("a zip archive of a list", _zip(list=TEXT), "!zip archive, and no workbook", ".zip"),
    case("an empty zip archive", _zip(), "!no workbook", ".zip"),
    case("Numbers", _zip(**{"Index/Document.iwa": b"\0"}), "!Apple's Numbers", ".numbers"),
    case("SYLK", b'ID;PCALCOOO32\r\nC;X1;Y1;K"pat@example.com"\r\n', "!SYLK", ".slk"),
    case("DIF", b'TABLE\r\n0,1\r\n"EXCEL"\r\n1,0\r\n"pat@example.com"\r\n', "!DIF", ".dif"),
    case("7-Zip", b"7z\xbc\xaf\x27\x1c" + bytes(50), "!7-Zip", ".7z"),
    case("RAR", b"Rar!\x1a\x07\x00" + bytes(50), "!RAR", ".rar"),
    case("SQLite", b"SQLite format 3\x00" + bytes(84), "!SQLite", ".csv"),
    case("PDF", b"%PDF-1.7\npat@example.com\n", "!PDF", ".csv"),
    case("a picture", b"\x89PNG\r\n\x1a\n" + bytes(50), "!picture", ".csv"),
    case("RTF", b"{\\rtf1 pat@example.com}", "!RTF", ".csv"),
    case(
        "a web page", b"<!DOCTYPE html><table><tr><td>pat@example.com</td></tr></table>", "!web page", ".xls"
    ),
    case("a table of HTML", b"<table><tr><td>pat@example.com</td></tr></table>", "!web page", ".xls"),
    case("XML", b'<?xml version="1.0"?><Workbook/>', "!XML", ".xls"),
]

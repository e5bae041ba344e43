"""What the bytes of a contact file are: its character encoding, or the binary format that it really is.

Rules kept here:

* A byte order mark decides, then strict UTF-8, then Windows-1252, which is what spreadsheets on Windows
  write; a guess is always said. Detectors that weigh letter frequencies took short Windows-1252 samples
  for Windows-1250, so none is used.
* The whole file is read once before anything is written, in constant memory: a byte that cannot be
  decoded in line 900,000 is reported before the first row goes out.
* Only encodings without shift states are accepted, so that a run of rows encodes to the bytes it came from.
"""

from __future__ import annotations

import codecs
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from suppress.errors import BadFile, BadUsage

BLOCK = 1 << 18
"""Bytes read at a time. Rows of a block are in memory together, at some twenty times its size."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    # UTF-32-LE starts with the mark of UTF-16-LE, so it is looked for first.
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

_STATELESS = re.compile(
    r"ascii|utf-8|utf-(16|32)-(le|be)|cp\d+|iso8859-\d+|mac-\w+|koi8-[rtu]"
    r"|shift_jis|big5|gbk|gb2312|gb18030|euc_(jp|kr)|tis-620|hp-roman8|kz1048|ptcp154"
)

_SPREADSHEET = "open it in the spreadsheet program and save it as CSV (UTF-8), then give that file"
_PACKED = "unpack it first, or pipe it in: {tool} FILE | suppress check -"

_FORMATS: tuple[tuple[bytes, str, str], ...] = (
    (b"PK\x03\x04", "an Excel workbook or another zip archive", _SPREADSHEET),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook", _SPREADSHEET),
    (b"\x1f\x8b", "compressed with gzip", _PACKED.format(tool="gunzip -c")),
    (b"BZh", "compressed with bzip2", _PACKED.format(tool="bunzip2 -c")),
    (b"\xfd7zXZ\x00", "compressed with xz", _PACKED.format(tool="xz -dc")),
    (b"\x28\xb5\x2f\xfd", "compressed with Zstandard", _PACKED.format(tool="zstd -dc")),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "unpack it first"),
    (b"PAR1", "a Parquet file", "export it as CSV first"),
    (b"SQLite format 3\x00", "a SQLite database", "export the table as CSV first"),
    (b"%PDF-", "a PDF document", "export the list as CSV from the program that made it"),
    (b"\x89PNG", "a picture", "give a CSV file"),
    (b"\xff\xd8\xff", "a picture", "give a CSV file"),
)


@dataclass(frozen=True, slots=True)
class Encoding:
    """How the bytes become text. `mark` is the byte order mark, kept apart and written back."""

    codec: str
    mark: bytes = b""
    guess: str | None = None
    """Why it was chosen, when neither a mark nor strict UTF-8 nor the user decided; None otherwise."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What one pass over the whole file found."""

    encoding: Encoding
    digest: str
    """SHA-256 of the bytes, hexadecimal."""
    size: int


def survey(stream: BinaryIO, name: str, wanted: str | None = None) -> Survey:
    """Read `stream` once from its start and leave it there. `wanted` is the encoding the user named.

    Raises:
        BadFile: It is empty, of a binary format, or holds bytes outside its encoding (with the line).
        BadUsage: `wanted` is no encoding, or one that cannot keep bytes.
    """
    stream.seek(0)
    head = stream.read(BLOCK)
    _refuse_binary(head, name)
    mark, marked = _mark(head)
    if wanted is not None:
        encoding = Encoding(*_wanted(wanted, mark, marked))
    else:
        if not mark:
            _refuse_unmarked_utf16(head, name)
        encoding = Encoding(marked or "utf-8", mark)
    digest, size, bad = _validated(stream, encoding)
    if not size:
        raise BadFile(f"{name} is empty", remedy="check that the export finished")
    if bad is not None and wanted is None and not mark:
        reason = f"not UTF-8 (line {line_at(stream, bad, encoding)}), read as Windows-1252"
        encoding = Encoding("cp1252", guess=reason)
        _, _, bad = _validated(stream, encoding)
    if bad is not None:
        raise undecodable(stream, bad, encoding, name)
    stream.seek(0)
    return Survey(encoding, digest, size)


def undecodable(stream: BinaryIO, offset: int, encoding: Encoding, name: str) -> BadFile:
    """The error for the byte at `offset`, which does not belong to `encoding`."""
    line = line_at(stream, offset, encoding)
    stream.seek(offset)
    value = stream.read(1).hex()
    also = " nor UTF-8" if encoding.guess else ""
    return BadFile(
        f"{name}, line {line}: byte 0x{value} is not {encoding.codec}{also}",
        line=line,
        remedy="name the encoding the file was saved in: --encoding NAME",
    )


def line_at(stream: BinaryIO, offset: int, encoding: Encoding) -> int:
    """The number, from 1, of the physical line that holds the byte at `offset`."""
    stream.seek(len(encoding.mark))
    decoder = codecs.getincrementaldecoder(encoding.codec)("replace")
    left = offset - len(encoding.mark)
    ends, after_return = 0, False
    while left > 0 and (block := stream.read(min(BLOCK, left))):
        left -= len(block)
        text = decoder.decode(block)
        if not text:
            continue
        ends += text.count("\n") + text.count("\r") - text.count("\r\n")
        ends -= after_return and text.startswith("\n")
        after_return = text.endswith("\r")
    return ends + 1


def blocks(stream: BinaryIO, encoding: Encoding, name: str, offset: int = 0) -> Iterator[str]:
    """The text of the file after its mark, a block at a time; from the byte at `offset`, if that is later.

    Each block is encoded again and compared with the bytes it came from, so that whoever writes the text
    back writes these very bytes, whatever the encoding.

    Raises:
        BadFile: A byte is outside the encoding, or two byte sequences mean the same text.
    """
    start, pending = max(offset, len(encoding.mark)), b""
    stream.seek(start)
    decoder = codecs.getincrementaldecoder(encoding.codec)("strict")
    while True:
        block = stream.read(BLOCK)
        try:
            text = decoder.decode(block, final=not block)
        except UnicodeDecodeError as wrong:
            raise undecodable(stream, start + wrong.start, encoding, name) from wrong
        read = pending + block
        pending = decoder.getstate()[0]
        used = read[: len(read) - len(pending)]
        if text.encode(encoding.codec) != used:
            line = line_at(stream, start, encoding)
            raise BadFile(
                f"{name}, from line {line}: {encoding.codec} writes these characters in two ways, "
                "so rows could not be kept byte for byte",
                line=line,
                remedy="save the file as UTF-8, or name another --encoding",
            )
        start += len(used)
        if text:
            yield text
        if not block:
            return


def _validated(stream: BinaryIO, encoding: Encoding) -> tuple[str, int, int | None]:
    """Digest, size, and the offset of the first byte that does not decode (the digest is whole even so)."""
    stream.seek(0)
    digest, size, bad = hashlib.sha256(), 0, None
    decoder = codecs.getincrementaldecoder(encoding.codec)("strict")
    transparent = not encoding.codec.startswith("utf-16") and not encoding.codec.startswith("utf-32")
    skip = len(encoding.mark)
    pending = 0
    while True:
        block = stream.read(BLOCK)
        digest.update(block)
        body = block[skip:] if size == 0 else block
        start = size + (skip if size == 0 else 0)
        size += len(block)
        # Plain ASCII needs no decoder in any encoding accepted here but the wide ones.
        if bad is None and not (transparent and not pending and body.isascii() and block):
            try:
                decoder.decode(body, final=not block)
            except UnicodeDecodeError as wrong:
                bad = start - pending + wrong.start
            else:
                pending = len(decoder.getstate()[0])
        if not block:
            return digest.hexdigest(), size, bad


def _mark(head: bytes) -> tuple[bytes, str | None]:
    for mark, codec in _MARKS:
        if head.startswith(mark):
            return mark, codec
    return b"", None


def _wanted(wanted: str, mark: bytes, marked: str | None) -> tuple[str, bytes]:
    """The codec the user named, with the file's mark where the two agree."""
    try:
        codec = codecs.lookup(wanted).name
    except LookupError as unknown:
        raise BadUsage(
            f"--encoding {wanted}: no such encoding", remedy="utf-8, utf-16, cp1252, latin-1 and others work"
        ) from unknown
    if codec in {"utf-8-sig", "utf-16", "utf-32"}:
        plain = {"utf-8-sig": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}[codec]
        family = codec.removesuffix("-sig")
        codec = marked if marked is not None and marked.startswith(family) else plain
    if not _STATELESS.fullmatch(codec):
        raise BadUsage(
            f"--encoding {wanted}: rows in this encoding cannot be kept byte for byte",
            remedy="save the file as UTF-8",
        )
    return codec, mark if codec == marked else b""


def _refuse_binary(head: bytes, name: str) -> None:
    for magic, what, remedy in _FORMATS:
        if head.startswith(magic):
            raise BadFile(f"{name} is {what}, not a CSV file", remedy=remedy)


def _refuse_unmarked_utf16(head: bytes, name: str) -> None:
    """UTF-16 without its mark, and other files full of NUL bytes, are not guessed at."""
    sample = head[:4096]
    if sample.count(0) < max(2, len(sample) // 4):
        return
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if odd > 8 * even or even > 8 * odd:
        codec = "utf-16-le" if odd > even else "utf-16-be"
        raise BadFile(f"{name} looks like UTF-16 without a byte order mark", remedy=f"add --encoding {codec}")
    raise BadFile(f"{name} is full of NUL bytes: it is a binary file, not a CSV file", remedy=_SPREADSHEET)

"""How the bytes of a text file become characters, and characters the same bytes again.

Rules kept here:

* A byte order mark decides, then strict UTF-8, then Windows-1252, which is what spreadsheets on Windows
  write; a guess is always said. Detectors that weigh letter frequencies took short Windows-1252 samples
  for Windows-1250, so none is used.
* The whole file is read once before anything is written, in constant memory (of a pipe that is too long to be
  stored, its head).
* A byte that does not belong to the encoding spoils its row and no other: it becomes one of the characters
  that Python keeps for such bytes (PEP 383), which become the byte again. `spoilt` tells where they are.
* Only encodings without shift states are accepted, so that a run of rows encodes to the bytes it came from.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from suppress.errors import BadFile, BadUsage
from suppress.files.source import Bytes

BLOCK = 1 << 18
"""Bytes read at a time. Rows of a block are in memory together, at some twenty times its size."""

_GLANCED = 1 << 16
"""Bytes read at a time to see whether they can be decoded."""
_DECODED = 1 << 12
"""Bytes of these that are decoded together where one is not ASCII: their neighbours need not be."""

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

_WIDE = ("utf-16", "utf-32")
"""Encodings in which a byte is no character, so that a wrong one cannot be passed over."""

_KEPT_BYTE = re.compile("[\udc80-\udcff]")


@dataclass(frozen=True, slots=True)
class Encoding:
    """How the bytes become text. `mark` is the byte order mark, kept apart and written back."""

    codec: str
    mark: bytes = b""
    guess: str | None = None
    """Why it was chosen, when neither a mark nor strict UTF-8 nor the user decided; None otherwise."""

    sound: bool = True
    """Whether every byte was seen to belong to it."""

    @property
    def wide(self) -> bool:
        """Whether a character takes several bytes, always."""
        return self.codec.startswith(_WIDE)

    @property
    def errors(self) -> str:
        """What becomes of a byte that does not belong to it: the name of Python's way."""
        return "strict" if self.wide else "surrogateescape"

    def encoded(self, text: str) -> bytes:
        """Text as bytes; what the encoding lacks is written as an escape."""
        try:
            return text.encode(self.codec, self.errors)
        except UnicodeEncodeError:
            return text.encode(self.codec, _ESCAPING)


def spoilt(text: str) -> int | None:
    """The value of the first byte in `text` that did not belong to the encoding; None if all did."""
    found = None if text.isascii() else _KEPT_BYTE.search(text)
    return ord(found[0]) - 0xDC00 if found else None


def mended(text: str) -> str:
    """Text in which such bytes are replaced by the sign that means just that."""
    return text if text.isascii() else _KEPT_BYTE.sub("\ufffd", text)


def survey(stream: Bytes, name: str, wanted: str | None = None, limit: int | None = None) -> Encoding:
    """Read `stream` once from its start, as far as `limit`. `wanted` is the encoding the user named.

    Raises:
        BadFile: It is empty, or UTF-16 that cannot be.
        BadUsage: `wanted` is no encoding, or one that cannot keep bytes.
    """
    stream.seek(0)
    head = stream.read(BLOCK)
    if not head:
        raise BadFile(f"{name} is empty", remedy="check that the export finished")
    mark, marked = _mark(head)
    if wanted is not None:
        encoding = Encoding(*_wanted(wanted, mark, marked))
    else:
        if not mark:
            _refuse_unmarked_utf16(head, name)
        encoding = Encoding(marked or "utf-8", mark)
    bad = _first_bad(stream, encoding, limit)
    if bad is not None and encoding.wide:
        raise undecodable(stream, bad, encoding, name)
    if bad is not None and wanted is None and not mark:
        reason = f"not UTF-8 (line {line_at(stream, bad, encoding)}), read as Windows-1252"
        encoding = Encoding("cp1252", guess=reason)
        bad = _first_bad(stream, encoding, limit)
    return replace(encoding, sound=bad is None and limit is None)


def undecodable(stream: Bytes, offset: int, encoding: Encoding, name: str) -> BadFile:
    """The error for the byte at `offset`, which does not belong to `encoding`."""
    line = line_at(stream, offset, encoding)
    return BadFile(
        f"{name}, line {line}: bytes that are not {encoding.codec}",
        line=line,
        remedy="name the encoding the file was saved in: --encoding NAME",
    )


def line_at(stream: Bytes, offset: int, encoding: Encoding) -> int:
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


def blocks(stream: Bytes, encoding: Encoding, name: str, offset: int = 0) -> Iterator[str]:
    """The text of the file after its mark, a block at a time; from the byte at `offset`, if that is later.

    Each block is encoded again and compared with the bytes it came from, so that whoever writes the text
    back writes these very bytes, whatever the encoding.

    Raises:
        BadFile: The text is no UTF-16, or two byte sequences mean the same text.
    """
    start, pending, passed = max(offset, len(encoding.mark)), b"", 0
    stream.seek(start)
    decoder = codecs.getincrementaldecoder(encoding.codec)(encoding.errors)
    while True:
        block = stream.read(BLOCK)
        try:
            text = decoder.decode(block, final=not block)
            read = pending + block
            pending = decoder.getstate()[0]
            used = read[: len(read) - len(pending)]
            same = text.encode(encoding.codec, encoding.errors) == used
        except UnicodeError as wrong:
            raise BadFile(
                f"{name}, {_after(passed, offset)}: bytes that are not {encoding.codec}",
                remedy="name the encoding the file was saved in: --encoding NAME",
            ) from wrong
        if not same:
            raise BadFile(
                f"{name}, {_after(passed, offset)}: {encoding.codec} writes these characters in two ways, "
                "so rows could not be kept byte for byte",
                remedy="save the file as UTF-8, or name another --encoding",
            )
        passed += text.count("\n")
        if text:
            yield text
        if not block:
            return


def _after(passed: int, offset: int) -> str:
    """Where in a file, as far as a reader knows that cannot go back."""
    return f"after line {passed}" if not offset else "further down"


def _first_bad(stream: Bytes, encoding: Encoding, limit: int | None) -> int | None:
    """The offset of the first byte that does not decode."""
    decoder = codecs.getincrementaldecoder(encoding.codec)("strict")
    at, pending = len(encoding.mark), 0
    for piece in _pieces(stream, at, limit):
        # Plain ASCII needs no decoder in any encoding accepted here but the wide ones.
        if encoding.wide or pending or not piece.isascii():
            try:
                decoder.decode(piece)
            except UnicodeDecodeError as wrong:
                return at - pending + wrong.start
            pending = len(decoder.getstate()[0])
        at += len(piece)
    if limit is None or at < limit:
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError as wrong:
            return at - pending + wrong.start
    return None


def _pieces(stream: Bytes, start: int, limit: int | None) -> Iterator[bytes]:
    """The bytes from `start` on, as far as `limit`: little at a time where they are more than ASCII."""
    stream.seek(start)
    size = start
    while (limit is None or size < limit) and (block := stream.read(_GLANCED)):
        size += len(block)
        if block.isascii():
            yield block
        else:
            for at in range(0, len(block), _DECODED):
                yield block[at : at + _DECODED]


def _escaped(wrong: UnicodeError) -> tuple[str | bytes, int]:
    """Kept bytes as they were; other characters that an encoding lacks as escapes."""
    assert isinstance(wrong, UnicodeEncodeError)
    text = wrong.object[wrong.start : wrong.end]
    lacking = b"".join(
        bytes([byte]) if (byte := spoilt(each)) is not None else each.encode("ascii", "backslashreplace")
        for each in text
    )
    return lacking, wrong.end


_ESCAPING = "suppress.escaping"
codecs.register_error(_ESCAPING, _escaped)


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


def _refuse_unmarked_utf16(head: bytes, name: str) -> None:
    """UTF-16 without its mark, and other files full of NUL bytes, are not guessed at."""
    sample = head[:4096]
    if sample.count(0) < max(2, len(sample) // 4):
        return
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if odd > 8 * even or even > 8 * odd:
        codec = "utf-16-le" if odd > even else "utf-16-be"
        raise BadFile(f"{name} looks like UTF-16 without a byte order mark", remedy=f"add --encoding {codec}")
    raise BadFile(f"{name} is full of NUL bytes: it is no list of contacts")

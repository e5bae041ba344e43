"""Bytes: encodings, marks, NUL, what does not belong."""

from __future__ import annotations

import codecs
from typing import Any

from tests.files.torture.case import Case, case

TEXT = "email,name\r\npat@example.com,Zoë Ünal\r\nnew@example.com,Noël\r\ninfo@bücher.example,B\r\n"
ASCII = "email,name\npat@example.com,P\nnew@example.com,N\n"
H = b"email,name\n"


def _in(name: str, codec: str, mark: bytes = b"", **reading: Any) -> Case:
    return case(f"{name}", mark + TEXT.encode(codec), "WKW", **reading)


ENCODINGS = [
    _in("UTF-8", "utf-8"),
    _in("UTF-8 with mark", "utf-8", codecs.BOM_UTF8),
    _in("UTF-16 LE with mark", "utf-16-le", codecs.BOM_UTF16_LE),
    _in("UTF-16 BE with mark", "utf-16-be", codecs.BOM_UTF16_BE),
    _in("UTF-32 LE with mark", "utf-32-le", codecs.BOM_UTF32_LE),
    _in("UTF-32 BE with mark", "utf-32-be", codecs.BOM_UTF32_BE),
    _in("Windows-1252", "cp1252"),
    _in("Windows-1252, named", "cp1252", encoding="Windows-1252"),
    _in("ISO 8859-1, named", "latin-1", encoding="latin1"),
    _in("ISO 8859-15, named", "iso8859-15", encoding="iso-8859-15"),
    _in("Windows-1254, named", "cp1254", encoding="cp1254"),
    _in("Mac Roman, named", "mac-roman", encoding="macintosh"),
    _in("DOS 850, named", "cp850", encoding="cp850"),
    _in("DOS 437, named", "cp437", encoding="cp437"),
    _in("GB 18030, named", "gb18030", encoding="gb18030"),
    _in("UTF-16 LE without mark, named", "utf-16-le", encoding="utf-16-le"),
    _in("UTF-16 BE without mark, named", "utf-16-be", encoding="utf-16-be"),
    case("UTF-16 LE without mark", TEXT.encode("utf-16-le"), "!looks like UTF-16 without"),
    case("UTF-16 BE without mark", TEXT.encode("utf-16-be"), "!looks like UTF-16 without"),
    case("UTF-16 of an odd length", codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le") + b"x", "!not utf-16-le"),
    case(
        "UTF-16 with half a pair",
        codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le") + b"\x3d\xd8",
        "!not utf-16-le",
    ),
    case(
        "UTF-16 tabs as Excel saves them",
        codecs.BOM_UTF16_LE + TEXT.replace(",", "\t").encode("utf-16-le"),
        "WKW",
        ".txt",
    ),
    case("UTF-7", b"email,name\npat+AEA-example.com,P\n", "K"),
    case("UTF-7, named", ASCII.encode(), "!--encoding utf-7", encoding="utf-7"),
    case("EBCDIC, named", TEXT.encode("cp500"), "WKW", encoding="cp500"),
    case("no such encoding", ASCII.encode(), "!no such encoding", encoding="klingon"),
    case("ISO 2022, named", ASCII.encode(), "!byte for byte", encoding="iso2022_jp"),
    case(
        "Shift-JIS, named",
        "email,name\npat@example.com,山田\nnew@example.com,鈴木\n".encode("shift_jis"),
        "WK",
        encoding="shift_jis",
    ),
    case(
        "EUC-KR, named",
        "email,name\npat@example.com,김\nnew@example.com,이\n".encode("euc_kr"),
        "WK",
        encoding="euc-kr",
    ),
    case(
        "Shift-JIS, not named",
        "email,name\npat@example.com,山田\nnew@example.com,鈴木\n".encode("shift_jis"),
        "WK",
    ),
    case(
        "KOI8-R, named",
        "email,name\npat@example.com,Иван\nnew@example.com,Олег\n".encode("koi8-r"),
        "WK",
        encoding="koi8-r",
    ),
    case(
        "Excel on a Mac", "email,name\rpat@example.com\xa0,Zoë\rnew@example.com,N\r".encode("mac_roman"), "WK"
    ),
    case(
        "Excel, as MS-DOS", "email,name\npat@example.com\xa0,Zoë\nnew@example.com,N\n".encode("cp850"), "WK"
    ),
    case("cp1252 claimed to be UTF-8", TEXT.encode("cp1252"), "WKR", encoding="utf-8"),
    case("UTF-8 claimed to be cp1252", TEXT.encode(), "WKW", encoding="cp1252"),
    case("UTF-8 claimed to be ASCII", TEXT.encode(), "WKW", encoding="ascii"),
    case("UTF-8 claimed to be UTF-16", TEXT.encode()[: len(TEXT.encode()) // 2 * 2], "!", encoding="utf-16"),
]

MIXED = [
    case(
        "one cp1252 byte in UTF-8", H + "pat@example.com,Zoë\n".encode() + b"new@example.com,No\xebl\n", "WK"
    ),
    case(
        "an IDN in UTF-8 in a cp1252 file",
        H + "info@bücher.example,B\n".encode() + b"new@example.com,No\xebl\n",
        "WK",
    ),
    case(
        "an IDN in cp1252 in a UTF-8 file",
        H + "info@bücher.example,B\n".encode("cp1252") + "new@example.com,Noël\n".encode(),
        "WK",
    ),
    case(
        "a byte of no encoding in a name",
        H + b"pat@example.com,\x81\nnew@example.com,\x81\nfine@example.org,F\n",
        "WKK",
    ),
    case("a byte of no encoding in an address", H + b"p\x81at@example.com,P\nnew@example.com,N\n", "WK"),
    case("only a byte of no encoding", H + b"\x81,P\nnew@example.com,N\n", "RK"),
    case("a suppressed address beside such a byte", H + b"\x81,pat@example.com\nnew@example.com,N\n", "RK"),
    case(
        "bad bytes behind a mark",
        codecs.BOM_UTF8 + H + b"pat@example.com,\xff\nnew@example.com,N\n\xfe,x\n",
        "WKR",
    ),
    case("a cut character at the end", H + b"pat@example.com,P\nnew@example.com,No\xc3", "WK"),
    case("an overlong at sign", H + b"pat\xc1\x80example.com,P\nnew@example.com,N\n", "KK"),
    case("a surrogate in UTF-8", H + b"pat@example.com,\xed\xa0\x80\nnew@example.com,N\n", "WK"),
    case("mojibake of a name", H + "pat@example.com,ZoÃ«\nnew@example.com,NoÃ«l\n".encode(), "WK"),
    case("mojibake of an IDN", H + "info@bÃ¼cher.example,B\nnew@example.com,N\n".encode(), "WK"),
    case("replacement signs", H + "pat@example.com,Zo\ufffd\nnew@example.com,No\ufffdl\n".encode(), "WK"),
    case("private use characters", H + "pat@example.com,\ue000\nnew@example.com,\uf8ff\n".encode(), "WK"),
    case("emoji", H + "pat@example.com,😀\nnew@example.com,👨‍👩‍👧\n".encode(), "WK"),
    case("right to left", H + "pat@example.com,שלום\nnew@example.com,مرحبا\n".encode(), "WK"),
    case(
        "combining marks without end",
        H + ("pat@example.com,e" + "\u0301" * 500 + "\nnew@example.com,N\n").encode(),
        "WK",
    ),
    case(
        "a mark in the middle",
        H + "pat@example.com,P\n\ufeffpat@example.com,P\nnew@example.com,N\n".encode(),
        "WWK",
    ),
    case("two marks", codecs.BOM_UTF8 * 2 + ASCII.encode(), "WK"),
    case("a mark and nothing else", codecs.BOM_UTF8, "!holds no rows"),
    case("a UTF-16 mark and nothing else", codecs.BOM_UTF16_LE, "!holds no rows"),
    case("a mark before a quoted header", codecs.BOM_UTF8 + b'"email","name"\n"pat@example.com","P"\n', "W"),
    case("two files one after the other", (codecs.BOM_UTF8 + ASCII.encode()) * 2, "WKKWK"),
]

NUL = [
    case("NUL in a name", H + b"pat@example.com,P\0S\nnew@example.com,N\n", "WK"),
    case("NUL in a clear row", H + b"new@example.com,N\0\nfine@example.org,F\n", "RK"),
    case("NUL in an address", H + b"pat\0@example.com,P\nnew@example.com,N\n", "WK"),
    case("NUL behind an address", H + b"pat@example.com\0,P\nnew@example.com,N\n", "WK"),
    case("NUL in the header", b"em\0ail,name\npat@example.com,P\n", "!first row holds NUL"),
    case("NUL at the end", H + b"pat@example.com,P\nnew@example.com,N\n\0\0\0", "WKR"),
    case("NUL everywhere", b"\0\1\2\0\0\7" * 500, "!full of NUL bytes"),
    case("NUL only", b"\0" * 5000, "!full of NUL bytes"),
    case("control characters", H + b"pat@example.com,\x01\x02\x7f\nnew@example.com,\x1b[31m\n", "WK"),
    case("backspaces", H + b"pat@example.com\x08,P\nnew@example.com,N\n", "WK"),
]

"""JSON lines, and JSON that is none."""

from __future__ import annotations

import codecs
import json

from tests.files.torture.case import Case, case

PAT, NEW = '{"email": "pat@example.com"}', '{"email": "new@example.com"}'


def lines(name: str, content: str | bytes, expected: str, **reading: object) -> Case:
    """A case whose file is called as JSON lines are."""
    return case(f"JSON: {name}", content, expected, ".jsonl", **reading)


def _of(*values: object) -> str:
    return "".join(json.dumps(value) + "\n" for value in values)


OBJECTS = [
    lines("two people", f"{PAT}\n{NEW}\n", "WK"),
    lines("no last end", f"{PAT}\n{NEW}", "WK"),
    lines("CRLF", f"{PAT}\r\n{NEW}\r\n", "WK"),
    lines("with mark", codecs.BOM_UTF8 + f"{PAT}\n{NEW}\n".encode(), "WK"),
    lines("UTF-16", codecs.BOM_UTF16_LE + f"{PAT}\n{NEW}\n".encode("utf-16-le"), "WK"),
    lines("blank lines", f"\n{PAT}\n\n  \n{NEW}\n\n", "WK"),
    lines("spaces around", f"  {PAT}  \n\t{NEW}\t\n", "WK"),
    lines(
        "other names",
        _of({"id": 1, "E-Mail": "pat@example.com"}, {"id": 2, "E-Mail": "new@example.com"}),
        "WK",
    ),
    lines(
        "nested",
        _of({"person": {"email": "pat@example.com"}}, {"person": {"email": "new@example.com"}}),
        "WK",
    ),
    lines("in a list", _of({"emails": ["new@example.com", "pat@example.com"]}, {"emails": []}), "WK"),
    lines(
        "in a list of objects",
        _of({"emails": [{"value": "pat@example.com"}]}, {"emails": [{"value": "new@example.com"}]}),
        "WK",
    ),
    lines("deep", _of({"a": {"b": {"c": {"email": "pat@example.com"}}}}, {"a": {}}), "WK"),
    lines(
        "asked by path",
        _of({"a": {"b": "pat@example.com"}}, {"a": {"b": "new@example.com"}}),
        "WK",
        columns=("a.b",),
    ),
    lines("asked by a path that is not there", _of({"a": 1}), "!no column 'a.b'", columns=("a.b",)),
    lines(
        "two names of addresses",
        _of({"email": "new@example.com", "email2": "pat@example.com"}, {"email": "new@example.com"}),
        "WK",
    ),
    lines(
        "one name twice, the first suppressed",
        '{"email": "pat@example.com", "email": "new@example.com"}\n',
        "W",
    ),
    lines(
        "one name twice, the last suppressed",
        '{"email": "new@example.com", "email": "pat@example.com"}\n',
        "W",
    ),
    lines("an escaped at sign", '{"email": "pat\\u0040example.com"}\n' + NEW + "\n", "WK"),
    lines("an escaped letter", '{"email": "\\u0070at@example.com"}\n' + NEW + "\n", "WK"),
    lines("an escaped name", '{"\\u0065mail": "pat@example.com"}\n' + NEW + "\n", "WK"),
    lines("escaped slashes", '{"email": "pat@example.com", "u": "http:\\/\\/x"}\n' + NEW + "\n", "WK"),
    lines(
        "half a pair",
        '{"email": "pat@example.com", "n": "\\ud800"}\n{"email": "new@example.com", "n": "\\udfff"}\n',
        "WK",
    ),
    lines("half a pair in an address", '{"email": "p\\ud800at@example.com"}\n' + NEW + "\n", "WK"),
    lines("a NUL, escaped", '{"email": "pat@example.com\\u0000"}\n' + NEW + "\n", "WK"),
    lines("a NUL byte", f'{PAT}\n{{"email": "new@example.com", "n": "\0"}}\n', "WR"),
    lines("null", _of({"email": None}, {"email": "pat@example.com"}), "KW"),
    lines("a number as address", _of({"email": 5}, {"email": "pat@example.com"}), "KW"),
    lines("true as address", _of({"email": True}, {"email": "pat@example.com"}), "KW"),
    lines(
        "an object as address", _of({"email": {"x": "pat@example.com"}}, {"email": "new@example.com"}), "WK"
    ),
    lines(
        "a missing name",
        _of({"email": "new@example.com"}, {"name": "N"}, {"email": "pat@example.com"}),
        "KKW",
    ),
    lines(
        "a later name",
        _of(*[{"email": "new@example.com"}] * 300, {"Email address": "pat@example.com"}),
        "K" * 300 + "W",
    ),
    lines(
        "an address under an odd name",
        _of(*[{"email": "new@example.com"}] * 300, {"x": "pat@example.com"}),
        "K" * 300 + "R",
    ),
    lines(
        "a huge number",
        f'{{"n": {"9" * 9000}, "email": "pat@example.com"}}\n{{"n": 1e999999, "email": "new@example.com"}}\n',
        "WK",
    ),
    lines(
        "not a number",
        '{"n": NaN, "email": "pat@example.com"}\n{"n": -Infinity, "email": "new@example.com"}\n',
        "WK",
    ),
    lines(
        "nested too deep",
        f'{NEW}\n{{"x": {"[" * 100_000}{"]" * 100_000}, "email": "pat@example.com"}}\n',
        "KR",
    ),
    lines("a broken line", f'{NEW}\n{{"email": \n{PAT}\n', "KRW"),
    lines("a cut line with somebody", f'{NEW}\n{{"email": "pat@example.com", "na\n', "KR"),
    lines("a cut line of nobody's", f'{NEW}\n{{"email": "fine@example.org", "na\n', "KR"),
    lines("words", f"{NEW}\nhello\n{PAT}\n", "KRW"),
    lines("a list in a line", f'{NEW}\n["pat@example.com"]\n', "KR"),
    lines("a text in a line", f'{NEW}\n"pat@example.com"\n', "KR"),
    lines("a number in a line", f"{NEW}\n5\n", "KR"),
    lines("two objects in a line", f"{NEW}\n{PAT} {NEW}\n", "KR"),
    lines("a comma behind the object", f"{NEW},\n{PAT},\n{NEW}\n", "RRK"),
    lines("single quotes", f"{NEW}\n{{'email': 'pat@example.com'}}\n", "KR"),
    lines("empty objects", "{}\n{}\n" + PAT + "\n", "KKW"),
    lines("a bare carriage return", f"{PAT}\r{NEW}\r", "WK"),
    lines("U+2028 in a text", f'{PAT}\n{{"email": "new@example.com", "n": "a\u2028b"}}\n', "WK"),
    lines("a mark in the middle", f"{NEW}\n\ufeff{PAT}\n", "KW"),
    lines("a bad byte in a text", PAT.encode() + b'\n{"email": "new@example.com", "n": "\x81"}\n', "WK"),
    lines(
        "cp1252",
        '{"email": "pat@example.com", "n": "Zoë"}\n{"email": "new@example.com", "n": "Noël"}\n'.encode(
            "cp1252"
        ),
        "WK",
    ),
    lines("a display name", _of({"email": "Pat <pat@example.com>"}, {"email": "N <new@example.com>"}), "WK"),
    lines("an alias", _of({"email": "q.uit@gmail.com"}, {"email": "new@example.com"}), "RK"),
    lines("an IDN", _of({"email": "info@bücher.example"}, {"email": "new@example.com"}), "WK"),
    lines("no addresses", _of({"n": 1}, {"n": 2}), "!no name holds addresses"),
    lines("a list on one line", '[{"email": "pat@example.com"}]', "!is one JSON array"),
    lines("an object over many lines", '{\n  "email": "pat@example.com"\n}\n', "!not one object a line"),
    lines("a list over many lines", '[\n  {\n    "email": "pat@example.com"\n  }\n]\n', "!is one JSON array"),
    lines("a delimiter asked for", PAT, "!--delimiter says nothing", delimiter=";"),
    lines("a sheet asked for", PAT, "!--sheet says nothing", sheet="1"),
    case("JSON: named as CSV", f"{PAT}\n{NEW}\n", "WK"),
    case("JSON: a brace in CSV", "email,n\npat@example.com,{x}\nnew@example.com,{}\n", "WK"),
]

"""The part of SOQL that clients of this kind use: one object, and conditions with AND, OR, =, != and IN."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Values = Mapping[str, object]
Test = Callable[[Values], bool]


class Malformed(ValueError):
    """The statement is no SOQL, or more of it than is simulated."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement, parsed."""

    columns: tuple[str, ...]
    table: str
    fields: frozenset[str]
    """Every field that is named anywhere."""
    matches: Test
    sought: tuple[str, frozenset[str]] | None = None
    """A field and the values, in small letters, of which each row must have one: for an index."""


_TOKEN = re.compile(
    r"\s*(?:('(?:[^'\\]|\\.)*')|([A-Za-z_][A-Za-z0-9_.]*)|(!=|<>|[=(),])|([0-9]+))", re.DOTALL
)
_UNESCAPED = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


def parsed(text: str) -> Statement:
    """Raises Malformed."""
    parser = _Parser(_tokens(text))
    parser.expect("SELECT")
    columns = [parser.name()]
    while parser.taken(","):
        columns.append(parser.name())
    parser.expect("FROM")
    table = parser.name()
    matches: Test = _always
    if parser.taken("WHERE"):
        matches = parser.either()
    if parser.taken("LIMIT"):
        parser.next()
    if parser.left:
        raise Malformed("unexpected token")
    fields = frozenset({*columns, *parser.named})
    return Statement(tuple(columns), table, fields, matches, parser.sought)


def _always(_values: Values) -> bool:
    return True


def _tokens(text: str) -> list[str]:
    found, place = [], 0
    text = text.rstrip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise Malformed("unexpected token")
        found.append(match[0].strip() if not match[1] else match[1])
        place = match.end()
    return found


class _Parser:
    def __init__(self, tokens: list[str]) -> None:
        self.left = tokens[::-1]
        self.named: set[str] = set()
        self.sought: tuple[str, frozenset[str]] | None = None
        self._alternatives = False

    def next(self) -> str:
        if not self.left:
            raise Malformed("unexpected end")
        return self.left.pop()

    def taken(self, word: str) -> bool:
        if self.left and self.left[-1].upper() == word:
            self.left.pop()
            return True
        return False

    def expect(self, word: str) -> None:
        if not self.taken(word):
            raise Malformed(f"expecting {word}")

    def name(self) -> str:
        token = self.next()
        if not token[0].isalpha():
            raise Malformed("expecting a name")
        return token

    def either(self) -> Test:
        tests = [self.all_of()]
        while self.taken("OR"):
            self.sought, self._alternatives = None, True
            tests.append(self.all_of())
        return tests[0] if len(tests) == 1 else lambda values: any(test(values) for test in tests)

    def all_of(self) -> Test:
        tests = [self.condition()]
        while self.taken("AND"):
            tests.append(self.condition())
        return tests[0] if len(tests) == 1 else lambda values: all(test(values) for test in tests)

    def condition(self) -> Test:
        if self.taken("("):
            test = self.either()
            self.expect(")")
            return test
        field = self.name()
        self.named.add(field)
        if self.taken("IN"):
            self.expect("(")
            values = {self.value()}
            while self.taken(","):
                values.add(self.value())
            self.expect(")")
            texts = frozenset(each for each in values if isinstance(each, str))
            if not self._alternatives:
                self.sought = field, texts
            return lambda row: _compared(row.get(field)) in values
        operator, value = self.next(), self.value()
        if operator == "=":
            return lambda row: _compared(row.get(field)) == value
        if operator in ("!=", "<>"):
            return lambda row: _compared(row.get(field)) != value
        raise Malformed("unknown operator")

    def value(self) -> object:
        token = self.next()
        if token.startswith("'"):
            return _unquoted(token).lower()
        words: Mapping[str, object] = {"TRUE": True, "FALSE": False, "NULL": None}
        if token.upper() not in words:
            raise Malformed("unexpected value")
        return words[token.upper()]


def _unquoted(token: str) -> str:
    return re.sub(r"\\(.)", lambda found: _UNESCAPED.get(found[1], found[1]), token[1:-1], flags=re.DOTALL)


def _compared(value: object) -> object:
    return value.lower() if isinstance(value, str) else value

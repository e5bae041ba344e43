"""JSON lines: one object a line, and a row is a line.

Rules kept here:

* A column is a name in the objects, or a path of names with dots between them (`person.email`). Elements of a
  list stand under the path of the list, together.
* Any name that means an address counts, also one that first appears in the last line; `--column` names
  others.
* A name that stands twice in an object has two values, and both count: readers disagree which is meant.
* Kept lines leave as the bytes they came in. What is added to an object is written before its closing brace,
  so that its own names, numbers and spaces stay as they are. A line that is no object is wrapped in one.
"""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

from suppress.errors import BadFile, BadUsage
from suppress.files.columns import Columns, decided, folded, is_header, listed, means_address
from suppress.files.contacts import Reading
from suppress.files.encoding import mended
from suppress.files.kinds import OF_JSON_LINES, Kind
from suppress.files.packing import Packing
from suppress.files.records import Record, lines
from suppress.files.source import Bytes, Source
from suppress.files.text import TextFile, first_of

_WHOLE = "suppress_line"
"""The name under which a line is written that is no object."""


class _Object(list[tuple[str, object]]):
    """The names and values of a JSON object, also those that stand there twice."""


class JsonLinesFile(TextFile):
    """One file of JSON lines, open."""

    kind = Kind.JSON_LINES
    endings = (*OF_JSON_LINES, ".txt")

    def __init__(
        self,
        source: Source,
        stream: Bytes,
        packing: Packing | None,
        reading: Reading,
        *,
        need_addresses: bool,
    ) -> None:
        super().__init__(source, stream, packing, reading)
        found = itertools.chain.from_iterable(lines(self._blocks(), self.name))
        sample = [paths for line in first_of(found, len) if (paths := _paths(line)) is not None]
        names = tuple(dict.fromkeys(name for paths in sample for name in paths))
        self.width = len(names)
        self._asked = bool(reading.columns)
        self._places = {name: index for index, name in enumerate(names)}
        cells = [self._cells(paths) for paths in sample]
        self.columns = self._chosen(names, cells, reading, need_addresses)

    def batches(self) -> Iterator[list[Record]]:
        """All lines, in lists of some thousands."""
        return self.rest(0, 0)

    def rest(self, offset: int, before: int) -> Iterator[list[Record]]:
        """The lines from the byte at `offset` on, where one starts that has `before` ahead of it."""
        for batch in lines(self._blocks(offset), self.name, before=before):
            yield [self.record(each, line) for each, line in enumerate(batch, start=before + 1)]
            before += len(batch)

    def preamble(self, more: Sequence[str] = ()) -> str:
        """JSON lines have no header; `more` stands in each of them."""
        self._more = more
        return ""

    def extended(self, row: Record, more: Sequence[str]) -> str:
        """The object with more names at its end."""
        body = row.text.rstrip("\r\n")
        end = row.text[len(body) :] or "\n"
        added = dict(zip(self._more, more, strict=True))
        if row.held is None:
            whole = {_WHOLE: mended(body.lstrip("\ufeff")), **added}
            return json.dumps(whole, ensure_ascii=False) + end
        inside = body.rstrip().removesuffix("}").rstrip()
        joint = "" if inside.endswith("{") else ", "
        return f"{inside}{joint}{json.dumps(added, ensure_ascii=False)[1:]}{end}"

    def misshapen(self, row: Record) -> str | None:
        """Why a line is no row like the others, in words; None if it is."""
        if (wrong := self._spoilt(row)) is not None:
            return wrong
        if row.held is None:
            return "the line is no JSON object"
        if not any(self.addresses(row)) and not is_header(row.cells):
            return "an address stands under none of the usual names"
        return None

    def addresses(self, row: Record) -> list[str]:
        """What stands under the names of addresses, also under those that only this line has."""
        if row.held is None:
            return []
        cells = super().addresses(row)
        if isinstance(row.held, dict):
            cells += self._readable([text for name, text in row.held.items() if self.holds_address(name)])
        return [cell for cell in cells if cell]

    def holds_address(self, name: str) -> bool:
        """Whether what stands under a name is taken for an address."""
        if (place := self._places.get(name)) is not None:
            return place in self.columns.addresses
        return not self._asked and means_address(name)

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What was assumed about the file, one sentence each."""
        return (*self._about_columns(), "JSON lines", *self._about_text())

    def record(self, number: int, line: str) -> Record:
        """The row that a line is."""
        if not line.strip():
            return Record(number, line, [])
        paths = _paths(line)
        if paths is None:
            return Record(number, line, [line.strip()])
        beyond = {name: text for name, text in paths.items() if name not in self._places}
        return Record(number, line, [*self._cells(paths), *beyond.values()], held=beyond)

    def _cells(self, paths: Mapping[str, str]) -> list[str]:
        return [paths.get(name, "") for name in self._places]

    def _chosen(
        self, names: Sequence[str], sample: Sequence[Sequence[str]], reading: Reading, need: bool
    ) -> Columns:
        """The names of addresses: as the user said, whether or not the first lines have them, or as found."""
        known = {folded(name): name for name in names}
        missing = [each for each in reading.columns if folded(each) not in known and not each.isdecimal()]
        if missing and not known:
            raise BadUsage(f"there is no column {missing[0]!r}", remedy="the file has no names at all")
        if reading.columns or decided(names, sample) is not None:
            return self._columns(names, sample, reading, need)
        if need:
            raise BadFile(
                f"{self.name}: no name holds addresses; there is {listed(names, self.width)}",
                remedy="name it: --column NAME, or --column NAME.NAME",
            )
        return Columns(tuple(names), (), "by content")


def structure(line: str) -> list[tuple[str, ...]]:
    """The names in an object, each behind those that it stands under; none if the line is no object."""
    try:
        return list(_members(_object(line), ()))
    except (ValueError, RecursionError):
        return []


def named(names: Iterable[str]) -> str:
    """The path of names that stand under each other."""
    return functools.reduce(_below, names, "")


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _paths(line: str) -> dict[str, str] | None:
    """All texts of an object by their paths; None if the line is no object."""
    try:
        found = _object(line)
        return None if found is None else _flat(found)
    except (ValueError, RecursionError):
        return None


def _object(line: str) -> _Object | None:
    found = json.loads(
        line.lstrip("\ufeff"),
        object_pairs_hook=_Object,
        # Numbers are looked at as they stand: some are longer than Python reads.
        parse_int=str,
        parse_float=str,
        parse_constant=str,
    )
    return found if isinstance(found, _Object) else None


def _members(value: object, above: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    match value:
        case _Object():
            for name, each in value:
                yield (*above, name)
                yield from _members(each, (*above, name))
        case list():
            for each in value:
                yield from _members(each, above)


def _flat(found: _Object) -> dict[str, str]:
    texts: dict[str, list[str]] = {}
    _spread(found, "", texts)
    return {path: ", ".join(each) for path, each in texts.items()}


def _spread(value: object, path: str, texts: dict[str, list[str]]) -> None:
    match value:
        case str():
            texts.setdefault(path, []).append(_readable(value))
        case _Object():
            for name, each in value:
                _spread(each, _below(path, name), texts)
        case list():
            for each in value:
                _spread(each, path, texts)
        case None:
            texts.setdefault(path, [])
        case _:
            texts.setdefault(path, []).append("true" if value else "false")


def _readable(text: str) -> str:
    r"""Without halves of characters, which JSON can write (`\ud800`) and nothing else."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

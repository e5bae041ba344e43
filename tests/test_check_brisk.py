"""The brisk gate against the readable one: the same decisions and results, whatever the rows hold."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from suppress.check import Alias, Finding, Gate, Targets, check_file
from suppress.check.brisk import BLANK, DOUBTED, NOBODYS, Brisk, Glance, winnowed
from suppress.check.recognition import Recognition
from suppress.check.snapshot import current
from suppress.check.sorting import Engine
from suppress.check.telling import Saying
from suppress.core.address import Address, match_key
from suppress.core.mailing import ANY_MAIL, Mailing, MessageClass
from suppress.core.verdict import Ruling, Verdict
from suppress.errors import SuppressError
from suppress.files.contacts import ContactFile, Reading
from suppress.files.parquet import ParquetFile
from suppress.files.records import Record
from suppress.files.workbook import text_of
from suppress.ledger import Lookup
from tests.files.strategies import dirty_files
from tests.small_ledger import made, opened
from tests.test_check_fast import ALIASES, CLEAR, SUPPRESSED, someone

READABLE, BRISK = Engine(fast_from=1 << 60), Engine(fast_from=0)
MAILINGS = (ANY_MAIL, Mailing(message_class=MessageClass.TRANSACTIONAL))


@dataclass(frozen=True, slots=True)
class World:
    """A ledger that holds `SUPPRESSED`, and a folder."""

    lookup: Lookup
    folder: Path

    def glance(self, alias: Alias = Alias.REVIEW, mailing: Mailing = ANY_MAIL) -> Glance:
        return self.tools(alias, mailing)[0]

    def tools(self, alias: Alias = Alias.REVIEW, mailing: Mailing = ANY_MAIL) -> tuple[Glance, Saying]:
        found = current(self.lookup)
        assert found is not None
        snapshot, folding = found
        recognition = Recognition(self.lookup, snapshot, folding, aliases=alias is not Alias.IGNORE)
        return Glance(recognition, folding, mailing), Saying(recognition, mailing, datetime.now(UTC))

    def agree(
        self,
        path: Path,
        read: Callable[[Path], object],
        alias: Alias = Alias.REVIEW,
        reading: Reading | None = None,
        mailing: Mailing = ANY_MAIL,
        engine: Engine = BRISK,
        *,
        explain: bool = True,
    ) -> object:
        """Hold what a check by each engine leaves behind, or the error it ends with, against each other."""
        readable, brisk = (
            self._outcome(path, read, engine, alias, reading, mailing, explain)
            for engine in (READABLE, engine)
        )
        assert readable == brisk
        return readable

    def _outcome(
        self,
        path: Path,
        read: Callable[[Path], object],
        engine: Engine,
        alias: Alias,
        reading: Reading | None,
        mailing: Mailing,
        explain: bool,
    ) -> object:
        targets = {name: self.folder / f"{name}{path.suffix}" for name in ("kept", "withheld", "review")}
        findings: list[Finding] = []
        try:
            with ContactFile.open(str(path), reading) as contacts:
                done = check_file(
                    contacts,
                    self.lookup,
                    None,
                    actor="test",
                    targets=Targets(**{name: str(each) for name, each in targets.items()}),
                    alias=alias,
                    mailing=mailing,
                    offline=True,
                    explain=findings.append if explain else None,
                    engine=engine,
                )
        except SuppressError as refused:
            return type(refused), str(refused)
        return replace(done, seq=None), {name: read(each) for name, each in targets.items()}, findings


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    with opened(made(folder, SUPPRESSED)) as (lookup, _):
        yield World(lookup, folder)


dirt = st.text(alphabet='aé.,;" \n\r\0-@!\x85\u2028', max_size=8)
cell = st.one_of(someone, someone, dirt, st.tuples(someone, dirt).map("".join))


# --- The glance ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("new@example.com", NOBODYS),
        ("  New@Example.com ", NOBODYS),
        ("", BLANK),
        ("   ", BLANK),
        ("pat@example.com", DOUBTED),
        ("new@example.com\npat@example.com", DOUBTED),
        ('"new@example.com"', DOUBTED),
        ('"', DOUBTED),
        ("\r", DOUBTED),
        ("\0", DOUBTED),
        ("\n", DOUBTED),
        ("new@example.com\r", DOUBTED),
        ("jörg@example.com", BLANK),
        ("new@bücher.example", NOBODYS),
        ("o'new@example.com", DOUBTED),
        ("jörg.straße@bücher.example", DOUBTED),
        ("\ud800", DOUBTED),
        (" " * 2_001, DOUBTED),
        (" " * 2_000 + "new@example.com", DOUBTED),
        ("x" * 100_000 + "@example.com", DOUBTED),
    ],
)
def test_a_cell_is_known_only_where_it_is_certain(world: World, text: str, expected: int) -> None:
    """And it changes nothing for the cells before and behind it."""
    glance = world.glance()
    cells = ["new@example.com", "", "pat@example.com"]
    assert [expected] == glance.at_texts([text]).known.tolist()

    found = glance.at_texts([*cells, text, *cells])
    around = [NOBODYS, BLANK, DOUBTED]
    assert [*around, expected, *around] == found.known.tolist()


def test_texts_of_any_length_are_looked_at_in_little_memory(world: World) -> None:
    """A cell that is no address for its length is not read to its end."""
    cells = ["x" * 5_000_000, "new@example.com", "y@\n" * 2_000_000, "pat@example.com"]

    assert [DOUBTED, NOBODYS, DOUBTED, DOUBTED] == world.glance().at_texts(cells).known.tolist()


def test_nothing_is_said_of_no_cells(world: World) -> None:
    """As in a batch of blank rows."""
    assert [] == world.glance().at_texts([]).known.tolist()


# --- Rows of any format ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def workbook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ContactFile]:
    path = tmp_path_factory.mktemp("book") / "list.xlsx"
    book(path, [["email", "name", "e-mail 2"], ["a@example.com", "n", "b@example.com"]])
    with ContactFile.open(str(path)) as contacts:
        assert (0, 2) == contacts.columns.addresses
        yield contacts


def book(path: Path, rows: Sequence[Sequence[object]]) -> None:
    with xlsxwriter.Workbook(str(path)) as written:
        sheet = written.add_worksheet()
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)


value = st.one_of(cell, cell, st.integers(), st.floats(), st.booleans(), st.dates(date(1900, 1, 1)))


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    rows=st.lists(st.lists(value, max_size=4), max_size=12),
    alias=st.sampled_from(Alias),
    mailing=st.sampled_from(MAILINGS),
)
@example(rows=[[" " * 2_001], ["x" * 2_001 + "@example.com"]], alias=Alias.REVIEW, mailing=ANY_MAIL)
def test_both_gates_decide_alike(
    rows: list[list[str]], alias: Alias, mailing: Mailing, world: World, workbook: ContactFile
) -> None:
    """Whatever a sheet's cells hold: line breaks, numbers, several addresses, nothing."""
    records = [Record(number, "", [text_of(each) for each in row]) for number, row in enumerate(rows)]
    gate = Gate(workbook, world.lookup, alias, mailing)
    brisk = Brisk(workbook, world.lookup, alias, mailing, *world.tools(alias, mailing))

    assert gate.decide(records) == brisk.decide(records)


def test_only_rows_in_doubt_reach_the_readable_gate(world: World, workbook: ContactFile) -> None:
    """Whoever is told by a card does not, if the row holds no other address."""
    gate = Gate(workbook, world.lookup, Alias.REVIEW)
    reached: list[Address] = []

    class Asked:
        def verdicts(self, addresses: Sequence[Address], mailing: Mailing = ANY_MAIL) -> list[Verdict]:
            reached.extend(addresses)
            return world.lookup.verdicts(addresses, mailing)

    rows = [
        [f"visitor{number}@{domain}", "", ""]
        for number in range(200)
        for domain in ("example.com", "gmail.com", "mail.example.co.uk")
    ]
    rows += [
        ["Pat@Example.com", "", "new@example.com"],
        ["Kim <new@example.com>"],
        ["x@a.example", "", ALIASES[0]],
    ]
    records = [Record(number, "", row) for number, row in enumerate([["pat@example.com"], ["", "x"], *rows])]
    brisk = Brisk(workbook, Asked(), Alias.REVIEW, ANY_MAIL, *world.tools())
    decided = brisk.decide(records)

    assert gate.decide(records) == decided
    asked = ["pat@example.com", "new@example.com", "new@example.com", "x@a.example", match_key(ALIASES[0])]
    assert asked == [each.key for each in reached if "@" in each.key]


def test_a_workbook_gives_the_same_results(world: World, tmp_path: Path) -> None:
    """Read from the file, and written to files."""
    rows = [[each, number] for number, each in enumerate((*SUPPRESSED, *ALIASES, *CLEAR, "n/a", "=1+1"))]
    book(tmp_path / "list.xlsx", [["Email", "n"], *rows, [], [date(2024, 1, 2)]])

    def read(path: Path) -> object:
        with ContactFile.open(str(path), need_addresses=False) as contacts:
            return [list(row.cells) for batch in contacts.batches() for row in batch]

    for alias in Alias:
        world.agree(tmp_path / "list.xlsx", read, alias)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    content=dirty_files(someone), alias=st.sampled_from(Alias), codec=st.sampled_from(["utf-16", "utf-32"])
)
def test_files_of_wide_characters_give_the_same_results(
    content: bytes, alias: Alias, codec: str, world: World
) -> None:
    """Whatever stands in them."""
    path = world.folder / "list.csv"
    path.write_bytes(content.decode().encode(codec))

    world.agree(path, Path.read_bytes, alias)


# --- JSON lines ------------------------------------------------------------------------------------------

name = st.sampled_from(["email", "Email", "name", "a.b", "e-mail", "mail status"])
json_value = st.recursive(
    st.one_of(cell, cell, st.none(), st.booleans(), st.integers(), st.floats()),
    lambda below: st.one_of(st.lists(below, max_size=2), st.dictionaries(name, below, max_size=2)),
    max_leaves=4,
)
json_row = st.tuples(cell, st.dictionaries(name, json_value, max_size=3)).map(
    lambda drawn: {"email": drawn[0], **drawn[1]}
)
json_line = st.one_of(
    st.tuples(json_row, st.booleans()).map(lambda drawn: json.dumps(drawn[0], ensure_ascii=drawn[1])),
    st.tuples(json_row, json_row).map(lambda two: json.dumps(two[0])[:-1] + ", " + json.dumps(two[1])[1:]),
    json_row.map(lambda row: json.dumps(row, separators=(",", ":"))[:-1]),
    dirt,
)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    lines=st.lists(json_line, max_size=8),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    alias=st.sampled_from(Alias),
    reading=st.sampled_from([Reading(), Reading(columns=("email",)), Reading(encoding="cp1252")]),
)
def test_json_lines_give_the_same_results(
    lines: list[str], end: str, alias: Alias, reading: Reading, world: World
) -> None:
    """Objects with any names and values, names that stand twice, and lines that are no objects."""
    path = world.folder / "list.jsonl"
    path.write_bytes(end.join(['{"email": "new@example.com"}', *lines]).encode("utf-8", "surrogatepass"))

    world.agree(path, Path.read_bytes, alias, reading)


# --- Parquet ---------------------------------------------------------------------------------------------

KINDS = (
    pa.string(),
    pa.large_string(),
    pa.binary(),
    pa.string_view(),
    pa.binary_view(),
    pa.dictionary(pa.int32(), pa.string()),
    pa.dictionary(pa.int8(), pa.large_string()),
    pa.list_(pa.string()),
    pa.struct([("value", pa.string())]),
)


def stored(kind: pa.DataType, text: str | None) -> object:
    """A text as a value of that type."""
    if text is None:
        return None
    text = text.encode("utf-8", "replace").decode()
    if pa.types.is_list(kind):
        return text.split(",")
    if pa.types.is_struct(kind):
        return {"value": text}
    return text.encode() if kind in (pa.binary(), pa.binary_view()) else text


def tables(path: Path) -> object:
    table = pq.read_table(path)
    return table.schema.to_string(), table.to_pylist()


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    rows=st.lists(st.tuples(st.none() | cell, st.none() | cell), max_size=12),
    kinds=st.tuples(st.sampled_from(KINDS), st.none() | st.sampled_from(KINDS)),
    alias=st.sampled_from(Alias),
    mailing=st.sampled_from(MAILINGS),
    group=st.sampled_from([1, 3, 100]),
    explain=st.booleans(),
)
def test_parquet_gives_the_same_results(
    rows: list[tuple[str | None, str | None]],
    kinds: tuple[pa.DataType, pa.DataType | None],
    alias: Alias,
    mailing: Mailing,
    group: int,
    explain: bool,
    world: World,
) -> None:
    """Texts of any type, alone or in lists and fields, in one column or two."""
    rows = [("new@example.com", "x@example.org"), *rows]
    columns = {
        name: pa.array([stored(kind, row[place]) for row in rows], kind)
        for place, (name, kind) in enumerate(zip(("email", "email 2"), kinds, strict=True))
        if kind is not None
    }
    path = world.folder / "list.parquet"
    pq.write_table(pa.table({**columns, "n": range(len(rows))}), path, row_group_size=group)

    world.agree(path, tables, alias, mailing=mailing, explain=explain)


def test_only_rows_in_doubt_are_made_of_columns(world: World, tmp_path: Path) -> None:
    """Whoever is told by a card is counted, and written, in columns too."""
    people = ["new@example.com", "Pat@Example.com", None, "jörg@example.com", "Pat <new@example.com>"]
    pq.write_table(pa.table({"email": people}), tmp_path / "list.parquet")
    glance, saying = world.tools()
    with ContactFile.open(str(tmp_path / "list.parquet")) as contacts:
        assert isinstance(contacts, ParquetFile)
        gate = Gate(contacts, world.lookup, Alias.REVIEW)
        (part,) = winnowed(contacts, gate, glance, saying, explain=False)

    assert (3, 2, [1], [4]) == (part.clear, part.invalid, part.told, part.places)
    assert [(Ruling.SUPPRESSED, 1)] == [(decision.ruling, number) for decision, number in part.counted]
    assert ["Pat <new@example.com>"] == [row.cells[0] for row in part.rows]


def test_long_parquet_files_keep_their_order(world: World, tmp_path: Path) -> None:
    """Rows of many batches, whole and with holes, in results of several groups."""
    people = [f"visitor{number}@example.com" for number in range(300_000)]
    people[5::7_000] = [SUPPRESSED[0]] * len(people[5::7_000])
    people[6::70_000] = [ALIASES[0]] * len(people[6::70_000])
    path = tmp_path / "list.parquet"
    pq.write_table(
        pa.table({"email": people, "n": range(len(people)), "long": ["é" * 20] * len(people)}), path
    )
    world.agree(path, pq.read_table, explain=False)

    kept = pq.read_table(world.folder / "kept.parquet")
    assert [n for n, each in enumerate(people) if each.startswith("v")] == kept.column("n").to_pylist()


def test_columns_of_a_result_have_a_dictionary_where_the_file_has_one(world: World, tmp_path: Path) -> None:
    """One that is tried in vain costs time and space."""
    people = [f"visitor{number}@example.com" for number in range(2_000)]
    table = pa.table({"email": people, "town": ["Springfield"] * len(people)})
    pq.write_table(table, tmp_path / "list.parquet", use_dictionary=["town"])
    world.agree(tmp_path / "list.parquet", tables)

    group = pq.ParquetFile(world.folder / "kept.parquet").metadata.row_group(0)
    assert [False, True] == [group.column(each).has_dictionary_page for each in range(2)]


@pytest.mark.parametrize("kind", [pa.string(), pa.binary(), pa.dictionary(pa.int32(), pa.string())])
def test_an_address_that_is_no_text_is_reviewed(world: World, tmp_path: Path, kind: pa.DataType) -> None:
    """Parquet files may hold texts that are not UTF-8: such an address may be anybody's."""
    texts = [b"p\xfft@example.com", b"new@example.com", b"pat@example.com"]
    column = pa.array(texts, pa.binary())
    if kind != pa.binary():
        offsets, content = column.buffers()[1:]
        column = pa.Array.from_buffers(pa.string(), len(texts), [None, offsets, content])
    column = column.dictionary_encode() if pa.types.is_dictionary(kind) else column
    pq.write_table(pa.table({"email": column}), tmp_path / "list.parquet")
    done = world.agree(tmp_path / "list.parquet", lambda each: pq.ParquetFile(each).metadata.num_rows)

    assert isinstance(done, tuple)
    assert {"kept": 1, "withheld": 1, "review": 1} == done[1]
    assert "cannot be read" in done[2][0].decision.doubt

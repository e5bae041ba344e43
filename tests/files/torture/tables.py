"""Parquet: types, nests, row groups, damage."""

from __future__ import annotations

import io

import pyarrow as pa
import pyarrow.parquet as pq

from tests.files.torture.case import Case, case

PEOPLE = ["pat@example.com", "new@example.com"]


def parquet(table: pa.Table, **options: object) -> bytes:
    """A table as Parquet."""
    out = io.BytesIO()
    pq.write_table(table, out, **options)
    return out.getvalue()


def _of(name: str, expected: str, ending: str = ".parquet", **columns: object) -> Case:
    return case(f"Parquet: {name}", parquet(pa.table(columns)), expected, ending)


def _typed(name: str, kind: pa.DataType) -> Case:
    return _of(f"{name} addresses", "WK", email=pa.array(PEOPLE, pa.string()).cast(kind), n=[1, 2])


PLAIN = parquet(pa.table({"email": PEOPLE, "n": [1, 2]}))
MANY = pa.table({"email": [f"x{n}@example.org" for n in range(9_999)] + ["pat@example.com"]})
NESTED = pa.array([{"email": each, "n": 1} for each in PEOPLE])

TABLES = [
    case("Parquet: two people", PLAIN, "WK", ".parquet"),
    case("Parquet: named as CSV", PLAIN, "WK", ".csv"),
    _typed("large", pa.large_string()),
    _typed("binary", pa.binary()),
    _of("dictionary addresses", "WK", email=pa.array(PEOPLE).dictionary_encode()),
    _of("view addresses", "WK", email=pa.array(PEOPLE, pa.string_view())),
    *(
        _of(f"{name} between others", "KWKWK", email=pa.array(["a@x.org", *PEOPLE, *PEOPLE], kind))
        for name, kind in {"string_view": pa.string_view(), "binary_view": pa.binary_view()}.items()
    ),
    _of("nulls", "KWK", email=[None, *PEOPLE], n=[None, 1, 2]),
    _of("only nulls", "!no column holds addresses", x=pa.array([None, None], pa.string())),
    _of("a column of null type", "WK", email=PEOPLE, n=pa.nulls(2)),
    _of("a struct", "WK", person=NESTED),
    _of("a list", "WKK", emails=[["fine@example.org", "pat@example.com"], ["new@example.com"], []]),
    _of("a list of structs", "WK", emails=[[{"value": each}] for each in PEOPLE]),
    _of("a list of lists", "WK", emails=[[["pat@example.com"]], [["new@example.com"], []]]),
    _of(
        "a map",
        "WK",
        email=pa.array([[("home", each)] for each in PEOPLE], pa.map_(pa.string(), pa.string())),
    ),
    _of(
        "a map beside",
        "WK",
        email=PEOPLE,
        m=pa.array([[("a", "b")], None], pa.map_(pa.string(), pa.string())),
    ),
    _of("two columns", "WK", email=["new@example.com", "new@example.com"], email2=["pat@example.com", None]),
    _of(
        "dates and decimals",
        "WK",
        email=PEOPLE,
        d=pa.array([0, 1], pa.date32()),
        t=pa.array([0, 1], pa.timestamp("ns", "UTC")),
    ),
    _of("an alias", "RK", email=["q.uit@gmail.com", "new@example.com"]),
    _of("display names", "WK", email=["Pat <pat@example.com>", "N <new@example.com>"]),
    _of("no addresses", "!no column holds addresses", n=[1, 2]),
    _of("no rows", "!holds no rows", email=pa.array([], pa.string())),
    case("Parquet: no columns", parquet(pa.table({})), "!holds no rows", ".parquet"),
    case(
        "Parquet: row groups of one",
        parquet(pa.table({"email": PEOPLE * 3}), row_group_size=1),
        "WKWKWK",
        ".parquet",
    ),
    case("Parquet: many rows", parquet(MANY, row_group_size=3_000), "K" * 9_999 + "W", ".parquet"),
    case("Parquet: gzip", parquet(MANY, compression="gzip"), "K" * 9_999 + "W", ".parquet"),
    case("Parquet: zstd", parquet(MANY, compression="zstd"), "K" * 9_999 + "W", ".parquet"),
    case("Parquet: not compressed", parquet(MANY, compression="none"), "K" * 9_999 + "W", ".parquet"),
    case(
        "Parquet: version 1.0",
        parquet(MANY, version="1.0", data_page_version="1.0"),
        "K" * 9_999 + "W",
        ".parquet",
    ),
    case(
        "Parquet: column by name",
        parquet(pa.table({"a": PEOPLE, "email": ["x@y.example"] * 2})),
        "WK",
        ".parquet",
        columns=("a",),
    ),
    case("Parquet: column by path", parquet(pa.table({"a": NESTED})), "WK", ".parquet", columns=("a.email",)),
    case("Parquet: a column that is not there", PLAIN, "!no column 'x'", ".parquet", columns=("x",)),
    case("Parquet: a delimiter", PLAIN, "!--delimiter says nothing", ".parquet", delimiter=";"),
    case("Parquet: a header", PLAIN, "!--header says nothing", ".parquet", header=False),
    case("Parquet: cut off", PLAIN[:-20], "!damaged", ".parquet"),
    case("Parquet: its first bytes", b"PAR1", "!damaged", ".parquet"),
    case("Parquet: without its middle", PLAIN[:40] + PLAIN[80:], "!damaged", ".parquet"),
    case("Parquet: zeros in its pages", PLAIN[:8] + bytes(60) + PLAIN[68:], "!damaged", ".parquet"),
    case("Parquet: bytes behind", PLAIN + b"x", "!damaged", ".parquet"),
    case("Parquet: encrypted", b"PARE" + bytes(90), "!encrypted", ".parquet"),
    case("Avro", b"Obj\x01" + bytes(90), "!Avro", ".avro"),
    case("ORC", b"ORC" + bytes(90), "!ORC", ".orc"),
    case("Arrow", b"ARROW1\0\0" + bytes(90), "!Arrow", ".arrow"),
]

"""The scan of JSON lines against the readable reader: what it is certain of is what that finds."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from suppress.check.brisk import Glance
from suppress.check.fast import physical
from suppress.check.objects import Lines, Names, scan
from suppress.check.recognition import Recognition
from suppress.check.snapshot import current
from suppress.check.sorting import Engine
from suppress.check.vocabulary import Sieve, Vocabulary, suits
from suppress.core.mailing import ANY_MAIL
from suppress.files.contacts import ContactFile, Reading
from suppress.files.jsonlines import JsonLinesFile
from tests.small_ledger import made, opened
from tests.test_check_brisk import World, json_line, world
from tests.test_check_fast import SUPPRESSED

__all__ = ["world"]

FIRST = '{"email": "a@b.example", "n": 1, "to": {"mail": "x", "tags": [{"email": null}]}, "é": 1, "a\\b": 2}'


@pytest.fixture(scope="module")
def contacts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JsonLinesFile]:
    path = tmp_path_factory.mktemp("lines") / "list.jsonl"
    path.write_text(f"{FIRST}\n", "utf-8")
    with ContactFile.open(str(path)) as found:
        assert suits(found)
        yield found


@pytest.fixture(scope="module")
def vocabulary(contacts: JsonLinesFile) -> Vocabulary:
    found = Vocabulary(contacts)
    assert found.learn([FIRST, '{"Email": 1, "e-mail": 1, "mail status": 1, "a.b": 1, "name": {"a": 1}}'])
    return found


def scanned(vocabulary: Vocabulary, text: str, *, sound: bool = True) -> Lines:
    content = text.encode("utf-8", "surrogatepass")
    return scan(content, len(content), vocabulary.names, sound=sound)


def cells(found: Lines) -> list[list[str]]:
    """The cells of each line."""
    texts = found.cells.decode().split("\n")[:-1]
    return [
        [text for text, owner in zip(texts, found.owners.tolist(), strict=True) if owner == number]
        for number in range(len(found.rows))
    ]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('{"email": "p@x.example"}', ["p@x.example"]),
        (' \t{ "email"\t:"p@x.example" , "n":[ ] , "to" : { } } \t', ["p@x.example"]),
        ('{"n": {"n": 1}, "email": "p@x.example"}', []),
        (
            '{"email": "p@x.example", "to": {"mail": "q@x.example", "tags": [{}, [], "t", 1]}}',
            ["p@x.example", "q@x.example"],
        ),
        ('{"to": {"tags": [{"email": "p@x.example"}, {"email": null}]}}', ["p@x.example"]),
        ('{"to": {"tags": [{"email": "p@x.example"}, {"email": "q@x.example"}]}}', []),
        ('{"email": "p@x.example", "email": "q@x.example"}', []),
        ('{"email": "", "email": "q@x.example"}', []),
        ('{"email": ["p@x.example", null]}', ["p@x.example"]),
        ('{"email": ["p@x.example", "q@x.example"]}', []),
        ('{"email": ""}', []),
        ('{"email": null}', []),
        ('{"email": 1}', []),
        ('{"email": true}', []),
        ('{"n": "p@x.example"}', []),
        ('{"email": "p@x.example", "é": "é"}', ["p@x.example"]),
        ('{"email": "p\\u0040x.example"}', []),
        ('{"\\u0065mail": "p@x.example", "email": "q@x.example"}', []),
        ('{"email": "p@x.example", "n": "\\u00e9\\" \\\\ \\/ \\b\\f\\n\\r\\t"}', ["p@x.example"]),
        ('{"email": "p@x.example", "n": "\\x"}', []),
        ('{"email": "p@x.example", "n": "\\u00g9"}', []),
        ('{"email": "p@x.example", "n": "\\u00"}', []),
        ('{"email": "p@x.example", "n": "\t"}', []),
        ('{"email": "p@x.example", "n": "\x7f"}', ["p@x.example"]),
        ('{"email": "p@x.example", "a\\b": 1}', []),
        ('{"email": "p@x.example", "unknown": 1}', []),
        ('{"email": "p@x.example",}', []),
        ('{,"email": "p@x.example"}', []),
        ('{"email": "p@x.example" "n": 1}', []),
        ('{"email" "p@x.example"}', []),
        ('{"email": "p@x.example", "n": [1,]}', []),
        ('{"email": "p@x.example", "n": [1}', []),
        ('{"email": "p@x.example", "n": {"n"}}', []),
        ('{"email": "p@x.example", n: 1}', []),
        ('{"email": "p@x.example"', []),
        ('{"email": "p@x.example', []),
        ('{"email": "p@x.example"}}', []),
        ('{"email": "p@x.example"} {}', []),
        ('["email", "p@x.example"]', []),
        ('"email"', []),
        ("", []),
        ("  ", []),
        ('\ufeff{"email": "p@x.example"}', []),
        ('{"email": "p@x.example", "n": ' + "[" * 20 + "]" * 20 + "}", []),
        ('{"email": "p@x.example", "n": ' + "[" * 15 + "]" * 15 + "}", ["p@x.example"]),
        ('{"email": "' + "x" * 200 + '", "n": "' + "y" * 129 + '"}', ["x" * 200]),
    ],
)
def test_a_line_is_certain_or_it_is_not(vocabulary: Vocabulary, line: str, expected: list[str]) -> None:
    """And it changes nothing for the lines around it, wherever it breaks off."""
    usual = '{"email": "new@x.example"}'
    new = ["new@x.example"]

    assert [expected] == cells(scanned(vocabulary, f"{line}\n"))
    for end in ("\n", "\r\n", "\r"):
        assert [new, expected, new] == cells(scanned(vocabulary, end.join([usual, line, usual]) + "\n"))


@pytest.mark.parametrize(
    ("number", "fine"),
    [
        *(
            (each, True)
            for each in (
                "0",
                "-0",
                "12",
                "-1.50",
                "1e5",
                "1.0E-10",
                "9" * 300,
                "0e+0",
                "true",
                "false",
                "null",
            )
        ),
        *((each, False) for each in ("01", "-", "+1", ".5", "1.", "1e", "1e+", "--1", "0x1", "1_0", "١")),
        *(
            (each, False)
            for each in ("NaN", "Infinity", "-Infinity", "True", "nul", "falsey", "nulll", "true1")
        ),
    ],
)
def test_numbers_are_those_of_json(vocabulary: Vocabulary, number: str, fine: bool) -> None:
    """Python reads a few others, which are left to it."""
    found = scanned(vocabulary, f'{{"email": "p@x.example", "n": {number}}}\n')

    assert [["p@x.example"] if fine else []] == cells(found)


def test_bytes_that_may_belong_to_no_character_leave_a_line_in_doubt(vocabulary: Vocabulary) -> None:
    """Where the file is not sound, wherever they stand."""
    lines = [
        '{"email": "p@x.example", "é": 1}',
        '{"email": "p@x.example", "n": "é"}',
        '{"email": "p@x.example"}',
    ]
    text = "\n".join([*lines, ""])

    assert [["p@x.example"]] * 3 == cells(scanned(vocabulary, text))
    assert [[], [], ["p@x.example"]] == cells(scanned(vocabulary, text, sound=False))


changes = st.lists(
    st.tuples(
        st.integers(0, 200),
        st.integers(0, 1),
        st.sampled_from(['"', "\\", "{", "}", "[", "]", ",", ":", "\r", "0", "e", ".", "-", "é", ""]),
    ),
    max_size=2,
)


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(lines=st.lists(st.tuples(json_line, changes), max_size=6), end=st.sampled_from(["\n", "\r\n", "\r"]))
def test_what_is_certain_is_what_the_readable_engine_finds(
    lines: list[tuple[str, list[tuple[int, int, str]]]],
    end: str,
    vocabulary: Vocabulary,
    contacts: JsonLinesFile,
) -> None:
    """The same cells in rows that are not misshapen; and all lines, where they stand."""
    written = []
    for line, changed in lines:
        for place, gone, more in changed:
            line = line[:place] + more + line[place + gone :]  # noqa: PLW2901 - changed step by step
        written.append(line)
    text = "".join(f"{line}{end}" for line in written).encode("utf-8", "replace").decode() + "\n"
    found = scanned(vocabulary, text)
    texts = [text.encode()[start:stop].decode() for start, stop in found.rows[:, :2].tolist()]

    assert physical(text) == texts
    for number, (line, own) in enumerate(zip(texts, cells(found), strict=True)):
        if found.rows[number, 2] > 0:
            row = contacts.record(number, line)
            assert contacts.misshapen(row) is None
            assert sorted(own) == sorted(contacts.addresses(row))


_DIRT = (
    '{"email": "p@x.example", "n": [1, -2.5e+3, true, false, null, {}], "to": {"mail": "q\\u00e9"}}\r\n'
    ' \t{"to" : {"tags":[{"email":null},{"email":"r@x.example"}]},"n":"\\"\\\\"}\r{"email": "x", "new": 0}\n'
    '{"email": "' + "x" * 70 + '", "n": "é\\n", "n": [[[[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]]]]}\n'
).encode()


def digest() -> str:
    """Of all that the scan says about some lines, cut off at each of their bytes."""
    found = hashlib.sha256()
    names = ["email", "n", "to", "mail", "tags", "email"]
    parents, columns = [-1, -1, -1, 2, 2, 4], [0, -1, -1, 1, -1, 2]
    known = Names(
        np.array([np.frombuffer(each.encode().ljust(64, b"\0"), "<u8") for each in names]),
        *(np.array(each, np.int64) for each in ([len(each) for each in names], parents, columns)),
    )
    for size in range(len(_DIRT) + 1):
        content = _DIRT[:size] + b'\n{"email": "p@x.example"}\n'
        for sound in (True, False):
            lines = scan(content, len(content), known, sound=sound)
            found.update(lines.rows.tobytes() + lines.cells + lines.owners.tobytes())
    return found.hexdigest()


def test_machine_code_does_what_the_python_says_and_stays_within_bounds() -> None:
    """Run as Python, where a place outside of an array is an error."""
    code = "import numpy, tests.test_check_objects as t; numpy.seterr(over='ignore'); print(t.digest())"
    plain = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=False,
    )

    assert digest() == plain.stdout.strip(), plain.stderr


# --- In files --------------------------------------------------------------------------------------------


LINES = [
    '{"email": "new@example.com", "n": 1}',
    '{"email": "Pat@Example.com", "name": "Zo\\u00e9"}',
    "",
    '{"email": "new@example.com", "late": {"Mail": "pat@example.com"}}',
    '{"email": "new@example.com", "late": {"Mail": "new@example.org"}}',
    '{"email": "é@example.com"}',
    "no object pat@example.com",
    '{"email": "al.s.mith@gmail.com"}\r{"email": "new@example.com"}',
    '{"email": "x@y.example", "n": [1, {"é": "é"}]}',
]


@pytest.mark.parametrize("block", [1, 30, 64, 200, 1 << 20])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("members", [1, 2])
def test_a_block_may_end_anywhere(world: World, tmp_path: Path, block: int, end: str, members: int) -> None:
    """Also in the middle of a line, a character or a line end; and the last line may lack its end."""
    path = tmp_path / "list.jsonl"
    for mark in (b"", b"\xef\xbb\xbf"):
        for last in ("", end, "\r"):
            path.write_bytes(mark + (end.join(LINES * 3) + last).encode())
            world.agree(path, Path.read_bytes, engine=Engine(0, block, members))


@pytest.mark.parametrize("codec", ["cp1252", "utf-16", "latin-1"])
def test_other_encodings_agree(world: World, tmp_path: Path, codec: str) -> None:
    """Those in which a byte is no character are read by rows."""
    path = tmp_path / "list.jsonl"
    reading = Reading(encoding="iso8859-1" if codec == "latin-1" else None)
    content = "\n".join(LINES).encode(codec)
    path.write_bytes(content)
    world.agree(path, Path.read_bytes, reading=reading, engine=Engine(0, 64))
    if codec == "cp1252":
        path.write_bytes(
            content + b'\n{"email": "\x81@example.com"}\n{"\x81": 1, "email": "new@example.com"}\n'
        )
        world.agree(path, Path.read_bytes, engine=Engine(0, 64))


def test_a_line_that_never_ends_is_left_to_the_readable_engine(world: World, tmp_path: Path) -> None:
    """It is longer than some blocks."""
    path = tmp_path / "list.jsonl"
    path.write_text("\n".join([*LINES, json.dumps({"email": "new@example.com", "x": "y" * 5_000}), *LINES]))

    world.agree(path, Path.read_bytes, engine=Engine(0, 64))


def test_more_names_than_can_be_known_cost_time_and_nothing_else(world: World, tmp_path: Path) -> None:
    """Names that are numbers, long names, more columns of addresses than there are bits."""
    rows: list[dict[str, object]] = [
        {"email": "new@example.com", f"n{number}": number} for number in range(400)
    ]
    rows += [{"email": "new@example.com", f"email {number}": "pat@example.com"} for number in range(80)]
    rows += [{"email": "new@example.com", "x" * 65: {"email": "pat@example.com"}}]
    rows += [{"email": "new@example.com", "": {"email": "pat@example.com"}, "a.b": 1, "a": {"b": 2}}]
    path = tmp_path / "list.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows[::-1] + rows))

    world.agree(path, Path.read_bytes, engine=Engine(0, 1_000))


def test_a_column_that_was_asked_for_is_the_only_one(world: World, tmp_path: Path) -> None:
    """By its name or its path."""
    path = tmp_path / "list.jsonl"
    rows = [{"to": {"who": "pat@example.com", "email": "new@example.com"}, "email": "new@example.com"}] * 3
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    for column in ("to.who", "to.email", "email"):
        world.agree(path, Path.read_bytes, reading=Reading(columns=(column,)), engine=Engine(0, 50))


def test_clean_lines_never_reach_the_readable_engine(tmp_path: Path) -> None:
    """Also those with names that the first lines do not have."""
    path = tmp_path / "list.jsonl"
    rows: list[dict[str, object]] = [
        {"email": f"Visitor{number}@Gmail.com", "n": None} for number in range(500)
    ]
    rows += [
        {"email": f"v{number}@example.com", "later": {"mail": [""]}, "Name": "é"} for number in range(500)
    ]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    with opened(made(tmp_path, SUPPRESSED)) as (lookup, _), ContactFile.open(str(path)) as contacts:
        found = current(lookup)
        assert found is not None
        assert suits(contacts)
        recognition = Recognition(lookup, found[0], found[1], aliases=True)
        sieve = Sieve(contacts, Glance(recognition, found[1], ANY_MAIL), block=1 << 14)
        blocks = [block for block in sieve.blocks(*sieve.start()) if not isinstance(block, list)]

    assert [] == [row.text for block in blocks for row in block.rows]
    assert len(rows) == sum(block.clear for block in blocks)

"""The scan cuts and reads a block as the readable engine and a regular expression do, one row at a time."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from suppress.check.filter import Aliases, Reach
from suppress.check.hashing import Folding
from suppress.check.known import Known
from suppress.check.scan import EMPTY, LONGEST, LOOSE, UNREAD, Scanned, Scanner, doubtful, shape
from suppress.core.aliases import alias_of, providers
from suppress.core.domains import DomainRule, DomainRules
from suppress.core.suppression import EVERYTHING, Channel, Reason
from suppress.errors import BadFile
from suppress.files.dialect import Dialect
from suppress.files.records import Record, records

FOLDING = Folding(b"a secret")

# What the head of `suppress.check.scan` calls plain.
PLAIN = re.compile(
    r"[A-Za-z0-9]+(?:[._+-][A-Za-z0-9]+)*@(?=[^.]*\.)[A-Za-z0-9]+(?:[.-][A-Za-z0-9]+)*(?<=[A-Za-z])"
)

_PIECES = ("pat@example.com", "Pat.B+c@Ex-ample.co.uk", '"', '""', ",", ";", "\n", "\r\n", "\r", "\0", " ")
texts = st.lists(
    st.one_of(
        st.sampled_from(_PIECES),
        st.sampled_from(
            ('"pat@example.com"', '" pat@example.com "', ",,", "é", "a@b.c", "a..b@c.de", "\n\n")
        ),
        st.text('aB1.-_+@ ,"é', max_size=8),
        st.text("ab.", min_size=40, max_size=60).map(lambda text: f"{text}@example.com"),
        st.integers(50, 140).map(lambda many: "x" * many),
    ),
    max_size=30,
).map("".join)


def scanned(content: bytes, delimiter: str, width: int, columns: list[int], *, sound: bool = True) -> Scanned:
    return Scanner(shape(delimiter, width, columns, sound=sound), FOLDING.odd).scan(content)


def readable(text: str, delimiter: str) -> list[Record]:
    blocks = [text] if text else []
    return [row for batch in records(blocks, Dialect(delimiter), "list.csv") for row in batch]


@settings(max_examples=600)
@given(
    text=texts, delimiter=st.sampled_from((",", ";", "", ",", ";", "", ".", "@", " ", "a")), data=st.data()
)
@example(text="a@b.cd" + "e" * 51 + ",a@b.cd" + "e" * 50 + "\n", delimiter=",", data=None)
@example(text='a@b.c,"x\ny",1\r\n"\n', delimiter=",", data=None)
@example(text='"a"b,c\n"a" ,c\na@b.c ,"""\n', delimiter=",", data=None)
def test_rows_and_cells_are_those_of_the_readable_engine(
    text: str, delimiter: str, data: st.DataObject | None
) -> None:
    """Where each row is, on which line, whether its cells are certain, and what each address cell is."""
    width = 1 if not delimiter else data.draw(st.integers(1, 5)) if data else 2
    columns = data.draw(st.sets(st.integers(0, width - 1), min_size=1).map(sorted)) if data else [0]
    content = text.encode()
    found = scanned(content, delimiter, width, columns)
    try:
        rows = readable(content[: found.end].decode(), delimiter)
    except BadFile:
        # Text behind a quote that closed on a later line: the file is refused, once that row is read.
        assert LOOSE in found.rows[:, 3]
        return
    positions = np.cumsum([0, *(len(row.text.encode()) for row in rows)]).tolist()
    last = rows[-1] if rows else None
    ends = (last.line + last.text.count("\n") + re.sub("\r\n", "", last.text).count("\r")) if last else 1

    assert ends - 1 == found.lines
    filled = [(row, at) for row, at in zip(rows, positions, strict=False) if row.text.strip("\r\n")]
    assert [(at, at + len(row.text.encode()), row.line - 1) for row, at in filled] == [
        tuple(each[:3]) for each in found.rows.tolist()
    ]
    for (row, _), (*_, first) in zip(filled, found.rows.tolist(), strict=True):
        if first == LOOSE:
            assert len(row.cells) != width or '"' in row.text or "\0" in row.text
            continue
        assert (width, None, None) == (len(row.cells), row.spanning, row.held)
        assert "\0" not in row.text
        for index, (start, stop, number) in zip(columns, found.cells[first:].tolist(), strict=False):
            cell = row.cells[index]
            written = content[start:stop].decode()
            assert cell == (written[1:-1].replace('""', '"') if written.startswith('"') else written)
            bare = cell.strip(" ")
            plain = PLAIN.fullmatch(bare) is not None and len(bare) <= LONGEST
            # A delimiter within quotes may be what an address is made of.
            strange = (not written.startswith('"') and written.endswith('"')) or delimiter in (*".@a ",)
            assert (number >= 0, number == EMPTY) == (plain, not bare) or (number == UNREAD and strange)
            if number >= 0:
                assert [bare] == found.plain.some(np.array([number])).texts()
                assert FOLDING.of_keys([bare.lower()])[0] == found.plain.hashes[number]


@given(text=texts)
def test_only_an_open_quote_ends_it_before_the_last_line_end(text: str) -> None:
    """So that what is left over is read again with what follows, and nothing else is."""
    content = text.encode()
    found = scanned(content, ",", 2, [0])
    whole = content.rfind(b"\n") + 1
    rest = content[found.end : whole].decode()

    if rest:
        with pytest.raises(BadFile, match=r"a quote opens here and is not closed"):
            readable(rest, ",")
    else:
        assert found.end == whole


@given(text=texts, columns=st.sampled_from(([0], [1], [0, 1])), data=st.data())
def test_a_row_is_clear_only_if_no_cell_of_it_is_in_doubt(
    text: str, columns: list[int], data: st.DataObject
) -> None:
    """Every row is either counted as clear, with or without an address, or handed over."""
    wanted = shape(",", 2, columns, sound=True)
    found = Scanner(wanted, FOLDING.odd).scan(text.encode())
    met = np.array(
        data.draw(st.lists(st.booleans(), min_size=(n := len(found.plain.starts)), max_size=n)), bool
    )
    numbers, invalid = doubtful(found, met, wanted)

    said, empty = [], 0
    for row, (*_, first) in enumerate(found.rows.tolist()):
        cells = found.cells[first : first + len(columns), 2].tolist() if first != LOOSE else [UNREAD]
        if any(each == UNREAD or (each >= 0 and met[each]) for each in cells):
            said.append(row)
        else:
            empty += all(each == EMPTY for each in cells)
    assert (said, empty) == (numbers.tolist(), invalid)


def test_bytes_that_may_not_belong_to_the_encoding_spoil_their_row() -> None:
    """In any cell, in quotes or not, where the encoding was not seen to be sound."""
    content = 'a@b.co,é\na@b.co,"é"\na@b.co,x\n'.encode()

    assert [LOOSE, LOOSE, 0] == scanned(content, ",", 2, [0], sound=False).rows[:, 3].tolist()
    assert [0, 1, 2] == scanned(content, ",", 2, [0]).rows[:, 3].tolist()


def test_a_larger_block_makes_room_for_itself() -> None:
    """And what the one before held is not mixed with it."""
    scanner = Scanner(shape(",", 1, [0], sound=True), FOLDING.odd)
    small, large = b"a@b.co\n" * 3, b"a@b.c\n" * 5_000 + b"x\n" * 5_000

    assert [3, 10_000, 3] == [len(scanner.scan(each).rows) for each in (small, large, small)]
    assert [3, 5_000] == [len(scanner.scan(each).plain.starts) for each in (small, large)]


# --- Sets -------------------------------------------------------------------------------------------------

_NUMBERS = st.one_of(
    st.integers(0, (1 << 64) - 1), st.integers(0, 40), st.integers((1 << 64) - 40, (1 << 64) - 1)
)


@settings(max_examples=200)
@given(held=st.lists(_NUMBERS, max_size=2_000), asked=st.lists(_NUMBERS, max_size=50))
def test_a_set_knows_its_hashes_however_they_are_spread(held: list[int], asked: list[int]) -> None:
    """Also equal ones, and such as stand nowhere near where they should."""
    hashes = np.sort(np.array(held, np.uint64))
    asked += held[:20]
    known = Known(hashes)
    found = np.zeros(len(asked), bool)
    known.mark(np.array(asked, np.uint64), found)
    ordered = sorted(held)

    assert [each in held for each in asked] == found.tolist()
    assert [ordered.index(each) if each in held else -1 for each in asked] == known.places(
        np.array(asked, np.uint64)
    ).tolist()


_DOMAINS = st.sampled_from([*providers(), "kim.fastmail.com", "fastmail.com.example.org", "example.com"])


@settings(max_examples=200)
@given(
    keys=st.lists(
        st.tuples(st.from_regex(r"[a-c1]{1,9}([._+-][a-c1]{1,9}){0,2}", fullmatch=True), _DOMAINS), min_size=1
    ),
    held=st.data(),
)
def test_aliases_are_selected_as_they_are_defined(keys: list[tuple[str, str]], held: st.DataObject) -> None:
    """Whose alias key is held is selected; whose is not, is not, but at subdomains that are names."""
    addresses = ["@".join(each) for each in keys]
    aliases = {alias.key for each in addresses if (alias := alias_of(each))}
    some = held.draw(st.sets(st.sampled_from(sorted(aliases)))) if aliases else set()
    cells = scanned("".join(f"{each.upper()}\n" for each in addresses).encode(), "", 1, [0]).plain
    found = np.zeros(len(addresses), bool)
    Aliases([Known(np.sort(FOLDING.of_keys(sorted(some))))], FOLDING).mark(cells, found)

    for address, selected in zip(addresses, found.tolist(), strict=True):
        alias = alias_of(address)
        named = address.endswith(".fastmail.com")
        assert selected == (named or (alias is not None and alias.key in some)), address


def rule_at(domain: str, *, subdomains: bool) -> DomainRule:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return DomainRule(
        7, domain, subdomains, Channel.EMAIL, EVERYTHING, Reason.REQUESTED, "manual", "asked", now, "kim"
    )


def test_domain_rules_reach_as_far_as_they_say() -> None:
    """One domain, or all below it too, by whole names; names that no plain cell can be at do no harm."""
    rules = DomainRules(
        [
            rule_at("example.com", subdomains=False),
            rule_at("corp.example", subdomains=True),
            rule_at("long" * 20 + ".example", subdomains=True),
        ]
    )
    asked = {
        "a@example.com": True,
        "a@shop.example.com": False,
        "a@corp.example": True,
        "a@b.c.Corp.Example": True,
        "a@mycorp.example": False,
        "a@corp.example.org": False,
    }
    cells = scanned("".join(f"{each}\n" for each in asked).encode(), "", 1, [0]).plain
    found = np.zeros(len(asked), bool)
    Reach(rules, FOLDING).mark(cells, found)

    assert list(asked.values()) == found.tolist()


# --- Machine code and Python ------------------------------------------------------------------------------

_DIRT = (
    b'Email,Name\na@b.co,"x\r\ny"\n"a@b.co",\0\n" A.B+c@d-e.fr " ,1\n"a""b@c.de",2\r\rp@q.rs,"un\n'
    b"closed\n,,,\n\xc3\xa9@b.co,\n" + b"x" * 70 + b'@y.zz,\na@b.co,"' + b'y,""' * 40 + b'"\n"\n'
)


def digest() -> str:
    """Of all that the scan, sets and filters say about some dirt, cut off at each of its bytes."""
    found = hashlib.sha256()
    scanner = Scanner(shape(",", 2, [0], sound=True), FOLDING.odd)
    sets = [Known(np.sort(FOLDING.of_keys(["ab@gmail.com"])))]
    for size in range(len(_DIRT) + 1):
        block = scanner.scan(_DIRT[:size] + b"\nal.b+x@gmail.com,1\n")
        met = np.zeros(len(block.plain.starts), bool)
        Aliases(sets, FOLDING).mark(block.plain, met)
        numbers, invalid = doubtful(block, met, shape(",", 2, [0], sound=True))
        for each in (block.rows, block.cells, *block.plain[2:], met, numbers):
            found.update(each.tobytes())
        found.update(repr([*map(int, (block.end, block.lines, invalid))]).encode())
    return found.hexdigest()


def said(tmp_path: Path, **settings: str) -> str:
    """What another process says of the dirt, with these settings of numba."""
    code = "import numpy, tests.test_check_scan as t; numpy.seterr(over='ignore'); print(t.digest())"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path), **settings},
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or done.stderr


def test_machine_code_does_what_the_python_says_and_stays_within_bounds(tmp_path: Path) -> None:
    """Run as Python, where a place outside of an array is an error."""
    assert digest() == said(tmp_path, NUMBA_DISABLE_JIT="1")


def test_a_processor_that_can_do_less_says_the_same(tmp_path: Path) -> None:
    """Made for the oldest there are, which look at sixteen bytes by an instruction."""
    assert digest() == said(tmp_path, NUMBA_CPU_NAME="generic", NUMBA_CPU_FEATURES="")


def test_where_machine_code_cannot_be_kept_it_is_made_anew(tmp_path: Path) -> None:
    """An installation and a home that nobody may write to: it takes longer, and works."""
    code = (
        "import numba.core.caching as c\n"
        "c.CacheImpl._locator_classes = []\n"
        "from suppress.check.hashing import Folding\n"
        "print(*Folding(b'a secret').of_keys(['pat@example.com']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )

    assert str(FOLDING.of_keys(["pat@example.com"])[0]) == done.stdout.strip()

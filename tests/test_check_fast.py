"""The fast engine against the readable one: the same rows, bytes and words, whatever the file."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from suppress.check import Alias, Finding, Targets, check_file
from suppress.check.fast import Sieve, suits
from suppress.check.recognition import Recognition
from suppress.check.sifting import Pass
from suppress.check.snapshot import current
from suppress.check.sorting import Engine
from suppress.core.address import addresses_in, match_key
from suppress.core.mailing import ANY_MAIL
from suppress.core.verdict import Tier
from suppress.errors import SuppressError
from suppress.files.contacts import ContactFile, Reading
from suppress.ledger import Ledger, Lookup
from tests.core.address_variants import CELLS, VARIANTS
from tests.files.strategies import dirty_files
from tests.small_ledger import made, opened
from tests.strategies import address_strings, spellings

READABLE = Engine(fast_from=1 << 60)
BLOCKS = (24, 64, 200, 1 << 20)

SUPPRESSED = (
    "pat@example.com",
    "o'neil+list@shop.example.org",
    "jörg.straße@bücher.example",
    "al.smith@gmail.com",
    "dan-x@yahoo.com",
    "kim@fastmail.com",
    "zoe_q@proton.me",
    "a.b@icloud.com",
    "ya@ya.ru",
    "no-at-all",
)
ALIASES = (
    "alsmith@gmail.com",
    "A.L.Smith+news@GoogleMail.com",
    "dan-y@yahoo.com",
    "news@kim.fastmail.com",
    "kim@kim.fastmail.com",
    "x@kimm.fastmail.com",
    "zoe.q+1@pm.me",
    "a.b+c@mac.com",
    "ab@me.com",
    "ya@yandex.com",
    "kim+x@fastmail.com",
    "new.one@gmail.com",
)
CLEAR = (
    "new@example.com",
    "patricia@example.com",
    "pat@example.org",
    "first.last@mail.example.co.uk",
    "x@y.c0m",
    "a@1.2.3.4a",
)
BROKEN = ("", "   ", "n/a", "@", "two@@example.com", ".dot@example.com", "a@x", "pat@example.com,x@y.example")

someone = st.one_of(
    st.sampled_from(SUPPRESSED),
    st.sampled_from(ALIASES),
    st.sampled_from(ALIASES),
    st.sampled_from(CLEAR),
    st.sampled_from(CLEAR).map(str.upper),
    st.sampled_from((*SUPPRESSED, *CLEAR)).flatmap(spellings),
    st.sampled_from(BROKEN),
    address_strings(),
    address_strings(ascii_only=True),
)


@dataclass(frozen=True, slots=True)
class World:
    """A ledger that holds `SUPPRESSED`."""

    lookup: Lookup
    ledger: Ledger
    folder: Path

    def outcome(
        self, content: bytes, engine: Engine, alias: Alias = Alias.REVIEW, reading: Reading | None = None
    ) -> object:
        """All that a check of a file leaves behind, or the error it ends with."""
        path = self.folder / "list.csv"
        path.write_bytes(content)
        targets = {name: str(self.folder / f"{name}.csv") for name in ("kept", "withheld", "review")}
        findings: list[Finding] = []
        try:
            with ContactFile.open(str(path), reading) as contacts:
                done = check_file(
                    contacts,
                    self.lookup,
                    self.ledger,
                    actor="test",
                    targets=Targets(**targets),
                    alias=alias,
                    explain=findings.append,
                    engine=engine,
                )
        except SuppressError as refused:
            return type(refused), str(refused)
        return (
            replace(done, seq=None),
            {name: Path(each).read_bytes() for name, each in targets.items()},
            findings,
        )


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    with opened(made(folder, SUPPRESSED)) as (lookup, ledger):
        yield World(lookup, ledger, folder)


def agree(
    world: World, content: bytes, block: int, alias: Alias = Alias.REVIEW, reading: Reading | None = None
) -> None:
    expected = world.outcome(content, READABLE, alias, reading)

    assert expected == world.outcome(content, Engine(0, block), alias, reading)


# --- Against the readable engine -------------------------------------------------------------------------


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=dirty_files(someone), block=st.sampled_from(BLOCKS), alias=st.sampled_from(Alias))
def test_both_engines_give_the_same_results(content: bytes, block: int, alias: Alias, world: World) -> None:
    """Counts, bytes, line numbers, reasons, and errors, on generated dirt cut into blocks of any size."""
    agree(world, content, block, alias)


SHORT = (
    'Email,Note\r\nnew@example.com,"a, ""b""\r\nc"\r\n\r\npat@example.com,\r\n"PAT@example.com",1\r\n'
    "x@y.example,é\r\nal.s.mith@gmail.com,2\r\nnew@example.com,\rtwo@example.com,3\r\nlast@example.com,4"
)


@pytest.mark.parametrize("block", range(1, len(SHORT.encode()) + 1))
def test_a_block_may_end_anywhere(world: World, block: int) -> None:
    """Inside a character, between the halves of a line end or of a doubled quote, before the last row."""
    agree(world, SHORT.encode(), block)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=dirty_files(someone), block=st.sampled_from((16, 64, 200)), members=st.integers(2, 3))
@example(content=b'Name,Email\n,pat@example.com\n"\n,new@example.com\n"\r', block=16, members=2)
def test_a_crew_gives_the_same_results(content: bytes, block: int, members: int, world: World) -> None:
    """Wherever the guessed start of a piece lies: in quotes, in a character, behind the end."""
    expected = world.outcome(content, READABLE)

    assert expected == world.outcome(content, Engine(0, block, members))


@pytest.mark.parametrize("lost", [{0}, {1}, {0, 1, 2, 3}])
def test_pieces_that_are_lost_are_done_again(
    world: World, monkeypatch: pytest.MonkeyPatch, lost: set[int]
) -> None:
    """A member that was killed, or met an error, costs time and nothing else."""
    own = Pass._piece

    def broken(self: Pass, number: int) -> object:
        if number in lost:
            os._exit(1)
        return own(self, number)

    monkeypatch.setattr(Pass, "_piece", broken)
    content = SHORT.encode() + b"\nlast@example.com,5" * 20
    expected = world.outcome(content, READABLE)

    assert expected == world.outcome(content, Engine(0, 64, 2))


@pytest.mark.parametrize("size", [600, 5_000])
def test_a_crew_leaves_a_row_without_an_end_to_the_readable_engine(world: World, size: int) -> None:
    """It stretches over several pieces, or over more than the fast engine waits for."""
    content = b'Email,Name\nnew@example.com,"' + b"x\n" * (size // 2) + b'"\npat@example.com,P\n'
    expected = world.outcome(content, READABLE)

    assert expected == world.outcome(content, Engine(0, 64, 2))


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "cp1252", "latin-1"])
def test_other_encodings_agree(world: World, codec: str) -> None:
    """In a file of Windows-1252 an address may also stand in UTF-8."""
    text = "Email,Name\njörg.straße@bücher.example,J\nPat@Example.com,Zoé\nnew@example.com,Ü\n"
    agree(
        world, text.encode(codec), 64, reading=Reading(encoding="iso8859-1" if codec == "latin-1" else None)
    )
    agree(world, text.encode(codec) + text.encode(), 64)


@pytest.mark.parametrize(
    ("content", "reading"),
    [
        (b"pat@example.com\nnew@example.com\n", Reading()),
        (b"Email\npat@example.com\n\n  \nnew@example.com\n", Reading()),
        ("Email§Name\npat@example.com§P\n".encode(), Reading(delimiter="§")),
        ("Email,Name\npat@example.com,P\n".encode("utf-16"), Reading()),
        (b"sep=;\nEmail;Name\npat@example.com;P\n", Reading()),
        (b"A report\n\nEmail,Name\npat@example.com,P\nnew@example.com,N\n", Reading()),
        (b'Email,Name\nnew@example.com,"open\npat@example.com,x\n', Reading()),
        (b'Email,Name\n"a\nb"c,x\npat@example.com,x\n', Reading()),
        (b"Email,Name\nx" + b"y" * 3_000 + b",z\npat@example.com,x\n", Reading()),
        (b"Email,Name,Email 2\n,,\n,,pat@example.com\nnew@example.com,,\n,,x@y.example\n", Reading()),
        (b"Email\n" + b"p" * 70 + b"@example.com\n", Reading()),
        *(
            (b"Email,Name\nnew@example.com,x\n%b%b%b,x\n" % (b" " * 2_001, cell, b" " * 9), Reading())
            for cell in (b"", b"new@example.com", b"pat@example.com", b"P <pat@example.com>", b"x" * 2_001)
        ),
    ],
)
def test_unusual_files_agree(world: World, content: bytes, reading: Reading) -> None:
    """Whether the fast engine reads them or leaves them alone."""
    for block in BLOCKS:
        agree(world, content, block, reading=reading)


def test_the_corpus_of_spellings_is_withheld_to_the_last_row(tmp_path: Path) -> None:
    """Every known way in which an address comes back in an import: zero false negatives, also when fast."""
    pairs = [
        (held, text)
        for held, text in (*VARIANTS, *CELLS)
        if text.encode("utf-8", "ignore").decode() == text  # lone surrogates have no bytes in a file
    ]
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerows([("name", "email"), *(("x", text) for _, text in pairs)])
    path = tmp_path / "list.csv"
    path.write_bytes(out.getvalue().encode())
    found: list[Finding] = []
    url = made(tmp_path, sorted({held for held, _ in pairs}))
    with opened(url) as (lookup, _), ContactFile.open(str(path), Reading(header=True)) as contacts:
        done = check_file(contacts, lookup, None, actor="test", explain=found.append, engine=Engine(0, 500))

    assert 0 == done.kept
    assert len(pairs) == sum(each.decision.verdict.tier is Tier.EXACT for each in found)


# --- What is left to the readable engine ------------------------------------------------------------------

# What `suppress.check.fast` calls plain.
_LOCAL, _LABELS = r"[A-Za-z0-9]+([._+-][A-Za-z0-9]+)*", r"([A-Za-z0-9]+[.-])*"
_PLAIN = rf"{_LOCAL}@{_LABELS}[A-Za-z0-9]+\.{_LABELS}[A-Za-z0-9]*[A-Za-z]"


@settings(max_examples=500)
@given(text=st.from_regex(_PLAIN, fullmatch=True).filter(lambda text: len(text) <= 64))
def test_a_plain_cell_is_its_own_key(text: str) -> None:
    """What all of the fast engine stands on: no second address, no flaw, and lower case is the key."""
    (address,) = addresses_in(text)

    assert text.lower() == address.key == match_key(text)
    assert () == address.flaws


def left_over(world: World, content: bytes, alias: Alias = Alias.REVIEW) -> list[str]:
    """The lines that the fast engine does not clear itself."""
    path = world.folder / "list.csv"
    path.write_bytes(content)
    found = current(world.lookup)
    assert found is not None
    with ContactFile.open(str(path)) as contacts:
        assert suits(contacts)
        snapshot, folding = found
        recognition = Recognition(world.lookup, snapshot, folding, aliases=alias is not Alias.IGNORE)
        sieve = Sieve(contacts, recognition, folding, ANY_MAIL, block=1 << 16)
        blocks = [block for block in sieve.blocks(*sieve.start()) if not isinstance(block, list)]
    rows = {(number, row.line): row.text for number, block in enumerate(blocks) for row in block.rows}
    for number, block in enumerate(blocks):
        spans = [(each.start, each.stop, each.before) for each in block.regular]
        if block.told is not None:
            befores = block.told.befores.tolist()
            told = zip(block.told.spans.tolist(), befores, strict=True)
            spans += [(start, stop, before) for (start, stop), before in told]
        rows |= {(number, before + 1): block.content[start:stop].decode() for start, stop, before in spans}
    return [rows[place].strip() for place in sorted(rows)]


def test_clean_rows_never_reach_the_readable_engine(world: World) -> None:
    """In any case, in quotes, between spaces, beside accents and commas, at providers with aliases."""
    rows = [
        *(f'Visitor.{number}@Gmail.com,"Smith, ""Jo""",é' for number in range(500)),
        *(f'"VISITOR{number}@example.co.uk", x ,' for number in range(500)),
        "  new+tag@example.com ,,",
        "me@hotmail.fm,,",
    ]
    content = "\r\n".join(["Email,Name,Note", *rows, ""]).encode()

    assert [] == left_over(world, content)


def test_an_alias_is_looked_for_only_where_it_matters(world: World) -> None:
    """With `--alias ignore` nobody asks."""
    content = b"Email,Name\nalsmith@gmail.com,A\nnew@kim.fastmail.com,K\npat@example.com,P\n"

    assert 3 == len(left_over(world, content))
    assert ["pat@example.com,P"] == left_over(world, content, Alias.IGNORE)


def test_one_row_out_of_shape_does_not_slow_down_the_others(world: World) -> None:
    """A quote that does not close is tried on the lines behind it, and the rest goes on as before."""
    lines = ["Email,Name", *(f"a{n}@example.com,x" for n in range(50)), 'b@example.com,"two', 'lines"', "c@d"]
    lines += [f"e{n}@example.com,x" for n in range(50)]
    content = "\n".join([*lines, ""]).encode()

    assert ['b@example.com,"two\nlines"', "c@d"] == left_over(world, content)


def test_memory_does_not_grow_with_the_file(world: World, tmp_path: Path) -> None:
    """Ten times the rows, the same peak."""
    peaks = []
    for rows in (20_000, 200_000):
        path = tmp_path / f"{rows}.csv"
        path.write_text("Email,Name\n" + "".join(f"visitor{n}@example.net,V\n" for n in range(rows)))
        with ContactFile.open(str(path)) as contacts:
            tracemalloc.start()
            check_file(contacts, world.lookup, None, actor="test", engine=Engine(0, 1 << 16))
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()

    assert peaks[1] < 1.5 * peaks[0]


# --- Choosing the engine ----------------------------------------------------------------------------------

_RUN = """
import sys
{before}
from suppress.check import check_file
from suppress.check.sorting import Engine
from suppress.files.contacts import ContactFile
from suppress.ledger import Lookup
with Lookup.open(sys.argv[1]) as lookup, ContactFile.open(sys.argv[2]) as contacts:
    done = check_file(contacts, lookup, None, actor="test", engine=Engine({size}))
print(done.withheld, "suppress.check.fast" in sys.modules, "numpy" in sys.modules)
"""


@pytest.mark.parametrize(
    ("before", "size", "expected"),
    [
        ("", 1, "1 True True"),
        ("", 1_000, "1 False False"),
        ("sys.modules['numpy'] = None", 1, "1 False True"),
    ],
)
def test_numpy_is_loaded_for_long_files_only_and_not_needed(
    tmp_path: Path, before: str, size: int, expected: str
) -> None:
    """A short list must not wait for it, and who did not install it has the readable engine."""
    path = tmp_path / "list.csv"
    path.write_text("Email,Name\npat@example.com,P\nnew@example.com,N\n")
    url = made(tmp_path, SUPPRESSED)
    program = _RUN.format(before=before, size=size)
    done = subprocess.run(
        [sys.executable, "-c", program, url, str(path)], capture_output=True, text=True, check=True
    )

    assert expected == done.stdout.strip()

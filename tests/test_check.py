"""The gate: nobody who is suppressed gets through, nobody else is held back, and not a byte changes."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from suppress.check import COLUMNS, Alias, FileChecked, Finding, Targets, check_addresses, check_file
from suppress.check.gate import _is_sound
from suppress.core.address import Address, addresses_in
from suppress.core.entry import CheckDone
from suppress.core.possible import possible_in
from suppress.core.verdict import Ruling, Tier
from suppress.errors import BadFile, BadUsage, OutputRefused, StorageFailed, SuppressError
from suppress.files.contacts import ContactFile, Reading
from suppress.ledger import Ledger, Lookup
from tests.core.address_variants import CELLS, DIFFERENT, VARIANTS
from tests.files.strategies import DELIMITERS, ENDS
from tests.small_ledger import made, opened
from tests.strategies import address_strings, spellings

SUPPRESSED = (
    "pat@example.com",
    "o'neil+list@shop.example.org",
    "jörg.straße@bücher.example",
    "李雷@例え.test",
    "al.smith@gmail.com",
)
CLEAR = ("new@example.com", "patricia@example.com", "pat@example.org", "ann.other@gmail.com", "x@y.example")
BROKEN = ("", "   ", "n/a", "no address here", "@", "two@@example.com", ".dot@example.com")


@dataclass(frozen=True, slots=True)
class World:
    """A ledger that holds `SUPPRESSED`."""

    lookup: Lookup
    ledger: Ledger
    folder: Path

    def checked(
        self, content: bytes | str, reading: Reading | None = None, alias: Alias = Alias.REVIEW
    ) -> tuple[FileChecked, dict[str, bytes], list[Finding]]:
        """Check a file of this content; the outcome, the three results and what was explained."""
        path = self.folder / "list.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        targets = {name: str(self.folder / f"{name}.csv") for name in ("kept", "withheld", "review")}
        findings: list[Finding] = []
        with ContactFile.open(str(path), reading) as contacts:
            outcome = check_file(
                contacts,
                self.lookup,
                self.ledger,
                actor="test",
                targets=Targets(**targets),
                alias=alias,
                explain=findings.append,
            )
        return outcome, {name: Path(target).read_bytes() for name, target in targets.items()}, findings


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    url = made(folder, SUPPRESSED)
    with opened(url) as (lookup, ledger):
        yield World(lookup, ledger, folder)


def counts(outcome: FileChecked) -> tuple[int, int, int, int, int]:
    return outcome.rows, outcome.kept, outcome.withheld, outcome.review, outcome.invalid


# --- Against the naive definition ------------------------------------------------------------------------

someone = st.one_of(
    st.sampled_from(SUPPRESSED).flatmap(spellings),
    st.sampled_from(CLEAR),
    st.sampled_from(CLEAR).flatmap(spellings),
    st.sampled_from(BROKEN),
    address_strings(),
)
filler = st.text(alphabet="aé,;|\t \"'\n\r", max_size=6)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A generated contact file."""

    delimiter: str
    preamble: bytes
    rows: list[tuple[bytes, list[str], bytes]]
    """For each row its bytes, the cells that hold addresses, and an empty line that may follow."""

    @property
    def content(self) -> bytes:
        return self.preamble + b"".join(row + blank for row, _, blank in self.rows)


@st.composite
def contact_files(draw: st.DrawFn) -> Drawn:
    """Any dialect, encoding, line end and quoting; one or two address columns, empty lines between rows."""
    delimiter = draw(st.sampled_from(DELIMITERS))
    codec, mark = draw(
        st.sampled_from([("utf-8", b""), ("utf-8", b"\xef\xbb\xbf"), ("utf-16-le", b"\xff\xfe")])
    )
    columns = draw(
        st.sampled_from([["Email", "Name"], ["Name", "E-mail", "Email 2"], ["Note", "Name", "EMAIL"]])
    )
    where = [index for index, name in enumerate(columns) if "mail" in name.lower()]

    def encoded(cells: list[str]) -> bytes:
        out = io.StringIO(newline="")
        # Python 3.11 leaves a cell bare that holds a line break other than the terminator.
        every = any("\n" in each or "\r" in each for each in cells) or draw(st.booleans())
        end = draw(st.sampled_from(ENDS))
        csv.writer(
            out,
            delimiter=delimiter,
            lineterminator=end,
            quoting=csv.QUOTE_ALL if every else csv.QUOTE_MINIMAL,
        ).writerow(cells)
        return out.getvalue().encode(codec)

    rows = []
    for _ in range(draw(st.integers(1, 6))):
        cells = [draw(someone) if index in where else draw(filler) for index in range(len(columns))]
        # No line feed alone: after a carriage return it would be the rest of that line end.
        blank = draw(st.sampled_from(["", "", "", "\r\n", "\r"])).encode(codec)
        rows.append((encoded(cells), [cells[index] for index in where], blank))
    return Drawn(delimiter, mark + encoded(columns), rows)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(drawn=contact_files())
def test_a_check_gives_the_naive_answer_and_keeps_every_byte(drawn: Drawn, world: World) -> None:
    """The definition: a row is withheld when the match key of one of its addresses is in a plain list.

    The others are kept: the same bytes in the same order, whatever the dialect, empty lines too.
    """
    keys = {address.key for text in SUPPRESSED for address in addresses_in(text)}
    expected = [
        any(address.key in keys for cell in cells for address in possible_in(cell))
        for _, cells, _ in drawn.rows
    ]
    outcome, results, _ = world.checked(drawn.content, Reading(delimiter=drawn.delimiter), Alias.IGNORE)
    sure = [
        (b"" if held else row) + blank for (row, _, blank), held in zip(drawn.rows, expected, strict=True)
    ]

    assert (len(drawn.rows), expected.count(True)) == (outcome.rows, outcome.withheld)
    if not outcome.review:
        assert drawn.preamble + b"".join(sure) == results["kept"]


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(spelling=st.sampled_from(SUPPRESSED).flatmap(spellings), wide=st.booleans())
def test_no_spelling_of_a_suppressed_address_gets_through(spelling: str, wide: bool, world: World) -> None:
    """Case, accents, invisible characters, wrapping, IDN in both forms: zero false negatives."""
    cell = '"' + spelling.replace('"', '""') + '"'
    text = f"email,name\r\n{cell},x\r\n"
    path = world.folder / "spelling.csv"
    path.write_bytes(b"\xff\xfe" + text.encode("utf-16-le") if wide else text.encode())
    with ContactFile.open(str(path)) as contacts:
        outcome = check_file(contacts, world.lookup, None, actor="test")

    assert (1, 0, 1, 0) == counts(outcome)[:4]


EXPRESSIBLE = [
    (suppressed, text)
    for suppressed, text in (*VARIANTS, *CELLS)
    if text.encode("utf-8", "ignore").decode() == text  # lone surrogates have no bytes in a file
]


@pytest.mark.parametrize("codec", ["utf-8", "utf-16", "cp1252"])
def test_the_corpus_of_spellings_is_withheld_to_the_last_row(tmp_path: Path, codec: str) -> None:
    """Every known way in which an address comes back in an import: zero false negatives in the exact tier."""
    pairs = [pair for pair in EXPRESSIBLE if codec != "cp1252" or _in_cp1252(pair[1])]
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerow(["name", "email"])
    writer.writerows(["x", text] for _, text in pairs)
    path = tmp_path / "list.csv"
    path.write_bytes(out.getvalue().encode(codec))
    found: dict[int, Finding] = {}
    with (
        opened(made(tmp_path, sorted({address for address, _ in pairs}))) as (lookup, _),
        ContactFile.open(str(path), Reading(header=True)) as contacts,
    ):
        lines = [row.line for batch in contacts.batches() for row in batch]
        check_file(
            contacts,
            lookup,
            None,
            actor="test",
            explain=lambda finding: found.update({finding.line: finding}),
        )
    missed = [
        pair
        for line, pair in zip(lines, pairs, strict=True)
        if line not in found or found[line].decision.verdict.tier is not Tier.EXACT
    ]

    assert [] == missed
    assert 100 < len(pairs)


def _in_cp1252(text: str) -> bool:
    """Whether a spreadsheet on Windows could have written it, and not plain ASCII."""
    try:
        return text.encode("cp1252").decode("cp1252") == text
    except UnicodeError:
        return False


def test_mailboxes_that_only_look_alike_are_not_withheld(tmp_path: Path) -> None:
    """Each is somebody else's; an alias of a provider may ask for review."""
    held = {Address.parse(address).key for address, _ in DIFFERENT}
    others = [text for _, text in DIFFERENT if Address.parse(text).key not in held]
    with opened(made(tmp_path, sorted(held))) as (lookup, _):
        answers = check_addresses(lookup, others)

    assert [] == [each.address for each in answers if each.ruling is Ruling.SUPPRESSED]


# --- Outcomes --------------------------------------------------------------------------------------------


def test_withheld_rows_say_why_in_five_columns(world: World) -> None:
    """Under headings of their own, after the row's own bytes; short rows are filled up first."""
    outcome, results, _ = world.checked(
        'Email;Name;Town\r\nPAT@example.com;"P; Q";Reno\r\nnew@example.com;N;Reno\r\npat@example.com'
    )

    assert (3, 1, 2, 0, 0) == counts(outcome)
    assert b"Email;Name;Town\r\nnew@example.com;N;Reno\r\n" == results["kept"]
    why = "exact;everything;2024-03-05T10:00:00Z;main;unsubscribed\r\n"
    assert (
        f'Email;Name;Town;{";".join(COLUMNS)}\r\nPAT@example.com;"P; Q";Reno;{why}pat@example.com;;;{why}'
    ) == results["withheld"].decode()


def test_a_list_without_a_header_gets_none(world: World) -> None:
    """The first line was a person, in every result."""
    outcome, results, _ = world.checked("pat@example.com\nnew@example.com\n")

    assert (2, 1, 1, 0, 0) == counts(outcome)
    assert b"new@example.com\n" == results["kept"]
    assert results["withheld"].startswith(b"pat@example.com,exact,everything,")
    assert b"" == results["review"]


@pytest.mark.parametrize(
    ("alias", "expected"),
    [(Alias.BLOCK, (1, 0, 1, 0)), (Alias.REVIEW, (1, 0, 0, 1)), (Alias.IGNORE, (1, 1, 0, 0))],
)
def test_an_alias_of_a_suppressed_mailbox_is_the_users_choice(
    world: World, alias: Alias, expected: tuple[int, ...]
) -> None:
    """Gmail delivers all of these to one person; that is probable, and not certain."""
    outcome, results, findings = world.checked("email\na.l.smith+news@googlemail.com\n", alias=alias)

    assert expected == counts(outcome)[:4]
    if alias is not Alias.IGNORE:
        assert Tier.ALIAS is findings[0].decision.verdict.tier
        assert b",alias,gmail dots and tags," in results["withheld"] + results["review"]


@pytest.mark.parametrize(
    "row",
    [
        "new@example.com,pat@example.com",
        '"new@example.com; pat@example.com",',
        "x@y.example,Pat <pat@example.com>",
    ],
)
def test_any_suppressed_address_of_a_row_withholds_it(world: World, row: str) -> None:
    """In a second column, or second in a cell."""
    outcome, _, findings = world.checked(f"Email,Email 2\n{row}\n")

    assert 1 == outcome.withheld
    assert "pat@example.com" in (findings[0].decision.address or "")


def test_exact_wins_over_alias_in_one_row(world: World) -> None:
    """The certain answer is the one that is given."""
    outcome, _, findings = world.checked("Email,Email 2\nalsmith@gmail.com,pat@example.com\n")

    assert (1, 0) == (outcome.withheld, outcome.review)
    assert Tier.EXACT is findings[0].decision.verdict.tier


def test_malformed_addresses_are_kept_and_counted(world: World) -> None:
    """A row is never lost for its address: the platform may refuse it, not the gate."""
    rows = ["", "n/a", "no@", "@example.com", "a..b@example.com", "new@example.com", "x@nodot"]
    content = "email,name\n" + "".join(f"{each},x\n" for each in rows)
    outcome, results, _ = world.checked(content)

    assert (7, 7, 0, 0, 6) == counts(outcome)
    assert content.encode() == results["kept"]


def test_a_row_with_one_good_address_is_valid(world: World) -> None:
    """Second columns are mostly empty."""
    outcome, _, _ = world.checked("Email,Email 2\nnew@example.com,\n,Other@Example.com\nn/a,\n")

    assert (3, 3, 0, 0, 1) == counts(outcome)


@pytest.mark.parametrize(
    ("row", "outcome", "doubt"),
    [
        ("only-one-cell", "review", "the row has 1 cells where 3 are usual"),
        ("x,new@\0example.com,y", "review", "the row holds a NUL byte"),
        ("x,new@example.com,\0", "review", "the row holds a NUL byte"),
        ("x,\0,y", "review", "the row holds a NUL byte"),
        ("x,pat@exa\0mple.com,y", "withheld", None),
        ("x,y,pat@example.com,z", "review", "the row has 4 cells where 3 are usual"),
        ('x,new@example.com,"a\nb,pat@example.com,c"', "review", "column “Note” runs over several lines"),
        ("x,new@example.com,y,z", "kept", None),
        ('x,"",pat@example.com', "kept", None),
        ("x," + "z " * 1_001 + "new@example.com,y", "review", "the address cell holds 2017 characters"),
        ("x," + "z " * 1_001 + "pat@example.com,y", "review", "the address cell holds 2017 characters"),
    ],
)
def test_a_row_of_another_shape_is_searched_whole(
    world: World, row: str, outcome: str, doubt: str | None
) -> None:
    """It goes to review when it hides an address from the column, never silently to the kept ones."""
    content = f"Name,Email,Note\na,other@example.com,n\n{row}\nb,more@example.com,n\n"
    found, results, findings = world.checked(content)

    assert {"kept": 2, "withheld": 0, "review": 0} | {outcome: 3 if outcome == "kept" else 1} == {
        "kept": found.kept,
        "withheld": found.withheld,
        "review": found.review,
    }
    assert row.encode() in results[outcome]
    assert doubt == (findings[0].decision.doubt if findings else None)


def test_a_lost_quote_does_not_hide_the_rows_behind_it(world: World) -> None:
    """The quote of line 2 pairs with the one of line 4, and closes neatly before a line end."""
    content = 'email,note\nnew@example.com,"five\npat@example.com,six\nx@y.example,7"\nlast@example.com,8\n'
    outcome, results, _ = world.checked(content)

    assert (2, 1, 0, 1, 0) == counts(outcome)
    assert b"pat@example.com" in results["review"]
    assert b"pat@example.com" not in results["kept"]


def test_an_accented_address_is_found_in_a_file_of_two_encodings(world: World) -> None:
    """One Windows-1252 byte makes the whole file look so; the UTF-8 addresses in it still count."""
    content = "email,name\njörg.straße@bücher.example,J\n".encode() + b"new@example.com,Jos\xe9\n"
    outcome, results, _ = world.checked(content)

    assert (2, 1, 1, 0, 0) == counts(outcome)
    assert b"email,name\nnew@example.com,Jos\xe9\n" == results["kept"]


def test_results_are_in_the_files_own_encoding(world: World) -> None:
    """With its byte order mark, in all three."""
    content = b"\xff\xfe" + "email,name\r\npat@example.com,José\r\nnew@example.com,Zoë\r\n".encode(
        "utf-16-le"
    )
    _, results, _ = world.checked(content)

    assert "email,name\r\nnew@example.com,Zoë\r\n" == results["kept"].decode("utf-16")
    assert "pat@example.com,José,exact" in results["withheld"].decode("utf-16")
    assert results["review"].startswith(b"\xff\xfe")


# --- The record ------------------------------------------------------------------------------------------


def test_each_check_of_a_file_is_recorded(world: World) -> None:
    """Who, what file by digest, how many; the same file again is another check."""
    content = "email\npat@example.com\nnew@example.com\nn/a\nalsmith@gmail.com\n"
    first, _, _ = world.checked(content)
    second, _, _ = world.checked(content)
    assert first.seq is not None
    assert second.seq == first.seq + 1
    (entry,) = world.ledger.entries(first.seq, second.seq)

    digest = hashlib.sha256(content.encode()).hexdigest()
    assert CheckDone(digest, rows=4, kept=2, withheld=1, review=1, invalid=1) == entry.body
    assert "test" == entry.actor


def test_without_a_ledger_nothing_is_written(world: World, tmp_path: Path) -> None:
    """A dry run counts, and leaves neither results nor record."""
    path = tmp_path / "list.csv"
    path.write_text("email\npat@example.com\nnew@example.com\n")
    size = world.ledger.head().size
    with ContactFile.open(str(path)) as contacts:
        outcome = check_file(
            contacts, world.lookup, None, actor="test", targets=Targets(kept=str(tmp_path / "kept.csv"))
        )

    assert (2, 1, 1, 0, 0) == counts(outcome)
    assert outcome.seq is None
    assert size == world.ledger.head().size
    assert [path] == list(tmp_path.iterdir())


def test_a_result_without_a_record_is_not_left_behind(tmp_path: Path) -> None:
    """A ledger that cannot be written stops the check before a result gets its name."""
    url = made(tmp_path, SUPPRESSED)
    path, kept = tmp_path / "list.csv", tmp_path / "kept.csv"
    path.write_text("email\npat@example.com\nnew@example.com\n")
    kept.write_text("old")
    before = {each for each in tmp_path.iterdir() if not each.name.startswith("suppress.db-")}
    with (
        Lookup.open(url) as lookup,
        Ledger.open(url, read_only=True) as ledger,
        ContactFile.open(str(path)) as contacts,
        pytest.raises(SuppressError) as refused,
    ):
        check_file(contacts, lookup, ledger, actor="test", targets=Targets(kept=str(kept)))

    assert 70 == refused.value.exit_code
    assert "old" == kept.read_text()
    assert before == {each for each in tmp_path.iterdir() if not each.name.startswith("suppress.db-")}


def test_a_file_that_turns_out_broken_leaves_nothing(world: World) -> None:
    """Its first rows were fine, and were on their way to the results."""
    content = "email\n" + "new@example.com\n" * 30_000 + '"open\n'
    size = world.ledger.head().size
    for name in ("kept", "withheld", "review"):
        (world.folder / f"{name}.csv").unlink(missing_ok=True)
    with pytest.raises(BadFile, match="line 30002: a quote opens here"):
        world.checked(content)

    assert size == world.ledger.head().size
    assert not list(world.folder.glob("*kept*"))
    assert not list(world.folder.glob(".*.unfinished"))


def test_a_device_that_is_full_is_said(world: World, tmp_path: Path) -> None:
    """/dev/full refuses every byte, as a full disk does."""
    path = tmp_path / "list.csv"
    path.write_text("email\nnew@example.com\n")
    with ContactFile.open(str(path)) as contacts, pytest.raises(StorageFailed, match="No space left"):
        check_file(contacts, world.lookup, world.ledger, actor="test", targets=Targets(kept="/dev/full"))


def test_the_input_is_never_an_output(world: World, tmp_path: Path) -> None:
    """Before anything is read."""
    path = tmp_path / "list.csv"
    path.write_text("email\nnew@example.com\n")
    with ContactFile.open(str(path)) as contacts, pytest.raises(OutputRefused, match="being read"):
        check_file(contacts, world.lookup, world.ledger, actor="test", targets=Targets(kept=str(path)))


def test_an_engine_that_forgets_a_row_is_found_out(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """rows = kept + withheld + review, or nothing is written."""
    from suppress.check import Gate

    decide = Gate.decide
    monkeypatch.setattr(Gate, "decide", lambda gate, rows: decide(gate, rows)[1:])
    with pytest.raises(SuppressError, match="of 2 rows 1 were decided"):
        world.checked("email\nnew@example.com\nx@y.example\n")


def test_progress_is_told_in_rows(world: World, tmp_path: Path) -> None:
    """So that a person sees that a long file moves."""
    path = tmp_path / "list.csv"
    path.write_text("email\n" + "new@example.com\n" * 5_000)
    steps: list[int] = []
    with ContactFile.open(str(path)) as contacts:
        check_file(
            contacts, world.lookup, None, actor="test", progress=lambda done, _total: steps.append(done)
        )

    assert [2_000, 4_000, 5_000] == steps


# --- Addresses -------------------------------------------------------------------------------------------


def test_addresses_are_answered_in_order(world: World) -> None:
    """As they were asked, the worst of several in one."""
    asked = ["new@example.com", "Pat <PAT@example.com>", "alsmith@gmail.com", "x@y.example, pat@example.com"]
    answers = check_addresses(world.lookup, asked)

    assert asked == [each.address for each in answers]
    assert [Ruling.CLEAR, Ruling.SUPPRESSED, Ruling.REVIEW, Ruling.SUPPRESSED] == [
        each.ruling for each in answers
    ]


@pytest.mark.parametrize(
    ("alias", "ruling"), [(Alias.BLOCK, Ruling.SUPPRESSED), (Alias.IGNORE, Ruling.CLEAR)]
)
def test_the_choice_about_aliases_holds_for_addresses_too(world: World, alias: Alias, ruling: Ruling) -> None:
    """One rule, files and addresses."""
    assert ruling is check_addresses(world.lookup, ["alsmith@gmail.com"], alias=alias)[0].ruling


def test_nothing_to_compare_is_wrong_usage(world: World) -> None:
    """It must not come back as clear."""
    with pytest.raises(BadUsage, match="holds no address"):
        check_addresses(world.lookup, ["\u200b @ \u200b"])


@settings(max_examples=300)
@given(
    text=st.one_of(
        address_strings(), st.text(max_size=20), st.text(max_size=8).map(lambda each: f"{each}@é.example")
    )
)
def test_what_is_sound_at_a_glance_has_no_flaw(text: str) -> None:
    """The shortcuts for most addresses say what all the rules say."""
    for address in addresses_in(text):
        assert _is_sound(address) == (not address.flaws)

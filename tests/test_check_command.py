"""`suppress check` as it is installed: what it prints, writes and ends with."""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from suppress.core.entry import CheckDone
from suppress.ledger import Ledger
from tests.conftest import SCRIPT, Command
from tests.small_ledger import made

LIST = "email,name\r\nPAT@example.com,Pat\r\nnew@example.com,New\r\nal.smith@gmail.com,Al\r\nn/a,None\r\n"


@pytest.fixture
def gate(command: Command) -> Command:
    """A folder with a ledger of two people and a list of four."""
    made(command.folder, ["pat@example.com", "alsmith@gmail.com"])
    (command.folder / "list.csv").write_text(LIST, newline="")
    return command


def visible(folder: Path) -> set[str]:
    """The names in a folder, without the ledger's own."""
    return {each.name for each in folder.iterdir() if not each.name.startswith("suppress.")}


def checks(folder: Path) -> int:
    """How many checks the ledger holds."""
    with Ledger.open(f"sqlite:///{folder / 'suppress.db'}", read_only=True) as ledger:
        return sum(isinstance(entry.body, CheckDone) for entry in ledger.entries())


# --- Files -----------------------------------------------------------------------------------------------


def test_the_three_results_are_written_and_the_exit_says_that_there_are_findings(gate: Command) -> None:
    """Kept rows byte for byte; the summary on stdout names what went where."""
    done = gate("check", "list.csv", "--kept", "k.csv", "--withheld", "w.csv", "--review", "r.csv")

    assert 1 == done.exit_code
    assert b"email,name\r\nnew@example.com,New\r\nn/a,None\r\n" == (gate.folder / "k.csv").read_bytes()
    assert "PAT@example.com,Pat,exact,everything," in (gate.folder / "w.csv").read_text()
    assert "al.smith@gmail.com,Al,alias,gmail dots and tags," in (gate.folder / "r.csv").read_text()
    assert "kept      2 → k.csv" in done.out
    assert "Of the kept rows, 1 hold no address" in done.out
    assert "addresses in column “email” (by name)" in done.err


def test_a_clean_file_ends_with_zero(gate: Command) -> None:
    """And nothing is written that was not asked for."""
    (gate.folder / "list.csv").write_text("email\nnew@example.com\n")
    done = gate("check", "list.csv")

    assert 0 == done.exit_code
    assert "Next: write the rows: --kept FILE --withheld FILE --review FILE" in done.out
    assert {"list.csv"} == visible(gate.folder)
    assert 1 == checks(gate.folder)


def test_json_has_the_keys_that_other_programs_read(gate: Command) -> None:
    """design.md section 5, word for word, and `schema` first."""
    done = gate("check", "list.csv", "--kept", "k.csv", "--json")
    facts = done.json()

    assert "schema" == next(iter(facts))
    assert {
        "schema": "suppress/check@1",
        "rows": 4,
        "kept": 2,
        "withheld": 1,
        "review": 1,
        "invalid": 1,
        "files": {"kept": "k.csv", "withheld": None, "review": None},
    } == {key: facts[key] for key in ("schema", "rows", "kept", "withheld", "review", "invalid", "files")}
    assert {"size", "root", "checkpoint"} == facts["ledger"].keys()
    assert 64 == len(facts["ledger"]["root"])


def test_explain_names_rule_date_source_and_reason(gate: Command) -> None:
    """For every row that is not kept, with its line."""
    done = gate("check", "list.csv", "--explain")

    assert (
        "line 2: PAT@example.com withheld: exact match (everything), since 2024-03-05, source main, "
        "reason unsubscribed"
    ) in done.out
    assert "line 4: al.smith@gmail.com review: alias match (gmail dots and tags), since" in done.out
    assert "suppress show ADDRESS" in done.out


def test_explain_in_json_lists_findings(gate: Command) -> None:
    """The same facts, for a program; a row that could not be read has its doubt."""
    (gate.folder / "list.csv").write_text("email,name\npat@example.com,P\nshort\n")
    (first, second) = gate("check", "list.csv", "--explain", "--json").json()["findings"]

    assert (2, "withheld", "pat@example.com", "exact") == (
        first["line"],
        first["outcome"],
        first["address"],
        first["tier"],
    )
    assert ("2024-03-05T10:00:00Z", "main", "unsubscribed") == (
        first["since"],
        first["source"],
        first["reason"],
    )
    assert (3, "review", "the row has 1 cells where 2 are usual") == (
        second["line"],
        second["outcome"],
        second["doubt"],
    )


def test_alias_is_the_users_choice(gate: Command) -> None:
    """Block, review or ignore."""
    outcomes = {
        choice: gate("check", "list.csv", "--alias", choice, "--json").json()
        for choice in ("block", "review", "ignore")
    }

    assert {"block": (2, 0), "review": (1, 1), "ignore": (1, 0)} == {
        choice: (facts["withheld"], facts["review"]) for choice, facts in outcomes.items()
    }


def test_a_dry_run_leaves_neither_results_nor_record(gate: Command) -> None:
    """And still says what it found."""
    done = gate("check", "list.csv", "--kept", "k.csv", "--dry-run")

    assert 1 == done.exit_code
    assert "nothing was written and nothing recorded" in done.out
    assert {"list.csv"} == visible(gate.folder)
    assert 0 == checks(gate.folder)


def test_columns_header_delimiter_and_encoding_can_be_said(gate: Command) -> None:
    """Where a guess would be wrong."""
    (gate.folder / "odd.txt").write_bytes("who^Jos\xe9@example.com\npat@example.com^x\n".encode("latin-1"))
    options = ("--column", "2", "--no-header", "--delimiter", "^", "--encoding", "latin-1")
    facts = gate("check", "odd.txt", *options, "--json").json()

    assert (2, 0) == (facts["rows"], facts["withheld"])
    assert "addresses in column number 2 (as asked)" in facts["assumptions"]


# --- Pipes -----------------------------------------------------------------------------------------------


def test_it_is_a_filter_in_a_pipe(gate: Command) -> None:
    """Kept rows on stdout where the rows came in, and nothing else there."""
    done = gate("check", "-", stdin=LIST.encode())

    assert 1 == done.exit_code
    assert "email,name\r\nnew@example.com,New\r\nn/a,None\r\n" == done.out.replace("\n", "\r\n").replace(
        "\r\r", "\r"
    )
    assert "kept      2 → standard output" in done.err


def test_a_broken_pipe_in_passes_nothing_on(gate: Command) -> None:
    """Half a list on stdout would be imported."""
    done = gate("check", "-", stdin=b'email\nnew@example.com\n"open\n')

    assert (2, "") == (done.exit_code, done.out)
    assert "standard input, line 3: a quote opens here" in done.err


def test_json_of_a_pipe_is_one_object(gate: Command) -> None:
    """Rows and JSON cannot share stdout."""
    piped = gate("check", "-", "--json", stdin=LIST.encode())
    clash = gate("check", "list.csv", "--kept", "-", "--json")

    assert 1 == piped.json()["withheld"]
    assert (2, "") == (clash.exit_code, clash.out)
    assert "cannot both go to standard output" in json.loads(clash.err.splitlines()[-1])["message"]


def test_explain_does_not_mix_with_rows_on_stdout(gate: Command) -> None:
    """It goes to stderr then."""
    done = gate("check", "list.csv", "--kept", "-", "--explain")

    assert "line 2: PAT@example.com" in done.err
    assert "line 2" not in done.out


def test_a_reader_that_leaves_is_no_success(gate: Command) -> None:
    """`suppress check - | head -1` must not say that all went well."""
    people = "".join(f"new{number}@example.com\n" for number in range(20_000))
    (gate.folder / "list.csv").write_text("email\n" + people)
    environment = {**os.environ, "HOME": str(gate.folder)}
    with subprocess.Popen(
        [SCRIPT, "check", "list.csv", "--kept", "-"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=gate.folder,
        env=environment,
    ) as process:
        assert process.stdout is not None
        assert b"email\n" == process.stdout.readline()
        process.stdout.close()
        code = process.wait(60)
        assert process.stderr is not None
        assert b"Traceback" not in process.stderr.read()

    assert 70 == code


# --- Addresses -------------------------------------------------------------------------------------------


def test_addresses_are_answered_as_documented(gate: Command) -> None:
    """design.md section 5, word for word; no record is left, for nobody's file was checked."""
    done = gate("check", "Pat@EXAMPLE.com", "al.smith@gmail.com", "new@example.com", "--json")
    facts: dict[str, Any] = done.json()

    assert 1 == done.exit_code
    assert {
        "schema": "suppress/check@1",
        "results": [
            {
                "address": "Pat@EXAMPLE.com",
                "verdict": "suppressed",
                "tier": "exact",
                "since": "2024-03-05T10:00:00Z",
                "source": "main",
                "reason": "unsubscribed",
            },
            {
                "address": "al.smith@gmail.com",
                "verdict": "review",
                "tier": "alias",
                "since": "2024-03-05T10:00:00Z",
                "source": "main",
                "reason": "unsubscribed",
            },
            {
                "address": "new@example.com",
                "verdict": "clear",
                "tier": None,
                "since": None,
                "source": None,
                "reason": None,
            },
        ],
    } == facts
    assert 0 == checks(gate.folder)


def test_a_clear_address_ends_with_zero(gate: Command) -> None:
    """In words, for a person."""
    done = gate("check", "new@example.com")

    assert (0, "new@example.com: clear\n") == (done.exit_code, done.out)


def test_explain_adds_the_rule(gate: Command) -> None:
    """To each address."""
    (result,) = gate("check", "al.smith@gmail.com", "--explain", "--json").json()["results"]

    assert "gmail dots and tags" == result["rule"]


def test_an_address_is_answered_without_the_heavy_libraries(gate: Command) -> None:
    """`suppress check one@address` feels instant: no SQL toolkit, no cryptography, no HTTP client."""
    code = (
        "import sys; sys.argv = ['suppress', 'check', 'new@example.com']\n"
        "from suppress.cli.app import main\n"
        "try: main()\n"
        "except SystemExit as left: assert left.code == 0, left.code\n"
        "heavy = {'sqlalchemy', 'alembic', 'cryptography', 'httpx2', 'holidays', 'jinja2', 'pluggy'}\n"
        "found = heavy & {name.partition('.')[0] for name in sys.modules}\n"
        "assert not found, found\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=gate.folder, capture_output=True, text=True, check=False
    )

    assert (0, "new@example.com: clear\n") == (done.returncode, done.stdout), done.stderr


def test_hostile_text_is_shown_and_not_obeyed(gate: Command) -> None:
    """An address may hold an escape sequence, a direction mark or markup."""
    done = gate("check", "\x1b[2J\u202e[b]x@example.com")

    assert "\\x1b[2J\\u202e[b]x@example.com: clear\n" == done.out


# --- Wrong usage -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.csv"], "there is no file missing.csv"),
        (["exports/a@b/list.csv"], "there is no file exports/a@b/list.csv"),
        (["contacts@home.csv"], "there is no file contacts@home.csv"),
        (["list.csv", "pat@example.com"], "one file at a time"),
        (["list.csv", "list.csv"], "one file at a time"),
        (["new@example.com", "--kept", "k.csv"], "--kept belongs to the check of a file"),
        (["new@example.com", "--column", "1"], "--column belongs to the check of a file"),
        (["list.csv", "--column", "Fax"], "there is no column 'Fax'"),
        (["list.csv", "--delimiter", "xx"], "--delimiter 'xx' cannot separate cells"),
        (["list.csv", "--encoding", "klingon"], "--encoding klingon"),
        (["list.csv", "--kept", "list.csv"], "is the file that is being read"),
        (["list.csv", "--kept", "suppress.db"], "is a database"),
        (["list.csv", "--kept", "x.csv", "--review", "x.csv"], "--kept and --review both name x.csv"),
        (["list.csv", "--kept", "no/such/k.csv"], "No such file or directory"),
        (["."], "is a folder"),
        (["--", "@"], "holds no address"),
    ],
)
def test_wrong_usage_is_one_clear_line_and_exit_2(gate: Command, arguments: list[str], message: str) -> None:
    """Nothing is written, nothing recorded."""
    done = gate("check", *arguments)

    assert (2, "") == (done.exit_code, done.out)
    assert message in done.err
    assert "Traceback" not in done.err
    assert {"list.csv"} == visible(gate.folder)
    assert LIST == (gate.folder / "list.csv").read_bytes().decode()
    assert 0 == checks(gate.folder)


def workbook() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return out.getvalue()


BROKEN = {
    "empty": (b"", "list.csv is empty"),
    "blank lines": (b"\n\r\n\n", "holds no rows"),
    "unclosed quote": (b'email,name\na@example.com,A\n"b@example.com,B\n', "line 3: a quote opens here"),
    "lost quote": (b'email,name\n"a@x.example,A\nb@x.example,"B"\n', "line 2: text stands between"),
    "NUL in header": (b"em\0ail,name\na@example.com,x\n", "line 1: the first row holds NUL bytes"),
    "NUL everywhere": (b"\0\1\2\0\0\7" * 500, "full of NUL bytes"),
    "UTF-16 without mark": ("email\na@example.com\n".encode("utf-16-le"), "looks like UTF-16"),
    "no address column": (b"name,town\nAl,Reno\n", "the columns “name”, “town”"),
    "no header, no address": (b"Al;Reno\nBo;Elko\n", "no column holds addresses"),
    "workbook": (workbook(), "is damaged, or no workbook"),
    "half a gzip": (gzip.compress(LIST.encode())[:-9], "ends in the middle of its gzip data"),
    "50 MB line": (b"email\na@example.com\n" + b"x" * 50_000_000, "line 3: longer than 8 MiB"),
    "50 MB quoted": (
        b'email\n"' + b"x\n" * 25_000_000,
        "line 2: a quote opens here and is not closed within",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_refused_by_line_and_leaves_nothing(gate: Command, name: str) -> None:
    """One clear line, exit 2, no result, no record; the old result stays."""
    content, message = BROKEN[name]
    (gate.folder / "list.csv").write_bytes(content)
    (gate.folder / "k.csv").write_text("old")
    done = gate("check", "list.csv", "--kept", "k.csv", "--withheld", "w.csv")

    assert (2, "") == (done.exit_code, done.out)
    assert message in done.err
    assert "Traceback" not in done.err
    assert "example.com" not in done.err
    assert {"list.csv", "k.csv"} == visible(gate.folder)
    assert "old" == (gate.folder / "k.csv").read_text()
    assert 0 == checks(gate.folder)


GOOD = {
    "UTF-8 with mark": b"\xef\xbb\xbfemail,name\nPat@example.com,Zo\xc3\xab\n",
    "UTF-16": b"\xff\xfe" + "email\tname\r\nPat@example.com\tZoë\r\n".encode("utf-16-le"),
    "cp1252": b"email;name\nPat@example.com;Zo\xeb\n",
    "no header": b"1;Pat@example.com\n",
    "carriage returns": b"email,name\rPat@example.com,P\r",
    "no last line end": b"email\nPat@example.com",
    "quoted breaks": b'note,email\n"a\nb",Pat@example.com\n',
}


@pytest.mark.parametrize("name", GOOD)
def test_files_as_people_have_them_are_read(gate: Command, name: str) -> None:
    """Each holds one suppressed person and nobody else."""
    (gate.folder / "list.csv").write_bytes(GOOD[name])
    facts = gate("check", "list.csv", "--json").json()

    assert (1, 1) == (facts["rows"], facts["withheld"])


def test_without_a_ledger_the_exit_says_so(command: Command) -> None:
    """10, and the command that makes one; nothing is let through for lack of a list."""
    (command.folder / "list.csv").write_text("email\nnew@example.com\n")
    for arguments in (["new@example.com"], ["list.csv", "--kept", "k.csv"]):
        done = command("check", *arguments)

        assert (10, "") == (done.exit_code, done.out)
        assert "suppress init" in done.err
    assert {"list.csv"} == visible(command.folder)


@pytest.mark.parametrize("few", [15_000, 200_000])
def test_memory_does_not_grow_with_the_file(gate: Command, few: int) -> None:
    """Ten times the rows, the same peak but for noise: short files by one engine, long ones by the other."""

    def peak(rows: int) -> int:
        with (gate.folder / "list.csv").open("w") as out:
            out.write("email,name\n")
            out.writelines(f"new{number}@example.com,Somebody\n" for number in range(rows))
        code = (
            "import resource, subprocess, sys\n"
            f"subprocess.run({[str(SCRIPT), 'check', 'list.csv', '--kept', 'k.csv']!r}, "
            "stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)\n"
            "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=gate.folder, capture_output=True, text=True, check=True
        )
        return int(done.stdout)

    assert peak(10 * few) < peak(few) * 1.3

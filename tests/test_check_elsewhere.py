"""Folders of lists and of results, and what a worker does with one file: without a Spark, in this process."""

from __future__ import annotations

import errno
import gzip
import hashlib
import pickle
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from suppress.check import Alias
from suppress.check.claimed import Claimed
from suppress.check.elsewhere import Drafts, Listing
from suppress.check.portable import Secret
from suppress.check.spark import _failed, session
from suppress.check.tasks import Job, Listed, Note, keys_of, sorted_out, version
from suppress.core.domains import DomainRule, DomainRules
from suppress.core.mailing import ANY_MAIL
from suppress.core.suppression import EVERYTHING, Channel, Reason
from suppress.errors import BadFile, EngineFailed, ExtraMissing, OutputRefused, StorageFailed
from suppress.files.contacts import Reading
from suppress.ledger.rules import Rules
from suppress.ledger.sealing import IndexKey
from tests.conftest import Command
from tests.small_ledger import made

NOW = datetime(2026, 11, 23, tzinfo=UTC)
SECRET = Secret(b"t" * 32, (IndexKey("one", b"1" * 32), IndexKey("two", b"2" * 32)))
RULE = DomainRule(7, "corp.example", True, Channel.EMAIL, EVERYTHING, Reason.REQUESTED, "manual", "", NOW, "")


def job(folder: Path, content: str, name: str = "a.csv") -> Job:
    """A job of one file, with the folders of its results."""
    (folder / name).write_text(content)
    drafts = {each: folder / "drafts" / each for each in ("kept", "withheld")}
    for each in drafts.values():
        each.mkdir(parents=True, exist_ok=True)
    return Job(
        (Listed(str(folder / name), name),),
        {each: str(place) for each, place in drafts.items()},
        Reading(),
        Alias.REVIEW,
        ANY_MAIL,
        SECRET,
        Rules(DomainRules([RULE]), ()),
        NOW,
        version(),
    )


def first_pass(asked: Job) -> pa.Table:
    """All that the first pass says about the only file."""
    batch = pa.RecordBatch.from_pydict({"id": [0]})
    return pa.Table.from_batches(list(keys_of(asked, iter([batch]))))


def met(*rows: tuple[int, bytes | None, bytes | None]) -> pa.Table:
    """What the second pass is given."""
    columns = list(zip(*rows, strict=True))
    schema = pa.schema(
        [("file", pa.int64()), ("row", pa.int64()), ("tag", pa.binary()), ("line", pa.binary())]
    )
    return pa.table([[0] * len(rows), *map(list, columns)], schema=schema)


# --- What a worker does ----------------------------------------------------------------------------------


def test_a_row_is_asked_under_every_key_of_every_address_of_it(tmp_path: Path) -> None:
    """Two index keys, and an alias where the provider has one; one line of a row counts it."""
    said = first_pass(job(tmp_path, "email,work email\na@example.com,b@gmail.com\n,\n"))
    rows = said.column("row").to_pylist()
    tags = [each for each, row in zip(said.column("tag").to_pylist(), rows, strict=True) if row == 0]

    assert [0] * 6 + [1, -1] == rows
    assert 6 == len({*tags})
    assert {16} == set(map(len, tags))
    assert 2 == sum(said.column("first").to_pylist())
    assert [False, True] == [said.column("invalid").to_pylist()[place] for place in (0, 6)]
    note = Note.parse(said.column("note").to_pylist()[-1])
    assert (2, hashlib.sha256((tmp_path / "a.csv").read_bytes()).hexdigest()) == (note.rows, note.digest)


def test_the_order_of_tags_does_not_tell_addresses(tmp_path: Path) -> None:
    """What travels is keyed: with another secret nothing of it is the same."""
    asked = job(tmp_path, "email\na@example.com\n")
    one = first_pass(asked).column("tag").to_pylist()
    other = first_pass(replace(asked, secret=replace(SECRET, tag=b"u" * 32))).column("tag").to_pylist()

    assert not {*one[:-1]} & {*other[:-1]}


@pytest.mark.parametrize("content", ["email,n\nx@corp.example,1\n", "email,n\na@example.com,1,2\n,\n\x00,\n"])
def test_a_rule_or_a_doubt_makes_a_row_one_to_look_at(tmp_path: Path, content: str) -> None:
    """Whoever is met in it: the second pass decides."""
    said = first_pass(job(tmp_path, content))

    assert any(said.column("look").to_pylist())


def test_what_is_wrong_comes_back_as_a_note(tmp_path: Path) -> None:
    """Its kind, its words and its remedy, from both passes."""
    asked = job(tmp_path, 'email,n\na@example.com,"x\n')
    first = Note.parse(first_pass(asked).column("note").to_pylist()[-1])
    second = Note.parse(sorted_out(asked, met((-1, None, None))).column("note").to_pylist()[0])

    assert "BadFile" == first.error == second.error
    assert "a quote opens here" in first.message
    assert not list((tmp_path / "drafts").rglob("*.csv"))


@pytest.mark.parametrize("content", [b"", gzip.compress(b"", mtime=0), gzip.compress(b"", mtime=0) * 2])
def test_a_part_without_a_byte_is_one_without_rows(tmp_path: Path, content: bytes) -> None:
    """Tasks of Spark and Hadoop that had no rows leave such parts; each has its results, of the same kind."""
    asked = job(tmp_path, "")
    (tmp_path / "a.csv").write_bytes(content)
    first = first_pass(asked)
    notes = [
        Note.parse(said.column("note").to_pylist()[0])
        for said in (first, sorted_out(asked, met((-1, None, None))))
    ]

    assert [-1] == first.column("row").to_pylist()
    assert [(hashlib.sha256(content).hexdigest(), 0)] * 2 == [(each.digest, each.rows) for each in notes]
    assert {"kept": len(content), "withheld": len(content)} == notes[1].sizes
    assert [content] * 2 == [path.read_bytes() for path in (tmp_path / "drafts").rglob("a.csv")]


def test_a_part_of_which_only_the_beginning_is_there_is_refused(tmp_path: Path) -> None:
    """It is not taken for one without rows."""
    asked = job(tmp_path, "")
    (tmp_path / "a.csv").write_bytes(gzip.compress(b"email\na@example.com\n")[:12])

    note = Note.parse(first_pass(asked).column("note").to_pylist()[-1])
    assert "BadFile" == note.error
    assert "ends in the middle of its gzip data" in note.message


def test_a_task_makes_no_folder(tmp_path: Path) -> None:
    """One that is still at work when its run was ended leaves nothing; one on another disk says so."""
    asked = job(tmp_path, "email\na@example.com\n")
    shutil.rmtree(tmp_path / "drafts")
    note = Note.parse(sorted_out(asked, met((-1, None, None))).column("note").to_pylist()[0])

    assert ("EngineFailed", "a worker does not see the folder that was made for the kept rows of a.csv") == (
        note.error,
        note.message,
    )
    assert not (tmp_path / "drafts").exists()


def test_a_file_says_what_was_assumed_about_it(tmp_path: Path) -> None:
    """Parts differ, and each is read in its own way."""
    note = Note.parse(
        first_pass(job(tmp_path, "name;e-mail\nx;a@example.com\n")).column("note").to_pylist()[-1]
    )

    assert any("e-mail" in each for each in note.assumptions)


def test_what_nobody_foresaw_is_named_by_its_kind_alone(tmp_path: Path) -> None:
    """Its words may hold a row."""
    asked = job(tmp_path, "email\na@example.com\n")
    broken = met((0, b"x" * 16, b"a@example.com is no JSON"))
    unseen = replace(asked, drafts=pickle.loads(pickle.dumps({"kept": None})))

    assert Note.parse(sorted_out(asked, broken).column("note").to_pylist()[0]).error is None
    note = Note.parse(sorted_out(unseen, met((-1, None, None))).column("note").to_pylist()[0])
    assert ("SuppressError", "a task failed unexpectedly: TypeError") == (note.error, note.message)


def test_a_worker_of_another_version_compares_nothing(tmp_path: Path) -> None:
    """It might spell match keys in another way, and meet nobody."""
    asked = replace(job(tmp_path, "email\na@example.com\n"), version="suppress 0.0.1, match keys 0")
    for said in (first_pass(asked), sorted_out(asked, met((-1, None, None)))):
        note = Note.parse(said.column("note").to_pylist()[-1])
        assert "a worker has suppress" in note.message


# --- Folders ---------------------------------------------------------------------------------------------


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    """A folder of two lists, and what other jobs leave beside theirs."""
    folder = tmp_path / "lists"
    (folder / "b").mkdir(parents=True)
    (folder / "_work").mkdir()
    for name in ("a.csv", "b/c.csv", "_SUCCESS", ".a.csv.crc", "_work/x.csv"):
        (folder / name).write_text("email\n")
    return folder


def test_names_are_kept_below_the_folder(lists: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For a folder, a pattern, and files one by one; marks of other jobs are no lists."""
    monkeypatch.chdir(lists)

    assert ["a.csv", "b/c.csv"] == [each.name for each in Listing.of([str(lists)]).files]
    assert ["a.csv", "b/c.csv"] == [each.name for each in Listing.of(["**/[a-c].csv"]).files]
    assert ["a.csv", "c.csv"] == [each.name for each in Listing.of(["a.csv", "b/c.csv"]).files]


def test_the_digest_is_that_of_what_sha256sum_writes(lists: Path) -> None:
    """So that it can be made again with common tools."""
    written = b"00  a.csv\n11  b/c.csv\n"

    assert hashlib.sha256(written).hexdigest() == Listing.of([str(lists)]).digest(["00", "11"])


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("a.csv", True),
        ("_SUCCESS", False),
        (".a.csv.crc", False),
        ("a.csv.crc", False),
        ("a.csv._COPYING_", False),
        ("_temporary/0/a.csv", False),
        ("_day=3/a.csv", True),
        ("day=3/_committed_1", False),
    ],
)
def test_a_folder_is_read_as_spark_reads_it(tmp_path: Path, name: str, read: bool) -> None:
    """As a folder and by a pattern: marks of other jobs are no lists, partitions are."""
    (tmp_path / "l/n").mkdir(parents=True)
    (tmp_path / "l" / name).parent.mkdir(parents=True, exist_ok=True)
    for each in ("always.csv", "n/always.csv", name):
        (tmp_path / "l" / each).write_text("email\n")
    expected = {"always.csv", "n/always.csv", *([name] if read else [])}

    assert expected == {each.name for each in Listing.of([str(tmp_path / "l")]).files}
    assert expected == {each.name for each in Listing.of([f"{tmp_path}/l/**"]).files}


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        (["nowhere"], "there is no contact file in nowhere"),
        (["lists/*.tsv"], "there is no contact file"),
        (["hdfs://host/lists"], "is not a path that this machine sees"),
        (["lists/a.csv", "lists/_work/../b/../other/a.csv"], "there is no contact file"),
        (["lists/a.csv", "lists/twin/a.csv"], "would have the same name"),
    ],
)
def test_what_names_no_list_is_refused(
    lists: Path, asked: list[str], problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before Spark starts."""
    monkeypatch.chdir(lists.parent)
    (lists / "twin").mkdir()
    (lists / "twin/a.csv").write_text("email\n")

    with pytest.raises(BadFile, match=problem):
        Listing.of(asked)


@pytest.mark.parametrize(
    ("targets", "problem"),
    [
        ({"kept": "lists/kept"}, "lies in the folder that is being read"),
        ({"kept": "lists"}, "is there already"),
        ({"kept": "x", "withheld": "x"}, "both name"),
        ({"kept": "no/such/kept"}, "cannot be made"),
    ],
)
def test_results_that_would_be_lost_or_read_again_are_refused(
    lists: Path, targets: dict[str, str], problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is left behind."""
    monkeypatch.chdir(lists.parent)
    listing = Listing.of([str(lists)])

    with pytest.raises(OutputRefused, match=problem):
        Drafts(targets, listing)
    assert [lists] == list(lists.parent.iterdir())


def test_folders_appear_together_or_not_at_all(lists: Path, tmp_path: Path) -> None:
    """If one cannot get its name, none has it, and no draft stays."""
    targets = {"kept": str(tmp_path / "kept"), "withheld": str(tmp_path / "withheld")}
    listing = Listing.of([str(lists)])
    with pytest.raises(StorageFailed, match="cannot get their names"), Drafts(targets, listing) as drafts:
        (tmp_path / "kept").mkdir()
        (tmp_path / "kept/somebody-s").touch()
        drafts.publish(listing)
    assert {"lists", "kept"} == {each.name for each in tmp_path.iterdir()}


def test_what_lost_tasks_left_is_not_published(lists: Path, tmp_path: Path) -> None:
    """Spark does a lost task again on another machine; the first may have written half a file."""
    listing = Listing.of([str(lists)])
    with Drafts({"kept": str(tmp_path / "kept")}, listing) as drafts:
        for name in ("a.csv", "b/c.csv", "b/.c.csv.x1y2.unfinished"):
            Path(drafts.places["kept"], name).write_text("email\n")
        drafts.publish(listing)

    assert {"a.csv", "b", "b/c.csv"} == {
        path.relative_to(tmp_path / "kept").as_posix() for path in (tmp_path / "kept").rglob("*")
    }
    assert {"lists", "kept"} == {each.name for each in tmp_path.iterdir()}


def test_what_a_worker_wrote_elsewhere_is_no_result(lists: Path, tmp_path: Path) -> None:
    """A worker with a disk of its own says how much it wrote; it is not here."""
    with Drafts({"kept": str(tmp_path / "kept")}, Listing.of([str(lists)])) as drafts:
        with pytest.raises(EngineFailed, match=r"wrote for a\.csv is not seen"):
            drafts.require_seen("a.csv", {"kept": 6})
        Path(drafts.places["kept"], "a.csv").write_text("email\n")
        drafts.require_seen("a.csv", {"kept": 6})


# --- What is left of a run -------------------------------------------------------------------------------

_RUN = """\
import sys, time
from pathlib import Path
from suppress.check.claimed import Claimed
with Claimed(Path(sys.argv[1]), "kept") as claimed:
    (claimed.path / "half.csv").write_text("email")
    print(claimed.path.name, flush=True)
    sys.stdin.read()
"""


def test_what_a_killed_run_left_goes_with_the_next_and_what_a_living_one_has_stays(tmp_path: Path) -> None:
    """The lock of a process is given back however it ends; folders of another name are none of ours."""
    (tmp_path / ".other.00.claim").touch()
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", _RUN, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    dead, living = (run.stdout.readline().strip() for run in runs if run.stdout is not None)
    runs[0].kill()
    runs[0].communicate()
    assert (tmp_path / dead / "half.csv").exists()

    with Claimed(tmp_path, "kept") as claimed:
        assert 0o700 == claimed.path.stat().st_mode & 0o777
        assert {claimed.path.name, living} == {path.name for path in tmp_path.glob("*.unfinished")}
    runs[1].communicate()
    assert [".other.00.claim"] == [path.name for path in tmp_path.iterdir()]


def test_a_claim_of_another_machine_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Locks do not reach everywhere."""
    monkeypatch.setattr("platform.node", lambda: "there")
    theirs = Claimed(tmp_path, "kept")
    monkeypatch.undo()
    with Claimed(tmp_path, "kept"):
        assert theirs.path.is_dir()
    theirs.close()
    assert not [*tmp_path.iterdir()]


def test_where_nothing_can_be_locked_nothing_is_claimed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some mounted buckets have no locks; the run goes on, and removes what it made."""

    def refuse(_handle: int, _how: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", refuse)
    with Claimed(tmp_path, "kept") as claimed:
        assert [claimed.path] == [*tmp_path.iterdir()]
    assert not [*tmp_path.iterdir()]


# --- What Spark says -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("ModuleNotFoundError: No module named 'suppress.check'", "the workers have no suppress installed"),
        ("No module named 'numpy.core'; a@example.com", "Spark finds no numpy that it can use"),
        ("[PACKAGE_NOT_INSTALLED] PyArrow >= 18.0.0 must be installed; however", "Spark finds no PyArrow"),
        ("[PYTHON_VERSION_MISMATCH] Python in worker", "the workers run another version of Python"),
        ("java.io.IOException: No space left on device", "a disk is full"),
        ("a@example.com", r"Spark failed \(RuntimeError\)"),
    ],
)
def test_a_failure_of_spark_is_told_by_what_it_comes_from(said: str, told: str) -> None:
    """And never in its own words, which may quote a row."""
    error = _failed(RuntimeError(said))

    assert re.match(told, error.message)
    assert error.message.endswith("; nothing was written")
    assert "example" not in f"{error.message} {error.remedy}"


# --- The command -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--master", "local[2]"], "--master goes with --engine spark"),
        (["--engine", "spark"], "reads folders and writes folders"),
        (["--engine", "spark", "--kept", "-"], "reads folders and writes folders"),
        (["--engine", "spark", "--kept", "k", "--explain"], "--explain does not go with"),
        (["--engine", "spark", "--kept", "k", "--dry-run"], "--dry-run does not go with"),
        (["--engine", "spark", "-o", "k"], "--output does not go with"),
    ],
)
def test_options_that_mean_nothing_are_refused(command: Command, arguments: list[str], problem: str) -> None:
    """Before Spark starts, with 2."""
    made(command.folder, ["pat@example.com"])
    (command.folder / "lists").mkdir()
    (command.folder / "lists/a.csv").write_text("email\npat@example.com\n")
    done = command("check", "lists", *arguments)

    assert 2 == done.exit_code
    assert problem in done.err


def test_without_the_extra_it_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command that installs it."""
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)

    with pytest.raises(ExtraMissing, match="“spark”"), session("local[1]"):
        pass

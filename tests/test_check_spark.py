"""Checks on Spark: what the readable engine says, for every file of a folder, or nothing at all.

Where there is no Java these are skipped, which SUPPRESS_TEST_SPARK_REQUIRED turns into a failure, as CI does.
"""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from suppress.audit import verify
from suppress.check import Alias, Targets, check_file
from suppress.check.annotation import COLUMNS
from suppress.check.elsewhere import Listing
from suppress.check.portable import Portable, Secret
from suppress.check.sorting import Engine, FileChecked
from suppress.check.spark import Asked, FolderChecked, check_folder, session
from suppress.check.taking import take
from suppress.core.address import Address
from suppress.core.entry import CheckDone, Disclosed
from suppress.core.mailing import ANY_MAIL
from suppress.errors import BadFile, EngineFailed, SuppressError
from suppress.files.contacts import ContactFile, Reading
from suppress.intake.domains import suppress_domain
from suppress.ledger import Grounds, Ledger, Lookup
from tests.conftest import Command
from tests.files.strategies import dirty_files
from tests.small_ledger import made
from tests.test_check_fast import SUPPRESSED, someone

NAMES = ("kept", "withheld", "review")
NEEDED = "SUPPRESS_TEST_SPARK_REQUIRED"
ERASED = "erased.person@example.com"

pytestmark = pytest.mark.skipif(
    shutil.which("java") is None and not os.environ.get(NEEDED), reason="there is no Java for Spark to run on"
)


@dataclass(frozen=True, slots=True)
class World:
    """A ledger, its portable snapshot, and a Spark on this machine."""

    spark: SparkSession
    folder: Path
    url: str
    ledger: Ledger
    portable: Portable
    secret: Secret

    def on_spark(self, lists: Path, asked: Asked, out: Path) -> FolderChecked:
        """Check a folder."""
        targets = {name: str(out / name) for name in NAMES}
        listing = Listing.of([str(lists)])
        return check_folder(
            self.spark, listing, self.portable, self.secret, self.ledger, asked, targets, actor="test"
        )

    def here(self, path: Path, asked: Asked, out: Path) -> FileChecked:
        """Check one file with the readable engine, against the ledger itself."""
        targets = {name: str(out / name / path.name) for name in NAMES}
        for name in NAMES:
            (out / name).mkdir(parents=True, exist_ok=True)
        with Lookup.open(self.url) as lookup, ContactFile.open(str(path), asked.reading) as contacts:
            return check_file(
                contacts,
                lookup,
                None,
                offline=True,
                actor="test",
                targets=Targets(**targets),
                alias=asked.alias,
                mailing=asked.mailing,
                engine=Engine(fast_from=1 << 60),
            )


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """`SUPPRESSED`, one person who was erased, and a rule for a domain."""
    folder = tmp_path_factory.mktemp("spark")
    url = made(folder, [*SUPPRESSED, ERASED])
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    before = (
        SparkSession.Builder()
        .master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "2")
        .getOrCreate()
    )
    with Ledger.open(url) as ledger, session(None) as spark:
        gone = Address.parse(ERASED)
        seen = [each.entry.seq for each in ledger.history(gone)]
        ledger.erase(gone, Grounds("Art. 17 GDPR"), seen=seen, actor="test")
        suppress_domain(ledger, "*.corp.example", note="asked", actor="test")
        now = datetime.now(UTC)
        day = timedelta(days=1)
        taken = take(ledger, folder / "s", recipient="t", valid_for=day, sources=(), now=now, actor="test")
        text = taken.secret.read_text()
        with Portable.open(taken.place, vkey=ledger.vkey, secret=text, secret_name="s", now=now) as portable:
            yield World(spark, folder, url, ledger, portable, Secret.parse(text, "s"))
    before.stop()


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, with its content."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


PEOPLE = st.one_of(someone, st.sampled_from([ERASED, "x@corp.example", "x@a.corp.example"]))


@settings(
    max_examples=2, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.data_too_large]
)
@given(
    contents=st.lists(dirty_files(PEOPLE), min_size=12, max_size=12),
    alias=st.sampled_from(Alias),
)
def test_every_file_of_a_folder_is_sorted_as_the_readable_engine_sorts_it(
    contents: list[bytes], alias: Alias, world: World, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Bytes of all three results, counts, and figures, on generated dirt; the oracle asks the ledger."""
    place = tmp_path_factory.mktemp("run")
    lists, expected = place / "lists", place / "expected"
    lists.mkdir()
    asked = Asked(Reading(), alias, ANY_MAIL)
    found = []
    for number, content in enumerate([b"email\nnew@example.com\n", *contents]):
        path = lists / f"{number}.csv"
        path.write_bytes(content)
        try:
            found.append(world.here(path, asked, expected))
        except SuppressError:
            path.unlink()  # what is refused as a file refuses the folder: below
    done = world.on_spark(lists, asked, place)

    assert {name: tree(expected / name) for name in NAMES} == {name: tree(place / name) for name in NAMES}
    assert (done.rows, done.kept, done.withheld, done.review, done.invalid) == tuple(
        sum(getattr(each, name) for each in found)
        for name in ("rows", "kept", "withheld", "review", "invalid")
    )
    assert done.found.roles == sum(each.found.roles for each in found)
    assert sum(done.found.tiers.values()) == done.withheld + done.review


def test_parquet_is_written_as_parquet_and_the_check_is_recorded(world: World, tmp_path: Path) -> None:
    """Below a folder, beside marks of other jobs, not read; the entry has the digest of the lists."""
    lists = tmp_path / "lists"
    (lists / "day=1").mkdir(parents=True)
    table = pa.table({"email": ["PAT@example.com", "new@example.com", ERASED, "x@a.corp.example"]})
    pq.write_table(table, lists / "day=1" / "part-0.parquet")
    (lists / "_SUCCESS").touch()
    (lists / "_temporary").mkdir()
    (lists / "_temporary" / "part-1.csv").write_text("email\nhalf@exa")
    done = world.on_spark(lists, Asked(Reading(), Alias.REVIEW, ANY_MAIL), tmp_path)

    kept = pq.read_table(tmp_path / "kept/day=1/part-0.parquet")
    withheld = pq.read_table(tmp_path / "withheld/day=1/part-0.parquet")
    assert {"email": ["new@example.com"]} == kept.to_pydict()
    assert ["exact", "erased", "domain"] == withheld.column("suppress_tier").to_pylist()
    assert (1, 4, 1, 3, 0) == (done.inputs, done.rows, done.kept, done.withheld, done.review)
    entry = next(each for each in world.ledger.about(CheckDone.type) if each.seq == done.seq)
    assert isinstance(entry.body, CheckDone)
    assert (done.digest, 4) == (entry.body.digest, entry.body.rows)
    assert verify(world.url).ok


def test_parts_may_differ_in_every_way_and_hold_nothing(world: World, tmp_path: Path) -> None:
    """Each is read in its own way, which is said; the ones without a byte are ones without rows."""
    lists, expected = tmp_path / "lists", tmp_path / "expected"
    lists.mkdir()
    (lists / "0.csv").write_text("email,n\nPAT@example.com,1\nnew@example.com,2\n")
    (lists / "1.csv").write_text('n;e-mail\r\n"over\r\ntwo lines";pat@example.com\r\n3;new@example.com\r\n')
    (lists / "2.csv").write_text("pat@example.com\nnew@example.com\n")
    (lists / "3.csv.gz").write_bytes(gzip.compress(b"email\nx@corp.example\nnew@example.com\n"))
    for name, columns in (("4.parquet", ["n", "email"]), ("5.parquet", ["email", "n"])):
        table = pa.table({"n": [1, 2], "email": ["pat@example.com", "new@example.com"]})
        pq.write_table(table.select(columns), lists / name)
    asked = Asked(Reading(), Alias.REVIEW, ANY_MAIL)
    for path in sorted(lists.iterdir()):
        world.here(path, asked, expected)
    empty = {"7.csv": b"", "8.csv.gz": gzip.compress(b""), "9.parquet": b"", "_SUCCESS": b""}
    for name, content in empty.items():
        (lists / name).write_bytes(content)
        if name != "_SUCCESS":
            for result in NAMES:
                (expected / result / name).write_bytes(content)
    pq.write_table(table.slice(0, 0), lists / "6.parquet")
    done = world.on_spark(lists, asked, tmp_path)

    rowless = [pq.read_table(tmp_path / name / "6.parquet") for name in NAMES]
    for name in NAMES:
        (tmp_path / name / "6.parquet").unlink()
    assert {name: tree(expected / name) for name in NAMES} == {name: tree(tmp_path / name) for name in NAMES}
    assert [["n", "email"], *2 * [["n", "email", *COLUMNS]]] == [each.column_names for each in rowless]
    assert (10, 12, 6, 6, 0) == (done.inputs, done.rows, done.kept, done.withheld, done.review)
    assert any("semicolon" in said and ("1.csv",) == names for said, names in done.assumed)
    assert verify(world.url).ok


def test_one_file_that_cannot_be_read_leaves_nothing(world: World, tmp_path: Path) -> None:
    """No folder, no draft, no entry; the message names the file by its name in the folder."""
    lists = tmp_path / "lists"
    lists.mkdir()
    (lists / "a.csv").write_text("email\npat@example.com\n")
    (lists / "b.csv").write_text('email,n\nnew@example.com,"x\n')
    size = world.ledger.head().size

    with pytest.raises(BadFile, match=r"b\.csv.* a quote opens here"):
        world.on_spark(lists, Asked(Reading(), Alias.REVIEW, ANY_MAIL), tmp_path)
    assert ["lists"] == [each.name for each in tmp_path.iterdir()]
    assert size == world.ledger.head().size


def test_spark_that_fails_is_told_in_our_words(world: World, tmp_path: Path) -> None:
    """What Spark says may quote a row; a worker that cannot be started is the least of it."""
    lists = tmp_path / "lists"
    lists.mkdir()
    (lists / "a.csv").write_text("email\npat@example.com\n")
    own = world.spark.sparkContext.pythonExec
    world.spark.sparkContext.pythonExec = str(tmp_path / "no-python")
    try:
        with pytest.raises(EngineFailed, match=r"Spark failed \(\w+\); nothing was written") as told:
            world.on_spark(lists, Asked(Reading(), Alias.REVIEW, ANY_MAIL), tmp_path)
    finally:
        world.spark.sparkContext.pythonExec = own

    assert "pat@example.com" not in str(told.value)
    assert ["lists"] == [each.name for each in tmp_path.iterdir()]


def test_the_command_ends_as_the_check_of_a_file_does(command: Command) -> None:
    """1 where somebody is withheld, one object for programs, and an entry saying whom the keys went to."""
    url = made(command.folder, ["pat@example.com"])
    (command.folder / "lists").mkdir()
    (command.folder / "lists/a.csv").write_text("email\npat@example.com\nnew@example.com\n")
    done = command(
        *("check", "lists", "--engine", "spark", "--master", "local[1]", "--kept", "kept"),
        *("--withheld", "withheld", "--json"),
        env={"SPARK_LOCAL_IP": "127.0.0.1"},
        seconds=280,
    )

    assert 1 == done.exit_code, done.err
    found = done.json()
    assert (2, 1, 1, 0, 1) == tuple(found[name] for name in ("rows", "kept", "withheld", "review", "inputs"))
    assert {"name": "spark", "master": "local[1]"} == found["engine"]
    assert "email\nnew@example.com\n" == (command.folder / "kept/a.csv").read_text()
    with Ledger.open(url, keys=command.folder / "suppress.keys") as ledger:
        (entry,) = ledger.about(Disclosed.type, "snapshot")
    assert isinstance(entry.body, Disclosed)
    assert "Spark at local[1]" == entry.body.recipient

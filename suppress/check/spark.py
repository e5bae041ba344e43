"""Folders of contact files checked on an existing Spark, local or a cluster: the same definition, elsewhere.

    files ─ keys_of ─┬─ join on tags with the people of a portable snapshot ─ whom each file meets ─┐
                     └─ left-anti join on rows: those in which nobody was met ─ count               │
    files ─────────────────────────────────────────────────────────── sorted_out ──────────────────┘
                                                                       kept, withheld, review

`tasks` is what the workers do, `mapInArrow` and `applyInArrow` how they are asked; no decision is made here.

Rules kept here:

* Who is suppressed comes from a signed portable snapshot, verified on this machine. Tags and lines of it go
  to the workers, and the keys that tags are made with; no ledger and no address does.
* Files lie where this machine and every worker see them under the same name, and so do the results.
* Results appear as whole folders, by rename, after these agree for every file: digest and rows of both
  passes; rows = kept + withheld + review; the rows sorted, and those that the left-anti join leaves with
  those that were met.
* What Spark says when it fails may hold anything. It goes to Spark's own log, and not into our message.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import re
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from suppress import errors
from suppress.check.elsewhere import Drafts, Listing
from suppress.check.gate import terms_of
from suppress.check.tally import Tally
from suppress.check.tasks import DONE_DDL, END, KEYS_DDL, Job, Note, keys_of, sorted_out, version
from suppress.core.entry import CheckDone
from suppress.errors import BadFile, EngineFailed, ExtraMissing, SuppressError
from suppress.ledger import Event

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

    from suppress.check.gate import Alias
    from suppress.check.portable import Portable, Secret
    from suppress.check.tally import Found
    from suppress.core.mailing import Mailing
    from suppress.files.contacts import Reading
    from suppress.ledger import Ledger

_PEOPLE = 200_000
"""People in one part of what is joined with."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of every file."""

    reading: Reading
    alias: Alias
    mailing: Mailing


@dataclass(frozen=True, slots=True)
class FolderChecked:
    """What the check of many files found; as `FileChecked`, of all of them together."""

    inputs: int
    rows: int
    kept: int
    withheld: int
    review: int
    invalid: int
    files: Mapping[str, str | None]
    """The folders of the results."""
    digest: str
    """SHA-256 of the list of files and their digests, as `sha256sum` writes it."""
    seq: int | None
    found: Found
    assumed: Sequence[tuple[str, tuple[str, ...]]]
    """What was assumed about files, in one sentence, and the names of those of which it was."""


@contextmanager
def session(master: str | None) -> Iterator[SparkSession]:
    """The session that is there already, or one for as long as this lasts.

    Raises:
        ExtraMissing: PySpark is not installed, or there is no Java.
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError as missing:
        raise ExtraMissing(
            "--engine spark needs the extra “spark”", remedy="pip install 'suppress-ledger[spark]'"
        ) from missing
    before = SparkSession.getActiveSession()
    builder = SparkSession.Builder().appName("suppress check")
    builder = builder.config("spark.ui.showConsoleProgress", "false")
    try:
        found = (builder if master is None else builder.master(master)).getOrCreate()
    except Exception as failed:
        raise EngineFailed(
            "Spark did not start; what it says is above",
            remedy="it needs Java 17 or later (Debian: default-jre-headless) and a --master that answers",
        ) from failed
    context = found.sparkContext
    context.setLogLevel("ERROR")
    local = where(found).startswith("local")
    if local and "PYSPARK_PYTHON" not in os.environ:
        context.pythonExec = sys.executable  # not whichever `python3` comes first
    if local and before is None:
        # Two hundred pieces, Spark's own number, are for a cluster.
        found.conf.set("spark.sql.shuffle.partitions", 2 * context.defaultParallelism)
    try:
        yield found
    finally:
        if before is None:
            with contextlib.suppress(Exception):  # it may have ended before us
                found.stop()


def where(spark: SparkSession) -> str:
    """The master of a session, as Spark writes it."""
    return str(spark.sparkContext.master)


def check_folder(
    spark: SparkSession,
    listing: Listing,
    portable: Portable,
    secret: Secret,
    ledger: Ledger | None,
    asked: Asked,
    targets: Mapping[str, str],
    *,
    actor: str,
) -> FolderChecked:
    """Sort the rows of all files, record that it was done, then let the folders of results appear.

    Raises:
        BadFile: A file cannot be read, is not seen by a worker, or changed. Nothing is written.
        EngineFailed: Spark failed, or the counts do not agree. Nothing is written.
        OutputRefused: A folder of results is there already, or cannot be made.
    """
    with Drafts(targets, listing) as drafts:
        job = Job(
            listing.files,
            drafts.places,
            asked.reading,
            asked.alias,
            asked.mailing,
            secret,
            portable.head.rules,
            datetime.now(UTC),
            version(),
        )
        write_people(portable, drafts.work)
        run = _run(spark, job, drafts.work)
        for file, listed in enumerate(listing.files):
            run.require_agreement(file, listed.name, drafts)
        record = _record(run, listing, asked)
        seq = None
        if ledger is not None:
            seq = ledger.append([Event(uuid.uuid4().hex, record)], actor=actor)[0].seq
        drafts.publish(listing)
    return FolderChecked(
        len(listing.files),
        record.rows,
        record.kept,
        record.withheld,
        record.review,
        record.invalid,
        dict(targets),
        record.digest,
        seq,
        run.tally.found(),
        run.assumed(listing),
    )


def _record(run: _Run, listing: Listing, asked: Asked) -> CheckDone:
    """The counts of all files and what was asked, as the ledger keeps them."""
    digest = listing.digest([run.keys[file].digest for file in range(len(listing.files))])
    return run.tally.record(digest, terms_of(asked.mailing, asked.alias))


def write_people(portable: Portable, folder: Path) -> None:
    """What rows are joined with: tags and lines of the snapshot, as Parquet in a folder of its own."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([("tag", pa.binary()), ("line", pa.binary())])
    place = folder / "people"
    place.mkdir()
    part: tuple[list[bytes], list[bytes]] = ([], [])
    number = 0

    def end() -> None:
        nonlocal part, number
        pq.write_table(pa.table(list(part), schema=schema), place / f"{number:06}.parquet")
        part, number = ([], []), number + 1

    for tag, line in portable.people():
        part[0].append(tag)
        part[1].append(line)
        if len(part[0]) == _PEOPLE:
            end()
    end()


# --- On Spark --------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Run:
    """What both passes and the left-anti join said, by file."""

    keys: dict[int, Note] = field(default_factory=dict)
    done: dict[int, Note] = field(default_factory=dict)
    clear: dict[int, int] = field(default_factory=dict)
    """Rows that the left-anti join leaves."""
    looked: dict[int, int] = field(default_factory=dict)
    """Rows that were looked at."""
    tally: Tally = field(default_factory=lambda: Tally(datetime.now(UTC)))

    def require_agreement(self, file: int, name: str, drafts: Drafts) -> None:
        """Raises `BadFile` if the file changed, and `EngineFailed` if anything else does not add up."""
        first, second = self.keys[file], self.done.get(file, Note())
        if second.digest and first.digest != second.digest:
            raise BadFile(
                f"{name} changed while it was read", remedy="wait until it is written, run it again"
            )
        rows = self.clear.get(file, 0) + self.looked.get(file, 0)
        if not first.rows == second.rows == rows:
            raise EngineFailed(
                f"{name} has {first.rows:,} rows, of which {second.rows:,} were sorted and {rows:,} joined; "
                "nothing was written"
            )
        drafts.require_seen(name, second.sizes)

    def assumed(self, listing: Listing) -> list[tuple[str, tuple[str, ...]]]:
        """What was assumed about files, and of which; what holds for most of them first."""
        files: dict[str, list[str]] = {}
        for file, listed in enumerate(listing.files):
            for each in self.keys[file].assumptions:
                files.setdefault(each, []).append(listed.name)
        return sorted(((each, tuple(names)) for each, names in files.items()), key=lambda one: -len(one[1]))


def _run(spark: SparkSession, job: Job, work: Path) -> _Run:
    """Both passes and the joins between them."""
    from pyspark import StorageLevel

    count = len(job.files)

    def first(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        return keys_of(job, batches)

    context = spark.sparkContext
    tag = f"suppress-{uuid.uuid4().hex}"
    context.addJobTag(tag)
    held: list[DataFrame] = []
    try:
        keys = spark.range(0, count, 1, count).mapInArrow(first, KEYS_DDL).persist(StorageLevel.DISK_ONLY)
        held.append(keys)
        run = _Run(keys=_notes(keys.where(f"row = {END}").select("file", "note").collect(), job))
        people = spark.read.parquet((work / "people").absolute().as_uri())
        met = keys.join(people, "tag").select("file", "row", "tag", "line").persist(StorageLevel.DISK_ONLY)
        held.append(met)
        _join(spark, job, keys, met, run)
    except SuppressError:
        raise
    except Exception as failed:  # Spark has several trees of them
        raise _failed(failed) from failed
    finally:
        # After an interruption tasks are still at work, and after worse there is no Java any more.
        with contextlib.suppress(Exception):
            context.cancelJobsWithTag(tag)
            context.removeJobTag(tag)
            for each in held:
                each.unpersist()
    return run


def _join(spark: SparkSession, job: Job, keys: DataFrame, met: DataFrame, run: _Run) -> None:
    """Count the rows in which nobody was met, and have every file sorted with whom it met."""
    from pyspark.sql import functions as of

    def second(table: pa.Table) -> pa.Table:
        return sorted_out(job, table)

    rows = keys.where("first")
    looked = met.select("file", "row").union(rows.where("look").select("file", "row")).distinct()
    clear = rows.join(looked, ["file", "row"], "left_anti").groupBy("file")
    for row in clear.agg(of.count("*"), of.sum(of.col("invalid").cast("bigint"))).collect():
        run.clear[row[0]] = row[1]
        run.tally.invalid += row[2]
    for row in looked.groupBy("file").count().collect():
        run.looked[row[0]] = row[1]
    nothing = "cast(null as binary) as tag", "cast(null as binary) as line"
    every = spark.range(len(job.files)).selectExpr("id as file", f"{END}L as row", *nothing)
    doubted = rows.where("look").selectExpr("file", "row", *nothing)
    work = met.union(doubted).union(every).repartition(min(len(job.files), 4096), "file")
    done = work.groupBy("file").applyInArrow(second, DONE_DDL).collect()
    run.done = _notes([(row["file"], row["note"]) for row in done], job)
    for row in done:
        run.tally.merge(pickle.loads(bytes(row["tally"])))  # noqa: S301 - of a task that we sent


def _notes(told: Sequence[Any], job: Job) -> dict[int, Note]:
    """The notes by file. Raises what the first file says that could not be read."""
    notes = {file: Note.parse(text) for file, text in told}
    for file in sorted(notes):
        note = notes[file]
        if note.error is None:
            continue
        kind = getattr(errors, note.error)
        listed = job.files[file]
        message = note.message.replace(listed.path, listed.name)
        if kind is SuppressError:
            kind, message = EngineFailed, f"{listed.name}: {message}"
        raise kind(message, remedy=note.remedy)
    return notes


_KNOWN = (
    (
        re.compile(r"No module named 'suppress\b"),
        "the workers have no suppress installed",
        "ship it to them: --archives or --py-files",
    ),
    (
        re.compile(r"No module named '(\w+)|\b(\w+) >= [\d.]+ must be installed"),
        "Spark finds no {} that it can use, here or on a worker",
        "ship the environment of this command to the workers: --archives",
    ),
    (
        re.compile(r"PYTHON_VERSION_MISMATCH"),
        "the workers run another version of Python than this machine",
        "set PYSPARK_PYTHON to the one that was shipped to them",
    ),
    (
        re.compile(r"No space left on device"),
        "a disk is full, here or at a worker",
        "make room, or let Spark keep its files elsewhere: SPARK_LOCAL_DIRS",
    ),
)
"""What Spark's failure says, and what it comes from. Only names of modules are quoted of it."""


def _failed(failed: Exception) -> EngineFailed:
    """Spark's failure in words of ours."""
    said = str(failed)
    for pattern, message, remedy in _KNOWN:
        if (found := pattern.search(said)) is not None:
            name = "".join(filter(None, found.groups()))
            return EngineFailed(f"{message.format(name)}; nothing was written", remedy=remedy)
    return EngineFailed(
        f"Spark failed ({type(failed).__name__}); nothing was written",
        remedy="look into the log of the application, in Spark's own pages or files",
    )

"""CSV files: whole or not at all, the same bytes for the same ledger, and proved by their manifest."""

from __future__ import annotations

import csv
import errno
import hashlib
import io
import json
import os
import resource
import shutil
import signal
import stat
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suppress.config import DestinationSettings
from suppress.core.address import Address
from suppress.core.spelling import comparable
from suppress.core.suppression import EVERYTHING, Reason, Scope
from suppress.errors import DestinationFailed, OutputRefused, StorageFailed
from suppress.platforms import csv_file
from suppress.platforms.csv_file import PRESETS, CsvFile
from suppress.plugin.contract import Intent, Job, Remote, Severity, Snapshot, Suppressed
from suppress.plugin.kit import HOSTILE, POSITION, ExporterContract, people

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def exporter(folder: Path, preset: str = "plain", name: str = "list.csv") -> CsvFile:
    """The file in `folder`, at noon."""
    options = {"path": str(folder / name), "preset": preset}
    return CsvFile(DestinationSettings("file", "csv", options=options), clock=lambda: NOON)


def written(folder: Path, entries: Sequence[Suppressed], preset: str = "plain") -> bytes:
    """The bytes of the file after a push."""
    (snapshot,) = exporter(folder, preset).push(entries, POSITION)

    assert isinstance(snapshot, Snapshot)
    return (folder / "list.csv").read_bytes()


def manifest(folder: Path) -> dict[str, Any]:
    """What the sidecar says."""
    found: dict[str, Any] = json.loads((folder / "list.csv.manifest.json").read_bytes())
    return found


def entry(address: str, **changes: Any) -> Suppressed:
    """One person who unsubscribed at noon."""
    parsed = Address.parse(address)
    found = Suppressed(5, parsed.key, address, EVERYTHING, Reason.UNSUBSCRIBED, NOON, "main")
    return replace(found, **changes)


class TestPlain(ExporterContract):
    """The contract that every exporter keeps."""

    preset = "plain"
    prefix = ""
    """What an importer of this preset takes away."""

    def exporter(self, place: Path) -> CsvFile:
        return exporter(place, self.preset)

    def mails(self, place: Path, address: str) -> bool:
        with (place / "list.csv").open(encoding="utf-8", newline="") as file:
            cells = [cell for row in csv.reader(file) for cell in row[:1]]
        return comparable(address) not in {comparable(cell.removeprefix(self.prefix)) for cell in cells}


class TestSes(TestPlain):
    """Without a header."""

    preset = "ses"


class TestSpreadsheet(TestPlain):
    """With values changed so that no spreadsheet runs them."""

    preset = "spreadsheet"
    prefix = "'"


# --- What is in the file -----------------------------------------------------------------------------------


def test_a_row_says_who_why_since_when_from_where_and_how_far(tmp_path: Path) -> None:
    """The plain preset, byte for byte."""
    content = written(
        tmp_path,
        [
            entry("Ann@Example.com", reason=Reason.COMPLAINT, scope=Scope("Acme", "News, weekly")),
            entry("bo@example.com", occurred_at=None, source='the "old" list'),
        ],
    )

    assert (
        b"email,reason,opted_out_at,source,scope\n"
        b'Ann@Example.com,complaint,2026-11-23T12:00:00Z,main,"list:Acme/News, weekly"\n'
        b'bo@example.com,unsubscribed,,"the ""old"" list",everything\n'
    ) == content


@pytest.mark.parametrize(
    ("preset", "expected"),
    [
        ("hubspot", b"Email\nAnn@Example.com\n"),
        ("mailchimp", b"Email Address\nAnn@Example.com\n"),
        ("klaviyo", b"Email\nAnn@Example.com\n"),
        ("sendgrid", b"email\nAnn@Example.com\n"),
        ("ses", b"Ann@Example.com,COMPLAINT\n"),
    ],
)
def test_each_importer_gets_the_columns_that_it_looks_for(
    tmp_path: Path, preset: str, expected: bytes
) -> None:
    """And the manifest says what was left out."""
    assert expected == written(tmp_path, [entry("Ann@Example.com")], preset)
    assert manifest(tmp_path)["unrepresented"]
    assert preset == manifest(tmp_path)["preset"]


def test_ses_is_told_a_bounce_as_a_bounce() -> None:
    """It knows two reasons."""
    columns = PRESETS["ses"].columns

    assert "BOUNCE" == columns["reason"](entry("a@example.com", reason=Reason.BOUNCED))


def test_opt_outs_that_a_format_widens_are_counted(tmp_path: Path) -> None:
    """Nobody may later say that they were not told: an importer that knows no scopes takes all."""
    narrow = entry("a@example.com", scope=Scope("Acme"))
    written(tmp_path, [narrow, entry("b@example.com")], "hubspot")

    assert (
        "1 opt-outs of one sender or list count for everything in this file"
        == manifest(tmp_path)["unrepresented"][1]
    )


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=6))
@settings(max_examples=60, deadline=None)
def test_every_text_survives_the_way_through_a_csv_reader(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    """Commas, quotes, line ends, NUL: what a reader gets is what the ledger holds."""
    folder = tmp_path_factory.mktemp("csv")
    entries = people(text + "x" for text in texts)
    content = written(folder, entries)
    rows = list(csv.reader(io.StringIO(content.decode(), newline=""), strict=True))

    assert [each.address for each in entries] == [row[0] for row in rows[1:]]
    assert {5} == {len(row) for row in rows}


def test_hostile_addresses_survive_the_way_through_a_csv_reader(tmp_path: Path) -> None:
    """The ones that have broken exporters."""
    entries = people(HOSTILE)
    rows = list(csv.DictReader(io.StringIO(written(tmp_path, entries).decode(), newline=""), strict=True))

    assert [each.address for each in entries] == [row["email"] for row in rows]


def test_a_spreadsheet_runs_nothing(tmp_path: Path) -> None:
    """No cell of the preset for people begins as a formula; the manifest says how many were changed."""
    entries = people([*HOSTILE, "'=1@example.com", "@handle@example.com", "＝1@example.com"])
    content = written(tmp_path, entries, "spreadsheet").decode()
    cells = [cell for row in csv.reader(io.StringIO(content, newline="")) for cell in row]
    changed = [each for each in entries if each.address[0] in "=+-@'＝"]

    assert not [cell for cell in cells if cell[:1] in tuple("=+-@\t\r\n＝＋－＠")]
    assert len(changed) == manifest(tmp_path)["values_changed"]
    assert {Remote.SUPPRESSED} == {
        each.state for each in exporter(tmp_path, "spreadsheet").read_back([each.address for each in entries])
    }


def test_equal_entries_give_equal_bytes_whatever_the_clock(tmp_path: Path) -> None:
    """No time of writing inside rows: two files can be compared with cmp."""
    first = written(tmp_path, people(HOSTILE))
    options = {"path": str(tmp_path / "list.csv")}
    later = CsvFile(
        DestinationSettings("file", "csv", options=options), clock=lambda: NOON.replace(year=2030)
    )
    list(later.push(people(HOSTILE), POSITION))

    assert first == (tmp_path / "list.csv").read_bytes()
    assert "2030-11-23T12:00:00Z" == manifest(tmp_path)["created_at"]


def test_entries_that_are_not_sorted_or_stand_twice_are_refused(tmp_path: Path) -> None:
    """Byte-equal files need one order."""
    for wrong in (["b@example.com", "a@example.com"], ["a@example.com", "A@example.com"]):
        with pytest.raises(DestinationFailed, match="entry 5 is out of order"):
            written(tmp_path, [entry(each) for each in wrong])

    assert [] == list(tmp_path.iterdir())


# --- The manifest ------------------------------------------------------------------------------------------


def test_the_manifest_says_what_the_file_is(tmp_path: Path) -> None:
    """Enough to verify it years later with other tools, and to place it in the ledger."""
    content = written(tmp_path, people(["b@example.com", "a@example.com"]))

    assert {
        "schema": "suppress/manifest@1",
        "file": "list.csv",
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "rows": 2,
        "preset": "plain",
        "columns": ["email", "reason", "opted_out_at", "source", "scope"],
        "header": True,
        "encoding": "utf-8",
        "line_end": "LF",
        "values_changed": 0,
        "unrepresented": [],
        "erased": 0,
        "ledger": {"size": 7, "root": POSITION.root, "checkpoint": POSITION.checkpoint},
        "created_at": "2026-11-23T12:00:00Z",
    } == {key: value for key, value in manifest(tmp_path).items() if key != "tool"}
    assert manifest(tmp_path)["tool"].startswith("suppress ")


def test_the_manifest_verifies_with_sha256sum(tmp_path: Path) -> None:
    """Somebody else's tool, not ours."""
    if shutil.which("sha256sum") is None:
        pytest.skip("this system has no sha256sum")
    written(tmp_path, people(HOSTILE))
    line = f"{manifest(tmp_path)['sha256']}  {manifest(tmp_path)['file']}\n"
    done = subprocess.run(
        ["sha256sum", "-c"], input=line.encode(), cwd=tmp_path, capture_output=True, check=False
    )

    assert b"list.csv: OK\n" == done.stdout


def test_both_files_are_for_their_owner_only(tmp_path: Path) -> None:
    """Also where an older file was open to all."""
    (tmp_path / "list.csv").touch(mode=0o644)
    written(tmp_path, people(["a@example.com"]))

    assert [0o600, 0o600] == [stat.S_IMODE(each.stat().st_mode) for each in sorted(tmp_path.iterdir())]


# --- Reading back ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "damage",
    [
        lambda file: file.write_bytes(file.read_bytes() + b"x@example.com,,,,\n"),
        lambda file: file.write_bytes(b""),
        lambda file: file.unlink(),
        lambda file: file.with_name("list.csv.manifest.json").unlink(),
        lambda file: file.with_name("list.csv.manifest.json").write_text("{"),
        lambda file: file.with_name("list.csv.manifest.json").write_text("[]"),
    ],
    ids=["row added", "emptied", "gone", "manifest gone", "manifest cut", "manifest a list"],
)
def test_a_file_that_is_not_the_one_that_was_written_proves_nothing(
    tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    """Read-back says unreadable, a sweep fails, a plan starts anew, and doctor warns."""
    entries = people(["a@example.com"])
    written(tmp_path, entries)
    damage(tmp_path / "list.csv")
    file = exporter(tmp_path)

    assert [Remote.UNREADABLE] == [each.state for each in file.read_back([entries[0].address])]
    assert [Intent.SUPPRESS] == [each.intent for each in file.plan(entries)]
    with pytest.raises(DestinationFailed, match="is not there or differs from its manifest"):
        file.sweep(None)
    (finding,) = file.check()
    assert finding.severity is (Severity.PASS if not file.path.exists() else Severity.WARN)


def test_whoever_is_not_in_the_file_is_mailable(tmp_path: Path) -> None:
    """A list of people who may not be mailed says nothing else about the others."""
    written(tmp_path, people(["a@example.com"]))
    states = exporter(tmp_path).read_back(["a@example.com", "b@example.com"])

    assert [Remote.SUPPRESSED, Remote.MAILABLE] == [each.state for each in states]


def test_a_manifest_of_lies_is_caught(tmp_path: Path) -> None:
    """A digest that fits a file which is no CSV does not make it one."""
    written(tmp_path, people(["a@example.com"]))
    (tmp_path / "list.csv").write_bytes(b'"never closed')
    facts = manifest(tmp_path) | {"sha256": hashlib.sha256(b'"never closed').hexdigest()}
    (tmp_path / "list.csv.manifest.json").write_text(json.dumps(facts))

    assert [Remote.UNREADABLE] == [each.state for each in exporter(tmp_path).read_back(["a@example.com"])]


def test_a_sweep_pages_through_a_long_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the order of keys, each once."""
    monkeypatch.setattr(csv_file, "SWEPT", 3)
    entries = people(f"p{number}@example.com" for number in range(7))
    written(tmp_path, entries)
    file, cursor, swept = exporter(tmp_path), None, []
    for _ in range(3):
        page, cursor = file.sweep(cursor)
        swept += [each.address for each in page]

    assert None is cursor
    assert [each.address for each in entries] == swept


def test_a_very_long_address_reads_back(tmp_path: Path) -> None:
    """The standard reader's limit of 128 KiB a field is lifted while reading, and put back."""
    limit = csv.field_size_limit()
    entries = people([f"{'x' * 200_000}@example.com"])
    written(tmp_path, entries)

    assert [Remote.SUPPRESSED] == [each.state for each in exporter(tmp_path).read_back([entries[0].address])]
    assert limit == csv.field_size_limit()


def test_there_are_no_jobs(tmp_path: Path) -> None:
    """A file is written at once."""
    with pytest.raises(DestinationFailed, match="files are written at once"):
        exporter(tmp_path).poll(Job("t", "running", NOON))


# --- Doctor ------------------------------------------------------------------------------------------------


def test_check_says_what_is_wrong_with_the_place(tmp_path: Path) -> None:
    """Before an export fails on it."""
    written(tmp_path, people(["a@example.com"]))
    (tmp_path / "folder.csv").mkdir()
    (fine,) = exporter(tmp_path).check()
    (tmp_path / "list.csv").chmod(0o644)
    (exposed,) = exporter(tmp_path).check()
    (folder,) = exporter(tmp_path, name="folder.csv").check()
    (nowhere,) = exporter(tmp_path / "gone").check()

    assert (Severity.PASS, "is as it was written") == (fine.severity, fine.message)
    assert (Severity.WARN, f"chmod 600 {tmp_path}/list.csv") == (exposed.severity, exposed.hint)
    assert (Severity.FAIL, "is no regular file") == (folder.severity, folder.message)
    assert (Severity.FAIL, f"mkdir -p {tmp_path}/gone") == (nowhere.severity, nowhere.hint)


@contextmanager
def without_privileges() -> Iterator[None]:
    """Root may write everywhere, so root becomes nobody for a while."""
    if os.geteuid() != 0:
        yield
        return
    os.setresuid(65534, 65534, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


def test_check_sees_a_folder_that_may_not_be_written_to() -> None:
    """And an export into it is refused with the reason."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o555)
        with without_privileges():
            severities = [each.severity for each in exporter(folder).check()]
            with pytest.raises(OutputRefused, match="Permission denied"):
                written(folder, people(["a@example.com"]))
        folder.chmod(0o700)

        assert [] == list(folder.iterdir())
    assert Severity.FAIL in severities


# --- What can go wrong -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["-", "folder", "gone/list.csv", "list.csv/x", "n" * 250, "pipe"])
def test_a_place_that_cannot_hold_a_file_is_refused(tmp_path: Path, name: str) -> None:
    """One line, nothing written, whatever was there untouched."""
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "list.csv").write_text("old", encoding="utf-8")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(OutputRefused) as refused:
        list(exporter(tmp_path, name=name).push(people(["a@example.com"]), POSITION))

    assert "\n" not in refused.value.message
    assert before == sorted(tmp_path.rglob("*"))


def test_a_full_disk_leaves_the_old_file_as_it_was(tmp_path: Path) -> None:
    """The system refuses more than 8 KiB a file here, as a full disk would; the real write path meets it."""
    old = written(tmp_path, people(["a@example.com"]))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8_192, hard))
    try:
        with pytest.raises(StorageFailed, match="nothing was changed"):
            written(tmp_path, people(f"{number:05}@example.com" for number in range(2_000)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)

    assert ["list.csv", "list.csv.manifest.json"] == sorted(each.name for each in tmp_path.iterdir())
    assert old == (tmp_path / "list.csv").read_bytes()
    assert [Remote.SUPPRESSED] == [each.state for each in exporter(tmp_path).read_back(["a@example.com"])]


def test_a_disk_without_space_is_a_storage_failure_not_a_wrong_place(tmp_path: Path) -> None:
    """The remedy is another: free some space."""
    file = exporter(tmp_path)

    assert isinstance(file._file._refused(OSError(errno.ENOSPC, "No space left on device")), StorageFailed)
    assert isinstance(file._file._refused(OSError(errno.EROFS, "Read-only file system")), OutputRefused)


def test_a_caller_that_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    """A ledger that turns out to be damaged in the middle must not cost the old file."""
    old = written(tmp_path, people(["a@example.com"]))

    def failing() -> Iterator[Suppressed]:
        yield entry("a@example.com")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(exporter(tmp_path).push(failing(), POSITION))

    assert ["list.csv", "list.csv.manifest.json"] == sorted(each.name for each in tmp_path.iterdir())
    assert old == (tmp_path / "list.csv").read_bytes()


KILLED = """
    import os, sys
    from pathlib import Path
    from suppress.config import DestinationSettings
    from suppress.platforms.csv_file import CsvFile
    from suppress.plugin.kit import POSITION, people

    place, at = sys.argv[1], int(sys.argv[2])
    steps = {"open": 0, "fsync": 0, "rename": 0}

    def dying(name, real):
        # Between any two calls to the system the process may end without another word.
        def step(*arguments, **options):
            global at
            at -= 1
            if at < 0:
                os.kill(os.getpid(), 9)
            return real(*arguments, **options)
        return step

    for name in ("open", "fsync", "replace", "fdopen"):
        setattr(os, name, dying(name, getattr(os, name)))
    file = CsvFile(DestinationSettings("file", "csv", options={"path": place}))
    list(file.push(people(f"{n}@example.com" for n in range(30)), POSITION))
"""


def test_a_kill_between_any_two_steps_is_harmless(tmp_path: Path) -> None:
    """The old file or the new one is there, whole; what proves nothing says so; the next run mends all."""
    entries = people(f"{number}@example.com" for number in range(30))
    whole = written(tmp_path, entries)
    script = textwrap.dedent(KILLED)
    endings = []
    for at in range(20):
        old = written(tmp_path, people(["a@example.com"]))
        done = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path / "list.csv"), str(at)],
            capture_output=True,
            check=False,
        )
        endings.append(done.returncode)

        assert (tmp_path / "list.csv").read_bytes() in (old, whole)
        (state,) = exporter(tmp_path).read_back(["a@example.com"])
        assert state.state is not Remote.SUPPRESSED or old == (tmp_path / "list.csv").read_bytes()
        assert whole == written(tmp_path, entries)
        assert ["list.csv", "list.csv.manifest.json"] == sorted(each.name for each in tmp_path.iterdir())

    assert -signal.SIGKILL in endings
    assert 0 in endings, "the last attempts should reach the end"


def test_what_a_running_export_is_writing_is_left_alone(tmp_path: Path) -> None:
    """Only what belongs to ended processes is removed, and only temporary files of the same target."""
    mine = tmp_path / f".list.csv.{os.getpid()}-abcd.tmp"
    ended = tmp_path / ".list.csv.99999999999999999999-abcd.tmp"
    others = [
        tmp_path / name
        for name in (".list.csv.x-1.tmp", ".list.csv.1-1.tmp", ".other.csv.1-1.tmp", "list.csv.1.tmp")
    ]
    for each in (mine, ended, *others):
        each.touch()
    written(tmp_path, people(["a@example.com"]))

    assert {mine, *others} <= set(tmp_path.iterdir())
    assert not ended.exists()

"""A folder of every format: whole, proven by its own digests, and recorded by one of them."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from suppress.report.attachments import SUMS
from suppress.report.rendering import rendered
from suppress.report.target import Format, Target
from tests.report.test_html import HOSTILE, Page, busy

FOLDER = Target(Format.ALL, "audit")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The files of a report, on disk."""
    for name, content in rendered(busy(text=HOSTILE), FOLDER).files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    return tmp_path


def test_the_sums_cover_every_other_file_and_hold(folder: Path) -> None:
    """A stranger's tool says so."""
    names = {line.split("  ", 1)[1] for line in (folder / SUMS).read_text().splitlines()}
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}

    done = subprocess.run(["sha256sum", "-c", "--strict", SUMS], cwd=folder, capture_output=True, check=False)

    assert names == there - {SUMS}
    assert done.returncode == 0, done.stderr


def test_one_changed_byte_in_any_file_shows(folder: Path) -> None:
    """Also in the page itself."""
    page = folder / "report.html"
    page.write_bytes(page.read_bytes().replace(b"Compliance", b"compliance").replace(b"report", b"rep0rt", 1))

    done = subprocess.run(["sha256sum", "-c", "--quiet", SUMS], cwd=folder, capture_output=True, check=False)

    assert done.returncode == 1
    assert done.stdout == b"report.html: FAILED\n"


def test_the_page_prints_the_digest_of_every_data_file(folder: Path) -> None:
    """Whoever has the page on paper can check the data files by it."""
    text = Page((folder / "report.html").read_bytes()).all("main")[0].text
    data = [path for path in folder.rglob("*") if path.suffix in (".csv", ".json", ".xlsx", ".txt")]

    assert len(data) > 25
    for path in data:
        assert hashlib.sha256(path.read_bytes()).hexdigest() in text, path.name


def test_the_checkpoint_is_there_as_a_file() -> None:
    """As `verify --anchor` takes it."""
    facts = busy()

    assert rendered(facts, FOLDER).files["checkpoint.txt"].decode() == facts.manifest.ledger.checkpoint


def test_a_report_alone_says_that_no_files_belong_to_it() -> None:
    """And how to get them."""
    (page,) = rendered(busy(), Target(Format.HTML, "-")).files.values()

    assert b"made as a single file" in page


def test_the_last_file_stands_for_all() -> None:
    """Its digest is what the ledger records."""
    made = rendered(busy(), FOLDER)

    assert list(made.files)[-1] == SUMS
    assert made.digest == hashlib.sha256(made.files[SUMS]).hexdigest()
    assert made.bytes == sum(len(content) for content in made.files.values())


def test_what_is_not_installed_is_left_out_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder is whole without it, and its sums hold for what is there."""
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)

    made = rendered(busy(), FOLDER)

    assert made.left_out == (
        "report.xlsx is left out: a workbook needs XlsxWriter, which is not installed "
        "(pip install 'suppress-ledger[excel]')",
    )
    assert "report.xlsx" not in made.files
    assert "report.xlsx" not in made.files[SUMS].decode()

"""The sample report is what the code makes of the recorded ledger, byte for byte."""

from __future__ import annotations

import hashlib
import importlib.util
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

from suppress.core.keychain import KeyChain

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "docs" / "sample-report"


@cache
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("sample", ROOT / "docs" / "sample.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def made() -> Mapping[str, bytes]:
    files: Mapping[str, bytes] = generator().files()
    return files


@pytest.mark.parametrize("name", ["report.html", "report.pdf", "report.json", "SHA256SUMS"])
def test_the_file_is_what_the_generator_writes(name: str) -> None:
    """After a change of the report: python docs/sample.py."""
    assert (
        hashlib.sha256(made()[name]).hexdigest() == hashlib.sha256((SAMPLE / name).read_bytes()).hexdigest()
    )


def test_the_folder_holds_these_files_and_no_other() -> None:
    """A table that is gone leaves no file behind."""
    there = {str(path.relative_to(SAMPLE)) for path in SAMPLE.rglob("*") if path.is_file()}
    ledger = {"ledger/entries.ndjson", "ledger/checkpoint", "ledger/log.vkey", ".gitattributes"}

    assert there == set(made()) | ledger


def test_its_own_sums_hold() -> None:
    """As a reader checks them."""
    done = subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=SAMPLE, check=False)

    assert done.returncode == 0


def test_its_ledger_was_signed() -> None:
    """By the key beside it; the generator holds the entries against what was signed."""
    note = (SAMPLE / "ledger" / "checkpoint").read_text(encoding="utf-8")
    chain = KeyChain.of((SAMPLE / "ledger" / "log.vkey").read_text(encoding="utf-8").strip())

    assert chain.open(note).size == len(generator().leaves())


def test_it_is_about_the_demo() -> None:
    """Two hundred opt-outs, eighty of them hidden, one request by phone that was late."""
    facts, _ = generator().facts()

    assert (facts.verdict.hidden, facts.verdict.late, facts.verdict.suppressed) == (80, 1, 201)
    assert b"@" not in b"".join(generator().leaves())

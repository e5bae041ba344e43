"""Bundles as a release wrote them: they verify for ever, by this program and by their own script."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from suppress.bundle import Grade, layout
from tests.bundle.books import run_script
from tests.bundle.samples.make import FORM, SAMPLES, described, main

FOLDERS = sorted(folder for folder in SAMPLES.iterdir() if (folder / "expected.json").is_file())
EACH = [pytest.param(folder, id=folder.name) for folder in FOLDERS]


def test_every_form_of_bundles_has_a_sample() -> None:
    """Of a form without one, nobody would notice that it can no longer be read."""
    assert {str(number) for number in range(1, int(FORM) + 1)} == {folder.name for folder in FOLDERS}


@pytest.mark.parametrize("folder", EACH)
def test_a_bundle_verifies_as_it_always_did(folder: Path) -> None:
    """Size, root, key and digest, from the key that was pinned first and a checkpoint of then."""
    assert json.loads((folder / "expected.json").read_text("utf-8")) == described(folder)


@pytest.mark.parametrize("grade", list(Grade))
@pytest.mark.parametrize("folder", EACH)
def test_the_script_of_then_still_runs(folder: Path, grade: Grade) -> None:
    """Nothing of it is ours to change any more."""
    ran = run_script(folder / grade.value, "-c", folder / "kept.note")

    assert (3, True) == (ran.exit_code, "RIGHT" in ran.said), ran.said


@pytest.mark.parametrize("grade", list(Grade))
@pytest.mark.parametrize("folder", EACH)
def test_a_changed_sample_would_be_noticed(folder: Path, grade: Grade) -> None:
    """What they are is in their digests, so that nobody mends a sample in passing."""
    named = (folder / grade.value / layout.SUMS).read_text("utf-8").splitlines()
    files = {str(file.relative_to(folder / grade.value)) for file in (folder / grade.value).rglob("*")}

    assert {line[66:] for line in named} | {layout.SUMS} == {
        name for name in files if (folder / grade.value / name).is_file()
    }


def test_a_sample_is_never_made_again() -> None:
    """It is what auditors have, not what the program would write today."""
    before = {file: file.stat().st_mtime_ns for file in SAMPLES.rglob("*") if file.is_file()}
    assert 1 == main()
    assert before == {file: file.stat().st_mtime_ns for file in before}

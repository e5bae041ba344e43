"""A new plugin is there whole or not at all, is right as far as it goes, and passes no test by accident."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from suppress.errors import BadUsage, OutputRefused
from suppress.plugin.kit import HttpExporterContract
from suppress.plugin.skeleton import Skeleton, skeleton
from tests.conftest import Command

ROOT = Path(__file__).parents[2]


def test_a_new_plugin_is_a_whole_distribution(command: Command) -> None:
    """Named after its platform throughout, and every file of it can be read as what it is."""
    done = command("plugin", "new", "my-crm", "--json")
    folder = command.folder / "suppress-my-crm"
    files = {str(each.relative_to(folder)): each.read_text() for each in folder.rglob("*") if each.is_file()}
    project = tomllib.loads(files["pyproject.toml"])["project"]

    assert 0 == done.exit_code, done.err
    assert "suppress/plugin-new@1" == done.json()["schema"]
    assert sorted(files) == done.json()["files"]
    assert "suppress-my-crm" == project["name"]
    assert {"my-crm": "suppress_my_crm"} == project["entry-points"]["suppress"]
    assert {"my-crm": "suppress_my_crm.simulator:launch"} == project["entry-points"]["suppress.simulators"]
    assert not [name for name, text in files.items() if re.search(r"\$(?!\{)", text)]
    assert all(ast.parse(text) for name, text in files.items() if name.endswith(".py") and text)
    assert "class MyCrmExporter:" in files["suppress_my_crm/exporter.py"]


def test_it_wants_the_contract_that_it_was_written_for(tmp_path: Path) -> None:
    """Until 1.0 the contract may change with the second number."""
    files = skeleton("crm", tmp_path).files
    ours = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    major, minor, *_ = ours.split(".")

    (wanted,) = tomllib.loads(files["pyproject.toml"])["project"]["dependencies"]
    assert f"suppress-ledger>={major}.{minor},<{major}.{int(minor) + 1}" == wanted


def test_a_dry_run_writes_nothing(command: Command) -> None:
    """It names the files that would be there."""
    done = command("plugin", "new", "crm", "--dry-run")

    assert 0 == done.exit_code
    assert "suppress_crm/exporter.py" in done.out
    assert [] == list(command.folder.glob("*crm*"))


@pytest.mark.parametrize("there", ["folder", "file", "dangling link"])
def test_nothing_is_overwritten(there: str, command: Command) -> None:
    """Not even an empty folder: somebody made it."""
    place = command.folder / "suppress-crm"
    match there:
        case "folder":
            place.mkdir()
        case "file":
            place.write_text("mine")
        case _:
            place.symlink_to("nowhere")
    before = sorted(command.folder.iterdir())
    done = command("plugin", "new", "crm")

    assert 2 == done.exit_code
    assert "is there already; nothing was written" in done.err
    assert before == sorted(command.folder.iterdir())
    assert not place.is_dir() or not list(place.iterdir())


@pytest.mark.parametrize("name", ["A b", "crm_x", "-crm", "crm-", "9lives", "crm/../x", "büro", "x" * 41, ""])
def test_what_cannot_be_a_platform_is_refused(name: str, tmp_path: Path) -> None:
    """It becomes a folder, a Python package and a word in suppress.toml."""
    with pytest.raises(BadUsage, match="is no name for a platform"):
        skeleton(name, tmp_path)


@pytest.mark.parametrize("name", ["csv", "constant-contact", "ledger"])
def test_a_name_that_is_taken_is_refused(name: str, command: Command) -> None:
    """Two plugins of one name are both refused when they load; `suppress-ledger` is this program."""
    done = command("plugin", "new", name)

    assert 2 == done.exit_code
    assert f"there is a platform '{name}' already" in done.err
    assert not (command.folder / f"suppress-{name}").exists()


def test_a_folder_that_cannot_be_made_is_an_error(command: Command) -> None:
    """One line, and nothing left behind."""
    (command.folder / "file").write_text("")
    done = command("plugin", "new", "crm", "--folder", "file/below")

    assert 2 == done.exit_code
    assert "cannot be written" in done.err


def test_a_write_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    """The folder appears when all of it is there."""
    broken = Skeleton("crm", "suppress-crm", "suppress_crm", tmp_path / "suppress-crm", {"a": "", "a/b": ""})
    with pytest.raises(OutputRefused, match="nothing was left there"):
        broken.write()

    assert [] == list(tmp_path.iterdir())


def test_a_folder_that_appears_meanwhile_is_left_alone(tmp_path: Path) -> None:
    """Between looking and writing somebody else may have made it."""
    made = skeleton("crm", tmp_path)
    made.folder.mkdir()
    with pytest.raises(OutputRefused, match="is there already"):
        made.write()

    assert [] == list(made.folder.iterdir())


def test_a_new_plugin_passes_nothing_by_accident(tmp_path: Path) -> None:
    """A green test of something that nobody has written would be believed."""
    made = skeleton("crm", tmp_path)
    made.write()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=line"],
        cwd=made.folder,
        env={**os.environ, "PYTHONPATH": str(made.folder)},
        capture_output=True,
        check=False,
    )
    printed = done.stdout.decode()
    tests = [name for name in dir(HttpExporterContract) if name.startswith("test_")]

    assert 1 == done.returncode
    assert f"{len(tests)} failed in" in printed, printed
    assert len(tests) == len(re.findall(r"^/.*: .*Unwritten: not written yet: ", printed, re.MULTILINE))

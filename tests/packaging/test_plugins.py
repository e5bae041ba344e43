"""The plugins beside the main distribution: each installs alone, says what it needs, and explains itself."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from contextlib import closing
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from suppress.plugin.registry import Registry
from suppress.plugin.simulated import GROUP
from tests.packaging.test_dependencies import imported

ROOT = Path(__file__).parents[2]
PLUGINS = sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))


def project(folder: Path) -> dict[str, Any]:
    """What a plugin's own `pyproject.toml` says about it."""
    found: dict[str, Any] = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return found


def test_every_platform_of_the_design_has_its_plugin() -> None:
    assert [each.name.removeprefix("suppress-") for each in PLUGINS] == [
        "hubspot",
        "klaviyo",
        "mailchimp",
        "salesforce",
        "sendgrid",
        "ses",
    ]


def test_all_of_them_load() -> None:
    plugins = Registry.load().plugins()

    assert {each.distribution for each in plugins} >= {each.name for each in PLUGINS}
    assert [(str(each), each.failure) for each in plugins if each.failure] == []


@pytest.mark.parametrize("folder", PLUGINS, ids=lambda folder: folder.name)
def test_what_a_plugin_imports_is_what_it_declares(folder: Path) -> None:
    """`pip install` of it alone is enough."""
    package = folder.name.replace("-", "_")
    declared = {
        re.split(r"[<>=\[;~ ]", each)[0].replace("-", "_") for each in project(folder)["dependencies"]
    }
    used = imported(f"plugins/{folder.name}/{package}") - {package}

    assert declared == used | {"suppress_ledger"}


@pytest.mark.parametrize("folder", PLUGINS, ids=lambda folder: folder.name)
def test_its_wheel_holds_types_simulator_and_nothing_else(folder: Path, tmp_path: Path) -> None:
    package = folder.name.replace("-", "_")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    (built,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(built).namelist()

    assert f"{package}/py.typed" in names
    assert any(name.startswith(f"{package}/simulator") for name in names)
    assert not [name for name in names if not name.startswith((f"{package}/", f"{package}-"))]


@pytest.mark.parametrize("folder", PLUGINS, ids=lambda folder: folder.name)
def test_its_manual_names_every_setting(folder: Path) -> None:
    """And it has one for `suppress export`: a how-to that runs."""
    name = folder.name.removeprefix("suppress-")
    manual = (folder / "README.md").read_text(encoding="utf-8")
    (described,) = (each for each in Registry.load().exporters() if each.name == name)
    keys = described.capabilities.config["properties"]
    assert isinstance(keys, dict)

    assert [key for key in keys if f"`{key}`" not in manual and f"\n{key} = " not in manual] == []
    assert (ROOT / f"docs/how-to/export-to-{name}.md").is_file()


@pytest.mark.parametrize("folder", PLUGINS, ids=lambda folder: folder.name)
def test_its_simulator_starts_and_prints_settings_that_the_plugin_takes(folder: Path) -> None:
    """What a person pastes into `suppress.toml` after `suppress simulate` opens the destination."""
    name = folder.name.removeprefix("suppress-")
    (point,) = entry_points(group=GROUP, name=name)
    with closing(point.load()(0, None)) as running:
        (table,) = tomllib.loads(running.settings)["destinations"].values()

        assert running.url.startswith("http://127.0.0.1:")
        assert table["platform"] == name
        assert all(variable.startswith("SUPPRESS_DESTINATIONS__") for variable in running.environment)

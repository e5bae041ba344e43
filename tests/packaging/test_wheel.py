"""What gets installed: the wheel alone holds everything that the command needs, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this tree."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_ships_migrations_types_and_data(wheel: Path) -> None:
    """A ledger can be created without the source tree; type checkers see our types."""
    names = zipfile.ZipFile(wheel).namelist()

    assert "suppress/_migrations/env.py" in names
    assert "suppress/_migrations/versions/0001_ledger.py" in names
    assert "suppress/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not [name for name in names if name.startswith(("tests/", "docs/", "plugins/"))]


def test_the_wheel_works_without_the_source_tree(wheel: Path, tmp_path: Path) -> None:
    """sqlite-utils 4.2 crashed for everyone over a development-only import; this is the test for that."""
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    work = tmp_path / "work"
    work.mkdir()
    env = {key: value for key, value in os.environ.items() if not key.startswith("SUPPRESS_")}
    env |= {"PYTHONPATH": str(site), "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "suppress", *arguments],
            cwd=work,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )

    where = subprocess.run(
        [sys.executable, "-c", "import suppress; print(suppress.__file__)"],
        cwd=work, env=env, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert str(site) in where.stdout

    created = run("init")
    assert 0 == created.returncode, created.stderr
    added = run("add", "pat@example.com", "--received", "2026-01-02")
    assert 0 == added.returncode, added.stderr
    assert 1 == run("check", "PAT@example.com").returncode
    assert 0 == run("check", "jo@example.com").returncode
    assert 0 == run("plugin", "new", "crm").returncode
    assert (work / "suppress-crm" / "suppress_crm" / "exporter.py").is_file()
    assert 3 == run("verify").returncode
    assert 0 == run("bundle", "-o", "audit").returncode
    assert (
        3 == subprocess.run(["sh", "audit/verify.sh"], cwd=work, check=False, capture_output=True).returncode
    )

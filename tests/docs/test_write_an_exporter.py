"""The how-to's exporter is real: its files are installed, its contract tests run, and it exports."""

from __future__ import annotations

import os
import re
import shlex
import sqlite3
import subprocess
import sys
import tomllib
from contextlib import closing
from pathlib import Path

import pytest

from tests.conftest import Command
from tests.ledgers import ledger_with

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "write-an-exporter.md"


def blocks(language: str) -> list[str]:
    """The page's code blocks in one language."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The plugin as an installer leaves it."""
    module, test = blocks("python")
    project = tomllib.loads(blocks("toml")[0])["project"]
    ((name, target),) = project["entry-points"]["suppress"].items()
    folder = tmp_path / "site"
    about = folder / f"suppress_crm-{project['version']}.dist-info"
    about.mkdir(parents=True)
    (folder / f"{target}.py").write_text(module, encoding="utf-8")
    (folder / "test_suppress_crm.py").write_text(test, encoding="utf-8")
    (about / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    (about / "entry_points.txt").write_text(f"[suppress]\n{name} = {target}\n")
    return folder


def test_the_exporter_keeps_the_contract(site: Path) -> None:
    """As its author would see it: pytest in the plugin's own folder."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_suppress_crm.py"],
        cwd=site,
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        check=False,
    )

    assert 0 == done.returncode, done.stdout.decode()
    assert re.search(r"\b1\d passed", done.stdout.decode())


def test_the_commands_of_the_page_work(command: Command, site: Path) -> None:
    """Known people are suppressed, whatever the CRM's spelling; unknown ones are not created."""
    ledger_with(command.folder, "pat@example.com", "gone@example.com")
    (command.folder / "suppress.toml").write_text(blocks("toml")[1], encoding="utf-8")
    with closing(sqlite3.connect(command.folder / "crm.db")) as database, database:
        database.execute("CREATE TABLE contact (email UNIQUE, do_not_mail DEFAULT 0)")
        database.executemany(
            "INSERT INTO contact (email) VALUES (?)", [("Pat@Example.COM ",), ("sam@example.com",)]
        )
    (script,) = blocks("sh")
    env = {"PYTHONPATH": str(site)}
    done = [command(*shlex.split(line)[1:], env=env) for line in script.splitlines()]
    with closing(sqlite3.connect(command.folder / "crm.db")) as database:
        contacts = dict(database.execute("SELECT email, do_not_mail FROM contact"))

    assert [0, 0, 0, 0] == [each.exit_code for each in done], [each.err for each in done]
    assert "suppress-crm" in done[0].out
    assert "2 contacts" in done[1].out
    assert "unknown skip" in done[2].out
    assert "everyone is there" in done[3].out
    assert {"Pat@Example.COM ": 1, "sam@example.com": 0} == contacts

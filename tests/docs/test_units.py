"""The units of the guides are what systemd, cron and Kubernetes take, and their commands exist."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from suppress.cli.app import app
from suppress.service.schedule import Cron, schedule

GUIDES = Path(__file__).parents[2] / "docs" / "how-to"
PAGES = [GUIDES / "run-as-a-service.md", GUIDES / "run-nightly.md"]


def blocks(kind: str) -> list[str]:
    """The blocks of a kind in both guides."""
    return [
        each
        for page in PAGES
        for each in re.findall(rf"```{kind}\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    ]


def commands() -> Iterator[list[str]]:
    """Every command of a unit, without `suppress`."""
    for block in blocks("ini"):
        for line in re.findall(r"(?m)^ExecStart=(.*)$", block):
            words = shlex.split(line)
            yield words[words.index("suppress") + 1 :]
    for block in blocks("yaml"):
        for job in yaml.safe_load_all(block):
            if isinstance(job, dict):
                yield _container(job)["command"][1:]
    for page in PAGES:
        for line in re.findall(
            r"(?m)^(?:\S+ ){5}\s*cd /srv/suppress && suppress (.*)$", page.read_text("utf-8")
        ):
            yield shlex.split(re.split(r"[>|&;]", line)[0])


def _container(job: dict[str, Any]) -> dict[str, Any]:
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert {each["name"] for each in container["volumeMounts"]} == {each["name"] for each in pod["volumes"]}
    return dict(container)


@pytest.mark.parametrize("words", list(commands()), ids=" ".join)
def test_every_command_of_a_unit_can_be_parsed(words: list[str]) -> None:
    """An option that was renamed would stop a service at its next start, not in a test."""
    root = typer.main.get_command(app)
    context: Any = root.make_context("suppress", list(words), resilient_parsing=False)
    name, command, rest = root.resolve_command(context, [*context._protected_args, *context.args])  # type: ignore[attr-defined]  # Click's own way down

    assert name is not None
    command.make_context(name, rest, parent=context)


def test_the_guides_hold_units_of_each_kind() -> None:
    """So that the tests beside this one have something to test."""
    assert 2 == len([each for each in blocks("ini") if "[Service]" in each])
    assert [schedule("15 * * * *", "UTC")] == [
        schedule(job["spec"]["schedule"], "UTC")
        for block in blocks("yaml")
        for job in yaml.safe_load_all(block)
        if isinstance(job, dict)
    ]
    assert isinstance(schedule("15 2 * * 1-6", "UTC"), Cron)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_takes_the_service(tmp_path: Path) -> None:
    """As it says itself."""
    (block,) = [each for each in blocks("ini") if "Type=notify" in each]
    unit = tmp_path / "suppress.service"
    unit.write_text(block.replace("User=suppress\n", ""))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False
    )
    about_it = [line for line in done.stderr.splitlines() if "suppress.service" in line]

    assert [] == about_it

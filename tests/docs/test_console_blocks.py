"""Every console block in the docs runs, in order, in one folder a page, against the simulator.

A block tagged `console` holds lines `$ command` and what they print. `…` stands for any text. A line
`# exit code N` after a command says how it ends when not with 0. `printf "…" > FILE` (or `>>`) writes a file.
"""

from __future__ import annotations

import re
import shlex
import shutil
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from suppress.platforms.constant_contact.simulator import Simulator, demo_scenario
from suppress.plugin.simulated import GROUP
from tests.conftest import Command
from tests.docs import signing

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    page
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *ROOT.glob("plugins/*/README.md")]
    if "```console" in page.read_text(encoding="utf-8")
)


@dataclass(slots=True)
class Step:
    """One `$` line, what it should print, and how it should end."""

    command: str
    shown: list[str] = field(default_factory=list)
    exit_code: int = 0


def steps(page: Path) -> Iterator[Step]:
    """The steps of all console blocks of a page."""
    for block in re.findall(r"```console\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL):
        step: Step | None = None
        for line in block.splitlines():
            if line.startswith("$ "):
                if step is not None:
                    yield step
                step = Step(line[2:])
            elif step is not None and (code := re.fullmatch(r"# exit code (\d+)", line)):
                step.exit_code = int(code[1])
            elif step is not None:
                step.shown.append(line)
        if step is not None:
            yield step


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_page_shows_what_really_happens(page: Path, command: Command) -> None:
    """A reader who types what the page shows sees what the page shows."""
    with Simulator(demo_scenario()) as platform, ExitStack() as stack:
        env = {
            "SUPPRESS_SOURCES__MAIN__PLATFORM": "constant-contact",
            "SUPPRESS_SOURCES__MAIN__API_URL": platform.url,
            "SUPPRESS_SOURCES__MAIN__ACCESS_TOKEN": platform.token,
            "SUPPRESS_SOURCES__MAIN__SENDER": "Acme",
        }
        for name in sorted(set(re.findall(r"suppress simulate ([a-z-]+)", page.read_text("utf-8")))):
            if name != "constant-contact":
                env |= stack.enter_context(_destination(name))
        if page.name == "sign-in.md":
            env = signing.environment(platform)
        for step in steps(page):
            _walk(step, command, env)


@contextmanager
def _destination(platform: str) -> Iterator[dict[str, str]]:
    """The settings and secrets of a destination that the page simulates in another window."""
    (point,) = entry_points(group=GROUP, name=platform)
    with closing(point.load()(0, None)) as running:
        tables = tomllib.loads(running.settings).get("destinations", {})
        yield dict(running.environment) | {
            f"SUPPRESS_DESTINATIONS__{name.upper()}__{key.upper()}": str(value)
            for name, table in tables.items()
            for key, value in table.items()
        }


def _walk(step: Step, command: Command, env: dict[str, str]) -> None:
    words = shlex.split(step.command)
    if words[0] == "printf":
        _, text, how, name = words
        with (command.folder / name).open({">": "w", ">>": "a"}[how], encoding="utf-8") as file:
            file.write(text.encode().decode("unicode_escape"))
        return
    if words[0] == "cp":
        shutil.copy(command.folder / words[1], command.folder / words[2])
        return
    assert words[0] == "suppress", f"only suppress, printf and cp run here: {step.command}"
    done = command(*words[1:], env=env)

    assert step.exit_code == done.exit_code, f"{step.command}: {done.out}{done.err}"
    printed = _squeezed(done.out + done.err)
    pattern = ".*".join(re.escape(part) for part in _squeezed("\n".join(step.shown)).split("…"))
    assert re.search(pattern, printed, flags=re.DOTALL), f"{step.command} printed:\n{done.out}{done.err}"


def _squeezed(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines())

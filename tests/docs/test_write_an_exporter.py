"""The how-to is followed word for word: its files are written, its commands run, and a plugin passes.

Blocks of code whose first line is a comment with a path are files; `sh` blocks are commands, one a line. The
only liberty taken is that `pip` is not asked for anything: the wheel is built and its metadata put on the
path, which is what an editable install does.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.conftest import SCRIPT, Command, Done

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "write-an-exporter.md"
FROM_THE_SIMULATOR = "http://127.0.0.1:8350"
"""What the page says it listens on; here it takes any free port."""

_OUTSIDE = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
"""An author's environment: how these tests are run themselves is no part of it."""


@dataclass
class Author:
    """Somebody who follows the page, with two terminals."""

    command: Command
    folder: Path
    env: dict[str, str] = field(default_factory=dict)
    printed: list[tuple[str, Done]] = field(default_factory=list)
    url: str = FROM_THE_SIMULATOR

    def write(self, block: str) -> None:
        """A file of the page, as it is."""
        found = re.match(r"# (\S+)\n", block)
        assert found, f"a block of code names its file first: {block[:60]}"
        place = self.folder / found[1]
        assert place.parent.is_dir(), f"{found[1]} is in a folder that nothing made"
        place.write_text(block[found.end() :].replace(FROM_THE_SIMULATOR, self.url), encoding="utf-8")

    def type(self, line: str) -> None:
        """A command of the page."""
        match shlex.split(line, comments=True):
            case ["cd", folder]:
                self.folder /= folder
            case ["rm", file]:
                (self.folder / file).unlink()
            case ["export", setting]:
                name, _, value = setting.partition("=")
                self.env[name] = value
            case ["suppress", *arguments]:
                self.printed.append((line, self.command(*arguments, env=self.env, cwd=self.folder)))
            case ["python", "-m", "pip", "install", "--editable", ".[test]"]:
                self._install()
            case ["python", "-m", "pytest"]:
                self._test(line.partition("#")[2].strip())
            case other:
                raise AssertionError(f"nobody knows how to type {other}")

    def _install(self) -> None:
        site = self.command.folder / "site"
        build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(site)]
        subprocess.run(build, cwd=self.folder, check=True, capture_output=True)
        (wheel,) = site.glob("*.whl")
        with zipfile.ZipFile(wheel) as packed:
            packed.extractall(site, [name for name in packed.namelist() if ".dist-info/" in name])
        self.env["PYTHONPATH"] = os.pathsep.join(map(str, (site, self.folder)))

    def _test(self, expected: str) -> None:
        pytest = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error"]
        env = {**_OUTSIDE, **self.env}
        done = subprocess.run(pytest, cwd=self.folder, env=env, capture_output=True, check=False)
        printed = done.stdout.decode()

        assert re.search(rf"^{expected} in ", printed, re.MULTILINE), printed[-3_000:]

    @contextmanager
    def second_terminal(self, line: str) -> Iterator[None]:
        """A command that runs until it is stopped."""
        arguments = shlex.split(line)[1:]
        running = subprocess.Popen(
            [str(SCRIPT), *arguments, "--port", "0", "--json"],
            cwd=self.folder,
            env={**_OUTSIDE, **self.env},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        try:
            assert running.stdout is not None
            self.url = json.loads(running.stdout.readline())["url"]
            yield
        finally:
            running.terminate()
            running.communicate(timeout=30)


def test_the_page_leads_from_nothing_to_an_export(command: Command) -> None:
    """From `plugin new` over the passing contract to a person whom the CRM no longer mails."""
    author = Author(command, command.folder)
    text = PAGE.read_text(encoding="utf-8")
    build, use = text.split("## 7. Use it")
    _follow(author, build)
    simulate, *rest = re.split(r"(?<=```)\n", use[use.index("```sh") :], maxsplit=1)
    author.folder = command.folder / "empty"
    author.folder.mkdir()
    with author.second_terminal(simulate.splitlines()[1]):
        _follow(author, rest[0])
    said = dict(author.printed)

    assert [0] * len(said) == [done.exit_code for done in said.values()], said
    assert "suppress-crm" in said["suppress plugins"].out
    assert "the token is good" in said["suppress doctor"].out
    assert "suppress" in said["suppress export main --dry-run"].out
    assert "everyone is there" in said["suppress export main"].out


def _follow(author: Author, part: str) -> None:
    for language, block in re.findall(r"```(\w+)\n(.*?)```", part, flags=re.DOTALL):
        if language == "sh":
            for line in block.splitlines():
                author.type(line)
        else:
            author.write(block)


def test_the_page_names_every_trap_that_the_kit_tests() -> None:
    """Who writes an exporter from the page alone is told of each of them before the kit does."""
    table = PAGE.read_text(encoding="utf-8").partition("## The traps")[2].partition("## Other kinds")[0]
    rows = re.findall(r"^\| \*\*(.+?)\*\*", table, flags=re.MULTILINE)

    assert len(rows) == len(set(rows)) >= 15
    for trap in (
        *("silent success", "accepted, not applied", "partial failure", "page for people", "time-out"),
        *("reset connection", "throttling", "expired credentials", "lost job", "un-archiving"),
        *("wider scope", "bad weather", "addresses and tokens", "kill at any moment"),
    ):
        assert any(trap in row for row in rows), trap

"""`suppress simulate`, as it is run: says what to paste, and ends cleanly."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tomllib
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import SCRIPT, Command


@contextmanager
def running(folder: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """The installed command, until the block ends."""
    outside = {name: value for name, value in os.environ.items() if not name.startswith("SUPPRESS_")}
    process = subprocess.Popen(
        [str(SCRIPT), "simulate", "constant-contact", "--port", "0", *options],
        cwd=folder,
        env=outside,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=20)


def started(process: subprocess.Popen[str]) -> Any:
    """The facts that it prints first, with `--json`."""
    assert process.stdout is not None
    return json.loads(process.stdout.readline())


def test_it_serves_the_demo_account_until_it_is_told_to_stop(tmp_path: Path) -> None:
    """The printed address and token work; SIGTERM is a clean end."""
    with running(tmp_path, "--json") as process:
        facts = started(process)
        request = urllib.request.Request(
            f"{facts['url']}/v3/contacts?status=all&include_count=true&limit=1",
            headers={"Authorization": f"Bearer {facts['token']}"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            count = json.load(answer)["contacts_count"]
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=20)

    assert next(iter(facts)) == "schema"
    assert facts["schema"] == "suppress/simulate@1"
    assert facts["holds"] == {"contacts": 1_000, "suppressed": 200, "deleted": 130}
    assert count == 1_000
    assert process.returncode == 0
    assert "Ctrl-C" in err


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C cannot be sent to one process there")
def test_ctrl_c_ends_it_as_every_command(tmp_path: Path) -> None:
    """130, and no traceback."""
    with running(tmp_path, "--json") as process:
        started(process)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)

    assert process.returncode == 130
    assert "Traceback" not in err


def test_what_it_prints_can_be_pasted(tmp_path: Path) -> None:
    """The table is TOML that configures the source; the variable is one that `suppress` reads."""
    with running(tmp_path) as process:
        assert process.stdout is not None
        lines: list[str] = []
        while not lines or "export" not in lines[-1]:
            lines.append(next(process.stdout))
    text = "".join(line for line in lines if line.startswith("    ") and "export" not in line)
    source = tomllib.loads(text)["sources"]["main"]
    url = lines[0].partition(" at ")[2].split()[0]

    assert source == {
        "platform": "constant-contact",
        "client_id": "simulated-client",
        "api_url": url,
        "auth_url": url,
    }
    assert "    export SUPPRESS_SOURCES__MAIN__ACCESS_TOKEN=simulated-access-token\n" in lines


@pytest.mark.parametrize(("scenario", "contacts"), [("large", 5_000), ("mine.toml", 3)])
def test_it_takes_a_scenario_by_name_or_file(tmp_path: Path, scenario: str, contacts: int) -> None:
    """A file is looked up from the working directory."""
    (tmp_path / "mine.toml").write_text("[people]\nunsubscribed = 3\n", encoding="utf-8")
    with running(tmp_path, "--json", "--scenario", scenario) as process:
        holds = started(process)["holds"]

    assert holds["contacts"] == contacts


def test_a_port_in_use_is_one_clear_line(command: Command) -> None:
    """With the way out."""
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = str(taken.getsockname()[1])
        done = command("simulate", "constant-contact", "--port", port)

    assert done.exit_code == 2
    assert done.err.splitlines() == [
        f"suppress: port {port} on 127.0.0.1 is in use",
        "  what to do: suppress simulate constant-contact --port 0",
    ]
    assert done.out == ""


def test_an_unknown_platform_is_answered_with_the_known_ones(command: Command) -> None:
    """By name, whatever brought them."""
    done = command("simulate", "mailchump")

    assert done.exit_code == 2
    assert "there is no simulator of 'mailchump'; there are: constant-contact" in done.err


ACME = """
class Running:
    label, url, token, settings, environment = "Acme Mail", "http://127.0.0.1:1", "t", "[sources.a]", {}

    def __init__(self, port, scenario):
        self.holds = {"port": port, "letters": len(scenario or "")}

    def close(self):
        print("closed")


def launch(port, scenario):
    import os, signal
    os.kill(os.getpid(), signal.SIGTERM)
    return Running(port, scenario)
"""


def test_a_plugin_brings_the_simulator_of_its_platform(command: Command) -> None:
    """By an entry point; what it runs is closed at the end."""
    environment = plugin(command.folder, ACME)
    done = command("simulate", "acme", "--port", "7", "--scenario", "abc", env=environment)
    wrong = command("simulate", "acne", env=environment)

    assert done.exit_code == 0, done.err
    assert done.out.startswith("Acme Mail is simulated at http://127.0.0.1:1 (7 port, 3 letters)\n")
    assert done.out.endswith("closed\n")
    assert "there are: acme, constant-contact" in wrong.err


def test_a_plugin_that_does_not_load_is_one_clear_line(command: Command) -> None:
    """It cannot stop the others."""
    environment = plugin(command.folder, "import missing_module")
    done = command("simulate", "acme", env=environment)

    assert done.exit_code == 2
    assert "the simulator of 'acme' did not load: ModuleNotFoundError" in done.err
    assert "Traceback" not in done.err


def plugin(folder: Path, code: str) -> dict[str, str]:
    """An installed distribution with one launcher, as the environment that finds it."""
    (folder / "acme_mail.py").write_text(code, encoding="utf-8")
    about = folder / "acme_mail-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-mail\nVersion: 1.0\n", "utf-8")
    (about / "entry_points.txt").write_text("[suppress.simulators]\nacme = acme_mail:launch\n", "utf-8")
    return {"PYTHONPATH": str(folder)}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--scenario", "missing.toml"), "missing.toml: cannot be read: No such file or directory"),
        (("--port", "70000"), "Invalid value for '--port'"),
    ],
)
def test_wrong_options_are_refused(command: Command, options: tuple[str, ...], said: str) -> None:
    """Before anything listens."""
    done = command("simulate", "constant-contact", *options)

    assert done.exit_code == 2
    assert said in done.err
    assert "Traceback" not in done.err

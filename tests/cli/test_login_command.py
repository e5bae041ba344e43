"""`suppress login` and `logout` as people and scripts run them."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from suppress.platforms.constant_contact.simulator import Limits, Scenario, SignIn, Simulator
from tests.conftest import SCRIPT, Command, Done
from tests.plugin.test_registry import install

FREE = Limits(token_per_second=1_000)
SIGNER = SignIn(auto_approve=True, token_life=40)


@dataclass(frozen=True, slots=True)
class Here:
    """A vendor, and the command in a folder that is configured for it."""

    vendor: Simulator
    command: Command
    env: Mapping[str, str]

    def __call__(self, *arguments: str, **env: str) -> Done:
        return self.command(*arguments, env={**self.env, **env})

    def started(self, *arguments: str, **env: str) -> subprocess.Popen[str]:
        """A command that waits for a person."""
        whole = {key: value for key, value in os.environ.items() if not key.startswith("SUPPRESS_")}
        whole |= {"HOME": str(self.command.folder), "XDG_STATE_HOME": str(self.command.folder / "state")}
        whole |= {"XDG_CONFIG_HOME": str(self.command.folder / "no-config"), **self.env, **env}
        return subprocess.Popen(
            [str(SCRIPT), *arguments],
            cwd=self.command.folder,
            env=whole,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def tokens(self) -> set[str]:
        """Every secret that the vendor gave out."""
        grants = self.vendor.backend.grants
        return {*grants.tokens, *grants.refreshes} - {self.vendor.token}


@pytest.fixture
def here(command: Command) -> Iterator[Here]:
    scenario = Scenario(sign_in=SIGNER, limits=FREE)
    with Simulator(scenario) as vendor:
        vendor.add("pat@example.com")
        vendor.unsubscribe("pat@example.com")
        env = {
            "SUPPRESS_SOURCES__MAIN__API_URL": vendor.url,
            "SUPPRESS_SOURCES__MAIN__AUTH_URL": vendor.url,
            "SUPPRESS_SOURCES__MAIN__CLIENT_ID": "simulated-client",
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        }
        yield Here(vendor, command, env)


def status(here: Here) -> tuple[int, dict[str, Any]]:
    done = here("login", "--status", "--json")
    (found,) = done.json()["sources"]
    return done.exit_code, found


def test_a_browser_signs_in_and_the_next_sync_renews_by_itself(here: Here) -> None:
    """The address is shown, the answer is awaited, and no secret is in what is printed or in `ps`."""
    waiting = here.started("login", "main", "--no-browser", "--store", "file", "--port", "0", "--json")
    assert waiting.stderr is not None and waiting.stdout is not None
    lines: list[str] = []
    while not (lines and "authorize?" in lines[-1]):
        lines.append(waiting.stderr.readline())
    listed = Path(f"/proc/{waiting.pid}/cmdline").read_text()
    urllib.request.urlopen(lines[-1].strip()).close()
    out, err = waiting.communicate(timeout=60)
    (signed,) = json.loads(out)["sources"]
    init, sync = here("init"), here("sync", "--json")
    before = here.tokens()
    here.vendor.advance(60)
    # The vendor's clock went on and ours did not: it is the refusal that renews.
    again = here("sync", "--json")

    assert (0, True, "Acme Outdoor") == (waiting.returncode, signed["signed_in"], signed["account"])
    assert (0, 0, 0) == (init.exit_code, sync.exit_code, again.exit_code), again.err
    assert 1 == sync.json()["sources"][0]["opt_outs"]["new"]
    assert len(here.tokens()) > len(before)
    printed = "".join([*lines, listed, out, err, sync.out, sync.err, again.out, again.err])
    assert not [each for each in here.tokens() if each in printed]


def test_a_device_signs_in_and_the_status_says_how(here: Here) -> None:
    """Scopes, ends, days left of the 180, place, plain text; then signing out, and exit code 4."""
    nobody = status(here)
    done = here("login", "main", "--device", "--store", "file")
    code, found = status(here)
    shown = here("login", "--status")
    out = here("logout", "main")
    again = here("logout", "main", "--json")

    assert (4, "nobody has signed in", "suppress login main") == (
        nobody[0], nobody[1]["problem"], nobody[1]["remedy"],
    )  # fmt: skip
    assert 0 == done.exit_code, done.err
    assert re.search(r"type the code {2}[A-Z]{4}-[A-Z]{4}", done.err)
    assert "Next: suppress sync" in done.out
    assert (0, True, "grant", True, 180) == (
        code, found["signed_in"], found["from"], found["renews"], found["days_left"],
    )  # fmt: skip
    assert ["contact_data", "account_read", "offline_access"] == found["scopes"]
    assert found["plain_text"] is True
    assert found["store"].startswith("the file ")
    assert {"expires_at", "renewed_at", "lapses_at"} <= {key for key, value in found.items() if value}
    assert "in plain text" in shown.out and "(in 180 days)" in shown.out
    assert "no call that ends a sign-in" in out.out
    assert (0, False) == (again.exit_code, again.json()["forgotten"])
    assert 4 == status(here)[0]


def test_without_a_terminal_plain_text_needs_the_option(here: Here) -> None:
    """One clear line, exit code 2, and nobody was sent to the vendor."""
    done = here("login", "main", "--device")

    assert 2 == done.exit_code
    assert "tokens are kept in plain text only if you say so" in done.err
    assert "suppress login main --store file" in done.err
    assert () == here.vendor.requests


@pytest.mark.parametrize(("typed", "code"), [("y", 0), ("n", 2), ("", 2)])
def test_at_a_terminal_the_person_is_asked(typed: str, code: int, here: Here) -> None:
    """And only yes is yes."""
    ours, theirs = pty.openpty()
    whole = os.environ | dict(here.env) | {"HOME": str(here.command.folder), "COLUMNS": "200"}
    whole["XDG_STATE_HOME"] = str(here.command.folder / "state")
    whole["XDG_CONFIG_HOME"] = str(here.command.folder / "no-config")
    process = subprocess.Popen(
        [str(SCRIPT), "login", "main", "--device"],
        cwd=here.command.folder,
        env=whole,
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.write(ours, f"{typed}\n".encode())
    _, err = process.communicate(timeout=60)
    os.close(theirs)
    os.close(ours)

    assert code == process.returncode, err
    assert "Keep the tokens in plain text" in err


def test_the_browser_that_is_named_is_opened(here: Here, tmp_path: Path) -> None:
    """Its process list shows the address, which holds no token and no verifier."""
    seen, script = tmp_path / "seen", tmp_path / "browse.py"
    script.write_text(
        "import sys, urllib.request\n"
        f"open({str(seen)!r}, 'w').write(' '.join(sys.argv))\n"
        "urllib.request.urlopen(sys.argv[1]).close()\n"
    )
    browser = f"{sys.executable} {script} %s"
    done = here("login", "main", "--store", "file", "--port", "0", BROWSER=browser)

    assert 0 == done.exit_code, done.err
    assert "code_challenge=" in seen.read_text()
    assert "verifier" not in seen.read_text()
    assert not [each for each in here.tokens() if each in seen.read_text()]


def test_nobody_comes_in_time(here: Here) -> None:
    """Exit code 4 and the way without a browser."""
    done = here("login", "main", "--store", "file", "--no-browser", "--port", "0", "--timeout", "0m")

    assert 4 == done.exit_code
    assert "suppress login main --device" in done.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("login",), "name the source; configured: main"),
        (("logout",), "name the source; configured: main"),
        (("login", "other"), "there is no source 'other'; configured: main"),
        (("logout", "other"), "there is no source 'other'; configured: main"),
        (("login", "--status", "other"), "there is no source 'other'"),
        (("login", "main", "--store", "cloud"), "'cloud' is no place for tokens"),
        (("login", "main", "--timeout", "soon"), "is no span of time"),
    ],
    ids=" ".join,
)
def test_wrong_usage(arguments: tuple[str, ...], said: str, here: Here) -> None:
    """Exit code 2 and one line that says what there is."""
    done = here(*arguments)

    assert 2 == done.exit_code
    assert said in done.err


def test_without_any_source(command: Command) -> None:
    """The table that is missing is named."""
    for arguments in (("login", "--status"), ("login",), ("logout",)):
        done = command(*arguments)
        assert 2 == done.exit_code
        assert "[sources.main]" in done.err


def test_a_platform_without_a_sign_in(command: Command) -> None:
    """A plugin need not have one: login says so, the status of all passes it over."""
    site = command.folder / "site"
    site.mkdir()
    install(
        site,
        "quiet",
        "from suppress.plugin.hookspec import SourceDescription, hookimpl\n"
        "@hookimpl\n"
        "def suppress_sources():\n"
        "    yield SourceDescription(name='quiet', label='Quiet', factory=dict)\n",
    )
    env = {"PYTHONPATH": str(site), "SUPPRESS_SOURCES__MAIN__PLATFORM": "quiet"}

    for arguments in (("login", "main"), ("logout", "main"), ("login", "--status", "main")):
        done = command(*arguments, env=env)
        assert (2, True) == (done.exit_code, "which has no sign-in" in done.err)
    assert [] == command("login", "--status", "--json", env=env).json()["sources"]


def test_a_file_that_others_may_read_stops_a_sync(here: Here) -> None:
    """Exit code 4, and the command that mends it."""
    here("login", "main", "--device", "--store", "file")
    here("init")
    (file,) = (here.command.folder / "state").rglob("sign-in/main-*.json")
    file.chmod(0o644)
    done = here("sync")

    assert 4 == done.exit_code
    assert f"chmod 600 {file}" in done.err


def test_two_syncs_at_once_renew_once(here: Here) -> None:
    """Two cron jobs start in the same second, and the refresh token works once."""
    first = {**here.env, "SUPPRESS_LEDGER": "one.db"}
    for name in ("one.db", "two.db"):
        here("init", SUPPRESS_LEDGER=name)
    here("login", "main", "--device", "--store", "file", SUPPRESS_LEDGER="one.db")
    grants = here.vendor.backend.grants
    grants.sign_in = replace(grants.sign_in, token_life=86_400)
    here.vendor.advance(60)
    answers = []

    def sync() -> None:
        answers.append(here.command("doctor", "--json", env=first).exit_code)

    threads = [threading.Thread(target=sync) for _ in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    refreshes = [each for each in here.vendor.requests if b"=refresh_token" in each.request.body]
    assert [0, 0, 0] == answers
    assert 1 == len(refreshes)

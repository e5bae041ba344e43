"""One API key has one limit, whatever ledgers and processes use it."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from suppress.config import SourceSettings
from suppress.platforms.constant_contact.options import Options
from suppress.platforms.constant_contact.quota import pace_of
from suppress.platforms.constant_contact.simulator import People, Scenario, Simulator
from suppress.plugin.pace import Clock
from tests.small_ledger import made

CLIENT = "0bb7a45e-6f3a-4a4e-9d6e-2d5a0f3b9c11"


def ours(folder: Path, url: str) -> str:
    """A ledger of its own in `folder`, whose source uses the one key."""
    folder.mkdir()
    made(folder)
    (folder / "suppress.toml").write_text(
        f'[sources.main]\nplatform = "constant-contact"\nclient_id = "{CLIENT}"\napi_url = "{url}"\n',
        encoding="utf-8",
    )
    return str(folder)


@pytest.mark.usefixtures("one_utc_day")
def test_two_ledgers_in_two_processes_keep_within_the_limit_of_their_key(tmp_path: Path) -> None:
    """No second sees a fifth request, and the day's count is that of both."""
    with Simulator(Scenario(people=People(active=5, unsubscribed=5))) as platform:
        folders = [ours(tmp_path / name, platform.url) for name in ("one", "other")]
        env = {key: value for key, value in os.environ.items() if not key.startswith("SUPPRESS_")} | {
            "XDG_CONFIG_HOME": str(tmp_path / "config"),
            "XDG_STATE_HOME": str(tmp_path / "state"),
            "SUPPRESS_SOURCES__MAIN__ACCESS_TOKEN": platform.token,
        }
        running = [
            subprocess.Popen(
                [sys.executable, "-m", "suppress", "sync", "--full"],
                cwd=folder,
                env=env,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
            for folder in folders
        ]
        said = [process.communicate(timeout=120)[0].decode() for process in running]
        ticks = sorted(exchange.tick for exchange in platform.requests)
        statuses = {exchange.status for exchange in platform.requests}
    (counted,) = (tmp_path / "state" / "suppress").glob("constant-contact-*.json")

    assert [0, 0] == [process.returncode for process in running], said
    assert {200} == statuses
    assert len(ticks) >= 8
    assert all(later - earlier > 1.0 for earlier, later in zip(ticks, ticks[4:], strict=False))
    assert f'"used": {len(ticks)}' in counted.read_text(encoding="utf-8")


def test_the_count_is_the_users_own_and_does_not_name_the_key(tmp_path: Path) -> None:
    """Whoever may look into the folder learns neither the key nor when somebody works."""
    state = tmp_path / "state"
    pace = pace_of(options(), state, Clock())
    with pace.turn():
        pass
    files = list(state.iterdir())

    assert 0o700 == stat.S_IMODE(state.stat().st_mode)
    assert {0o600} == {stat.S_IMODE(file.stat().st_mode) for file in files}
    assert not any(CLIENT in file.name + file.read_text(encoding="utf-8") for file in files)


def test_the_same_key_at_another_host_or_another_key_is_counted_apart(tmp_path: Path) -> None:
    """A simulator's requests are not the vendor's; spellings of one host are one host."""
    for changes in (
        {},
        {"api_url": "https://API.cc.email/v3"},
        {"client_id": "another"},
        {"api_url": "https://proxy.example"},
    ):
        with pace_of(options(**changes), tmp_path, Clock()).turn():
            pass

    assert 3 == len(list(tmp_path.glob("*.json")))


def options(**changes: str) -> Options:
    """Those of a source with the key."""
    given = {"client_id": CLIENT, **changes}
    return Options.of(SourceSettings("main", "constant-contact", options=given))

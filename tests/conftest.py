"""What every test may use: the installed command, run as a user runs it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

from tests import backends

if TYPE_CHECKING:
    from suppress.ledger import Ledger

hypothesis.settings.register_profile(
    "suppress",
    deadline=None,  # a busy machine is no failing property
    # Where a change is judged, the same examples are drawn for it each time; everywhere else new ones.
    derandomize=bool(os.environ.get("SUPPRESS_TEST_SAME_EXAMPLES")),
)
hypothesis.settings.load_profile("suppress")

# A shell ignores Ctrl-C for what it starts in the background, and so would every command that is tried here.
signal.signal(signal.SIGINT, signal.default_int_handler)

SCRIPT = Path(sys.executable).with_name("suppress")

_DAY = 86_400
"""Seconds."""
_LONGEST = 90
"""Seconds that a test may take which asks for one day, on a busy machine."""


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended and what it printed."""

    exit_code: int
    out: str
    err: str

    def json(self) -> dict[str, Any]:
        """The one object on stdout."""
        found: dict[str, Any] = json.loads(self.out)
        return found


@dataclass(frozen=True, slots=True)
class Command:
    """Runs the installed script in a folder of its own, with no settings but those given."""

    folder: Path

    def __call__(
        self,
        *arguments: str | Path,
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        cwd: Path | None = None,
        seconds: float = 120,
        prefix: Sequence[str] = (),
    ) -> Done:
        outside = {key: value for key, value in os.environ.items() if not key.startswith("SUPPRESS_")}
        alone = {
            "XDG_CONFIG_HOME": str(self.folder / "no-config"),
            "XDG_STATE_HOME": str(self.folder / "state"),
            "HOME": str(self.folder),
        }
        if backends.on_server():
            alone["SUPPRESS_LEDGER"] = backends.url_in(cwd or self.folder)
        done = subprocess.run(
            [*prefix, str(SCRIPT), *map(str, arguments)],
            cwd=cwd or self.folder,
            env=outside | alone | dict(env or {}),
            input=stdin,
            capture_output=True,
            timeout=seconds,
            check=False,
        )
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode())


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Whatever is marked `both_back_ends` runs on both, `server_only` on the server."""
    if metafunc.definition.get_closest_marker("server_only"):
        metafunc.parametrize("back_end", [backends.POSTGRESQL], indirect=True)
        return
    marked = metafunc.definition.get_closest_marker("both_back_ends")
    if marked and not metafunc.definition.get_closest_marker("sqlite_only"):
        metafunc.parametrize("back_end", [backends.SQLITE, backends.POSTGRESQL], indirect=True)


@pytest.fixture(autouse=True)
def back_end(request: pytest.FixtureRequest) -> Iterator[str]:
    """Where the ledgers of this test are."""
    kind: str = getattr(request, "param", backends.SQLITE)
    if kind == backends.POSTGRESQL:
        try:
            backends.server_url()
        except backends.NoServer as missing:
            backends.require(str(missing))
    backends.NOW.kind = kind
    try:
        yield kind
    finally:
        backends.drop_all()
        backends.NOW.kind = backends.SQLITE


@pytest.fixture(scope="session", autouse=True)
def _server_ends() -> Iterator[None]:
    yield
    backends.stop()


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """An empty ledger."""
    from suppress.ledger import Ledger

    url = backends.url_in(tmp_path)
    Ledger.create(url, keys=tmp_path / "keys")
    with Ledger.open(url, keys=tmp_path / "keys") as opened:
        yield opened


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """The installed `suppress`, in an empty folder."""
    return Command(tmp_path)


@pytest.fixture
def one_utc_day() -> None:
    """What counts a platform's requests of a day by the real clock does not run over 00:00 UTC: it waits."""
    left = _DAY - time.time() % _DAY
    if left < _LONGEST:
        time.sleep(left + 1)

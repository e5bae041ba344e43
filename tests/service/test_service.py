"""The service as it runs: a process of its own, on a simulated account, told to stop, killed, begun again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from suppress.core.address import match_key
from suppress.core.entry import SyncDone
from suppress.ledger import Ledger
from suppress.platforms.constant_contact.simulator import Fault, FaultKind, People, Scenario, Simulator
from tests.conftest import SCRIPT, Command

PEOPLE = People(active=200, unsubscribed=700, unsubscribed_deleted=500)


@dataclass(slots=True)
class Running:
    """A service and what it has said so far."""

    process: subprocess.Popen[str]

    def until(self, event: str, **facts: object) -> dict[str, Any]:
        """The next line about this event, with these facts in it."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            found: dict[str, Any] = json.loads(line)
            if found["event"] == event and facts.items() <= found.items():
                return found
        raise AssertionError(f"it ended without {event}")

    def end(self, number: signal.Signals) -> int:
        """Tell it to end, and how it did."""
        self.process.send_signal(number)
        self.process.communicate(timeout=60)
        return self.process.returncode


@dataclass(slots=True)
class Account:
    """A simulated account with its ledger."""

    platform: Simulator
    command: Command

    @property
    def environ(self) -> dict[str, str]:
        """The settings."""
        folder = self.command.folder
        return {
            "SUPPRESS_SOURCES__MAIN__API_URL": self.platform.url,
            "SUPPRESS_SOURCES__MAIN__ACCESS_TOKEN": self.platform.token,
            "XDG_CONFIG_HOME": str(folder / "no-config"),
            "XDG_STATE_HOME": str(folder / "state"),
            "HOME": str(folder),
        }

    @contextmanager
    def service(self, *options: str, every: str = "2s", **environ: str) -> Iterator[Running]:
        """The service, killed at the end if it still runs."""
        outside = {key: value for key, value in os.environ.items() if not key.startswith("SUPPRESS_")}
        process = subprocess.Popen(
            [str(SCRIPT), "sync", "--every", every, *options],
            cwd=self.command.folder,
            env=outside | self.environ | {"SUPPRESS_LOG_FORMAT": "json"} | environ,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            yield Running(process)
        finally:
            process.kill()
            process.communicate()

    def suppressed(self) -> set[str]:
        """The match keys in the ledger."""
        with self._ledger() as ledger:
            return {each.key for each in ledger.suppressed()}

    def runs(self) -> list[SyncDone]:
        """Every run that came to its end, newest first."""
        with self._ledger() as ledger:
            return [each.body for each in ledger.about("sync.done") if isinstance(each.body, SyncDone)]

    def truth(self) -> set[str]:
        """The same, as the platform knows it."""
        return {match_key(address) for address in self.platform.truth()}

    def _ledger(self) -> Ledger:
        folder = self.command.folder
        return Ledger.open(f"sqlite:///{folder}/suppress.db", keys=folder / "suppress.keys", read_only=True)


@pytest.fixture
def account(command: Command) -> Iterator[Account]:
    """An account of some pages, and an empty ledger."""
    assert 0 == command("init").exit_code
    with Simulator(Scenario(people=PEOPLE)) as platform:
        yield Account(platform, command)


def test_it_reads_again_and_again_and_ends_with_zero(account: Account) -> None:
    """A census first, for there was none; then windows; metrics for Prometheus; and no second service."""
    metrics = account.command.folder / "suppress.prom"
    with account.service("--metrics", str(metrics)) as service:
        first = service.until("source")
        assert (True, True) == (first["census"], first["complete"])
        for _ in range(2):
            assert not service.until("source")["census"]
        refused = account.command("sync", "--every", "1h", env=account.environ)
        service.until("waiting")
        families = {each.name for each in text_string_to_metric_families(metrics.read_text())}

        assert (11, True) == (refused.exit_code, f"process {service.process.pid} at" in refused.err)
        assert 0 == service.end(signal.SIGTERM)
    assert account.truth() == account.suppressed()
    assert "suppress_people_suppressed" in families
    assert ["suppress.prom"] == [each.name for each in account.command.folder.glob("*.prom*")]


def test_told_to_stop_in_the_middle_it_finishes_the_page(account: Account) -> None:
    """What was read is kept, the run is not called complete, and the next one reads the rest."""
    with account.service(every="1h") as service:
        account.platform.before_page(2, lambda _: service.process.send_signal(signal.SIGTERM))
        assert 0 == service.process.wait(60)
    assert 1000 == len(account.suppressed())
    assert [] == account.runs()

    with account.service(every="1h") as service:
        assert service.until("source")["complete"]
        assert 130 == service.end(signal.SIGINT)
    assert account.truth() == account.suppressed()


def test_killed_in_the_middle_it_begins_again_where_it_was(account: Account) -> None:
    """The lock ends with its holder, and the ledger verifies."""
    with account.service(every="1h") as service:
        account.platform.before_page(3, lambda _: service.process.kill())
        assert -signal.SIGKILL == service.process.wait(60)
    assert 1000 <= len(account.suppressed()) < len(account.truth())

    with account.service(every="1h") as service:
        assert service.until("source")["complete"]
    assert account.truth() == account.suppressed()
    assert 3 == account.command("verify").exit_code


def test_a_platform_that_fails_ends_nothing(account: Account) -> None:
    """It is logged without an address or a token, and tried again until it answers."""
    account.platform.strike(Fault(FaultKind.TOKEN_EXPIRED, times=2))
    with account.service("--full-every", "never") as service:
        failed = service.until("source", complete=False)
        assert not service.until("source", complete=True)["census"]
        assert 0 == service.end(signal.SIGTERM)

    assert ("SignInNeeded", "error") == (failed["error"], failed["level"])
    assert account.platform.token not in json.dumps(failed)


def test_a_ledger_that_is_not_there_yet_is_waited_for(account: Account) -> None:
    """A disk that is mounted late, a server that restarts: the service is there when they come."""
    ledger = account.command.folder / "suppress.db"
    with account.service() as service:
        service.until("waiting")
        ledger.rename(ledger.with_suffix(".away"))
        # The others, if it went while a run was in it.
        assert service.until("failed")["error"] in ("NoLedger", "StorageFailed", "OutputRefused")
        ledger.with_suffix(".away").rename(ledger)
        service.until("run")


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (["--every", "often"], 2, "span such as 1h"),
        (["--every", "1h", "--full-every", "0 0 31 2 *"], 2, "--full-every"),
        (["--every", "1h", "--json"], 2, "--every and --json"),
        (["--every", "1h", "--dry-run"], 2, "--every and --dry-run"),
        (["--every", "1h", "--full"], 2, "--every and --full"),
        (["--every", "1h", "--log-format", "xml"], 2, "neither text nor json"),
        (["--every", "1h", "--metrics", "nowhere/m.prom"], 2, "--metrics nowhere/m.prom"),
        (["--full-every", "7d"], 2, "--full-every goes with --every"),
        (["--every", "1h", "other"], 2, "no source 'other'"),
    ],
)
def test_what_is_wrong_from_the_start_ends_it_at_once(
    command: Command, options: list[str], code: int, says: str
) -> None:
    """With the same codes as a single run, so that a supervisor does not try for ever."""
    command("init")
    done = command("sync", *options, env={"SUPPRESS_SOURCES__MAIN__ACCESS_TOKEN": "token"})

    assert (code, True) == (done.exit_code, says in done.err), done.err


def test_without_a_ledger_or_with_wrong_settings_it_does_not_begin(command: Command) -> None:
    """10 and 2, not an endless row of failures."""
    token = {"SUPPRESS_SOURCES__MAIN__ACCESS_TOKEN": "token"}

    assert 10 == command("sync", "--every", "1h", env=token).exit_code
    command("init")
    wrong = token | {"SUPPRESS_SOURCES__MAIN__LAG": "soon"}
    assert 2 == command("sync", "--every", "1h", env=wrong).exit_code


def test_one_run_writes_metrics_too(account: Account) -> None:
    """For those who have a timer of their own; a dry run writes nothing."""
    file = account.command.folder / "suppress.prom"
    account.command("sync", "--metrics", "suppress.prom", "--dry-run", env=account.environ)
    assert not file.exists()

    assert 0 == account.command("sync", "--metrics", "suppress.prom", env=account.environ).exit_code
    assert "suppress_people_suppressed 1200" in file.read_text()
    assert 0o644 == file.stat().st_mode & 0o777

    blocked = account.command("sync", "--metrics", "no/suppress.prom", env=account.environ)
    assert (2, True) == (blocked.exit_code, "no/suppress.prom cannot be written" in blocked.err)


def test_people_are_told_by_the_service_and_a_way_that_fails_stops_nothing(account: Account) -> None:
    """Somebody suppressed became mailable at the source: the next census finds it, one way of two tells."""
    folder = account.command.folder
    (folder / "suppress.toml").write_text(
        '[alerts.desk]\nkind = "command"\nrun = ["/bin/sh", "-c", "cat >> got; echo >> got"]\n'
        '[alerts.broken]\nkind = "command"\nrun = ["/bin/false"]\n'
    )
    assert 0 == account.command("sync", "--full", env=account.environ).exit_code
    somebody = min(account.platform.truth())
    account.platform.resubscribe(somebody)
    with account.service("--full-every", "1s") as service:
        # The first run may come before a census is due again.
        service.until("source", complete=True, drift=1)
        assert "AlertFailed" == service.until("alert-failed", name="broken")["error"]
        assert 1 == service.until("alerted", name="desk")["alerts"]
        service.until("waiting")
        assert 0 == service.end(signal.SIGTERM)
    (told,) = [json.loads(line) for line in (folder / "got").read_text().splitlines()]

    assert ["drift:source main"] == [each["id"] for each in told["alerts"]]
    assert somebody not in json.dumps(told)

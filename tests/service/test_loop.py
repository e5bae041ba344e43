"""The service's life: it goes on after failures, tells its supervisor, and ends when told."""

from __future__ import annotations

import io
import json
import os
import signal
import socket
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from suppress.errors import (
    ConfigWrong,
    LedgerLocked,
    MigrationNeeded,
    OutputRefused,
    SourceFailed,
    StorageFailed,
)
from suppress.plugin.pace import Clock
from suppress.service.log import Format, Log
from suppress.service.loop import Loop
from suppress.service.notify import Notify
from suppress.service.one_instance import lock_of, only_one
from suppress.service.schedule import Every
from suppress.service.stopping import Stop, Stopped


class Time:
    """A clock that waiting moves on."""

    def __init__(self) -> None:
        self.seconds = 1_795_000_000.0

    def clock(self) -> Clock:
        """Both clocks, moving together."""
        return Clock(lambda: self.seconds, lambda: self.seconds, self.sleep)

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.seconds += seconds


class Waiting(Stop):
    """Waits by moving the clock on; told to stop after so many seconds."""

    def __init__(self, time: Time, until: float) -> None:
        super().__init__()
        self.time, self.until = time, time.seconds + until

    def wait(self, seconds: float) -> None:
        self.time.sleep(seconds)
        if self.time.seconds >= self.until:
            raise Stopped


def begun(work: Callable[[int], bool], *, hours: float = 10, environ: dict[str, str] | None = None) -> str:
    """The log of a service of one run an hour, after so many hours."""
    time, stream = Time(), io.StringIO()
    log = Log(stream, Format.JSON, time.clock().utc)
    stop = Waiting(time, hours * 3600)
    notify = Notify(environ or {}, pid=7)
    with pytest.raises(Stopped), stop:
        Loop(Every(timedelta(hours=1)), work, stop=stop, notify=notify, log=log, clock=time.clock()).run()
    return stream.getvalue()


def test_it_runs_once_an_hour() -> None:
    """At the beginning, and then as often as asked."""
    runs: list[int] = []

    def work(failures: int) -> bool:
        runs.append(failures)
        return False

    begun(work, hours=9.5)

    assert [0] * 10 == runs


def test_whatever_fails_is_tried_again_and_the_count_begins_anew_after_a_success() -> None:
    """One minute later, then two, then four; only the type of a strange failure is said."""
    failures: list[int] = []
    answers: Iterator[bool | Exception] = iter(
        [
            True,
            SourceFailed("down"),
            LedgerLocked("busy"),
            OutputRefused("the ledger's folder went away while it was opened"),
            ZeroDivisionError("pat@example.com"),
            False,
        ]
    )

    def work(before: int) -> bool:
        failures.append(before)
        answer = next(answers, False)
        if isinstance(answer, Exception):
            raise answer
        return answer

    said = begun(work, hours=1)
    found = [json.loads(line) for line in said.splitlines()]

    assert [0, 1, 2, 3, 4, 5] == failures
    assert ["SourceFailed", "LedgerLocked", "OutputRefused", "ZeroDivisionError"] == [
        each["error"] for each in found if each["event"] == "failed"
    ]
    assert "pat" not in said
    starts = [each["at"][11:19] for each in found if each["event"] == "waiting"]
    assert len(starts) == len(set(starts)) == 6


@pytest.mark.parametrize("failure", [ConfigWrong("wrong"), MigrationNeeded("older")])
def test_what_another_try_cannot_mend_ends_it(failure: Exception) -> None:
    """A supervisor shows that; a service that only pretends to work does not."""

    def work(_failures: int) -> bool:
        raise failure

    time = Time()
    log = Log(io.StringIO(), Format.JSON, time.clock().utc)
    with pytest.raises(type(failure)), Waiting(time, 10) as stop:
        Loop(Every(timedelta(1)), work, stop=stop, notify=Notify({}), log=log, clock=time.clock()).run()


@pytest.mark.parametrize("abstract", [False, True])
def test_a_supervisor_hears_of_it(tmp_path: Path, abstract: bool) -> None:
    """By datagrams, to a file or to an abstract name; a sign of life at least every third of its patience."""
    name = f"@suppress-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(name.replace("@", "\0", 1) if abstract else name)
        listener.setblocking(False)
        environ = {"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "7"}
        notify = Notify(environ, pid=7)
        notify.ready()
        begun(lambda _failures: False, hours=50 / 3600, environ=environ)
        notify.stopping()
        heard = list(_heard(listener))

    assert "READY=1" == heard[0]
    assert heard[1].startswith("STATUS=next run at 2026-")
    assert ["WATCHDOG=1"] * 5 == heard[2:-1]
    assert "STOPPING=1" == heard[-1]


def _heard(listener: socket.socket) -> Iterator[str]:
    while True:
        try:
            yield listener.recv(4096).decode()
        except BlockingIOError:
            return


def test_without_a_supervisor_nobody_is_told() -> None:
    """A terminal, cron and a container have none; one that is gone is no failure either."""
    assert Notify({"WATCHDOG_USEC": "30", "WATCHDOG_PID": "8"}, pid=7).watchdog is None
    assert Notify({"WATCHDOG_USEC": "1500000"}, pid=7).watchdog == 1.5
    Notify({"NOTIFY_SOCKET": "/nowhere/at/all"}).ready()
    Notify({"NOTIFY_SOCKET": "vsock:2:1234"}).ready()
    Notify({}).alive()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_ends_the_waiting_and_says_how_to_exit(number: signal.Signals, code: int) -> None:
    """A supervisor's is a clean end, a person's an interruption; what was set before is set again."""
    before = signal.getsignal(number)
    with Stop() as stop:
        stop.check()
        signal.raise_signal(signal.SIGALRM)  # somebody else's alarm
        assert 0 == stop.exit_code
        signal.raise_signal(number)
        with pytest.raises(Stopped):
            stop.wait(3600)
        with pytest.raises(Stopped):
            stop.check()
        with pytest.raises(Stopped):
            signal.raise_signal(signal.SIGALRM)  # the time for the page is over
        assert code == stop.exit_code

    assert before == signal.getsignal(number)


def test_a_second_service_is_refused_and_told_of_the_first(tmp_path: Path) -> None:
    """However the ledger's path is spelled; and the lock ends with its holder."""
    (tmp_path / "link").symlink_to(tmp_path)
    keys = tmp_path / "keys"
    one, other = f"sqlite:///{tmp_path}/a.db", f"sqlite:///{tmp_path}/link/a.db"
    with only_one(one, keys, Clock()):
        with pytest.raises(LedgerLocked, match=f"process {os.getpid()} at .* since 20"):
            only_one(other, keys, Clock()).__enter__()
        with only_one(f"sqlite:///{tmp_path}/b.db", keys, Clock()):
            pass
        lock_of(one, keys).write_text("{")
        with pytest.raises(LedgerLocked, match="another process"):
            only_one(other, keys, Clock()).__enter__()
    with only_one(other, keys, Clock()):
        pass

    server = "postgresql+psycopg://somebody@127.0.0.1/books"
    assert tmp_path / "keys.service.lock" == lock_of(server, keys)
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageFailed, match="cannot be locked"):
        only_one(f"sqlite:///{tmp_path}/file/a.db", keys, Clock()).__enter__()

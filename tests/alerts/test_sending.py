"""What is found in a real ledger, and who is told of it, by the installed command and by the service."""

from __future__ import annotations

import json
import types
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from suppress.alerts import sending
from suppress.alerts.finding import Beside, Quota, findings
from suppress.alerts.spike import Spike
from suppress.config import AlertSettings, Settings, SourceSettings
from suppress.core.entry import SyncDone
from suppress.errors import StorageFailed
from suppress.ledger import Event, Ledger
from suppress.plugin.alerting import Message
from suppress.plugin.hookspec import AlertDescription, hookimpl
from suppress.plugin.registry import Candidate, Registry
from suppress.plugin.signing import Origin, SignedIn
from suppress.status import Drifted, status
from tests.conftest import Command

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
REGISTRY = Registry.load(environ={"SUPPRESS_LOAD_PLUGINS": ""})


def run(at: datetime, *, complete: bool = True, census: bool = False, new: int = 3) -> Event:
    """One run over the source."""
    body = SyncDone(
        source="main", platform="constant-contact", mode="census" if census else "window", complete=complete,
        after=None, before=at, requests=2, rows=10, observed=new, new=new, known=0, deleted=0,
        missed_by_naive_sync=0, census=None, drift=(),
    )  # fmt: skip
    return Event(at.isoformat(), body)


def settings_of(folder: Path) -> Settings:
    """One source with a token from outside, and one way of alerting."""
    source = SourceSettings("main", "constant-contact", access_token="x")
    ops = AlertSettings(
        "ops", "command", options={"run": ("/bin/sh", "-c", f"cat >> {folder}/got"), "seconds": 9}
    )
    return Settings(
        ledger=f"sqlite:///{folder}/a.db", keys=folder / "a.keys", state=folder / "state",
        sources={"main": source}, alerts={"ops": ops},
    )  # fmt: skip


def ledger_at(settings: Settings, runs: Mapping[datetime, Event]) -> None:
    """A ledger that got these entries at these times."""
    times = iter([min(runs) - timedelta(days=1), *runs])
    Ledger.create(settings.ledger, keys=settings.keys, clock=lambda: next(times))
    for at, event in runs.items():
        with Ledger.open(settings.ledger, keys=settings.keys, clock=lambda at=at: at) as ledger:  # type: ignore[misc]  # bound now
            ledger.append([event], actor="test")


def judged(settings: Settings, now: datetime = NOW) -> dict[str, int]:
    """What is wrong, by id, with its level."""
    with Ledger.open(settings.ledger, keys=settings.keys, read_only=True) as ledger:
        return {each.id: each.level for each in sending.judged(ledger, settings, REGISTRY, now)}


def test_a_source_that_is_read_as_it_should_be_is_silent(tmp_path: Path) -> None:
    """An alarm without a reason is soon switched off."""
    settings = settings_of(tmp_path)
    at = NOW - timedelta(hours=1)
    ledger_at(settings, {at: run(at, census=True)})

    assert {} == judged(settings)


def test_a_source_that_is_no_longer_read_and_a_broken_census_are_found(tmp_path: Path) -> None:
    """Nobody would notice otherwise: the ledger only stays as it is."""
    settings = settings_of(tmp_path)
    first, last = NOW - timedelta(days=9), NOW - timedelta(hours=1)
    ledger_at(settings, {first: run(first, census=True), last: run(last, census=True, complete=False)})

    assert {"incomplete-census:main": 1, "stale-source:main": 2} == judged(settings)


def test_a_spike_is_found_against_the_sources_own_history(tmp_path: Path) -> None:
    """The first day, which brought the whole backlog, is no part of it."""
    settings = settings_of(tmp_path)
    days = [NOW - timedelta(days=20 - index) for index in range(20)]
    runs = {at: run(at, census=not index, new=5_000 if not index else 3) for index, at in enumerate(days)}
    late = NOW - timedelta(hours=1)
    ledger_at(settings, runs | {late: run(late, census=True, new=500)})

    assert {"spike:main": 1} == judged(settings)


def test_a_small_rest_of_the_quota_and_a_sign_in_that_ends_are_found(tmp_path: Path) -> None:
    """Said below a tenth, and said again when nothing is left; the platform is not asked."""
    with Ledger.open(_empty(tmp_path), keys=tmp_path / "a.keys", read_only=True) as ledger:
        found = status(ledger, Settings(state=tmp_path), now=NOW)
    quotas = (Quota("a", 1000, 10_000), Quota("b", 999, 10_000), Quota("c", 0, 10_000))
    signed = [
        SignedIn("far", "p", Origin.GRANT, days_left=31),
        SignedIn("near", "p", Origin.GRANT, days_left=30),
        SignedIn("next", "p", Origin.GRANT, days_left=7),
        SignedIn("gone", "p", Origin.GRANT, problem="refused", remedy="suppress login gone"),
        SignedIn("given", "p", Origin.GIVEN),
    ]
    beside = Beside(("main",), (Spike("main", 500, 20),), quotas, tuple(signed))

    assert {
        "incomplete-census:main": 1, "spike:main": 1, "quota:b": 1, "quota:c": 2,
        "sign-in:near": 1, "sign-in:next": 2, "sign-in:gone": 3,
    } == {each.id: each.level for each in findings(found, beside)}  # fmt: skip


def test_deadlines_and_drift_are_counted(tmp_path: Path) -> None:
    """A source and a destination of one name are two places; one more person is a higher level."""
    with Ledger.open(_empty(tmp_path), keys=tmp_path / "a.keys", read_only=True) as ledger:
        found = status(ledger, Settings(state=tmp_path), now=NOW)
    waiting = replace(found.waiting, overdue=2, due_soon=40, at_risk=1)
    worse = replace(found, waiting=waiting, drift=(Drifted("crm", 3), Drifted("crm", 1, destination=True)))

    assert {"overdue": 2, "due-soon": 1, "drift:source crm": 3, "drift:destination crm": 1} == {
        each.id: each.level for each in findings(worse, Beside())
    }


def _empty(folder: Path) -> str:
    url = f"sqlite:///{folder}/a.db"
    Ledger.create(url, keys=folder / "a.keys")
    return url


def test_it_is_told_once_and_a_way_that_fails_stops_no_other(tmp_path: Path) -> None:
    """And it is told to the one that failed as soon as that works."""
    settings = settings_of(tmp_path)
    broken = AlertSettings("broken", "command", options={"run": ("/bin/false",), "seconds": 9})
    both = Settings(
        ledger=settings.ledger, keys=settings.keys, state=settings.state, organisation="Acme",
        sources=settings.sources, alerts={"broken": broken, **settings.alerts},
    )  # fmt: skip
    at = NOW - timedelta(days=3)
    ledger_at(settings, {at: run(at, census=True)})
    with Ledger.open(both.ledger, keys=both.keys, read_only=True) as ledger:
        found = sending.judged(ledger, both, REGISTRY, NOW)

    def sent() -> list[tuple[str, int, bool]]:
        deliveries = sending.send(found, both, REGISTRY, tuple(both.alerts), NOW)
        return [(each.name, len(each.alerts), each.failure is None) for each in deliveries]

    dry = sending.send(found, both, REGISTRY, ["ops"], NOW, dry_run=True)
    assert [1] == [len(each.alerts) for each in dry]
    assert [("broken", 1, False), ("ops", 1, True)] == sent()
    assert [("broken", 1, False), ("ops", 0, True)] == sent()
    assert "Acme" == json.loads((tmp_path / "got").read_text())["organisation"]


CONFIG = """
[sources.main]
platform = "constant-contact"
access_token_file = "token"
[alerts.ops]
kind = "command"
run = ["/bin/sh", "-c", "cat >> got"]
"""


def test_the_command_tells_and_says_what_it_told(command: Command) -> None:
    """0 when everybody was told, 5 when not; a dry run tells nobody; a test is never remembered."""
    (command.folder / "token").write_text("x")
    (command.folder / "suppress.toml").write_text(CONFIG)
    command("init")
    got = command.folder / "got"

    dry = command("alerts", "send", "--dry-run")
    assert (0, False, True) == (dry.exit_code, got.exists(), "ops would be told" in dry.out)
    assert "ops was told" in command("alerts", "test", "ops").out
    assert "test" == json.loads(got.read_text())["alerts"][0]["condition"]
    first = command("alerts", "send", "--json")
    assert "stale-source:main" in [each["id"] for each in first.json()["deliveries"][0]["alerts"]]
    assert "ops: nothing new\n" == command("alerts", "send").out

    failing = command("alerts", "test", env={"SUPPRESS_ALERTS__OPS__RUN": "/bin/false"})
    assert (5, True) == (failing.exit_code, "its command ended with 1" in failing.err)


@pytest.mark.parametrize(
    ("config", "arguments", "says"),
    [
        ("", ["send"], "nobody is to be alerted"),
        (CONFIG, ["test", "pager"], "there is no alert 'pager'; configured: ops"),
        ('[alerts.ops]\nkind = "pigeon"\n', ["test"], "there is no alert platform 'pigeon'"),
        ("[alerts.ops]\nurl = \"https://example.com/\"\n", ["test"], "names no kind"),
        ('[alerts.ops]\nkind = "command"\nremind = "soon"\n', ["test"], "no span of time"),
        ('[alerts.ops]\nkind = "webhook"\nsecret = "x"\nurl = "http://example.com/"\n', ["test"], "https://"),
        ('[alerts.ops]\nkind = "command"\n', ["test"], "lacks 'run'"),
    ],
)  # fmt: skip
def test_what_is_configured_wrong_is_said(
    command: Command, config: str, arguments: list[str], says: str
) -> None:
    """An alarm that cannot ring is found when it is set up."""
    (command.folder / "suppress.toml").write_text(config)
    done = command("alerts", *arguments)

    assert (2, True) == (done.exit_code, says in done.err), done.err


def test_a_plugin_that_breaks_and_a_state_that_cannot_be_kept_are_failures(tmp_path: Path) -> None:
    """The first is a way that did not tell; the second is said, for people would be told again and again."""

    class Pigeon:
        def send(self, message: Message) -> None:
            raise RuntimeError(f"lost with token of {message.organisation}")

    @hookimpl
    def suppress_alerts() -> Iterator[AlertDescription]:
        yield AlertDescription(name="pigeon", label="Pigeon", factory=lambda _settings: Pigeon())

    module = types.ModuleType("pigeon")
    vars(module)["suppress_alerts"] = suppress_alerts
    registry = Registry.of([Candidate("pigeon", "suppress-pigeon", "1.0", lambda: module)])
    settings = Settings(state=tmp_path / "state", alerts={"loft": AlertSettings("loft", "pigeon")})
    (delivery,) = sending.try_out(settings, registry, ["loft"], NOW)

    assert "alert 'loft' broke: RuntimeError" == str(delivery.failure)
    (tmp_path / "state").write_text("no folder")
    with pytest.raises(StorageFailed, match="cannot be kept"):
        sending.send((), settings, registry, ["loft"], NOW)

"""The hooks' own examples are whole plugins: they load, they work, and they keep the contract."""

from __future__ import annotations

import inspect
import re
import types
from datetime import UTC, datetime
from pathlib import Path

import pytest

from suppress.config import AlertSettings, DestinationSettings, SourceSettings
from suppress.plugin import hookspec
from suppress.plugin.alerting import Alert, AlertFailed, Change, Condition, Message
from suppress.plugin.contract import Exporter, Severity, Source
from suppress.plugin.kit import ExporterContract, SourceContract
from suppress.plugin.registry import Candidate, Registry

HOOKS = ("suppress_alerts", "suppress_exporters", "suppress_sources")


def code(hook: str) -> str:
    """The plugin in a hook's docstring."""
    (found,) = re.findall(
        r"```python\n(.*?)```", inspect.cleandoc(getattr(hookspec, hook).__doc__), flags=re.DOTALL
    )
    return str(found)


def example(hook: str) -> types.ModuleType:
    """That plugin as a module."""
    module = types.ModuleType(f"example_{hook}")
    exec(compile(code(hook), f"<example of {hook}>", "exec"), module.__dict__)
    return module


def registry(hook: str) -> Registry:
    """A registry that holds the example only."""
    return Registry.of([Candidate("example", "example-dist", "1.0", lambda: example(hook))])


@pytest.mark.parametrize("hook", HOOKS)
def test_the_example_loads(hook: str) -> None:
    """What an author copies is not broken from the start."""
    (plugin,) = registry(hook).plugins()

    assert None is plugin.failure
    assert (hook,) == plugin.hooks


def test_every_hook_has_an_example() -> None:
    """A new hook without one would not be tested here."""
    assert sorted(HOOKS) == sorted(name for name in vars(hookspec) if name.startswith("suppress_"))


@pytest.mark.parametrize("hook", HOOKS)
def test_a_specification_is_not_called(hook: str) -> None:
    """Its return type is for implementations; calling it is a mistake that shows."""
    with pytest.raises(AssertionError):
        getattr(hookspec, hook)()


class TestExampleExporter(ExporterContract):
    """The deny folder of `suppress_exporters`."""

    def exporter(self, place: Path) -> Exporter:
        settings = DestinationSettings("mail-server", "deny-folder", options={"path": str(place)})
        return registry("suppress_exporters").exporter(settings)


class TestExampleSource(SourceContract):
    """The do-not-mail file of `suppress_sources`."""

    def source(self, place: Path) -> Source:
        file = place / "people.txt"
        file.write_text("pat@example.com\n\nPAT@example.com \nsam@example.org\n", encoding="utf-8")
        settings = SourceSettings("office", "do-not-mail", options={"path": str(file)})
        return registry("suppress_sources").source(settings, place)

    def opted_out(self) -> frozenset[str]:
        return frozenset({"pat@example.com", "sam@example.org"})


def test_the_examples_say_when_their_place_is_missing(tmp_path: Path) -> None:
    """`suppress doctor` shows it before anyone is lost."""
    gone = str(tmp_path / "gone")
    source = registry("suppress_sources").source(
        SourceSettings("office", "do-not-mail", options={"path": gone}), tmp_path
    )
    exporter = registry("suppress_exporters").exporter(
        DestinationSettings("mail-server", "deny-folder", options={"path": gone})
    )

    assert [Severity.FAIL] == [each.severity for each in source.check()]
    assert [Severity.FAIL] == [each.severity for each in exporter.check()]
    assert source.window(None, datetime(2026, 1, 1, tzinfo=UTC)).before.year == 2026


def test_the_example_of_an_alert_tells_and_says_when_it_cannot(tmp_path: Path) -> None:
    """The screen on the wall shows it; without the folder, the alert counts as not told."""
    now = datetime(2026, 11, 23, tzinfo=UTC)
    alert = Alert("drift:source main", Condition.DRIFT, Change.RAISED, "one person", "suppress status", now)
    file = tmp_path / "wall.txt"
    for path in (file, tmp_path / "gone" / "wall.txt"):
        settings = AlertSettings("office", "wall", options={"path": str(path)})
        way = registry("suppress_alerts").alert(settings)
        if path == file:
            way.send(Message(now, None, (alert,)))
        else:
            with pytest.raises(AlertFailed, match="cannot be written"):
                way.send(Message(now, None, (alert,)))

    assert "raised: one person\n" == file.read_text(encoding="utf-8")

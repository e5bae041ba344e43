"""What a plugin implements: three hooks, each yielding descriptions of the platforms that it brings.

A plugin is a module of hook implementations that its distribution names in the entry-point group `suppress`:

```toml
[project.entry-points.suppress]
acme = "suppress_acme"
```

Rules kept here:

* A hook yields *descriptions*. It opens no connection and imports nothing heavy: `suppress plugins` and
  `suppress doctor` call it too. What is heavy goes into the factory.
* A platform's name belongs to one plugin. Two plugins that bring the same one are both refused for it.
* A plugin declares the keys that it reads from its table in `suppress.toml`; any other key is an error.

The values that go in and out are in `suppress.plugin.contract`; `suppress.plugin.kit` proves an exporter or
source in one test class.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

import pluggy

from suppress.config import AlertSettings, DestinationSettings, SourceSettings
from suppress.core.suppression import Json
from suppress.plugin.alerting import AlertChannel
from suppress.plugin.contract import Capabilities, Exporter, Source
from suppress.plugin.signing import SignIn

PROJECT = "suppress"
"""The name of the entry-point group, and the prefix of every hook."""

_Hook = TypeVar("_Hook", bound=Callable[..., Any])


class _Marker(Protocol):
    """Marks a function as a hook or its implementation and leaves its type as it is."""

    def __call__(self, function: _Hook) -> _Hook: ...


_spec = cast("_Marker", pluggy.HookspecMarker(PROJECT))
hookimpl = cast("_Marker", pluggy.HookimplMarker(PROJECT))
"""Put this on the hooks that your plugin implements."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceDescription:
    """A platform that can be asked for opt-outs."""

    name: str
    """What `platform = …` says in `[sources.NAME]`: lower case, words joined by `-`."""
    label: str
    """The vendor's own name for it."""
    factory: Callable[[SourceSettings, Path], Source]
    """Opens one account. The folder is for state that may be lost, such as a request budget."""
    config: Mapping[str, Json] = field(default_factory=dict)
    """JSON Schema of the plugin's own keys: `properties` and `required`."""
    secrets: tuple[str, ...] = ()
    """Which of these keys hold secrets: never shown."""
    sign_in: Callable[[SourceSettings, Path], SignIn] | None = None
    """How a person signs in with `suppress login`, if the platform has that. The folder is the same."""
    quota: Callable[[SourceSettings, Path], tuple[int, int] | None] | None = None
    """Requests left today and allowed a day, by what is kept in the folder; the platform is not asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExporterDescription:
    """A platform that can be told who may not be mailed."""

    name: str
    """What `platform = …` says in `[destinations.NAME]`: lower case, words joined by `-`."""
    label: str
    """The vendor's own name for it."""
    capabilities: Capabilities
    """What it can do, its own keys in the settings, and which of them are secrets."""
    factory: Callable[[DestinationSettings], Exporter]
    """Opens one destination."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertDescription:
    """A way of telling the people who run this that something is wrong."""

    name: str
    """What `kind = …` says in `[alerts.NAME]`: lower case, words joined by `-`."""
    label: str
    """What people call it."""
    factory: Callable[[AlertSettings], AlertChannel]
    """Opens one way of alerting; nothing is sent yet."""
    config: Mapping[str, Json] = field(default_factory=dict)
    """JSON Schema of its own keys: `properties` and `required`."""
    secrets: tuple[str, ...] = ()
    """Which of these keys hold secrets: never shown."""


@_spec
def suppress_sources() -> Iterable[SourceDescription]:
    """Yield a description of each platform that can be asked for opt-outs.

    A whole plugin: a platform that keeps its opt-outs in a text file, one address a line.

    ```python
    from collections.abc import Iterable, Iterator
    from datetime import datetime
    from pathlib import Path

    from suppress.config import SourceSettings
    from suppress.core.address import Address
    from suppress.core.reconcile import Observed, Permission
    from suppress.plugin.contract import Census, Finding, Page, Severity, Summary, Window
    from suppress.plugin.hookspec import SourceDescription, hookimpl


    class DoNotMail:
        platform = "do-not-mail"

        def __init__(self, settings: SourceSettings, state: Path) -> None:
            self.name = settings.name
            self._file = Path(str(settings.options["path"]))

        def window(self, last_before: datetime | None, now: datetime) -> Window:
            return Window(after=last_before or now, before=now)

        def pull(self, what: Window | Census) -> Iterator[Page | Summary]:
            people = tuple(
                Observed(self.name, Address.parse(line), Permission.OPTED_OUT, word="listed")
                for line in self._file.read_text(encoding="utf-8").splitlines()
                if line.strip()
            )
            yield Page("file", people, rows=len(people))
            count = len({each.address.key for each in people if each.address is not None})
            yield Summary(
                complete=True, requests=1, rows=len(people), opted_out=count, deleted=0,
                missed_by_naive_sync=0,
            )

        def check(self) -> Iterable[Finding]:
            if self._file.is_file():
                yield Finding(self.name, Severity.PASS, "the file is there")
            else:
                yield Finding(self.name, Severity.FAIL, "the file is missing", hint="create it")

        def close(self) -> None:
            pass


    @hookimpl
    def suppress_sources() -> Iterable[SourceDescription]:
        yield SourceDescription(
            name="do-not-mail",
            label="Do-not-mail file",
            factory=DoNotMail,
            config={"properties": {"path": {"type": "string"}}, "required": ["path"]},
        )
    ```
    """
    raise AssertionError("a specification is never called")


@_spec
def suppress_exporters() -> Iterable[ExporterDescription]:
    """Yield a description of each platform that can be told who may not be mailed.

    A whole plugin: a mail server that refuses the addresses in a folder, one empty file for each.

    ```python
    from collections.abc import Iterable, Iterator, Sequence
    from hashlib import sha256
    from pathlib import Path

    from suppress.config import DestinationSettings
    from suppress.plugin.contract import (
        Capabilities, Delivery, Detail, Finding, Intent, Job, LedgerPosition, Observation, Outcome,
        Planned, Pushed, Reach, Remote, Result, Severity, Suppressed, Unit, Unknowns,
    )
    from suppress.plugin.hookspec import ExporterDescription, hookimpl

    CAPABILITIES = Capabilities(
        unit=Unit.RECORD, delivery=Delivery.SYNC, detail=Detail.PER_RECORD,
        creates_unknown=Unknowns.NEVER, target="folder", can_read_one=True, reach=Reach.ACCOUNT,
        config={"properties": {"path": {"type": "string"}}, "required": ["path"]},
    )


    class DenyFolder:
        capabilities = CAPABILITIES

        def __init__(self, settings: DestinationSettings) -> None:
            self.name = settings.name
            self._folder = Path(str(settings.options["path"]))

        def _mark(self, address: str) -> Path:
            # As this server compares senders: trimmed, in small letters.
            return self._folder / sha256(address.strip().lower().encode()).hexdigest()

        def check(self) -> Iterable[Finding]:
            there = self._folder.is_dir()
            yield Finding(self.name, Severity.PASS if there else Severity.FAIL, f"folder there: {there}")

        def plan(self, entries: Iterable[Suppressed]) -> Iterator[Planned]:
            for entry in entries:
                held = self._mark(entry.address).exists()
                yield Planned(entry.address, Intent.ALREADY if held else Intent.SUPPRESS)

        def push(self, entries: Iterable[Suppressed], position: LedgerPosition) -> Iterator[Pushed]:
            for entry in entries:
                held = self._mark(entry.address).exists()
                self._mark(entry.address).touch()
                yield Result(entry.address, Outcome.ALREADY if held else Outcome.SUPPRESSED)

        def poll(self, job: Job) -> Iterator[Pushed]:
            return iter(())

        def read_back(self, addresses: Sequence[str]) -> Iterator[Observation]:
            for address in addresses:
                held = self._mark(address).exists()
                yield Observation(address, Remote.SUPPRESSED if held else Remote.MAILABLE)

        def sweep(self, cursor: str | None) -> tuple[tuple[Observation, ...], str | None]:
            return (), None

        def close(self) -> None:
            pass


    @hookimpl
    def suppress_exporters() -> Iterable[ExporterDescription]:
        yield ExporterDescription(
            name="deny-folder", label="Deny folder", capabilities=CAPABILITIES, factory=DenyFolder
        )
    ```
    """
    raise AssertionError("a specification is never called")


@_spec
def suppress_alerts() -> Iterable[AlertDescription]:
    """Yield a description of each way of telling people that something is wrong.

    A whole plugin: alerts go to the end of a text file that a screen on the wall shows.

    ```python
    from collections.abc import Iterable
    from pathlib import Path

    from suppress.config import AlertSettings
    from suppress.plugin.alerting import AlertFailed, Message
    from suppress.plugin.hookspec import AlertDescription, hookimpl


    class Wall:
        def __init__(self, settings: AlertSettings) -> None:
            self._file = Path(str(settings.options["path"]))

        def send(self, message: Message) -> None:
            lines = [f"{each.change}: {each.says}\\n" for each in message.alerts]
            try:
                with self._file.open("a", encoding="utf-8") as file:
                    file.writelines(lines)
            except OSError as refused:
                raise AlertFailed(f"the wall cannot be written: {refused.strerror}") from None


    @hookimpl
    def suppress_alerts() -> Iterable[AlertDescription]:
        yield AlertDescription(
            name="wall",
            label="The screen on the wall",
            factory=Wall,
            config={"properties": {"path": {"type": "string"}}, "required": ["path"]},
        )
    ```
    """
    raise AssertionError("a specification is never called")

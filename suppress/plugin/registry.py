"""Which platforms there are: loads the plugins one by one and opens sources and destinations by name.

Rules kept here:

* One broken plugin never stops another, nor a command that does not need it: what failed is kept as text,
  for `suppress plugins` and `suppress doctor`.
* A platform that was asked for and did not load is an error that names why, never an empty success.
* Two plugins that bring the same platform are both refused for it, by the names of their distributions.
* A hook with a misspelt name, or without its marker, is an error of its plugin; pluggy alone would silently
  never call it. So is a plugin that was made for another version of this program.
* There is no global registry: a command loads one and passes it on.

`SUPPRESS_LOAD_PLUGINS` limits third-party plugins to the distributions it names, separated by commas; empty,
it loads none. The built-in platforms go through the same hooks and always load.
"""

from __future__ import annotations

import importlib
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, TypeVar

import pluggy

from suppress import __version__
from suppress.config import (
    ALERT_KEYS,
    DESTINATION_KEYS,
    SOURCE_KEYS,
    AlertSettings,
    DestinationSettings,
    SourceSettings,
    nearest,
    wrong_at,
)
from suppress.errors import ConfigWrong, DestinationFailed, SourceFailed, SuppressError
from suppress.plugin import hookspec
from suppress.plugin.hookspec import PROJECT, AlertDescription, ExporterDescription, SourceDescription
from suppress.plugin.options import checked
from suppress.plugin.requirement import unmet

if TYPE_CHECKING:
    from suppress.core.suppression import Json
    from suppress.plugin.alerting import AlertChannel
    from suppress.plugin.contract import Exporter, Source
    from suppress.plugin.signing import SignIn

BUILT_IN = "suppress.platforms"
"""Loaded by name, as a third party's entry point is: this room may not import the one above it."""

_D = TypeVar("_D", SourceDescription, ExporterDescription, AlertDescription)
_O = TypeVar("_O")
_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_SOURCES, _EXPORTERS, _ALERTS = "suppress_sources", "suppress_exporters", "suppress_alerts"


@dataclass(frozen=True, slots=True)
class Plugin:
    """One plugin as `suppress plugins` lists it; with `failure`, nothing of it is used."""

    name: str
    distribution: str
    version: str
    built_in: bool = False
    hooks: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    exporters: tuple[str, ...] = ()
    alerts: tuple[str, ...] = ()
    failure: str | None = None

    def __str__(self) -> str:
        return f"{self.distribution} {self.version}"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A plugin that may be loaded: where it comes from and how to import it."""

    name: str
    distribution: str
    version: str
    load: Callable[[], object]
    built_in: bool = False
    requires: tuple[str, ...] = ()
    """What its distribution requires, as its metadata has it."""


@dataclass(frozen=True, slots=True)
class Registry:
    """The platforms that loaded, by name, and the plugins that did not."""

    _plugins: tuple[Plugin, ...]
    _sources: Mapping[str, tuple[tuple[Plugin, SourceDescription], ...]]
    _exporters: Mapping[str, tuple[tuple[Plugin, ExporterDescription], ...]]
    _alerts: Mapping[str, tuple[tuple[Plugin, AlertDescription], ...]]

    @classmethod
    def load(cls, *, environ: Mapping[str, str] | None = None) -> Registry:
        """The built-in platforms and, unless the environment says otherwise, every installed plugin."""
        return cls.of([_built_in(), *_installed(os.environ if environ is None else environ)])

    @classmethod
    def of(cls, candidates: Iterable[Candidate]) -> Registry:
        """The platforms of exactly these plugins."""
        manager = pluggy.PluginManager(PROJECT)
        manager.add_hookspecs(hookspec)
        plugins: list[Plugin] = []
        sources: dict[str, tuple[tuple[Plugin, SourceDescription], ...]] = {}
        exporters: dict[str, tuple[tuple[Plugin, ExporterDescription], ...]] = {}
        ways: dict[str, tuple[tuple[Plugin, AlertDescription], ...]] = {}
        for candidate in candidates:
            with redirect_stdout(sys.stderr):  # what a plugin prints must not spoil our own JSON
                plugin, its_sources, its_exporters, its_alerts = _loaded(manager, candidate)
            plugins.append(plugin)
            for source in its_sources:
                sources[source.name] = (*sources.get(source.name, ()), (plugin, source))
            for exporter in its_exporters:
                exporters[exporter.name] = (*exporters.get(exporter.name, ()), (plugin, exporter))
            for way in its_alerts:
                ways[way.name] = (*ways.get(way.name, ()), (plugin, way))
        return cls(tuple(plugins), sources, exporters, ways)

    def plugins(self) -> tuple[Plugin, ...]:
        """Every plugin that was found, loaded or not."""
        return self._plugins

    def doubles(self) -> tuple[str, ...]:
        """The platforms that several plugins bring, in words."""
        kinds: tuple[tuple[str, Mapping[str, Sequence[tuple[Plugin, object]]]], ...] = (
            ("source", self._sources),
            ("destination", self._exporters),
            ("alert", self._alerts),
        )
        return tuple(
            f"{kind} platform {name!r} {_brought_by(offers)}"
            for kind, by_name in kinds
            for name, offers in by_name.items()
            if len(offers) > 1
        )

    def secrets(self) -> frozenset[str]:
        """The option keys that any loaded platform declares as secret."""
        declared = [source.secrets for offers in self._sources.values() for _, source in offers]
        declared += [each.capabilities.secrets for offers in self._exporters.values() for _, each in offers]
        declared += [each.secrets for offers in self._alerts.values() for _, each in offers]
        return frozenset(key for secrets in declared for key in secrets)

    def names(self) -> frozenset[str]:
        """The names that a new platform may not have: of platforms, and of distributions `suppress-NAME`."""
        distributions = {each.distribution.removeprefix(f"{PROJECT}-") for each in self._plugins}
        return frozenset({*self._sources, *self._exporters, *distributions})

    def exporters(self) -> tuple[ExporterDescription, ...]:
        """The platforms that can be told, by name, those that several plugins bring left out."""
        return tuple(offers[0][1] for _, offers in sorted(self._exporters.items()) if len(offers) == 1)

    def source(self, settings: SourceSettings, state: Path) -> Source:
        """Open one configured account.

        Raises:
            ConfigWrong: Its platform is not there, or a key of its table is wrong.
            SourceFailed: The plugin broke while opening it.
        """
        plugin, found, whole = self._source(settings)
        return _opened(plugin, found.factory, whole, state)

    def sign_in(self, settings: SourceSettings, state: Path) -> SignIn | None:
        """How a person signs in to one configured account; None where the platform knows no such thing.

        Raises:
            ConfigWrong: Its platform is not there, or a key of its table is wrong.
            SourceFailed: The plugin broke while opening it.
        """
        plugin, found, whole = self._source(settings)
        return None if found.sign_in is None else _opened(plugin, found.sign_in, whole, state)

    def quota(self, settings: SourceSettings, state: Path) -> tuple[int, int] | None:
        """Requests that a source has left today and may make a day; None where that is not known.

        Raises:
            ConfigWrong: Its platform is not there, or a key of its table is wrong.
            SourceFailed: The plugin broke while it was asked.
        """
        plugin, found, whole = self._source(settings)
        return None if found.quota is None else _opened(plugin, found.quota, whole, state)

    def alert(self, settings: AlertSettings) -> AlertChannel:
        """Open one way of alerting.

        Raises:
            ConfigWrong: There is no such kind, a key of its table is wrong, or its plugin broke on them.
        """
        table = f"alerts.{settings.name}"
        origins = {**settings.origins, "platform": settings.origins.get("kind", f"[{table}]")}
        plugin, found = self._found(self._alerts, settings.kind, table, origins, "alert")
        options = _options(settings, found.config, table, ALERT_KEYS)
        try:
            return found.factory(replace(settings, options=options))
        except SuppressError:
            raise
        except (Exception, SystemExit) as broken:
            raise ConfigWrong(_broke(plugin, settings.name, broken)) from broken

    def _source(self, settings: SourceSettings) -> tuple[Plugin, SourceDescription, SourceSettings]:
        table = f"sources.{settings.name}"
        plugin, found = self._found(self._sources, settings.platform, table, settings.origins, "source")
        options = _options(settings, found.config, table, SOURCE_KEYS)
        return plugin, found, replace(settings, options=options)

    def exporter(self, settings: DestinationSettings, state: Path | None = None) -> Exporter:
        """Open one configured destination; `state` is the folder for what may be lost.

        Raises:
            ConfigWrong: Its platform is not there, or a key of its table is wrong.
            DestinationFailed: The plugin broke while opening it.
        """
        table = f"destinations.{settings.name}"
        plugin, found = self._found(
            self._exporters, settings.platform, table, settings.origins, "destination"
        )
        options = _options(settings, found.capabilities.config, table, DESTINATION_KEYS)
        try:
            return found.factory(replace(settings, options=options, state=state))
        except SuppressError:
            raise
        except (Exception, SystemExit) as broken:
            raise DestinationFailed(_broke(plugin, settings.name, broken)) from broken

    def _found(
        self,
        offers: Mapping[str, tuple[tuple[Plugin, _D], ...]],
        platform: str,
        table: str,
        origins: Mapping[str, str],
        kind: str,
    ) -> tuple[Plugin, _D]:
        origin = origins.get("platform", origins.get("", f"[{table}]"))
        found = offers.get(platform, ())
        if len(found) > 1:
            raise wrong_at(
                origin, f"{kind} platform {platform!r} {_brought_by(found)}; uninstall one, "
                "or name the ones to load in SUPPRESS_LOAD_PLUGINS"
            )  # fmt: skip
        if found:
            return found[0]
        failed = "; ".join(f"{each} did not load: {each.failure}" for each in self._plugins if each.failure)
        known = f"; loaded: {', '.join(sorted(offers)) or 'none'}"
        raise wrong_at(
            origin,
            f"there is no {kind} platform {platform!r}{nearest(platform, offers) or known}"
            f"{'; ' if failed else ''}{failed}",
        )


def _opened(
    plugin: Plugin, factory: Callable[[SourceSettings, Path], _O], settings: SourceSettings, state: Path
) -> _O:
    try:
        return factory(settings, state)
    except SuppressError:
        raise
    except (Exception, SystemExit) as broken:
        raise SourceFailed(_broke(plugin, settings.name, broken)) from broken


def _built_in() -> Candidate:
    return Candidate(
        "built-in", "suppress-ledger", __version__, lambda: importlib.import_module(BUILT_IN), built_in=True
    )


def _installed(environ: Mapping[str, str]) -> Iterator[Candidate]:
    """Third-party plugins in a stable order, so that messages and lists do not depend on the disk's."""
    wanted = environ.get("SUPPRESS_LOAD_PLUGINS")
    names = None if wanted is None else {each.strip() for each in wanted.split(",")}
    if names == {""}:
        return
    found = []
    for point in metadata.entry_points(group=PROJECT):
        dist = point.dist
        # Metadata that an interrupted installation left may lack anything.
        distribution = (dist and dist.name) or point.value
        version = (dist and dist.version) or "?"
        if names is None or distribution in names or point.name in names:
            requires = tuple((dist and dist.requires) or ())
            found.append(Candidate(point.name, distribution, version, point.load, requires=requires))
    yield from sorted(found, key=lambda each: (each.distribution, each.name))


def _loaded(
    manager: pluggy.PluginManager, candidate: Candidate
) -> tuple[
    Plugin,
    tuple[SourceDescription, ...],
    tuple[ExporterDescription, ...],
    tuple[AlertDescription, ...],
]:
    plugin = Plugin(candidate.name, candidate.distribution, candidate.version, candidate.built_in)
    name = f"{candidate.distribution}:{candidate.name}"
    try:
        if (bounds := unmet(candidate.requires)) is not None:
            raise ImportError(f"it is made for suppress-ledger {bounds}, and this is {__version__}")
        module = candidate.load()
        _refuse_lookalikes(module)
        manager.register(module, name=name)
        manager.check_pending()
        sources = _described(manager, module, _SOURCES, SourceDescription)
        exporters = _described(manager, module, _EXPORTERS, ExporterDescription)
        ways = _described(manager, module, _ALERTS, AlertDescription)
        hooks = tuple(sorted(caller.name for caller in manager.get_hookcallers(module) or ()))
        if not hooks:
            raise ValueError(f"it implements none of {_SOURCES}, {_EXPORTERS} and {_ALERTS}")
    except KeyboardInterrupt:
        raise
    except BaseException as failure:
        # A plugin may fail in any way, even by leaving the process; that is its failure, not ours.
        if manager.has_plugin(name):
            manager.unregister(name=name)
        return replace(plugin, failure=_first_line(failure)), (), (), ()
    plugin = replace(
        plugin,
        hooks=hooks,
        sources=tuple(each.name for each in sources),
        exporters=tuple(each.name for each in exporters),
        alerts=tuple(each.name for each in ways),
    )
    return plugin, sources, exporters, ways


def _refuse_lookalikes(module: object) -> None:
    """A function that is named like a hook and is none would silently never be called."""
    for name, each in vars(module).items() if isinstance(module, ModuleType) else ():
        ours = isinstance(each, FunctionType) and name.startswith(f"{PROJECT}_")
        if ours and name not in (_SOURCES, _EXPORTERS, _ALERTS):
            raise ValueError(f"there is no hook {name}{nearest(name, (_SOURCES, _EXPORTERS, _ALERTS))}")
        if ours and not hasattr(each, f"{PROJECT}_impl"):
            raise ValueError(f"{name} lacks @hookimpl, so it would never be called")


def _described(manager: pluggy.PluginManager, module: object, hook: str, kind: type[_D]) -> tuple[_D, ...]:
    """What this plugin alone yields; the others are kept out so that a failure has one owner."""
    others = [each for each in manager.get_plugins() if each is not module]
    answers: list[Iterable[object]] = manager.subset_hook_caller(hook, remove_plugins=others)()
    found: list[_D] = []
    for each in (each for answer in answers for each in answer):
        if not isinstance(each, kind):
            raise TypeError(f"{hook} yielded a {type(each).__name__}, not a {kind.__name__}")
        if each.name in {other.name for other in found}:
            raise ValueError(f"{hook} yielded {each.name!r} twice")
        if not _NAME.fullmatch(each.name):
            raise ValueError(f"{hook} yielded {each.name!r}; a name is lower-case words joined by '-'")
        found.append(each)
    return tuple(found)


def _options(
    settings: SourceSettings | DestinationSettings | AlertSettings,
    schema: Mapping[str, Json],
    table: str,
    common: tuple[str, ...],
) -> dict[str, Json]:
    return checked(settings.options, schema, table=table, origins=settings.origins, common=common)


def _brought_by(offers: Iterable[tuple[Plugin, object]]) -> str:
    return f"is brought by {' and by '.join(str(plugin) for plugin, _ in offers)}"


def _broke(plugin: Plugin, name: str, broken: BaseException) -> str:
    # Only the type: what a plugin writes into its exceptions may hold a token.
    return f"plugin {plugin} broke while opening {name!r}: {type(broken).__name__}"


def _first_line(failure: BaseException) -> str:
    lines = [each.strip() for each in str(failure).splitlines()]
    # pluggy says first which hook it is, and what is wrong with it last.
    text = " ".join(lines) if isinstance(failure, pluggy.PluginValidationError) else next(iter(lines), "")
    return f"{type(failure).__name__}: {text}" if text else type(failure).__name__

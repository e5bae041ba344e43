"""The registry: one broken plugin stops nobody, and what was asked for and is missing is an error."""

from __future__ import annotations

import subprocess
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from suppress.config import DestinationSettings, SourceSettings
from suppress.errors import ConfigWrong, DestinationFailed, OutputRefused, SourceFailed
from suppress.platforms.csv_file import CAPABILITIES, CsvFile
from suppress.plugin.contract import Source
from suppress.plugin.hookspec import ExporterDescription, SourceDescription, hookimpl
from suppress.plugin.registry import Candidate, Registry
from tests.conftest import Command
from tests.ledgers import ledger_with


def plugin(**hooks: object) -> types.ModuleType:
    """A module with these names in it."""
    module = types.ModuleType("plugin")
    module.__dict__.update(hooks)
    return module


def exporting(*names: str, factory: Callable[[DestinationSettings], CsvFile] = CsvFile) -> types.ModuleType:
    """A plugin that brings exporters of these names."""

    @hookimpl
    def suppress_exporters() -> Iterator[ExporterDescription]:
        for name in names:
            yield ExporterDescription(name=name, label=name, capabilities=CAPABILITIES, factory=factory)

    return plugin(suppress_exporters=suppress_exporters)


def sourcing(name: str, factory: Callable[[SourceSettings, Path], Source]) -> types.ModuleType:
    """A plugin that brings one source."""

    @hookimpl
    def suppress_sources() -> Iterator[SourceDescription]:
        yield SourceDescription(
            name=name,
            label=name,
            factory=factory,
            secrets=("api_key",),
            config={"properties": {"api_key": {"type": "string"}}},
        )

    return plugin(suppress_sources=suppress_sources)


def candidate(module: object, name: str = "mine") -> Candidate:
    """An installed plugin whose import gives `module`, or raises it."""

    def load() -> object:
        if isinstance(module, BaseException):
            raise module
        return module

    return Candidate(name, f"suppress-{name}", "1.2", load)


def failure(module: object) -> str | None:
    """Why a plugin did not load, while another one beside it did."""
    registry = Registry.of([candidate(module, "odd"), candidate(exporting("fine"), "good")])
    odd, good = registry.plugins()

    assert ("fine",) == good.exporters
    assert ((), ()) == (odd.sources, odd.exporters) or odd.failure is None
    return odd.failure


def destination(platform: str, **options: str) -> DestinationSettings:
    """A destination table from line 3 of a file."""
    return DestinationSettings(
        "crm",
        platform,
        options=options,
        origins={"": "suppress.toml, line 3", "platform": "suppress.toml, line 4"},
    )


def test_the_built_in_platforms_come_through_the_same_hooks() -> None:
    """Ours have no way in that a third party lacks."""
    registry = Registry.load(environ={"SUPPRESS_LOAD_PLUGINS": ""})
    (built_in,) = registry.plugins()

    assert (True, ("constant-contact",), ("csv", "hashed")) == (
        built_in.built_in,
        built_in.sources,
        built_in.exporters,
    )
    assert ("suppress_alerts", "suppress_exporters", "suppress_sources") == built_in.hooks
    assert ("webhook", "command", "email") == built_in.alerts
    assert ["csv", "hashed"] == [each.name for each in registry.exporters()]
    assert "client_secret" in registry.secrets()


def test_a_plugin_that_fails_to_import_is_named_with_its_reason() -> None:
    """Whatever it raises, also when it tries to end the process; only a key press ends ours."""
    assert "ImportError: no module named acme" == failure(ImportError("no module named acme\nmore"))
    assert "SystemExit: 3" == failure(SystemExit(3))
    assert "ValueError" == failure(ValueError())
    assert "GeneratorExit" == failure(GeneratorExit())
    with pytest.raises(KeyboardInterrupt):
        failure(KeyboardInterrupt())


def test_a_misspelt_hook_is_an_error() -> None:
    """pluggy alone would never call it, and never say so."""

    @hookimpl
    def suppress_exportrs() -> list[ExporterDescription]:
        return []

    found = failure(plugin(suppress_exportrs=suppress_exportrs))

    assert found is not None
    assert "suppress_exportrs" in found


def test_a_plugin_without_hooks_is_an_error() -> None:
    """The commonest slip: the marker was forgotten."""
    found = failure(plugin(suppress_exporters=list))

    assert (
        "ValueError: it implements none of suppress_sources, suppress_exporters and suppress_alerts" == found
    )


def test_a_function_that_only_looks_like_a_hook_is_an_error() -> None:
    """Beside a hook that is fine, a misspelt or unmarked one would be missed by everybody."""

    def suppress_source() -> list[SourceDescription]:
        return []

    def suppress_sources() -> list[SourceDescription]:
        return []

    fine = vars(exporting("x"))["suppress_exporters"]

    assert "ValueError: there is no hook suppress_source; did you mean 'suppress_sources'?" == failure(
        plugin(suppress_exporters=fine, suppress_source=suppress_source)
    )
    assert "ValueError: suppress_sources lacks @hookimpl, so it would never be called" == failure(
        plugin(suppress_exporters=fine, suppress_sources=suppress_sources)
    )


def test_a_hook_that_wants_what_it_is_not_given_is_an_error() -> None:
    """The contract of an older or newer version, or a guess."""

    @hookimpl
    def suppress_exporters(settings: object) -> list[ExporterDescription]:
        return []

    found = failure(plugin(suppress_exporters=suppress_exporters))

    assert found is not None
    assert "settings" in found


def test_a_plugin_may_be_any_object_with_hooks() -> None:
    """An entry point can name an instance in place of a module."""

    class Brings:
        @hookimpl
        def suppress_exporters(self) -> Iterator[ExporterDescription]:
            yield ExporterDescription(name="x", label="X", capabilities=CAPABILITIES, factory=CsvFile)

    assert None is failure(Brings())


@pytest.mark.parametrize("name", ["Acme", "acme_crm", "a b", "", "-a"])
def test_a_name_that_nobody_could_configure_is_an_error(name: str) -> None:
    """It is a word in suppress.toml, in the environment and on the command line."""
    found = failure(exporting(name))

    assert found is not None
    assert "a name is lower-case words joined by '-'" in found


def test_a_plugin_for_another_version_is_not_loaded() -> None:
    """It is not even imported: pip only warns when an upgrade leaves it behind."""
    old = Candidate("old", "suppress-old", "1.0", lambda: 1 / 0, requires=("suppress-ledger>=9,<10",))
    (plugin,) = Registry.of([old]).plugins()

    assert plugin.failure is not None
    assert plugin.failure.startswith("ImportError: it is made for suppress-ledger >=9,<10, and this is ")


def test_what_a_hook_yields_is_checked() -> None:
    """A wrong kind, the same name twice, and an exception half-way each spoil this plugin only."""

    @hookimpl
    def suppress_exporters() -> Iterator[object]:
        yield {"name": "acme"}

    @hookimpl
    def suppress_sources() -> Iterator[object]:
        yield from sourcing("acme", None).suppress_sources()  # type: ignore[arg-type]  # never opened
        raise RuntimeError("half-way")

    assert "TypeError: suppress_exporters yielded a dict, not a ExporterDescription" == failure(
        plugin(suppress_exporters=suppress_exporters)
    )
    assert "RuntimeError: half-way" == failure(plugin(suppress_sources=suppress_sources))
    assert "ValueError: suppress_exporters yielded 'x' twice" == failure(exporting("x", "x"))


def test_two_plugins_of_one_platform_are_both_refused_by_name() -> None:
    """Whoever of the two was meant, the other must not get the addresses."""
    registry = Registry.of([candidate(exporting("acme", "own"), "one"), candidate(exporting("acme"), "two")])

    with pytest.raises(ConfigWrong) as wrong:
        registry.exporter(destination("acme"))
    registry.exporter(destination("own", path="x")).close()

    assert wrong.value.message.startswith(
        "suppress.toml, line 4: destination platform 'acme' is brought by suppress-one 1.2 "
        "and by suppress-two 1.2; uninstall one"
    )
    assert (
        "destination platform 'acme' is brought by suppress-one 1.2 and by suppress-two 1.2",
    ) == registry.doubles()
    assert ["own"] == [each.name for each in registry.exporters()]


def test_a_third_party_cannot_take_the_place_of_a_built_in() -> None:
    """A plugin that calls itself csv is not silently given the list."""
    registry = Registry.of([candidate(exporting("csv"), "one"), candidate(exporting("csv"), "two")])

    assert 1 == len(registry.doubles())


def test_a_platform_that_was_asked_for_and_is_not_there_is_an_error() -> None:
    """With what was probably meant, or what there is, and every plugin that failed."""
    registry = Registry.of(
        [candidate(exporting("acme"), "good"), candidate(ImportError("no acme_sdk"), "bad")]
    )

    with pytest.raises(ConfigWrong) as close:
        registry.exporter(destination("amce"))
    with pytest.raises(ConfigWrong) as far:
        registry.source(SourceSettings("main", "zzz"), Path())

    assert (
        "suppress.toml, line 4: there is no destination platform 'amce'; did you mean 'acme'?; "
        "suppress-bad 1.2 did not load: ImportError: no acme_sdk"
    ) == close.value.message
    assert (
        "[sources.main]: there is no source platform 'zzz'; loaded: none; suppress-bad" in far.value.message
    )


def test_a_key_that_the_platform_does_not_know_is_an_error() -> None:
    """With its own line, and what was probably meant; keys that every table has count too."""
    registry = Registry.of([candidate(exporting("acme"))])
    settings = DestinationSettings(
        "crm", "acme", options={"pathh": "x"}, origins={"pathh": "suppress.toml, line 9"}
    )
    with pytest.raises(ConfigWrong) as wrong:
        registry.exporter(settings)
    with pytest.raises(ConfigWrong) as common:
        registry.exporter(destination("acme", sendr="x"))

    assert (
        "suppress.toml, line 9: [destinations.crm] has an unknown key 'pathh'; did you mean 'path'?"
        == wrong.value.message
    )
    assert "did you mean 'sender'?" in common.value.message


def test_a_factory_that_breaks_is_a_failure_of_that_account() -> None:
    """Our own errors pass as they are; of others only the kind is said, for their words may hold a token."""

    def broken(settings: object, state: object = None) -> None:
        raise RuntimeError("token s3cr3t")

    def refusing(settings: object) -> None:
        raise OutputRefused("no")

    def without_ssl(settings: object, state: object) -> None:
        raise ConfigWrong("no")

    one = Registry.of([candidate(exporting("acme", factory=broken))])  # type: ignore[arg-type]  # it raises
    two = Registry.of([candidate(exporting("acme", factory=refusing))])  # type: ignore[arg-type]  # it raises
    three = Registry.of([candidate(sourcing("acme", broken)), candidate(sourcing("other", without_ssl), "b")])  # type: ignore[arg-type]  # they raise
    with pytest.raises(DestinationFailed) as failed:
        one.exporter(destination("acme", path="x"))
    with pytest.raises(OutputRefused):
        two.exporter(destination("acme", path="x"))
    with pytest.raises(SourceFailed) as source_failed:
        three.source(SourceSettings("main", "acme"), Path())
    with pytest.raises(ConfigWrong):
        three.source(SourceSettings("main", "other"), Path())

    assert "plugin suppress-mine 1.2 broke while opening 'crm': RuntimeError" == failed.value.message
    assert "plugin suppress-mine 1.2 broke while opening 'main': RuntimeError" == source_failed.value.message
    assert {"api_key"} == three.secrets()


# --- Installed distributions -------------------------------------------------------------------------------

GOOD = """
from hashlib import sha256
from pathlib import Path

from suppress.plugin.contract import *
from suppress.plugin.hookspec import ExporterDescription, hookimpl

CAPABILITIES = Capabilities(
    unit=Unit.RECORD, delivery=Delivery.SYNC, detail=Detail.PER_RECORD, creates_unknown=Unknowns.NEVER,
    target="folder", can_read_many=True,
    config={"properties": {"path": {"type": "string"}}, "required": ["path"]},
)


class Folder:
    capabilities = CAPABILITIES

    def __init__(self, settings):
        self.name = settings.name
        self.folder = Path(settings.options["path"])

    def check(self):
        yield Finding("folder", Severity.PASS, "there")

    def plan(self, entries):
        for entry in entries:
            yield Planned(entry.address, Intent.SUPPRESS)

    def push(self, entries, position):
        for entry in entries:
            (self.folder / sha256(entry.address.encode()).hexdigest()).touch()
            yield Result(entry.address, Outcome.SUPPRESSED)

    def poll(self, job):
        return iter(())

    def read_back(self, addresses):
        for address in addresses:
            held = (self.folder / sha256(address.encode()).hexdigest()).exists()
            yield Observation(address, Remote.SUPPRESSED if held else Remote.MAILABLE)

    def sweep(self, cursor):
        return (), None

    def close(self):
        pass


@hookimpl
def suppress_exporters():
    yield ExporterDescription(name="folder", label="Folder", capabilities=CAPABILITIES, factory=Folder)
"""


def install(site: Path, name: str, code: str, *, version: str = "2.0") -> None:
    """A distribution as an installer leaves it: a module, and metadata with its entry point."""
    module = f"{name}_plugin"
    (site / f"{module}.py").write_text(code, encoding="utf-8")
    about = site / f"suppress_{name}-{version}.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: suppress-{name}\nVersion: {version}\n")
    (about / "entry_points.txt").write_text(f"[suppress]\n{name} = {module}\n")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site-packages of its own with one good and one broken plugin."""
    folder = tmp_path / "site"
    folder.mkdir()
    install(folder, "folder", GOOD)
    install(folder, "broken", "raise RuntimeError('boom')")
    return folder


def test_an_installed_plugin_loads_and_exports_beside_a_broken_one(command: Command, site: Path) -> None:
    """The whole way: metadata, entry point, settings, ledger, push, read-back, receipt."""
    (command.folder / "denied").mkdir()
    env = {
        "PYTHONPATH": str(site),
        "SUPPRESS_DESTINATIONS__MTA__PLATFORM": "folder",
        "SUPPRESS_DESTINATIONS__MTA__PATH": "denied",
    }
    ledger_with(command.folder, "pat@example.com")
    listed, told = command("plugins", "--json", env=env), command("export", "mta", "--json", env=env)
    plugins = {each["distribution"]: each for each in listed.json()["plugins"]}

    assert (0, 0) == (listed.exit_code, told.exit_code), told.err
    assert ("2.0", ["folder"], None) == (
        plugins["suppress-folder"]["version"],
        plugins["suppress-folder"]["exporters"],
        plugins["suppress-folder"]["failure"],
    )
    assert "RuntimeError: boom" == plugins["suppress-broken"]["failure"]
    assert ({"suppressed": 1}, True, 1) == (
        told.json()["outcomes"],
        told.json()["verified"],
        len(list((command.folder / "denied").iterdir())),
    )


def test_third_party_plugins_can_be_switched_off_or_chosen(command: Command, site: Path) -> None:
    """SUPPRESS_LOAD_PLUGINS: nothing for none, names for these, by distribution or entry point."""

    def distributions(wanted: str) -> list[str]:
        done = command("plugins", "--json", env={"PYTHONPATH": str(site), "SUPPRESS_LOAD_PLUGINS": wanted})
        return [each["distribution"] for each in done.json()["plugins"]]

    assert ["suppress-ledger"] == distributions("")
    assert ["suppress-ledger", "suppress-folder"] == distributions("suppress-folder")
    assert ["suppress-ledger", "suppress-broken", "suppress-folder"] == distributions("broken, folder")


def test_a_listing_for_people_says_what_failed_and_what_is_refused(command: Command, site: Path) -> None:
    """One screen that answers why a platform is not there."""
    install(site, "second", GOOD)
    done = command("plugins", env={"PYTHONPATH": str(site)})

    assert 0 == done.exit_code
    assert "suppress_exporters" in done.out
    assert "RuntimeError: boom" in done.out
    assert (
        "Refused: destination platform 'folder' is brought by suppress-folder 2.0 and by suppress-second 2.0"
        in done.out
    )


def test_listing_plugins_loads_nothing_heavy(tmp_path: Path) -> None:
    """Help, version and plugin listing import neither database nor HTTP."""
    script = (
        "import sys; from suppress.plugin.registry import Registry;"
        "Registry.load(environ={'SUPPRESS_LOAD_PLUGINS': ''});"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, check=True)

    assert set() == {"sqlalchemy", "alembic", "httpx2", "cryptography", "pydantic"} & set(
        done.stdout.decode().split()
    )


@pytest.mark.parametrize(
    ("where", "code"),
    [
        ("import", "import sys\nsys.exit(0)"),
        ("factory", GOOD.replace("        self.name = settings.name", "        raise SystemExit(0)")),
        (
            "push",
            GOOD.replace(
                "yield Result(entry.address, Outcome.SUPPRESSED)", "raise SystemExit(0)\n            yield"
            ),
        ),
    ],
)
def test_a_plugin_that_leaves_the_process_is_no_success(where: str, code: str, command: Command) -> None:
    """Its exit code 0 would tell a cron job that everyone was told."""
    site = command.folder / "site"
    site.mkdir()
    install(site, "folder", code)
    ledger_with(command.folder, "pat@example.com")
    env = {
        "PYTHONPATH": str(site),
        "SUPPRESS_DESTINATIONS__MTA__PLATFORM": "folder",
        "SUPPRESS_DESTINATIONS__MTA__PATH": str(command.folder),
    }
    done = command("export", "mta", env=env)

    assert (2 if where == "import" else 5) == done.exit_code
    assert "SystemExit" in done.err


def test_what_a_plugin_prints_does_not_spoil_the_result(command: Command, site: Path) -> None:
    """A greeting on import goes where messages go."""
    (site / "folder_plugin.py").write_text(f"print('hello')\n{GOOD}")
    done = command("plugins", "--json", env={"PYTHONPATH": str(site)})

    assert "suppress/plugins@1" == done.json()["schema"]
    assert "hello" in done.err


def test_metadata_that_lacks_everything_is_listed_all_the_same(command: Command, site: Path) -> None:
    """An interrupted installation leaves such a folder, and must not stop every command."""
    (site / "suppress_broken-2.0.dist-info" / "METADATA").unlink()
    done = command("plugins", "--json", env={"PYTHONPATH": str(site)})
    failures = {each["distribution"]: each["failure"] for each in done.json()["plugins"]}

    assert "RuntimeError: boom" == failures["broken_plugin"]
    assert None is failures["suppress-folder"]

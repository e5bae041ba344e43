"""`suppress sync` with several accounts, of which one cannot even be opened."""

from __future__ import annotations

from suppress.platforms.constant_contact.simulator import Simulator, demo_scenario
from tests.conftest import Command
from tests.plugin.test_registry import install

BROKEN = """
from suppress.plugin.hookspec import SourceDescription, hookimpl


def opened(settings, state):
    raise RuntimeError("token s3cret")


@hookimpl
def suppress_sources():
    yield SourceDescription(name="brittle", label="Brittle", factory=opened)
"""


def test_an_account_that_cannot_be_opened_stops_no_other(command: Command) -> None:
    """It is said, with exit code 5; the others' opt-outs are in the ledger."""
    site = command.folder / "site"
    site.mkdir()
    install(site, "brittle", BROKEN)
    with Simulator(demo_scenario()) as platform:
        env = {
            "PYTHONPATH": str(site),
            "SUPPRESS_SOURCES__AGENCY__PLATFORM": "brittle",
            "SUPPRESS_SOURCES__MAIN__PLATFORM": "constant-contact",
            "SUPPRESS_SOURCES__MAIN__API_URL": platform.url,
            "SUPPRESS_SOURCES__MAIN__ACCESS_TOKEN": platform.token,
        }
        assert command("init", env=env).exit_code == 0
        done = command("sync", "--json", env=env)
    sources = {each["source"]: each for each in done.json()["sources"]}

    assert done.exit_code == 5
    assert (sources["main"]["complete"], sources["main"]["error"]) == (True, None)
    assert sources["main"]["opt_outs"]["new"] > 0
    assert (sources["agency"]["complete"], sources["agency"]["requests"]) == (False, 0)
    assert "broke while opening 'agency'" in done.err
    assert "s3cret" not in done.err + done.out

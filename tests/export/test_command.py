"""`suppress export` as a nightly job runs it: several destinations, one that fails, sources gone stale."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from suppress.plugin.loopback import Loopback
from tests.conftest import Command, Done
from tests.export.deny_list import Server, installed
from tests.ledgers import ledger_with

pytestmark = pytest.mark.both_back_ends


class Nightly:
    """A ledger with two people, a deny list that answers, one that is down, and a file."""

    def __init__(self, command: Command, server: Server, url: str) -> None:
        self.command, self.server = command, server
        ledger_with(command.folder, "a@example.com", "b@example.com")
        self.env = {"PYTHONPATH": f"{installed(command.folder / 'site')}:{Path(__file__).parents[2]}"}
        self.configure(
            f'[destinations.good]\nplatform = "deny-list"\napi_url = "{url}"\n'
            'recipient = "Acme Mail"\nbasis = "contract of 2026-03-01"\n'
            '[destinations.listed]\nplatform = "csv"\npath = "list.csv"\n'
        )

    def configure(self, text: str) -> None:
        with (self.command.folder / "suppress.toml").open("a", encoding="utf-8") as file:
            file.write(text)

    def __call__(self, *arguments: str) -> Done:
        return self.command(*arguments, env=self.env)


@pytest.fixture
def nightly(command: Command) -> Iterator[Nightly]:
    server = Server()
    with Loopback(server) as loopback:
        yield Nightly(command, server, loopback.url)


def test_all_tells_every_destination(nightly: Nightly) -> None:
    """One object with a list, one line for a person at the end, exit code 0."""
    machine, person = nightly("export", "--all", "--json"), nightly("export", "--all")
    told = machine.json()["destinations"]

    assert (0, 0, "") == (machine.exit_code, person.exit_code, machine.err)
    assert [("good", 2, True, None), ("listed", 2, True, None)] == [
        (each["destination"], each["count"], each["verified"], each["error"]) for each in told
    ]
    assert "2 of 2 destinations hold everyone" in person.out
    assert 2 == len(nightly.server.denied)


def test_one_that_fails_stops_no_other(nightly: Nightly) -> None:
    """A setting that is wrong, a platform that is not installed: the others are told, and it ends with 5."""
    nightly.configure('[destinations.bad]\nplatform = "deny-list"\napi_url = "http://[::1]:9"\nmode = "x"\n')
    nightly.configure('[destinations.gone]\nplatform = "not-installed"\n')
    done = nightly("export", "--all", "--json")
    errors = {each["destination"]: each["error"] for each in done.json()["destinations"]}

    assert 5 == done.exit_code
    assert {"bad": "ConfigWrong", "gone": "ConfigWrong", "good": None, "listed": None} == {
        name: error and error["error"] for name, error in errors.items()
    }
    assert "suppress: gone: " in done.err
    assert "Traceback" not in done.err
    assert (2, True) == (len(nightly.server.denied), (nightly.command.folder / "list.csv").exists())


def test_named_destinations_are_told_and_no_other(nightly: Nightly) -> None:
    """Each once, however often it is named."""
    done = nightly("export", "listed", "good", "listed", "--json", "--dry-run")

    assert ["listed", "good"] == [each["destination"] for each in done.json()["destinations"]]
    assert set() == nightly.server.denied


def test_without_destinations_all_is_an_error(command: Command) -> None:
    """It would be an empty success every night."""
    ledger_with(command.folder, "a@example.com")
    done = command("export", "--all")

    assert (2, "") == (done.exit_code, done.out)
    assert "no destination is configured" in done.err


@pytest.mark.parametrize("verb", ["export", "patrol"])
def test_a_destination_that_only_a_variable_knows_is_an_error_where_it_is_asked_for(
    nightly: Nightly, verb: str
) -> None:
    """Everything else goes on: a shell may export a secret for another folder."""
    nightly.env["SUPPRESS_DESTINATIONS__CRM__API_KEY"] = "s3cr3t"
    asked, other = nightly(verb, "crm", "good"), nightly(verb, "good")

    assert (2, "") == (asked.exit_code, asked.out)
    assert (
        "destination 'crm' names no platform: only variable SUPPRESS_DESTINATIONS__CRM__API_KEY" in asked.err
    )
    assert "s3cr3t" not in asked.err
    assert other.exit_code in (0, 1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "export needs a destination"),
        (["--all", "good"], "exclude one another"),
        (["--all", "-o", "x.csv"], "--output belongs to the export to one destination"),
        (["good", "listed", "--recipient", "Acme"], "--recipient belongs to the export to one destination"),
        (["good", "crm"], "there is no destination 'crm'"),
        (["good", "--max-age", "soon"], "--max-age 'soon' is no span of time"),
        (["good", "--basis", "a@b"], "a basis is the name of a law or a contract"),
    ],
)
def test_what_cannot_mean_anything_is_refused_before_anything_is_sent(
    nightly: Nightly, arguments: list[str], words: str
) -> None:
    """One line, exit code 2, nobody told."""
    done = nightly("export", *arguments)

    assert (2, "") == (done.exit_code, done.out)
    assert words in done.err
    assert (0, set()) == (nightly.server.requests, nightly.server.denied)


def test_recipient_and_basis_come_from_the_settings_or_from_a_flag(nightly: Nightly) -> None:
    """And stand in the report's disclosure log; the flag outweighs."""
    nightly("export", "good")
    nightly("export", "listed", "--recipient", "Acme Print", "--basis", "order of 2026-05-05")
    report = nightly("report", "--full", "--since", "2026-01-01", "--json").out

    assert "Acme Mail" in report
    assert "Acme Print" in report


def test_a_stale_source_is_refused_with_one_line_and_an_override(nightly: Nightly) -> None:
    """By a setting or a flag; the flag outweighs; nothing is sent on old news."""
    nightly.configure('[destinations.strict]\nplatform = "csv"\npath = "strict.csv"\nmax_age = "24h"\n')
    nightly.configure('[sources.main]\naccess_token = "t"\n')
    refused = nightly("export", "strict")
    flagged = nightly("export", "listed", "--max-age", "7d")
    allowed = nightly("export", "strict", "--allow-stale")
    unasked = nightly("export", "listed")

    for each in (refused, flagged):
        assert (5, "") == (each.exit_code, each.out)
        assert "the source main was never read to its end" in each.err
        assert "suppress sync main; or go on with --allow-stale" in each.err
    assert (0, 0) == (allowed.exit_code, unasked.exit_code)

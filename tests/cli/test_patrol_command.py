"""`suppress patrol` from the shell: what it prints, its exit codes, and its JSON."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from tests.conftest import Command
from tests.small_ledger import made

SETTINGS = """
[destinations.partner]
platform = "csv"
path = "partner.csv"
"""


@pytest.fixture
def told(command: Command) -> Command:
    """Two people, told to a file that somebody else may write to."""
    made(command.folder, ["ann@example.com", "bob@example.com"])
    (command.folder / "suppress.toml").write_text(SETTINGS)
    assert command("export", "partner").exit_code == 0
    return command


def stray(folder: Path) -> None:
    """Somebody takes Ann off the list, and off what goes with it."""
    file, manifest = folder / "partner.csv", folder / "partner.csv.manifest.json"
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    written = "".join(line for line in lines if "ann@" not in line).encode()
    file.write_bytes(written)
    says = json.loads(manifest.read_text(encoding="utf-8"))
    says |= {"sha256": hashlib.sha256(written).hexdigest(), "bytes": len(written), "rows": len(lines) - 2}
    manifest.write_text(json.dumps(says), encoding="utf-8")


def test_a_destination_that_obeys_is_clean(told: Command) -> None:
    ran = told("patrol", "--json")
    (place,) = ran.json()["destinations"]

    assert ran.exit_code == 0
    assert (place["complete"], place["asked"], place["findings"]["held"], place["drift"]) == (True, 2, 2, [])


def test_drift_is_a_finding_with_the_next_command(told: Command) -> None:
    stray(told.folder)
    ran = told("patrol")

    assert ran.exit_code == 1
    assert "DRIFT: suppressed people who are mailable there: 1" in ran.out
    assert "Next: suppress export partner --dry-run" in ran.out
    assert "@" not in ran.out


def test_status_and_report_know_of_it_until_it_is_mended(told: Command) -> None:
    stray(told.folder)
    told("patrol")
    during = told("status", "--json")
    told("export", "partner")
    told("patrol")
    after = told("status", "--json")

    assert during.exit_code == 1
    assert during.json()["drift"] == [{"source": "partner", "people": 1, "destination": True}]
    assert after.json()["drift"] == []


def test_a_destination_that_fails_does_not_stop_the_others(told: Command) -> None:
    """And its failure is said on standard error."""
    settings = told.folder / "suppress.toml"
    settings.write_text(f'{SETTINGS}\n[destinations.gone]\nplatform = "no-such"\n')
    ran = told("patrol", "--json")
    places = {each["destination"]: each["complete"] for each in ran.json()["destinations"]}

    assert ran.exit_code == 2
    assert places == {"partner": True, "gone": False}
    assert "no-such" in ran.err


def test_an_unknown_destination_is_wrong_usage(told: Command) -> None:
    ran = told("patrol", "partnr")

    assert ran.exit_code == 2
    assert "partner" in ran.err


def test_without_destinations_there_is_nothing_to_patrol(command: Command) -> None:
    made(command.folder, ["ann@example.com"])
    ran = command("patrol")

    assert ran.exit_code == 2
    assert "suppress plugins" in ran.err

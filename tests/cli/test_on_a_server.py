"""The installed commands with a ledger in PostgreSQL, as whoever set one up types them.

What each does in detail is tested where it belongs; here nothing may need the file that is not there.
"""

from __future__ import annotations

import subprocess

import pytest

from tests.conftest import Command
from tests.ledger.making import Place, opt_out

pytestmark = pytest.mark.server_only

NOWHERE = {"SUPPRESS_LEDGER": "postgresql+psycopg://nobody@127.0.0.1:1/none"}


@pytest.fixture
def at_work(command: Command) -> Command:
    """A ledger on the server with two people, and nothing of it but keys in the folder."""
    Place(command.folder).create().record(opt_out("pat@example.com"), opt_out("sam@example.com"))
    return command


def key_of(command: Command) -> str:
    return (command.folder / "suppress.keys" / "log.vkey").read_text().strip()


def test_a_report_is_written_in_every_format(at_work: Command) -> None:
    """With the same figures everywhere; each time it is recorded."""
    done = at_work("report", "--full", "--since", "2026-01-01", "-o", "audit")
    assert (True, "") == (done.exit_code in {0, 1}, done.err)
    figures = at_work("report", "--full", "--since", "2026-01-01", "--json").json()
    starts = {"html": b"<!doctype html>", "pdf": b"%PDF-", "xlsx": b"PK", "json": b"{"}
    for ending, start in starts.items():
        (file,) = (at_work.folder / "audit").glob(f"*.{ending}")
        assert file.read_bytes().startswith(start)
    (page,) = (at_work.folder / "audit").glob("*.html")

    assert b"pat@example.com" in page.read_bytes()
    assert list((at_work.folder / "audit").rglob("*.csv"))
    assert (2, True) == (figures["verdict"]["suppressed"], figures["integrity"]["ok"])
    assert 5 + 2 == at_work("anchor", "--json").json()["ledger"]["size"]


def test_status_and_doctor_look_at_the_server(at_work: Command) -> None:
    """And at no file that is not there."""
    status, doctor = at_work("status", "--json"), at_work("doctor", "--json")
    current = at_work("ledger", "current", "--json")

    assert (0, 5, 2) == (status.exit_code, status.json()["size"], status.json()["suppressed"])
    assert (0, 0) == (doctor.exit_code, doctor.json()["failed"])
    assert "server" in {each["subject"] for each in doctor.json()["findings"]}
    assert (0, True) == (current.exit_code, current.json()["up_to_date"])


def test_a_snapshot_serves_machines_without_the_server(at_work: Command) -> None:
    """Who may not be mailed, from two files."""
    assert 0 == at_work("snapshot", "-o", "list.snapshot", "--recipient", "Acme CI").exit_code
    (at_work.folder / "list.csv").write_text("email\npat@example.com\nnew@example.com\n")
    offline = ("--offline", "list.snapshot", "--key", key_of(at_work))

    away = at_work("check", "list.csv", *offline, "--kept", "away.csv", "--json", env=NOWHERE)
    here = at_work("check", "list.csv", "--kept", "here.csv", "--json")
    for done in (away, here):
        assert (1, 1, 1) == (done.exit_code, done.json()["kept"], done.json()["withheld"]), done.err
    assert (at_work.folder / "away.csv").read_bytes() == (at_work.folder / "here.csv").read_bytes()


def test_rules_and_waivers_are_made_and_ended(at_work: Command) -> None:
    """A domain withholds everybody, a waiver lets one person through for one purpose."""
    assert 0 == at_work("domain", "add", "acme.test", "--note", "their counsel wrote").exit_code
    waived = ("--purpose", "recall", "--until", "2026-12-31", "--reason", "safety", "--approver", "Kim")
    assert 0 == at_work("waiver", "add", "pat@example.com", *waived).exit_code
    assert 1 == at_work("check", "kim@acme.test").exit_code
    assert 0 == at_work("check", "pat@example.com", "--purpose", "recall").exit_code
    assert "acme.test" in at_work("domain", "list").out
    assert "recall" in at_work("waiver", "list").out

    assert 0 == at_work("domain", "lift", "acme.test", "--note", "they came back").exit_code
    assert 0 == at_work("check", "kim@acme.test").exit_code
    assert 3 == at_work("verify").exit_code


GRADES: dict[str, tuple[str, ...]] = {
    "whole": (),
    "open": ("--open",),
    "entries": ("--entries", "2,4"),
    "person": ("--address", "pat@example.com"),
}


def test_bundles_are_verified_without_the_server(at_work: Command) -> None:
    """By `verify BUNDLE`, and by the script in it, which needs nothing of ours."""
    for grade, options in GRADES.items():
        made = at_work("bundle", "-o", grade, *options, "--json")
        assert (0, grade) == (made.exit_code, made.json()["grade"]), made.err
        assert 0 == at_work("verify", grade, "--key", key_of(at_work), env=NOWHERE).exit_code
        script = subprocess.run(
            ["sh", f"{grade}/verify.sh", "-k", "suppress.keys/log.pem"],
            cwd=at_work.folder,
            capture_output=True,
            check=False,
        )
        assert (0, True) == (script.returncode, script.stdout.endswith(b"RIGHT\n")), script.stderr
    shown = b"".join(file.read_bytes() for file in (at_work.folder / "person").rglob("*") if file.is_file())
    assert (True, False) == (b"pat@example.com" in shown, b"sam@example.com" in shown)

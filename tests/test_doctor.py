"""Doctor: only looks, hides nothing, and says with its exit code where the trouble is."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from suppress import doctor as doctor_module
from suppress.doctor import Examined, examine, exit_code
from suppress.ledger import Ledger
from suppress.platforms.constant_contact.simulator import People, Scenario, Simulator
from suppress.plugin.contract import Finding, Severity
from suppress.plugin.signing import Origin, SignedIn
from tests.conftest import Command
from tests.ledgers import ledger_with
from tests.plugin.test_registry import GOOD, install


def examined(folder: Path, *, env: Mapping[str, str] | None = None, **flags: Any) -> list[Examined]:
    """What doctor finds in `folder`, with built-in plugins only."""
    homes = dict.fromkeys(("XDG_CONFIG_HOME", "XDG_STATE_HOME"), str(folder / "none"))
    alone = {**homes, "SUPPRESS_LOAD_PLUGINS": ""}
    return list(examine(environ=alone | dict(env or {}), cwd=folder, **flags))


def troubles(found: list[Examined]) -> list[tuple[str, str, str]]:
    """Area, severity and message of all that is not fine."""
    return [
        (each.area, each.finding.severity.value, each.finding.message)
        for each in found
        if each.finding.severity is not Severity.PASS
    ]


CSV = {"SUPPRESS_DESTINATIONS__CRM__PLATFORM": "csv", "SUPPRESS_DESTINATIONS__CRM__PATH": "list.csv"}


def test_a_fresh_ledger_needs_a_source_and_nothing_else(tmp_path: Path) -> None:
    """A warning, not a failure: opt-outs may come by hand and by file."""
    ledger_with(tmp_path, "a@example.com")
    found = examined(tmp_path, env=CSV)

    assert [("configuration", "warn", "no source is configured")] == troubles(found)
    assert 0 == exit_code(found)
    assert {"configuration", "ledger", "plugins", "destination crm"} == {each.area for each in found}


def test_it_only_looks(tmp_path: Path) -> None:
    """The folder is the same afterwards, to the byte."""
    ledger_with(tmp_path, "a@example.com")

    def state() -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    before = state()
    examined(tmp_path, env=CSV)

    assert before == state()


def test_wrong_settings_do_not_hide_the_rest(tmp_path: Path) -> None:
    """Plugins are still looked at; the code is that of wrong settings."""
    (tmp_path / "suppress.toml").write_text("ledgr = 'x'", encoding="utf-8")
    found = examined(tmp_path)

    assert [("configuration", "fail")] == [each[:2] for each in troubles(found)]
    assert "plugins" in {each.area for each in found}
    assert 2 == exit_code(found)


def test_a_missing_ledger_is_said_with_the_command_that_makes_one(tmp_path: Path) -> None:
    """Exit code 10, as for every command."""
    found = examined(tmp_path)
    (missing,) = (each for each in found if each.failed)

    assert ("ledger", "suppress init", 10) == (missing.area, missing.finding.hint, exit_code(found))


def test_a_ledger_that_is_none_is_said(tmp_path: Path) -> None:
    """Damage and a full disk are 70."""
    (tmp_path / "suppress.db").write_text("not a database", encoding="utf-8")
    found = examined(tmp_path)

    assert 70 == exit_code(found)


def test_keys_that_others_may_read_are_a_failure(tmp_path: Path) -> None:
    """Each with the command that mends it."""
    ledger_with(tmp_path, "a@example.com")
    (tmp_path / "suppress.keys").chmod(0o755)
    (tmp_path / "suppress.keys" / "signing.pem").chmod(0o644)
    hints = [each.finding.hint for each in examined(tmp_path) if each.failed]

    assert [f"chmod 700 {tmp_path}/suppress.keys", f"chmod 600 {tmp_path}/suppress.keys/signing.pem"] == hints


def test_keys_that_are_gone_are_a_failure(tmp_path: Path) -> None:
    """Without them nobody can be looked up."""
    ledger_with(tmp_path, "a@example.com")
    shutil.rmtree(tmp_path / "suppress.keys")
    found = examined(tmp_path)

    assert any(
        "can be verified, not used" in message
        for _, severity, message in troubles(found)
        if severity == "fail"
    )
    assert 2 == exit_code(found)


class Space(NamedTuple):
    """What a disk says of itself."""

    total: int
    used: int
    free: int


@pytest.mark.parametrize(
    ("free", "severity", "code"), [(10**12, "pass", 0), (10**8, "warn", 0), (10**6, "fail", 70)]
)
def test_a_disk_that_fills_up_is_seen_before_it_stops_a_sync(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, severity: str, code: int
) -> None:
    """A warning first, then a failure."""
    ledger_with(tmp_path, "a@example.com")
    monkeypatch.setattr("suppress.doctor.shutil.disk_usage", lambda _folder: Space(0, 0, free))
    found = examined(tmp_path)

    assert [severity] == [each.finding.severity.value for each in found if each.finding.subject == "disk"]
    assert code == exit_code(found)


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    """Before `suppress init` fails on it."""
    found = examined(tmp_path, ledger="gone/suppress.db")

    assert ("ledger", "fail", f"the folder {tmp_path}/gone does not exist") in troubles(found)


def test_a_folder_that_may_not_be_written_to_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading works there, and every sync would fail."""
    ledger_with(tmp_path, "a@example.com")
    monkeypatch.setattr("suppress.doctor.os.access", lambda *_: False)

    assert any("may not be written to" in message for _, _, message in troubles(examined(tmp_path)))


def test_a_server_that_does_not_answer_is_said_and_has_no_folder(tmp_path: Path) -> None:
    """The disk of a database server is not ours to look at; the password is never said."""
    found = examined(tmp_path, ledger="postgresql://u:hunter2@127.0.0.1:1/x")

    assert exit_code(found) == 70
    assert not [each for each in found if each.finding.subject == "disk"]
    assert "hunter2" not in repr(found)


def test_a_settings_file_with_secrets_must_be_private(tmp_path: Path) -> None:
    """By the name of the key; the secret itself is never said."""
    ledger_with(tmp_path, "a@example.com")
    file = tmp_path / "suppress.toml"
    file.write_text(
        "[destinations.crm]\nplatform = 'csv'\npath = 'x.csv'\napi_key = 's3cr3t'\n", encoding="utf-8"
    )
    file.chmod(0o644)
    exposed = examined(tmp_path)
    file.chmod(0o600)
    private = examined(tmp_path)
    words = f"others may read {file}, which holds destinations.crm.api_key"

    assert ("configuration", "warn", words) in troubles(exposed)
    assert words not in repr(private)
    assert "s3cr3t" not in repr(exposed) + repr(private)


def test_a_settings_file_without_secrets_may_be_open(tmp_path: Path) -> None:
    """It can live in a repository."""
    ledger_with(tmp_path, "a@example.com")
    (tmp_path / "suppress.toml").write_text("organisation = 'Acme'\n", encoding="utf-8")
    env = {"SUPPRESS_DESTINATIONS__CRM__API_KEY": "s3cr3t", **CSV}

    assert not [each for each in troubles(examined(tmp_path, env=env)) if "others may read" in each[2]]


def test_a_destination_that_only_a_variable_knows_is_listed(tmp_path: Path) -> None:
    """It has no platform, so its secret is of no use here."""
    ledger_with(tmp_path, "a@example.com")
    found = examined(tmp_path, env={"SUPPRESS_DESTINATIONS__CRM__API_KEY": "s3cr3t"})
    words = "only variable SUPPRESS_DESTINATIONS__CRM__API_KEY speaks of it, and it names no platform"

    assert ("configuration", "warn", f"{words}, so nobody is told there") in troubles(found)


def test_variables_that_do_nothing_are_listed(tmp_path: Path) -> None:
    """The commonest reason why a setting has no effect."""
    ledger_with(tmp_path, "a@example.com")
    found = examined(tmp_path, env={"SUPPRESS_VERBOSE": "1"})

    assert ("configuration", "warn", "SUPPRESS_VERBOSE is no setting and does nothing") in troubles(found)


def test_each_account_is_asked_and_none_hides_another(tmp_path: Path) -> None:
    """A wrong key and a folder that is missing are two findings; the code is that of the first kind."""
    ledger_with(tmp_path, "a@example.com")
    env = {
        **CSV,
        "SUPPRESS_DESTINATIONS__A__PLATFORM": "csv",
        "SUPPRESS_DESTINATIONS__A__PATHH": "x",
        "SUPPRESS_DESTINATIONS__B__PLATFORM": "csv",
        "SUPPRESS_DESTINATIONS__B__PATH": "gone/x.csv",
    }
    found = examined(tmp_path, env=env)
    failed = [each.area for each in found if each.failed]

    assert ["destination a", "destination b"] == failed
    assert "destination crm" in {each.area for each in found}
    assert 2 == exit_code(found)


@pytest.mark.parametrize(
    ("failure", "said", "code"),
    [
        ("raise RuntimeError('token s3cr3t')", "broke while it was looked at: RuntimeError", 5),
        ("from suppress.errors import SignInNeeded; raise SignInNeeded('no token')", "no token", 5),
    ],
)
def test_a_plugin_that_breaks_while_it_is_asked_is_a_finding(
    command: Command, tmp_path: Path, failure: str, said: str, code: int
) -> None:
    """Its own words are left out: they may hold a token."""
    site = tmp_path / "site"
    site.mkdir()
    install(site, "folder", GOOD.replace('yield Finding("folder", Severity.PASS, "there")', failure))
    install(site, "broken", "raise RuntimeError('boom')")
    install(site, "folder2", GOOD.replace('name="folder"', 'name="double"'))
    install(site, "folder3", GOOD.replace('name="folder"', 'name="double"'))
    ledger_with(command.folder, "a@example.com")
    env = {
        "PYTHONPATH": str(site),
        "SUPPRESS_DESTINATIONS__MTA__PLATFORM": "folder",
        "SUPPRESS_DESTINATIONS__MTA__PATH": "denied",
    }
    done = command("doctor", "--json", env=env)
    findings = {each["message"]: each for each in done.json()["findings"]}

    assert ("suppress/doctor@1", code, False) == (done.json()["schema"], done.exit_code, done.json()["ok"])
    assert "destination mta" == findings[said]["area"]
    assert ("warn", "update or uninstall suppress-broken") == (
        findings["did not load: RuntimeError: boom"]["severity"],
        findings["did not load: RuntimeError: boom"]["hint"],
    )
    assert any("'double' is brought by" in message for message in findings)
    assert "s3cr3t" not in done.out


def test_a_source_is_asked_too(tmp_path: Path) -> None:
    """With a token that is nobody's, on a port where nobody listens: said, not raised."""
    ledger_with(tmp_path, "a@example.com")
    env = {
        "SUPPRESS_SOURCES__MAIN__ACCESS_TOKEN": "t0ken-t0ken",
        "SUPPRESS_SOURCES__MAIN__API_URL": "http://127.0.0.1:9/v3",
    }
    found = examined(tmp_path, env=env)

    assert ["source main"] == sorted({each.area for each in found if each.failed})
    assert 5 == exit_code(found)
    assert "t0ken" not in repr(found)


def test_the_first_trouble_in_order_decides_the_code() -> None:
    """Configuration, ledger, disk, accounts; warnings do not count."""

    def of(severity: Severity, code: int) -> Examined:
        return Examined("x", Finding("x", severity, "x"), code)

    fail, warn = Severity.FAIL, Severity.WARN

    assert 0 == exit_code([])
    assert 0 == exit_code([of(warn, 2), of(Severity.PASS, 0)])
    assert 2 == exit_code([of(fail, 5), of(fail, 10), of(fail, 2)])
    assert 10 == exit_code([of(fail, 70), of(fail, 10), of(warn, 2)])
    assert 5 == exit_code([of(fail, 5)])
    assert 99 == exit_code([of(fail, 99)])


def test_people_see_marks_and_hints(command: Command) -> None:
    """Area by area, and a last line that counts."""
    ledger_with(command.folder, "a@example.com")
    (command.folder / "suppress.keys" / "signing.pem").chmod(0o644)
    done = command("doctor", env={"SUPPRESS_LOAD_PLUGINS": ""})

    assert 2 == done.exit_code
    assert "  FAIL  keys: others may read " in done.out
    assert f"        chmod 600 {command.folder}/suppress.keys/signing.pem" in done.out
    assert "  warn  sources: no source is configured" in done.out
    assert done.out.rstrip().endswith("1 to look at, 1 failed")


def test_a_file_that_vanishes_while_it_is_looked_at_is_no_crash(tmp_path: Path) -> None:
    """Another process may be tidying up."""
    assert not doctor_module._open_to_others(tmp_path / "gone")


def test_a_ledger_may_be_open_elsewhere(tmp_path: Path) -> None:
    """Doctor reads beside a running sync."""
    with Ledger.open(ledger_with(tmp_path, "a@example.com")):
        assert 0 == exit_code(examined(tmp_path))


def test_queries_are_compared_when_asked_for_and_announced_first(command: Command) -> None:
    """Counts only: nobody's address is printed, and nothing is written."""
    ledger_with(command.folder, "a@example.com")
    with Simulator(Scenario(people=People(active=4, unsubscribed=3, unsubscribed_deleted=2))) as platform:
        env = {
            "SUPPRESS_SOURCES__MAIN__ACCESS_TOKEN": platform.token,
            "SUPPRESS_SOURCES__MAIN__API_URL": platform.url,
            "SUPPRESS_LOAD_PLUGINS": "",
        }
        plain = command("doctor", "--json", env=env)
        done = command("doctor", "--json", "--queries", env=env)
        shown = command("doctor", "--queries", env=env)
        addresses = platform.truth()

    (table,) = done.json()["queries"].values()
    naive = table[0]
    assert ({}, 0) == (plain.json()["queries"], plain.exit_code)
    assert ["main"] == list(done.json()["queries"])
    assert ("status=unsubscribed", 3, 2, 2) == (
        naive["query"], naive["found"], naive["missed"], naive["missed_deleted"],
    )  # fmt: skip
    assert "source main: comparing queries takes 6 requests" in done.err
    assert "status=unsubscribed misses 2 of 5 contacts that opted out" in shown.out
    assert not [each for each in addresses if each in done.out + shown.out + done.err + shown.err]
    assert all(exchange.method == "GET" for exchange in platform.requests)


@pytest.mark.usefixtures("one_utc_day")
def test_a_comparison_that_fails_is_a_finding(tmp_path: Path) -> None:
    """The day's requests do not reach: exit code 5, and what was found before stands."""
    ledger_with(tmp_path, "a@example.com")
    announced: list[tuple[str, int]] = []
    with Simulator(Scenario(people=People(active=4))) as platform:
        env = {
            "SUPPRESS_SOURCES__MAIN__ACCESS_TOKEN": platform.token,
            "SUPPRESS_SOURCES__MAIN__API_URL": platform.url,
            "SUPPRESS_SOURCES__MAIN__DAILY_BUDGET": "12",
        }
        found = examined(tmp_path, env=env, announce=lambda area, cost: announced.append((area, cost)))

    (failed,) = [each for each in found if each.failed]
    assert ("source main", "queries", 5) == (failed.area, failed.finding.subject, exit_code(found))
    assert [] == announced


def test_whoever_is_not_signed_in_is_told_how_and_nobody_is_asked(tmp_path: Path) -> None:
    """The command, and no request."""
    ledger_with(tmp_path, "a@example.com")
    with Simulator(Scenario()) as platform:
        env = {
            "SUPPRESS_SOURCES__MAIN__CLIENT_ID": "acme",
            "SUPPRESS_SOURCES__MAIN__API_URL": platform.url,
        }
        found = examined(tmp_path, env=env)
        asked = platform.requests

    (failed,) = [each.finding for each in found if each.failed]
    assert ("token", "nobody has signed in", "suppress login main") == (
        failed.subject, failed.message, failed.hint,
    )  # fmt: skip
    assert [] == list(asked)


GRANTED = SignedIn(
    "main",
    "constant-contact",
    Origin.GRANT,
    renews=True,
    renewed_at=datetime(2026, 11, 1, 8, tzinfo=UTC),
    days_left=158,
    place="the keyring",
    plain_text=False,
)


@pytest.mark.parametrize(
    ("signed", "severity", "words"),
    [
        (GRANTED, "pass", "kept in the keyring, renewed 2026-11-01 08:00 UTC; 158 days left unless"),
        (replace(GRANTED, days_left=29), "warn", "29 days left unless it is renewed before"),
        (replace(GRANTED, plain_text=True), "pass", "kept in the keyring, in plain text"),
        (replace(GRANTED, renews=False, days_left=None), "warn", "it cannot be renewed"),
        (replace(GRANTED, problem="it lapsed", remedy="suppress login main"), "fail", "it lapsed"),
        (
            SignedIn("main", "x", Origin.GIVEN, place="A", expires_at=datetime(2027, 1, 1, tzinfo=UTC)),
            "pass",
            "from A; nothing here renews it; it ends at 2027-01-01 00:00 UTC",
        ),
    ],
)
def test_the_age_of_a_sign_in_is_said(signed: SignedIn, severity: str, words: str) -> None:
    """Thirty days before it lapses for good, somebody has to look."""
    found = doctor_module.age(signed)

    assert (severity, True) == (found.severity.value, words in found.message), found.message


def test_files_that_others_may_read_are_named(tmp_path: Path) -> None:
    """The ledger holds addresses; the state folder may hold a sign-in."""
    ledger_with(tmp_path, "a@example.com")
    state = tmp_path / "none" / "suppress"
    state.mkdir(parents=True, mode=0o700)
    private = examined(tmp_path, env=CSV)
    (state / "main.json").write_text("{}", encoding="utf-8")
    (state / "main.json").chmod(0o644)
    (tmp_path / "suppress.db").chmod(0o640)
    hints = [each.finding.hint for each in examined(tmp_path, env=CSV) if not each.failed]

    assert "state" in {each.finding.subject for each in private}
    assert f"chmod 600 {state}/main.json" in hints
    assert f"chmod 600 {tmp_path}/suppress.db" in hints

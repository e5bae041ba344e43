"""`suppress check` as a gate in a pipeline: exit codes, freshness, waivers, rules, and without a ledger."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from suppress.core.entry import CheckDone
from suppress.ledger import Ledger
from tests.conftest import Command
from tests.ledger.making import sync_done
from tests.small_ledger import made

LIST = "email\npat@example.com\nnew@example.com\ninfo@shop.corp.example\n"
UNTIL = (date.today() + timedelta(days=30)).isoformat()


@pytest.fixture
def gate(command: Command) -> Command:
    """A ledger of one person and a rule for a domain, and a list of three."""
    made(command.folder, ["pat@example.com"])
    (command.folder / "list.csv").write_text(LIST)
    done = command("domain", "add", "*.corp.example", "--note", "their counsel wrote")
    assert 0 == done.exit_code, done.err
    return command


def last_check(folder: Path) -> CheckDone:
    """The newest record of a check."""
    with Ledger.open(f"sqlite:///{folder / 'suppress.db'}", read_only=True) as ledger:
        body = next(ledger.about(CheckDone.type)).body
    assert isinstance(body, CheckDone)
    return body


def test_the_summary_says_by_tier_reason_and_age(gate: Command) -> None:
    """And tags offices; every figure is in the JSON too."""
    done = gate("check", "list.csv", "--explain")

    assert 1 == done.exit_code
    assert "by tier   exact 1, domain 1" in done.out
    assert "by reason unsubscribed 1, requested 1" in done.out
    assert "by age    up to 30 days 1, up to 3 years 1" in done.out
    assert "line 4: info@shop.corp.example withheld: domain match (*.corp.example)" in done.out
    assert "[role account]" in done.out
    facts = gate("check", "list.csv", "--json").json()
    assert ({"exact": 1, "domain": 1}, 1, 0) == (facts["tiers"], facts["roles"], facts["waived"])


def test_exit_zero_is_for_who_reads_the_report(gate: Command) -> None:
    """Findings only: a failure stays one."""
    assert 0 == gate("check", "list.csv", "--exit-zero").exit_code
    assert 2 == gate("check", "missing.csv", "--exit-zero").exit_code


def test_a_waiver_counts_only_for_its_purpose_and_is_said_everywhere(gate: Command) -> None:
    """In the summary, in the findings, in the JSON and in the entry of the check."""
    arguments = ("--purpose", "recall", "--until", UNTIL, "--reason", "safety", "--approver", "Kim")
    assert 0 == gate("waiver", "add", "pat@example.com", *arguments).exit_code
    plain = gate("check", "list.csv", "--json").json()
    assert (1, 2, 0) == (plain["kept"], plain["withheld"], plain["waived"])
    assert None is last_check(gate.folder).terms

    done = gate("check", "list.csv", "--purpose", "Recall", "--explain", "--kept", "k.csv")
    assert "Let through by waivers: 1 of the kept rows" in done.out
    assert "line 2: pat@example.com kept: let through by the waiver of entry" in done.out
    assert "email\npat@example.com\nnew@example.com\n" == (gate.folder / "k.csv").read_text()
    record = last_check(gate.folder)
    assert ({"purpose": "Recall"}, 1, 2) == (record.terms, record.waived, record.kept)
    listed = gate("waiver", "list", "--json").json()["waivers"]
    assert ("pat@example.com", "in force", "safety", "Kim") == tuple(
        listed[0][name] for name in ("address", "state", "reason", "approver")
    )

    assert 0 == gate("waiver", "end", "pat@example.com", "--purpose", "recall", "--reason", "over").exit_code
    assert 2 == gate("check", "list.csv", "--purpose", "recall", "--json").json()["withheld"]
    assert "There are no waivers." in gate("waiver", "list").out


def test_one_address_says_its_waiver_without_being_asked(gate: Command) -> None:
    """Never silently: in words, and in JSON without --explain."""
    arguments = ("--purpose", "recall", "--until", UNTIL, "--reason", "safety", "--approver", "Kim")
    added = gate("waiver", "add", "pat@example.com", *arguments, "--json").json()
    done = gate("check", "pat@example.com", "--purpose", "recall")
    assert (0, True) == (done.exit_code, "let through by the waiver of entry" in done.out)
    (result,) = gate("check", "pat@example.com", "--purpose", "recall", "--json").json()["results"]
    assert ("clear", added["seq"]) == (result["verdict"], result["waiver"])


def test_transactional_mail_is_held_against_bounces_alone_and_the_record_says_who_chose(
    gate: Command,
) -> None:
    """Rule of law: opt-outs bind commercial mail. A dead mailbox is dead for all."""
    gate("add", "dead@example.com", "--reason", "bounced")
    gate("add", "dead@example.com", "--reason", "unsubscribed")
    (gate.folder / "list.csv").write_text("email\npat@example.com\ndead@example.com\n")
    facts = gate("check", "list.csv", "--message-class", "transactional", "--json").json()

    assert (1, 1) == (facts["kept"], facts["withheld"])
    assert {"bounced": 1} == facts["reasons"]
    assert {"message_class": "transactional"} == last_check(gate.folder).terms == facts["terms"]


def test_another_sender_s_opt_out_does_not_bind_this_sender(gate: Command) -> None:
    """Scopes: everything binds all."""
    gate("add", "acme.only@example.com", "--sender", "Acme")

    assert 0 == gate("check", "acme.only@example.com", "--sender", "Bravo").exit_code
    assert 1 == gate("check", "acme.only@example.com", "--sender", "Acme").exit_code
    assert 1 == gate("check", "acme.only@example.com").exit_code
    assert 1 == gate("check", "pat@example.com", "--sender", "Bravo").exit_code
    assert 0 == gate("check", "pat@example.com", "--channel", "sms").exit_code


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--sender", "a/b"), "--sender"),
        (("--purpose", " "), "--purpose needs"),
        (("--max-age", "soon"), "is no span of time"),
        (("--key", "x"), "--key goes with --offline"),
        (("--offline", "no.snapshot"), "--offline needs the key"),
        (("--offline", "no.snapshot", "--key", "x"), "cannot be read"),
    ],
)
def test_options_that_cannot_mean_anything_end_with_two(
    gate: Command, arguments: tuple[str, ...], problem: str
) -> None:
    """One clear line, nothing on stdout."""
    done = gate("check", "list.csv", *arguments)

    assert (2, "") == (done.exit_code, done.out)
    assert problem in done.err


# --- Freshness -------------------------------------------------------------------------------------------


def read(folder: Path, ago: timedelta) -> None:
    """A complete run over the source `main` that ended so long ago."""
    with Ledger.open(f"sqlite:///{folder / 'suppress.db'}") as ledger:
        ledger.append([sync_done(str(ago), before=datetime.now(UTC) - ago)], actor="test")


def test_a_stale_source_stops_the_gate_before_the_list_is_read(gate: Command) -> None:
    """Exit 5, the source and the next command named; no result, no record."""
    read(gate.folder, timedelta(hours=30))
    done = gate("check", "list.csv", "--max-age", "24h", "--kept", "k.csv")

    assert (5, "") == (done.exit_code, done.out)
    assert "the source main was last read up to" in done.err
    assert "what to do: suppress sync main" in done.err
    assert not (gate.folder / "k.csv").exists()
    assert 5 == gate("check", "-", "--max-age", "24h", stdin=b"").exit_code

    read(gate.folder, timedelta(hours=1))
    assert 1 == gate("check", "list.csv", "--max-age", "24h").exit_code
    assert 5 == gate("check", "list.csv", "--max-age", "30m").exit_code


# --- Without a ledger ------------------------------------------------------------------------------------


@pytest.fixture
def away(gate: Command, tmp_path_factory: pytest.TempPathFactory) -> tuple[Command, str]:
    """Another machine: the snapshot, its secret, the list, and the ledger's public key; nothing else."""
    read(gate.folder, timedelta(hours=5))
    done = gate("snapshot", "-o", "list.snapshot", "--recipient", "CI", "--json")
    facts = json.loads(done.out)
    folder = tmp_path_factory.mktemp("away")
    for name in ("list.snapshot", "list.snapshot.secret", "list.csv"):
        (folder / name).write_bytes((gate.folder / name).read_bytes())
        (folder / name).chmod(0o600)
    return Command(folder), facts["key"]


def test_a_machine_without_the_ledger_gives_the_same_answers(
    gate: Command, away: tuple[Command, str]
) -> None:
    """Rows, results and reasons; it says that nothing was recorded, and gives the digest."""
    elsewhere, key = away
    here = gate("check", "list.csv", "--withheld", "w.csv", "--json").json()
    there = elsewhere(
        "check", "list.csv", "--offline", "list.snapshot", "--key", key, "--withheld", "w.csv", "--json"
    ).json()

    for name in ("rows", "kept", "withheld", "review", "tiers", "reasons", "ages", "digest"):
        assert here[name] == there[name]
    assert (gate.folder / "w.csv").read_bytes() == (elsewhere.folder / "w.csv").read_bytes()
    assert None is there["entry"]
    assert there["offline"]["made"]
    done = elsewhere("check", "list.csv", "--offline", "list.snapshot", "--key", key, "--kept", "k.csv")
    assert (1, True) == (done.exit_code, "nothing was recorded" in done.out)
    assert {"list.csv", "list.snapshot", "list.snapshot.secret", "w.csv", "k.csv"} == {
        each.name for each in elsewhere.folder.iterdir()
    }


def test_the_age_of_a_snapshot_and_of_its_sources_counts(away: tuple[Command, str]) -> None:
    """A new snapshot of an old ledger is old."""
    elsewhere, key = away
    asked = ("check", "list.csv", "--offline", "list.snapshot", "--key", key, "--max-age")

    assert 1 == elsewhere(*asked, "6h").exit_code
    done = elsewhere(*asked, "2h")
    assert (5, True) == (done.exit_code, "the source main was last read" in done.err)


def test_the_secret_is_private_or_comes_from_the_environment(away: tuple[Command, str]) -> None:
    """Others may not read it; a pipeline gives it as a secret of its own; without it nothing is answered."""
    elsewhere, key = away
    asked = ("check", "list.csv", "--offline", "list.snapshot", "--key", key)
    secret = elsewhere.folder / "list.snapshot.secret"
    content = secret.read_text()
    secret.chmod(0o644)
    done = elsewhere(*asked)
    assert (2, True) == (done.exit_code, "chmod 600" in done.err)
    secret.unlink()
    assert 2 == elsewhere(*asked).exit_code
    assert 1 == elsewhere(*asked, env={"SUPPRESS_SNAPSHOT_SECRET": content}).exit_code
    assert 2 == elsewhere(*asked, env={"SUPPRESS_SNAPSHOT_SECRET": "{}"}).exit_code


def test_the_key_may_be_a_file(away: tuple[Command, str]) -> None:
    """As `suppress init` left it."""
    elsewhere, key = away
    (elsewhere.folder / "log.vkey").write_text(key + "\n")
    done = elsewhere("check", "pat@example.com", "--offline", "list.snapshot", "--key", "log.vkey")

    assert (1, True) == (done.exit_code, "exact match" in done.out), done.err


# --- Rules -----------------------------------------------------------------------------------------------


def test_rules_are_listed_lifted_and_told_as_a_loss(gate: Command) -> None:
    """A file for another system cannot hold a rule, and says so."""
    assert "*.corp.example" in gate("domain", "list").out
    assert "their counsel wrote" == gate("domain", "list", "--json").json()["rules"][0]["note"]
    assert "Not in it: 1 rule for a whole domain (*.corp.example)" in gate("export", "csv", "-o", "o.csv").out
    done = gate("show", "x@corp.example")
    assert "x@corp.example: suppressed (*.corp.example)" in done.out

    refused = gate("domain", "add", "gmail.com", "--note", "x")
    assert (2, True) == (refused.exit_code, "anybody may have a mailbox there" in refused.err)
    assert "Overruled" in gate("domain", "add", "gmail.com", "--note", "x", "--force").out
    dry = gate("domain", "lift", "corp.example", "--note", "over", "--dry-run")
    assert "dry run" in dry.out
    assert 0 == gate("domain", "lift", "corp.example", "--note", "over").exit_code
    assert 0 == gate("check", "x@corp.example").exit_code
    gate("domain", "lift", "gmail.com", "--note", "over")
    assert "There are no rules" in gate("domain", "list").out
    assert "already recorded" not in gate("domain", "add", "a.example", "--note", "x", "--dry-run").out
    gate("domain", "add", "a.example", "--note", "x")
    assert "already recorded" in gate("domain", "add", "a.example", "--note", "x").out


def test_a_list_of_digests_is_imported_by_its_canary(gate: Command) -> None:
    """From the shell: refused as addresses, believed with a canary, withheld afterwards."""
    import hashlib

    rows = [hashlib.sha256(each).hexdigest() for each in (b"seed@partner.example", b"victim@partner.example")]
    (gate.folder / "p.csv").write_text("hash\n" + "\n".join(rows) + "\n")
    refused = gate("import", "p.csv")
    assert (2, True) == (refused.exit_code, "--canary" in refused.err)
    both = gate("import", "p.csv", "--canary", "Seed@partner.example", "--profile", "constant-contact")
    assert 2 == both.exit_code
    assert 0 == gate("import", "p.csv", "--canary", "Seed@partner.example", "--dry-run").exit_code
    assert 0 == gate("check", "victim@partner.example").exit_code

    done = gate("import", "p.csv", "--canary", "Seed@partner.example", "--source", "Acme Partners")
    assert "proven by 1 canary: sha256 of lower case" in done.err
    assert "hashed match (sha256 of lower case)" in gate("check", "VICTIM@partner.example").out
    assert "people whom a partner gave only as digests" in gate("export", "csv", "-o", "o.csv").out

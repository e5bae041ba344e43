"""From what somebody wants to the facts of a real ledger: earlier instants, filters, policies, proofs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from suppress.config import DestinationSettings, Settings, SourceSettings
from suppress.core import merkle
from suppress.core.address import Address
from suppress.core.entry import Honoured
from suppress.core.suppression import OptOut, Origin, Reason
from suppress.errors import BadFile, BadUsage, ConfigWrong
from suppress.ledger import Event, Ledger
from suppress.report.asking import Wanted, gathered
from suppress.report.facts import Facts
from suppress.report.integrity import UNVERIFIED
from tests import backends
from tests.conftest import Command

pytestmark = pytest.mark.both_back_ends

FIRST = datetime(2026, 11, 2, 12, tzinfo=UTC)
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SETTINGS = Settings(
    timezone="America/New_York",
    sources={"main": SourceSettings("main", "constant-contact", sender="Acme")},
    destinations={"crm": DestinationSettings("crm", "csv")},
)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A person a day for six days, each told to the CRM on the same day."""
    clock = [FIRST]
    url = backends.url_in(tmp_path)
    Ledger.create(url, keys=tmp_path / "suppress.keys", clock=lambda: clock[0])
    with Ledger.open(url, keys=tmp_path / "suppress.keys", clock=lambda: clock[0]) as ledger:
        for number in range(6):
            clock[0] = FIRST + timedelta(days=number)
            who = Address.parse(f"person{number}@example.com")
            asked = OptOut(who, "telephone", Origin.PERSON, Reason.REQUESTED, received_at=clock[0])
            ledger.append([asked], actor="test")
            told = Honoured("crm", ledger.head().size - 1, "ab" * 32, 1, (), True)
            ledger.append([Event(f"told{number}", told)], actor="test")
        yield ledger


def facts(ledger: Ledger, wanted: Wanted, settings: Settings = SETTINGS) -> Facts:
    return gathered(ledger, settings, wanted, UNVERIFIED, now=NOW)


def test_an_earlier_instant_is_proven_to_be_part_of_what_is_signed(ledger: Ledger) -> None:
    """Size and root of then, the note of now, and the proof between them holds."""
    found = facts(ledger, Wanted(as_of=date(2026, 11, 4))).manifest.ledger
    head = ledger.head()
    proof = [bytes.fromhex(each) for each in found.consistency]

    assert (found.size, found.signed_size, found.checkpoint) == (10, head.size, head.note)
    assert merkle.verify_consistency(10, head.size, proof, bytes.fromhex(found.root), head.root)


def test_as_of_now_it_quotes_the_head(ledger: Ledger) -> None:
    """No proof is needed where the note signs that very size."""
    found = facts(ledger, Wanted(as_of=NOW)).manifest.ledger
    head = ledger.head()

    assert (found.size, found.root, found.signed_size) == (head.size, head.root.hex(), None)


def test_before_the_first_entry_there_is_nothing(ledger: Ledger) -> None:
    """An empty tree needs no proof."""
    found = facts(ledger, Wanted(as_of=FIRST - timedelta(seconds=1)))

    assert (found.manifest.ledger.size, found.manifest.ledger.consistency) == (0, ())
    assert found.verdict.suppressed == 0


@pytest.mark.parametrize("as_of", [None, date(2026, 11, 5)])
def test_what_was_drawn_is_in_the_quoted_ledger(ledger: Ledger, as_of: date | None) -> None:
    """Each leaf with its proof against the root that the report quotes, now and as of then."""
    found = facts(ledger, Wanted(as_of=as_of, sample=3, full=True))
    quoted = found.manifest.ledger

    assert len(found.sample.items) == 3
    for shown in found.sample.shown:
        leaf = merkle.leaf_hash(shown.leaf.encode())
        proof = [bytes.fromhex(each) for each in shown.proof]
        assert leaf.hex() == shown.leaf_hash
        assert merkle.verify_inclusion(leaf, shown.seq, quoted.size, proof, bytes.fromhex(quoted.root))
    payloads = [each.payload for each in found.sample.shown if "optout" in each.leaf]
    assert all(payload is not None and "@example.com" in payload for payload in payloads)


def test_a_redacted_sample_holds_no_address(ledger: Ledger) -> None:
    """Leaves hold commitments only."""
    found = facts(ledger, Wanted(sample=6))

    assert "example.com" not in repr(found)
    assert all(each.salt is None for each in found.sample.shown)


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        (Wanted(as_of=date(2026, 11, 24)), "--as-of 2026-11-24 lies in the future"),
        (Wanted(as_of=NOW + timedelta(seconds=1)), "--as-of lies in the future"),
        (Wanted(since=date(2026, 11, 10), as_of=date(2026, 11, 9)), "after the day of the report"),
        (Wanted(sender="Acmee"), "--sender Acmee: .*did you mean 'Acme'"),
        (Wanted(destinations=("crn",)), "--destination crn: .*did you mean 'crm'"),
        (Wanted(what_if=("everything",)), "neither deleted-missed nor policy=NAME"),
    ],
)
def test_what_cannot_be_meant_is_wrong_usage(ledger: Ledger, wanted: Wanted, says: str) -> None:
    """An empty report that looks like a good one would be worse."""
    with pytest.raises(BadUsage, match=says):
        facts(ledger, wanted)


def test_today_is_an_instant_that_has_come(ledger: Ledger) -> None:
    """The day is not over; the report is as of now."""
    assert facts(ledger, Wanted(as_of=date(2026, 11, 23))).manifest.as_of == NOW


def test_a_destination_that_is_no_longer_configured_can_be_asked_for(ledger: Ledger) -> None:
    """The ledger knows it."""
    found = facts(ledger, Wanted(destinations=("crm",)), Settings())

    assert found.deadlines.overall.met == 6


class TestPolicies:
    """Own files and versions, by the settings or by a flag."""

    FILE = (
        '[[policy]]\nid = "acme.at-once"\ntitle = "t"\nregime = "r"\ntrigger = "received"\nn = 0\n'
        'unit = "calendar_days"\nsource = "s"\nverified_on = 2026-01-01\n'
    )

    def test_a_flag_takes_the_place_of_the_settings(self, ledger: Ledger, tmp_path: Path) -> None:
        """Its text is in the annex, with the file's name and digest."""
        (tmp_path / "mine.toml").write_text(self.FILE)
        found = facts(ledger, Wanted(policies=(str(tmp_path / "mine.toml"), "us.can-spam@1")))
        own, shipped = found.policies

        assert (own.id, own.table, own.time) == ("acme.at-once", "mine.toml", "0 calendar days")
        assert (shipped.id, shipped.version) == ("us.can-spam", 1)
        assert own.fingerprint != shipped.fingerprint
        assert [each.met for each in found.deadlines.policies] == [6, 6]

    def test_one_id_from_two_files_is_refused(self, ledger: Ledger, tmp_path: Path) -> None:
        """Nobody could say which one was meant."""
        for name, text in (("a.toml", self.FILE), ("b.toml", self.FILE.replace("n = 0", "n = 1"))):
            (tmp_path / name).write_text(text)

        with pytest.raises(ConfigWrong, match=r"given twice, by a\.toml and by b\.toml"):
            facts(ledger, Wanted(policies=(str(tmp_path / "a.toml"), str(tmp_path / "b.toml"))))

    @pytest.mark.parametrize(
        ("content", "says"),
        [
            (FILE.replace("n = 0", "n = x").encode(), "line 6: is not TOML"),
            (FILE.replace("n = 0", "n = -1").encode(), "line 6: n must be a whole number"),
            (b"a\n\xff", "line 2: is not UTF-8"),
            (b"#" * 200_000, "larger than"),
            (None, "cannot be read"),
        ],
    )
    def test_a_file_that_is_wrong_is_named_with_its_line(
        self, ledger: Ledger, tmp_path: Path, content: bytes | None, says: str
    ) -> None:
        """So that an editor opens it there."""
        file = tmp_path / "wrong.toml"
        if content is not None:
            file.write_bytes(content)

        with pytest.raises(BadFile, match=says):
            facts(ledger, Wanted(policies=(str(file),)))


class TestCommand:
    """The options as a person types them."""

    def test_options_go_together(self, command: Command) -> None:
        """A day, a sender, a destination, a policy, a replay and a seed in one report."""
        (command.folder / "suppress.toml").write_text(
            'policies = ["us.can-spam", "mine.toml"]\n[destinations.crm]\nplatform = "csv"\n'
            'path = "crm.csv"\nsender = "Acme"\n'
        )
        (command.folder / "mine.toml").write_text(TestPolicies.FILE)
        command("init")
        command("add", "ann@example.com")
        done = command(
            "report", "--dry-run", "--json", "--sender", "Acme", "--destination", "crm", "--seed", "auditor",
            "--what-if", "policy=ca.casl", "--what-if", "deleted-missed", "--sample", "1",
        )  # fmt: skip
        found = done.json()

        assert done.exit_code == 0
        assert [each["id"] for each in found["policies"]] == ["us.can-spam", "acme.at-once"]
        assert (found["manifest"]["only_sender"], found["manifest"]["only_destinations"]) == ("Acme", ["crm"])
        assert [each["scenario"] for each in found["what_if"]] == ["policy=ca.casl", "deleted-missed"]
        assert found["sample"]["seed"] == "auditor"
        assert len(found["sample"]["items"]) == 1
        assert "ann@example.com" not in done.out

    @pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "2026-11-01T25:00"])
    def test_an_instant_that_is_none_is_wrong_usage(self, command: Command, text: str) -> None:
        """One clear line, and how to write it."""
        command("init")
        done = command("report", "--as-of", text, "--dry-run")

        assert done.exit_code == 2
        assert "neither a day nor an instant" in done.err
        assert "2026-09-30T17:00:00Z" in done.err

    def test_an_instant_without_a_zone_is_the_senders(self, command: Command) -> None:
        """Nine in the morning in New York."""
        (command.folder / "suppress.toml").write_text('timezone = "America/New_York"\n')
        command("init")
        done = command("report", "--as-of", "2026-01-05T09:00", "--dry-run", "--json")

        assert done.json()["manifest"]["as_of"] == "2026-01-05T14:00:00Z"

    def test_a_wrong_policy_file_is_named_by_the_settings_line(self, command: Command) -> None:
        """Both lines: that of the settings, and that of the file."""
        (command.folder / "suppress.toml").write_text('policies = ["mine.toml"]\n')
        (command.folder / "mine.toml").write_text(TestPolicies.FILE.replace("n = 0", "n = -1"))
        done = command("status")

        assert done.exit_code == 2
        assert "suppress.toml, line 1: " in done.err
        assert "mine.toml, line 6: n must be a whole number from 0 to 3,650" in done.err

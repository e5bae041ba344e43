"""`suppress erase` and `suppress forget` as a person and as a script run them."""

from __future__ import annotations

import hashlib
import json
import os
import pty
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from suppress.audit import verify
from suppress.core.address import Address
from suppress.core.entry import Erased, Forgotten
from suppress.core.verdict import Ruling, Tier
from suppress.ledger import Ledger
from tests.conftest import SCRIPT, Command, Done
from tests.ledgers import told
from tests.small_ledger import made

PAT = "pat@example.com"
BASIS = ("--basis", "Art. 17 GDPR")
CERTAIN = ("--yes", "--confirm", "no longer protected")


@pytest.fixture
def ledger(command: Command) -> str:
    """Two suppressed people."""
    return made(command.folder, [PAT, "sam@example.com"])


def tier(ledger: str, address: str = PAT) -> Tier | None:
    with Ledger.open(ledger) as opened:
        return opened.check(address).tier


def size(ledger: str) -> int:
    with Ledger.open(ledger) as opened:
        return opened.head().size


def at_terminal(command: Command, answers: str, *arguments: str) -> Done:
    """The installed command with a terminal for its input, at which somebody types these answers."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [str(SCRIPT), *arguments],
        cwd=command.folder,
        env=os.environ | {"HOME": str(command.folder), "XDG_CONFIG_HOME": str(command.folder)},
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        os.close(theirs)
        os.write(ours, answers.encode())
        out, err = process.communicate(timeout=120)
        os.close(ours)
    return Done(process.returncode, out.decode(), err.decode())


# --- Erase -------------------------------------------------------------------------------------------------


def test_erasing_says_what_goes_what_stays_and_what_is_out_of_reach(command: Command, ledger: str) -> None:
    """With the salt that opens the commitment to the request, and the next command."""
    done = command("erase", PAT, *BASIS, "--request", "DSR-1", "--yes")

    assert 0 == done.exit_code, done.err
    for words in (
        f"{PAT} was erased: entry 5",
        "Gone are address and evidence of entries 2.",
        "They stay suppressed; a new destination can no longer be told.",
        "Outside our reach: files that were handed out, and backups of the ledger.",
        "Keep with request DSR-1",
        "suppress export",
    ):
        assert words in done.out
    assert "please" not in done.err
    assert Tier.ERASED is tier(ledger)


def test_a_script_gets_one_object_and_the_same_again(command: Command, ledger: str) -> None:
    """The second run removes nothing and names the entry of the first."""
    first, again = (command("erase", PAT, *BASIS, "--yes", "--json").json() for _ in range(2))

    assert "suppress/erase@1" == next(iter(first.values()))
    assert (True, True, [2], [5]) == (
        first["known"], first["suppressed"], first["entries"], first["recorded"],
    )  # fmt: skip
    assert ([], [5]) == (again["entries"], again["recorded"])
    assert first["ledger"] == again["ledger"] != {}
    assert 6 == size(ledger)


def test_a_digest_in_a_partners_list_goes_with_the_address(command: Command, ledger: str) -> None:
    """Show tells of it before and after; erase names its entry; forget leaves nobody who is recognised."""
    rows = [hashlib.sha256(each.encode()).hexdigest() for each in ("seed@example.org", PAT)]
    (command.folder / "p.csv").write_text("h\n" + "\n".join(rows) + "\n")
    assert 0 == command("import", "p.csv", "--canary", "Seed@Example.org").exit_code
    (before,) = command("show", PAT, "--json").json()["digests"]
    assert ("sha256 of lower case", True) == (before["rule"], before["trusted"])
    assert "In a list of digests, as sha256 of lower case:" in command("show", PAT).out
    entry = before["history"][-1]["seq"]

    done = command("erase", PAT, *BASIS, "--yes")
    assert f"With them the digest of this address in a partner's list: entries {entry}." in done.out
    (after,) = command("show", PAT, "--json").json()["digests"]
    assert {None} == {each["address"] for each in after["history"]}
    assert "digest_of" not in after["history"][-1]
    assert 1 == command("check", PAT).exit_code

    told = command("forget", PAT, *BASIS, *CERTAIN, "--json").json()
    assert [before["rule"]] == [each["rule"] for each in told["digests"]]
    assert 0 == command("check", PAT).exit_code
    assert [] == command("show", PAT, "--json").json()["digests"]


def test_a_dry_run_removes_nothing_and_asks_nothing(command: Command, ledger: str) -> None:
    """It shows what would go."""
    done = command("erase", PAT, *BASIS, "--dry-run")

    assert (0, 5) == (done.exit_code, size(ledger))
    assert "would be erased (dry run: nothing was written)" in done.out
    assert "would go from entries 2" in done.out


def test_without_a_terminal_nothing_is_asked_and_nothing_done(command: Command, ledger: str) -> None:
    """A cron job does not hang, and does not erase by accident."""
    done = command("erase", PAT, *BASIS)

    assert (2, "", 5) == (done.exit_code, done.out, size(ledger))
    assert "there is no terminal" in done.err
    assert "--yes" in done.err


@pytest.mark.parametrize(("answer", "code", "left"), [("y\n", 0, 6), ("n\n", 130, 5), ("\n", 130, 5)])
def test_a_person_is_asked_once(command: Command, ledger: str, answer: str, code: int, left: int) -> None:
    """Nothing but yes is a yes."""
    done = at_terminal(command, answer, "erase", PAT, *BASIS)

    assert (code, left) == (done.exit_code, size(ledger)), done.err
    assert f"Remove address and evidence of {PAT} from 1 entry? This cannot be undone. [y/N]" in done.err
    assert ("nothing was changed" in done.err) == (code == 130)


def test_the_address_can_come_from_standard_input(command: Command, ledger: str) -> None:
    """So that it stays out of the process list and the shell's history."""
    done = command("erase", "-", *BASIS, "--yes", stdin=b" Pat@Example.com \n")

    assert 0 == done.exit_code, done.err
    assert Tier.ERASED is tier(ledger)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["nobody", *BASIS, "--yes"], 2, "'nobody' is not one address"),
        ([f"{PAT}, sam@example.com", *BASIS, "--yes"], 2, "is not one address"),
        ([PAT, "--yes"], 2, "--basis"),
        ([PAT, "--basis", "asked by pat@example.com", "--yes"], 2, "--basis may hold an address"),
        ([PAT, "--basis", " ", "--yes"], 2, "--basis is empty"),
    ],
)
def test_what_is_not_meant_is_one_clear_line(
    command: Command, ledger: str, arguments: list[str], code: int, words: str
) -> None:
    """And nothing is removed."""
    done = command("erase", *arguments)

    assert (code, "", 5) == (done.exit_code, done.out, size(ledger))
    assert words in done.err


def test_an_unknown_address_is_said_so(command: Command, ledger: str) -> None:
    """No failure: repeating `forget` finds nobody either."""
    erased = command("erase", "nobody@example.com", *BASIS, "--yes")
    forgotten = command("forget", "nobody@example.com", *BASIS, *CERTAIN)

    assert (0, 0, 5) == (erased.exit_code, forgotten.exit_code, size(ledger))
    assert "Nothing is recorded about nobody@example.com: nothing was removed." in erased.out
    assert erased.out == forgotten.out


def test_the_other_spelling_of_a_mailbox_has_to_be_named(command: Command, ledger: str) -> None:
    """Nothing is removed because of a resemblance."""
    with Ledger.open(ledger) as opened:
        told(opened, "kim.lee@gmail.com")
    done = command("erase", "kimlee@gmail.com", *BASIS, "--yes")

    assert "Another address that reaches the same mailbox is recorded: name that one." in done.out
    assert Tier.EXACT is tier(ledger, "kim.lee@gmail.com")


def test_a_destination_that_was_not_told_is_told_first(command: Command, ledger: str) -> None:
    """Exit 5 names it; after the export it goes; an override is shown and kept."""
    refused = command("erase", PAT, *BASIS, "--yes", env={"SUPPRESS_DESTINATIONS__NEWS__PLATFORM": "csv"})
    assert (5, 5) == (refused.exit_code, size(ledger))
    assert "has not been honoured by news" in refused.err
    assert "suppress export news; or --override REASON" in refused.err
    assert 0 == command("export", "csv", "-o", "list.csv").exit_code
    with Ledger.open(ledger) as opened:
        told(opened, "kim@example.com")
    late = command("erase", "kim@example.com", *BASIS, "--yes")
    assert "csv (which is not configured)" in late.err
    assert "suppress export csv -o FILE" in late.err

    assert 0 == command("erase", PAT, *BASIS, "--yes").exit_code
    done = command("erase", "kim@example.com", *BASIS, "--yes", "--override", "the list was given up")
    assert 0 == done.exit_code, done.err
    assert "Not honoured by: csv" in done.out
    with Ledger.open(ledger) as opened:
        (body,) = (
            each.body for each in opened.entries() if isinstance(each.body, Erased) and each.body.override
        )
    assert ("the list was given up", ("csv",)) == (body.override, body.untold)
    shown = command("show", "kim@example.com").out
    assert "address and evidence of 9 are erased (Art. 17 GDPR)" in shown
    assert "although csv had not honoured them: the list was given up" in shown


def test_show_says_of_an_erased_person_what_is_left(command: Command, ledger: str) -> None:
    """The entries, and that address and evidence are gone; nothing that was evidence."""
    command("erase", PAT, *BASIS, "--yes")
    shown, facts = command("show", PAT), command("show", PAT, "--json").json()

    assert "entry 5: address and evidence of 2 are erased (Art. 17 GDPR)" in shown.out
    assert "suppressed (everything)" in shown.out
    assert ("erased", [None] * 3) == (
        facts["standing"]["tier"],
        [each["address"] for each in facts["history"]],
    )
    assert ["subject.added", "optout.recorded", "erased"] == [each["type"] for each in facts["history"]]


def test_a_new_request_of_an_erased_person_says_that_nothing_of_it_is_kept(
    command: Command, ledger: str
) -> None:
    """Whoever typed the note should know that it is gone."""
    command("erase", PAT, *BASIS, "--yes")
    done = command("add", PAT, "--received", "2026-11-20", "--note", "rang again")
    facts = command("add", "kim@example.com", "--received", "2026-11-20", "--json").json()

    assert 0 == done.exit_code, done.err
    assert "neither address nor evidence of this request is kept" in done.out
    assert facts["kept"]
    assert "rang again" not in command("show", PAT).out


def test_copies_from_before_an_upgrade_are_named(command: Command, ledger: str) -> None:
    """They hold the address still."""
    copy = command.folder / "suppress.db.0001-20261101T020304Z"
    copy.write_bytes((command.folder / "suppress.db").read_bytes())
    (command.folder / "suppress.db.notes").touch()
    done = command("erase", PAT, *BASIS, "--yes")

    assert f"{copy.name} is a copy from before an upgrade" in done.out
    assert "suppress.db.notes" not in done.out


# --- Forget ------------------------------------------------------------------------------------------------


def test_forgetting_says_that_nobody_protects_them_any_more(command: Command, ledger: str) -> None:
    """In a line of its own, and nothing finds them afterwards."""
    done = command("forget", PAT, "--basis", "court order 4 C 12/26", *CERTAIN)

    assert 0 == done.exit_code, done.err
    assert f"{PAT} was forgotten: entry 5" in done.out
    assert "They are no longer protected: suppress check lets this address pass." in done.out
    assert 0 == command("check", PAT).exit_code
    assert "Nothing is recorded" in command("show", PAT).out


def test_forgetting_in_json(command: Command, ledger: str) -> None:
    """`suppressed` says how it is now."""
    dry, done = (
        command("forget", PAT, *BASIS, *CERTAIN, "--json", *more).json() for more in (["--dry-run"], [])
    )

    assert ("suppress/forget@1", True, True) == (dry["schema"], dry["suppressed"], dry["dry_run"])
    assert (False, [2], [5]) == (done["suppressed"], done["entries"], done["recorded"])
    assert "dry run" in command("forget", "sam@example.com", *BASIS, "--dry-run").out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "--yes"),
        (("--yes",), '--confirm "no longer protected"'),
        (("--confirm", "no longer protected"), "--yes"),
        (("--yes", "--confirm", "yes"), "--confirm 'yes' is not what is asked for"),
    ],
)
def test_a_script_has_to_say_it_twice(
    command: Command, ledger: str, options: tuple[str, ...], words: str
) -> None:
    """One habitual --yes is not enough to let somebody be mailed again."""
    done = command("forget", PAT, *BASIS, *options)

    assert (2, "") == (done.exit_code, done.out)
    assert words in done.err
    assert Tier.EXACT is tier(ledger)


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ("y\nno longer protected\n", 0),
        ("y\nyes\n", 130),
        ("y\n\n", 130),
        ("n\nno longer protected\n", 130),
    ],
)
def test_a_person_is_asked_twice(command: Command, ledger: str, answers: str, code: int) -> None:
    """The second answer has to be typed out."""
    done = at_terminal(command, answers, "forget", PAT, *BASIS)

    assert code == done.exit_code, done.err
    assert (None if code == 0 else Tier.EXACT) is tier(ledger)
    if answers.startswith("y"):
        assert f"{PAT} will not be recognised any more" in done.err


def test_at_a_terminal_the_second_question_stays_when_the_first_is_answered(
    command: Command, ledger: str
) -> None:
    """--yes answers one question."""
    done = at_terminal(command, "no longer protected\n", "forget", PAT, *BASIS, "--yes")

    assert 0 == done.exit_code, done.err
    assert None is tier(ledger)


# --- Killed ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["erase", "forget"])
def test_killed_at_any_point_and_repeated_somebody_is_gone_once(
    verb: str, command: Command, ledger: str
) -> None:
    """Before, within or after the transaction: the ledger verifies, and one repetition settles it."""
    chance = random.Random(17)
    people = [f"zq-somebody-{number}@example.com" for number in range(8)]
    with Ledger.open(ledger) as opened:
        told(opened, *people)
    arguments = [sys.executable, "-m", "suppress", verb]
    for address in people:
        with subprocess.Popen(
            [*arguments, address, *BASIS, *(CERTAIN if verb == "forget" else ("--yes",))],
            cwd=command.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            try:
                process.wait(0.4 + chance.random() * 0.6)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
        assert None is verify(ledger).first_bad
        again = command(verb, address, *BASIS, *(CERTAIN if verb == "forget" else ("--yes",)))
        assert 0 == again.exit_code, again.err

    _all_gone(command.folder, ledger, people, Erased if verb == "erase" else Forgotten)


def _all_gone(folder: Path, ledger: str, people: list[str], kind: type[Erased | Forgotten]) -> None:
    assert None is verify(ledger).first_bad
    with Ledger.open(ledger) as opened:
        bodies = [entry.body for entry in opened.entries() if isinstance(entry.body, kind)]
        verdicts = {opened.check(address).ruling for address in people}
        assert all(each.payload is None for name in people for each in opened.history(Address.parse(name)))
    records = {file.stem for file in (folder / "suppress.keys" / "erasures").glob("*.json")}
    content = b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())
    assert len(people) == len(bodies)
    assert {body.subject for body in bodies} == records
    assert {Ruling.SUPPRESSED if kind is Erased else Ruling.CLEAR} == verdicts
    assert b"zq-somebody" not in content


def test_the_json_of_a_refusal_is_one_object(command: Command, ledger: str) -> None:
    """On stderr, with the remedy."""
    done = command("erase", PAT, *BASIS, "--json")
    refused = json.loads(done.err)

    assert ("BadUsage", 2) == (refused["error"], refused["exit_code"])
    assert "--yes" in refused["remedy"]

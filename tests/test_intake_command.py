"""`suppress add`, `import` and `show` as they are installed, and an import that is killed."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from suppress.core.entry import ImportDone, OptOutRecorded
from suppress.ledger import Ledger
from tests.backends import Found, connection_to, on_server, url_in
from tests.conftest import SCRIPT, Command
from tests.exports import LAYOUT_A, active, export, unsubscribed
from tests.small_ledger import made

pytestmark = pytest.mark.both_back_ends


@pytest.fixture
def desk(command: Command) -> Command:
    """A folder with an empty ledger."""
    made(command.folder)
    return command


def opened(folder: Path) -> Ledger:
    return Ledger.open(url_in(folder), keys=folder / "suppress.keys", read_only=True)


def size(folder: Path) -> int:
    """The ledger's size, read without a look at its rules, as a watcher would."""
    if on_server():
        with closing(connection_to(url_in(folder))) as server:
            return _size(server.execute("SELECT size FROM head"))
    connection = sqlite3.connect(f"file:{folder / 'suppress.db'}?mode=ro", uri=True)
    try:
        return _size(connection.execute("SELECT size FROM head"))
    except sqlite3.OperationalError:
        return 0  # its writer is just committing
    finally:
        connection.close()


def _size(rows: Found) -> int:
    return int(rows.fetchone()[0])


# --- add -------------------------------------------------------------------------------------------------


def test_add_says_the_deadline_and_the_next_command(desk: Command) -> None:
    """Received on Friday 20 November 2026; Thanksgiving does not count for the later date."""
    (desk.folder / "letter.txt").write_text("Please stop.")
    told = ("--received", "2026-11-20", "--note", "wrote", "--evidence", "letter.txt")
    done = desk("add", "pat@example.com", *told)
    again = desk("add", "PAT@example.com", *told)

    assert (0, 0) == (done.exit_code, again.exit_code)
    assert "pat@example.com is suppressed: entry 2" in done.out
    assert "us.can-spam: act by 2026-12-02; a breach after 2026-12-07 (UTC)" in done.out
    assert "Next: tell the other systems: suppress export DESTINATION" in done.out
    assert "this request was already recorded, as entry 2" in again.out


def test_add_of_a_request_that_lay_on_a_desk_says_that_it_is_overdue(desk: Command) -> None:
    """The deadline counts from receipt, not from when somebody typed it in."""
    done = desk("add", "pat@example.com", "--received", "2020-01-06")

    assert "a breach after 2020-01-21 (UTC): OVERDUE" in done.out


def test_add_in_json(desk: Command) -> None:
    """One object; a dry run first, which records nothing."""
    told = ("add", "Pat <pat@example.com>", "--received", "2026-11-20", "--sender", "Acme", "--json")
    dry, done = desk(*told, "--dry-run").json(), desk(*told).json()

    assert (None, True, 1) == (dry["seq"], dry["dry_run"], dry["ledger"]["size"])
    assert "suppress/add@1" == done["schema"]
    assert (2, True, "sender:Acme", "2026-11-20T00:00:00Z") == (
        done["seq"],
        done["new"],
        done["scope"],
        done["received_at"],
    )
    assert [{"policy": "us.can-spam", "act_by": "2026-12-02", "breach_after": "2026-12-07"}] == done[
        "deadlines"
    ]


def test_add_dry_run_in_words(desk: Command) -> None:
    """Nothing was written, and it says so."""
    assert "would be suppressed (dry run: nothing was written)" in desk("add", "a@b.example", "--dry-run").out


def test_a_flawed_address_is_recorded_with_a_remark(desk: Command) -> None:
    """The person may have spelled it so on the phone."""
    done = desk("add", "jo..hn@example.com")

    assert 0 == done.exit_code
    assert "two dots in a row before the @; recorded all the same" in done.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["pat"], "'pat' is no address"),
        (["a@example.com; b@example.com"], "holds 3 addresses"),
        (["pat@example.com", "--received", "2026-13-01"], "--received '2026-13-01' is no date"),
        (["pat@example.com", "--received", "2099-01-01"], "lies in the future"),
        (["pat@example.com", "--sender", "A/B"], "--sender 'A/B'"),
        (["pat@example.com", "--evidence", "none.pdf"], "the evidence none.pdf cannot be read"),
    ],
)
def test_wrong_facts_are_refused_before_anything_is_recorded(
    desk: Command, arguments: list[str], message: str
) -> None:
    """One line, exit 2."""
    done = desk("add", *arguments)

    assert (2, "") == (done.exit_code, done.out)
    assert message in done.err
    assert 1 == size(desk.folder)


# --- import ----------------------------------------------------------------------------------------------


def test_import_of_an_export_says_what_it_took(desk: Command) -> None:
    """Recognised by its header, with the warning about deleted contacts, and each odd line."""
    people = [
        active("a@example.com"),
        unsubscribed("b@example.com", "2024-03-05"),
        unsubscribed("c@example.com", "31.31.2020"),
        unsubscribed("", "2024-03-05"),
    ]
    (desk.folder / "contact_export_1.csv").write_text(export(LAYOUT_A, people, mark=True), newline="")
    done = desk("import", "contact_export_1.csv")

    assert 1 == done.exit_code  # one row could not be taken
    assert "recognised as constant-contact (Constant Contact: contacts and campaign reports" in done.err
    assert "contact_export_1.csv: delimiter: comma; header found" in done.err
    assert "opt-outs: unknown        2" in done.out
    assert "cannot hold deleted contacts" in done.err
    assert "line 4: the date “31.31.2020” cannot be read; recorded without a date" in done.out
    assert "line 5: rejected: no address" in done.out
    assert "run it again with --rejected FILE" in done.out
    with opened(desk.folder) as ledger:
        assert ["b@example.com", "c@example.com"] == [each.key for each in ledger.suppressed()]


def test_import_in_json_accounts_for_every_row(desk: Command) -> None:
    """rows = accepted + duplicate + ignored + rejected."""
    (desk.folder / "old.csv").write_text(
        "mail;when\na@example.com;2024-03-05\na@example.com;2024-03-05\n;x\n"
    )
    mapped = ("import", "old.csv", "--map", "email=mail,date=when", "--rejected", "rejected.csv")
    dry = desk(*mapped, "--dry-run", "--json").json()
    done = desk(*mapped, "--json")
    facts = done.json()

    assert "suppress/import@1" == facts["schema"]
    assert (3, 1, 1, 0, 1) == tuple(
        facts[name] for name in ("rows", "accepted", "duplicate", "ignored", "rejected")
    )
    assert ("map", "import", 3) == (facts["profile"], facts["source"], facts["entry"])
    assert [{"line": 4, "text": "rejected: no address"}] == facts["remarks"]
    assert (None, True) == (dry["entry"], dry["dry_run"])
    assert "mail;when;suppress_rejected\n;x;no address\n" == (desk.folder / "rejected.csv").read_text()


def test_import_words_for_a_dry_run_and_for_rejected_rows(desk: Command) -> None:
    """What to do next depends on what came of it."""
    (desk.folder / "old.csv").write_text("mail,x\njo..hn@example.com,1\n" + ",2\n" * 25)
    mapped = ("import", "old.csv", "--map", "email=mail", "--source", "shop")
    dry, done = desk(*mapped, "--dry-run"), desk(*mapped, "--rejected", "r.csv")
    (desk.folder / "good.csv").write_text("mail\na@example.com\n")
    good = desk("import", "good.csv", "--map", "email=mail", "--dry-run")

    assert "dry run: nothing was written" in dry.out
    assert "and 5 more remarks" in dry.out
    assert "1 opt-outs have an address that mail systems refuse" in done.out
    assert "Next: mend the rows in r.csv and import them" in done.out
    assert "Next: suppress import without --dry-run" in good.out


def test_import_from_a_pipe(desk: Command) -> None:
    """`-` reads standard input."""
    done = desk("import", "-", "--map", "email=1", "--no-header", "--json", stdin=b"a@example.com\n")

    assert 1 == done.json()["accepted"]


@pytest.mark.parametrize(
    ("content", "arguments", "message"),
    [
        (b"mail\na@example.com\n", [], "nothing says which of its rows are opt-outs"),
        (b"mail\na@example.com\n", ["--map", "email=Fax"], "there is no column 'Fax'"),
        (b"mail\na@example.com\n", ["--profile", "hubspit"], "there is no profile 'hubspit'"),
        (b'mail\na@example.com\n"open\n', ["--map", "email=mail"], "line 3: a quote opens here"),
        (b"", ["--map", "email=mail"], "is empty"),
        (b"PK\x03\x04", ["--map", "email=mail"], "damaged"),
        (b"mail\na@example.com\n", ["--map", "email=mail", "--rejected", "old.csv"], "being read"),
    ],
)
def test_a_list_that_cannot_be_imported_records_nothing(
    desk: Command, content: bytes, arguments: list[str], message: str
) -> None:
    """One line, exit 2."""
    (desk.folder / "old.csv").write_bytes(content)
    done = desk("import", "old.csv", *arguments)

    assert (2, "") == (done.exit_code, done.out)
    assert message in done.err
    assert "Traceback" not in done.err
    assert 1 == size(desk.folder)


# --- Killed ----------------------------------------------------------------------------------------------


def requests(folder: Path) -> tuple[Counter[tuple[object, ...]], dict[str, object]]:
    """The opt-outs on record, by what they say and how often; and for each person what stands."""
    with opened(folder) as ledger:
        bodies = [entry.body for entry in ledger.entries() if isinstance(entry.body, OptOutRecorded)]
        standing: dict[str, object] = {
            each.key: (each.suppression.since, each.suppression.latest, each.suppression.reason)
            for each in ledger.suppressed()
        }
    return Counter((body.occurred_at, body.reason, body.source) for body in bodies), standing


@pytest.mark.parametrize("seed", [1, 2])
def test_an_import_killed_at_any_point_and_repeated_equals_an_undisturbed_one(
    command: Command, seed: int
) -> None:
    """kill -9 before, within and between batches, then once more to the end: nothing lost or doubled."""
    rows = "".join(
        f"person{number % 4_500}@example.com,{2020 + number % 5}-03-05,opt-out\n" for number in range(5_000)
    )
    places = [command.folder / name for name in ("undisturbed", "killed")]
    for place in places:
        place.mkdir()
        made(place)
        (place / "old.csv").write_text("mail,when,why\n" + rows)
    arguments = [str(SCRIPT), "import", "old.csv", "--map", "email=mail,date=when,reason=why"]
    environment = {**os.environ, "HOME": str(command.folder)}

    def at(number: int) -> dict[str, str]:
        return {"SUPPRESS_LEDGER": url_in(places[number])}

    subprocess.run(arguments, cwd=places[0], env=environment | at(0), check=True, capture_output=True)
    chance = random.Random(seed)
    for share in (chance.random() / 2, 0.5 + chance.random() / 2):
        _killed_at(arguments, places[1], environment | at(1), int(share * size(places[0])), chance)
    subprocess.run(arguments, cwd=places[1], env=environment | at(1), check=True, capture_output=True)

    assert requests(places[0]) == requests(places[1])
    with opened(places[1]) as ledger:
        (done,) = ledger.about(ImportDone.type)
        assert isinstance(done.body, ImportDone)
        assert 5_000 == done.body.rows == done.body.accepted + done.body.duplicate
        assert 4_500 == sum(1 for _ in ledger.suppressed())


def _killed_at(
    arguments: list[str],
    folder: Path,
    environment: dict[str, str],
    entries: int,
    chance: random.Random,
) -> None:
    """Run it until the ledger holds so many entries, and a random moment longer; then kill it."""
    with subprocess.Popen(
        arguments, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        while size(folder) < entries and _runs_on(process, 0.01):
            pass
        if _runs_on(process, chance.random() * 0.5):
            process.send_signal(signal.SIGKILL)


def _runs_on(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Whether a process is still there after a while."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return True
    return False


@pytest.mark.sqlite_only("reads a file of people; nothing of it reaches a database")
def test_memory_of_an_import_does_not_grow_with_the_file(command: Command) -> None:
    """Four times the rows, the same peak but for noise: active people, so that only reading is measured."""

    def peak(rows: int) -> int:
        with (command.folder / "old.csv").open("w") as out:
            out.write("Email address,Email status\n")
            out.writelines(f"new{number}@example.com,Active\n" for number in range(rows))
        code = (
            "import resource, subprocess\n"
            f"subprocess.run({[str(SCRIPT), 'import', 'old.csv', '--dry-run']!r}, "
            "capture_output=True, check=True)\n"
            "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=command.folder, capture_output=True, text=True, check=True
        )
        return int(done.stdout)

    made(command.folder)
    assert peak(160_000) < peak(40_000) * 1.3


# --- show ------------------------------------------------------------------------------------------------


def test_show_tells_standing_history_evidence_and_destinations(desk: Command) -> None:
    """In words; text from outside is shown, and does not act."""
    desk("add", "pat@example.com", "--received", "2026-11-20", "--note", "\x1b[2Jrang\u202e [b]twice")
    export_done = desk(
        "export", "csv", "-o", "out.csv", "--purpose", "suppression compliance", "--recipient", "us"
    )
    done = desk("show", "PAT@example.com")

    assert 0 == export_done.exit_code, export_done.err
    assert 0 == done.exit_code
    assert "PAT@example.com: suppressed (everything), since an unknown date, source manual" in done.out
    assert "optout.recorded" in done.out
    assert "entry 2, note: \\x1b[2Jrang\\u202e [b]twice" in done.out
    assert "\x1b" not in done.out
    assert "csv" in done.out


def test_show_in_json(desk: Command) -> None:
    """design.md section 5: address, standing, history, destinations; and what lists of digests say."""
    desk("add", "pat@example.com", "--received", "2026-11-20", "--note", "rang")
    facts = desk("show", "pat@example.com", "--json").json()
    last = facts["history"][-1]

    assert ["schema", "address", "standing", "history", "destinations", "digests"] == list(facts)
    assert [] == facts["digests"]
    assert "suppress/show@1" == facts["schema"]
    assert facts["standing"]["suppressed"] is True
    assert {
        "seq": 2,
        "type": "optout.recorded",
        "received_at": "2026-11-20T00:00:00Z",
        "reason": "requested",
    } == {name: last[name] for name in ("seq", "type", "received_at", "reason")}
    assert {"note": "rang"} == last["evidence"]
    assert not {"pii", "sid", "subject"} & last.keys()


def test_show_of_a_stranger_and_of_an_alias(desk: Command) -> None:
    """Neither is an error."""
    desk("add", "al.smith@gmail.com")
    stranger, alias = desk("show", "new@example.com"), desk("show", "alsmith@gmail.com")

    assert (0, 0) == (stranger.exit_code, alias.exit_code)
    assert "new@example.com: not suppressed\nNothing is recorded about this address.\n" == stranger.out
    assert "reaches the mailbox of a suppressed address (gmail dots and tags): review" in alias.out


def test_show_of_nothing_is_wrong_usage(desk: Command) -> None:
    """An empty argument is a slip in a script."""
    done = desk("show", " ")

    assert 2 == done.exit_code
    assert "holds no address" in done.err

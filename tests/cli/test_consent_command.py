"""`suppress consent`, `correct` and `revert` as they are installed, and a list of digests of a named form."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from suppress.ledger import Ledger
from tests.backends import url_in
from tests.conftest import Command
from tests.small_ledger import made

pytestmark = pytest.mark.both_back_ends

CONSENT = ("--evidence", "form.txt", "--approver", "Kim Lee")


@pytest.fixture
def desk(command: Command) -> Command:
    """A folder with a ledger that suppresses Pat since March 2024, and a form."""
    made(command.folder, ["pat@example.com"])
    (command.folder / "form.txt").write_text("Yes, mail me again. Pat")
    return command


def size(folder: Path) -> int:
    with Ledger.open(url_in(folder), keys=folder / "suppress.keys", read_only=True) as ledger:
        return ledger.head().size


def test_a_later_consent_lifts_and_show_tells_all_of_it(desk: Command) -> None:
    """Entry, what it lifted, who approved; the same again says so."""
    told = ("consent", "pat@example.com", "--at", "2024-06-01", *CONSENT, "--note", "signed at the fair")
    dry, done, again = desk(*told, "--dry-run"), desk(*told), desk(*told)
    shown = desk("show", "pat@example.com")
    facts = desk("show", "pat@example.com", "--json").json()

    assert [0, 0, 0] == [each.exit_code for each in (dry, done, again)]
    assert "the consent would lift this (dry run: nothing was written)" in dry.out
    assert "pat@example.com, email, everything: consent recorded as entry 3" in done.out
    assert "lifted: entry 2 (unsubscribed, everything) of 2024-03-05 10:00Z" in done.out
    assert "this consent was already recorded, as entry 3" in again.out
    assert "entry 3: a consent for email, everything, approved by Kim Lee" in shown.out
    digest = hashlib.sha256((desk.folder / "form.txt").read_bytes()).hexdigest()
    entry = facts["history"][-1]
    assert (False, "Kim Lee", None) == (
        facts["standing"]["suppressed"],
        entry["approver"],
        entry["struck_out_by"],
    )
    assert {
        "file": "form.txt",
        "sha256": digest,
        "note": "signed at the fair",
        "approver": "Kim Lee",
    } == entry["evidence"]
    assert 0 == desk("check", "pat@example.com").exit_code
    assert 3 == desk("verify").exit_code


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--at", "2020-01-01", *CONSENT], "is not after the opt-out of 2024-03-05 10:00 (UTC) (entry 2"),
        (["--at", "2099-01-01", *CONSENT], "lies in the future"),
        (["--at", "soon", *CONSENT], "--at 'soon' is no date"),
        (["--at", "2024-06-01", "--evidence", "no.pdf", "--approver", "Kim"], "no.pdf cannot be read"),
        (["--at", "2024-06-01", *CONSENT, "--list", "News"], "a list belongs to a sender"),
        (["--at", "2024-06-01", *CONSENT, "--scope", "sender:A", "--sender", "A"], "--scope already says"),
        (["--at", "2024-06-01", *CONSENT, "--scope", "all"], "not a scope: 'all'"),
        (["--at", "2024-06-01", *CONSENT, "--channel", "sms"], "there is nothing to lift"),
    ],
)
def test_a_consent_that_cannot_lift_is_refused_with_one_line(
    desk: Command, arguments: list[str], message: str
) -> None:
    """Exit 2, and nothing is recorded."""
    done = desk("consent", "pat@example.com", *arguments)

    assert (2, "") == (done.exit_code, done.out)
    assert message in done.err
    assert 3 == size(desk.folder)


def test_a_consent_to_one_list_says_what_is_still_withheld(desk: Command) -> None:
    """As JSON, with the scope in words that the other commands take."""
    told = ("--sender", "Acme", "--list", "News", "--json")
    done = desk("consent", "pat@example.com", "--at", "2024-06-01", *CONSENT, *told).json()
    desk("domain", "add", "example.com", "--note", "they asked")
    shown = desk("consent", "pat@example.com", "--at", "2024-06-02", *CONSENT)

    assert ("suppress/consent@1", "list:Acme/News", "clear") == (
        done["schema"],
        done["scope"],
        done["verdict"],
    )
    assert "Still withheld by example.com; a consent does not lift that." in shown.out


def test_a_complainer_is_said_to_be_one(desk: Command) -> None:
    """Platforms hold them back by themselves."""
    desk("add", "sam@example.com", "--reason", "complaint", "--occurred", "2024-03-05")
    done = desk("consent", "sam@example.com", "--at", "2024-06-01", *CONSENT)

    assert "They had complained" in done.out


def test_a_typing_mistake_is_struck_out_by_a_named_approver(desk: Command) -> None:
    """And shown as struck out, with who answers for it."""
    added = desk("add", "sam@example.com", "--received", "2024-03-05", "--json").json()
    told = ("correct", str(added["seq"]), "--approver", "Kim Lee", "--reason", "the other Sam")
    dry, done, again = desk(*told, "--dry-run"), desk(*told), desk(*told)
    shown = desk("show", "sam@example.com")
    refused = desk("correct", "2", "--approver", "Kim Lee", "--reason", "no")

    assert "would be struck out (dry run: nothing was written)" in dry.out
    assert "entry 4 is struck out by entry 5; it stays on record" in done.out
    assert "entry 4 was already struck out, by entry 5" in again.out
    assert "sam@example.com: not suppressed" in shown.out
    assert "entry 4 is struck out by entry 5 and no longer counts" in shown.out
    assert "entry 5 strikes out entry 4, approved by Kim Lee" in shown.out
    assert (2, "") == (refused.exit_code, refused.out)
    assert "the platform of the source 'main' reported it" in refused.err
    assert "suppress consent ADDRESS" in refused.err


def test_an_import_is_listed_taken_back_and_imported_again(desk: Command) -> None:
    """Exit 1 says that something was left standing because people did it themselves."""
    (desk.folder / "old.csv").write_text("mail,why\na@example.com,\nb@example.com,unsubscribed\n")
    (desk.folder / "own.csv").write_text("mail,why\nc@example.com,unsubscribed\n")
    none = desk("revert")
    batch = desk("import", "old.csv", "--map", "email=mail,reason=why", "--json").json()["batch"]
    own = desk("import", "own.csv", "--map", "email=mail,reason=why", "--json").json()["batch"]
    told = ("--approver", "Kim Lee", "--reason", "the list of customers")
    listed, dry = desk("revert"), desk("revert", batch, *told, "--dry-run")
    refused, done = desk("revert", own, *told), desk("revert", batch, *told)
    rest = desk("revert", "--json").json()

    assert "There are no imports that could be taken back." in none.out
    assert batch in listed.out
    assert own in listed.out
    assert (1, 1, 2, 2) == (
        dry.exit_code,
        done.exit_code,
        refused.exit_code,
        desk("revert", *told).exit_code,
    )
    assert "would be struck out             1" in dry.out
    assert "left: what people did           1" in done.out
    assert "is not taken back: its rows are what people did (1 unsubscribed)" in refused.err
    assert [own] == [each["batch"] for each in rest["batches"]]
    assert "clear" in desk("check", "a@example.com").out
    assert "as all of the import of entry" in desk("show", "a@example.com").out
    assert 1 == desk("import", "old.csv", "--map", "email=mail,reason=why", "--json").json()["accepted"]
    assert "suppressed" in desk("check", "a@example.com").out


def test_digests_of_a_named_form_need_no_canary(desk: Command) -> None:
    """One a line, no header, as OPTIZMO writes them; the first line is a person too."""
    people = [f"p{number}@example.com" for number in range(3)]
    digests = [hashlib.md5(each.encode(), usedforsecurity=False).hexdigest() for each in people]
    (desk.folder / "md5.txt").write_text("\n".join(digests) + "\n")
    unnamed = desk("import", "md5.txt")
    wrong = desk("import", "md5.txt", "--form", "reversed")
    both = desk("import", "md5.txt", "--form", "lower", "--canary", "p0@example.com")
    done = desk("import", "md5.txt", "--profile", "optizmo")
    again = desk("import", "md5.txt", "--form", "lower", "--json")

    assert (2, 2, 2) == (unnamed.exit_code, wrong.exit_code, both.exit_code)
    assert "one of lower (lower case), written (as written)" in wrong.err
    assert "taken for md5 of lower case, as you said; no canary proves it" in done.err
    assert (0, 3) == (again.json()["accepted"], again.json()["duplicate"])
    for each in people:
        assert "suppressed: hashed match (md5 of lower case)" in desk("check", each.upper()).out


def test_reports_have_the_register_of_consents_and_of_corrections(desk: Command) -> None:
    """With approver and digest of the evidence; the roll-forward adds up."""
    desk("consent", "pat@example.com", "--at", "2024-06-01", *CONSENT)
    seq = desk("add", "sam@example.com", "--received", "2024-03-05", "--json").json()["seq"]
    desk("correct", str(seq), "--approver", "Kim Lee", "--reason", "the other Sam")
    desk("report", "--since", "2024-01-01", "--format", "json", "-o", "r.json")
    facts = json.loads((desk.folder / "r.json").read_text())
    (consent,), (correction,) = facts["activity"]["consents"], facts["activity"]["corrections"]

    digest = hashlib.sha256((desk.folder / "form.txt").read_bytes()).hexdigest()
    assert ("Kim Lee", digest) == (consent["body"]["approver"], consent["body"]["evidence"])
    assert ("Kim Lee", seq) == (correction["body"]["approver"], correction["body"]["entry"])
    (total,) = facts["roll_forward"]["totals"]
    assert (1, 1, 0, True) == tuple(total[each] for each in ("re_consented", "corrected", "closing", "holds"))

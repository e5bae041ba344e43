"""`suppress bundle`, `suppress anchor` and `suppress verify`, as they are typed."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from suppress.core.checkpoint import Key, open_checkpoint, parse_vkey
from tests.conftest import Command


@pytest.fixture
def people(command: Command) -> Command:
    """The command in a folder with a ledger of three people."""
    assert command("init", "--organisation", "Acme").exit_code == 0
    for name in ("pat", "sam", "lee"):
        assert command("add", f"{name}@example.com").exit_code == 0
    return command


def key_of(command: Command) -> str:
    return (command.folder / "suppress.keys" / "log.vkey").read_text().strip()


def pinned(command: Command) -> Key:
    return parse_vkey(key_of(command))


# --- Anchors ---------------------------------------------------------------------------------------------


def test_anchor_prints_the_signed_head_and_says_where_to_keep_it(people: Command) -> None:
    """The note alone on standard output, so that it can be mailed; the advice beside it."""
    done = people("anchor")

    assert 7 == open_checkpoint(done.out, [pinned(people)]).size
    assert "Keep it where whoever runs this ledger cannot change it" in done.err
    assert f'suppress verify --anchor FILE --key "{key_of(people)}"' in done.err
    assert "" == people("--quiet", "anchor").err


def test_anchor_writes_a_file_that_verify_takes(people: Command) -> None:
    """Exit 0 with it, 3 without, 1 against another ledger's."""
    written = people("anchor", "-o", "march.note", "--json").json()
    people("add", "kim@example.com")

    assert ["schema", "file", "checkpoint", "vkey", "verify", "ledger"] == list(written)
    assert (
        (people.folder / "march.note").read_text() == written["checkpoint"] == written["ledger"]["checkpoint"]
    )
    assert 3 == people("verify").exit_code
    assert 0 == people("verify", "--anchor", "march.note", "--key", key_of(people)).exit_code
    assert people("anchor", "-o", "suppress.db").exit_code == 2


def test_anchors_are_told_apart(people: Command, tmp_path: Path) -> None:
    """One that fits, one that is ahead of an older copy, one of another ledger."""
    people("anchor", "-o", "old.note")
    copy = (people.folder / "suppress.db").read_bytes()
    people("add", "kim@example.com")
    people("anchor", "-o", "new.note")
    other = Command(tmp_path / "other")
    other.folder.mkdir()
    other("init")
    other("anchor", "-o", str(people.folder / "strange.note"))
    (people.folder / "suppress.db").write_bytes(copy)
    (people.folder / "suppress.keys" / "highwater").unlink()

    behind = people("verify", "--anchor", "old.note", "--anchor", "new.note", "--json")
    strange = people("verify", "--anchor", "strange.note", "--json")

    assert (1, 1) == (behind.exit_code, strange.exit_code)
    assert [("old.note", 7, "holds"), ("new.note", 9, "ahead")] == [
        (each["anchor"], each["size"], each["result"]) for each in behind.json()["compared"]
    ]
    assert (7, "older copy" in behind.json()["first_bad"]["what"]) == (
        behind.json()["first_bad"]["seq"],
        True,
    )
    assert ["foreign"] == [each["result"] for each in strange.json()["compared"]]
    assert (
        "Anchor new.note (9 entries): covers more entries than there are"
        in people("verify", "--anchor", "old.note", "--anchor", "new.note").out
    )


def test_every_result_quotes_the_checkpoint(people: Command) -> None:
    """Whoever keeps a receipt keeps an anchor."""
    (people.folder / "list.csv").write_text("email\npat@example.com\nnew@example.com\n")
    (people.folder / "old.csv").write_text("Email,Opted out\nold@example.com,2020-01-02\n")
    results = [
        people("init", "--json"),
        people("add", "kim@example.com", "--json"),
        people("check", "list.csv", "--json"),
        people("import", "old.csv", "--map", "email=Email,date=Opted out", "--json"),
        people("export", "csv", "-o", "out.csv", "--json"),
        people("bundle", "-o", "b", "--json"),
        people("ledger", "rotate-index-key", "--json"),
        people("ledger", "rotate-key", "--json"),
    ]
    for done in results[:-1]:
        checkpoint = open_checkpoint(done.json()["ledger"]["checkpoint"], [pinned(people), *_retired(people)])
        assert checkpoint.root.hex() == done.json()["ledger"]["root"], done.json()["schema"]
    manifest = json.loads((people.folder / "out.csv.manifest.json").read_text())
    people("report", "--format", "json", "-o", "report.json")
    report = json.loads((people.folder / "report.json").read_text())
    for note in (manifest["ledger"]["checkpoint"], report["manifest"]["ledger"]["checkpoint"]):
        assert open_checkpoint(note, [pinned(people), *_retired(people)]).size > 7


def _retired(command: Command) -> list[Key]:
    return [parse_vkey(file.read_text()) for file in (command.folder / "suppress.keys").glob("log.*.vkey")]


# --- Bundles ---------------------------------------------------------------------------------------------


def test_a_bundle_is_made_verified_and_continued(people: Command) -> None:
    """With the key that was given: 0; with its own key: 3; by the script in it just so."""
    made = people("bundle", "-o", "first", "--audience", "Miller and Co", "--json").json()
    people("add", "kim@example.com")
    second = people("bundle", "-o", "second", "--previous", "first")

    assert ("whole", 7, 0, False) == (made["grade"], made["entries"], made["openings"], made["dry_run"])
    assert "It proves that its first 7 entries are those of the earlier bundle." in second.out
    assert 3 == people("verify", "second").exit_code
    assert "from the bundle: compare it" in people("verify", "second").out
    verified = people("verify", "second", "--key", key_of(people), "--previous", "first", "--json")
    assert (0, True, "second") == (verified.exit_code, verified.json()["ok"], verified.json()["bundle"])
    for key in ("schema", "ok", "size", "root", "entries_checked", "anchors", "not_checked", "first_bad"):
        assert key in verified.json()
    script = subprocess.run(
        ["sh", "second/verify.sh", "-k", "suppress.keys/log.pem", "-c", "first/checkpoint"],
        cwd=people.folder,
        capture_output=True,
        check=False,
    )
    assert (0, True) == (script.returncode, script.stdout.endswith(b"RIGHT\n")), script.stderr


def test_a_tampered_bundle_is_named_and_ends_with_one(people: Command) -> None:
    """In words, and in JSON."""
    people("bundle", "-o", "b", "--open")
    file = people.folder / "b" / "payloads.ndjson"
    file.write_bytes(file.read_bytes().replace(b"pat@", b"rat@"))
    human, machine = people("verify", "b"), people("verify", "b", "--json")

    assert (1, 1) == (human.exit_code, machine.exit_code)
    assert "NOT VERIFIED: payloads.ndjson is not the file that SHA256SUMS names" in human.out
    assert "Next: keep b as it is, and ask for another bundle." in human.out
    assert "payloads.ndjson is not the file that SHA256SUMS names" == machine.json()["first_bad"]["what"]


def test_chosen_entries_are_numbers_ranges_and_lists(people: Command) -> None:
    """As a person writes them; mistakes are named."""
    for number, given in enumerate(
        (["--entries", "2", "--entries", "4-5"], ["--entries", "2,4-5"], ["--entries", "2", "4-5"])
    ):
        made = people("bundle", "-o", f"b{number}", *given, "--json").json()
        assert ("entries", 4, 2) == (made["grade"], made["entries"], made["openings"])
    for wrong in (
        ["--entries", "x"],
        ["--entries", "5-4"],
        ["--entries", "0-999999999"],
        ["7"],
        ["--entries", "99"],
    ):
        done = people("bundle", "-o", "wrong", *wrong)
        assert (2, False) == (done.exit_code, (people.folder / "wrong").exists()), wrong


def test_one_persons_bundle_takes_any_spelling(people: Command) -> None:
    """And nobody else's address; somebody unknown is wrong usage."""
    made = people("bundle", "-o", "pat", "--address", " PAT@Example.com ", "--json").json()
    content = b"".join(file.read_bytes() for file in (people.folder / "pat").rglob("*") if file.is_file())

    assert ("person", 1) == (made["grade"], made["openings"])
    assert (True, False) == (b"pat@example.com" in content, b"sam@example.com" in content)
    assert 2 == people("bundle", "-o", "x", "--address", "nobody@example.com").exit_code
    assert 2 == people("bundle", "-o", "x", "--address", "").exit_code
    assert 2 == people("bundle", "-o", "x", "--address", "pat@example.com", "--open").exit_code


def test_a_dry_run_writes_nothing(people: Command) -> None:
    """And says what there would be."""
    done = people("bundle", "-o", "b", "--open", "--dry-run")

    assert (0, False) == (done.exit_code, (people.folder / "b").exists())
    assert "dry run: nothing was written" in done.out
    assert 7 == people("anchor", "--json").json()["ledger"]["size"]


def test_what_was_erased_is_counted(people: Command) -> None:
    """A bundle says how many entries have no content any more."""
    people("erase", "pat@example.com", "--basis", "Art. 17 GDPR", "--yes")
    done = people("bundle", "-o", "b", "--open")

    assert "Erased on record, and so without content: 1 entries" in done.out
    assert 0 == people("verify", "b", "--key", key_of(people)).exit_code


# --- Keys ------------------------------------------------------------------------------------------------


def test_rotated_keys_are_followed(people: Command) -> None:
    """Bundles and checkpoints of before, pinned keys of before: all still good."""
    before = key_of(people)
    people("anchor", "-o", "before.note")
    people("bundle", "-o", "before")
    rotated, indexed = people("ledger", "rotate-key"), people("ledger", "rotate-index-key")
    people("add", "kim@example.com")
    people("bundle", "-o", "after", "--previous", "before")

    assert "signed with a new key since entry 8" in rotated.out
    assert "none may be removed: k1, k2" in indexed.out
    assert before != key_of(people)
    for key in (before, key_of(people)):
        assert 0 == people("verify", "--key", key, "--anchor", "before.note", "--previous", "after").exit_code
        assert 0 == people("verify", "after", "--key", key, "--previous", "before").exit_code
    assert 0 == people("verify", "before", "--key", before).exit_code
    assert 1 == people("check", "pat@example.com", "kim@example.com").exit_code

"""`suppress demo`: the whole story runs, and shows what it promises."""

from __future__ import annotations

from tests.conftest import Command


def test_the_whole_story_is_told_and_its_files_stay(command: Command) -> None:
    """On standard output what each command printed; on request the figures as JSON, from the same run."""
    told = command("demo", "--folder", "story", "--json")
    facts = told.json()
    work = command.folder / "story"

    assert (told.exit_code, facts["naive"], facts["found"], facts["deleted"]) == (0, 120, 200, 80)
    assert facts["withheld"] == 8
    assert (work / "report.html").is_file()
    for shown in (
        "$ suppress sync --full",
        "$ suppress check trade-fair.csv",
        "DRIFT: suppressed people who are mailable there: 1",
        f"NOT VERIFIED: entry {facts['tampered_entry']}",
    ):
        assert shown in told.err


def test_a_folder_that_holds_something_is_left_alone(command: Command) -> None:
    (command.folder / "mine").mkdir()
    (command.folder / "mine" / "letter.txt").write_text("dear")
    told = command("demo", "--folder", "mine")

    assert told.exit_code == 2
    assert [each.name for each in (command.folder / "mine").iterdir()] == ["letter.txt"]

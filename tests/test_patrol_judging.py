"""What a patrol makes of what it sees, and what it remembers of it."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from suppress.ledger.sightings import Sighting, Sightings
from suppress.patrol.judging import Finding, Told, judged
from suppress.plugin.contract import Observation, Remote


class TestJudging:
    @given(
        st.lists(st.sampled_from(Remote), min_size=1, max_size=3),
        st.none()
        | st.builds(Sighting, st.sampled_from([each.value for each in Remote]), st.none(), st.booleans()),
        st.builds(Told, st.booleans(), st.booleans(), st.booleans(), st.booleans()),
    )
    def test_one_mailable_spelling_is_never_called_held(
        self, states: list[Remote], before: Sighting | None, told: Told
    ) -> None:
        found = judged([Observation("a@example.com", each) for each in states], before, told)
        harmless = {Finding.HELD, Finding.UNKNOWN, Finding.GONE, Finding.WEAKENED, Finding.UNREADABLE}

        assert (found.finding in harmless) == (Remote.MAILABLE not in states)

    def test_who_did_it_is_named_where_the_platform_tells(self) -> None:
        seen = Observation("a@example.com", Remote.MAILABLE, by="Shopify")

        assert judged([seen], None, Told(told=True)).words == "mailable, by Shopify"


class TestSightings:
    def test_a_damaged_file_begins_anew(self, tmp_path: Path) -> None:
        """It may be lost: a patrol then finds drift all the same."""
        with Sightings.of_destination(tmp_path, "a/b") as sightings:
            sightings.keep({"s": Sighting("suppressed", None, held=True)})
        (file,) = (tmp_path / "patrol").iterdir()
        file.write_bytes(b"not a database" * 100)
        with Sightings.of_destination(tmp_path, "a/b") as sightings:
            assert sightings.among(["s"]) == {}

    def test_nobody_else_may_read_it(self, tmp_path: Path) -> None:
        with Sightings.of_destination(tmp_path, "crm"):
            (file,) = (tmp_path / "patrol").iterdir()

        assert file.stat().st_mode & 0o077 == 0

    def test_what_was_kept_is_found(self, tmp_path: Path) -> None:
        seen = {str(number): Sighting("mailable", "bounced", held=False) for number in range(1_200)}
        with Sightings.of_destination(tmp_path, "crm") as sightings:
            sightings.keep(seen)
            assert sightings.among([*seen, "nobody"]) == seen

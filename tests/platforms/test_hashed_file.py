"""Lists of digests: what the partner hashes, nobody's address, and whose list leaked."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suppress.config import DestinationSettings
from suppress.core.hashed import Form
from suppress.core.suppression import Json
from suppress.errors import ConfigWrong, DestinationFailed
from suppress.export.tracing import traced
from suppress.platforms.hashed_file import HashedFile, canaries
from suppress.plugin.contract import Exporter, Remote, Snapshot
from suppress.plugin.kit import POSITION, ExporterContract, people
from tests.conftest import Command
from tests.small_ledger import made

SECRET = "correct horse battery staple"
CANARIES: Mapping[str, Json] = {
    "canaries": 3,
    "canary_domain": "acme.example",
    "canary_secret": SECRET,
}


def destination(place: Path, name: str = "partner", /, **options: Json) -> DestinationSettings:
    return DestinationSettings(
        name, "hashed", options={"path": str(place / "list.txt"), "algorithm": "md5", **options}
    )


def lines(place: Path) -> list[str]:
    return (place / "list.txt").read_text(encoding="ascii").splitlines()


def push(place: Path, *addresses: str, **options: Json) -> Snapshot:
    """These people as a list in `place`."""
    (snapshot,) = HashedFile(destination(place, **options)).push(iter(people(addresses)), POSITION)
    assert isinstance(snapshot, Snapshot)
    return snapshot


class TestMd5List(ExporterContract):
    """The brokers' form: MD5 of the trimmed address in small letters."""

    def exporter(self, place: Path) -> Exporter:
        return HashedFile(destination(place))

    def mails(self, place: Path, address: str) -> bool:
        digest = hashlib.md5(address.strip().lower().encode(), usedforsecurity=False).hexdigest()
        return digest not in lines(place)


class TestKeyedList(ExporterContract):
    """A key for each recipient, and canaries in between."""

    def exporter(self, place: Path) -> Exporter:
        return HashedFile(destination(place, algorithm="hmac-sha256", key=SECRET, **CANARIES))

    def mails(self, place: Path, address: str) -> bool:
        digest = hmac.digest(SECRET.encode(), address.strip().lower().encode(), "sha256").hex()
        return digest not in lines(place)


class TestTheList:
    def test_it_is_sorted_without_header_or_doubles(self, tmp_path: Path) -> None:
        """Neither the order nor the number of lines tells who is who."""
        push(tmp_path, "b@example.com", "B@example.com", "a@example.com", "c@example.com")
        listed = lines(tmp_path)

        assert listed == sorted(set(listed))
        assert len(listed) == 3
        assert (tmp_path / "list.txt").read_bytes().endswith(b"\n")

    def test_no_address_is_in_the_list_or_its_manifest(self, tmp_path: Path) -> None:
        push(tmp_path, "pat@example.com", **CANARIES)
        written = "".join(each.read_text(encoding="utf-8") for each in tmp_path.iterdir())

        assert "pat@" not in written
        assert "acme.example" not in written
        assert SECRET not in written

    @settings(max_examples=50)
    @given(st.sets(st.from_regex(r"[a-z]{1,8}(\.[a-z]{1,4})?(\+[a-z]{1,3})?@(gmail|x)\.com", fullmatch=True)))
    def test_a_long_list_is_the_sorted_set_of_its_digests(
        self, tmp_path_factory: pytest.TempPathFactory, addresses: set[str]
    ) -> None:
        """Against the naive way, with runs that go to the disk."""
        place = tmp_path_factory.mktemp("list")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("suppress.platforms.hashed_file.RUN", 3)
            push(place, *addresses, algorithm="sha256")

        assert lines(place) == sorted({hashlib.sha256(each.encode()).hexdigest() for each in addresses})

    def test_base64_is_for_receivers_who_want_it(self, tmp_path: Path) -> None:
        push(tmp_path, "pat@example.com", algorithm="sha256", encoding="base64")
        digest = hashlib.sha256(b"pat@example.com").digest()

        assert lines(tmp_path) == [base64.b64encode(digest).decode()]

    def test_both_forms_of_a_tagged_address_where_partners_differ(self, tmp_path: Path) -> None:
        """One digest too many withholds an advertisement; one too few shows it."""
        push(tmp_path, "Jane.Doe+News@GMail.com", algorithm="sha256", form="google", also_untagged=True)
        expected = {
            hashlib.sha256(each).hexdigest() for each in (b"janedoe+news@gmail.com", b"janedoe@gmail.com")
        }

        assert set(lines(tmp_path)) == expected

    @pytest.mark.parametrize("form", [form.value for form in Form])
    def test_every_form_reads_back(self, tmp_path: Path, form: str) -> None:
        push(tmp_path, "Pat+x@Gmail.com", form=form)
        exporter = HashedFile(destination(tmp_path, form=form))
        states = [each.state for each in exporter.read_back(["Pat+x@Gmail.com", "other@gmail.com"])]

        assert states == [Remote.SUPPRESSED, Remote.MAILABLE]

    def test_the_manifest_names_the_form_and_not_the_canaries(self, tmp_path: Path) -> None:
        push(tmp_path, "pat@example.com", **CANARIES)
        says = json.loads((tmp_path / "list.txt.manifest.json").read_text(encoding="utf-8"))

        assert (says["algorithm"], says["form"], says["rows"]) == ("md5", "lower", 4)
        assert not [key for key in says if "canar" in key]

    def test_a_list_that_somebody_changed_proves_nothing(self, tmp_path: Path) -> None:
        push(tmp_path, "pat@example.com")
        with (tmp_path / "list.txt").open("a") as file:
            file.write("00\n")
        (seen,) = HashedFile(destination(tmp_path)).read_back(["pat@example.com"])

        assert seen.state is Remote.UNREADABLE

    def test_digests_cannot_be_swept(self, tmp_path: Path) -> None:
        with pytest.raises(DestinationFailed, match="digests"):
            HashedFile(destination(tmp_path)).sweep(None)

    def test_opt_outs_that_the_list_widens_are_counted(self, tmp_path: Path) -> None:
        snapshot = push(tmp_path, "a@example.com", "b@example.com", "c@example.com")

        assert "2 opt-outs of one sender or list count for everything in this list" in snapshot.unrepresented


@pytest.mark.parametrize(
    "options",
    [
        {"algorithm": "hmac-sha256"},
        {"algorithm": "hmac-sha256", "key": "short"},
        {"key": SECRET},
        {"canaries": 2},
        {"canaries": 2, "canary_domain": "acme.example"},
        {"canaries": 2, "canary_domain": "acme.example", "canary_secret": "short"},
        {"canaries": -1, "canary_domain": "acme.example", "canary_secret": SECRET},
    ],
)
def test_weak_or_contradictory_settings_are_refused(tmp_path: Path, options: dict[str, Json]) -> None:
    """And the message repeats no secret."""
    with pytest.raises(ConfigWrong) as refused:
        HashedFile(destination(tmp_path, **options))

    assert SECRET not in refused.value.message


class TestCanaries:
    def test_each_destination_has_its_own_and_keeps_them(self, tmp_path: Path) -> None:
        one, same, other = (canaries(destination(tmp_path, name, **CANARIES)) for name in ("a", "a", "b"))

        assert one == same
        assert len({*one, *other}) == 6

    def test_a_leaked_list_names_its_owner(self, tmp_path: Path) -> None:
        """Also in capitals, among other columns, and cut anywhere by the reader."""
        places = [destination(tmp_path, name, **CANARIES) for name in ("a", "b")]
        push(tmp_path, "pat@example.com", **CANARIES)
        (tmp_path / "list.txt").unlink()
        exporter = HashedFile(places[1])
        list(exporter.push(iter(people(["pat@example.com"])), POSITION))
        leaked = ",x\r\n".join(lines(tmp_path)).upper().encode()
        blocks = [leaked[start : start + 7] for start in range(0, len(leaked), 7)]
        (found,) = traced(blocks, places)

        assert (found.destination, found.found, found.canaries) == ("b", 3, 3)

    def test_a_message_to_a_canary_names_its_owner(self, tmp_path: Path) -> None:
        place = destination(tmp_path, **CANARIES)
        message = f"To: <{canaries(place)[0]}>\nSubject: Sale".encode()

        assert [each.found for each in traced([message], [place])] == [1]

    def test_nobody_is_accused_by_an_innocent_file(self, tmp_path: Path) -> None:
        push(tmp_path, "pat@example.com")

        assert traced([(tmp_path / "list.txt").read_bytes()], [destination(tmp_path, **CANARIES)]) == ()


def test_from_the_shell_a_partner_is_given_digests_and_a_leak_is_traced(command: Command) -> None:
    made(command.folder, ["pat@example.com"])
    (command.folder / "suppress.toml").write_text(
        '[destinations.broker]\nplatform = "hashed"\npath = "broker.txt"\nalgorithm = "md5"\ncanaries = 2\n'
        'canary_domain = "acme.example"\n'
    )
    env = {"SUPPRESS_DESTINATIONS__BROKER__CANARY_SECRET": SECRET}
    exported = command("export", "broker", "--json", env=env)
    found = command("trace", "broker.txt", "--json", env=env)
    clean = command("trace", "suppress.toml", env=env)

    assert (exported.exit_code, exported.json()["verified"]) == (0, True)
    assert (found.exit_code, found.json()["found"]) == (
        1, [{"destination": "broker", "found": 2, "canaries": 2}],
    )  # fmt: skip
    assert (clean.exit_code, "No canary" in clean.out) == (0, True)

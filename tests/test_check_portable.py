"""The portable snapshot: believed only whole, signed, young, and with its own secret; and it names nobody."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from suppress.audit import verify
from suppress.check import check_addresses
from suppress.check.portable import MAGIC, Portable
from suppress.check.taking import Taken, take
from suppress.core.address import Address
from suppress.core.entry import Disclosed
from suppress.core.verdict import Ruling, Tier
from suppress.errors import BadFile, BadUsage, OutputRefused, Stale
from suppress.intake.domains import suppress_domain
from suppress.ledger import Grounds, Ledger
from tests.ledger.making import Place, opt_out
from tests.small_ledger import made

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
PEOPLE = ("pat@example.com", "p.at@gmail.com", "erased.person@example.com")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A ledger of three people, one of them erased, and a rule for a domain."""
    found = Place(tmp_path).create()
    found.record(*(opt_out(each) for each in PEOPLE))
    with found.open() as ledger:
        gone = Address.parse(PEOPLE[2])
        seen = [each.entry.seq for each in ledger.history(gone)]
        ledger.erase(gone, Grounds("Art. 17 GDPR"), seen=seen, actor="test")
        suppress_domain(ledger, "*.corp.example", note="asked", actor="test")
    return found


def taken(place: Place, **said: object) -> Taken:
    """A snapshot with whatever a test does not care about filled in."""
    usual = {"recipient": "CI", "valid_for": timedelta(days=7), "sources": (), "now": NOW, "actor": "kim"}
    with place.open() as ledger:
        return take(ledger, place.folder / "list.snapshot", **{**usual, **said})  # type: ignore[arg-type]


@contextmanager
def opened(place: Place, found: Taken, *, now: datetime = NOW, vkey: str | None = None) -> Iterator[Portable]:
    """Open it as the machine does that has nothing else."""
    if vkey is None:
        with place.open(read_only=True) as ledger:
            vkey = ledger.vkey
    secret = found.secret.read_text()
    with Portable.open(found.place, vkey=vkey, secret=secret, secret_name="the secret", now=now) as portable:
        yield portable


def test_it_answers_without_the_ledger(place: Place) -> None:
    """Exact, alias, erased, domain, clear; with size and root of the ledger that it was taken of."""
    found = taken(place)
    with place.open() as ledger:
        vkey, head = ledger.vkey, ledger.head()
    place.file.unlink()
    with opened(place, found, vkey=vkey) as portable:
        answers = check_addresses(portable, [*PEOPLE, "pat@gmail.com", "x@a.corp.example", "new@example.com"])
        assert [Tier.EXACT, Tier.EXACT, Tier.ERASED, Tier.ALIAS, Tier.DOMAIN, None] == [
            each.verdict.tier for each in answers
        ]
        assert head.size == portable.size + 1  # the entry that says who got it
    assert Ruling.CLEAR is answers[-1].ruling


def test_no_address_and_no_name_is_in_it(place: Place) -> None:
    """Neither as text nor as a digest that anybody could compute without the secret."""
    import hashlib

    found = taken(place)
    content = found.place.read_bytes() + found.secret.read_bytes()
    for text in (*PEOPLE, "patgmail", "erased.person", "pat@gmail.com"):
        for plain in (text, text.upper()):
            assert plain.encode() not in content
            for algorithm in ("md5", "sha1", "sha256"):
                digest = hashlib.new(algorithm, plain.encode())
                assert digest.digest()[:16] not in content
                assert digest.hexdigest().encode() not in content


def test_both_files_are_private_and_the_entry_says_who_got_them(place: Place) -> None:
    """A list that left is a disclosure, like any other; the ledger verifies."""
    found = taken(place)

    assert {0o600} == {stat.S_IMODE(each.stat().st_mode) for each in (found.place, found.secret)}
    with place.open() as ledger:
        (entry,) = ledger.about(Disclosed.type, "snapshot")
    assert Disclosed("snapshot", "CI", "suppression compliance", "keyed hash", found.count, found.digest) == (
        entry.body
    )
    assert ("kim", found.seq) == (entry.actor, entry.seq)
    assert verify(place.url, keys=place.keys).ok


def test_the_secret_stays_while_the_index_keys_do(place: Place) -> None:
    """Whoever keeps it as a CI secret needs no other each night; a rotation makes a new one."""
    first = taken(place)
    secret = first.secret.read_text()
    again = taken(place)
    assert (False, True, secret) == (first.kept_secret, again.kept_secret, again.secret.read_text())

    with place.open() as ledger:
        ledger.rotate_index_key(actor="test")
    rotated = taken(place)
    assert not rotated.kept_secret
    with opened(place, rotated) as portable:
        assert Ruling.SUPPRESSED is portable.verdicts([Address.parse(PEOPLE[0])])[0].ruling


@pytest.mark.parametrize("age", [timedelta(days=7), timedelta(days=400), timedelta(hours=-1)])
def test_one_whose_time_is_over_or_to_come_is_refused(place: Place, age: timedelta) -> None:
    """Signed with the file, so that nobody prolongs it; the clock of the reader decides."""
    found = taken(place)

    with pytest.raises(Stale, match="may be used until"), opened(place, found, now=NOW + age):
        pass
    with opened(place, found, now=NOW + timedelta(days=6)) as portable:
        assert NOW + timedelta(days=7) == portable.head.until


def test_every_changed_byte_is_found(place: Place) -> None:
    """Wherever it is: nothing of it is believed. Each byte once, one bit of it."""
    found = taken(place)
    whole = found.place.read_bytes()
    with place.open() as ledger:
        vkey = ledger.vkey
    for spot in range(0, len(whole), 7):
        changed = bytearray(whole)
        changed[spot] ^= 1 << spot % 8
        found.place.write_bytes(bytes(changed))
        with pytest.raises(BadFile), opened(place, found, vkey=vkey):
            pass


@pytest.mark.parametrize(
    "content", [b"", b"x", MAGIC, MAGIC + b"\xff\xff\xff\xff", b"email\npat@example.com\n"]
)
def test_what_is_no_snapshot_is_refused(place: Place, content: bytes) -> None:
    """Cut short, or another file."""
    found = taken(place)
    found.place.write_bytes(content)

    with pytest.raises(BadFile), opened(place, found):
        pass


def test_a_snapshot_cut_short_is_refused(place: Place) -> None:
    """A copy that broke off."""
    found = taken(place)
    whole = found.place.read_bytes()
    for size in range(0, len(whole), 97):
        found.place.write_bytes(whole[:size])
        with pytest.raises(BadFile), opened(place, found):
            pass


def test_another_ledger_s_key_or_secret_is_refused(place: Place, tmp_path: Path) -> None:
    """With another secret everybody would look unknown, and so mailable."""
    other = tmp_path / "other"
    other.mkdir()
    with Ledger.open(made(other, ["pat@example.com"])) as ledger:
        theirs = take(
            ledger, other / "s", recipient="x", valid_for=timedelta(days=1), sources=(), now=NOW, actor="t"
        )
        vkey = ledger.vkey
    found = taken(place)

    with pytest.raises(BadFile, match="not signed by a key"), opened(place, found, vkey=vkey):
        pass
    with pytest.raises(BadUsage, match="--key"), opened(place, found, vkey="nonsense"):
        pass
    found.secret.write_text(theirs.secret.read_text())
    with pytest.raises(BadFile, match="is not the secret of"), opened(place, found):
        pass
    found.secret.write_text(json.dumps({"tag": 7}))
    with pytest.raises(BadFile, match="is not the secret of a portable"), opened(place, found):
        pass


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"recipient": " "}, "say who"),
        ({"valid_for": timedelta()}, "at most 92 days"),
        ({"valid_for": timedelta(days=93)}, "at most 92 days"),
    ],
)
def test_one_for_nobody_or_for_ever_is_refused(place: Place, said: dict[str, object], problem: str) -> None:
    """Nothing is written or recorded."""
    with pytest.raises(BadUsage, match=problem):
        taken(place, **said)
    assert not (place.folder / "list.snapshot").exists()


def test_what_cannot_be_written_leaves_nothing(place: Place) -> None:
    """No half file, no secret, no entry."""
    with place.open() as ledger, pytest.raises(OutputRefused, match="cannot be written"):
        size = ledger.head().size
        take(
            ledger, place.folder / "no" / "s", recipient="x", valid_for=timedelta(days=1), sources=(),
            now=NOW, actor="t",
        )  # fmt: skip
    with place.open() as ledger:
        assert size == ledger.head().size

"""A digest of somebody's address in a partner's list is theirs too: erased, forgotten and shown with them."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from suppress.audit import verify
from suppress.check import check_addresses
from suppress.check.portable import Portable
from suppress.check.taking import take
from suppress.core.address import Address
from suppress.core.entry import Erased, HashesTrusted
from suppress.core.hashed import Algorithm, Digest, Form
from suppress.core.mailing import ANY_MAIL
from suppress.core.suppression import OptOut, Reason
from suppress.core.verdict import Ruling, Tier
from suppress.erasure import erase, forget, look
from suppress.errors import BadUsage
from suppress.ledger import Erasure, Event, Grounds, Keys, Ledger, Lookup, erasures
from suppress.show import show
from tests.ledger.backing import restored
from tests.ledger.making import Place, opt_out
from tests.test_check_tiers import said_by_files
from tests.test_erasure_bytes import bytes_of

GROUNDS = Grounds("Art. 17 GDPR", "DSR-7")
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)

STRICT: dict[Form, Callable[[str], bytes]] = {
    Form.LOWER: lambda text: text.lower().encode(),
    Form.WRITTEN: lambda text: text.encode(),
    Form.UPPER: lambda text: text.upper().encode(),
    Form.DOMAIN: lambda text: text.replace("@Example.com", "@example.com").encode(),
    Form.LINE: lambda text: f"{text.lower()}\n".encode(),
    Form.WRITTEN_LINE: lambda text: f"{text}\n".encode(),
    Form.WIDE: lambda text: text.lower().encode("utf-16-le"),
    Form.WRITTEN_WIDE: lambda text: text.encode("utf-16-le"),
}
"""What a partner does to an address, in each form that tells addresses apart."""


def digested(content: bytes, algorithm: Algorithm = Algorithm.SHA256) -> Digest:
    """As a partner computes it."""
    found = Digest.parse(hashlib.new(algorithm.value, content, usedforsecurity=False).hexdigest())
    assert found is not None
    return found


def listed(digest: Digest, *, facts: tuple[str, ...] = ()) -> OptOut:
    """A row of a partner's list."""
    row = opt_out(source="partner", reason=Reason.UNKNOWN, evidence={"cells": {"h": digest.hexadecimal}})
    return replace(row, address=Address(digest.hexadecimal, digest.key), facts=facts)


def trusted(algorithm: Algorithm, form: Form) -> Event:
    """A canary has proven such a list."""
    body = HashesTrusted("partner", "0" * 64, algorithm.value, form.value, 1)
    return Event(f"trust-{algorithm}-{form}", body)


def erased(ledger: Ledger, who: str) -> Erasure:
    return erase(ledger, look(ledger, {}, Address.parse(who)), GROUNDS, actor="test")


def forgotten(ledger: Ledger, who: str) -> Erasure:
    return forget(ledger, look(ledger, {}, Address.parse(who)), GROUNDS, actor="test")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path).create()


@pytest.fixture
def ledger(place: Place) -> Iterator[Ledger]:
    with place.open() as opened:
        yield opened


# --- Bytes -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with capitals in their address, whom a partner lists under one recipe."""

    spelling: str
    recipe: tuple[Algorithm, Form]
    named: bool
    """Whether the ledger has their address as well."""

    @property
    def digest(self) -> Digest:
        return digested(STRICT[self.recipe[1]](self.spelling), self.recipe[0])

    @property
    def traces(self) -> list[bytes]:
        """The digest as it may be written."""
        text = self.digest.hexadecimal
        raw = bytes.fromhex(text)
        ways = [text, text.upper(), base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()]
        return [raw, *(each.rstrip("=").encode() for each in ways)]


def crowd() -> list[Person]:
    """One person for every algorithm and form; of each second one the address is known too."""
    recipes = [(algorithm, form) for algorithm in Algorithm for form in STRICT]
    return [
        Person(f"Pat.No{number}x@Example.com", recipe, number % 2 == 0)
        for number, recipe in enumerate(recipes)
    ]


def left(folder: Path, needles: Sequence[bytes]) -> list[bytes]:
    """Those that stand in any file."""
    content = b"\0".join(bytes_of(folder).values())
    return [each for each in needles if each in content]


def withheld(place: Place, asked: list[str]) -> set[tuple[Ruling, ...]]:
    """What each way of asking says: the command, Python, both engines over a file, a copy for elsewhere."""
    with place.open(clock=lambda: NOW) as ledger:
        taken = take(
            ledger,
            place.folder / "s",
            recipient="CI",
            valid_for=timedelta(days=1),
            sources=(),
            now=NOW,
            actor="t",
        )
        vkey, secret = ledger.vkey, taken.secret.read_text()
        python = [ledger.check(each).ruling for each in asked]
    with (
        Lookup.open(place.url, keys=place.keys, clock=lambda: NOW) as lookup,
        Portable.open(taken.place, vkey=vkey, secret=secret, secret_name="s.secret", now=NOW) as portable,
    ):
        ways = [
            python,
            [each.ruling for each in check_addresses(lookup, asked)],
            [each.ruling for each in check_addresses(portable, asked)],
            *(
                [ruling for ruling, _ in said_by_files(place.folder, asked, lookup, ANY_MAIL, block=block)]
                for block in (0, 4096)
            ),
        ]
        (place.folder / "list.csv").unlink()
    return set(zip(*ways, strict=True))


def test_after_erase_no_byte_of_a_digest_is_left_and_every_check_withholds(place: Place) -> None:
    """Of every algorithm and form, alone in a list or beside the address; after forget nothing withholds."""
    people = crowd()
    asked = [each.spelling for each in people]
    place.record(
        *(trusted(*each.recipe) for each in people),
        *(opt_out(each.spelling) for each in people if each.named),
        *(listed(each.digest) for each in people),
    )
    (key,) = Keys.load(place.keys).index
    traces = [trace for each in people for trace in each.traces]
    indexes = [key.blind(each.digest.key) for each in people]
    assert {(Ruling.SUPPRESSED,) * 5} == withheld(place, asked)
    assert len(people) <= len(left(place.folder, traces)), "the search finds what is there"
    assert indexes == left(place.folder, indexes)

    with place.open() as ledger:
        for each in people:
            # The spelling matters where nothing but the digest of it is known.
            assert erased(ledger, each.spelling.lower() if each.named else each.spelling).entries

    assert [] == left(place.folder, traces)
    assert {(Ruling.SUPPRESSED,) * 5} == withheld(place, asked)
    assert [] == left(place.folder, traces), "checks bring nothing back"
    assert verify(place.url, keys=place.keys).first_bad is None

    with place.open() as ledger:
        for each in people:
            assert forgotten(ledger, each.spelling.lower() if each.named else each.spelling).recorded

    assert {(Ruling.CLEAR,) * 5} == withheld(place, asked)
    assert [] == left(place.folder, [*traces, *indexes])
    assert verify(place.url, keys=place.keys).first_bad is None


# --- Whose it is -------------------------------------------------------------------------------------------


@pytest.mark.both_back_ends
def test_whom_only_a_digest_knows_is_erased_and_stays_suppressed(place: Place, ledger: Ledger) -> None:
    """The digest goes, the keyed index of it stays; on record like any other erasure, and once."""
    digest = digested(b"pat@example.com")
    ledger.append([trusted(Algorithm.SHA256, Form.LOWER), listed(digest)], actor="test")
    before = look(ledger, {}, Address.parse("PAT@example.com"))
    assert (True, (), (3,), (3,)) == (before.known, before.history, before.held, before.held_digests)

    done = erased(ledger, "PAT@example.com")
    (entry,) = ledger.about(Erased.type)

    assert ((3,), (4,)) == (done.entries, done.recorded)
    assert isinstance(entry.body, Erased)
    assert (done.subjects[0], None) == (entry.body.subject, entry.body.digest_of)
    assert not place.holds(digest.hexadecimal)
    assert Tier.HASHED is ledger.check("pat@example.com").tier
    assert ((), done.recorded) == (erased(ledger, "pat@example.com").entries, done.recorded)


@pytest.mark.both_back_ends
def test_both_are_erased_at_once_and_the_entries_say_that_they_belong_together(ledger: Ledger) -> None:
    """So that whoever forgets the one later finds the other, whatever its spelling was."""
    rows = [listed(digested(text)) for text in (b"Pat.S@Example.com", b"PAT.S@EXAMPLE.COM")]
    recipes = [trusted(Algorithm.SHA256, form) for form in (Form.WRITTEN, Form.UPPER)]
    ledger.append([*recipes, opt_out("Pat.S@Example.com"), *rows], actor="test")
    done = erased(ledger, "pat.s@example.com")
    bodies = [each.body for each in ledger.about(Erased.type)]
    assert [done.subjects[0], done.subjects[0], None] == [each.digest_of for each in bodies]  # type: ignore[union-attr]
    assert 3 == len(set(done.subjects)) == len(done.entries)

    assert set(done.subjects) == set(forgotten(ledger, "pat.s@example.com").subjects)
    for spelling in ("Pat.S@Example.com", "pat.s@example.com"):
        assert Ruling.CLEAR is ledger.check(spelling).ruling
    assert () == forgotten(ledger, "pat.s@example.com").recorded


@pytest.mark.both_back_ends
def test_a_digest_that_no_list_is_believed_for_goes_too(place: Place, ledger: Ledger) -> None:
    """No check looks for it, and it is a digest of this person's address all the same."""
    digest = digested(b"pat@example.com\n", Algorithm.MD5)
    ledger.append([listed(digest)], actor="test")
    assert Ruling.CLEAR is ledger.check("pat@example.com").ruling

    assert (2,) == erased(ledger, "pat@example.com").entries
    assert not place.holds(digest.hexadecimal)


def test_a_digest_of_another_address_of_the_mailbox_is_left_unless_it_counts_as_theirs(
    ledger: Ledger,
) -> None:
    """An alias is never certain; only a partner whose digests are made without dots says that it is one."""
    digest = digested(b"pats@gmail.com")
    ledger.append([trusted(Algorithm.SHA256, Form.LOWER), listed(digest)], actor="test")
    assert Erasure() == erased(ledger, "pat.s@gmail.com")

    ledger.append([trusted(Algorithm.SHA256, Form.GOOGLE)], actor="test")
    assert Tier.HASHED is ledger.check("pat.s@gmail.com").tier
    assert (3,) == erased(ledger, "pat.s@gmail.com").entries


def test_the_same_list_brings_no_digest_back(place: Place, ledger: Ledger) -> None:
    """What is known is not recorded again; a new row is, without the digest."""
    digest = digested(b"pat@example.com")
    ledger.append([trusted(Algorithm.SHA256, Form.LOWER), listed(digest)], actor="test")
    erased(ledger, "pat@example.com")

    known, new = ledger.append([listed(digest), listed(digest, facts=("file", "2026-05-01"))], actor="test")
    assert (False, True) == (known.new, new.new)
    assert not place.holds(digest.hexadecimal)
    assert verify(place.url, keys=place.keys).first_bad is None


def test_a_row_that_arrives_while_somebody_decides_stops_the_erasure(ledger: Ledger) -> None:
    """Only what somebody has looked at is removed."""
    ledger.append([opt_out("pat@example.com")], actor="test")
    prospect = look(ledger, {}, Address.parse("pat@example.com"))
    ledger.append([listed(digested(b"pat@example.com"))], actor="test")

    with pytest.raises(BadUsage, match="recorded meanwhile"):
        erase(ledger, prospect, GROUNDS, actor="test")
    assert Tier.EXACT is ledger.check("pat@example.com").tier


def test_a_backup_brings_no_digest_back(place: Place) -> None:
    """Neither one that knows the row nor one from before it."""
    digest = digested(b"pat@example.com")
    place.record(trusted(Algorithm.SHA256, Form.LOWER))
    put_back = [place.remembered()]
    place.record(opt_out("pat@example.com"), listed(digest))
    put_back.append(place.remembered())
    with place.open() as ledger:
        erased(ledger, "pat@example.com")
    records = {file.name: file.read_bytes() for file in (place.keys / "erasures").iterdir()}
    mark = (place.keys / "highwater").read_bytes()
    for back in put_back:
        back()
        (place.keys / "highwater").write_bytes(mark)
        assert 2 == restored(place).erased
        assert not place.holds(digest.hexadecimal)
        with place.open() as ledger:
            assert Tier.ERASED is ledger.check("pat@example.com").tier
        assert records.keys() == {file.name for file in (place.keys / "erasures").iterdir()}


def test_a_record_in_several_entries_says_in_each_whose_digest_it_is() -> None:
    """One entry names some thousand others; the list of a partner may name somebody as often."""
    body = Erased("digest", (), "Art. 17 GDPR", "", digest_of="person")
    parts = list(erasures.records(body, range(erasures.LISTED + 1)))

    assert [("person", erasures.LISTED), ("person", 1)] == [
        (each.body.digest_of, len(each.body.entries)) for each in parts if isinstance(each.body, Erased)
    ]


# --- Shown -------------------------------------------------------------------------------------------------


def test_showing_a_person_tells_of_their_digests(ledger: Ledger) -> None:
    """With the recipe, whether a check looks for it, and every row of a list."""
    rows = [listed(digested(b"pat@example.com", each)) for each in (Algorithm.MD5, Algorithm.SHA256)]
    ledger.append([trusted(Algorithm.SHA256, Form.LOWER), opt_out("pat@example.com"), *rows], actor="test")
    shown = show(ledger, Address.parse("Pat@Example.com"))

    assert [("md5 of lower case", False), ("sha256 of lower case", True)] == [
        (str(each.recipe), each.trusted) for each in shown.digests
    ]
    assert [["subject.added", "optout.recorded"]] * 2 == [
        [one.entry.body.type for one in each.history] for each in shown.digests
    ]
    erased(ledger, "pat@example.com")
    again = show(ledger, Address.parse("pat@example.com"))
    assert {None} == {one.payload for each in again.digests for one in each.history}
    assert ["erased"] * 2 == [each.history[-1].entry.body.type for each in again.digests]
    assert () == show(ledger, Address.parse("sam@example.com")).digests

"""Asking: what holds, what happened, who is suppressed, how far a source was read."""

from __future__ import annotations

from datetime import timedelta

import pytest

from suppress.core.address import Address
from suppress.core.entry import Corrected, Entry
from suppress.core.mailing import Mailing
from suppress.core.standing import UNHEARD
from suppress.core.suppression import EVERYTHING, Channel, Reason, Scope
from suppress.core.verdict import CLEAR, Ruling, Tier
from suppress.errors import ConfigWrong, LedgerDamaged, NoLedger
from suppress.ledger import Event, Ledger, SourceState
from tests.ledger.making import NOON, Place, consent, drift, opt_out, sync_done

pytestmark = pytest.mark.both_back_ends

PAT = Address.parse("pat@example.com")
DAY = timedelta(days=1)


def test_an_address_never_heard_of_has_no_standing(place: Place) -> None:
    """It is unheard, clear, and without history."""
    with place.open() as ledger:
        assert UNHEARD == ledger.standing(PAT)
        assert CLEAR == ledger.check("pat@example.com")
        assert [] == ledger.history(PAT)
        assert [] == ledger.standings([])


def test_text_without_an_address_is_clear(place: Place) -> None:
    """Nothing to compare is nothing suppressed."""
    with place.open() as ledger:
        assert CLEAR == ledger.check("  ")


def test_standings_come_in_the_order_asked_for(place: Place) -> None:
    """Known and unknown people mixed, twice the same, more than one page."""
    known = [f"pat{number}@example.com" for number in range(0, 1200, 2)]
    place.record(*(opt_out(each) for each in known))
    asked = [Address.parse(f"pat{number}@example.com") for number in [*range(1200), 0, 0]]

    with place.open() as ledger:
        suppressed = [each.against() is not None for each in ledger.standings(asked)]

    assert [number % 2 == 0 for number in [*range(1200), 0, 0]] == suppressed


def test_a_verdict_says_since_when_by_whom_and_why(place: Place) -> None:
    """Everything a person needs to be told about a withheld address."""
    (seq,) = place.record(opt_out(reason=Reason.COMPLAINT, scope=Scope("Acme")))

    with place.open() as ledger:
        verdict = ledger.check("Pat@Example.com")

    assert (verdict.ruling, verdict.tier, verdict.rule) == (Ruling.SUPPRESSED, Tier.EXACT, "sender:Acme")
    assert (verdict.since, verdict.source, verdict.reason) == (NOON, "main", Reason.COMPLAINT)
    assert (verdict.scope, verdict.seq) == (Scope("Acme"), seq)


def test_a_later_consent_lifts_and_an_older_one_does_not(place: Place) -> None:
    """Dates decide, not the order in which they became known."""
    place.record(consent(at=NOON + DAY), opt_out(), opt_out("sam@example.com"))
    place.record(consent("sam@example.com", at=NOON - DAY))

    with place.open() as ledger:
        assert ledger.check("pat@example.com").ruling is Ruling.CLEAR
        assert ledger.check("sam@example.com").ruling is Ruling.SUPPRESSED


def test_a_consent_dated_into_the_future_lifts_nothing_that_happens_before_then(place: Place) -> None:
    """It counts from when the ledger learned of it, or it would lift opt-outs that are yet to come."""
    with place.open(clock=lambda: NOON + 400 * DAY) as ledger:
        ledger.append([consent(at=NOON + 9999 * DAY)], actor="test")
    with place.open(clock=lambda: NOON + 402 * DAY) as ledger:
        ledger.append([opt_out(at=NOON + 401 * DAY)], actor="test")

    with place.open() as ledger:
        assert ledger.check("pat@example.com").ruling is Ruling.SUPPRESSED


def test_an_undated_opt_out_counts_from_when_it_was_learned(place: Place) -> None:
    """The latest that it can have been: an earlier consent does not lift it, a later one does."""
    learned = NOON + 400 * DAY
    with place.open(clock=lambda: learned) as ledger:
        ledger.append([opt_out(at=None), consent(at=learned - DAY)], actor="test")
        assert ledger.check("pat@example.com").since is None
        assert ledger.check("pat@example.com").ruling is Ruling.SUPPRESSED
    with place.open(clock=lambda: learned + 3 * DAY) as ledger:
        ledger.append([consent(at=learned + DAY)], actor="test")
        assert ledger.check("pat@example.com").ruling is Ruling.CLEAR


def test_a_stronger_reason_is_never_replaced_by_a_weaker_one(place: Place) -> None:
    """The person's own click stands over a later import that knows nothing."""
    place.record(opt_out())
    place.record(opt_out(reason=Reason.UNKNOWN, source="old list", at=None))

    with place.open() as ledger:
        found = ledger.standing(PAT).against()
    assert found is not None
    assert (found.reason, found.source, found.since) == (Reason.UNSUBSCRIBED, "main", NOON)


def test_a_corrected_entry_no_longer_counts(place: Place) -> None:
    """And counts again once its correction was corrected."""
    (seq,) = place.record(opt_out())
    (correction,) = place.record(Event("c1", Corrected(seq, "another Pat")))
    with place.open() as ledger:
        assert ledger.check("pat@example.com").ruling is Ruling.CLEAR
        assert [each.entry.seq for each in ledger.history(PAT)] == [1, seq, correction]

    place.record(Event("c2", Corrected(correction, "it was this Pat")))
    with place.open() as ledger:
        assert ledger.check("pat@example.com").ruling is Ruling.SUPPRESSED


def test_correcting_one_of_two_requests_leaves_the_other(place: Place) -> None:
    """Within one batch too: the standing is folded anew from all that still counts."""
    place.record(
        opt_out(reason=Reason.COMPLAINT, facts=("a",)),
        Event("c1", Corrected(2, "not a complaint")),
        opt_out(facts=("b",)),
        Event("c2", Corrected(0, "names nobody")),
    )

    with place.open() as ledger:
        found = ledger.standing(PAT).against()
    assert found is not None
    assert (found.reason, found.seq) == (Reason.UNSUBSCRIBED, 4)


def test_an_alias_is_to_be_reviewed(place: Place) -> None:
    """The provider delivers both to one person; that is likely, not certain."""
    place.record(opt_out("p.at@gmail.com"))

    with place.open() as ledger:
        verdict = ledger.check("Pa.t+shop@googlemail.com")
        assert (verdict.ruling, verdict.tier) == (Ruling.REVIEW, Tier.ALIAS)
        assert verdict.rule
        assert verdict.seq == 2
        assert ledger.check("p.at@gmail.com").ruling is Ruling.SUPPRESSED
        assert ledger.check("p.at@gmail.com.example").ruling is Ruling.CLEAR


def test_channels_and_scopes_are_asked_for_apart(place: Place) -> None:
    """An SMS opt-out says nothing about mail, a list's nothing about another list."""
    place.record(opt_out(channel=Channel.SMS), opt_out("sam@example.com", scope=Scope("Acme", "News")))

    with place.open() as ledger:
        assert ledger.check("pat@example.com").ruling is Ruling.CLEAR
        assert ledger.check("pat@example.com", Mailing(Channel.SMS)).ruling is Ruling.SUPPRESSED
        assert ledger.check("sam@example.com").ruling is Ruling.SUPPRESSED
        assert ledger.check("sam@example.com", Mailing(target=Scope("Acme", "Other"))).ruling is Ruling.CLEAR
        assert ledger.check("sam@example.com", Mailing(target=Scope("Bravo"))).ruling is Ruling.CLEAR


def test_the_erased_stay_suppressed(place: Place) -> None:
    """Their address is gone, the keyed index still knows them; and they are not listed to anybody."""
    (seq,) = place.record(opt_out("p.at@gmail.com"))
    with place.open() as ledger:
        subject = ledger.standing(Address.parse("p.at@gmail.com")).subject
    assert subject is not None
    place.erase([seq], subject)

    with place.open() as ledger:
        verdict = ledger.check("p.at@gmail.com")
        assert (verdict.ruling, verdict.tier) == (Ruling.SUPPRESSED, Tier.ERASED)
        assert ledger.check("pat@gmail.com").ruling is Ruling.CLEAR
        assert [] == list(ledger.suppressed())
        assert ledger.payload(seq) is None
        assert [each.payload for each in ledger.history(Address.parse("p.at@gmail.com"))] == [None] * 3


def test_everybody_suppressed_is_listed_by_match_key(place: Place) -> None:
    """Sorted by the bytes of UTF-8, each once, with the first spelling trimmed."""
    spellings = [
        "Zoe@example.com",
        "  Pat@Example.com\t",
        "ärger@example.com",
        "zoë@example.com",
        "a@b.example",
    ]
    place.record(*(opt_out(each) for each in spellings))
    place.record(
        opt_out("PAT@example.com", facts=("later",)), opt_out("sam@example.com", channel=Channel.SMS)
    )
    place.record(opt_out("kim@example.com", at=NOON), consent("kim@example.com", at=NOON + DAY))

    with place.open() as ledger:
        listed = list(ledger.suppressed())
        keys = [each.key for each in listed]
        assert sorted((Address.parse(each).key for each in spellings), key=str.encode) == keys
        assert {"Pat@Example.com"} == {each.address for each in listed if each.key == "pat@example.com"}
        assert [each.suppression for each in listed] == [
            ledger.standing(Address.parse(each.key)).against() for each in listed
        ]
        assert [each.subject for each in listed] == [
            ledger.standing(Address.parse(each.key)).subject for each in listed
        ]
        assert ["sam@example.com"] == [each.key for each in ledger.suppressed(Channel.SMS)]


def test_a_listing_does_not_hold_up_a_writer(place: Place) -> None:
    """An export that takes an hour may append its receipts while it reads."""
    place.record(*(opt_out(f"pat{number}@example.com") for number in range(1100)))

    with place.open() as ledger, place.open() as writer:
        for number, _ in enumerate(ledger.suppressed()):
            if number in (0, 1000):
                writer.append([sync_done(f"run-{number}")], actor="test")
                ledger.append([sync_done(f"own-{number}")], actor="test")
        assert number == 1099


def test_a_listing_may_be_abandoned(place: Place) -> None:
    """Taking the first and closing the ledger leaves nothing open."""
    place.record(opt_out(), opt_out("sam@example.com"))
    with place.open() as ledger:
        listing = ledger.suppressed()
        assert next(listing).key == "pat@example.com"
        del listing


def test_entries_are_read_in_pages_up_to_the_head_at_the_start(place: Place) -> None:
    """What is appended meanwhile belongs to the next reading."""
    place.record(*(opt_out(f"pat{number}@example.com") for number in range(1100)))

    with place.open() as ledger:
        seqs = []
        for entry in ledger.entries():
            assert isinstance(entry, Entry)
            if entry.seq in (0, 1500):
                ledger.append([sync_done(f"run-{entry.seq}")], actor="test")
            seqs.append(entry.seq)
        assert list(range(2201)) == seqs
        assert [3, 4] == [entry.seq for entry in ledger.entries(3, 5)]
        assert [2202] == [entry.seq for entry in ledger.entries(2202, 9999)]
        assert [] == list(ledger.entries(9999))


def test_a_sources_state_is_its_newest_complete_run(place: Place) -> None:
    """Incomplete runs, other sources and annulled runs do not count."""
    with place.open() as ledger:
        assert SourceState() == ledger.source_state("main")
    place.record(
        sync_done("1", mode="census", before=None),
        sync_done("2", before=NOON + DAY),
        sync_done("3", before=NOON + 2 * DAY),
        sync_done("4", complete=False, before=NOON + 9 * DAY),
        sync_done("5", mode="census", complete=False),
        sync_done("6", source="other", before=NOON + 8 * DAY),
    )

    with place.open() as ledger:
        entries = list(ledger.entries())
        assert SourceState(NOON + 2 * DAY, entries[1].at) == ledger.source_state("main")
        assert SourceState(NOON + 8 * DAY, None) == ledger.source_state("other")
        ledger.append([Event("c1", Corrected(3, "wrong account"))], actor="test")
        assert SourceState(NOON + DAY, entries[1].at) == ledger.source_state("main")
        ledger.append([Event("c2", Corrected(7, "right after all"))], actor="test")
        assert SourceState(NOON + 2 * DAY, entries[1].at) == ledger.source_state("main")


def test_history_is_all_there_is_about_a_person_in_order(place: Place) -> None:
    """With the payloads, and nobody else's entries."""
    place.record(opt_out(), opt_out("sam@example.com"), drift(), consent(at=NOON + DAY))

    with place.open() as ledger:
        history = ledger.history(PAT)

    assert [each.entry.body.type for each in history] == [
        "subject.added",
        "optout.recorded",
        "drift.found",
        "optin.recorded",
    ]
    assert [each.payload and each.payload["key"] for each in history] == [None, *["pat@example.com"] * 3]


# --- Without keys, and over damage -----------------------------------------------------------------------


def test_without_its_keys_a_ledger_is_read_and_nobody_is_looked_up(place: Place) -> None:
    """An auditor reads entries; matching people takes the key."""
    place.record(opt_out())
    place.keys.rename(place.folder / "elsewhere")

    with Ledger.open(place.url, read_only=True) as ledger:
        assert 3 == len(list(ledger.entries())) == ledger.head().size
        assert ["pat@example.com"] == [each.key for each in ledger.suppressed()]
        with pytest.raises(ConfigWrong, match="keys"):
            ledger.standing(PAT)
        with pytest.raises(ConfigWrong, match="keys"):
            ledger.append([opt_out()], actor="test")
    with pytest.raises(ConfigWrong, match="keys folder"):
        Ledger.open(place.url)


def test_a_leaf_that_cannot_be_read_is_named(place: Place) -> None:
    """Whoever reads past it is told which entry, and to verify."""
    place.record(opt_out())
    place.unguarded(("UPDATE ledger SET leaf = CAST('{}' AS BLOB) WHERE seq = 2", ()))

    with place.open() as ledger:
        with pytest.raises(LedgerDamaged, match="entry 2") as caught:
            list(ledger.entries())
        assert caught.value.remedy == "suppress verify"
        with pytest.raises(LedgerDamaged, match="entry 2"):
            ledger.history(PAT)


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b"[" * 100_000])
def test_a_payload_that_cannot_be_read_is_named(place: Place, body: bytes) -> None:
    """A changed payload is damage, not an answer."""
    place.record(opt_out())
    place.unguarded(("UPDATE payload SET body = ? WHERE seq = 2", (body,)))

    with place.open() as ledger:
        with pytest.raises(LedgerDamaged, match="payload of entry 2"):
            ledger.payload(2)
        with pytest.raises(LedgerDamaged, match="payload of entry 2"):
            list(ledger.suppressed())


@pytest.mark.parametrize("column", ["reason", "scope", "latest", "channel"])
def test_a_standing_that_cannot_be_read_answers_nobody(place: Place, column: str) -> None:
    """Rather no answer than a wrong one."""
    place.record(opt_out())
    with place.raw() as connection:
        connection.execute(f"UPDATE standing SET {column} = 'rubbish'")

    with place.open() as ledger, pytest.raises(LedgerDamaged, match="standings"):
        ledger.check("pat@example.com")
    with place.lookup() as lookup, pytest.raises(LedgerDamaged, match="standings"):
        lookup.verdict(PAT)


def test_a_lift_that_cannot_be_read_answers_nobody(place: Place) -> None:
    """A doctored consent lifts nothing."""
    place.record(opt_out())
    with place.raw() as connection:
        connection.execute("INSERT INTO lift VALUES (1, 'email', 'everything', 'tomorrow', 2)")

    with place.open() as ledger, pytest.raises(LedgerDamaged, match="standings"):
        ledger.check("pat@example.com")


def test_a_missing_entry_is_named(place: Place) -> None:
    """A source's state that points at nothing is damage."""
    place.record(sync_done("1"))
    place.unguarded(("DELETE FROM ledger WHERE seq = 1", ()))

    with place.open() as ledger, pytest.raises(LedgerDamaged, match="entry 1 is missing"):
        ledger.source_state("main")


@pytest.mark.sqlite_only("about the file")
def test_a_ledger_that_went_away_is_said_to_be_gone(place: Place) -> None:
    """Opening names the file and the command that makes one."""
    place.file.unlink()

    with pytest.raises(NoLedger, match=r"suppress\.db") as caught:
        place.open()
    assert caught.value.remedy == "suppress init"


@pytest.mark.sqlite_only("about the file")
def test_the_default_keys_lie_beside_the_file(place: Place) -> None:
    """`suppress.db` has `suppress.keys`; a bare path is a SQLite file."""
    place.record(opt_out())

    with Ledger.open(str(place.file)) as ledger:
        assert ledger.check("pat@example.com", Mailing(target=EVERYTHING)).ruling is Ruling.SUPPRESSED

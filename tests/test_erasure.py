"""Erase and forget: what goes, what stays, who is told first, and what a later request is."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from suppress.audit import verify
from suppress.config import DestinationSettings, SourceSettings
from suppress.core.address import Address
from suppress.core.entry import (
    Corrected,
    DestinationChanged,
    Entry,
    Erased,
    Forgotten,
    Honoured,
    OptInRecorded,
    OptOutRecorded,
    SubjectAdded,
)
from suppress.core.suppression import Channel, Scope
from suppress.core.verdict import Ruling, Tier
from suppress.erasure import Prospect, erase, forget, look, require_told
from suppress.errors import BadUsage, DestinationFailed, LedgerDamaged
from suppress.ledger import Erasure, Event, Grounds, Ledger, erasures
from suppress.ledger.sealing import request_commitment
from suppress.platforms.constant_contact import ConstantContact
from suppress.platforms.constant_contact.simulator import People, Scenario, Simulator
from suppress.sync import SourceResult, sync
from tests.ledger.making import NOON, Place, consent, drift, opt_out

pytestmark = pytest.mark.both_back_ends

PAT = Address.parse("p.at@gmail.com")
GROUNDS = Grounds("Art. 17 GDPR", "DSR-2026-17")
LATER = NOON + timedelta(days=30)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Two people; the first asked twice and was reported mailable once."""
    made = Place(tmp_path).create()
    made.record(
        opt_out("p.at@gmail.com", evidence={"note": "please stop"}),
        opt_out("sam@example.com"),
        opt_out("P.At@Gmail.com", source="other"),
        drift("p.at@gmail.com"),
    )
    return made


@pytest.fixture
def ledger(place: Place) -> Iterator[Ledger]:
    with place.open() as opened:
        yield opened


def erased(ledger: Ledger, who: Address = PAT, grounds: Grounds = GROUNDS, **told: Any) -> Erasure:
    return erase(ledger, look(ledger, told, who), grounds, actor="test")


def forgotten(ledger: Ledger, who: Address = PAT) -> Erasure:
    return forget(ledger, look(ledger, {}, who), Grounds("court order"), actor="test")


def bodies(ledger: Ledger, *kinds: type[Any]) -> list[Any]:
    return [entry.body for entry in ledger.entries() if isinstance(entry.body, kinds)]


def verified(place: Place) -> None:
    assert verify(place.url, keys=place.keys).first_bad is None


# --- Erase -------------------------------------------------------------------------------------------------


def test_an_erased_person_stays_suppressed_and_nothing_else_of_them_stays(
    place: Place, ledger: Ledger
) -> None:
    """No payload, no alias, no place in a list; found by the keyed index alone, on both ways in."""
    done = erased(ledger)

    assert (2, 5, 6) == done.entries
    assert {None} == {each.payload for each in ledger.history(PAT)}
    assert ["sam@example.com"] == [each.key for each in ledger.suppressed()]
    assert Ruling.CLEAR is ledger.check("pat@gmail.com").ruling
    with place.lookup() as lookup:
        for verdict in (ledger.check("P.AT@Gmail.com "), lookup.verdict(PAT)):
            assert (Ruling.SUPPRESSED, Tier.ERASED) == (verdict.ruling, verdict.tier)
    verified(place)


def test_the_entry_names_what_went_and_commits_to_the_request(ledger: Ledger) -> None:
    """Its id is nobody's business; with the salt that was handed out it can be shown to be this one."""
    done = erased(ledger)
    (body,) = bodies(ledger, Erased)

    assert ((2, 5, 6), "Art. 17 GDPR", "", ()) == (body.entries, body.basis, body.override, body.untold)
    (salt,) = done.salts
    assert body.request == request_commitment(bytes.fromhex(salt), "DSR-2026-17")
    assert body.request != request_commitment(bytes.fromhex(salt), "DSR-2026-18")
    assert done.salts == erased(ledger).salts, "whoever mislaid the salt asks again"
    assert "" == erased_without_request(ledger).request


def erased_without_request(ledger: Ledger) -> Erased:
    erased(ledger, Address.parse("sam@example.com"), Grounds("Art. 17 GDPR"))
    found = bodies(ledger, Erased)[-1]
    assert isinstance(found, Erased)
    return found


def test_a_commitment_to_a_request_is_not_its_plain_hash(ledger: Ledger) -> None:
    """Ticket numbers are short: without the salt they could be tried one by one."""
    erased(ledger)
    assert hashlib.sha256(b"DSR-2026-17").hexdigest() != bodies(ledger, Erased)[0].request


def test_erasing_again_changes_nothing(ledger: Ledger) -> None:
    """Whoever got no answer repeats it."""
    first = erased(ledger)
    head = ledger.head()
    again = erased(ledger)

    assert ((), first.recorded) == (again.entries, again.recorded)
    assert head == ledger.head()


def test_nobody_is_erased_by_an_address_that_is_unknown(ledger: Ledger) -> None:
    """It is no failure either: after forget, a repetition finds nobody."""
    head = ledger.head()
    assert Erasure() == erased(ledger, Address.parse("nobody@example.com"))
    assert Erasure() == forgotten(ledger, Address.parse("nobody@example.com"))
    assert head == ledger.head()


def test_another_spelling_of_the_mailbox_is_pointed_out(ledger: Ledger) -> None:
    """An alias is never certain, so nothing is removed by it."""
    assert look(ledger, {}, Address.parse("pat@gmail.com")).other_spelling
    assert not look(ledger, {}, PAT).other_spelling
    assert not look(ledger, {}, Address.parse("nobody@gmail.com")).other_spelling


def test_a_request_that_arrives_while_somebody_decides_stops_the_erasure(
    place: Place, ledger: Ledger
) -> None:
    """It would be removed before anybody had looked at it, or was told of it."""
    prospect = look(ledger, {}, PAT)
    (seq,) = place.record(opt_out("p.at@gmail.com", at=LATER))

    with pytest.raises(BadUsage, match="meanwhile"):
        erase(ledger, prospect, GROUNDS, actor="test")
    assert ledger.payload(seq) is not None
    assert [] == bodies(ledger, Erased)


@pytest.mark.parametrize(
    ("basis", "why"),
    [
        ("", "is empty"),
        ("  ", "is empty"),
        ("request of pat@example.com", "may hold an address"),
        ("two\nlines", "one line"),
        ("x" * 501, "500 characters"),
    ],
)
def test_what_stays_for_good_is_looked_at_first(ledger: Ledger, basis: str, why: str) -> None:
    """A basis is written into a leaf, where nothing can be erased."""
    with pytest.raises(BadUsage, match=why):
        erased(ledger, grounds=Grounds(basis))
    with pytest.raises(BadUsage, match=why):
        forget(ledger, look(ledger, {}, PAT), Grounds(basis), actor="test")
    assert 3 == len(look(ledger, {}, PAT).held)


def test_more_entries_than_one_record_names_make_several(
    place: Place, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An entry holds at most 65,535 bytes."""
    monkeypatch.setattr(erasures, "LISTED", 2)
    done = erased(ledger)

    assert [(2, 5), (6,)] == [body.entries for body in bodies(ledger, Erased)]
    assert ((2, 5, 6), (7, 8)) == (done.entries, done.recorded)
    (seq,) = (receipt.seq for receipt in ledger.append([opt_out("sam@example.com", at=LATER)], actor="test"))
    forgotten(ledger, Address.parse("sam@example.com"))
    assert [(4, seq)] == [body.entries for body in bodies(ledger, Forgotten)]
    verified(place)


def test_who_was_indexed_under_an_older_key_is_erased_too(place: Place, ledger: Ledger) -> None:
    """And found afterwards, under that key alone."""
    ledger.rotate_index_key(actor="test")
    ledger.append([opt_out("new@example.com")], actor="test")
    for address in (PAT, Address.parse("new@example.com")):
        assert erased(ledger, address).entries
        assert Tier.ERASED is ledger.check(address.raw).tier
    verified(place)


# --- Who was told ------------------------------------------------------------------------------------------


def told(ledger: Ledger, name: str, upto: int, *failed: int) -> None:
    ledger.append(
        [Event(f"{name}-{upto}-{failed}", Honoured(name, upto, "0" * 64, 1, failed, verified=True))],
        actor="test",
    )


def changed(ledger: Ledger, name: str, change: str) -> None:
    size = ledger.head().size
    ledger.append(
        [Event(f"{name}-{change}-{size}", DestinationChanged(name, "mailchimp", change))], actor="t"
    )


def untold(ledger: Ledger, **configured: DestinationSettings) -> tuple[str, ...]:
    return look(ledger, configured, PAT).untold


NEWS = DestinationSettings("news", "mailchimp")


def test_nobody_is_erased_whom_a_destination_may_still_mail(ledger: Ledger) -> None:
    """Configured and never told, told of an older request only, told and not taken: each is named."""
    changed(ledger, "crm", "added")
    told(ledger, "crm", 4)
    changed(ledger, "ads", "added")
    told(ledger, "ads", 7, 5)

    with pytest.raises(DestinationFailed, match=r"ads .*, crm .*, news;") as refused:
        erased(ledger, news=NEWS)
    assert "suppress export ads" in str(refused.value.remedy)
    assert 3 == len(look(ledger, {}, PAT).held)


def test_once_everybody_has_honoured_it_a_person_can_be_erased(ledger: Ledger) -> None:
    """The newest receipt that covers their newest request decides."""
    changed(ledger, "news", "added")
    told(ledger, "news", 6, 5)
    assert ("news",) == untold(ledger, news=NEWS)
    told(ledger, "news", 7)
    assert () == untold(ledger, news=NEWS)
    assert (2, 5, 6) == erased(ledger, news=NEWS).entries


def test_a_destination_with_other_settings_has_to_be_told_anew(ledger: Ledger) -> None:
    """It is another list now. One that was removed is asked for no longer, unless it is configured."""
    changed(ledger, "news", "added")
    told(ledger, "news", 6)
    changed(ledger, "news", "reconfigured")
    assert ("news",) == untold(ledger)
    changed(ledger, "news", "removed")
    assert () == untold(ledger)
    assert ("news",) == untold(ledger, news=NEWS)


def test_only_what_a_destination_should_hold_counts(place: Place, ledger: Ledger) -> None:
    """Not another sender's opt-out, nor one in another channel, nor one that was a mistake."""
    kim, lee, jo = (Address.parse(f"{name}@example.com") for name in ("kim", "lee", "jo"))
    place.record(
        opt_out(kim.raw, scope=Scope("Acme")),
        opt_out(lee.raw, channel=Channel.SMS),
        opt_out(jo.raw),
    )
    (again,) = place.record(opt_out(jo.raw, at=LATER))
    bravo = DestinationSettings("news", "mailchimp", sender="Bravo")
    acme = DestinationSettings("news", "mailchimp", sender="Acme")

    assert [(), ("news",)] == [look(ledger, {"news": each}, kim).untold for each in (bravo, acme)]
    assert () == look(ledger, {"news": NEWS}, lee).untold
    changed(ledger, "news", "added")
    told(ledger, "news", again - 1)
    assert ("news",) == look(ledger, {"news": NEWS}, jo).untold
    place.record(Event("fix", Corrected(again, "somebody else")))
    assert () == look(ledger, {"news": NEWS}, jo).untold
    place.record(consent(kim.raw, at=LATER))
    assert () == look(ledger, {"news": acme}, kim).destinations


def test_an_override_is_kept_with_its_reason_and_with_whom_it_is_about(ledger: Ledger) -> None:
    """Who overrides says why, for good; without need nothing of it is written."""
    reason = Grounds("Art. 17 GDPR", override="the account was closed")
    prospect = look(ledger, {"news": NEWS}, PAT)
    with pytest.raises(BadUsage, match="--override may hold an address"):
        erase(ledger, prospect, Grounds("Art. 17 GDPR", override="says bob@example.com"), actor="test")
    erase(ledger, prospect, reason, actor="test")
    erased(ledger, Address.parse("sam@example.com"), reason)

    with_need, without = bodies(ledger, Erased)
    assert ("the account was closed", ("news",)) == (with_need.override, with_need.untold)
    assert ("", ()) == (without.override, without.untold)


def test_once_erased_nobody_is_asked_for_any_more(ledger: Ledger) -> None:
    """They cannot be told: repeating the erasure, or forgetting, is not refused for their sake."""
    erase(ledger, look(ledger, {"news": NEWS}, PAT), Grounds("x", override="closed"), actor="test")
    after = look(ledger, {"news": NEWS}, PAT)

    require_told(after, None)
    assert ([False], ()) == ([each.honoured for each in after.destinations], after.untold)


# --- A later request ---------------------------------------------------------------------------------------


def test_the_same_facts_met_again_are_recorded_nowhere(ledger: Ledger) -> None:
    """Event ids follow from the person's random id, which stays."""
    erased(ledger)
    head = ledger.head()
    again = ledger.append(
        [opt_out("p.at@gmail.com", evidence={"note": "please stop"}), drift("p.at@gmail.com")], actor="test"
    )

    assert [False, False] == [receipt.new for receipt in again]
    assert head == ledger.head()


def test_a_new_request_is_recorded_without_address_or_evidence(place: Place, ledger: Ledger) -> None:
    """Erased stays erased: kept are scope, dates and source, which is what honouring it needs."""
    erased(ledger)
    with_note = opt_out("p.at@gmail.com", at=LATER, scope=Scope("Acme"), evidence={"note": "again"})
    opted, drifted = ledger.append([with_note, drift("p.at@gmail.com", source="other")], actor="test")

    assert [True, True] == [opted.new, drifted.new]
    assert [None, None] == [ledger.payload(opted.seq), ledger.payload(drifted.seq)]
    follow = bodies(ledger, Erased)[-1]
    assert ((opted.seq, drifted.seq), "Art. 17 GDPR") == (follow.entries, follow.basis)
    assert bodies(ledger, Erased)[0].request == follow.request
    assert Tier.ERASED is ledger.check("p.at@gmail.com").tier
    assert LATER in {each.latest for each in ledger.standing(PAT).suppressions}
    assert Ruling.CLEAR is ledger.check("pat@gmail.com").ruling
    with place.raw() as connection:
        salted = connection.execute("SELECT count(*) FROM payload WHERE seq >= ?", (opted.seq,)).fetchone()
    assert (0,) == salted
    verified(place)


def test_many_new_requests_of_one_batch_make_one_record(
    place: Place, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Per person, or as many as an entry has room for."""
    erased(ledger)
    monkeypatch.setattr(erasures, "LISTED", 3)
    receipts = ledger.append(
        [opt_out("p.at@gmail.com", at=LATER + timedelta(days=day)) for day in range(5)], actor="test"
    )

    seqs = tuple(receipt.seq for receipt in receipts)
    assert [seqs[:3], seqs[3:]] == [body.entries for body in bodies(ledger, Erased)[1:]]
    verified(place)


def test_a_consent_ends_the_erasure_because_it_gives_the_address_anew(place: Place, ledger: Ledger) -> None:
    """Its evidence must be kept: it alone lifts. What was erased before stays so."""
    erased(ledger)
    ledger.append([consent("p.at@gmail.com", at=LATER)], actor="test")
    assert Ruling.CLEAR is ledger.check("p.at@gmail.com").ruling
    (again,) = ledger.append([opt_out("p.at@gmail.com", at=LATER + timedelta(days=1))], actor="test")

    assert ledger.payload(again.seq) is not None
    assert Tier.EXACT is ledger.check("p.at@gmail.com").tier
    assert Tier.ALIAS is ledger.check("pat@gmail.com").tier
    assert [None] * 3 == [ledger.payload(seq) for seq in (2, 5, 6)]
    assert ["p.at@gmail.com", "sam@example.com"] == [each.key for each in ledger.suppressed()]
    assert 2 == len(erased(ledger).entries), "and they can be erased once more"
    verified(place)


def test_a_request_and_a_consent_of_one_batch_keep_only_what_follows_the_consent(
    place: Place, ledger: Ledger
) -> None:
    """The order within a batch is the order in which it was told."""
    erased(ledger)
    before, agreed, after = ledger.append(
        [
            opt_out("p.at@gmail.com", at=LATER),
            consent("p.at@gmail.com", at=LATER + timedelta(days=1)),
            opt_out("p.at@gmail.com", at=LATER + timedelta(days=2)),
        ],
        actor="test",
    )

    assert [False, True, True] == [ledger.payload(each.seq) is not None for each in (before, agreed, after)]
    verified(place)


def run(ledger: Ledger, platform: Simulator, state: Path) -> SourceResult:
    settings = SourceSettings(
        "main", "constant-contact", "Acme", platform.token, options={"api_url": platform.url}
    )
    source = ConstantContact(settings, state=state)
    try:
        (result,) = sync(ledger, [source], full=True, now=datetime.now(UTC), actor="test")
    finally:
        source.close()
    return result


def test_a_sync_that_meets_an_erased_contact_again_records_nothing_about_them(tmp_path: Path) -> None:
    """The platform still has them, and shows them at each census; nothing of it is new."""
    place = Place(tmp_path).create()
    people = People(active=3, unsubscribed=3, unsubscribed_deleted=3)
    with Simulator(Scenario(people=people)) as platform, place.open() as ledger:
        run(ledger, platform, tmp_path)
        gone = [Address.parse(each.address) for each in ledger.suppressed()][::2]
        for address in gone:
            erased(ledger, address)
        before = list(ledger.entries())
        result = run(ledger, platform, tmp_path)

        assert (True, 6, 0, 6) == (result.complete, result.observed, result.new, result.known)
        assert ["sync.done"] == [entry.body.type for entry in ledger.entries(len(before))]
        assert {Tier.ERASED} == {ledger.check(address.raw).tier for address in gone}
    verified(place)


# --- Forget ------------------------------------------------------------------------------------------------


def test_a_forgotten_person_is_unknown(place: Place, ledger: Ledger) -> None:
    """Neither payload, nor alias, nor the row that recognised them; the entries stay."""
    done = forgotten(ledger)

    assert (2, 5, 6) == done.entries
    assert Ruling.CLEAR is ledger.check("p.at@gmail.com").ruling
    assert Ruling.CLEAR is ledger.check("pat@gmail.com").ruling
    assert [] == ledger.history(PAT)
    assert Erasure() == forgotten(ledger)
    assert 3 == len([each for each in ledger.entries() if _about(each) == done.subjects[0]]) - 2
    with place.raw() as connection:
        assert [(1,), (0,)] == [
            connection.execute(f"SELECT count(*) FROM {table}").fetchone() for table in ("subject", "alias")
        ]
    verified(place)


def _about(entry: Entry) -> object:
    return getattr(entry.body, "subject", None)


def test_an_erased_person_can_be_forgotten_later(place: Place, ledger: Ledger) -> None:
    """Nothing is left but their row, and that goes; the record outside holds their row no longer."""
    subject = erased(ledger).subjects[0]
    file = place.keys / "erasures" / f"{subject}.json"
    with place.raw() as connection:
        (index,) = connection.execute("SELECT blind_index FROM subject WHERE id = ?", (subject,)).fetchone()
    assert index.hex() in file.read_text()

    assert () == forgotten(ledger).entries
    assert index.hex() not in file.read_text()
    assert Ruling.CLEAR is ledger.check("p.at@gmail.com").ruling
    verified(place)


def test_a_forgotten_person_who_opts_out_again_is_somebody_new(place: Place, ledger: Ledger) -> None:
    """Under another random id, with the same facts: nothing links the two."""
    old = forgotten(ledger).subjects[0]
    (receipt,) = ledger.append([opt_out("p.at@gmail.com", evidence={"note": "please stop"})], actor="test")

    assert receipt.new
    assert 3 == len(bodies(ledger, SubjectAdded))
    new = ledger.standing(PAT).subject
    assert new not in (None, old)
    assert (Ruling.SUPPRESSED, Tier.EXACT) == (
        ledger.check("p.at@gmail.com").ruling,
        ledger.check("p.at@gmail.com").tier,
    )
    verified(place)


def test_forgetting_asks_for_destinations_as_erasing_does(ledger: Ledger) -> None:
    """Their request would be lost on the way."""
    with pytest.raises(DestinationFailed, match="news"):
        forget(ledger, look(ledger, {"news": NEWS}, PAT), Grounds("court order"), actor="test")
    assert Ruling.SUPPRESSED is ledger.check("p.at@gmail.com").ruling


# --- What verify makes of it -------------------------------------------------------------------------------


def tampered(place: Place, remove: Callable[[Ledger], object], statement: str) -> None:
    """Remove somebody, then do what whoever has a copy of the tables from before can do."""
    kept = {"payload": "kept_payload", "alias": "kept_alias", "subject": "kept_subject"}
    with place.raw() as hand:
        for table, copy in kept.items():
            hand.execute(f"CREATE TABLE {copy} AS SELECT * FROM {table}")
    with place.open() as ledger:
        remove(ledger)
    verified(place)
    place.unguarded((statement.replace("kept.", "kept_"), ()))


def _bad(place: Place) -> str:
    bad = verify(place.url, keys=place.keys).first_bad
    assert bad is not None
    return bad.what


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("INSERT INTO payload SELECT * FROM kept.payload WHERE seq = 2", "payload of entry 2 is back"),
        ("DELETE FROM payload WHERE seq = 4", "payload of entry 4 is missing, and no entry"),
        ("INSERT INTO alias SELECT * FROM kept.alias WHERE person = 1", "table alias has 1 rows"),
        ("DELETE FROM subject WHERE id = (SELECT id FROM event WHERE seq = 1)", "table subject has 1 people"),
    ],
    ids=["payload back", "payload gone without a record", "alias back", "subject gone without a record"],
)
def test_an_erasure_is_exactly_what_was_recorded(place: Place, statement: str, what: str) -> None:
    """More gone than that, or less, is tampering."""
    tampered(place, erased, statement)

    assert what in _bad(place)


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("INSERT INTO subject SELECT * FROM kept.subject EXCEPT SELECT * FROM subject", "forgotten"),
        ("INSERT INTO payload SELECT * FROM kept.payload WHERE seq = 5", "payload of entry 5 is back"),
        ("INSERT INTO alias SELECT * FROM kept.alias WHERE person = 1", "table alias has 1 rows"),
    ],
    ids=["subject back", "payload back", "alias back"],
)  # fmt: skip
def test_a_forgotten_person_does_not_come_back_unnoticed(place: Place, statement: str, what: str) -> None:
    """Whoever has an older copy has their rows."""
    tampered(place, forgotten, statement)

    assert what in _bad(place)


def test_an_erasure_covers_up_nothing(place: Place) -> None:
    """What somebody had removed without a record before is not recorded as erased afterwards."""
    place.unguarded(("DELETE FROM payload WHERE seq IN (2, 5, 6)", ()))
    with place.open() as ledger:
        assert () == erased(ledger).recorded

    assert "payload of entry 2 is missing" in _bad(place)


def test_a_row_that_names_nobody_is_damage(place: Place, ledger: Ledger) -> None:
    """It is not erased, and not passed over."""
    prospect = look(ledger, {}, PAT)
    with place.raw() as connection:
        connection.execute("DELETE FROM event WHERE seq = 1")

    with pytest.raises(LedgerDamaged, match="names an entry that is not there"):
        erase(ledger, prospect, GROUNDS, actor="test")


def test_an_erasure_covers_only_the_person_it_names(place: Place) -> None:
    """The payload of somebody else, named by mistake or malice, is still missing without a record."""
    with place.open() as ledger:
        subject = ledger.standing(PAT).subject
    assert subject is not None
    place.erase([4], subject)  # which is Sam's

    assert "payload of entry 4 is missing" in _bad(place)


def test_looking_changes_nothing(place: Place) -> None:
    """A prospect is made on a ledger that is opened for reading."""
    head = place.content()
    with place.open(read_only=True) as ledger:
        prospect = look(ledger, {"news": NEWS}, PAT)

    assert head == place.content()
    assert isinstance(prospect, Prospect)
    assert (True, True, (2, 5, 6), ("news",)) == (
        prospect.known, prospect.suppressed, prospect.held, prospect.untold,
    )  # fmt: skip
    kinds = (SubjectAdded, OptOutRecorded, OptInRecorded)
    assert 3 == len([each for each in prospect.history if isinstance(each.entry.body, kinds)])

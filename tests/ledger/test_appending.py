"""Appending: one transaction, nothing twice, nothing signed over damage."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from suppress.core.address import Address
from suppress.core.canonical import canonical
from suppress.core.checkpoint import open_checkpoint, parse_vkey
from suppress.core.entry import (
    Corrected,
    Honoured,
    ImportDone,
    LogOpened,
    OptOutRecorded,
    SubjectAdded,
    SyncDone,
)
from suppress.core.merkle import leaf_hash, root
from suppress.core.suppression import Channel, Drift, OptOut, Origin, Reason, Scope
from suppress.errors import BadUsage, LedgerDamaged
from suppress.ledger import Event, Receipt
from tests import backends
from tests.ledger.making import NOON, Place, consent, drift, guard_off, opt_out, sync_done

pytestmark = pytest.mark.both_back_ends

PAT = Address.parse("pat@example.com")


def test_a_new_person_is_added_before_their_opt_out(place: Place) -> None:
    """`subject.added` comes first, and the opt-out names the subject, never the address."""
    assert place.record(opt_out()) == [2]

    with place.open() as ledger:
        opened, added, recorded = (entry.body for entry in ledger.entries())
    assert isinstance(opened, LogOpened)
    assert isinstance(added, SubjectAdded)
    assert isinstance(recorded, OptOutRecorded)
    assert added.subject == recorded.subject


def test_a_leaf_holds_no_personal_data(place: Place) -> None:
    """Neither the address nor any of the evidence stands in a leaf, in clear or as a plain hash."""
    place.record(opt_out("Pat.Doe@example.com", evidence={"ip": "203.0.113.9"}))

    with place.open() as ledger:
        leaves = b"".join(entry.leaf for entry in ledger.entries())
    for text in ("pat.doe", "Pat.Doe", "203.0.113.9"):
        assert text.encode() not in leaves
    assert hashlib.sha256(b"pat.doe@example.com").hexdigest().encode() not in leaves


def test_the_payload_keeps_what_was_received(place: Place) -> None:
    """Raw address, match key and evidence come back as they were given."""
    (seq,) = place.record(opt_out(" Pat@Example.com", evidence={"status": "unsubscribed", "n": [1, None]}))

    with place.open() as ledger:
        assert {
            "address": " Pat@Example.com",
            "key": "pat@example.com",
            "evidence": {"status": "unsubscribed", "n": [1, None]},
        } == ledger.payload(seq)
        assert ledger.payload(0) is None
        assert ledger.payload(99) is None


def test_the_same_facts_are_recorded_once(place: Place) -> None:
    """Within a batch, across batches, and across restarts; the receipt says where it stands."""
    first = place.record(opt_out(), opt_out())
    with place.open() as ledger:
        size = ledger.head().size
        (again,) = ledger.append([opt_out()], actor="other")

        assert first == [2, 2]
        assert again == Receipt(2, again.id, new=False)
        assert ledger.head().size == size


def test_spellings_of_one_address_are_one_person(place: Place) -> None:
    """The match key decides who it is."""
    assert place.record(opt_out("pat@example.com"), opt_out("PAT@Example.COM ")) == [2, 2]


@pytest.mark.parametrize(
    "other",
    [
        opt_out(reason=Reason.COMPLAINT, facts=("contact-1",)),
        opt_out(scope=Scope("Acme"), facts=("contact-1",)),
        opt_out(channel=Channel.SMS, facts=("contact-1",)),
        opt_out(facts=("contact-1", "")),
        opt_out(facts=("contact\x00-1",)),
        opt_out("sam@example.com", facts=("contact-1",)),
    ],
    ids=["reason", "scope", "channel", "facts", "separator", "person"],
)
def test_a_request_that_says_something_else_is_another_event(place: Place, other: OptOut) -> None:
    """A stronger reason or a wider scope for the same contact is never dropped as already known."""
    first = opt_out(facts=("contact-1",))
    with place.open() as ledger:
        (one,) = ledger.append([first], actor="test")
        (two,) = ledger.append([other], actor="test")

        assert two.new
        assert one.id != two.id


def test_facts_are_not_confused_by_where_they_are_cut(place: Place) -> None:
    """("a", "b") and ("ab",) and ("a\\0b",) are three events."""
    facts = [("a", "b"), ("ab",), ("a\x00b",), ("a\\0b",), ("a", "", "b"), ("a\\", "b")]

    seqs = place.record(*(opt_out(facts=each) for each in facts))

    assert len(set(seqs)) == len(facts)


def test_opt_outs_without_facts_differ_by_source_and_date(place: Place) -> None:
    """Source and date stand in for facts that were not given."""
    seqs = place.record(
        opt_out(), opt_out(source="other"), opt_out(at=NOON + timedelta(days=1)), opt_out(at=None)
    )

    assert len(set(seqs)) == 4


def test_an_id_reveals_no_address_even_with_the_index_key(place: Place) -> None:
    """Ids follow from the subject's random id: two ledgers with the same keys give different ones."""
    twin = Place(place.folder / "twin")
    twin.folder.mkdir()
    twin.create()
    place.record(opt_out())
    twin.record(opt_out())

    with place.open() as one, twin.open() as other:
        ids = [{entry.id for entry in ledger.entries(1)} for ledger in (one, other)]
    assert not ids[0] & ids[1]


def test_an_event_without_a_person_is_idempotent_by_its_id(place: Place) -> None:
    """The caller's id decides; the first body stays."""
    assert place.record(sync_done("run-1"), sync_done("run-1", mode="census"), sync_done("run-2")) == [
        1,
        1,
        2,
    ]


def test_the_head_is_signed_in_every_append(place: Place) -> None:
    """The note covers exactly the leaves, under the key in the keys folder."""
    vkey = (place.keys / "log.vkey").read_text()
    for number in range(3):
        place.record(opt_out(f"pat{number}@example.com"), sync_done(f"run-{number}"))
        with place.open() as ledger:
            head = ledger.head()
            leaves = [entry.leaf for entry in ledger.entries()]

        signed = open_checkpoint(head.note, [parse_vkey(vkey)])
        assert (signed.size, signed.root) == (len(leaves), root(map(leaf_hash, leaves)))
        assert (head.size, head.root) == (signed.size, signed.root)


def test_an_empty_append_does_nothing(place: Place) -> None:
    """No events, no entry, no signature."""
    with place.open() as ledger:
        note = ledger.head().note
        assert ledger.append([], actor="test") == ()
        assert ledger.head().note == note


def test_time_never_goes_back(place: Place) -> None:
    """With a clock that was set back, entries carry the time of the one before them."""
    later = NOON + timedelta(days=400)
    with place.open(clock=lambda: later) as ledger:
        ledger.append([sync_done("one")], actor="test")
    with place.open(clock=lambda: NOON) as ledger:
        ledger.append([sync_done("two")], actor="test")

        assert [later, later] == [entry.at for entry in ledger.entries(1)]
        assert ledger.head().at == later


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (datetime(2999, 1, 1, tzinfo=UTC), datetime(2999, 1, 1, tzinfo=UTC)),
        (datetime(2026, 3, 1, 12), NOON),
        (datetime(2026, 3, 1, 7, tzinfo=timezone(timedelta(hours=-5))), NOON),
        (datetime.min.replace(tzinfo=timezone(timedelta(hours=5))), None),
        (datetime.max.replace(tzinfo=timezone(timedelta(hours=-5))), None),
        (datetime(1, 1, 1, tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC)),
        (None, None),
    ],
)
def test_no_claimed_date_breaks_an_append(
    place: Place, given: datetime | None, kept: datetime | None
) -> None:
    """Dates are kept in UTC; one that UTC cannot express counts as not given."""
    (seq,) = place.record(opt_out(at=given))

    with place.open() as ledger:
        (entry,) = ledger.entries(seq, seq + 1)
        assert isinstance(entry.body, OptOutRecorded)
        assert entry.body.occurred_at == kept
        assert ledger.standing(PAT).against() is not None


def test_text_that_utf8_cannot_hold_is_escaped(place: Place) -> None:
    """A lone surrogate in address, evidence, source, actor or facts never loses an opt-out."""
    odd = "\udcff"
    event = OptOut(
        Address(f"p{odd}at@example.com", f"p{odd}at@example.com"),
        f"ma{odd}in",
        Origin.FILE,
        Reason.UNKNOWN,
        evidence={f"h{odd}": [odd, {"deep": odd}], "é": 1.5, "big": 2**60, "when": NOON},  # type: ignore[dict-item]
        facts=(odd,),
    )
    with place.open() as ledger:
        ((seq, _, _),) = [(each.seq, each.id, each.new) for each in ledger.append([event], actor=f"Zo{odd}")]
        ledger.append(
            [Drift(event.address, odd, odd), Event(odd, sync_done("x", source=odd).body)], actor="t"
        )

        assert ledger.payload(seq) == {
            "address": "p\\udcffat@example.com",
            "key": "p\\udcffat@example.com",
            "evidence": {
                "h\\udcff": ["\\udcff", {"deep": "\\udcff"}],
                "é": "1.5",
                "big": str(2**60),
                "when": NOON.isoformat(),
            },
        }
        assert ledger.standing(event.address).against() is not None
        assert [each.entry.seq for each in ledger.history(event.address)] == [seq - 1, seq, seq + 1]


def test_evidence_nested_without_end_is_cut(place: Place) -> None:
    """Hostile nesting neither fails nor fills the stack."""
    deep: list[object] = []
    for _ in range(5000):
        deep = [deep]

    (seq,) = place.record(opt_out(evidence={"deep": deep}))  # type: ignore[dict-item]

    with place.open() as ledger:
        assert "nested too deeply" in json.dumps(ledger.payload(seq))


def test_an_entry_too_large_for_a_leaf_is_refused_whole(place: Place) -> None:
    """Nothing of the batch is kept."""
    huge = Event(
        "huge", SyncDone("x" * 70_000, "p", "window", True, None, None, 0, 0, 0, 0, 0, 0, 0, None, ())
    )
    with place.open() as ledger:
        with pytest.raises(BadUsage, match="over the limit"):
            ledger.append([opt_out(), huge], actor="test")

        assert ledger.head().size == 1


@pytest.mark.parametrize(
    "body",
    [
        LogOpened("o", "v", "k1", "c", 1),
        SubjectAdded("s", "c"),
        ImportDone("d", "p", "s", 5, 1, 1, 1, 1, None, None),
        ImportDone("d", "p", "s", 1, 1, 0, 0, 0, 0, 7),
        Honoured("d", 7, "a", 0, (), verified=True),
        Honoured("d", 0, "a", 0, (1,), verified=True),
        Corrected(7, "why"),
        Corrected(-1, "why"),
        SyncDone("s", "p", "window", True, None, None, 0, 0, 0, 0, 0, 0, 0, None, (9,)),
    ],
    ids=lambda body: type(body).__name__,
)
def test_what_verify_would_refuse_is_not_recorded(place: Place, body: LogOpened) -> None:
    """Counts that do not add up, references forward, and entries that only the ledger writes."""
    with place.open() as ledger:
        with pytest.raises(BadUsage):
            ledger.append([Event("one", body)], actor="test")

        assert ledger.head().size == 1


def test_a_consent_outside_the_calendar_is_refused(place: Place) -> None:
    """A consent has to be dated; it cannot be guessed."""
    with place.open() as ledger, pytest.raises(BadUsage, match="calendar"):
        ledger.append([consent(at=datetime.max.replace(tzinfo=timezone(timedelta(hours=-5))))], actor="t")


def test_the_approver_of_a_consent_is_evidence(place: Place) -> None:
    """Who approved it stands in the erasable payload, not in a leaf."""
    place.record(opt_out(at=NOON))
    (seq,) = place.record(consent(at=NOON + timedelta(days=1)))

    with place.open() as ledger:
        payload = ledger.payload(seq)
        assert payload is not None
        assert payload["evidence"] == {"approver": "Sam"}


def test_drift_is_recorded_and_never_obeyed(place: Place) -> None:
    """A platform that reports a suppressed person mailable lifts nothing."""
    place.record(opt_out())
    place.record(drift())

    with place.open() as ledger:
        assert ledger.standing(PAT).against() is not None
        assert [each.entry.body.type for each in ledger.history(PAT)] == [
            "subject.added",
            "optout.recorded",
            "drift.found",
        ]


def test_one_checkpoint_a_day_is_stored(place: Place) -> None:
    """The first append of a new day stores its signed head."""
    days = [NOON + timedelta(days=365, hours=hours) for hours in (0, 1, 24, 25)]
    for number, moment in enumerate(days):
        with place.open(clock=lambda moment=moment: moment) as ledger:
            ledger.append([sync_done(str(number))], actor="test")

    with place.raw() as connection:
        assert connection.execute("SELECT size FROM checkpoint").fetchall() == [(1,), (2,), (4,)]


def test_a_checkpoint_is_kept_once(place: Place) -> None:
    """A report that quotes the head has it stored; asking twice stores it once."""
    place.record(opt_out())
    with place.open() as ledger:
        head = ledger.keep_checkpoint()
        assert head == ledger.keep_checkpoint() == ledger.head()

    with place.raw() as connection:
        assert connection.execute("SELECT size, note FROM checkpoint ORDER BY size").fetchall()[1:] == [
            (3, head.note.encode())
        ]


# --- Nothing is signed over damage -----------------------------------------------------------------------


def test_a_frontier_that_does_not_match_its_note_is_not_signed(place: Place) -> None:
    """One flipped bit in the frontier, which only the next append reads, stops it."""
    place.record(opt_out())
    with place.raw() as connection:
        (frontier,) = connection.execute("SELECT frontier FROM head").fetchone()
        connection.execute("UPDATE head SET frontier = ?", (frontier[:5] + b"\x00" + frontier[6:],))

    with place.open() as ledger, pytest.raises(LedgerDamaged, match="signed note"):
        ledger.append([sync_done("one")], actor="test")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE head SET frontier = x'00'",
        "UPDATE head SET last_at = 'yesterday'",
        "UPDATE head SET note = x'ff'",
        "UPDATE head SET note = CAST('no note' AS BLOB)",
        "DROP TRIGGER head_no_delete; DELETE FROM head",
    ],
)
def test_a_head_that_cannot_be_read_is_not_signed(place: Place, statement: str) -> None:
    """Whatever was put there, the append is refused and names the damage."""
    with place.raw() as connection:
        connection.executescript(statement)

    with place.open() as ledger, pytest.raises(LedgerDamaged, match="head"):
        ledger.append([sync_done("one")], actor="test")


def test_an_older_copy_is_not_continued(place: Place) -> None:
    """After a restore, the high-water mark is ahead of the file: signing would fork the ledger."""
    put_back = place.remembered()
    place.record(opt_out())
    put_back()

    with place.open() as ledger, pytest.raises(LedgerDamaged, match="already signed"):
        ledger.append([sync_done("one")], actor="test")


def test_another_ledger_of_the_same_size_is_not_continued(place: Place) -> None:
    """A fork of equal length is told from the signed one by its root."""
    put_back = place.remembered()
    mark = (place.keys / "highwater").read_bytes()
    place.record(sync_done("one"))
    signed = (place.keys / "highwater").read_bytes()
    put_back()
    (place.keys / "highwater").write_bytes(mark)
    place.record(sync_done("other"))
    (place.keys / "highwater").write_bytes(signed)

    with place.open() as ledger, pytest.raises(LedgerDamaged, match="another ledger"):
        ledger.append([sync_done("two")], actor="test")


def test_a_high_water_mark_that_is_not_ours_stops_the_append(place: Place) -> None:
    """It is never assumed to be right when it cannot be read."""
    (place.keys / "highwater").write_bytes(b"\xff")
    with place.open() as ledger, pytest.raises(LedgerDamaged, match="highwater"):
        ledger.append([sync_done("one")], actor="test")

    (place.keys / "highwater").write_text("rubbish")
    with place.open() as ledger, pytest.raises(LedgerDamaged, match="high-water"):
        ledger.append([sync_done("one")], actor="test")


def test_a_lost_high_water_mark_is_written_again(place: Place) -> None:
    """Keys restored from a backup without it work; the next append writes it, even one that adds nothing."""
    place.record(opt_out())
    written = (place.keys / "highwater").read_bytes()
    (place.keys / "highwater").unlink()

    place.record(opt_out())

    assert (place.keys / "highwater").read_bytes() == written


def test_the_high_water_mark_never_falls(place: Place) -> None:
    """A slower process that writes its mark late does not lower it."""
    from suppress.ledger.keys import raise_highwater

    low = (place.keys / "highwater").read_text()
    place.record(opt_out())
    high = (place.keys / "highwater").read_text()

    raise_highwater(place.keys / "highwater", low)

    assert (place.keys / "highwater").read_text() == high


def test_a_person_row_that_no_entry_added_stops_the_append(place: Place) -> None:
    """The index of people is believed only as far as the ledger has them."""
    place.record(opt_out())
    with place.raw() as connection:
        connection.execute("DELETE FROM event WHERE seq = 1")

    with place.open() as ledger, pytest.raises(LedgerDamaged, match="not there"):
        ledger.append([opt_out(facts=("more",))], actor="test")


@pytest.mark.parametrize(
    ("kept", "says"),
    [
        ("INSERT INTO ledger VALUES (NEW.seq + 1, CAST('{}' AS BLOB))", "did not keep all entries"),
        ("UPDATE ledger SET leaf = CAST('{}' AS BLOB) WHERE seq = NEW.seq", "did not keep entry 2"),
    ],
    ids=["more", "other"],
)
def test_leaves_are_hashed_as_the_database_gives_them_back(place: Place, kept: str, says: str) -> None:
    """Where the table does not hold what was written, nothing is signed or kept."""
    with place.raw() as connection:
        connection.execute(guard_off("ledger_no_update"))
        if backends.on_server():
            text = kept.replace("CAST('{}' AS BLOB)", "convert_to('{}', 'UTF8')")
            body = f"BEGIN {text}; RETURN NULL; END"
            connection.executescript(
                f"CREATE FUNCTION evil() RETURNS trigger LANGUAGE plpgsql AS $${body}$$; "
                "CREATE TRIGGER evil AFTER INSERT ON payload FOR EACH ROW EXECUTE FUNCTION evil()"
            )
        else:
            connection.execute(f"CREATE TRIGGER evil AFTER INSERT ON payload BEGIN {kept}; END")
    with place.open() as ledger:
        with pytest.raises(LedgerDamaged, match=says):
            ledger.append([opt_out()], actor="test")

        assert ledger.head().size == 1
        assert len(list(ledger.entries())) == 1


def test_a_large_batch_is_one_transaction(place: Place) -> None:
    """Thousands of events, some of them known, come back in order with one new head."""
    place.record(*(opt_out(f"pat{number}@example.com") for number in range(0, 3000, 3)))
    events = [opt_out(f"pat{number}@example.com") for number in range(3000)]
    with place.open() as ledger:
        receipts = ledger.append(events, actor="test")

        assert [receipt.new for receipt in receipts] == [number % 3 != 0 for number in range(3000)]
        standings = ledger.standings([event.address for event in events])
        suppressions = [each.against() for each in standings]
        assert [each.seq for each in suppressions if each] == [receipt.seq for receipt in receipts]
        assert ledger.head().size == 1 + 6000


def test_a_leaf_is_canonical_json(place: Place) -> None:
    """What is kept is what RFC 8785 gives, checked with an implementation that is not ours."""
    import rfc8785

    place.record(opt_out("zoë@exämple.com", source="Müller/ß"), sync_done("é"))

    with place.open() as ledger:
        for entry in ledger.entries():
            assert rfc8785.dumps(json.loads(entry.leaf)) == entry.leaf == canonical(json.loads(entry.leaf))

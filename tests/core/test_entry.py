"""Leaves: what is read back is exactly what was hashed, and nothing else is read."""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from suppress.core import leaf as leaf_module
from suppress.core.canonical import MAX_INTEGER, NotCanonical, canonical, moment, timestamp
from suppress.core.entry import (
    BODIES,
    Body,
    CheckDone,
    Corrected,
    Entry,
    ImportDone,
    LogOpened,
    OptOutRecorded,
    SubjectAdded,
    SyncDone,
)
from suppress.core.leaf import MAX_LEAF, Glimpse, _reader, decode, encode, glimpse
from suppress.core.suppression import EVERYTHING, Channel, Json, Origin, Reason, Scope
from tests.strategies import json_values, moments, scopes

AT = datetime(2026, 11, 23, 12, 30, 0, 123, UTC)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
integers = st.integers(-MAX_INTEGER, MAX_INTEGER)
ascii_keys = st.text(st.characters(max_codepoint=127), max_size=8)


def values_of(hint: object) -> st.SearchStrategy[object]:
    """Any value of a body's field, from its type."""
    simple: dict[object, st.SearchStrategy[object]] = {
        str: texts,
        int: integers,
        bool: st.booleans(),
        datetime: moments(),
        Scope: scopes(),
    }
    if hint in simple:
        return simple[hint]
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return st.sampled_from(hint)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return st.one_of(*(st.none() if each is type(None) else values_of(each) for each in arguments))
    if origin is tuple:
        return st.lists(values_of(arguments[0]), max_size=4).map(tuple)
    assert origin is Mapping
    return st.dictionaries(ascii_keys, values_of(arguments[1]), max_size=4)


def bodies(*kinds: type[Body]) -> st.SearchStrategy[Body]:
    """Any body of these types, or of any."""
    return st.one_of(
        *(
            st.builds(
                body,
                **{each.name: values_of(typing.get_type_hints(body)[each.name]) for each in fields(body)},
            )
            for body in kinds or BODIES.values()
        )
    )


@settings(max_examples=500)
@given(st.integers(0, 2**40), texts, moments(), texts, bodies())
def test_every_entry_reads_back_from_its_leaf(
    seq: int, id_: str, at: datetime, actor: str, body: Body
) -> None:
    """Of every type, with every value; and reading gives the same bytes again."""
    leaf = encode(id_=id_, at=at, actor=actor, body=body)
    entry = decode(seq, leaf)

    assert entry == Entry(seq, id_, at, actor, body)
    assert entry.leaf == leaf


@settings(max_examples=500)
@given(json_values())
def test_canonical_bytes_are_those_of_rfc_8785(value: Json) -> None:
    """The standard library, under this module's restrictions, writes what an independent library writes."""
    assert canonical(value) == rfc8785.dumps(value)


@settings(max_examples=200)
@given(bodies())
def test_a_leaf_is_what_rfc_8785_makes_of_its_values(body: Body) -> None:
    """An auditor may build the leaf with their own tool."""
    leaf = encode(id_="id", at=AT, actor="tests", body=body)

    assert rfc8785.dumps(json.loads(leaf)) == leaf


def test_a_leaf_is_readable_without_us() -> None:
    """Field names, values and order as the documentation shows them."""
    leaf = encode(id_="01", at=AT, actor="kim", body=Corrected(7, "typed twice"))

    assert leaf == (
        b'{"actor":"kim","at":"2026-11-23T12:30:00.000123Z","entry":7,"id":"01","reason":"typed twice",'
        b'"type":"corrected","v":1}'
    )


def test_a_body_with_a_field_that_no_reader_knows_is_refused_when_it_is_written() -> None:
    """A new kind of field needs a reader before the first leaf of it exists."""
    with pytest.raises(TypeError, match="no reader for <class 'bytes'>"):
        _reader(bytes)


def test_the_types_are_those_of_the_design() -> None:
    """Each body has its own type name; the list only grows."""
    assert set(BODIES) == {
        "log.opened", "subject.added", "optout.recorded", "optin.recorded", "drift.found", "sync.done",
        "import.done", "check.done", "destination.changed", "disclosed", "honoured", "erased", "forgotten",
        "key.rotated", "indexkey.rotated", "report.issued", "restored", "corrected",
        "domain.suppressed", "domain.lifted", "hashes.trusted", "waiver.recorded", "patrol.done",
    }  # fmt: skip


CHECK = CheckDone("00", 1, 1, 0, 0, 0)
CHECKED = encode(id_="1", at=AT, actor="x", body=CHECK)


def test_a_leaf_from_before_a_field_was_added_is_still_what_is_written() -> None:
    """A later field that says nothing is not there, so that no old leaf changes its hash."""
    assert CHECKED == (
        b'{"actor":"x","at":"2026-11-23T12:30:00.000123Z","digest":"00","id":"1","invalid":0,"kept":1,'
        b'"review":0,"rows":1,"type":"check.done","v":1,"withheld":0}'
    )
    assert decode(0, CHECKED).body == CHECK


def test_a_later_field_is_written_only_where_it_says_something() -> None:
    """One value has one leaf: a null in its place is refused."""
    said = encode(id_="1", at=AT, actor="x", body=replace(CHECK, waived=0))

    assert b'"v":1,"waived":0,"withheld":0' in said
    with pytest.raises(NotCanonical, match="fields"):
        decode(0, said.replace(b'"waived":0', b'"waived":null'))


# --- The strict reader -----------------------------------------------------------------------------------

OPT_OUT = OptOutRecorded(
    subject="5f1c",
    channel=Channel.EMAIL,
    scope=Scope("Acme", "News"),
    reason=Reason.UNSUBSCRIBED,
    source="main",
    origin=Origin.PLATFORM,
    occurred_at=AT,
    received_at=None,
    visibility=None,
    pii="00" * 32,
)
LEAF = encode(id_="é/1", at=AT, actor="suppress", body=OPT_OUT)
CENSUS = SyncDone("main", "acme", "census", True, None, None, 1, 2, 3, 4, 5, 6, 7, {"a": 1}, (1, 2))
SYNC = encode(id_="1", at=AT, actor="suppress", body=CENSUS)


def test_the_leaf_that_is_mutated_below_is_good() -> None:
    """So that each refusal has one reason."""
    assert decode(0, LEAF).body == OPT_OUT
    assert isinstance(decode(0, SYNC).body, SyncDone)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (b'"v":1', b'"v":1,"x":1', "fields"),
        (b',"pii":"', b',"qii":"', "fields"),
        (b'"source":"main",', b"", "fields"),
        (b'"v":1', b'"v":2', "unknown format 2"),
        (b'"v":1', b'"v":"1"', "unknown format '1'"),
        (b'"v":1', b'"v":true', "unknown format True"),
        (b'"v":1', b'"v":1.0', "a float"),
        (b'"v":1', b'"v":1e0', "a float"),
        (b'"v":1', b'"v":NaN', "unknown format"),
        (b'"v":1', b'"v":01', "not JSON"),
        (b'"v":1', b'"v":+1', "not JSON"),
        (b',"v":1', b"", "unknown format None"),
        (b'"type":"optout.recorded"', b'"type":"optout"', "unknown type 'optout'"),
        (b'"type":"optout.recorded"', b'"type":7', "unknown type 7"),
        (b'"type":"optout.recorded",', b"", "unknown type None"),
        (b'"source":"main"', b'"source":"main","source":"main"', "a key stands twice"),
        (b'"source":"main"', b'"source": "main"', "not in canonical form"),
        (b'"source":"main"', b'"source":"\\u006dain"', "not in canonical form"),
        ("é".encode(), b"\\u00e9", "not in canonical form"),
        (b"Acme/News", b"Acme\\/News", "not in canonical form"),
        ("é".encode(), b"\\u00E9", "not in canonical form"),
        ("é".encode(), b"\xe9", "not JSON"),
        ("é".encode(), b"\\ud800", "lone surrogate"),
        (b'"main"', b'"ma\tin"', "not JSON"),
        (b'"main"', b"null", "expected text, found None"),
        (b'"main"', b"7", "expected text, found 7"),
        (b'"main"', b'["main"]', "expected text"),
        (b'"email"', b'"fax"', "fax"),
        (b"list:Acme/News", b"list:Acme", "a sender or list needs a name"),
        (b"list:Acme/News", b"Everything", "not a scope"),
        (b"000123Z", b"000123+00:00", "not a 27-character time"),
        (b"000123Z", b"00012Z", "not a 27-character time"),
        (b"2026-11-23T", b"2026-11-23 ", "not a 27-character time"),
        (b"2026-11-23T", b"2026-13-23T", "month must be"),
        (b"2026-11-23T12:30:00.000123Z", b"9999-12-31T23:59:59.000000-01:00", "27-character"),
        (b"}", b"} ", "not in canonical form"),
        (b"}", b"}\n", "not in canonical form"),
        (b"}", b"", "not JSON"),
        (b"}", b"}{}", "not JSON"),
        (b"{", b"[", "not JSON"),
        (b"{", b"\xef\xbb\xbf{", "not JSON"),
    ],
)  # fmt: skip
def test_a_leaf_that_was_not_written_by_us_is_refused(old: bytes, new: bytes, problem: str) -> None:
    """One change each: a field, a type, a spelling."""
    assert LEAF.count(old) >= 1

    with pytest.raises(NotCanonical, match=problem):
        decode(0, LEAF.replace(old, new, 1) if old != b"}" else LEAF[:-1] + new)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (b'"complete":true', b'"complete":1', "expected true or false"),
        (b'"requests":1', b'"requests":true', "expected a whole number"),
        (b'"requests":1', b'"requests":"1"', "expected a whole number"),
        (b'"requests":1', b'"requests":9007199254740992', "past 2"),
        (b'"requests":1', b'"requests":-0', "not in canonical form"),
        (b'"requests":1', b'"requests":' + b"9" * 5_000, "not JSON"),
        (b'"census":{"a":1}', b'"census":[1]', "expected an object"),
        (b'"census":{"a":1}', b'"census":{"a":null}', "expected a whole number"),
        (b'"census":{"a":1}', b'"census":{"a":1,"a":1}', "a key stands twice"),
        (b'"census":{"a":1}', '"census":{"é":1}'.encode(), "not ASCII"),
        (b'"drift":[1,2]', b'"drift":{"1":2}', "expected a list"),
        (b'"drift":[1,2]', b'"drift":[1,"2"]', "expected a whole number"),
        (b'"drift":[1,2]', b'"drift":[1,2.0]', "a float"),
        (b'"drift":[1,2]', b'"drift":' + b"[" * 20_000 + b"]" * 20_000, "not JSON|expected a whole number"),
    ],
)
def test_a_value_of_another_kind_is_refused(old: bytes, new: bytes, problem: str) -> None:
    """`1` is not `true`, and neither is `1.0`."""
    assert SYNC.count(old) == 1

    with pytest.raises(NotCanonical, match=problem):
        decode(0, SYNC.replace(old, new))


def test_reordered_fields_are_refused() -> None:
    """The same values in another order are other bytes."""
    values = json.loads(LEAF)
    reordered = json.dumps(dict(reversed(values.items())), separators=(",", ":"), ensure_ascii=False).encode()

    assert json.loads(reordered) == values
    with pytest.raises(NotCanonical, match="not in canonical form"):
        decode(0, reordered)


@pytest.mark.parametrize("leaf", [b"", b"null", b"[]", b'"x"', b"7", b"{}", b"\x00", b"{" * 60_000], ids=repr)
def test_bytes_that_are_no_object_are_refused(leaf: bytes) -> None:
    """Whatever else may lie in the table."""
    with pytest.raises(NotCanonical):
        decode(0, leaf)


@settings(max_examples=500)
@given(st.integers(0, len(LEAF) * 8 - 1))
def test_a_flipped_bit_is_refused_or_reads_as_itself(bit: int) -> None:
    """No changed leaf is taken for the one that was written: its hash differs, or it is refused."""
    changed = bytearray(LEAF)
    changed[bit // 8] ^= 1 << bit % 8
    try:
        entry = decode(0, bytes(changed))
    except NotCanonical:
        return

    assert entry.leaf == bytes(changed) != LEAF
    assert entry != decode(0, LEAF)


@settings(max_examples=300)
@given(
    st.one_of(
        st.binary(max_size=200), st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace"))
    )
)
def test_reading_raises_nothing_but_its_own_refusal(leaf: bytes) -> None:
    """Any bytes."""
    with pytest.raises(NotCanonical):
        decode(0, leaf)


def test_a_leaf_has_at_most_65535_bytes() -> None:
    """The last byte fits, the next is refused, written or read."""
    empty = len(encode(id_="", at=AT, actor="", body=Corrected(0, "")))
    longest = encode(id_="", at=AT, actor="", body=Corrected(0, "x" * (MAX_LEAF - empty)))

    assert len(longest) == MAX_LEAF
    assert decode(0, longest).leaf == longest
    with pytest.raises(NotCanonical, match="65,536 bytes is over the limit"):
        encode(id_="", at=AT, actor="", body=Corrected(0, "x" * (MAX_LEAF - empty + 1)))
    with pytest.raises(NotCanonical, match="over 65,535 bytes"):
        decode(0, longest.replace(b"xx", b"xxx", 1))


# --- What cannot be written ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (1.0, "a float has no canonical form"),
        (float("nan"), "a float has no canonical form"),
        ({"a": [1, {"b": 0.5}]}, "a float has no canonical form"),
        (MAX_INTEGER + 1, "past 2"),
        (-MAX_INTEGER - 1, "past 2"),
        ({"é": 1}, "not ASCII"),
        ("\ud800", "lone surrogate"),
        (b"bytes", "a bytes has no canonical form"),
        ({1, 2}, "a set has no canonical form"),
    ],
)  # fmt: skip
def test_a_value_that_encoders_write_differently_is_refused(value: Json, problem: str) -> None:
    """Floats, long integers, other keys: RFC 8785 leaves them to the reader's number format."""
    with pytest.raises(NotCanonical, match=problem):
        canonical(value)


def test_values_nested_without_end_are_refused() -> None:
    """With our refusal, not with the interpreter's."""
    deep: Json = None
    for _ in range(100_000):
        deep = [deep]

    with pytest.raises(NotCanonical, match="nested too deep"):
        canonical(deep)


def test_a_frozen_mapping_is_written_as_an_object() -> None:
    """Evidence may come in a mapping that is no dict."""
    assert canonical(types.MappingProxyType({"b": (1, 2), "a": None})) == b'{"a":null,"b":[1,2]}'


def test_a_body_of_a_wrong_value_is_refused() -> None:
    """Types are promises; the bytes are checked."""
    with pytest.raises(NotCanonical, match="a float has no canonical form"):
        encode(id_="1", at=AT, actor="x", body=Corrected(0.5, "x"))  # type: ignore[arg-type]  # the point
    with pytest.raises(NotCanonical, match="a object has no canonical form"):
        encode(id_="1", at=AT, actor="x", body=Corrected(object(), "x"))  # type: ignore[arg-type]  # the point


@settings(max_examples=200)
@given(moments(), st.timezones())
def test_a_time_is_27_characters_in_utc_whatever_its_zone(at: datetime, zone: object) -> None:
    """Text order is time order, and reading gives the instant back."""
    local = at.astimezone(zone)  # type: ignore[arg-type]  # hypothesis types zones loosely

    assert len(timestamp(local)) == 27
    assert timestamp(local) == timestamp(at)
    assert moment(timestamp(local)) == at


@settings(max_examples=200)
@given(moments(), moments())
def test_times_sort_as_text(one: datetime, other: datetime) -> None:
    """So that a query may compare them."""
    assert (timestamp(one) < timestamp(other)) == (one < other)


def test_whole_seconds_keep_their_microseconds() -> None:
    """The trap of `isoformat`: round times would be shorter."""
    assert (
        timestamp(datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=-5)))) == "2026-01-01T05:00:00.000000Z"
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-01-01",
        "2026-01-01T00:00:00Z",
        "2026-01-01T00:00:00.000000",
        "2026-W01-1",
        "20260101T000000Z",
    ],
)
def test_no_other_form_of_a_time_is_read(text: str) -> None:
    """One instant has one text."""
    with pytest.raises(ValueError, match=r"27-character|isoformat"):
        moment(text)


def test_the_first_entry_names_the_ledger_and_its_rules() -> None:
    """Origin, keys, and the version of the match-key rules under which people were indexed."""
    opened = LogOpened("example.com/log", "example.com/log+00000000+AQ==", "k1", "00" * 32, 1)

    assert decode(0, encode(id_="open", at=AT, actor="init", body=opened)).body == opened


def test_an_import_that_rejected_everything_has_no_first_entry() -> None:
    """None is written as null and read as None."""
    done = ImportDone("00", "generic", "old list", 3, 0, 0, 0, 3, None, None)

    assert decode(0, encode(id_="i", at=AT, actor="x", body=done)).body == done


def test_the_scope_of_everything_is_one_word() -> None:
    """Scopes are written as people write them."""
    assert b'"scope":"list:Acme/News"' in LEAF
    assert str(EVERYTHING) == "everything"


# --- The leaves that nearly all are ------------------------------------------------------------------------

COMMONPLACE = [OptOutRecorded, SubjectAdded]


def read_both_ways(leaf: bytes) -> tuple[Entry | str, Entry | str]:
    """An entry, or that it is refused: read by pattern where there is one, and field by field."""

    def read() -> Entry | str:
        try:
            return decode(7, leaf)
        except NotCanonical:
            return "refused"

    by_pattern = read()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(leaf_module, "_patterns", list)
        return by_pattern, read()


@pytest.mark.parametrize("kind", COMMONPLACE)
@given(data=st.data())
@settings(max_examples=100)
def test_a_leaf_that_is_read_by_pattern_is_read_as_any_other(kind: type[Body], data: st.DataObject) -> None:
    """Also where some of its bytes were changed: the same entry, or refused."""
    leaf = encode(id_=data.draw(texts), at=AT, actor=data.draw(texts), body=data.draw(bodies(kind)))
    changed = bytearray(leaf)
    for place in data.draw(st.lists(st.integers(0, len(leaf) - 1), max_size=3)):
        changed[place] = data.draw(st.sampled_from(b'"\\{}:,0aZ \x00\x1f\x7f\xc3'))
    for each in (leaf, bytes(changed)):
        by_pattern, by_field = read_both_ways(each)

        assert by_pattern == by_field
        if isinstance(by_pattern, Entry):
            assert by_pattern.leaf == each
        glimpsed = glimpse(each)
        assert glimpsed is None or glimpsed == told_by(by_field)


def told_by(entry: Entry | str) -> Glimpse:
    """What a glimpse shows, from the entry as it is read field by field."""
    assert isinstance(entry, Entry)
    assert isinstance(entry.body, OptOutRecorded | SubjectAdded)
    commitment = entry.body.sid if isinstance(entry.body, SubjectAdded) else entry.body.pii
    return Glimpse(entry.body.type, entry.id, timestamp(entry.at), entry.body.subject, commitment)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("unsubscribed", "unsubscribe"),
        ('"everything"', '"sender:"'),
        ('"everything"', '"list:A/"'),
        ("2026-11-23T12:30:00.000123Z", "2026-11-23T12:30:00.000123z"),
        ("2026-11-23T12:30:00.000123Z", "2026-02-30T12:30:00.000123Z"),
        ('"v":1', '"v":2'),
        ('"pii"', '"pij"'),
        ('"occurred_at":null', '"occurred_at":""'),
        ('"occurred_at":null', '"occurred_at":"null"'),
        ('"main"', '"ma\\u0069n"'),
        ('"main"', '"ma\ud800in"'),
    ],
)
def test_what_is_no_leaf_is_refused_both_ways(old: str, new: str) -> None:
    """Values that have the form of one and are none."""
    body = OptOutRecorded(
        "s", Channel.EMAIL, EVERYTHING, Reason.UNSUBSCRIBED, "main", Origin.FILE, None, AT, None, "p"
    )
    leaf = encode(id_="i", at=AT, actor="main", body=body).decode()
    assert old in leaf

    changed = leaf.replace(old, new).encode(errors="surrogatepass")
    assert ("refused", "refused") == read_both_ways(changed)
    assert glimpse(changed) is None


def test_nearly_all_leaves_are_read_by_pattern(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else verifying a million of them would take three times as long, and nobody would see why."""
    body = OptOutRecorded(
        "s", Channel.SMS, Scope("Acme", "News"), Reason.UNSUBSCRIBED, "ä b", Origin.FILE, AT, None, None, "p"
    )
    leaf = encode(id_="i", at=AT, actor="sync", body=body)
    escaped = encode(id_="i", at=AT, actor='"', body=body)
    monkeypatch.setattr(leaf_module, "read_object", {}.__getitem__)

    assert body == decode(1, leaf).body
    assert glimpse(leaf) == Glimpse(body.type, "i", timestamp(AT), "s", "p")
    assert glimpse(encode(id_="i", at=AT, actor="sync", body=SubjectAdded("i", "c"))) is not None
    assert glimpse(leaf.replace(b"sync", b"s" * MAX_LEAF)) is None
    with pytest.raises(KeyError):
        decode(1, escaped)

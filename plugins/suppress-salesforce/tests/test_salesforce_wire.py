"""Answers are read strictly: what is not as promised is an error, never half understood."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from suppress_salesforce import wire
from suppress_salesforce.records import Found, Record, record, same, sort_in
from suppress_salesforce.settings import Target

from suppress.plugin.contract import Remote
from suppress.plugin.transport import Reply

CONTACT = Target("Contact", ("Email",), "HasOptedOutOfEmail")
IDS = st.integers(0, 10**9).map(lambda number: f"0035g{number:010d}AAA")


def reply(value: object, usage: str = "") -> Reply:
    """An answer."""
    headers = {"sforce-limit-info": usage}
    return Reply(200, headers, value if isinstance(value, bytes) else json.dumps(value).encode())


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (wire.query_page, {"totalSize": 1, "done": False, "records": []}),
        (wire.query_page, {"totalSize": 1, "done": True, "records": [], "nextRecordsUrl": "/x"}),
        (wire.query_page, {"totalSize": 1, "done": True, "records": [None]}),
        (wire.query_page, {"done": True, "records": []}),
        (wire.query_page, [1]),
        (wire.query_page, b"{"),
        (wire.job, {"id": "750"}),
        (wire.job, []),
        (wire.fields, {"name": "Contact"}),
        (wire.fields, []),
    ],
)
def test_an_answer_of_another_shape_is_no_answer(read: Callable[[Reply], object], value: object) -> None:
    """Nothing is made up for what is missing."""
    with pytest.raises(wire.NotAsPromised):
        read(reply(value))


@given(st.lists(IDS, min_size=1, max_size=8, unique=True), st.data())
@settings(max_examples=60)
def test_results_belong_to_the_records_in_their_order(idents: list[str], data: st.DataObject) -> None:
    """One each; fewer, more, or another record's are refused."""
    codes = data.draw(st.lists(st.sampled_from(["", "X"]), min_size=len(idents), max_size=len(idents)))
    answer: list[object] = [
        {"success": False, "errors": [{"statusCode": code, "message": "", "fields": []}]}
        if code
        else {"id": ident, "success": True, "errors": []}
        for ident, code in zip(idents, codes, strict=True)
    ]

    assert [wire.Saved(*each) for each in zip(idents, [code or None for code in codes], strict=True)] == (
        wire.saves(reply(answer), idents)
    )
    other = {"id": "0039999999999999AAA", "success": True, "errors": []}
    for wrong in (answer[1:], [*answer, other], [other, *answer[1:]], {"success": True}):
        with pytest.raises(wire.NotAsPromised):
            wire.saves(reply(wrong), idents)


@pytest.mark.parametrize(
    "error", [{"success": False, "errors": []}, {"success": "true", "id": "0035g0000000001AAA"}, None, {}]
)
def test_a_result_without_a_reason_or_a_success_is_refused(error: object) -> None:
    """Neither yes nor no."""
    with pytest.raises(wire.NotAsPromised):
        wire.saves(reply([error]), ["0035g0000000001AAA"])


@given(st.lists(st.tuples(IDS, st.text(max_size=30)), max_size=10))
@settings(max_examples=100)
def test_rows_of_a_file_read_back(rows: Sequence[tuple[str, str]]) -> None:
    """Whatever a vendor's message holds: commas, quotes and line ends."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerows([("sf__Id", "sf__Error", "Id"), *((ident, text, ident) for ident, text in rows)])
    found = wire.rows(reply(out.getvalue().encode()), "Id", "sf__Error")

    assert [(ident, text) for ident, text in rows] == list(found)


@pytest.mark.parametrize(
    "file", [b'"Id"\n"1","2"\n', b'"sf__Id"\n', b"\xff\xfe\n", b'"Id"\n"open', b"<html></html>"]
)
def test_a_file_with_other_columns_is_no_result(file: bytes) -> None:
    """Nor is one that breaks off."""
    with pytest.raises(wire.NotAsPromised):
        list(wire.rows(reply(file), "Id"))


def test_an_empty_file_has_no_rows() -> None:
    """Some of the three are empty, header and all."""
    assert [] == list(wire.rows(reply(b""), "Id"))


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("api-usage=1201/100000", (1201, 100_000)),
        ("api-usage=25/5000, per-app-api-usage=17/250(appName=x)", (25, 5_000)),
        ("per-app-api-usage=17/250", None),
        ("api-usage=x/y", None),
        ("api-usage=1/0", None),
        ("", None),
    ],
)
def test_usage_is_read_from_the_header(header: str, expected: tuple[int, int] | None) -> None:
    """In both of its forms."""
    assert expected == wire.usage(reply({}, header))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ([{"errorCode": "A", "message": "b"}], ("A", "b")),
        ({"error": "a", "error_description": "b"}, ("a", "b")),
        ([], ("", "")),
        (b"<html>", ("", "")),
    ],
)
def test_a_complaint_is_read_in_either_form(body: object, expected: tuple[str, str]) -> None:
    """REST answers with a list, the token endpoint with an object."""
    assert expected == wire.complaint(reply(body))


@pytest.mark.parametrize("text", [None, "yesterday", 5])
def test_a_time_that_is_none_is_none(text: object) -> None:
    """A time is never made up."""
    assert wire.instant(text) is None
    known = wire.instant("2026-11-23T09:00:00.000+0000")
    assert known == wire.instant("2026-11-23T09:00:00") == wire.instant("2026-11-23T09:00:00Z")


@pytest.mark.parametrize(
    "row", [{"HasOptedOutOfEmail": True}, {"Id": "1"}, {"Id": "1", "HasOptedOutOfEmail": "yes"}]
)
def test_a_record_without_its_checkbox_is_refused(row: dict[str, object]) -> None:
    """One that is not shown is not false."""
    with pytest.raises(wire.NotAsPromised):
        record(CONTACT, row)


RECORDS = st.builds(
    Record,
    kind=st.sampled_from(["Contact", "Lead"]),
    ident=IDS,
    addresses=st.lists(st.sampled_from(["pat@example.com", "PAT@example.com", "kim@example.com"])).map(tuple),
    opted_out=st.booleans(),
    converted=st.booleans(),
)


@given(st.lists(RECORDS, max_size=8, unique_by=lambda each: each.ident))
@settings(max_examples=200)
def test_whoever_may_be_mailed_by_any_record_is_mailable(records: list[Record]) -> None:
    """Suppressed only if each record of the address says so; nobody else's record counts."""
    found = {"pat@example.com": Found()}
    sort_in(found, records)
    mine = [each for each in records if "pat@example.com" in map(same, each.addresses)]
    state = found["pat@example.com"].state

    assert (state is Remote.UNKNOWN) == (not mine)
    assert (state is Remote.MAILABLE) == any(not each.opted_out and not each.converted for each in mine)
    assert {each.ident for each in found["pat@example.com"].to_write} == {
        each.ident for each in mine if not each.opted_out and not each.converted
    }

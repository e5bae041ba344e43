"""The JSON report keeps its published schema, and the schema says no less than the report."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from suppress.report import json as as_json
from suppress.report.facts import Facts
from suppress.report.schema import schema
from tests.report.books import Book
from tests.report.samples import quarter
from tests.report.test_html import HOSTILE, busy

PUBLISHED = Path(__file__).parents[2] / "docs" / "reference" / "report.schema.json"
VALIDATOR = Draft202012Validator(
    json.loads(PUBLISHED.read_text(encoding="utf-8")), format_checker=Draft202012Validator.FORMAT_CHECKER
)


def test_the_schema_is_one() -> None:
    """By the dialect that it names."""
    Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize(
    "make",
    [quarter, Book().facts, lambda: busy(full=True, text=HOSTILE), lambda: quarter(full=True)],
    ids=["quarter", "empty", "hostile", "full"],
)
def test_a_report_keeps_it(make: Callable[[], Facts]) -> None:
    """Whatever the ledger holds."""
    VALIDATOR.validate(json.loads(as_json.render(make())))


def test_nothing_in_a_report_is_missing_from_it() -> None:
    """Every name, at every depth, is described: closed against other names it still holds."""
    closed = copy.deepcopy(schema())
    for each in (closed, *closed["$defs"].values()):
        each["additionalProperties"] = False

    Draft202012Validator(closed).validate(json.loads(as_json.render(quarter(full=True))))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda found: found.pop("verdict"),
        lambda found: found.update(schema="suppress/report@2"),
        lambda found: found["verdict"].update(late="three"),
        lambda found: found["manifest"].update(as_of=5),
        lambda found: found["deadlines"]["missed"][0].update(state="sometime"),
        lambda found: found["deadlines"]["missed"][0].pop("cause"),
    ],
)
def test_a_spoiled_report_does_not(spoil: Callable[[Any], object]) -> None:
    """It is not a schema that takes anything."""
    found = json.loads(as_json.render(quarter()))
    spoil(found)

    assert not VALIDATOR.is_valid(found)


def test_a_kind_without_a_form_is_refused() -> None:
    """As in the report itself."""
    from suppress.report.schema import _kind

    with pytest.raises(TypeError, match="has no place in a report"):
        _kind(complex, {}, {})

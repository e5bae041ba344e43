"""Holds requests and answers against the vendor's published contract, for tests only.

    with validated(Simulator(demo_scenario())) as cc:
        ...                      # talk to cc.url
    # leaving the block fails if any exchange broke the contract

The contract (Swagger 2.0, licence "Private") lies beside the project in `../shared/specs`, never inside it.
Where it is absent, `validated` checks nothing, and tests that are about the contract alone skip.

Where the platform is known to differ from its own contract, `EXCEPTIONS` says so with the reason; a test
proves that each of them is still needed.
"""

from __future__ import annotations

import copy
import json
import re
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft4Validator, FormatChecker

from suppress.platforms.constant_contact.simulator import Exchange, Simulator

SPEC = Path(__file__).parents[1] / ".." / "shared" / "specs" / "constant-contact-v3.openapi.yaml"
needs_contract = pytest.mark.skipif(
    not SPEC.exists(), reason="the vendor's contract is not there: ../shared/specs (it may not be copied)"
)
UNDECLARED = {
    429: "the gateway limits every operation, though the contract lists 429 for few",
    503: "the gateway may be unavailable, though some operations do not say so",
}
"""Statuses that come from in front of the API. 502, an HTML page, is the gateway's own too."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One way in which an exchange differs from the contract."""

    operation: str
    status: int
    where: str
    """`request.query.NAME`, `request.body/…`, `answer/…` with `*` for any index."""
    message: str

    def __str__(self) -> str:
        return f"{self.operation} ({self.status}) {self.where}: {self.message}"


@dataclass(frozen=True, slots=True)
class Deviation:
    """A known difference between the platform and its contract."""

    reason: str
    operation: str = ".*"
    where: str = ".*"
    message: str = ".*"

    def covers(self, problem: Problem) -> bool:
        """Whether this is that difference."""
        return all(
            re.fullmatch(pattern, text, re.DOTALL) is not None
            for pattern, text in (
                (self.operation, problem.operation),
                (self.where, problem.where),
                (self.message, problem.message),
            )
        )


EXCEPTIONS = (
    Deviation(
        "`cursor` is in no operation of the contract; it appears only inside `_links.next.href`",
        where="request.query.cursor",
        message="not declared",
    ),
    Deviation(
        "reports end with `next: null`, and contacts may (switches last_page, report_last_page)",
        where="answer/_links/next",
        message="None is not of type 'object'",
    ),
    Deviation(
        "`deleted_at` is a date in the contract, a time stamp in the guide (switch deleted_at_has_time)",
        where=".*/deleted_at",
        message=".* is not a 'date'",
    ),
    Deviation(
        "the contract's own sample of `consent_action_time` is `2023-01-23 06:09:23 -0800`",
        operation="GET /contacts/sms_engagement_history/{contact_id}",
        where=r"answer/\*/history_details/consent_action_time",
        message=".* is not a 'date-time'",
    ),
    Deviation(
        "dates without a time are taken by the real API, the guide shows them too",
        where=r"request\.query\.\w+_(after|before|date)",
        message="'[0-9-]+' is not a 'date-time'",
    ),
    Deviation(
        "older builds of the contract list `sms_channel` (switch sms_needs_include)",
        where=r"request\.query\.include",
        message="'sms_channel' is not one of .*",
    ),
)


@contextmanager
def validated(simulator: Simulator) -> Iterator[Simulator]:
    """Run the simulator; afterwards every exchange must have kept to the contract."""
    with simulator:
        yield simulator
    if SPEC.exists():
        assert not (found := problems(simulator.requests)), "\n".join(map(str, found))


def problems(exchanges: Iterable[Exchange]) -> list[Problem]:
    """What breaks the contract, known exceptions left out."""
    found = (problem for exchange in exchanges for problem in Contract.load().check(exchange))
    return [problem for problem in found if not any(known.covers(problem) for known in EXCEPTIONS)]


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path of the contract."""

    method: str
    template: str
    parameters: tuple[dict[str, Any], ...]
    responses: dict[int, dict[str, Any]]
    pattern: re.Pattern[str] = field(compare=False)

    @property
    def name(self) -> str:
        """`GET /contacts/{contact_id}`."""
        return f"{self.method} {self.template}"


class Contract:
    """The vendor's operations, as JSON Schema."""

    def __init__(self, swagger: dict[str, Any]) -> None:
        self.base = str(swagger["basePath"])
        self._definitions = converted(swagger["definitions"])
        self._validators: dict[tuple[str, bool], Draft4Validator] = {}
        self.operations = tuple(_operations(swagger["paths"]))

    @staticmethod
    @cache
    def load() -> Contract:
        """The contract beside the project."""
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        return Contract(yaml.load(SPEC.read_text(encoding="utf-8"), Loader=loader))

    def operation(self, method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
        """The operation of a request; a literal path wins over a template."""
        inside = path.removeprefix(self.base)
        for operation in self.operations:
            found = operation.pattern.fullmatch(inside)
            if operation.method == method and found is not None:
                return operation, found.groupdict()
        return None

    def check(self, exchange: Exchange) -> list[Problem]:
        """How one exchange differs from the contract. Sign-in and unknown paths are outside of it."""
        found = self.operation(exchange.method, exchange.path)
        if not exchange.path.startswith(f"{self.base}/") or found is None:
            return []
        operation, path = found
        wrong = [] if exchange.status in {400, 415} else [*self._request(operation, path, exchange)]
        wrong += self._answer(operation, exchange)
        return [Problem(operation.name, exchange.status, where, message) for where, message in wrong]

    # --- Requests ----------------------------------------------------------------------------------------

    def _request(
        self, operation: Operation, path: dict[str, str], exchange: Exchange
    ) -> Iterator[tuple[str, str]]:
        declared = {(one["in"], one["name"]): one for one in operation.parameters}
        for name, text in exchange.query:
            parameter = declared.get(("query", name))
            if parameter is None:
                yield f"request.query.{name}", "not declared"
            else:
                yield from ((f"request.query.{name}", one) for one in self._value(parameter, text))
        for name, text in path.items():
            yield from ((f"request.path.{name}", one) for one in self._value(declared["path", name], text))
        given = {name for name, _ in exchange.query}
        for (place, name), parameter in declared.items():
            if place == "query" and parameter.get("required") and not {name, "cursor"} & given:
                yield f"request.query.{name}", "required"
            if place == "body" and exchange.status < 400:
                value = json.loads(exchange.request.body)
                yield from self._schema(parameter["schema"], value, "request.body", strict=False)

    def _value(self, parameter: dict[str, Any], text: str) -> Iterator[str]:
        # `tags` is one UUID by its format and several, separated by commas, by its text.
        several = parameter.get("format") == "csv" or parameter["name"] == "tags"
        words = text.split(",") if several else [text]
        rule = parameter.get("items", parameter)
        for word in words:
            value: object = word
            bounds = {"minimum", "maximum"} & rule.keys() and rule.get("format") not in {"csv", "uuid"}
            if rule.get("type") == "integer" or (bounds and "default" in rule):
                # `limit` of the reports is typed as a string with a minimum and a maximum.
                value = int(word) if re.fullmatch("-?[0-9]+", word) else word
            if rule.get("type") == "boolean":
                value = {"true": True, "false": False}.get(word, word)
            kept = {"enum", "minimum", "maximum", "format"} if bounds else {"enum", "format"}
            schema = {key: held for key, held in rule.items() if key in kept}
            if rule.get("type") in {"integer", "boolean"}:
                schema |= {"type": rule["type"]}
            yield from (error.message for error in _validator(schema).iter_errors(value))

    # --- Answers -----------------------------------------------------------------------------------------

    def _answer(self, operation: Operation, exchange: Exchange) -> Iterator[tuple[str, str]]:
        response = exchange.response
        if response.cut is not None or exchange.status == 502:
            return
        if exchange.status not in operation.responses.keys() | UNDECLARED.keys():
            yield "answer", f"status {exchange.status} is not declared"
            return
        if response.content_type.startswith("text/csv"):
            return
        if exchange.status == 204:
            if response.body:
                yield "answer", "204 has no content"
            return
        try:
            value = json.loads(response.body)
        except ValueError:
            yield "answer", "is not JSON"
            return
        if exchange.status >= 400:
            yield from self._schema(self._error(operation, exchange.status), value, "answer", strict=True)
            return
        schema = operation.responses[exchange.status].get("schema")
        if schema is not None:
            yield from self._schema(schema, value, "answer", strict=True)

    def _error(self, operation: Operation, status: int) -> dict[str, Any]:
        """The contract names no schema for errors, but defines their three shapes."""
        report = operation.template.startswith("/reports/") and status != 403
        alone = status in {401, 429, 500, 503} or report
        queue = status == 429 and operation.template.startswith("/activities/")
        one = {"type": "object", "required": ["error_key", "error_message"]}
        one |= {"properties": self._definitions["AuthorizationErrorSchema"]["properties"]}
        many = {"type": "array", "minItems": 1, "items": one}
        if queue:
            return {"anyOf": [one, many]}
        return one if alone else many

    def _schema(
        self, schema: dict[str, Any], value: object, where: str, *, strict: bool
    ) -> Iterator[tuple[str, str]]:
        key = json.dumps(schema, sort_keys=True, default=str), strict
        if key not in self._validators:
            root = converted(schema) | {"definitions": self._definitions}
            self._validators[key] = _validator(_closed(root) if strict else root)
        for error in self._validators[key].iter_errors(value):
            steps = ["*" if isinstance(step, int) else str(step) for step in error.absolute_path]
            yield "/".join([where, *steps]), error.message


def converted(schema: Any) -> Any:
    """Swagger 2.0 as JSON Schema draft 4: nullable values, and limits that cannot mean what they say."""
    if isinstance(schema, list):
        return [converted(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: converted(value) for key, value in schema.items() if key not in {"example", "examples"}}
    if made.get("maxItems") == 0:
        del made["maxItems"]  # "up to 50" in the text beside it
    if made.pop("x-nullable", False) is True and isinstance(made.get("type"), str):
        made["type"] = [made["type"], "null"]
    return made


def _closed(schema: Any) -> Any:
    """The same schema, refusing members that it does not declare."""
    if isinstance(schema, list):
        return [_closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: _closed(value) for key, value in schema.items()}
    if isinstance(made.get("properties"), dict) and made.get("type") == "object":
        made.setdefault("additionalProperties", False)
    return made


def _operations(paths: dict[str, Any]) -> Iterator[Operation]:
    # Templates sort behind literals, so that /contacts/counts is not taken for a contact's id.
    for template, methods in sorted(paths.items(), key=lambda item: "{" in item[0]):
        pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template))
        for method, operation in methods.items():
            yield Operation(
                method=method.upper(),
                template=template,
                parameters=tuple(operation.get("parameters", ())),
                responses={int(status): copy.copy(one) for status, one in operation["responses"].items()},
                pattern=pattern,
            )


def _validator(schema: dict[str, Any]) -> Draft4Validator:
    return Draft4Validator(schema, format_checker=_FORMATS)


_FORMATS = FormatChecker(formats=())


def _format(name: str) -> Callable[[Callable[[str], object]], Callable[[str], object]]:
    def register(parse: Callable[[str], object]) -> Callable[[str], object]:
        @_FORMATS.checks(name, raises=ValueError)
        def check(value: object) -> bool:
            return not isinstance(value, str) or parse(value) is not None

        return parse

    return register


@_format("date-time")
def _date_time(text: str) -> datetime:
    """RFC 3339 section 5.6: a date, a T, a time, an offset."""
    found = datetime.fromisoformat(text)
    if "T" not in text or found.tzinfo is None:
        raise ValueError(text)
    return found


@_format("date")
def _date(text: str) -> date:
    if len(text) != 10:
        raise ValueError(text)
    return date.fromisoformat(text)


@_format("uuid")
def _uuid(text: str) -> uuid.UUID:
    return uuid.UUID(text)

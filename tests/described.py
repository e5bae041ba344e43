"""Holds what a simulator was asked and answered against an OpenAPI description that somebody else wrote."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema

from suppress.plugin.loopback import Exchange

SPECS = Path(__file__).parents[2] / "shared" / "specs"
"""Where the descriptions are; they may not be copied into this repository."""
ABSENT = "the description is not there: ../shared/specs (it may not be copied)"


def description(name: str) -> dict[str, Any]:
    """A description by its file's name, with OpenAPI 3.0's `nullable` in JSON Schema's own words."""
    found: dict[str, Any] = json.loads((SPECS / name).read_text(encoding="utf-8"))
    if str(found["openapi"]).startswith("3.0"):
        _null_in_types(found)
    return found


def complaints(spec: Mapping[str, Any], exchange: Exchange, *, below: str = "") -> Iterator[str]:
    """What of a request or its answer is not as described; `below` stands before every described path."""
    request = exchange.request
    path = request.path.removeprefix(below)
    found = [
        (pattern.count("{"), pattern)
        for pattern in spec["paths"]
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", pattern), path)
    ]
    operation = spec["paths"][min(found)[1]].get(request.method.lower()) if found else None
    if operation is None:
        yield f"{request.method} of a path that is not described"
        return
    described = {(each["in"], each["name"]): each for each in operation.get("parameters", ())}
    given = {("query", name): value for name, value in request.query}
    given |= {("header", name): value for name, value in request.headers.items()}
    for place, value in given.items():
        if place in described:
            schema = described[place]["schema"]
            yield from _invalid(spec, schema, _typed(schema, value))
        elif place[0] == "query":
            yield f"query {place[1]} is not described"
    for place, each in described.items():
        if each.get("required") and place[0] != "path" and place not in given:
            yield f"{place[0]} {place[1]} is missing"
    if request.body:
        content = operation["requestBody"]["content"][request.headers["content-type"]]
        yield from _invalid(spec, content["schema"], json.loads(request.body))
    elif operation.get("requestBody", {}).get("required"):
        yield "a body is missing"
    yield from _wrong_answer(spec, operation["responses"], exchange)


def _wrong_answer(spec: Mapping[str, Any], responses: Mapping[str, Any], exchange: Exchange) -> Iterator[str]:
    response = exchange.response
    status = str(response.status)
    answered = responses.get(status) or responses.get(f"{status[0]}XX") or responses.get("default")
    if answered is None:
        yield f"status {status} is not described"
        return
    if "$ref" in answered:
        answered = spec["components"]["responses"][answered["$ref"].rpartition("/")[2]]
    content = answered.get("content", {})
    kind = response.content_type.partition(";")[0]
    if not content and not response.body:
        return
    if kind not in content:
        yield f"{status} as {kind} is not described"
    else:
        yield from _invalid(spec, content[kind]["schema"], json.loads(response.body))


def _invalid(spec: Mapping[str, Any], schema: Mapping[str, Any], value: object) -> Iterator[str]:
    whole = {**schema, "components": spec["components"]}
    yield from (each.message for each in jsonschema.Draft202012Validator(whole).iter_errors(value))


def _typed(schema: Mapping[str, Any], text: str) -> object:
    """A parameter's text as what its schema says it is."""
    match schema.get("type"):
        case "integer" if text.isdecimal():
            return int(text)
        case "boolean" if text in ("true", "false"):
            return text == "true"
        case "array":
            return text.split(",")
        case _:
            return text


def _null_in_types(value: object) -> None:
    match value:
        case dict():
            if value.pop("nullable", False) is True:
                if "$ref" in value:
                    value["anyOf"] = [{"$ref": value.pop("$ref")}, {"type": "null"}]
                elif isinstance(value.get("type"), str):
                    value["type"] = [value["type"], "null"]
            for each in value.values():
                _null_in_types(each)
        case list():
            for each in value:
                _null_in_types(each)

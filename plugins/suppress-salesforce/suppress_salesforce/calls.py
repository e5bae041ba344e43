"""Every call that this plugin may make; the transport refuses all others before anything is sent.

What is not here is what must never happen: no insert, no upsert (it creates when nothing matches), no delete,
no field but the configured checkbox, and that with no other value than true. In a bulk file an empty cell
means "leave alone" and `#N/A` means null, so the file is checked row by row.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import parse_qsl

from suppress.core.suppression import Json
from suppress.plugin.guard import Body, Call
from suppress_salesforce.settings import COMPOSITE, OBJECTS, Target

RECORD_ID = r"[a-zA-Z0-9]{15}(?:[a-zA-Z0-9]{3})?"
GRANTS = frozenset({"client_credentials", "urn:ietf:params:oauth:grant-type:jwt-bearer"})
TOKEN = "/services/oauth2/token"
_JOB = {"operation": "update", "contentType": "CSV", "lineEnding": "LF", "columnDelimiter": "COMMA"}


def sign_in_calls() -> tuple[Call, ...]:
    """What may be asked of the login host."""
    return (Call("POST", TOKEN, refuses=_no_sign_in, repeatable=True),)


def org_calls(version: str, targets: Sequence[Target]) -> tuple[Call, ...]:
    """What may be asked of the org."""
    root = rf"/services/data/v{re.escape(version)}"
    job = rf"{root}/jobs/ingest/{RECORD_ID}"
    fields = {target.name: target.opt_out for target in targets}
    return (
        Call("GET", rf"{root}/query(?:/[A-Za-z0-9_-]+)?"),
        Call("GET", rf"{root}/sobjects/(?:{'|'.join(OBJECTS)})/describe"),
        Call("GET", rf"{root}/limits"),
        Call("PATCH", rf"{root}/composite/sobjects", refuses=_no_update(fields), repeatable=True),
        # A second job that nobody uploads to does nothing, so creating one may be repeated.
        Call("POST", rf"{root}/jobs/ingest", refuses=_no_job(fields), repeatable=True),
        Call("PUT", rf"{job}/batches", refuses=_no_rows(frozenset(fields.values()))),
        Call("PATCH", job, refuses=_no_state),
        Call("GET", rf"{job}(?:/(?:successfulResults|failedResults|unprocessedrecords))?"),
        Call("POST", rf"{root}/jobs/query", refuses=_no_query, repeatable=True),
        Call("GET", rf"{root}/jobs/query/{RECORD_ID}(?:/results)?"),
    )


def _no_sign_in(body: Body) -> str | None:
    form = body.decode("ascii", "replace") if isinstance(body, bytes) else ""
    return None if dict(parse_qsl(form)).get("grant_type") in GRANTS else "a sign-in that is none"


def _no_update(fields: Mapping[str, str]) -> Callable[[Body], str | None]:
    def refuses(body: Body) -> str | None:
        match body:
            case {"allOrNone": False, "records": [*records], **more} if not more and records:
                if len(records) > COMPOSITE:
                    return f"more than {COMPOSITE} records at once"
                whole = all(_opts_out(record, fields) for record in records)
                return None if whole else "a record with anything but its id and the checkbox set"
            case _:
                return "something other than an update of records"

    return refuses


def _opts_out(record: Json, fields: Mapping[str, str]) -> bool:
    match record:
        case {"attributes": {"type": str(name), **others}, "id": str(ident), **values} if not others:
            return (
                re.fullmatch(RECORD_ID, ident) is not None
                and list(values) == [fields.get(name)]
                and all(value is True for value in values.values())
            )
        case _:
            return False


def _no_job(fields: Mapping[str, str]) -> Callable[[Body], str | None]:
    def refuses(body: Body) -> str | None:
        if isinstance(body, Mapping) and body.get("object") in fields:
            named = {key: value for key, value in body.items() if key != "object"}
            return None if named == _JOB else "a job that is no plain update"
        return "a job for other records"

    return refuses


def _no_rows(fields: frozenset[str]) -> Callable[[Body], str | None]:
    row = re.compile(rf"{RECORD_ID},true")

    def refuses(body: Body) -> str | None:
        if not isinstance(body, bytes):
            return "rows that are no file"
        header, *rows = body.decode("ascii", "replace").removesuffix("\n").split("\n")
        if header not in {f"Id,{field}" for field in fields}:
            return "a file with other columns"
        return None if all(map(row.fullmatch, rows)) else "a row that does not set the checkbox"

    return refuses


def _no_state(body: Body) -> str | None:
    return None if body == {"state": "UploadComplete"} else "a state that a job may not be put into"


def _no_query(body: Body) -> str | None:
    match body:
        case {"operation": "query", "query": str(statement), **more} if not more:
            return None if statement.startswith("SELECT ") else "a query that reads nothing"
        case _:
            return "something other than a query"

"""Salesforce's answers, read strictly: what is not as promised is `NotAsPromised`, never half understood."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from suppress.plugin.transport import Reply


class NotAsPromised(ValueError):
    """An answer is not of the shape that the vendor documents. Says what, without anybody's data."""


@dataclass(frozen=True, slots=True)
class QueryPage:
    """One page of a query."""

    total: int
    records: tuple[Mapping[str, object], ...]
    following: str | None
    """The path of the next page."""


@dataclass(frozen=True, slots=True)
class Saved:
    """What became of one record; `code` is the vendor's word for why not."""

    ident: str
    code: str | None = None


@dataclass(frozen=True, slots=True)
class JobState:
    """How far a bulk job is."""

    ident: str
    state: str
    processed: int | None = None
    failed: int | None = None


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an object, as `describe` shows it to this user."""

    kind: str
    updateable: bool
    filterable: bool


def _whole(reply: Reply) -> Any:
    try:
        return reply.json
    except ValueError:
        raise NotAsPromised("something other than JSON") from None


def query_page(reply: Reply) -> QueryPage:
    """A page of `GET /query`."""
    match _whole(reply):
        case {"totalSize": int(total), "done": bool(done), "records": [*records]} as answer:
            following = answer.get("nextRecordsUrl")
            if done == isinstance(following, str) or not all(isinstance(each, dict) for each in records):
                raise NotAsPromised("a page of a query without its rows or its end")
            return QueryPage(total, tuple(records), following)
        case _:
            raise NotAsPromised("something other than a page of a query")


def saves(reply: Reply, sent: Sequence[str]) -> list[Saved]:
    """What `PATCH /composite/sobjects` did with each record that was sent, in the order of sending."""
    answer = _whole(reply)
    if not isinstance(answer, list) or len(answer) != len(sent):
        count = len(answer) if isinstance(answer, list) else 0
        raise NotAsPromised(f"results for {count} of {len(sent)} records")
    return [_saved(each, ident) for each, ident in zip(answer, sent, strict=True)]


def _saved(result: object, ident: str) -> Saved:
    match result:
        case {"success": True, "id": str(named)} if same_id(named, ident):
            return Saved(ident)
        case {"success": False, "errors": [{"statusCode": str(code), **more}, *_]}:
            # The code of what was wrapped says what can be done: a row that was locked can be tried again.
            said = more.get("message")
            locked = isinstance(said, str) and LOCKED in said
            return Saved(ident, LOCKED if locked else code)
        case _:
            raise NotAsPromised("the result of another record, or of none")


LOCKED = "UNABLE_TO_LOCK_ROW"


def same_id(one: str, other: str) -> bool:
    """Ids have 15 characters, or 18 with a check sum of their capitals at the end."""
    return one[:15] == other[:15] and len(one) in (15, 18)


def job(reply: Reply) -> JobState:
    """A bulk job."""
    match _whole(reply):
        case {"id": str(ident), "state": str(state)} as answer:
            return JobState(
                ident, state, _count(answer, "numberRecordsProcessed"), _count(answer, "numberRecordsFailed")
            )
        case _:
            raise NotAsPromised("something other than a job")


def _count(answer: Mapping[object, object], name: str) -> int | None:
    value = answer.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def rows(reply: Reply, *columns: str) -> Iterator[tuple[str, ...]]:
    """These columns of a CSV answer, in the order asked for; a file without even a header has no rows."""
    try:
        lines = csv.reader(io.StringIO(reply.body.decode("utf-8"), newline=""), strict=True)
        header = next(lines, None)
        if header is None:
            return
        places = [header.index(column) for column in columns]
        for line in lines:
            if len(line) != len(header):
                raise NotAsPromised("a row with other columns than its header")
            yield tuple(line[place] for place in places)
    except (csv.Error, UnicodeDecodeError):
        raise NotAsPromised("something other than CSV") from None
    except ValueError as wrong:
        if isinstance(wrong, NotAsPromised):
            raise
        raise NotAsPromised(f"a file without the columns {', '.join(columns)}") from None


def row_error(text: str) -> str:
    """The code in `sf__Error`, which reads `CODE:message:fields --`."""
    return LOCKED if LOCKED in text else text.partition(":")[0].strip() or "UNKNOWN_EXCEPTION"


def fields(reply: Reply) -> dict[str, Field]:
    """What `describe` shows of an object's fields."""
    match _whole(reply):
        case {"fields": [*found]}:
            return {
                str(each["name"]): Field(
                    str(each.get("type")), each.get("updateable") is True, each.get("filterable") is not False
                )
                for each in found
                if isinstance(each, dict) and "name" in each
            }
        case _:
            raise NotAsPromised("something other than a description of fields")


def complaint(reply: Reply) -> tuple[str, str]:
    """The first error's code and message, both empty when there is none to read."""
    answer = reply.json if reply.is_json else None
    match answer:
        case [{"errorCode": str(code), **more}, *_]:
            return code, str(more.get("message", ""))
        case {"error": str(code), **more}:
            return code, str(more.get("error_description", ""))
        case _:
            return "", ""


def usage(reply: Reply) -> tuple[int, int] | None:
    """Requests used and allowed in 24 hours, from `Sforce-Limit-Info: api-usage=1201/100000`."""
    for part in reply.headers.get("sforce-limit-info", "").split(","):
        name, _, numbers = part.strip().partition("=")
        used, _, most = numbers.partition("/")
        if name == "api-usage" and used.isdecimal() and most.isdecimal() and int(most) > 0:
            return int(used), int(most)
    return None


def instant(text: object) -> datetime | None:
    """Salesforce's `2026-11-23T09:00:00.000+0000`, or with `Z`."""
    if not isinstance(text, str):
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)

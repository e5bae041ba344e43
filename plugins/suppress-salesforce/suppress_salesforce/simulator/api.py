"""What the org does with each request: the REST API as its guide describes it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import quote, urlencode

from suppress.plugin.loopback import Loopback, Request, Response, answer
from suppress_salesforce.simulator.bulk import Job, Jobs, refused
from suppress_salesforce.simulator.org import Org, Refused, Row
from suppress_salesforce.simulator.sign_in import Sessions
from suppress_salesforce.simulator.statements import Malformed, Statement, parsed
from suppress_salesforce.simulator.switches import Switches

LONGEST_URI = 16_384
"""Bytes of URI and headers together."""
MOST_RECORDS = 200
VERSION = "66.0"


class Simulator(Loopback):
    """An org on this machine. `org` holds its records and switches, `sessions` its tokens."""

    def __init__(
        self,
        org: Org | None = None,
        *,
        port: int = 0,
        keep: int | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(self._handle, port=port, keep=keep)
        self.org = org if org is not None else Org()
        self.sessions = Sessions(
            lasting=lambda: self.org.switches.session_requests,
            clock=lambda: clock() + self.org.switches.clock_skew,
        )
        self.jobs = Jobs(self.org)
        self._pages: dict[str, tuple[Statement, list[Row]]] = {}

    @property
    def switches(self) -> Switches:
        """What can go wrong."""
        return self.org.switches

    def _handle(self, request: Request) -> Response:
        if request.path == "/services/oauth2/token":
            return self.sessions.asked(request.body, self.url)
        switches = self.switches
        if not self.sessions.good(request.headers.get("authorization", "")):
            return refused(401, "INVALID_SESSION_ID", "Session expired or invalid")
        if switches.failures:
            switches.failures -= 1
            return refused(503, "SERVER_UNAVAILABLE", "try again")
        if switches.used_requests >= switches.daily_requests:
            return refused(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
        switches.used_requests += 1
        if _length(request) > LONGEST_URI:
            return refused(414, "URI_TOO_LONG", "The URI is too long")
        said = self._routed(request)
        if request.method in ("PATCH", "PUT", "POST") and switches.lost_answers:
            switches.lost_answers -= 1
            return Response(said.status, reset=True)
        usage = f"api-usage={switches.used_requests}/{switches.daily_requests}"
        said = said.with_headers(("Sforce-Limit-Info", usage))
        if switches.cut_answers and len(said.body) > 1:
            switches.cut_answers -= 1
            return Response(said.status, said.body, said.content_type, said.headers, cut=len(said.body) // 2)
        return said

    def _routed(self, request: Request) -> Response:
        if request.parts[:2] != ("services", "data") or request.parts[2:3] != (f"v{VERSION}",):
            return refused(404, "NOT_FOUND", "The requested resource does not exist")
        match request.method, request.parts[3:]:
            case "GET", ("query",):
                return self._query(request.asked("q") or "")
            case "GET", ("query", locator):
                return self._next_page(locator)
            case "GET", ("sobjects", kind, "describe"):
                return self._describe(kind)
            case "GET", ("limits",):
                return self._limits()
            case "PATCH", ("composite", "sobjects"):
                return self._update(request)
            case "POST", ("jobs", "ingest"):
                return self._new_job(request)
            case "POST", ("jobs", "query"):
                return self._new_query(request)
            case method, ("jobs", "ingest" | "query", ident, *rest) if ident in self.jobs.known:
                return self._job(method, self.jobs.known[ident], rest, request)
            case _:
                return refused(404, "NOT_FOUND", "The requested resource does not exist")

    # --- Queries -----------------------------------------------------------------------------------------

    def _statement(self, text: str) -> Statement | Response:
        try:
            statement = parsed(text)
        except Malformed as wrong:
            return refused(400, "MALFORMED_QUERY", f"{text}: {wrong}")
        if statement.table not in self.org.rows:
            return refused(400, "INVALID_TYPE", f"sObject type '{statement.table}' is not supported.")
        visible = self.org.visible(statement.table)
        for name in sorted(statement.fields):
            if name not in visible:
                said = f"No such column '{name}' on entity '{statement.table}'. If you are attempting to use "
                return refused(400, "INVALID_FIELD", f"{said}a custom field, be sure to append the '__c'.")
        return statement

    def _query(self, text: str) -> Response:
        statement = self._statement(text)
        if isinstance(statement, Response):
            return statement
        return self._page(statement, list(self.org.found(statement)), 0)

    def _page(self, statement: Statement, rows: list[Row], start: int) -> Response:
        end = start + self.switches.page
        page: dict[str, object] = {"totalSize": len(rows), "done": end >= len(rows)}
        if end < len(rows):
            locator = f"01g5g{len(self._pages):010d}AAA-{end}"
            self._pages[locator] = statement, rows
            page["nextRecordsUrl"] = f"/services/data/v{VERSION}/query/{locator}"
        page["records"] = [_shown(row, statement.columns) for row in rows[start:end]]
        return answer(200, page)

    def _next_page(self, locator: str) -> Response:
        if locator not in self._pages:
            return refused(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        statement, rows = self._pages[locator]
        return self._page(statement, rows, int(locator.rpartition("-")[2]))

    def _describe(self, kind: str) -> Response:
        if kind not in self.org.rows:
            return refused(404, "NOT_FOUND", "The requested resource does not exist")
        types = self.org.fields(kind)
        fields = [
            {
                "name": name,
                "type": types[name],
                "updateable": editable,
                "filterable": True,
                "externalId": False,
            }
            for name, editable in self.org.visible(kind).items()
        ]
        return answer(200, {"name": kind, "updateable": True, "fields": fields})

    def _limits(self) -> Response:
        switches = self.switches
        left = switches.daily_requests - switches.used_requests
        return answer(
            200,
            {
                "DailyApiRequests": {"Max": switches.daily_requests, "Remaining": left},
                "DailyBulkV2QueryJobs": {"Max": 10_000, "Remaining": 10_000},
            },
        )

    # --- Updates -----------------------------------------------------------------------------------------

    def _update(self, request: Request) -> Response:
        body = _object(request)
        records = body.get("records")
        if not isinstance(records, list) or not records:
            return refused(400, "JSON_PARSER_ERROR", "records is missing")
        if len(records) > MOST_RECORDS:
            return refused(
                400, "EXCEEDED_ID_LIMIT", f"record limit reached. cannot submit more than {MOST_RECORDS}"
            )
        return answer(200, [self._save(each) for each in records])

    def _save(self, record: object) -> Mapping[str, object]:
        match record:
            case {"attributes": {"type": str(kind)}, **values}:
                ident = str(values.pop("id", values.pop("Id", "")))
                changes = {str(name): value for name, value in values.items()}
                outcome = self.org.update(kind, ident, changes)
            case _:
                outcome = Refused("INVALID_TYPE", "the type of a record is missing")
        if isinstance(outcome, Refused):
            error = {
                "statusCode": outcome.code,
                "message": outcome.message,
                "fields": list(outcome.fields),
            }
            return {"success": False, "errors": [error]}
        return {"id": outcome.ident, "success": True, "errors": []}

    # --- Jobs --------------------------------------------------------------------------------------------

    def _new_job(self, request: Request) -> Response:
        body = _object(request)
        kind, operation = body.get("object"), body.get("operation")
        if kind not in self.org.rows or operation != "update" or body.get("contentType") != "CSV":
            return refused(400, "INVALIDJOB", "The job is not one that can be done")
        job = self.jobs.create(str(kind), str(operation))
        return answer(
            200, {**job.shown(), "contentUrl": f"services/data/v66.0/jobs/ingest/{job.ident}/batches"}
        )

    def _new_query(self, request: Request) -> Response:
        statement = self._statement(str(_object(request).get("query")))
        if isinstance(statement, Response):
            return statement
        job = self.jobs.create(statement.table, "query")
        job.state, job.columns = "UploadComplete", statement.columns
        job.rows = list(self.org.found(statement))
        return answer(200, job.shown())

    def _job(self, method: str, job: Job, rest: Sequence[str], request: Request) -> Response:
        match method, rest:
            case "GET", []:
                return self.jobs.look(job)
            case "PUT", ["batches"]:
                return self.jobs.upload(job, request.body)
            case "PATCH", []:
                return self.jobs.close(job, _object(request).get("state"))
            case "GET", ["results"] if job.operation == "query" and job.state == "JobComplete":
                return self.jobs.page(job, dict(request.query))
            case "GET", [which]:
                return self.jobs.result(job, which)
            case _:
                return refused(405, "METHOD_NOT_ALLOWED", "HTTP method not allowed")


def _object(request: Request) -> dict[str, object]:
    try:
        body = request.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _shown(row: Row, columns: Sequence[str]) -> dict[str, object]:
    url = f"/services/data/v{VERSION}/sobjects/{row.kind}/{row.ident}"
    return {
        "attributes": {"type": row.kind, "url": url},
        **{column: row.values.get(column) for column in columns},
    }


def _length(request: Request) -> int:
    query = urlencode(request.query, quote_via=quote)
    return (
        len(request.path)
        + len(query)
        + sum(map(len, request.headers))
        + sum(map(len, request.headers.values()))
    )

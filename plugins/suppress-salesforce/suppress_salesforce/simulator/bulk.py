"""Bulk API 2.0: jobs that update from one uploaded file, and jobs that query a whole object."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from suppress.plugin.loopback import Response, answer
from suppress_salesforce.simulator.org import Org, Refused, Row, with_checksum

LARGEST = 150 * 1024 * 1024


@dataclass(slots=True)
class Job:
    """One job, of either kind."""

    ident: str
    kind: str
    operation: str
    state: str = "Open"
    looks: int = 0
    file: bytes | None = None
    done: list[list[str]] = field(default_factory=list)
    failed: list[list[str]] = field(default_factory=list)
    unprocessed: list[list[str]] = field(default_factory=list)
    columns: tuple[str, ...] = ()
    rows: list[Row] = field(default_factory=list)

    def shown(self) -> dict[str, object]:
        """As JSON."""
        return {
            "id": self.ident,
            "operation": self.operation,
            "object": self.kind,
            "createdById": "005000000000001AAA",
            "createdDate": "2026-11-23T09:00:00.000+0000",
            "systemModstamp": "2026-11-23T09:00:00.000+0000",
            "state": self.state,
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": 66.0,
            "lineEnding": "LF",
            "columnDelimiter": "COMMA",
            "numberRecordsProcessed": len(self.rows) or len(self.done) + len(self.failed),
            "numberRecordsFailed": len(self.failed),
            "retries": 0,
            "totalProcessingTime": 0,
        }


class Jobs:
    """The jobs of an org."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self.known: dict[str, Job] = {}

    def create(self, kind: str, operation: str) -> Job:
        """A new one."""
        ident = with_checksum(f"7505g{len(self.known) + 1:010d}")
        job = self.known[ident] = Job(ident, kind, operation)
        return job

    def upload(self, job: Job, file: bytes) -> Response:
        """Take the file of a job, once."""
        if job.state != "Open" or job.file is not None:
            return refused(400, "InvalidBatch", "Found multiple contents for job")
        if len(file) > LARGEST:
            return refused(400, "InvalidBatch", "The file is larger than 150 MB")
        job.file = file
        return Response(201)

    def close(self, job: Job, state: object) -> Response:
        """End the upload, or the job."""
        if job.state != "Open" or state not in ("UploadComplete", "Aborted"):
            return refused(400, "InvalidJobState", "Updating the state of this job is not possible")
        job.state = str(state)
        if self._org.switches.lost_jobs:
            del self.known[job.ident]
        return answer(200, job.shown())

    def look(self, job: Job) -> Response:
        """How a job is doing; looking is what makes time go by here."""
        if job.state in ("UploadComplete", "InProgress"):
            job.looks += 1
            job.state = "InProgress"
            if job.looks >= self._org.switches.job_looks:
                self._work(job)
        return answer(200, job.shown())

    def _work(self, job: Job) -> None:
        job.state = "JobComplete"
        if job.operation != "update":
            return
        reader = csv.reader(io.StringIO((job.file or b"").decode()))
        job.columns = tuple(next(reader, ()))
        limit = self._org.switches.job_fails_after
        for number, line in enumerate(reader):
            if 0 <= limit <= number:
                job.state = "Failed"
                job.unprocessed.append(line)
                continue
            self._row(job, line)

    def _row(self, job: Job, line: list[str]) -> None:
        given = dict(zip(job.columns, line, strict=False))
        ident = given.pop("Id", "")
        changes = {name: _value(text) for name, text in given.items() if text}
        match self._org.update(job.kind, ident, changes):
            case Refused(code, message, fields):
                job.failed.append([ident, f"{code}:{message}:{' '.join(fields)} --", *line])
            case row:
                job.done.append([row.ident, "false", *line])

    def result(self, job: Job, which: str) -> Response:
        """One of the three files."""
        match which:
            case "successfulResults":
                return _csv(("sf__Id", "sf__Created", *job.columns), job.done)
            case "failedResults":
                return _csv(("sf__Id", "sf__Error", *job.columns), job.failed)
            case "unprocessedrecords":
                return _csv(job.columns, job.unprocessed)
            case _:
                return refused(404, "NOT_FOUND", "The requested resource does not exist")

    def page(self, job: Job, asked: Mapping[str, str]) -> Response:
        """A page of a query's rows."""
        start, size = int(asked.get("locator") or 0), int(asked.get("maxRecords") or 50_000)
        rows = job.rows[start : start + size]
        following = str(start + size) if start + size < len(job.rows) else "null"
        file = _csv(job.columns, ([_text(row.values.get(each)) for each in job.columns] for row in rows))
        return file.with_headers(("Sforce-Locator", following), ("Sforce-NumberOfRecords", str(len(rows))))


def _value(text: str) -> object:
    return {"true": True, "false": False, "#n/a": None}.get(text.lower(), text)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _csv(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Response:
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return Response(200, out.getvalue().encode(), "text/csv")


def refused(status: int, code: str, message: str, *fields: str) -> Response:
    """An error in the org's words."""
    error: dict[str, object] = {"message": message, "errorCode": code}
    return answer(status, [{**error, "fields": list(fields)} if fields else error])

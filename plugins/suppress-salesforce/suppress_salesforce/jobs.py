"""Bulk API 2.0: whole objects read, and many records updated, as jobs of the org.

Rules kept here:

* A job's file is uploaded once and never repeated: a second upload is refused. A job that was created and not
  closed does nothing, and the org forgets it after seven days.
* All three result files are read. `JobComplete` can have failed rows, and a `Failed` job may have done part.
* A row that no file names was not done, whatever the job says about itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from suppress.errors import DestinationFailed
from suppress.plugin.contract import Evidence
from suppress.plugin.errors import ContractBroken, Transient
from suppress.plugin.transport import Reply
from suppress_salesforce import wire
from suppress_salesforce.client import Client, evidence

RUNNING = frozenset({"UploadComplete", "InProgress"})
DONE = "JobComplete"
UNPROCESSED = "NOT_PROCESSED"
"""Our word for a row that the org never tried, or of which it says nothing."""
LOOKS = 200
"""How often a query job is looked at before it counts as stuck: some three hours."""
_LONGEST_WAIT = 60


@dataclass(frozen=True, slots=True)
class RowDone:
    """What a job did with one record; `code` is why not."""

    ident: str
    code: str | None
    evidence: Evidence


def read_all(
    client: Client, statement: str, columns: Sequence[str], *, page: int, seconds: int
) -> Iterator[tuple[str, ...]]:
    """Every row of a bulk query, as its columns: no address in a URL, and few requests however many rows.

    Raises:
        Transient: The job failed, or did not end.
        ContractBroken: Its pages do not hold as many rows as it says.
    """
    created = _job(client, client.asked("POST", "/jobs/query", {"operation": "query", "query": statement}))
    path = f"/jobs/query/{created.ident}"
    job = _waited_for(client, path, seconds)
    seen, places, locator = 0, set[str](), ""
    while True:
        more = f"&locator={locator}" if locator else ""
        reply = client.asked("GET", f"{path}/results?maxRecords={page}{more}")
        before = seen
        for row in _rows(client, reply, *columns):
            seen += 1
            yield row
        promised = reply.headers.get("sforce-numberofrecords", "")
        if promised.isdecimal() and int(promised) != seen - before:
            raise client.broken(f"{seen - before} of {promised} rows of a page")
        locator = reply.headers.get("sforce-locator", "null")
        if locator in ("null", ""):
            break
        if locator in places or not locator.isalnum():
            raise client.broken("a next page that leads elsewhere")
        places.add(locator)
    if job.processed is not None and job.processed != seen:
        raise client.broken(f"{seen} of {job.processed} rows of a bulk query")


def _waited_for(client: Client, path: str, seconds: int) -> wire.JobState:
    for look in range(LOOKS):
        job = _job(client, client.asked("GET", path))
        if job.state == DONE:
            return job
        if job.state not in RUNNING:
            raise Transient(f"a bulk query ended as {job.state[:40]!r}")
        client.clock.wait(min(seconds * (1 + look // 5), _LONGEST_WAIT))
    raise Transient(f"a bulk query did not end in {LOOKS} looks at it")


def files(idents: Sequence[str], field: str, *, room: int) -> Iterator[Sequence[str]]:
    """The records in as many groups as files of `room` bytes need."""
    row = max(map(len, idents), default=18) + len(",true\n")
    most = max(1, (room - len(f"Id,{field}\n")) // row)
    for start in range(0, len(idents), most):
        yield idents[start : start + most]


def start(client: Client, kind: str, field: str, idents: Sequence[str]) -> str:
    """Hand over a whole file and let the org begin; the id of the job."""
    created = _job(
        client,
        client.asked(
            "POST",
            "/jobs/ingest",
            {
                "object": kind,
                "operation": "update",
                "contentType": "CSV",
                "lineEnding": "LF",
                "columnDelimiter": "COMMA",
            },
        ),
    )
    path = f"/jobs/ingest/{created.ident}"
    file = "".join([f"Id,{field}\n", *(f"{ident},true\n" for ident in idents)]).encode()
    client.asked("PUT", f"{path}/batches", file, content_type="text/csv")
    try:
        client.asked("PATCH", path, {"state": "UploadComplete"})
    except (Transient, ContractBroken):
        # Whether it arrived is seen by looking; closing a job twice is refused.
        if look(client, created.ident).state == "Open":
            raise
    return created.ident


def look(client: Client, ident: str) -> wire.JobState:
    """How far an ingest job is. Raises `DestinationFailed` when the org knows no such job."""
    return _job(client, client.asked("GET", f"/jobs/ingest/{ident}"))


def results(client: Client, ident: str) -> Iterator[RowDone]:
    """What became of each row of a job that has ended."""
    path = f"/jobs/ingest/{ident}"
    reply = client.asked("GET", f"{path}/successfulResults")
    held = evidence("jobs/ingest/successfulResults", reply, ident.encode())
    for ident_, created in _rows(client, reply, "sf__Id", "sf__Created"):
        if created == "true":
            raise client.broken("a record that an update created")
        yield RowDone(ident_, None, held)
    reply = client.asked("GET", f"{path}/failedResults")
    held = evidence("jobs/ingest/failedResults", reply, ident.encode())
    for ident_, error in _rows(client, reply, "Id", "sf__Error"):
        yield RowDone(ident_, wire.row_error(error), held)
    reply = client.asked("GET", f"{path}/unprocessedrecords")
    held = evidence("jobs/ingest/unprocessedrecords", reply, ident.encode())
    for (ident_,) in _rows(client, reply, "Id"):
        yield RowDone(ident_, UNPROCESSED, held)


def _job(client: Client, reply: Reply) -> wire.JobState:
    try:
        job = wire.job(reply)
    except wire.NotAsPromised as wrong:
        raise client.broken(str(wrong)) from None
    if not job.ident.isalnum():
        raise client.broken("a job without an id")
    return job


def _rows(client: Client, reply: Reply, *columns: str) -> Iterator[tuple[str, ...]]:
    try:
        yield from wire.rows(reply, *columns)
    except wire.NotAsPromised as wrong:
        raise client.broken(str(wrong)) from None


def gone(failure: DestinationFailed) -> bool:
    """Whether an error says that there is no such job (any more): the org forgets them after seven days."""
    return type(failure) is DestinationFailed

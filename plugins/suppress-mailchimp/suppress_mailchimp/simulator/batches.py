"""Batches of the simulated platform: they go through their states look by look, and end as a gzipped tar."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from suppress.plugin.loopback import Request, Response
from suppress_mailchimp.simulator.account import Refused
from suppress_mailchimp.simulator.scenario import Switches
from suppress_mailchimp.simulator.shape import Table, when

MOST_WAITING = 500
MOST_OPERATIONS = 1_000
_EXPIRED = (
    b'<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>'
)


@dataclass(slots=True)
class Batch:
    """One batch."""

    id: str
    operations: list[Table]
    submitted: datetime
    looks: int = 0
    archive: bytes | None = None
    errored: int = 0
    live: set[str] = field(default_factory=set)
    """Keys of addresses under which the results are to be had."""


class Batches:
    """All of an account. `carry_out` makes one call as the API would."""

    def __init__(
        self, switches: Switches, carry_out: Callable[[Request], Response], now: Callable[[], datetime]
    ) -> None:
        self._switches = switches
        self._carry_out = carry_out
        self._now = now
        self._all: dict[str, Batch] = {}
        self._handed = 0
        self.url = ""
        """Where results are fetched; the server says when it listens."""

    def start(self, body: object) -> Table:
        """`POST /batches`."""
        operations = body.get("operations") if isinstance(body, dict) else None
        if not isinstance(operations, list) or not operations or len(operations) > MOST_OPERATIONS:
            raise Refused(400, "Invalid Resource", "A batch needs 1 to 1,000 operations.", field="operations")
        if sum(each.archive is None for each in self._all.values()) >= MOST_WAITING:
            raise Refused(429, "Too Many Requests", "You have more than 500 pending batches.")
        batch = Batch(f"batch{len(self._all):05d}", operations, self._now())
        self._all[batch.id] = batch
        return self._shown(
            batch, self._switches.batch_states[0] if self._switches.batch_states else "pending"
        )

    def look(self, identity: str) -> Table:
        """`GET /batches/{id}`: every look is a step."""
        batch = self._all.get(identity)
        if batch is None or self._switches.batches_lost:
            raise Refused(404, "Resource Not Found", "The requested resource could not be found.")
        states = self._switches.batch_states
        batch.looks += 1
        if batch.looks < len(states):
            return self._shown(batch, states[batch.looks])
        if batch.archive is None:
            batch.archive = self._done(batch)
        return self._shown(batch, "finished")

    def listed(self) -> Table:
        """`GET /batches`."""
        shown = [
            self._shown(each, "pending" if each.archive is None else "finished")
            for each in self._all.values()
        ]
        return {"batches": shown, "total_items": len(shown), "_links": []}

    def results(self, request: Request) -> Response:
        """What the host of the results answers. A second kind of credentials is refused, as stores do."""
        batch = self._all.get(request.parts[-1].partition("-")[0])
        if "authorization" in request.headers:
            return Response(400, b"<Error><Code>InvalidArgument</Code></Error>", "application/xml")
        if batch is None or batch.archive is None or request.asked("X-Signature") not in batch.live:
            return Response(403, _EXPIRED, "application/xml")
        return Response(200, batch.archive, "application/gzip")

    def _shown(self, batch: Batch, status: str) -> Table:
        finished = batch.archive is not None
        shown: Table = {
            "id": batch.id,
            "status": status,
            "total_operations": len(batch.operations),
            "finished_operations": len(batch.operations) if finished else 0,
            "errored_operations": batch.errored,
            "submitted_at": when(batch.submitted),
            "response_body_url": "",
            "_links": [],
        }
        if finished:
            shown["completed_at"] = when(self._now())
            shown["response_body_url"] = self._address(batch)
        return shown

    def _address(self, batch: Batch) -> str:
        self._handed += 1
        key = f"key{self._handed}"
        # Only the newest address works, and the first ones may have run out already.
        batch.live = set() if self._handed <= self._switches.results_dead else {key}
        return f"{self.url}/{batch.id}-response.tar.gz?X-Expires=600&X-Signature={key}"

    def _done(self, batch: Batch) -> bytes:
        rows = []
        for each in batch.operations:
            query = tuple((str(key), str(value)) for key, value in (each.get("params") or {}).items())
            request = Request(
                str(each["method"]), f"/3.0{each['path']}", query, {}, str(each.get("body", "")).encode()
            )
            response = self._carry_out(request)
            batch.errored += response.status >= 400
            rows.append(
                {
                    "status_code": response.status,
                    "operation_id": each.get("operation_id", ""),
                    "response": response.body.decode(),
                }
            )
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as tar:
            folder = tarfile.TarInfo(f"./{batch.id}")
            folder.type = tarfile.DIRTYPE
            tar.addfile(folder)
            half = len(rows) // 2
            for number, part in enumerate((rows[:half], rows[half:])):
                content = json.dumps(part).encode()
                entry = tarfile.TarInfo(f"./{batch.id}/{number}.json")
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))
        return gzip.compress(packed.getvalue(), mtime=0)

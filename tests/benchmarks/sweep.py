"""What a census of a large Constant Contact account costs, beside plain `json.loads` of the same pages.

    uv run python -m tests.benchmarks.sweep [--contacts N] [--ledger]

A second process serves the pages, so that its time is not counted. Waiting for the platform's limit is left
out: the clock jumps. Of ten contacts seven are mailable, two opted out and are visible, one was deleted after
it opted out. A census asks for everyone, `unsubscribed` and `deleted`, so it reads 1.3 rows a contact.

With `--ledger` the census goes into a new ledger, and once more when there is nothing new.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from suppress.config import SourceSettings
from suppress.ledger import Ledger
from suppress.platforms.constant_contact import ConstantContact
from suppress.plugin.contract import Census, Summary
from suppress.plugin.pace import Clock
from suppress.sync import sync

STATUSES = ("all", "unsubscribed", "deleted")


def contact(number: int) -> tuple[str, bytes]:
    """Class and JSON of one contact, in the vendor's format."""
    kind = ("active",) * 7 + ("unsubscribed",) * 2 + ("deleted",)
    shown = kind[number % 10]
    email: dict[str, object] = {
        "address": f"person.{number}@mail{number % 97}.example.com",
        "permission_to_send": "implicit" if shown == "active" else "unsubscribed",
        "created_at": "2019-03-02T15:20:11Z",
        "updated_at": "2024-06-08T01:31:05Z",
        "confirm_status": "off",
    }
    if shown == "active":
        email |= {"opt_in_source": "Account", "opt_in_date": "2019-03-02T15:20:11Z"}
    else:
        email |= {
            "opt_out_source": "Contact",
            "opt_out_date": f"2024-06-{number % 28 + 1:02d}T01:31:05Z",
            "opt_out_reason": "No longer interested",
        }
    row: dict[str, object] = {
        "contact_id": f"0f6c2c1e-5d0a-11ef-9d5c-{number:012d}",
        "email_address": email,
        "first_name": "Pat",
        "last_name": "Example",
        "create_source": "Account",
        "created_at": "2019-03-02T15:20:11Z",
        "updated_at": "2023-01-30T18:04:55Z",
    }
    if shown == "deleted":
        row["deleted_at"] = "2024-07-01"
    return shown, json.dumps(row).encode()


def account(contacts: int) -> dict[str, list[bytes]]:
    """The rows that each status shows."""
    rows: dict[str, list[bytes]] = {status: [] for status in STATUSES}
    for number in range(contacts):
        shown, row = contact(number)
        rows["all"].append(row)
        if shown != "active":
            rows[shown].append(row)
    return rows


def page(rows: dict[str, list[bytes]], status: str, limit: int, number: int) -> bytes:
    """One answer."""
    found = rows[status]
    more = number * limit < len(found)
    href = f"/v3/contacts?status={status}&limit={limit}&next={number + 1}"
    links = {"next": {"href": href}} if more else {}
    head = json.dumps({"contacts_count": len(found), "_links": links}).encode()
    return b'{"contacts":[' + b",".join(found[(number - 1) * limit : number * limit]) + b"]," + head[1:]


def serve(contacts: int, ready: Connection) -> None:
    """The platform, in a process of its own."""
    rows = account(contacts)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            given = {key: values[0] for key, values in parse_qs(urlsplit(self.path).query).items()}
            # Without a date none is asked for: a window shows nobody, so that a census is what is measured.
            empty = "optout_after" in given
            status, limit, number = given["status"], int(given["limit"]), int(given.get("next", "1"))
            body = (
                b'{"contacts":[],"contacts_count":0,"_links":{}}'
                if empty
                else page(rows, status, limit, number)
            )
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        ready.send(server.server_port)
        server.serve_forever()


@contextmanager
def platform(contacts: int) -> Iterator[str]:
    """Its address while it runs."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(contacts, theirs), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        process.terminate()
        process.join()


class Jumping:
    """A clock that passes at once whatever is waited for."""

    def __init__(self) -> None:
        self.jumped = 0.0

    def clock(self) -> Clock:
        """For the source."""
        return Clock(lambda: time.monotonic() + self.jumped, lambda: time.time() + self.jumped, self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.jumped += seconds


def peak() -> float:
    """Megabytes that this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def parsed(contacts: int) -> tuple[float, int]:
    """CPU seconds of `json.loads` over the pages of one census, and their rows."""
    rows = account(contacts)
    spent = 0.0
    count = 0
    for status in STATUSES:
        for number in range(1, -(-len(rows[status]) // 500) + 1):
            body = page(rows, status, 500, number)
            began = time.process_time()
            count += len(json.loads(body)["contacts"])
            spent += time.process_time() - began
    return spent, count


def said(name: str, seconds: float, rows: int, plain: float) -> None:
    """One line."""
    print(
        f"{name:34} {seconds:7.2f} s CPU  {seconds / rows * 1e6:7.1f} µs a row  "
        f"{seconds / plain:5.1f} times json.loads"
    )


def main() -> None:
    """Measure and print."""
    given = argparse.ArgumentParser()
    given.add_argument("--contacts", type=int, default=100_000)
    given.add_argument("--ledger", action="store_true")
    asked = given.parse_args()
    with tempfile.TemporaryDirectory() as name, platform(asked.contacts) as url:
        folder, jumping = Path(name), Jumping()
        settings = SourceSettings("main", "constant-contact", access_token="t", options={"api_url": url})
        source = ConstantContact(settings, folder, clock=jumping.clock())
        print(f"{asked.contacts:,} contacts; before: peak {peak():.0f} MB")
        began = time.process_time()
        summary = next(item for item in source.pull(Census()) if isinstance(item, Summary))
        swept = time.process_time() - began
        swept_at = peak()
        if asked.ledger:
            place = f"sqlite:///{folder / 'suppress.db'}"
            Ledger.create(place, keys=folder / "keys")
            with Ledger.open(place, keys=folder / "keys") as ledger:
                times = [_synced(ledger, source) for _ in range(2)]
        assert summary.complete, summary.problems
        ours = peak()
        plain, rows = parsed(asked.contacts)
        print(f"{summary.requests:,} requests, {summary.rows:,} rows, {summary.opted_out:,} opt-outs")
        print(f"{'json.loads alone':34} {plain:7.2f} s CPU  {plain / rows * 1e6:7.1f} µs a row")
        print(f"peak of the sweep {swept_at:.0f} MB, with the ledger {ours:.0f} MB")
        said("census, read and counted", swept, rows, plain)
        if asked.ledger:
            said("into a new ledger", times[0], rows, plain)
            said("and again, with nothing new", times[1], rows, plain)


def _synced(ledger: Ledger, source: ConstantContact) -> float:
    began = time.process_time()
    (result,) = sync(ledger, [source], full=True, now=datetime.now(UTC), actor="benchmark")
    assert result.complete, result.failure
    return time.process_time() - began


if __name__ == "__main__":
    main()

"""What telling Salesforce costs: requests, processor time and memory for each thousand addresses.

uv run python -m tests.benchmarks.salesforce [PEOPLE]

The org is simulated in another process and holds as many contacts again of whom nobody is told. Each way runs
in a process of its own, so that its memory is its own; the exporter alone is measured, without the ledger.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator

from suppress_salesforce.exporter import Salesforce
from suppress_salesforce.simulator import Org, Simulator
from suppress_salesforce.simulator.sign_in import CLIENT_ID, CLIENT_SECRET

from suppress.config import DestinationSettings
from suppress.core.suppression import EVERYTHING, Reason
from suppress.plugin.contract import Job, Pushed, Result, Suppressed
from suppress.plugin.kit import POSITION


def main() -> None:
    """Measure both ways and print."""
    match sys.argv[1:]:
        case ["org", people]:
            _serve(int(people))
        case ["tell", mode, url, people]:
            print(json.dumps(_told(mode, url, int(people))))
        case [*some]:
            for mode in ("composite", "bulk"):
                _measure(mode, int(some[0]) if some else 100_000)


def _address(number: int) -> str:
    return f"person{number}@example.com"


def _serve(people: int) -> None:
    org = Org()
    for number in range(people):
        org.add("Lead" if number % 3 == 2 else "Contact", Email=_address(number))
        org.add("Contact", Email=f"other{number}@example.com")
    with Simulator(org, keep=0) as simulator:
        print(simulator.url, flush=True)
        sys.stdin.readline()
        print(sum(org.would_mail(_address(number)) for number in range(people)), flush=True)


def _measure(mode: str, people: int) -> None:
    me = [sys.executable, "-m", "tests.benchmarks.salesforce"]
    with subprocess.Popen(
        [*me, "org", str(people)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as org:
        assert org.stdin is not None
        assert org.stdout is not None
        url = org.stdout.readline().strip()
        done = subprocess.run(
            [*me, "tell", mode, url, str(people)], capture_output=True, text=True, check=True
        )
        org.stdin.write("\n")
        org.stdin.flush()
        mailed = int(org.stdout.readline())
    print(mode, done.stdout.strip(), f"still mailed: {mailed}")


def _told(mode: str, url: str, people: int) -> dict[str, object]:
    options = {"instance_url": url, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "mode": mode}
    exporter = Salesforce(DestinationSettings("crm", "salesforce", options={**options, "poll_seconds": 0}))
    before, started = time.process_time(), time.perf_counter()
    outcomes = Counter(
        each.outcome.value
        for answer in exporter.push(_entries(people), POSITION)
        for each in _ended(exporter, answer)
        if isinstance(each, Result)
    )
    requests, told = exporter.requests, time.process_time()
    states = Counter(each.state.value for each in exporter.read_back([_address(n) for n in range(people)]))
    exporter.close()
    thousands = people / 1_000
    return {
        "outcomes": outcomes,
        "read_back": states,
        "requests_per_thousand": [
            round(requests / thousands, 2),
            round((exporter.requests - requests) / thousands, 2),
        ],
        "cpu_ms_per_thousand": [
            round((told - before) * 1_000 / thousands, 1),
            round((time.process_time() - told) * 1_000 / thousands, 1),
        ],
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1_024,
        "seconds": round(time.perf_counter() - started, 1),
    }


def _entries(people: int) -> Iterator[Suppressed]:
    for number in range(people):
        address = _address(number)
        yield Suppressed(number, address, address, EVERYTHING, Reason.UNSUBSCRIBED, None, "main")


def _ended(exporter: Salesforce, answer: Pushed) -> Iterator[Pushed]:
    """A job until it has ended, as the engine asks for it; anything else as it is."""
    if not isinstance(answer, Job):
        yield answer
        return
    time.sleep(0.1)
    for each in exporter.poll(answer):
        yield from _ended(exporter, each)


if __name__ == "__main__":
    main()

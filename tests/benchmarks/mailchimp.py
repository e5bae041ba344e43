"""What telling a Mailchimp audience costs: requests, processor time and memory for each thousand addresses.

uv run python -m tests.benchmarks.mailchimp [PEOPLE]

The platform is simulated in this process; `suppress export` runs in another, which alone is measured.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from suppress_mailchimp.simulator import People, Scenario, Simulator

AUDIENCE = "a1b2c3d4e5"


@dataclass(frozen=True, slots=True)
class Cost:
    """One run of a command."""

    wall: float
    cpu: float
    memory: float
    requests: int
    outcomes: object


def main() -> None:
    """Measure and print."""
    people = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    few = min(people, 5_000)
    with tempfile.TemporaryDirectory() as name:
        for title, method, count in (
            ("list calls", "list", people),
            ("batches", "batches", few),
            ("one by one", "patch", few),
        ):
            folder = Path(name) / method
            folder.mkdir()
            _measure(title, folder, method, count)


def _measure(title: str, folder: Path, method: str, count: int) -> None:
    rows = "\n".join(f"person-{number}@example.com,2026-01-05T09:00:00Z" for number in range(count))
    (folder / "old.csv").write_text(f"email,date\n{rows}\n")
    _run(folder, None, "init")
    _run(folder, None, "import", "old.csv", "--map", "email=email,date=date")
    with closing(Simulator(Scenario((People(AUDIENCE, people=count),)), keep=0)) as platform:
        (folder / "suppress.toml").write_text(
            f'[destinations.news]\nplatform = "mailchimp"\naudience = "{AUDIENCE}"\nmethod = "{method}"\n'
            f'api_url = "{platform.url}"\npoll_seconds = 1\n'
        )
        first = _run(folder, platform, "export", "news", "--recipient", "Mailchimp", "--json")
        still = sum(each.status == "subscribed" for each in platform.account.audiences[AUDIENCE])
        again = _run(folder, platform, "export", "news", "--recipient", "Mailchimp", "--json")
    per = count / 1_000
    print(f"{title}, {count:,} people: {first.outcomes}; still subscribed: {still}")
    print(f"  requests {first.requests:,}, or {first.requests / per:.1f} a thousand")
    print(f"  processor {first.cpu:.1f} s, or {first.cpu / per * 1000:.0f} ms a thousand")
    print(
        f"  wall {first.wall:.1f} s; memory {first.memory:.0f} MB, and {again.memory:.0f} MB with nothing new"
    )
    print(f"  again, with nothing new: {again.requests} requests, {again.cpu:.1f} s")


def _run(folder: Path, platform: Simulator | None, *words: str) -> Cost:
    environ = {key: value for key, value in os.environ.items() if not key.startswith("SUPPRESS_")}
    environ["SUPPRESS_STATE"] = str(folder / "state")
    if platform is not None:
        environ["SUPPRESS_DESTINATIONS__NEWS__API_KEY"] = platform.scenario.key
    before = 0 if platform is None else platform.requests
    began = time.perf_counter()
    answer = folder / "answer.json"
    with answer.open("wb") as out:
        command = [sys.executable, "-m", "suppress", *words]
        child = subprocess.Popen(command, cwd=folder, env=environ, stdout=out)
        # Only this call tells what one child used.
        _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - began
    if os.waitstatus_to_exitcode(status):
        sys.exit(f"suppress {words[0]} failed")
    return Cost(
        wall,
        usage.ru_utime + usage.ru_stime,
        usage.ru_maxrss / 1024,
        0 if platform is None else platform.requests - before,
        json.loads(answer.read_bytes()).get("outcomes") if "--json" in words else None,
    )


if __name__ == "__main__":
    main()

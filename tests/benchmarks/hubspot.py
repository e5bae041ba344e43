"""What telling HubSpot costs: requests, processor time and memory for each thousand addresses.

uv run python -m tests.benchmarks.hubspot [PEOPLE]

The platform is simulated in this process; `suppress export` runs in another, which alone is measured. The
pace that HubSpot allows is lifted, so that the work shows and not the waiting: the time that a real account
takes is the requests divided by its limit.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from suppress_hubspot.simulator import Scenario, Simulator

FEW = 5_000


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
    with tempfile.TemporaryDirectory() as name:
        for mode, count in dict.fromkeys(
            [("single", min(people, FEW)), ("single", people), ("batch", people)]
        ):
            folder = Path(name) / f"{mode}-{count}"
            folder.mkdir()
            _measure(folder, mode, count)


def _measure(folder: Path, mode: str, count: int) -> None:
    rows = "\n".join(f"person-{number}@example.com,2026-01-05T09:00:00Z" for number in range(count))
    (folder / "old.csv").write_text(f"email,date\n{rows}\n")
    _run(folder, None, "init")
    _run(folder, None, "import", "old.csv", "--map", "email=email,date=date")
    with Simulator(Scenario(enterprise=mode == "batch"), keep=0) as platform:
        (folder / "suppress.toml").write_text(
            f'[destinations.crm]\nplatform = "hubspot"\nmode = "{mode}"\napi_url = "{platform.url}"\n'
            "per_10_seconds = 1000000\nper_day = 1000000\n"
        )
        first = _run(folder, platform, "export", "crm", "--json")
        opted_out = platform.account.opted_out
        again = _run(folder, platform, "export", "crm", "--json")
    per = count / 1_000
    print(f"{mode}, {count:,} people: {first.outcomes}; opted out at the platform: {opted_out:,}")
    print(f"  requests {first.requests:,}, or {first.requests / per:.1f} a thousand")
    print(f"  processor {first.cpu:.1f} s, or {first.cpu / per:.2f} s a thousand")
    print(f"  wall {first.wall:.0f} s; memory {first.memory:.0f} MB")
    print(f"  again, with nothing new: {again.requests} requests, {again.cpu:.1f} s, {again.memory:.0f} MB")


def _run(folder: Path, platform: Simulator | None, *words: str) -> Cost:
    environ = {**os.environ, "SUPPRESS_STATE": str(folder / "state")}
    if platform is not None:
        environ["SUPPRESS_DESTINATIONS__CRM__ACCESS_TOKEN"] = platform.token
    before = 0 if platform is None else platform.used
    began = time.perf_counter()
    answer = folder / "answer.json"
    with answer.open("wb") as out:
        child = subprocess.Popen(
            [sys.executable, "-m", "suppress", *words], cwd=folder, env=environ, stdout=out
        )
        # Only this call tells what one child used.
        _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - began
    if os.waitstatus_to_exitcode(status):
        sys.exit(f"suppress {words[0]} failed")
    return Cost(
        wall,
        usage.ru_utime + usage.ru_stime,
        usage.ru_maxrss / 1024,
        0 if platform is None else platform.used - before,
        json.loads(answer.read_bytes()).get("outcomes") if "--json" in words else None,
    )


if __name__ == "__main__":
    main()

"""The whole story against the simulator, offline, in a folder of its own: real commands, real output.

Rules kept here:

* Every step is a command that a user could type; what is shown is what it printed.
* Nothing leaves the machine: the only servers are simulators, on loopback, and they end with the demo.
* A step that ends with another exit code than the story needs is an error, not a shrug.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shlex
import subprocess
import sys
import time
import urllib.request
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.metadata import entry_points
from itertools import count
from pathlib import Path

from suppress.core.entry import OptOutRecorded
from suppress.core.suppression import Visibility
from suppress.errors import SuppressError
from suppress.ledger import Ledger
from suppress.platforms.constant_contact.simulator import Simulator, demo_scenario
from suppress.plugin.simulated import GROUP, Launcher, Simulated

CONFIG = """\
organisation = "Acme Outdoor"

[sources.main]
platform = "constant-contact"
sender = "Acme"
client_id = "demo"
api_url = "{url}"
"""
LATE = "sam.carter@example.org"


@dataclass(frozen=True, slots=True)
class Chapter:
    """A part of the story begins."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Ran:
    """A command, its output as a user would have seen it, and how it ended."""

    command: str
    output: str
    exit_code: int


AUDIENCE = "a1b2c3d4e5"
"""What the simulated Mailchimp's own settings name."""


@dataclass(frozen=True, slots=True)
class Finished:
    """What the story showed, and what it left on disk."""

    folder: Path
    report: Path
    naive: int
    found: int
    deleted: int
    withheld: int
    tampered_entry: int
    seconds: float


def story(folder: Path) -> Iterator[Chapter | Ran | Finished]:
    """Tell the story in `folder` (empty), step by step.

    Raises:
        SuppressError: A step did not end as the story needs.
    """
    began = time.monotonic()
    with Simulator(demo_scenario()) as platform:
        (folder / "suppress.toml").write_text(CONFIG.format(url=platform.url))
        stage = _Stage(folder, platform.token)
        naive = yield from _usual_sync(stage, platform.url)
        done = yield from _complete_sync(stage)
        withheld = yield from _import_stopped(stage)
        yield from _late_request(stage)
        yield from _others_told(stage)
        yield from _audited(stage)
        entry = yield from _tampered_with(stage)
    yield Finished(
        folder=folder,
        report=folder / "report.html",
        naive=naive,
        found=done["observed"],
        deleted=done["deleted"],
        withheld=withheld,
        tampered_entry=entry,
        seconds=time.monotonic() - began,
    )


def _usual_sync(stage: _Stage, url: str) -> Generator[Chapter | Ran, None, int]:
    yield stage.chapter(
        "What the usual sync sees",
        "A simulated Constant Contact account runs on this machine. The query that most "
        "integrations use asks for status=unsubscribed:",
    )
    naive = _naive_count(url, stage.token)
    yield Ran(
        "curl '…/v3/contacts?status=unsubscribed&include_count=true&limit=1'",
        json.dumps({"contacts_count": naive}),
        0,
    )
    return naive


def _complete_sync(stage: _Stage) -> Generator[Chapter | Ran, None, Mapping[str, int]]:
    yield stage.chapter(
        "What is really there",
        "People who unsubscribed and were then deleted are hidden from that query. "
        "suppress asks for all of them and counts three ways:",
    )
    yield stage.run("init")
    yield stage.run("sync", "--full")
    return stage.facts("sync", "--full")["sources"][0]["opt_outs"]


def _import_stopped(stage: _Stage) -> Generator[Chapter | Ran, None, int]:
    yield stage.chapter(
        "The next import would mail them again",
        "Marketing bought a trade-fair list. Some of the people on it opted out years ago:",
    )
    hidden = _hidden_people(stage.folder)
    _write_import(stage.folder / "trade-fair.csv", hidden)
    yield stage.run(
        "check", "trade-fair.csv", "--kept", "clean.csv", "--withheld", "withheld.csv", "--review",
        "review.csv", expect=1,
    )  # fmt: skip
    yield stage.run("check", "--explain", hidden[0].upper(), expect=1)
    return _rows(stage.folder / "withheld.csv")


def _late_request(stage: _Stage) -> Iterator[Chapter | Ran]:
    yield stage.chapter(
        "A request by phone, written down too late",
        "CAN-SPAM gives 10 business days from receipt. This one lay on a desk for five weeks:",
    )
    received = (datetime.now(UTC) - timedelta(days=35)).date().isoformat()
    yield stage.run("add", LATE, "--received", received, "--note", "rang the office")


def _others_told(stage: _Stage) -> Iterator[Chapter | Ran]:
    yield stage.chapter(
        "Every other system is told",
        "The list for a CRM, with a manifest that proves it:",
    )
    yield stage.run("export", "csv", "-o", "suppressed.csv")
    for launch in _newsletter():
        yield stage.chapter(
            "… and looked at again",
            "A simulated Mailchimp audience still mails some of them. They are unsubscribed there and "
            "read back; then another integration subscribes one of them again:",
        )
        yield from _patrolled(launch, stage)


def _audited(stage: _Stage) -> Iterator[Chapter | Ran]:
    yield stage.chapter("The audit", "The late request shows; everything else adds up:")
    yield stage.run("report", "-o", "report.html", expect=(0, 1))
    yield stage.run("status", expect=(0, 1))


def _tampered_with(stage: _Stage) -> Generator[Chapter | Ran, None, int]:
    yield stage.chapter(
        "Nobody can quietly change it",
        "The ledger verifies. No anchor was given, so the exit code is 3:",
    )
    yield stage.run("verify", expect=3)
    with _one_byte_changed(stage.folder) as entry:
        yield stage.chapter(
            "… not even by one byte", f"One byte of entry {entry} is now changed in the file:"
        )
        yield stage.run("verify", expect=1)
    return entry


def _newsletter() -> Iterator[Launcher]:
    """What starts a simulated Mailchimp, if the plugin is installed: it is a distribution of its own."""
    for point in entry_points(group=GROUP, name="mailchimp"):
        yield point.load()


def _patrolled(launch: Launcher, stage: _Stage) -> Iterator[Ran]:
    """Opted-out people are still in an audience; one comes back after they were told."""
    members = _hidden_people(stage.folder)[:6]
    scenario = stage.folder / "mailchimp.toml"
    scenario.write_text(
        f'[[audiences]]\nid = "{AUDIENCE}"\nname = "Newsletter"\nsubscribed = {json.dumps(members)}\n',
        encoding="utf-8",
    )
    with closing(launch(0, str(scenario))) as mailchimp:
        with (stage.folder / "suppress.toml").open("a", encoding="utf-8") as settings:
            settings.write(f"\n{mailchimp.settings}")
        stage.secrets.update(mailchimp.environment)
        yield stage.run("export", "newsletter")
        yield _subscribed_again(mailchimp, members[0])
        yield stage.run("patrol", "newsletter", expect=1)
        yield stage.run("export", "newsletter")
        yield stage.run("patrol", "newsletter")


def _subscribed_again(mailchimp: Simulated, address: str) -> Ran:
    """What any other integration may do with an address that an API unsubscribed."""
    name = hashlib.md5(address.lower().encode(), usedforsecurity=False).hexdigest()
    path = f"/3.0/lists/{AUDIENCE}/members/{name}"
    (key,) = mailchimp.environment.values()
    request = urllib.request.Request(  # noqa: S310 (a simulator on loopback)
        f"{mailchimp.url}{path}",
        data=b'{"status": "subscribed"}',
        headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
        method="PATCH",
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        status = json.load(answer)["status"]
    command = f"curl -X PATCH '…{path}' -d '{{\"status\": \"subscribed\"}}'   # somebody else's program"
    return Ran(command, json.dumps({"status": status}), 0)


@dataclass(frozen=True, slots=True)
class _Stage:
    """Runs commands as a user would: another process, in the demo's folder."""

    folder: Path
    token: str
    secrets: dict[str, str] = field(default_factory=dict)
    """Variables of the destinations, as a user would set them."""
    chapters: Iterator[int] = field(default_factory=lambda: count(1))

    def chapter(self, title: str, text: str) -> Chapter:
        return Chapter(f"{next(self.chapters)}. {title}", text)

    def run(self, *arguments: str, expect: int | Sequence[int] = 0) -> Ran:
        wanted = (expect,) if isinstance(expect, int) else tuple(expect)
        done = self._process(arguments)
        if done.returncode not in wanted:
            raise SuppressError(
                f"the demo's step «suppress {' '.join(arguments)}» ended with {done.returncode}: "
                f"{done.stderr.strip() or done.stdout.strip()}",
                remedy="suppress doctor",
            )
        return Ran(f"suppress {shlex.join(arguments)}", (done.stdout + done.stderr).rstrip(), done.returncode)

    def facts(self, *arguments: str) -> dict[str, list[dict[str, dict[str, int]]]]:
        done = self._process((*arguments, "--json"))
        found: dict[str, list[dict[str, dict[str, int]]]] = json.loads(done.stdout)
        return found

    def _process(self, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
        outside = {key: value for key, value in os.environ.items() if not key.startswith("SUPPRESS_")}
        return subprocess.run(  # noqa: S603 (our own command, arguments from this module)
            [sys.executable, "-m", "suppress", *arguments],
            cwd=self.folder,
            env=outside
            | {
                "SUPPRESS_SOURCES__MAIN__ACCESS_TOKEN": self.token,
                "SUPPRESS_STATE": str(self.folder / "suppress.state"),
                "PYTHONIOENCODING": "utf-8",
                **self.secrets,
            },
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )


def _naive_count(url: str, token: str) -> int:
    request = urllib.request.Request(  # noqa: S310 (our own simulator on loopback)
        f"{url}/v3/contacts?status=unsubscribed&include_count=true&limit=1",
        headers={"Authorization": f"Bearer {token}"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        count: int = json.load(answer)["contacts_count"]
    return count


def _hidden_people(folder: Path) -> list[str]:
    """Addresses of opted-out people whose contact was deleted, in ledger order."""
    with Ledger.open(f"sqlite:///{folder / 'suppress.db'}", read_only=True) as ledger:
        return [
            str(payload["address"])
            for entry in ledger.entries()
            if isinstance(entry.body, OptOutRecorded) and entry.body.visibility is Visibility.DELETED
            for payload in [ledger.payload(entry.seq)]
            if payload is not None
        ]


def _write_import(path: Path, returning: Sequence[str]) -> None:
    """A list as marketing gets them: strangers, and opted-out people in other spellings."""
    spellings = (str.upper, str.title, str.lower, lambda address: f" {address} ")
    people = [(f"Visitor {number}", f"visitor{number}@example.net") for number in range(1, 21)]
    for number, address in enumerate(returning[:8]):
        people.insert(number * 3, (f"Returning {number + 1}", spellings[number % len(spellings)](address)))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["Name", "Email", "Stand"])
        writer.writerows([name, address, "B12, hall 3"] for name, address in people)


def _rows(path: Path) -> int:
    with path.open(newline="", encoding="utf-8") as file:
        return sum(1 for _ in csv.reader(file)) - 1


@contextmanager
def _one_byte_changed(folder: Path) -> Iterator[int]:
    """Change one byte of one entry in the ledger's file; put it back afterwards."""
    path = folder / "suppress.db"
    with Ledger.open(f"sqlite:///{path}", read_only=True) as ledger:
        entry = next(each for each in ledger.entries() if isinstance(each.body, OptOutRecorded))
    whole = path.read_bytes()
    place = whole.index(entry.leaf) + entry.leaf.index(b'"occurred_at":"2') + len(b'"occurred_at":"')
    try:
        path.write_bytes(whole[:place] + b"1" + whole[place + 1 :])
        yield entry.seq
    finally:
        path.write_bytes(whole)

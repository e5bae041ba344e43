"""What a destination still works on, kept from one run to the next.

A job's token is all that the next run needs to ask for it instead of sending everything again. Tokens are no
entries: they are the destination's own words, and worth nothing to anybody once the job has ended. They lie
in a file of the user's state folder that only the owner may read, with nobody's address in it: a person is a
digest of their random id and of which request of theirs was told.

The file may be lost. Then these people are told again, which changes nothing for them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from suppress.core.canonical import moment, timestamp
from suppress.errors import StorageFailed
from suppress.ledger import Listed
from suppress.plugin.contract import Job, Outcome
from suppress.plugin.lock import private

Answers = tuple[Outcome | None, ...]
"""What was said of each spelling of a person; None for one that a job answers for."""


@dataclass(frozen=True, slots=True)
class Push:
    """One push whose jobs had not all ended."""

    jobs: tuple[Job, ...]
    people: Mapping[str, Answers]
    """Who was handed over, by `identity`."""


@dataclass(slots=True)
class Jobs:
    """The open pushes of one destination, with its present settings."""

    file: Path | None
    settings: str
    """What its settings are known by: with others, the jobs are somebody else's."""
    pushes: dict[str, Push] = field(default_factory=dict)

    @classmethod
    def kept(cls, state: Path | None, ledger: str, destination: str, settings: str) -> Jobs:
        """What earlier runs of this ledger left of this destination."""
        if state is None:
            return cls(None, settings)
        name = hashlib.sha256(f"{ledger}\n{destination}".encode()).hexdigest()[:16]
        found = cls(state / "exports" / f"{name}.json", settings)
        found._read()
        return found

    def of(self, people: Iterable[str]) -> dict[str, Answers]:
        """What is known of those of these people whom an open push is about."""
        return {
            person: push.people[person]
            for person in people
            for push in self.pushes.values()
            if person in push.people
        }

    def about(self, people: Iterable[str]) -> list[str]:
        """The open pushes that are about any of these people."""
        asked = frozenset(people)
        return [name for name, push in self.pushes.items() if not asked.isdisjoint(push.people)]

    def keep(self, name: str, jobs: Sequence[Job], people: Mapping[str, Answers]) -> None:
        """A push has these jobs now; without any it is over."""
        if jobs:
            self.pushes[name] = Push(tuple(jobs), people)
        elif self.pushes.pop(name, None) is None:
            return
        self._write()

    def only(self, names: Iterable[str]) -> None:
        """Every other push is over."""
        keep = frozenset(names)
        if self.pushes.keys() - keep:
            self.pushes = {name: push for name, push in self.pushes.items() if name in keep}
            self._write()

    def _read(self) -> None:
        assert self.file is not None
        try:
            kept = json.loads(self.file.read_bytes())
            if kept["settings"] == self.settings:
                self.pushes = {name: _push(raw) for name, raw in kept["pushes"].items()}
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            self.pushes = {}

    def _write(self) -> None:
        if self.file is None:
            return
        kept = {
            "settings": self.settings,
            "pushes": {
                name: {
                    "jobs": [[job.token, job.stage, timestamp(job.next_poll)] for job in push.jobs],
                    "people": push.people,
                }
                for name, push in self.pushes.items()
            },
        }
        scratch = self.file.with_suffix(".new")
        try:
            self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with private(scratch, "wb") as out:
                out.write(json.dumps(kept).encode())
            scratch.replace(self.file)
        except OSError as refused:
            raise StorageFailed(
                f"the jobs of a destination cannot be kept in {self.file.parent}: "
                f"{refused.strerror or type(refused).__name__}",
                remedy="make that folder writable, or name another one as `state` in suppress.toml",
            ) from None


def identity(each: Listed) -> str:
    """Who was told, as of which request and which spelling: another one of either is news."""
    line = f"{each.subject}\0{timestamp(each.suppression.latest)}\0{each.heard}\0{len(each.addresses)}"
    return hashlib.sha256(line.encode()).hexdigest()[:32]


def _push(raw: Mapping[str, object]) -> Push:
    jobs, people = raw["jobs"], raw["people"]
    if not isinstance(jobs, list) or not isinstance(people, dict):
        raise TypeError("no push")
    return Push(
        tuple(Job(str(token), str(stage), _at(at)) for token, stage, at in jobs),
        {
            str(person): tuple(None if said is None else Outcome(said) for said in answers)
            for person, answers in people.items()
        },
    )


def _at(text: str) -> datetime:
    return moment(text)

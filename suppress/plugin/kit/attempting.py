"""One disturbed run, done as the engine does it, and what may be concluded from it.

The engine's rule is kept here in small: what a destination accepted counts only after reading back, and an
exporter that fails says so with an error of `suppress.plugin.errors`, before which its answers still stand.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar
from urllib.parse import unquote

from suppress.errors import SuppressError
from suppress.plugin.contract import (
    Delivery,
    Exporter,
    Job,
    LedgerPosition,
    Outcome,
    Pushed,
    Remote,
    Suppressed,
    Unit,
)
from suppress.plugin.tally import TAKEN, Tally

POLLS = 20
"""How often a disturbed job is asked for; its people count as pending after that, and are told again."""
CLAIMS = frozenset({Outcome.SUPPRESSED, Outcome.ALREADY, Outcome.NOT_MAILABLE})
"""Outcomes that say, without reading back, that somebody is not mailed."""
_T = TypeVar("_T")


@dataclass(slots=True)
class Answers:
    """Hands on what a plugin yields; however it breaks, that is kept and ends it."""

    failure: BaseException | None = None

    def of(self, asked: Callable[[], Iterable[_T]]) -> Iterator[_T]:
        """What it yields until it ends or breaks."""
        try:
            yield from asked()
        except Exception as broken:
            self.failure = broken


@dataclass(slots=True)
class Attempt:
    """What a run of `push` and `poll` said."""

    tally: Tally
    handed: list[str]
    """The addresses that were to be told."""
    failure: BaseException | None = None
    """What the exporter raised."""
    said: list[str] = field(default_factory=list)
    """What it wrote to the log meanwhile."""

    @property
    def claimed(self) -> list[str]:
        """The addresses that it says are not mailed."""
        if self.tally.unit is Unit.SNAPSHOT:
            return self.handed if self.tally.snapshot and not self.failure else []
        return [each for each, outcome in self.tally.outcomes.items() if outcome in CLAIMS]

    @property
    def taken(self) -> list[str]:
        """The addresses that the engine would take as told, before it reads back."""
        if self.tally.unit is Unit.SNAPSHOT:
            return self.claimed
        return [each for each, outcome in self.tally.outcomes.items() if outcome in TAKEN]


def attempted(
    exporter: Exporter,
    entries: Iterable[Suppressed],
    position: LedgerPosition,
    *,
    before_polling: Callable[[], None] = lambda: None,
) -> Attempt:
    """Push these entries and ask for the jobs that result.

    Raises:
        ContractBroken: The answers do not account for everyone.
    """
    answers, people = Answers(), list(entries)
    tally = Tally(exporter.name, exporter.capabilities.unit)
    with listening() as said:
        tally.take(answers.of(partial(exporter.push, tally.handing(iter(people)), position)))
        before_polling()
        for _ in range(POLLS):
            if answers.failure is not None or not tally.jobs:
                break
            jobs, tally.jobs = tally.jobs, []
            tally.take(answers.of(partial(_polled, exporter, jobs)))
    if answers.failure is None:
        tally.close()
    return Attempt(tally, [each.address for each in people], answers.failure, said)


def _polled(exporter: Exporter, jobs: Sequence[Job]) -> Iterator[Pushed]:
    for job in jobs:
        yield from exporter.poll(job)


def believed(exporter: Exporter, attempt: Attempt) -> list[str]:
    """The addresses that the engine would hold for suppressed, after reading back where that can be done."""
    can = exporter.capabilities
    if can.delivery is Delivery.EVENTUAL:
        return []
    if not (can.can_read_one or can.can_read_many):
        return attempt.claimed
    outcomes = attempt.tally.outcomes
    return [
        seen.address
        for seen in exporter.read_back(attempt.taken)
        if seen.state in (Remote.SUPPRESSED, Remote.NOT_MAILABLE)
        or (seen.state is Remote.UNKNOWN and outcomes.get(seen.address) is Outcome.SKIPPED_UNKNOWN)
    ]


def improper(failure: BaseException | None) -> str | None:
    """Why the engine could not tell a person what to do about this failure, if so."""
    if failure is None or isinstance(failure, SuppressError):
        return None
    return (
        f"it raised {type(failure).__name__}; map what a platform does to suppress.plugin.errors, "
        "or nobody can tell what to do about it"
    )


def words_of(failure: BaseException | None) -> list[str]:
    """All that a person could get to read of a failure."""
    if failure is None:
        return []
    remedy = failure.remedy if isinstance(failure, SuppressError) else None
    return [str(failure), repr(failure), remedy or ""]


def leaks(words: Sequence[str], entries: Iterable[Suppressed], secrets: Iterable[str]) -> list[str]:
    """What of people and secrets is in these words; named by number and kind, never repeated."""
    plain = "\n".join(words).lower()
    # As URLs have it, every library in its own way, and so read back rather than guessed.
    text = f"{plain}\n{unquote(plain)}"
    found = [
        f"the address of entry {each.seq}"
        for each in entries
        if "@" in each.address and each.address.lower() in text
    ]
    return found + ["a secret" for each in secrets if len(each) > 5 and each.lower() in text]


@contextmanager
def listening() -> Iterator[list[str]]:
    """Everything that is logged meanwhile from level INFO on, by anybody in this process."""
    said: list[str] = []
    root = logging.getLogger()
    heard = _Heard(said)
    level = root.level
    root.addHandler(heard)
    root.setLevel(min(level, logging.INFO) if level else logging.INFO)
    try:
        yield said
    finally:
        root.setLevel(level)
        root.removeHandler(heard)


class _Heard(logging.Handler):
    def __init__(self, said: list[str]) -> None:
        super().__init__(logging.INFO)
        self._said = said

    def emit(self, record: logging.LogRecord) -> None:
        self._said.append(self.format(record))

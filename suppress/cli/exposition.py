"""`suppress status --prometheus`: the figures in the text format that Prometheus and its node exporter read.

Rules kept here (Prometheus exposition formats, text format 0.0.4):

* One HELP and one TYPE line for each metric, then its samples; names of labels are ours, their values
  escaped.
* An instant is seconds since 1970. What never was has no sample: `absent()` and the stale gauges tell of it.
* No address and no subject is in it; labels are names of sources, destinations and states.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from suppress.status import Status

Labels: TypeAlias = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Metric:
    """One gauge and its samples."""

    name: str
    help: str
    samples: tuple[tuple[Labels, int], ...]


def exposition(found: Status) -> str:
    """All figures as text."""
    return "".join(_text(metric) for metric in _metrics(found) if metric.samples)


def _metrics(found: Status) -> Iterator[Metric]:
    waiting = found.waiting
    yield _one("as_of_timestamp_seconds", "When these figures were counted.", _seconds(found.as_of))
    yield _one(
        "findings", "1 if a request is overdue or a suppressed person is mailable.", int(found.findings)
    )
    yield _one("people_suppressed", "People who may not be e-mailed.", found.suppressed)
    yield _one("ledger_entries", "Entries of the ledger.", found.size)
    if found.last_entry is not None:
        yield _one(
            "last_entry_timestamp_seconds", "When the last entry was recorded.", _seconds(found.last_entry)
        )
    if found.anchored is not None:
        help_ = "When a checkpoint was last given out."
        yield _one("last_anchor_timestamp_seconds", help_, _seconds(found.anchored.at))
    states = {
        "open": waiting.open,
        "due_soon": waiting.due_soon,
        "at_risk": waiting.at_risk,
        "overdue": waiting.overdue,
    }
    yield Metric(
        "suppress_requests_waiting",
        "Requests not yet honoured everywhere; those due soon are open, too.",
        tuple(({"state": state}, number) for state, number in states.items()),
    )
    yield Metric(
        "suppress_mailable_again",
        "Suppressed people whom a source or destination showed as mailable.",
        tuple(
            ({"destination" if each.destination else "source": each.source}, each.people)
            for each in found.drift
        ),
    )
    yield from _sources(found)
    yield from _destinations(found)


def _sources(found: Status) -> Iterator[Metric]:
    for name, help_, instants in (
        (
            "source_last_run_timestamp_seconds",
            "When a source was last read completely.",
            [(each.name, each.last_complete) for each in found.sources],
        ),
        (
            "source_last_census_timestamp_seconds",
            "When a source had its last complete census.",
            [(each.name, each.last_census) for each in found.sources],
        ),
    ):
        yield Metric(
            f"suppress_{name}",
            help_,
            tuple(({"source": source}, _seconds(at)) for source, at in instants if at is not None),
        )
    yield Metric(
        "suppress_source_stale",
        "1 if a source was not read, or not counted, for too long.",
        tuple(
            ({"source": each.name, "what": what}, int(stale))
            for each in found.sources
            for what, stale in (("run", each.run_is_stale), ("census", each.census_is_stale))
        ),
    )


def _destinations(found: Status) -> Iterator[Metric]:
    yield Metric(
        "suppress_destination_last_told_timestamp_seconds",
        "When a destination was last told.",
        tuple(
            ({"destination": each.name}, _seconds(each.last_export))
            for each in found.destinations
            if each.last_export is not None
        ),
    )
    yield Metric(
        "suppress_destination_untold",
        "Requests that a destination has not taken yet.",
        tuple(({"destination": each.name}, each.untold) for each in found.destinations),
    )
    yield Metric(
        "suppress_destination_overdue",
        "Requests that are overdue at a destination.",
        tuple(({"destination": name}, number) for name, number in found.overdue.items()),
    )


def _one(name: str, help_: str, value: int) -> Metric:
    return Metric(f"suppress_{name}", help_, (({}, value),))


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def _text(metric: Metric) -> str:
    lines = [f"# HELP {metric.name} {metric.help}", f"# TYPE {metric.name} gauge"]
    for labels, value in metric.samples:
        inside = ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items())
        lines.append(f"{metric.name}{{{inside}}} {value}" if inside else f"{metric.name} {value}")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")

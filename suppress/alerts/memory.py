"""Who was told what: each finding once, again when it gets worse or lasts, and once more when it is over.

What was told is kept for each way of alerting, in a file of the state folder that may be lost: then what
lasts is told anew. A finding counts as told when its message was delivered; a way that fails is tried again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from suppress.alerts.finding import Finding
from suppress.plugin.alerting import Alert, Change, Condition
from suppress.plugin.lock import private


@dataclass(frozen=True, slots=True)
class Told:
    """What was last said of one finding."""

    condition: Condition
    says: str
    level: int
    since: datetime
    at: datetime


Memory = Mapping[str, Told]
"""By the finding's id."""


def news(
    known: Memory, findings: Iterable[Finding], now: datetime, remind: timedelta
) -> tuple[tuple[Alert, ...], Memory]:
    """What is to be told now, and what will be known once it is."""
    alerts: list[Alert] = []
    after: dict[str, Told] = {}
    for each in findings:
        last = known.get(each.id)
        change = _change(last, each, now, remind)
        since = now if last is None else last.since
        if change is not None:
            alerts.append(Alert(each.id, each.condition, change, each.says, each.next_step, since))
        told_at = now if change is not None or last is None else last.at
        after[each.id] = Told(each.condition, each.says, each.level, since, told_at)
    for id_, told in known.items():
        if id_ not in after:
            says = f"no longer so: {told.says}"
            alerts.append(Alert(id_, told.condition, Change.RESOLVED, says, "nothing", told.since))
    return tuple(alerts), after


def _change(last: Told | None, found: Finding, now: datetime, remind: timedelta) -> Change | None:
    if last is None:
        return Change.RAISED
    if found.level > last.level:
        return Change.WORSE
    # A clock that was set back must not keep a reminder for years.
    return Change.REMINDED if abs(now - last.at) >= remind else None


def read(file: Path) -> dict[str, Memory]:
    """What each way of alerting was told. Whatever cannot be read was not told."""
    try:
        facts = json.loads(file.read_bytes())
        return {way: {id_: _told(each) for id_, each in told.items()} for way, told in facts.items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}


def write(file: Path, memories: Mapping[str, Memory]) -> None:
    """Keep it, whole. Raises `OSError`."""
    facts = {
        way: {
            id_: [each.condition.value, each.says, each.level, each.since.isoformat(), each.at.isoformat()]
            for id_, each in told.items()
        }
        for way, told in memories.items()
    }
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    scratch = file.with_suffix(".new")
    with private(scratch, "wb") as opened:
        opened.write(json.dumps(facts).encode())
    scratch.replace(file)


def _told(facts: list[object]) -> Told:
    condition, says, level, since, at = facts
    times = datetime.fromisoformat(str(since)), datetime.fromisoformat(str(at))
    if None in (times[0].tzinfo, times[1].tzinfo) or not isinstance(level, int):
        raise ValueError("not what was written")
    return Told(Condition(str(condition)), str(says), level, *times)

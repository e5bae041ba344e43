"""Judge the ledger and tell every way of alerting what is news to it.

Rules kept here:

* One way that fails never stops another; what it was to be told, it is told next time.
* Only one process tells at a time: a second one waits for what the first has told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256

from suppress.alerts import memory
from suppress.alerts.finding import Beside, Finding, Quota, findings
from suppress.alerts.spike import WINDOW, spike
from suppress.config import Settings, redacted
from suppress.core.entry import SyncDone
from suppress.errors import StorageFailed, SuppressError
from suppress.ledger import Ledger
from suppress.plugin.alerting import Alert, AlertChannel, AlertFailed, Change, Condition, Message
from suppress.plugin.lock import locked
from suppress.plugin.pace import Clock
from suppress.plugin.registry import Registry
from suppress.plugin.signing import SignedIn
from suppress.status import status

PATIENCE = 120.0
"""Seconds to wait for another process that is telling."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one way of alerting was told."""

    name: str
    alerts: tuple[Alert, ...]
    failure: SuppressError | None = None


def judged(ledger: Ledger, settings: Settings, registry: Registry, now: datetime) -> tuple[Finding, ...]:
    """Everything that is wrong now. No platform is asked."""
    beside = Beside(
        broken_censuses=tuple(name for name in settings.sources if _census_broke(ledger, name)),
        spikes=tuple(
            found
            for name in settings.sources
            if (found := spike(name, _by_day(ledger, name, now), now.date())) is not None
        ),
        quotas=tuple(_quotas(settings, registry)),
        sign_ins=tuple(_sign_ins(settings, registry)),
    )
    return findings(status(ledger, settings, now=now), beside)


def send(
    found: Sequence[Finding],
    settings: Settings,
    registry: Registry,
    names: Sequence[str],
    now: datetime,
    *,
    dry_run: bool = False,
) -> tuple[Delivery, ...]:
    """Tell each of `names` what is news to it.

    Raises:
        ConfigWrong: A way of alerting is not there, or its table is wrong.
        StorageFailed: What was told cannot be kept.
    """
    ways = {name: registry.alert(settings.alerts[name]) for name in names}
    file = settings.state / f"alerts-{sha256(redacted(settings.ledger).encode()).hexdigest()[:16]}.json"
    try:
        with locked(file.with_suffix(".lock"), clock=Clock(), patience=PATIENCE):
            memories = memory.read(file)
            deliveries = []
            for name, way in ways.items():
                alerts, after = memory.news(memories.get(name, {}), found, now, settings.alerts[name].remind)
                failure = None if dry_run or not alerts else _told(name, way, settings, alerts, now)
                deliveries.append(Delivery(name, alerts, failure))
                if failure is None and not dry_run:
                    memories[name] = after
                    memory.write(file, memories)
            return tuple(deliveries)
    except TimeoutError:
        raise AlertFailed("another process has been sending alerts for two minutes") from None
    except OSError as refused:
        raise StorageFailed(
            f"what was told cannot be kept in {settings.state}: {refused.strerror or type(refused).__name__}"
        ) from None


def try_out(
    settings: Settings, registry: Registry, names: Sequence[str], now: datetime
) -> tuple[Delivery, ...]:
    """Tell each of `names` that this is a test. Raises `ConfigWrong`."""
    says = "This is a test: somebody tries whether alerts arrive. Nothing is wrong."
    alert = Alert("test", Condition.TEST, Change.RAISED, says, "nothing", now)
    ways = {name: registry.alert(settings.alerts[name]) for name in names}
    return tuple(
        Delivery(name, (alert,), _told(name, way, settings, (alert,), now)) for name, way in ways.items()
    )


def _told(
    name: str, way: AlertChannel, settings: Settings, alerts: tuple[Alert, ...], now: datetime
) -> SuppressError | None:
    try:
        way.send(Message(now, settings.organisation, alerts))
    except SuppressError as failure:
        return failure
    except Exception as broken:
        # A plugin's own trouble; its words are left out, for they may hold a secret.
        return AlertFailed(f"alert {name!r} broke: {type(broken).__name__}")
    return None


def _census_broke(ledger: Ledger, name: str) -> bool:
    for entry in ledger.about(SyncDone.type, name):
        if isinstance(entry.body, SyncDone) and entry.body.mode == "census":
            return not entry.body.complete
    return False


def _by_day(ledger: Ledger, name: str, now: datetime) -> Counter[date]:
    """New opt-outs of each day on which the source was read, without the days of its backlog."""
    days: Counter[date] = Counter()
    for entry in ledger.about(SyncDone.type, name):
        if now - entry.at > WINDOW + timedelta(days=1):
            return days
        if isinstance(entry.body, SyncDone):
            days[entry.at.date()] += entry.body.new
    if days:
        del days[min(days)]  # the first day of a source holds all that it ever had
    return days


def _sign_ins(settings: Settings, registry: Registry) -> Iterator[SignedIn]:
    for each in settings.sources.values():
        signing = registry.sign_in(each, settings.state)
        if signing is not None:
            yield signing.status()


def _quotas(settings: Settings, registry: Registry) -> Iterator[Quota]:
    for each in settings.sources.values():
        quota = registry.quota(each, settings.state)
        if quota is not None:
            yield Quota(each.name, *quota)

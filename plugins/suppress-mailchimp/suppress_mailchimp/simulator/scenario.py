"""What a simulated account starts with, and how its platform behaves: demo, large, or a scenario file (TOML).

```toml
[switches]
connections = 10

[[audiences]]
id = "a1b2c3d4e5"
name = "Newsletter"
people = 200
unsubscribed = ["pat@example.com"]

[[faults]]
kind = "bare-403"
method = "PATCH"
times = 3
```

An unknown key or a value of the wrong kind is refused with its place; nothing is guessed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from suppress.errors import BadFile
from suppress.plugin.scenario import read
from suppress_mailchimp.simulator.account import Account, Audience, Member

KEY = "0123456789abcdef0123456789abcdef-us19"
"""The API key that a simulated account takes; it opens nothing anywhere else."""
KINDS = (
    "bare-403",
    "throttled",
    "blocked",
    "failed",
    "failed-after",
    "reset",
    "reset-after",
    "cut",
    "silent",
    "slow",
)


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with some requests.

    `bare-403` and `throttled` say "too many requests", `blocked` is the firewall's page. `failed` is a 500
    before and `failed-after` one after it took effect; `reset` and `reset-after` break the connection
    likewise, `cut` in the middle of the answer. `silent` answers a write with a 200 that names nobody, and
    does not do it; `slow` answers after `seconds`.
    """

    kind: str
    method: str = ".*"
    path: str = ".*"
    after: int = 0
    """Requests of this kind that are answered well first."""
    times: int = 1
    seconds: int = 1


@dataclass(frozen=True, slots=True)
class Switches:
    """How the platform behaves."""

    connections: int = 10
    """Requests at once; one more is answered 429."""
    role: str = "owner"
    """`viewer` may read and not write."""
    required_fields: tuple[str, ...] = ()
    """Merge fields that an audience wants from everybody."""
    batch_states: tuple[str, ...] = ("pending", "preprocessing", "started", "finalizing")
    """What a batch says, look by look, before it is finished."""
    batches_lost: bool = False
    """Nothing is known of any batch that was started."""
    results_dead: int = 0
    """Addresses of results that have run out when they are first used."""
    results_host: str = "other"
    """`same`: results lie on the API's own host."""
    drift: int = 0
    """Members who change between two pages."""
    lagging: bool = False
    """Listings show what was before each member's last change."""
    archived_listed: bool = False
    """Whole listings show archived members, too."""
    skew: int = 0
    """Seconds by which the platform's clock is ahead."""
    fakes: tuple[str, ...] = ("fake.example",)
    """Domains whose addresses look fake to it."""


@dataclass(frozen=True, slots=True)
class People:
    """One audience."""

    id: str
    name: str = "Newsletter"
    people: int = 0
    """Made-up subscribers: person-0@example.com and so on."""
    subscribed: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()
    transactional: tuple[str, ...] = ()
    unsubscribed: tuple[str, ...] = ()
    """By the link in a message: locked."""
    unsubscribed_by_api: tuple[str, ...] = ()
    cleaned: tuple[str, ...] = ()
    archived: tuple[str, ...] = ()
    forgotten: tuple[str, ...] = ()
    """Permanently deleted."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """An account and its platform."""

    audiences: tuple[People, ...] = (People("a1b2c3d4e5"),)
    switches: Switches = field(default_factory=Switches)
    faults: tuple[Fault, ...] = ()
    key: str = KEY

    def account(self, now: datetime) -> Account:
        """The account as it is when the simulator starts."""
        return Account(_filled(each, self.switches, now) for each in self.audiences)


_LOCKED = frozenset({"unsubscribed", "cleaned"})


def _filled(people: People, switches: Switches, now: datetime) -> Audience:
    audience = Audience(people.id, people.name, required=switches.required_fields)
    rows = [(f"person-{number}@example.com", "subscribed", "subscribed") for number in range(people.people)]
    for kind in ("subscribed", "pending", "transactional", "unsubscribed", "cleaned", "archived"):
        rows += [(address, kind, kind) for address in getattr(people, kind)]
    rows += [(address, "unsubscribed", "api") for address in people.unsubscribed_by_api]
    start = now - timedelta(seconds=len(rows) + 60)
    for number, (address, status, kind) in enumerate(rows):
        member = Member(address, status, start + timedelta(seconds=number), locked=kind in _LOCKED)
        member.reason = "Normal" if kind == "unsubscribed" else None
        audience.place(member)
    for address in people.forgotten:
        audience.place(Member(address, "subscribed", start))
        audience.forget(address)
    return audience


def demo() -> Scenario:
    """One audience of 200 subscribers and some of every other kind."""
    first = People(
        "a1b2c3d4e5",
        people=200,
        subscribed=("pat@example.com", "Kim.Lee@Example.com"),
        pending=("waiting@example.com",),
        transactional=("buyer@example.com",),
        unsubscribed=("left@example.com",),
        cleaned=("bounced@example.com",),
        archived=("hidden@example.com",),
        forgotten=("erased@example.com",),
    )
    return Scenario((first, People("f6e7d8c9b0", "Shop", subscribed=("pat@example.com",))))


def large() -> Scenario:
    """One audience of 100,000 subscribers."""
    return Scenario((People("a1b2c3d4e5", people=100_000),))


BUILT_IN = {"demo": demo, "large": large}


def load(path: Path) -> Scenario:
    """Read a scenario file.

    Raises:
        BadFile: It cannot be read, is no TOML, or does not describe a scenario.
    """
    scenario = read(Scenario, path, named=BUILT_IN)
    for each in scenario.faults:
        if each.kind not in KINDS:
            raise BadFile(f"{path}: faults: kind must be one of {', '.join(KINDS)}")
    return scenario

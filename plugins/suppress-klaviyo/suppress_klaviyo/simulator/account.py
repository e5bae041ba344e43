"""What a simulated Klaviyo account knows: profiles with their suppressions, and jobs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count


@dataclass(slots=True)
class Profile:
    """A profile: mailable unless something suppresses it."""

    id: str
    email: str
    consent: str = "NEVER_SUBSCRIBED"
    suppressions: dict[str, datetime] = field(default_factory=dict)
    """Reason → since when."""


@dataclass(slots=True)
class Job:
    """A suppression job, and how far along it is."""

    id: str
    addresses: list[str]
    created: datetime
    asked: int = 0
    status: str = "queued"
    ended: datetime | None = None


class Account:
    """Profiles by address; in small letters unless `minds_case`."""

    def __init__(self, *, minds_case: bool = False) -> None:
        self._minds_case = minds_case
        self._profiles: dict[str, Profile] = {}
        self.jobs: dict[str, Job] = {}
        self._ids = count(1)

    def __len__(self) -> int:
        return len(self._profiles)

    @property
    def suppressed(self) -> int:
        """How many profiles are."""
        return sum(bool(each.suppressions) for each in self._profiles.values())

    def key_of(self, address: str) -> str:
        """How addresses are compared here."""
        return address.strip() if self._minds_case else address.strip().lower()

    def add(self, addresses: Iterable[str]) -> None:
        """Make profiles of these addresses."""
        for address in addresses:
            self._made(address)

    def suppress(self, address: str, reason: str, at: datetime) -> None:
        """Suppress a profile, which is made if there is none; an older suppression keeps its time."""
        self._made(address).suppressions.setdefault(reason, at)

    def unsuppress(self, address: str) -> None:
        """What staff can do: end the suppression that a call made, and no other."""
        self._made(address).suppressions.pop("USER_SUPPRESSED", None)

    def found(self, address: str) -> Profile | None:
        """The profile of an address."""
        return self._profiles.get(self.key_of(address))

    def would_mail(self, address: str) -> bool:
        """Whether a campaign to everybody would go to a profile with this address."""
        mine = [each for each in self._profiles.values() if each.email.lower() == address.strip().lower()]
        return any(not each.suppressions for each in mine)

    def profiles(self) -> Iterator[Profile]:
        """All of them, oldest first."""
        return iter(self._profiles.values())

    def start(self, addresses: list[str], at: datetime) -> Job:
        """A new job."""
        job = Job(f"job{next(self._ids):08d}", addresses, at)
        self.jobs[job.id] = job
        return job

    def _made(self, address: str) -> Profile:
        key = self.key_of(address)
        if key not in self._profiles:
            spelled = address.strip() if self._minds_case else address.strip().lower()
            self._profiles[key] = Profile(f"01P{next(self._ids):08d}", spelled)
        return self._profiles[key]


def written(at: datetime) -> str:
    """A time as Klaviyo writes it."""
    return at.astimezone(UTC).isoformat(timespec="seconds")

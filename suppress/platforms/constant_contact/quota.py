"""Constant Contact's request limits: 4 a second and 10,000 a day for each API key.

The key is the *application*: all accounts that were connected through it share its limits (support staff, in
"Rate Limiting On Access Tokens"). The day begins at 00:00:00 UTC. No rate header is documented, so requests
are counted here. Two bodies tell a 429 apart (rate limits page of the guide): `throttled` is over in a
second, `quota_exceeded` not before the day is.
"""

from __future__ import annotations

from enum import Enum
from hashlib import sha256
from pathlib import Path

from suppress.platforms.constant_contact.options import Options
from suppress.platforms.constant_contact.wire import complaint
from suppress.plugin.pace import Clock, Limits, Pace
from suppress.plugin.transport import Reply

PER_SECOND = 4


def pace_of(options: Options, state: Path, clock: Clock) -> Pace:
    """The limits of this source's API key, shared with every other source that uses the same one.

    So that ledgers share them too, `state` is by default one folder for all that a user runs. The file is
    named by a digest of the key, and nothing in it tells whose it is.
    """
    key = sha256(f"{options.origin}{options.prefix}\n{options.client_id}".encode()).hexdigest()
    limits = Limits(burst=PER_SECOND, per_day=options.daily_budget)
    file = state / f"constant-contact-{key[:16]}.json"
    return Pace(file, limits, whose="Constant Contact", clock=clock)


class Refusal(Enum):
    """Which limit an answer refers to."""

    THROTTLED = "throttled"
    QUOTA = "quota"


def refusal(reply: Reply) -> Refusal | None:
    """Which limit was hit, if any. A 429 that cannot be read is a throttle: asking again is harmless."""
    if reply.status not in (403, 429):
        return None
    key = complaint(reply.json)[0].lower() if reply.is_json else ""
    if reply.status == 403:
        # The gateway before 2022 answered 403 with `mashery.not.authorized.over.qps` or `.over.ratelimit`.
        old = f"{key} {reply.headers.get('x-mashery-error-code', '')}".lower()
        return Refusal.THROTTLED if "mashery" in old and ".over." in old else None
    return Refusal.QUOTA if "quota_exceeded" in key else Refusal.THROTTLED


def left_today(options: Options, state: Path) -> tuple[int, int] | None:
    """Requests that are left of the day, and of how many; None without a daily limit."""
    left = pace_of(options, state, Clock()).left()
    return None if left is None else (left, options.daily_budget)

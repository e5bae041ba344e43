"""The platform's request limits: a token bucket a second and a count a day, for each client_id.

All tokens of one application share them. A refused request uses up nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from suppress.platforms.constant_contact.simulator.http import Response, error


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled_at: float


@dataclass(slots=True)
class Meter:
    """Counts what each client has used."""

    per_second: int
    per_day: int
    retry_after: bool = False
    _buckets: dict[str, _Bucket] = field(default_factory=dict)
    _used: dict[tuple[str, date], int] = field(default_factory=dict)

    def used(self, client_id: str, day: date) -> int:
        """Requests counted for a client on a UTC day."""
        return self._used.get((client_id, day), 0)

    def take(self, client_id: str, *, now: datetime, monotonic: float) -> Response | None:
        """Count one request, or give the 429 that refuses it: the day's quota first, then the rate."""
        day = now.date()
        if self.used(client_id, day) >= self.per_day:
            midnight = datetime.combine(day + timedelta(days=1), datetime.min.time(), now.tzinfo)
            return self._refusal(quota_exceeded(), (midnight - now).total_seconds())
        bucket = self._buckets.setdefault(client_id, _Bucket(self.per_second, monotonic))
        gained = (monotonic - bucket.filled_at) * self.per_second
        bucket.tokens = min(self.per_second, bucket.tokens + gained)
        bucket.filled_at = monotonic
        # The slack swallows rounding: a caller that waits exactly long enough is let in.
        if bucket.tokens < 1 - 1e-9:
            return self._refusal(throttled(), (1 - bucket.tokens) / self.per_second)
        bucket.tokens -= 1
        self._used[client_id, day] = self.used(client_id, day) + 1
        return None

    def _refusal(self, response: Response, seconds: float) -> Response:
        if not self.retry_after:
            return response
        return response.with_headers(("Retry-After", str(max(1, -int(-seconds // 1)))))


def throttled() -> Response:
    """429: too many requests this second."""
    return error(429, "throttled", "Too Many Requests")


def quota_exceeded() -> Response:
    """429: the day's requests are used up, until 00:00 UTC."""
    return error(429, "quota_exceeded", "Limit Exceeded")


def unauthorized() -> Response:
    """401: the access token is missing, unknown or expired."""
    return error(401, "unauthorized", "Unauthorized")

"""What an access token says about itself: scopes and end. For showing only: nobody checks its signature."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Claims:
    """`scopes` and `expires_at` of a JWT; nothing of any other token."""

    scopes: tuple[str, ...] = ()
    expires_at: datetime | None = None


def claims(token: str) -> Claims:
    """The claims `scp` and `exp`, which the vendor's guide lists."""
    parts = token.split(".")
    if len(parts) != 3:
        return Claims()
    try:
        found = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        ends, scopes = (found.get("exp"), found.get("scp")) if isinstance(found, dict) else (None, None)
        at = datetime.fromtimestamp(ends, UTC) if isinstance(ends, int | float) else None
    except (ValueError, OverflowError, OSError, RecursionError):
        return Claims()
    known = scopes if isinstance(scopes, list) else []
    return Claims(tuple(each for each in known if isinstance(each, str) and each.isprintable()), at)

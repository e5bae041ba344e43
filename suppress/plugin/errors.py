"""What a plugin may raise: each vendor's way of saying no, mapped to what can be done about it.

Sources raise `SourceFailed` and `SignInNeeded` from `suppress.errors`; the classes below are for exporters
and for the guard that stands in front of both. A message names the call and the vendor's own words, never an
address, a token, or a URL that holds one.

    SignInNeeded
    └── AuthFailed            the destination refused the credentials
    DestinationFailed
    ├── PermissionMissing     the credentials are good, but may not do this
    ├── Throttled             too many requests; again at `retry_at`
    ├── Transient             the same call may work later
    ├── RecordRejected        one record was refused for good, with the vendor's `code`
    └── ContractBroken        the answer does not account for every record, or is not what was promised
    SuppressError
    └── CallForbidden         a plugin tried a call that it never declared
        └── WouldIncreaseReach    a plugin tried to send a value that makes somebody mailable

A setting that is missing or wrong is `suppress.errors.ConfigWrong`, and a day's budget that is used up is
`suppress.errors.QuotaExhausted`, for sources and exporters alike.
"""

from __future__ import annotations

from datetime import datetime

from suppress.errors import DestinationFailed, SignInNeeded, SuppressError


class AuthFailed(SignInNeeded):
    """The destination refused the credentials."""


class PermissionMissing(DestinationFailed):
    """The credentials are good but do not carry the permission that `scope` names."""

    def __init__(self, message: str, *, scope: str, remedy: str | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.scope = scope


class Throttled(DestinationFailed):
    """Too many requests, for longer than waiting makes sense; `retry_at` is when to come back, if known."""

    default_remedy = "run the same command again later"

    def __init__(self, message: str, *, retry_at: datetime | None = None, remedy: str | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.retry_at = retry_at


class Transient(DestinationFailed):
    """The destination did not answer or failed on its side, several times; the same call may work later."""

    default_remedy = "run the same command again later"


class RecordRejected(DestinationFailed):
    """One record was refused for good; `code` is the vendor's own word for why."""

    def __init__(self, message: str, *, code: str, remedy: str | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.code = code


class ContractBroken(DestinationFailed):
    """An answer does not account for every record that was sent, or is not of the promised shape."""


class CallForbidden(SuppressError):
    """A plugin tried a call that it never declared. Nothing was sent: this is a fault of the plugin."""

    default_remedy = "report this to the plugin's author"


class WouldIncreaseReach(CallForbidden):
    """A plugin tried to send a value that would make somebody mailable. Nothing was sent."""

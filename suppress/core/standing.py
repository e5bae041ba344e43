"""What holds now for one subject: which opt-outs stand, and which a later consent has lifted.

Rules kept here:

* The answer does not depend on the order in which entries were learned: it keeps, per channel and scope,
  the newest opt-out and the newest consent, and compares their dates when asked.
* A consent lifts only what lies inside its scope and is *older* than it. On the same instant the opt-out
  stands. An opt-out without a date counts from when the ledger learned of it, the latest it can have been.
* The strongest reason and the earliest date survive for display; the newest date decides.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from suppress.core.suppression import EVERYTHING, Channel, Reason, Scope, Visibility


@dataclass(frozen=True, slots=True)
class Suppression:
    """The opt-outs of one subject in one channel and scope, folded into one."""

    channel: Channel
    scope: Scope
    reason: Reason
    since: datetime | None
    """The earliest date claimed for it; None when no record of it is dated."""
    latest: datetime
    """The newest of them, the one that a consent must be younger than."""
    source: str
    """Where the standing reason came from."""
    seq: int
    """The entry that recorded the standing reason."""
    visibility: Visibility | None = None


@dataclass(frozen=True, slots=True)
class Lift:
    """The newest consent of one subject in one channel and scope."""

    channel: Channel
    scope: Scope
    at: datetime
    seq: int


@dataclass(frozen=True, slots=True)
class Standing:
    """All suppressions and lifts of one subject. `UNHEARD` for an address the ledger has never seen."""

    subject: str | None = None
    suppressions: tuple[Suppression, ...] = ()
    lifts: tuple[Lift, ...] = ()

    def against(self, channel: Channel = Channel.EMAIL, target: Scope = EVERYTHING) -> Suppression | None:
        """The suppression that forbids mailing `target`, the widest then the strongest, or None.

        The default target asks the widest question, "may this person be mailed at all?": it is answered
        by any suppression that no consent of the same width or wider has lifted.
        """
        standing = [
            each
            for each in self.suppressions
            if each.channel is channel
            and (each.scope.covers(target) or target.covers(each.scope))
            and not self._lifted(each, target)
        ]
        return max(standing, key=lambda each: (each.scope.width, each.reason.strength), default=None)

    def _lifted(self, suppression: Suppression, target: Scope) -> bool:
        asked = target if suppression.scope.covers(target) else suppression.scope
        return any(
            lift.channel is suppression.channel and lift.scope.covers(asked) and lift.at > suppression.latest
            for lift in self.lifts
        )

    def with_opt_out(self, new: Suppression) -> Standing:
        """This standing after one more opt-out; equal whatever the order they arrive in."""
        kept = [each for each in self.suppressions if (each.channel, each.scope) != (new.channel, new.scope)]
        same = [each for each in self.suppressions if (each.channel, each.scope) == (new.channel, new.scope)]
        merged = _merged(same[0], new) if same else new
        return replace(self, suppressions=tuple(sorted([*kept, merged], key=_place)))

    def with_consent(self, new: Lift) -> Standing:
        """This standing after one more consent."""
        kept = [each for each in self.lifts if (each.channel, each.scope) != (new.channel, new.scope)]
        same = [each for each in self.lifts if (each.channel, each.scope) == (new.channel, new.scope)]
        newest = max([*same, new], key=lambda lift: (lift.at, -lift.seq))
        return replace(self, lifts=tuple(sorted([*kept, newest], key=_place)))


UNHEARD = Standing()


def _merged(one: Suppression, other: Suppression) -> Suppression:
    leading = max(one, other, key=lambda each: (each.reason.strength, -each.seq))
    dates = [each.since for each in (one, other) if each.since is not None]
    return replace(leading, since=min(dates, default=None), latest=max(one.latest, other.latest))


def _place(each: Suppression | Lift) -> tuple[str, int, str]:
    return each.channel.value, -each.scope.width, str(each.scope)

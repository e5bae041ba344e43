"""What is to be done about a member, and what an answer means: pure rules.

Rules kept here:

* Who is not mailed already is left as they are: writing again would replace the time and the reason of the
  person's own act, and bring an archived contact back.
* What an answer says about the member decides, not that it is a 200.
* Asked to unsubscribe, the platform never has a reason to speak of a compliance state. If it does, something
  tried to subscribe somebody, and everything stops.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import Enum

from suppress.plugin.contract import Evidence, Intent, Outcome, Remote, Result
from suppress.plugin.errors import ContractBroken
from suppress_mailchimp import wire
from suppress_mailchimp.roster import Status
from suppress_mailchimp.settings import Archived, Options, Unknown


class Todo(Enum):
    """A write that is needed."""

    UNSUBSCRIBE = "unsubscribe"
    CREATE = "create"
    REARCHIVE = "rearchive"
    """Bring back as unsubscribed, and archive again."""


@dataclass(frozen=True, slots=True)
class Change:
    """One write to one member."""

    address: str
    audience: str
    hash: str
    todo: Todo
    before: Remote


def decided(status: Status | None, options: Options) -> Outcome | Todo:
    """What becomes of a member in this state: an outcome at once, or a write."""
    match status:
        case None if options.unknown is Unknown.CREATE_SUPPRESSED:
            return Todo.CREATE
        case None:
            return Outcome.SKIPPED_UNKNOWN
        case Status.UNSUBSCRIBED:
            return Outcome.ALREADY
        case Status.ARCHIVED if options.archived is Archived.STRICT:
            return Todo.REARCHIVE
        case Status.ARCHIVED | Status.CLEANED:
            return Outcome.NOT_MAILABLE
        case _:
            return Todo.UNSUBSCRIBE


def intended(found: Outcome | Todo) -> Intent:
    """The same in the words of a dry run."""
    match found:
        case Todo.CREATE:
            return Intent.UNKNOWN_CREATE
        case Todo():
            return Intent.SUPPRESS
        case Outcome.SKIPPED_UNKNOWN:
            return Intent.UNKNOWN_SKIP
        case _:
            return Intent.ALREADY


def judged(change: Change, status: int, body: bytes, evidence: Evidence | None) -> Result:
    """What the answer to a PATCH or PUT means for the member.

    Raises:
        ContractBroken: It speaks of a compliance state.
    """
    result = Result(change.address, Outcome.RETRY_LATER, change.before, None, evidence)
    if status == 200:
        return seen_after(result, _member(body))
    if status == 404:
        # Gone since it was read: archived for good, or the audience was deleted.
        return replace(result, outcome=Outcome.SKIPPED_UNKNOWN, after=Remote.UNKNOWN)
    return refused(result, status, wire.problem(body) or wire.Problem())


def seen_after(result: Result, member: wire.Member | None) -> Result:
    """A result by what an answer shows of the member; one that shows no change was not obeyed."""
    if member is None:
        return result
    outcome = {Remote.SUPPRESSED: Outcome.SUPPRESSED, Remote.NOT_MAILABLE: Outcome.NOT_MAILABLE}
    return replace(result, outcome=outcome.get(member.remote, Outcome.RETRY_LATER), after=member.remote)


def refused(result: Result, status: int, problem: wire.Problem) -> Result:
    """A result by what a refusal says.

    Raises:
        ContractBroken: It speaks of a compliance state.
    """
    if problem.compliance:
        raise ContractBroken(
            "Mailchimp says that it was asked to subscribe somebody who opted out; the run was stopped",
            remedy="report this to the plugin's author",
        )
    if problem.forgotten:
        return replace(result, outcome=Outcome.NOT_MAILABLE, after=Remote.NOT_MAILABLE)
    if status in (400, 405, 414, 422):
        return replace(result, outcome=Outcome.REJECTED_PERMANENT)
    return result


def _member(body: bytes) -> wire.Member | None:
    try:
        return wire.member(json.loads(body))
    except (ValueError, RecursionError):
        return None


_WORST = (
    Outcome.REJECTED_PERMANENT,
    Outcome.RETRY_LATER,
    Outcome.SUPPRESSED,
    Outcome.NOT_MAILABLE,
    Outcome.ALREADY,
    Outcome.SKIPPED_UNKNOWN,
)
"""Of an address in several audiences, whose outcome is the address's."""
_WORST_STATE = (
    Remote.MAILABLE,
    Remote.UNREADABLE,
    Remote.SUPPRESSED,
    Remote.NOT_MAILABLE,
    Remote.UNKNOWN,
)


def worst_state(states: Iterable[Remote]) -> Remote:
    """What holds for an address that several audiences may hold."""
    return min(states, key=_WORST_STATE.index)


@dataclass(slots=True)
class Gathering:
    """Puts the answers of several audiences together, one result for each address."""

    _best: dict[str, Result] = field(default_factory=dict)
    _open: Counter[str] = field(default_factory=Counter)

    def expect(self, change: Change) -> None:
        """An answer about this address is still to come."""
        self._open[change.address] += 1

    def note(self, result: Result) -> None:
        """What one audience made of an address, without a write."""
        held = self._best.get(result.address)
        if held is None or _WORST.index(result.outcome) < _WORST.index(held.outcome):
            self._best[result.address] = result

    def done(self) -> list[Result]:
        """The addresses that no write is about."""
        return [self._best.pop(each) for each in tuple(self._best) if not self._open[each]]

    def take(self, result: Result) -> Result | None:
        """The answer to a write: the address's result, once nothing more is to come."""
        self.note(result)
        self._open[result.address] -= 1
        return self._best.pop(result.address) if not self._open[result.address] else None

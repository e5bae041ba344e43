"""What a report cannot know, said in plain words: the standing limits, then what this ledger shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from suppress.report.coverage import Coverage
from suppress.report.deadlines import Deadlines
from suppress.report.people import Clock
from suppress.report.words import number

STANDING = (
    "Requests that nobody recorded are not here: spoken ones, letters and replies count only once somebody "
    "has added them, and systems that are not connected are not seen.",
    "The ledger shows that entries were not changed after they were written. It cannot show that an entry "
    "was never written; the census of each source is the check on that.",
    "When a person acted is the claim of the platform, file or person named as source. When the ledger "
    "learned of it is the ledger's own time.",
    "“Honoured” means that a destination accepted the suppression, “read back” that it was seen there "
    "afterwards. Whether a message was sent in spite of it cannot be seen from here.",
    "Neither the Act nor the Rule defines business days. The strict date counts every day that some common "
    "reading counts; the lenient date is the last one that some common reading allows.",
    "The ledger keeps no records of whether unsubscribe links worked, of intake mailboxes and their junk "
    "folders, and of complaints; those are to be sought elsewhere.",
    "Outages are those of runs that left an entry. Where the program itself did not run there is no entry, "
    "and the weeks in which nothing ran are the only trace.",
    "This is a record of facts and no legal advice.",
)


@dataclass(frozen=True, slots=True)
class Known:
    """What else a report leaves out, and why."""

    ahead: int
    """Entries dated after the report's own instant."""
    not_binding: int
    """Requests that bind other senders only."""
    sender: str | None
    destinations: tuple[str, ...]
    cut: bool
    """The report is made of the entries up to its instant, and of nothing later."""


def limits(coverage: Coverage, deadlines: Deadlines, known: Known, *, full: bool) -> tuple[str, ...]:
    """The limits of one report."""
    return (
        *STANDING,
        *_of_the_requests(deadlines),
        *_of_what_was_asked(known),
        *_of_the_ledger(coverage, known.ahead, full=full),
    )


def _of_what_was_asked(known: Known) -> Iterator[str]:
    if known.cut:
        yield (
            "Made of the entries up to the moment of this report and of nothing later; what was recorded "
            "afterwards, such as a correction, is not in it."
        )
    if known.sender is not None:
        yield (
            f"Only what binds the sender {known.sender} is counted: its own requests and lists, and requests "
            "that bind everybody; of sources and destinations, its own and those of no named sender."
        )
    if known.not_binding:
        yield f"{number(known.not_binding, 'request', 'requests')} left out that bind other senders only."
    if known.destinations:
        yield f"Only these destinations are judged and listed: {', '.join(known.destinations)}."


def _of_the_requests(deadlines: Deadlines) -> Iterator[str]:
    if acted := deadlines.clocks[Clock.ACTED]:
        yield (
            f"{number(acted, 'request', 'requests')} judged without a date of receipt: the clock "
            "starts when the person acted, which can only be earlier."
        )
    if learned := deadlines.clocks[Clock.LEARNED]:
        yield (
            f"{number(learned, 'request', 'requests')} judged without any date: the clock starts when "
            "the ledger learned of it. The true deadline may have been earlier."
        )
    if deadlines.bounced:
        yield (
            f"{number(deadlines.bounced, 'bounced address', 'bounced addresses')} suppressed without a "
            "deadline: a bounce is no request."
        )
    if deadlines.other_channels:
        yield (
            f"{number(deadlines.other_channels, 'request', 'requests')} about other channels than e-mail: "
            "recorded, but destinations are told about e-mail only."
        )
    if deadlines.struck_out:
        yield f"{number(deadlines.struck_out, 'request', 'requests')} struck out as wrong, and not judged."
    if deadlines.overall.unverifiable:
        unverifiable = number(deadlines.overall.unverifiable, "request", "requests")
        yield (
            f"{unverifiable} honoured as far as a destination's word goes: at least one receipt was not "
            "read back, so that it cannot be verified."
        )
    for policy, left_out in deadlines.not_judged.items():
        if left_out:
            yield (
                f"{number(left_out, 'request', 'requests')} not judged under {policy}: the policy is about "
                "something else, or was not in force when the clock started."
            )


def _of_the_ledger(coverage: Coverage, ahead: int, *, full: bool) -> Iterator[str]:
    if not coverage.sources:
        yield "No source is configured: the ledger holds only what people and files brought."
    if ahead:
        yield (
            f"{number(ahead, 'entry', 'entries')} dated after the moment of this report: a clock was "
            "wrong here or there. They are counted all the same."
        )
    if not full:
        yield "People are shown by subject id and entry number. The full variant shows addresses."

"""What a report cannot know, said in plain words: the standing limits, then what this ledger shows."""

from __future__ import annotations

from collections.abc import Iterator

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
    "This is a record of facts and no legal advice.",
)


def limits(coverage: Coverage, deadlines: Deadlines, ahead: int, *, full: bool) -> tuple[str, ...]:
    """The limits of one report. `ahead` counts entries dated after the report's own instant."""
    return (*STANDING, *_of_the_requests(deadlines), *_of_the_ledger(coverage, ahead, full=full))


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

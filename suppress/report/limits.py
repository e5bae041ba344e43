"""What a report cannot know, said in plain words: the standing limits, then what this ledger shows."""

from __future__ import annotations

from collections.abc import Iterator

from suppress.report.coverage import Coverage
from suppress.report.deadlines import Deadlines
from suppress.report.people import Clock

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
            f"{acted:,} of the requests judged carry no date of receipt; their clock starts when the person "
            "acted, which can only be earlier."
        )
    if learned := deadlines.clocks[Clock.LEARNED]:
        yield (
            f"{learned:,} of the requests judged carry no date at all; their clock starts when the ledger "
            "learned of them. Their true deadline may have been earlier."
        )
    if deadlines.bounced:
        yield (
            f"{deadlines.bounced:,} bounced addresses are suppressed and have no deadline: a bounce is no "
            "request."
        )
    if deadlines.other_channels:
        yield (
            f"{deadlines.other_channels:,} requests are about other channels than e-mail. They are recorded; "
            "destinations are told about e-mail only."
        )
    if deadlines.struck_out:
        yield f"{deadlines.struck_out:,} entries were struck out as wrong and are not judged."
    for policy, number in deadlines.not_judged.items():
        if number:
            yield (
                f"{number:,} requests are not judged under {policy}: it is not about them, or it was not in "
                "force when their clock started."
            )


def _of_the_ledger(coverage: Coverage, ahead: int, *, full: bool) -> Iterator[str]:
    if not coverage.sources:
        yield "No source is configured: the ledger holds only what people and files brought."
    if ahead:
        yield (
            f"{ahead:,} entries are dated after the moment of this report, so a clock was wrong here or "
            "there. They are counted."
        )
    if not full:
        yield "People are shown by subject id and entry number. The full variant shows addresses."

"""What each section says before its tables: how to read them, and what they prove."""

from __future__ import annotations

from collections.abc import Iterator

from suppress.core.suppression import Channel
from suppress.report.attachments import SUMS
from suppress.report.blocks import Block, Heading, Paragraph, Step, Steps, Verbatim
from suppress.report.facts import Facts
from suppress.report.words import number

_LESS = "\N{MINUS SIGN}"


def none(_facts: Facts) -> Iterator[Block]:
    """Nothing needs to be said."""
    yield from ()


def check_it(facts: Facts) -> Iterator[Block]:
    """How a stranger checks the report, and the ledger that it was made of."""
    size = facts.manifest.ledger.size
    yield Paragraph("Nothing here has to be believed. Each step can be repeated by anyone who has the files.")
    yield Steps(
        (
            Step(
                "The files beside this report are the ones that were issued with it. Run it in their folder.",
                f"sha256sum -c {SUMS}",
            ),
            Step(
                f"The report was issued: the ledger recorded the SHA-256 of {SUMS}, or of the report where "
                "it is a single file, as an entry “report.issued”. The next report lists it under Integrity.",
                f"sha256sum {SUMS}",
            ),
            Step(
                f"The ledger still holds, unchanged, all {number(size, 'entry', 'entries')} that this report "
                "was made of. The file holds the checkpoint below.",
                "suppress verify --anchor checkpoint.txt",
            ),
            Step(
                "The same without this program: the bundle holds the entries, the proofs and a short script "
                "for them.",
                "suppress bundle -o bundle",
            ),
        )
    )
    yield Heading("Checkpoint")
    yield Paragraph(
        f"The ledger's signed head. Kept elsewhere, this text is an anchor: any later change to the {size:,} "
        "entries below it shows."
    )
    yield Verbatim(facts.manifest.ledger.checkpoint)


def coverage(facts: Facts) -> Iterator[Block]:
    """Which systems are part of this."""
    sources, destinations = facts.coverage.sources, facts.coverage.destinations
    told = sum(each.active for each in destinations)
    yield Paragraph(
        f"{number(len(sources), 'source', 'sources')} known, "
        f"{sum(each.last_complete is not None for each in sources):,} read completely at least once; "
        f"{number(len(destinations), 'destination', 'destinations')} known, {told:,} told. "
        "A system that is not listed here is not covered by this report."
    )


def population(_facts: Facts) -> Iterator[Block]:
    """The question that matters most."""
    yield Paragraph(
        "How do we know that this is everyone? Each source was asked in several ways, and the counts must "
        "agree."
    )


def after_visibility(facts: Facts) -> Iterator[Block]:
    """Who would have been missed."""
    if undated := facts.population.undated:
        yield Paragraph(
            f"Without a date of the person's own act: {undated:,} more. They are suppressed all the same, "
            "and no date was made up for them."
        )
    hidden = facts.verdict.hidden
    yield Paragraph(f"Deleted-but-unsubscribed people found in the period: {hidden:,}.", strong=True)
    listed = (
        " They are listed one by one in the full variant, and by entry number in the csv and json formats."
    )
    yield Paragraph(
        "Their contacts are deleted at the platform, so a query for unsubscribed contacts does not show "
        "them, and an import could have brought them back."
        + (listed if hidden and facts.manifest.audience != "full" else "")
    )


def roll_forward(facts: Facts) -> Iterator[Block]:
    """The sum in words."""
    total = facts.roll_forward.total(Channel.EMAIL)
    yield Paragraph(
        f"Opening {total.opening:,} + new {total.new:,} + re-asserted {total.re_asserted:,} {_LESS} "
        f"re-consented {total.re_consented:,} {_LESS} corrected {total.corrected:,} {_LESS} "
        f"forgotten {total.forgotten:,} = {total.expected:,}. Closing, counted person by person: "
        f"{total.closing:,}."
    )
    adds_up = "This adds up." if facts.roll_forward.holds else "This does not add up."
    yield Paragraph(adds_up, strong=True)


def deadlines(facts: Facts) -> Iterator[Block]:
    """What the two dates mean."""
    yield Paragraph(
        "Each request has two dates: act by the strict one; after the lenient one it is a breach. Each "
        "destination must hold it. Inherited requests had run out of time before this process could know of "
        "them; they are shown, and not counted as missed. "
        + ("Every line adds up." if facts.deadlines.holds else "A line does not add up.")
    )
    yield Paragraph(
        "Every request stands one by one in requests.csv, which comes with the folder form of this report: "
        f"{number(facts.deadlines.registered, 'line', 'lines')}, each with its dates, its business days, and "
        "the receipt of every destination."
    )


def propagation(_facts: Facts) -> Iterator[Block]:
    """What a receipt is."""
    yield Paragraph(
        "A receipt says what a destination accepted and up to which entry of the ledger. Read back means "
        "that the suppressions were seen there afterwards; without it the destination's word is all there is."
    )


def drift(_facts: Facts) -> Iterator[Block]:
    """What drift is."""
    yield Paragraph(
        "People who stand suppressed here and whom a source reported as mailable, or a patrol found so at a "
        "destination. That is recorded and alarmed, and lifts nothing."
    )


def consents(_facts: Facts) -> Iterator[Block]:
    """What lifts a suppression."""
    yield Paragraph(
        "Only a consent that is later than the opt-out and comes with evidence lifts a suppression, and only "
        "in its own scope."
    )


def corrections(_facts: Facts) -> Iterator[Block]:
    """Nothing is taken out of the ledger."""
    yield Paragraph(
        "An entry is never changed or removed. One that was wrong is struck out by a later entry, which says "
        "who did it and why; both stay readable."
    )


def disclosures(_facts: Facts) -> Iterator[Block]:
    """Addresses that left."""
    yield Paragraph("Every list of addresses that left, with the digest of the file that was given.")


def files(_facts: Facts) -> Iterator[Block]:
    """What came in, and what was held back."""
    yield Paragraph("Files are named by their digests; rows are counted, and the counts must add up.")


def availability(facts: Facts) -> Iterator[Block]:
    """What is watched, and what is not."""
    lasting = sum(each.ended is None for each in facts.availability.outages)
    yield Paragraph(
        "Every run over a source, every receipt and every patrol is an entry, also one that was not whole. A "
        "run that could not begin, because nobody was signed in or nothing started it, leaves none and shows "
        "as a week without runs. Unsubscribe links and intake mailboxes are not probed by this program. "
        f"{number(len(facts.availability.outages), 'outage', 'outages')} in the period, {lasting:,} lasting."
    )


def exceptions(_facts: Facts) -> Iterator[Block]:
    """From where the causes, days and owners come."""
    yield Paragraph(
        "One line for each kind of exception, system and cause. The cause is what the entries show. What is "
        "not put right is due at once: its last day has passed, or somebody can be mailed who must not, or a "
        "system is not read or told. The owner is the person or team whom the settings name for the system; "
        "the ledger itself keeps no owners, and no plan of remedies."
    )


def erasure(_facts: Facts) -> Iterator[Block]:
    """Erased and forgotten are two things."""
    yield Paragraph(
        "Erasing destroys the key of a person's data; they stay suppressed by a keyed token. Forgetting "
        "removes the token, too, and with it the protection."
    )


def access(_facts: Facts) -> Iterator[Block]:
    """Who may and who did."""
    yield Paragraph(
        "Every entry names who wrote it, and none can be changed afterwards, not even by who wrote it. Each "
        "log of this report says who did what in its column “By”."
    )


def sampling(_facts: Facts) -> Iterator[Block]:
    """How to draw the same again."""
    yield Paragraph(
        "Anyone who has the entries draws the same requests from the seed. Each is followed from the request "
        "to every destination, and shown byte for byte with the proof that the checkpoint covers it."
    )


def integrity(facts: Facts) -> Iterator[Block]:
    """What verification means."""
    yield Paragraph(
        "Verified means: every entry was read, its hash computed anew, and the tree of hashes found equal to "
        f"the signed head. Anyone can repeat this: {facts.manifest.verify_command}."
    )


def exposure(_facts: Facts) -> Iterator[Block]:
    """A maximum, not a forecast."""
    yield Paragraph(
        "The ledger knows requests and not messages, so no total can be known. These are the highest amounts "
        "that the law allows; actual penalties depend on facts that are not here."
    )


def policies(_facts: Facts) -> Iterator[Block]:
    """The rules, as data."""
    yield Paragraph(
        "The rules that the dates were computed by, with their versions and where each was checked. A "
        "request is judged by the version in force when its clock started."
    )

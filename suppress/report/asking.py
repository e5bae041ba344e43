"""From what somebody wants to the facts of a ledger: what is read, what is quoted, how it is proven."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from suppress import __version__
from suppress.config import Settings, nearest
from suppress.config.policy_files import chosen
from suppress.core.entry import DestinationChanged, Honoured
from suppress.core.harvest import WIDTH, Harvest
from suppress.core.merkle import leaf_hash
from suppress.errors import BadUsage
from suppress.ledger import Head, Ledger
from suppress.ledger.exhibiting import Exhibit
from suppress.ledger.reading import decoded
from suppress.report.facts import Asked, Facts, Quoted
from suppress.report.gathering import Registrar, gather
from suppress.report.integrity import Integrity
from suppress.report.period import Period, Zone
from suppress.report.rows import Item, Rows
from suppress.report.sampling import Shown
from suppress.report.what_if import DELETED_MISSED, Scenario

TOOL = f"suppress {__version__}"
SAMPLE = 25
"""Requests in the sampling annex, unless somebody asks for another number."""

Progress = Callable[[int, int | None], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants a report to be."""

    since: date | None = None
    until: date | None = None
    full: bool = False
    as_of: datetime | date | None = None
    """Made of the entries up to this instant, or to the end of this day; None for all there are."""
    sender: str | None = None
    destinations: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    """In place of those of the settings."""
    sample: int = SAMPLE
    seed: str | None = None
    what_if: tuple[str, ...] = ()
    """`deleted-missed`, or `policy=NAME` with one or more names."""


def gathered(
    ledger: Ledger,
    settings: Settings,
    wanted: Wanted,
    integrity: Integrity,
    *,
    now: datetime,
    head: Head | None = None,
    progress: Progress = lambda _done, _total: None,
    registrar: Registrar | None = None,
) -> Facts:
    """The facts of a ledger as of a head, by default the current one; `registrar` takes the register.

    Raises:
        BadUsage: The period ends before it begins, lies after the instant of the report, or a sender,
            destination or scenario is not known.
        ConfigWrong, BadFile: A policy that does not exist, or a file of policies that cannot be read.
        LedgerDamaged: An entry cannot be read.
    """
    asked = _asked(ledger, settings, wanted, now)
    exhibit = ledger.exhibit()
    size = exhibit.head.size if head is None else head.size
    desk = Desk(exhibit, size, exhibit.head if head is None else head)

    def read() -> Iterator[Item]:
        return Rows(asked.zone).of_leaves(_counted(desk.pages(), size, progress), decoded)

    return gather(
        read,
        asked,
        desk.quoted,
        integrity,
        prover=desk.shown,
        address_of=(lambda seq: _address(ledger, seq)) if wanted.full else None,
        registrar=registrar,
    )


def _asked(ledger: Ledger, settings: Settings, wanted: Wanted, now: datetime) -> Asked:
    zone = Zone.named(settings.timezone)
    as_of = _as_of(wanted.as_of, zone, now)
    if wanted.since is not None and wanted.since > zone.day(as_of):
        raise BadUsage(f"the period begins on {wanted.since}, after the day of the report, {zone.day(as_of)}")
    _refuse_unknown(ledger, settings, wanted)
    return Asked(
        period=Period.between(wanted.since, wanted.until, as_of=as_of, zone=zone),
        as_of=as_of,
        zone=zone,
        settings=settings,
        policies=chosen(wanted.policies or settings.policies),
        tool=TOOL,
        cut=wanted.as_of is not None,
        sender=wanted.sender,
        destinations=tuple(dict.fromkeys(wanted.destinations)),
        sample=wanted.sample,
        seed=wanted.seed,
        what_if=tuple(scenario(text) for text in wanted.what_if),
    )


def _as_of(wanted: datetime | date | None, zone: Zone, now: datetime) -> datetime:
    match wanted:
        case None:
            return now
        case datetime():
            if wanted > now:
                raise BadUsage("--as-of lies in the future", remedy="give an instant that has passed")
            return wanted.astimezone(UTC)
        case _:
            if wanted > zone.day(now):
                raise BadUsage(f"--as-of {wanted} lies in the future", remedy="give a day that has begun")
            return min(now, zone.midnight(wanted + timedelta(days=1)) - timedelta(microseconds=1))


def scenario(text: str) -> Scenario:
    """What `--what-if` says. Raises `BadUsage`, and what `chosen` raises."""
    kind, equals, names = text.partition("=")
    if text == DELETED_MISSED:
        return Scenario(text)
    policies = tuple(name.strip() for name in names.split(",") if name.strip())
    if kind == "policy" and equals and policies:
        return Scenario(text, chosen(policies))
    raise BadUsage(
        f"--what-if {text} is neither {DELETED_MISSED} nor policy=NAME",
        remedy="suppress report --what-if policy=ca.casl, or --what-if deleted-missed",
    )


def _refuse_unknown(ledger: Ledger, settings: Settings, wanted: Wanted) -> None:
    senders = {each.sender for each in settings.sources.values()}
    senders |= {each.sender for each in settings.destinations.values()}
    known = sorted(each for each in senders if each is not None)
    if wanted.sender is not None and wanted.sender not in known:
        raise BadUsage(
            f"--sender {wanted.sender}: no source and no destination has that sender"
            f"{nearest(wanted.sender, known)}",
            remedy="suppress config",
        )
    for name in wanted.destinations:
        if name not in settings.destinations and not _was_told(ledger, name):
            raise BadUsage(
                f"--destination {name}: it is not configured, and the ledger never heard of it"
                f"{nearest(name, settings.destinations)}",
                remedy="suppress status",
            )


def _was_told(ledger: Ledger, name: str) -> bool:
    return any(True for kind in (Honoured.type, DestinationChanged.type) for _ in ledger.about(kind, name))


class Desk:
    """The ledger as of a head, as a report reads, quotes and proves it."""

    def __init__(self, exhibit: Exhibit, size: int, head: Head) -> None:
        self._exhibit = exhibit
        self._size = size
        self._head = head

    def pages(self) -> Iterator[list[bytes]]:
        """The leaves, up to the head of the report."""
        left = self._size
        for page in self._exhibit.leaves():
            yield page[:left]
            left -= len(page)
            if left <= 0:
                return

    def quoted(self, size: int) -> Quoted:
        """What a report quotes of the ledger's first `size` entries."""
        if size == self._head.size:
            return Quoted(size, self._head.root.hex(), self._head.note)
        harvest = self._harvest(self._size, consistency=[(size, self._size)], roots=[size])
        consistency = tuple(each.hex() for each in harvest.consistency(size)) if size else ()
        return Quoted(size, harvest.root(size).hex(), self._head.note, self._head.size, consistency)

    def shown(self, seqs: Sequence[int], size: int, full: bool) -> Mapping[int, Shown]:
        """Entries of the ledger of `size` entries, with their proofs."""
        harvest = self._harvest(size, inclusion=[(seq, size) for seq in seqs])
        leaves = self._exhibit.leaves_at(seqs)
        openings = self._exhibit.openings(seqs) if full else {}
        return {
            seq: Shown(
                seq,
                leaf.decode(),
                leaf_hash(leaf).hex(),
                tuple(each.hex() for each in harvest.inclusion(seq, size)),
                openings[seq].body.decode(errors="replace") if seq in openings else None,
                openings[seq].salt.hex() if seq in openings else None,
            )
            for seq, leaf in leaves.items()
        }

    def _harvest(
        self,
        size: int,
        *,
        inclusion: Sequence[tuple[int, int]] = (),
        consistency: Sequence[tuple[int, int]] = (),
        roots: Sequence[int] = (),
    ) -> Harvest:
        harvest = Harvest(size, inclusion=inclusion, consistency=consistency, roots=roots)
        left = size
        for page in self._exhibit.leaves():
            assert len(page) <= WIDTH
            harvest.add([leaf_hash(leaf) for leaf in page[:left]])
            left -= len(page)
            if left <= 0:
                break
        return harvest


def _counted(pages: Iterator[list[bytes]], size: int, progress: Progress) -> Iterator[list[bytes]]:
    done = 0
    for page in pages:
        progress(done, size)
        done += len(page)
        yield page


def _address(ledger: Ledger, seq: int) -> str | None:
    payload = ledger.payload(seq)
    address = None if payload is None else payload.get("address")
    return address if isinstance(address, str) else None

"""The tiers together: the same verdict by every way of asking, and no tier lets anybody through.

A world is drawn (people, a partner's digests, rules for domains, erasures, waivers, consents) and put into a
real ledger. What a check must say of an address is then written down once more, naively, from the drawing.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from suppress.check import Alias, Finding, check_addresses, check_file
from suppress.check.portable import Portable
from suppress.check.sorting import Engine
from suppress.check.taking import take
from suppress.core.address import Address, alias_key, match_key
from suppress.core.entry import HashesTrusted
from suppress.core.hashed import Digest
from suppress.core.mailing import Mailing, MessageClass
from suppress.core.suppression import Channel, Consent, OptOut, Reason, Scope
from suppress.core.verdict import Ruling, Verdict
from suppress.files.contacts import ContactFile
from suppress.intake.domains import suppress_domain
from suppress.intake.waivers import waive
from suppress.ledger import Event, Grounds, Ledger, Lookup
from tests.ledger.making import Place, opt_out
from tests.strategies import spellings

PEOPLE = (
    "pat@example.com",
    "p.at@gmail.com",
    "sam@corp.example",
    "kim@mail.corp.example",
    "lee@bücher.example",
)
ASKED = (*PEOPLE, "pat@gmail.com", "new@corp.example", "new@example.org", "info@xn--bcher-kva.example")
DOMAINS = ("corp.example", "*.corp.example", "bücher.example", "gmail.com")
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
MAILINGS = (
    Mailing(),
    Mailing(target=Scope("Acme")),
    Mailing(target=Scope("Bravo")),
    Mailing(message_class=MessageClass.TRANSACTIONAL),
    Mailing(purpose="recall"),
    Mailing(Channel.SMS),
)


@dataclass(frozen=True, slots=True)
class Drawn:
    """One world."""

    opt_outs: tuple[tuple[str, Reason, Scope], ...]
    hashed: frozenset[str]
    rules: tuple[tuple[str, Reason], ...]
    erased: frozenset[str]
    consents: frozenset[str]
    waived: frozenset[str]


@st.composite
def worlds(draw: st.DrawFn) -> Drawn:
    """Any mixture, most of them small."""
    reasons = st.sampled_from([Reason.UNSUBSCRIBED, Reason.BOUNCED])
    scopes = st.sampled_from([Scope(), Scope("Acme")])
    people = st.sampled_from(PEOPLE)
    return Drawn(
        tuple(draw(st.lists(st.tuples(people, reasons, scopes), max_size=4))),
        frozenset(draw(st.sets(people, max_size=2))),
        tuple(
            draw(st.lists(st.tuples(st.sampled_from(DOMAINS), reasons), max_size=2, unique_by=lambda e: e[0]))
        ),
        frozenset(draw(st.sets(people, max_size=2))),
        frozenset(draw(st.sets(people, max_size=1))),
        frozenset(draw(st.sets(st.sampled_from(ASKED), max_size=2))),
    )


# --- The naive definition --------------------------------------------------------------------------------


def naive(world: Drawn, asked: str, mailing: Mailing) -> tuple[Ruling, bool]:
    """What must be said of an address, and whether a waiver says it. Plain lists and no tiers."""
    key = match_key(asked)
    if mailing.channel is not Channel.EMAIL:
        return Ruling.CLEAR, False

    def binds(reason: Reason, scope: Scope) -> bool:
        related = scope.covers(mailing.target) or mailing.target.covers(scope)
        return related and mailing.message_class.bound_by(reason)

    consented = {match_key(each) for each in world.consents}
    suppressed = {match_key(who) for who, reason, scope in world.opt_outs if binds(reason, scope)} - consented
    digests = (
        {match_key(who) for who in world.hashed} - consented if binds(Reason.UNKNOWN, Scope()) else set()
    )
    host = key.rpartition("@")[2]
    ruled = False
    for pattern, reason in world.rules:
        domain = match_key(f"x@{pattern.removeprefix('*.')}")[2:]
        reached = host == domain or (pattern.startswith("*.") and host.endswith(f".{domain}"))
        ruled = ruled or (reached and binds(reason, Scope()))
    held = suppressed - {match_key(each) for each in world.erased}
    reviewed = alias_key(key) is not None and any(alias_key(other) == alias_key(key) for other in held)
    if not (key in suppressed or key in digests or ruled or reviewed):
        return Ruling.CLEAR, False
    if mailing.purpose == "recall" and key in {match_key(each) for each in waivers_of(world)}:
        return Ruling.CLEAR, True
    certain = key in suppressed or key in digests or ruled
    return (Ruling.SUPPRESSED if certain else Ruling.REVIEW), False


def waivers_of(world: Drawn) -> list[str]:
    """For whom a waiver can be recorded: whoever is withheld from all mail, and not erased."""
    bare = replace(world, waived=frozenset())
    return [
        each
        for each in sorted(world.waived)
        if naive(bare, each, Mailing())[0] is not Ruling.CLEAR
        and match_key(each) not in {match_key(one) for one in world.erased}
    ]


# --- The same world in a ledger --------------------------------------------------------------------------


@contextmanager
def places() -> Iterator[Place]:
    """An empty ledger, gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="tiers-"))
    try:
        yield Place(folder).create()
    finally:
        shutil.rmtree(folder)


def put(world: Drawn, ledger: Ledger) -> None:
    """Everything that was drawn, in the order in which it may happen."""
    told: list[OptOut | Consent | Event] = []
    for who, reason, scope in world.opt_outs:
        told.append(opt_out(who, reason=reason, scope=scope, facts=(who, reason, str(scope))))
    for who in sorted(world.hashed):
        digest = Digest.parse(hashlib.sha256(match_key(who).encode()).hexdigest())
        assert digest is not None
        told.append(
            replace(
                opt_out(reason=Reason.UNKNOWN, source="partner"),
                address=Address(digest.hexadecimal, digest.key),
            )
        )
    if world.hashed:
        told.append(Event("trust", HashesTrusted("partner", "0" * 64, "sha256", "lower", 1)))
    for who in sorted(world.consents):
        told.append(Consent(Address.parse(who), "form", NOW - timedelta(days=1), approver="Kim"))
    ledger.append(told, actor="test")
    for pattern, reason in world.rules:
        suppress_domain(ledger, pattern, note="asked", reason=reason, force=True, actor="test")
    for who in sorted(world.erased):
        address = Address.parse(who)
        every = [ledger.history(address), *(each.history for each in ledger.digests(address))]
        seen = [each.entry.seq for history in every for each in history]
        ledger.erase(address, Grounds("Art. 17 GDPR"), seen=seen, actor="test")
    for who in waivers_of(world):
        waive(
            ledger,
            Address.parse(who),
            purpose="Recall",
            until=(NOW + timedelta(days=9)).date(),
            reason="safety",
            approver="Kim",
            zone=UTC,
            now=NOW,
            actor="test",
        )


def said_by_files(
    folder: Path, asked: list[str], lookup: Lookup, mailing: Mailing, *, block: int, tabular: bool = False
) -> list[tuple[Ruling, Verdict | None]]:
    """What a file of these addresses, one a row, is told; each engine by its block size."""
    path = folder / ("list.parquet" if tabular else "list.csv")
    path.write_text("email,n\n" + "".join(f"{each},1\n" for each in asked), "utf-8")
    if tabular:
        pq.write_table(pa.table({"email": asked}), path)
    found: list[Finding] = []
    engine = Engine(fast_from=0 if block else 1 << 40, block=block or 1 << 20)
    with ContactFile.open(str(path)) as contacts:
        check_file(contacts, lookup, None, actor="test", mailing=mailing, explain=found.append, engine=engine)
    by_line = {each.line: each.decision for each in found}
    return [
        (by_line[line].ruling, by_line[line].verdict) if line in by_line else (Ruling.CLEAR, None)
        for line in range(1 if tabular else 2, len(asked) + (1 if tabular else 2))
    ]


@settings(max_examples=25, deadline=None)
@given(worlds(), st.data())
def test_every_way_of_asking_gives_the_naive_answer(world: Drawn, data: st.DataObject) -> None:
    """Address, Python, file in all engines, and the portable snapshot: one verdict, the same reasons."""
    asked = list(ASKED)
    with places() as place, ExitStack() as stack:
        ledger = stack.enter_context(place.open(clock=lambda: NOW))
        put(world, ledger)
        lookup = stack.enter_context(Lookup.open(place.url, keys=place.keys, clock=lambda: NOW))
        taken = take(
            ledger,
            place.folder / "s",
            recipient="CI",
            valid_for=timedelta(days=1),
            sources=(),
            now=NOW,
            actor="t",
        )
        portable = stack.enter_context(
            Portable.open(
                taken.place,
                vkey=ledger.vkey,
                secret=taken.secret.read_text(),
                secret_name="s.secret",
                now=NOW,
            )
        )
        mailing = data.draw(st.sampled_from(MAILINGS))
        answers = check_addresses(lookup, asked, mailing=mailing)
        elsewhere = check_addresses(portable, asked, mailing=mailing)
        readable = said_by_files(place.folder, asked, lookup, mailing, block=0)
        fast = said_by_files(place.folder, asked, lookup, mailing, block=4096)
        brisk = said_by_files(place.folder, asked, lookup, mailing, block=4096, tabular=True)
        for number, each in enumerate(asked):
            ruling, waived = naive(world, each, mailing)
            verdict = answers[number].verdict
            assert (ruling, waived) == (verdict.ruling, verdict.waiver is not None), each
            assert verdict == ledger.check(each, mailing)
            assert verdict == elsewhere[number].verdict
            expected = (ruling, verdict) if ruling is not Ruling.CLEAR or waived else (ruling, None)
            assert expected == readable[number] == fast[number] == brisk[number]


@settings(max_examples=25, deadline=None)
@given(worlds(), st.sampled_from(MAILINGS), st.data())
def test_a_tier_only_ever_adds(world: Drawn, mailing: Mailing, data: st.DataObject) -> None:
    """Whoever is withheld without a rule, a digest or an erasure is withheld with it."""
    gravity = {Ruling.CLEAR: 0, Ruling.REVIEW: 1, Ruling.SUPPRESSED: 2}
    plain = replace(world, rules=(), hashed=frozenset(), waived=frozenset(), erased=frozenset())
    asked = data.draw(st.lists(st.sampled_from(PEOPLE).flatmap(spellings), min_size=3, max_size=6))
    found = []
    for each in (plain, replace(world, waived=frozenset())):
        with places() as place, place.open(clock=lambda: NOW) as ledger:
            put(each, ledger)
            found.append([ledger.check(one, mailing).ruling for one in asked])

    before, after = found
    assert all(gravity[one] <= gravity[other] for one, other in zip(before, after, strict=True))


def test_what_is_done_about_aliases_is_the_same_for_addresses_and_files() -> None:
    """Blocked, reviewed or ignored: the verdict stays, the answer follows the choice."""
    with places() as place:
        place.record(opt_out("p.at@gmail.com"))
        (place.folder / "list.csv").write_text("email,n\npat@gmail.com,1\n")
        wanted = {Alias.BLOCK: (0, 1, 0), Alias.REVIEW: (0, 0, 1), Alias.IGNORE: (1, 0, 0)}
        with place.lookup() as lookup:
            for alias, counts in wanted.items():
                with ContactFile.open(str(place.folder / "list.csv")) as contacts:
                    done = check_file(contacts, lookup, None, actor="test", alias=alias)
                (answer,) = check_addresses(lookup, ["pat@gmail.com"], alias=alias)
                assert counts == (done.kept, done.withheld, done.review)
                assert counts == tuple(
                    int(answer.ruling is each) for each in (Ruling.CLEAR, Ruling.SUPPRESSED, Ruling.REVIEW)
                )

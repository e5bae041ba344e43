"""Promise 2, for what people bring: only their own later consent makes somebody mailable who opted out.

The model is naive: a list of what each person did and of consents, and for each list that staff brought
whether it still counts. It knows nothing of entries, corrections, batches and projections.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from suppress.audit import verify
from suppress.core.address import Address
from suppress.core.suppression import OptOut, Origin, Reason
from suppress.core.verdict import Ruling
from suppress.errors import BadUsage
from suppress.files.contacts import ContactFile
from suppress.intake import Evidence, add, import_file, layout_of
from suppress.intake.consenting import consent
from suppress.intake.correcting import correct
from suppress.intake.reverting import revert
from suppress.ledger import Grounds, Ledger
from tests.backends import on_server
from tests.small_ledger import made
from tests.test_intake_import import NOW

pytestmark = pytest.mark.both_back_ends

PEOPLE = [Address.parse(f"{name}@example.com") for name in ("pat", "sam")]
FIRST = datetime(2024, 1, 1, 12, tzinfo=UTC)
LISTS = {"old": "", "older": "", "bounces": "bounced", "left": "unsubscribed"}
"""Files by name, and what they say of everybody in them. Two say the same."""

IN_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""Hundreds of commits, each synced to disk several times, would test the disk."""

people = st.sampled_from(PEOPLE)
days = st.integers(0, 3)


@dataclass
class Person:
    """What the model knows of one person: moments of opt-outs that only a consent ends, and of consents."""

    opted_out: list[datetime] = field(default_factory=list)
    consents: list[datetime] = field(default_factory=list)
    claimed: dict[tuple[object, ...], datetime] = field(default_factory=dict)
    """What staff claimed and nobody took back, by what is said of it."""
    erased: bool = False

    @property
    def suppressed(self) -> bool:
        newest = max([*self.opted_out, *self.claimed.values()], default=None)
        return newest is not None and all(each <= newest for each in self.consents)


class Bringing(RuleBasedStateMachine):
    """Opt-outs, lists, consents, corrections, reverts and erasures in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.place = tempfile.TemporaryDirectory(dir=IN_MEMORY)
        self.folder = Path(self.place.name)
        self.url = made(self.folder)
        self.ledger = Ledger.open(self.url, keys=self.folder / "suppress.keys")
        self.model = {each.key: Person() for each in PEOPLE}
        self.brought: list[str] = []

    def teardown(self) -> None:
        assert verify(self.url, keys=self.folder / "suppress.keys").ok
        self.ledger.close()
        self.place.cleanup()

    @rule(who=people, day=days)
    def sync(self, who: Address, day: int) -> None:
        """A platform reports that they unsubscribed."""
        at = FIRST + timedelta(days=day)
        told = OptOut(who, "main", Origin.PLATFORM, Reason.UNSUBSCRIBED, occurred_at=at, facts=(str(day),))
        self.ledger.append([told], actor="test")
        self.model[who.key].opted_out.append(at)

    @rule(who=people, day=days, proven=st.booleans())
    def ring(self, who: Address, day: int, proven: bool) -> None:
        """Somebody types in that they rang, with a recording or without."""
        at = FIRST + timedelta(days=day)
        evidence = Evidence("call.wav", "cd" * 32) if proven else None
        told: Any = {"received": at, "occurred": at, "zone": UTC, "now": NOW, "actor": "test"}
        add(self.ledger, who, evidence=evidence, **told)
        person = self.model[who.key]
        if proven:
            person.opted_out.append(at)
        else:
            person.claimed["rang", day] = at

    @rule(name=st.sampled_from(sorted(LISTS)), which=st.sampled_from([PEOPLE, PEOPLE[:1], PEOPLE[1:]]))
    def bring(self, name: str, which: list[Address]) -> None:
        """A list is imported, perhaps one that was imported or taken back before."""
        at = FIRST + timedelta(days=1)
        rows = "".join(f"{each.raw},{at:%Y-%m-%d %H:%M},{LISTS[name]}\n" for each in which)
        path = self.folder / f"{name}.csv"
        path.write_text(f"Mail,When,Why,{name}\n" + rows)
        with ContactFile.open(str(path), need_addresses=False) as contacts:
            layout = layout_of(contacts, profile=None, mapping=["email=Mail,date=When,reason=Why"])
            done = import_file(self.ledger, contacts, layout, zone=UTC, now=NOW, actor="test")
        self.brought = sorted({*self.brought, done.batch})
        for each in which:
            person = self.model[each.key]
            if LISTS[name] == "unsubscribed":
                person.opted_out.append(at)
            else:
                person.claimed["list", done.batch] = at

    @precondition(lambda self: self.brought)
    @rule(data=st.data())
    def take_back(self, data: st.DataObject) -> None:
        """An import is taken back, or refused because it was already, or because people did all of it."""
        name = data.draw(st.sampled_from(self.brought))
        try:
            revert(self.ledger, name, approver="Kim", reason="wrong", actor="test")
        except BadUsage:
            return
        for person in self.model.values():
            if not person.erased:
                person.claimed.pop(("list", name), None)

    @rule(who=people, day=days)
    def strike(self, who: Address, day: int) -> None:
        """A typed-in request is struck out, or refused."""
        at = FIRST + timedelta(days=day)
        for each in self.ledger.history(who):
            if getattr(each.entry.body, "received_at", None) != at:
                continue
            try:
                correct(self.ledger, each.entry.seq, approver="Kim", reason="typo", actor="test")
            except BadUsage:
                continue
            self.model[who.key].claimed.pop(("rang", day), None)

    @rule(who=people, day=days)
    def agree(self, who: Address, day: int) -> None:
        """They consent, or it is refused because it is not later."""
        at = FIRST + timedelta(days=day, hours=1)
        told: Any = {"evidence": Evidence("form.pdf", "ab" * 32), "approver": "Kim"}
        try:
            consent(self.ledger, who, at=at, zone=UTC, now=NOW, actor="test", **told)
        except BadUsage:
            return
        person = self.model[who.key]
        person.consents.append(at)
        person.erased = False

    @rule(who=people)
    def erase(self, who: Address) -> None:
        """Address and evidence go; they stay suppressed, and what staff claimed becomes fixed."""
        seen = [each.entry.seq for each in self.ledger.history(who)]
        if self.ledger.erase(who, Grounds("Art. 17 GDPR"), seen=seen, actor="test").entries:
            person = self.model[who.key]
            person.opted_out += person.claimed.values()
            person.claimed.clear()
            person.erased = True

    @invariant()
    def nobody_is_mailable_without_a_later_consent(self) -> None:
        for who in PEOPLE:
            person = self.model[who.key]
            found = self.ledger.check(who.raw).ruling is Ruling.SUPPRESSED
            if person.opted_out and all(each <= max(person.opted_out) for each in person.consents):
                assert found
            if person.suppressed:
                assert found
            if not (person.opted_out or person.claimed or person.erased):
                assert not found


def test_no_sequence_makes_anybody_mailable_without_a_later_consent() -> None:
    """Opt-outs, lists, consents, corrections, reverts and erasures in any order."""
    run_state_machine_as_test(
        Bringing,
        settings=settings(
            max_examples=6 if on_server() else 30,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )

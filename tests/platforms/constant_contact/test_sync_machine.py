"""Any sequence of what people, staff and the platform do, with syncs in between, against a notebook.

The fortnights of `tests/faults` live long and cannot be shortened. Here Hypothesis draws the sequences, and
when one goes wrong, finds the shortest that does: three addresses, pages of one contact.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from suppress.core.address import Address
from suppress.core.suppression import Consent
from suppress.platforms.constant_contact.simulator import Fault, FaultKind, Limits, Scenario
from suppress.platforms.constant_contact.simulator.model import Contact
from tests.faults.fortnight import LONG_AGO, MAILABLE, Notebook
from tests.platforms.constant_contact.company import company

IN_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""Hundreds of commits, each synced to disk several times, would test the disk."""
ACCOUNT = Scenario(limits=Limits(per_second=10**6, rows_per_page=1))
PEOPLE = ["pat@example.com", "sam@example.com", "kim@example.com"]
TROUBLE = [
    (),
    (Fault(FaultKind.ERROR, status=503, page=2, times=9),),
    (Fault(FaultKind.QUOTA_EXCEEDED, page=2),),
    (Fault(FaultKind.MISSING_ROW, page=2),),
    (Fault(FaultKind.DUPLICATE_ROW, page=2),),
    (Fault(FaultKind.DROP, page=1),),
]
LAG = timedelta(minutes=5)
"""What is younger than this when a run begins is looked for, but not promised."""
CHANGES = ["join", "opt_out", "old_opt_out", "delete", "revive", "resubscribe", "rename", "merge"]

people = st.sampled_from(PEOPLE)
changes = st.tuples(st.sampled_from(CHANGES), people, people)


class Syncing(RuleBasedStateMachine):
    """One source. A change that makes no sense for a contact as it is changes nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        folder = self.stack.enter_context(tempfile.TemporaryDirectory(dir=IN_MEMORY))
        self.world = self.stack.enter_context(company(ACCOUNT, Path(folder), given=True))
        self.notes = Notebook()
        self.run = 0
        self.consents = 0

    def teardown(self) -> None:
        """One census in peace: the ledger is the notebook, and who came back without consent is in drift."""
        with self.stack:
            self.world.platform.strike()
            self.run += 1
            self.world.later(days=1)
            result = self.world.sync(full=True)
            ledger = self.world.suppressed()
            self.notes.look(ledger)

            assert result.complete, result.failure
            assert self.notes.kept | self.notes.owed == ledger
            assert len(self.notes.kept & self.notes.mailable) == len(result.drift)
            assert self.world.sound()

    @rule(change=changes)
    def happen(self, change: tuple[str, str, str]) -> None:
        """Something, between runs."""
        self.world.later(minutes=10)
        self._do(*change)

    @rule(who=people)
    def consent(self, who: str) -> None:
        """Somebody who came back gives the company a consent to keep."""
        if who not in self.notes.kept & self.notes.mailable:
            return
        self.world.later(minutes=10)
        with self.world.ledger() as ledger:
            given = Consent(Address.parse(who), "desk", self.world.now, facts=(str(self.consents),))
            ledger.append([given], actor="test")
        self.consents += 1
        self.notes.consents(who, self.world.now)

    @rule(hours=st.sampled_from([1, 24, 72]))
    def wait(self, hours: int) -> None:
        """Nobody does anything."""
        self.world.later(hours=hours)

    @rule(
        full=st.booleans(),
        trouble=st.sampled_from(TROUBLE),
        meanwhile=st.lists(st.tuples(st.integers(1, 9), changes), max_size=2),
    )
    def sync(
        self, full: bool, trouble: tuple[Fault, ...], meanwhile: list[tuple[int, tuple[str, str, str]]]
    ) -> None:
        """A run, well or not, while people go on."""
        platform = self.world.platform
        self.run += 1
        platform.strike(*trouble)
        asked = sum(each.path == "/v3/contacts" for each in platform.requests)
        for page, change in meanwhile:
            platform.before_page(asked + page, self._at_a_page(self.run, change))
        began = self.world.now
        result = self.world.sync(full=full)

        assert result.complete or result.failure is not None
        ledger = self.world.suppressed()
        self.notes.look(ledger)
        if result.complete:
            self.notes.check(ledger, shown_before=began - LAG, census=full)

    def _at_a_page(self, run: int, change: tuple[str, str, str]) -> Callable[[object], None]:
        def act(_: object) -> None:
            # A run that ended before this page leaves it to nobody.
            if run == self.run:
                self._do(*change)

        return act

    # --- Changes -----------------------------------------------------------------------------------------

    def _do(self, what: str, who: str, other: str) -> None:
        contact = self.world.platform.backend.account.find(who)
        if what == "join" and contact is None:
            self.world.platform.add(who)
            self.notes.mailable.add(who)
        elif contact is not None:
            self._change(what, who, other, contact)

    def _change(self, what: str, who: str, other: str, contact: Contact) -> None:
        platform, notes, now = self.world.platform, self.notes, self.world.now
        taken = platform.backend.account.find(other) is not None
        match what:
            case "opt_out" if not contact.unsubscribed:
                platform.unsubscribe(who)
                notes.opts_out(who, now)
            case "old_opt_out" if not contact.unsubscribed:
                dated = now - timedelta(days=400)
                platform.unsubscribe(who, source="Account", at=dated)
                notes.opts_out(who, now, dated=dated)
            case "delete":
                platform.delete(who)
                notes.mailable.discard(who)
            case "revive" if contact.email is not None:
                platform.revive(who)
                notes.mailable |= {who} if contact.email.permission in MAILABLE else set()
            case "resubscribe" if contact.unsubscribed:
                platform.resubscribe(who)
                notes.comes_back(who)
            case "rename" if not taken:
                notes.mailable |= {other} if who in notes.mailable else set()
                notes.leaves(who)
                if platform.rename(who, other).unsubscribed:
                    notes.opts_out(other, now, dated=LONG_AGO)
            case "merge" if taken and other != who:
                platform.merge(who, other)
                notes.leaves(who)


SHORT = settings(
    max_examples=12,
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


@pytest.mark.both_back_ends
def test_whatever_happens_the_ledger_is_the_notebook() -> None:
    """Twelve histories; two hundred in the long run of the harnesses."""
    run_state_machine_as_test(Syncing, settings=SHORT)

"""The ledger against a plain list: whatever is done to it, in whatever order, both say the same.

The model is a list of what was told, with the moment it was told. Standings are folded from that list with
`suppress.core.standing` and nothing of the ledger's own; every look-up must equal it, every old checkpoint
must fit every newer state, and `verify` must find nothing wrong.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
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
from suppress.core.entry import Corrected
from suppress.core.mailing import Mailing
from suppress.core.standing import Lift, Standing, Suppression
from suppress.core.suppression import EVERYTHING, Channel, Consent, Drift, OptOut, Scope
from suppress.core.verdict import Ruling, Tier
from suppress.errors import LedgerDamaged
from suppress.ledger import Event, Grounds, Keys, Receipt
from suppress.ledger.rebuilding import rebuild
from tests import backends
from tests.ledger.backing import put_back
from tests.ledger.making import Place, sync_done
from tests.strategies import consents, opt_outs

PEOPLE = [
    Address.parse(text)
    for text in ("pat@example.com", "PAT@example.com", "p.at@gmail.com", "pat+x@gmail.com", "zoë@exämple.de")
]
NOBODY = Address.parse("nobody@example.com")
TARGETS = [EVERYTHING, Scope("Acme"), Scope("Acme", "News"), Scope("Other")]

IN_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""Thousands of commits, each synced to disk several times, would test the disk."""

people = st.sampled_from(PEOPLE)
told = st.one_of(
    opt_outs(people),
    consents(people),
    st.builds(Drift, people, st.just("main"), st.sampled_from(["explicit", "implicit"])),
    st.builds(sync_done, st.sampled_from(["run-1", "run-2", "run-3"])),
)


class PowerCut(Exception):
    """Raised in the middle of a transaction."""


@dataclass(frozen=True, slots=True)
class Removal:
    """Somebody who was erased or forgotten, as the record outside the database knows them."""

    number: int
    forgotten: bool
    key: str
    told: tuple[tuple[str, Any], ...]
    """Id and event of all requests and consents that counted then."""


@dataclass(frozen=True, slots=True)
class Copied:
    """A backup, and what the model knew when it was made."""

    file: Path
    size: int
    told: list[tuple[int, datetime, Any]]
    done: dict[str, Receipt]
    erased: set[str]
    subjects: dict[str, str]
    removals: set[int]


class LedgerMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory(dir=IN_MEMORY)))
        self.place = Place(folder).create()
        if backends.on_server():
            self.stack.callback(backends.vanish, folder)
        self.now = datetime(2026, 12, 1, tzinfo=UTC)
        self.done: dict[str, Receipt] = {}
        self.told: list[tuple[int, datetime, Any]] = []
        self.size = 1
        self.anchors: list[Path] = []
        self.erased: set[str] = set()
        """Match keys whose address was erased, and who have not consented since."""
        self.removals: dict[str, Removal] = {}
        """By subject, as the record outside: the last one counts."""
        self.removed: set[int] = set()
        """The removals that this history has."""
        self.copies: list[Copied] = []
        self.open()

    def open(self) -> None:
        self.ledger = self.place.open(clock=lambda: self.now)
        self.stack.callback(self.ledger.close)

    def teardown(self) -> None:
        self.stack.close()

    # --- What is done ----------------------------------------------------------------------------------

    @rule(batch=st.lists(told, min_size=1, max_size=8), hours=st.integers(-5, 50))
    def append(self, batch: list[Any], hours: int) -> None:
        last = self.ledger.head().at
        assert last is not None
        self.now += timedelta(hours=hours)
        at = max(last, self.now)
        for event, receipt in zip(batch, self.ledger.append(batch, actor="test"), strict=True):
            if receipt.id in self.done:
                assert receipt == Receipt(self.done[receipt.id].seq, receipt.id, new=False)
                continue
            assert receipt.new
            self.done[receipt.id] = receipt
            self.told.append((receipt.seq, at, event))
            if isinstance(event, Consent):
                self.erased.discard(event.address.key)
        self.size = self.ledger.head().size

    @precondition(lambda self: self.told)
    @rule(data=st.data())
    def tell_again(self, data: st.DataObject) -> None:
        """A killed run repeats what it had already told."""
        again = [event for _, _, event in data.draw(st.lists(st.sampled_from(self.told), max_size=5))]

        assert not any(receipt.new for receipt in self.ledger.append(again, actor="again"))
        assert self.ledger.head().size == self.size

    @precondition(lambda self: self.told)
    @rule(data=st.data())
    def correct(self, data: st.DataObject) -> None:
        seq = data.draw(st.integers(0, self.size - 1))
        self.append([Event(f"correct-{seq}-{self.size}", Corrected(seq, "a mistake"))], hours=0)

    @rule(batch=st.lists(told, min_size=1, max_size=4))
    def power_cut(self, batch: list[Any]) -> None:
        """An append that dies inside the transaction leaves nothing behind."""

        def cut() -> datetime:
            raise PowerCut

        note = self.ledger.head().note
        with self.place.open(clock=cut) as dying, pytest.raises(PowerCut):
            dying.append(batch, actor="dying")

        assert self.ledger.head().note == note

    @rule()
    def reopen(self) -> None:
        self.ledger.close()
        self.open()

    @rule()
    def anchor(self) -> None:
        path = self.place.folder / f"{self.size}.note"
        path.write_text(self.ledger.keep_checkpoint().note)
        self.anchors.append(path)

    @rule(address=people, forget=st.booleans())
    def remove(self, address: Address, forget: bool) -> None:
        """Erase somebody, who stays suppressed, or forget them."""
        key, subject = address.key, self.ledger.standing(address).subject
        seen = [each.entry.seq for each in self.ledger.history(address)]
        act = self.ledger.forget if forget else self.ledger.erase
        done = act(address, Grounds("Art. 17 GDPR"), seen=seen, actor="test")
        self.size = self.ledger.head().size
        assert (subject,) == (done.subjects or (None,))
        if subject is None or not (forget or done.entries):
            return
        number, told = self.size, tuple(self.counting(key))
        self.removals[subject] = Removal(number, forget, key, () if forget else told)
        self.removed.add(number)
        self.erased.add(key)
        if forget:
            self.forgotten(key)

    def forgotten(self, key: str) -> None:
        """All that was told of them is about nobody now; told again, it is about somebody new."""
        self.erased.discard(key)
        gone = {seq for seq, _, event in self.told if _key(event) == key}
        self.told = [each for each in self.told if each[0] not in gone]
        self.done = {id_: each for id_, each in self.done.items() if each.seq not in gone}

    @rule()
    def back_up(self) -> None:
        file = self.place.folder / f"{self.size}-{len(list(self.place.folder.iterdir()))}.db"
        self.ledger.backup(file)
        subjects = {address.key: self.ledger.standing(address).subject for address in PEOPLE}
        known = {subject: key for key, subject in subjects.items() if subject is not None}
        self.copies.append(
            Copied(file, self.size, [*self.told], {**self.done}, {*self.erased}, known, {*self.removed})
        )

    @precondition(lambda self: any(copy.size < self.size for copy in self.copies))
    @rule(data=st.data())
    def restore(self, data: st.DataObject) -> None:
        """A backup is put in the place of the ledger: refused, gone on from, everybody gone is gone again."""
        copy = data.draw(st.sampled_from([copy for copy in self.copies if copy.size < self.size]))
        self.ledger.close()
        put_back(self.place, copy.file)
        self.open()
        with pytest.raises(LedgerDamaged, match="already signed"):
            self.ledger.append([sync_done("refused")], actor="test")
        assert copy.size == self.ledger.restored(actor="test").size

        newer = [anchor for anchor in self.anchors if int(anchor.stem) > copy.size]
        for anchor in newer:
            assert verify(self.place.url, keys=self.place.keys, anchors=[anchor]).first_bad is not None
        self.anchors = [anchor for anchor in self.anchors if anchor not in newer]
        # Those of the history that is lost would fork the ledger once it has grown beyond them.
        self.copies = [other for other in self.copies if other.size <= copy.size]
        self.told, self.done = [*copy.told], {**copy.done}
        self.erased, self.removed = {*copy.erased}, {*copy.removals}
        self.removed_again(copy)
        self.size = self.ledger.head().size

    def removed_again(self, copy: Copied) -> None:
        entries = {entry.id: entry for entry in self.ledger.entries()}
        for subject, removal in sorted(self.removals.items(), key=lambda each: not each[1].forgotten):
            if removal.number in copy.removals:
                continue
            self.removed.add(removal.number)
            if removal.forgotten and subject in copy.subjects:
                self.forgotten(removal.key)
            elif not removal.forgotten:
                self.erased.add(removal.key)
                for id_, event in removal.told:
                    if id_ not in self.done:
                        self.done[id_] = Receipt(entries[id_].seq, id_, new=True)
                        self.told.append((entries[id_].seq, entries[id_].at, event))
        self.told.sort(key=lambda each: each[0])

    @rule()
    def rebuild(self) -> None:
        """The projections built anew are the projections that were there."""
        before = self.projections()
        with self.place.writing() as connection:
            rebuild(connection, Keys.load(self.place.keys))

        assert before == self.projections()

    # --- What must hold --------------------------------------------------------------------------------

    @invariant()
    def the_list_and_the_ledger_agree(self) -> None:
        entries = list(self.ledger.entries())
        assert self.size == len(entries)
        assert [seq for seq, _, _ in self.told] == [
            receipt.seq for receipt in sorted(self.done.values(), key=lambda each: each.seq)
        ]
        assert [entries[seq].at for seq, _, _ in self.told] == [at for _, at, _ in self.told]

    @invariant()
    def everybody_has_the_standing_that_the_list_gives(self) -> None:
        expected = {address.key: self.standing(address.key) for address in [*PEOPLE, NOBODY]}
        with self.place.lookup() as lookup:
            for channel in Channel:
                for target in TARGETS:
                    listed = {each.key: each for each in self.ledger.suppressed(channel, target)}
                    assert list(listed) == sorted(listed, key=str.encode)
                    verdicts = lookup.verdicts([*PEOPLE, NOBODY], Mailing(channel, target))
                    for address, verdict in zip([*PEOPLE, NOBODY], verdicts, strict=True):
                        found = expected[address.key].against(channel, target)
                        assert verdict == self.ledger.check(address.raw, Mailing(channel, target))
                        assert (verdict.ruling is Ruling.SUPPRESSED) == (found is not None)
                        if found is None:
                            continue
                        assert verdict.seq == found.seq
                        assert (verdict.tier is Tier.ERASED) == (address.key in self.erased)
                        assert (address.key in listed) == (address.key not in self.erased)
                        if address.key in listed:
                            assert listed[address.key].suppression == found
        for address, standing in zip(PEOPLE, self.ledger.standings(PEOPLE), strict=True):
            assert standing.suppressions == expected[address.key].suppressions
            assert standing.lifts == expected[address.key].lifts

    @invariant()
    def it_verifies(self) -> None:
        result = verify(self.place.url, keys=self.place.keys, anchors=self.anchors)
        assert result.first_bad is None
        assert result.size == self.size

    # --- The model -------------------------------------------------------------------------------------

    def annulled(self) -> set[int]:
        annulled: set[int] = set()
        for seq, _, event in reversed(self.told):
            if isinstance(event, Event) and isinstance(event.body, Corrected) and seq not in annulled:
                annulled.add(event.body.entry)
        return annulled

    def counting(self, key: str) -> Iterator[tuple[str, Any]]:
        """The requests and consents of somebody that no correction annulled, with their ids."""
        ids = {receipt.seq: receipt.id for receipt in self.done.values()}
        annulled = self.annulled()
        for seq, _, event in self.told:
            if isinstance(event, (OptOut, Consent)) and event.address.key == key and seq not in annulled:
                yield ids[seq], event

    def standing(self, key: str) -> Standing:
        annulled = self.annulled()
        standing = Standing()
        for seq, at, event in self.told:
            if seq in annulled:
                continue
            if isinstance(event, OptOut) and event.address.key == key:
                standing = standing.with_opt_out(
                    Suppression(
                        event.channel,
                        event.scope,
                        event.reason,
                        event.occurred_at,
                        event.occurred_at or at,
                        event.source,
                        seq,
                        event.visibility,
                    )
                )
            if isinstance(event, Consent) and event.address.key == key:
                lift = Lift(event.channel, event.scope, min(event.occurred_at, at), seq)
                standing = standing.with_consent(lift)
        return standing

    def projections(self) -> dict[str, list[Any]]:
        with self.place.raw() as connection:
            return {
                name: sorted(connection.execute(f"SELECT * FROM {name}").fetchall(), key=repr)
                for name in ("event", "about", "standing", "lift", "alias", "topic", "built")
            }


def _key(event: Any) -> str | None:
    return None if isinstance(event, Event) else str(event.address.key)


SHORT = settings(
    max_examples=15,
    stateful_step_count=15,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
ON_SERVER = settings(SHORT, max_examples=3)
"""Every history is in a database of its own, which takes a server a while to make."""


@pytest.mark.both_back_ends
def test_the_ledger_says_what_a_list_says() -> None:
    """A few histories; many, and longer ones, in `tests/faults/test_long.py`."""
    run_state_machine_as_test(LedgerMachine, settings=ON_SERVER if backends.on_server() else SHORT)

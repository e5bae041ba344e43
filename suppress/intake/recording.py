"""Recording what people bring, also what was struck out before.

The ledger records the same facts once. An entry that a correction struck out is there and no longer counts:
if the same facts come again (the file that was taken back by mistake, the letter of the right Pat), they must
count again, or an opt-out would be lost. They are then recorded anew, under facts that name the struck entry.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from suppress.core.suppression import Consent, OptOut
from suppress.ledger import Event, Ledger, Receipt

Brought = OptOut | Consent | Event


def record(ledger: Ledger, told: Sequence[Brought], *, actor: str) -> list[Receipt]:
    """Append these, and once more whatever was there but is struck out. Every entry returned counts."""
    receipts = list(ledger.append(told, actor=actor))
    while struck := ledger.struck_out({each.seq for each in receipts if not each.new}):
        places = [place for place, each in enumerate(receipts) if not each.new and each.seq in struck]
        again = [_again(told[place], receipts[place].seq) for place in places]
        for place, receipt in zip(places, ledger.append(again, actor=actor), strict=True):
            receipts[place] = receipt
    return receipts


def _again(told: Brought, struck: int) -> Brought:
    if isinstance(told, Event):
        id_ = hashlib.sha256(f"{told.id}\0again\0{struck}".encode()).hexdigest()[:32]
        return replace(told, id=id_)
    return replace(told, facts=(*told.facts, "again", str(struck)))

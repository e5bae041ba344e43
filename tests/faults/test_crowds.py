"""Several processes at once: one order, no gap, nothing lost, nothing twice."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

from suppress.audit import verify
from suppress.core.entry import SyncDone
from tests.faults.test_kills import ROOT, acknowledged, writer
from tests.ledger.making import Place, opt_out


def test_writers_at_once_make_one_ledger(place: Place, rounds: Callable[[int], int]) -> None:
    """Rows = acknowledged, no gap, one root; people whom all of them tell of are one person."""
    batches = rounds(8)
    processes = [writer(place, f"p{number}", batches=batches) for number in range(4)]
    told = [acknowledged(process) for process in processes]

    assert [0, 0, 0, 0] == [process.wait() for process in processes]
    assert [batches] * 4 == told
    result = verify(place.url, keys=place.keys)
    assert result.first_bad is None
    with place.open() as ledger:
        entries = list(ledger.entries())
        assert list(range(len(entries))) == [entry.seq for entry in entries]
        assert 4 * batches == sum(isinstance(entry.body, SyncDone) for entry in entries)
        assert 1 + 4 * batches == len(ledger.history(opt_out("shared0@gmail.com").address))
        subjects = {entry.id for entry in entries if entry.body.type == "subject.added"}
        assert 4 * batches * 5 + 2 == len(subjects)


def test_readers_see_whole_transactions_while_a_writer_writes(place: Place) -> None:
    """Verification and look-ups in other processes are right at any moment."""
    process = writer(place, "w", batches=40, size=50)
    program = (
        "import sys\nfrom pathlib import Path\nfrom suppress.audit import verify\n"
        "from suppress.core.address import Address\nfrom suppress.ledger import Lookup\n"
        f"url, keys = {place.url!r}, Path({str(place.keys)!r})\n"
        "for _ in range(6):\n"
        "    result = verify(url, keys=keys)\n"
        "    if not result.ok: sys.exit(str(result.first_bad))\n"
        "    with Lookup.open(url, keys=keys) as lookup:\n"
        "        lookup.verdict(Address.parse('shared0@gmail.com'))\n"
    )
    readers = [
        subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    complaints = [reader.communicate()[1] for reader in readers]
    told = acknowledged(process)

    assert ["", ""] == complaints
    assert (process.wait(), told) == (0, 40)
    assert verify(place.url, keys=place.keys).first_bad is None

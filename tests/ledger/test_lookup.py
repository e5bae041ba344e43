"""`Lookup`: the same answers as `Ledger`, without its weight, and in nobody's way."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from suppress.core.address import Address
from suppress.core.mailing import Mailing
from suppress.core.suppression import Channel, Reason, Scope
from suppress.core.verdict import CLEAR, Ruling, Tier
from suppress.errors import ConfigWrong, LedgerDamaged, MigrationNeeded, NoLedger
from suppress.ledger import Lookup
from tests.ledger.making import NOON, Place, consent, opt_out, sync_done

pytestmark = pytest.mark.both_back_ends

PAT = Address.parse("pat@example.com")


def test_a_lookup_loads_nothing_heavy(place: Place) -> None:
    """SQLAlchemy alone would cost more than the rest of a `suppress check` together."""
    place.record(opt_out())
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from suppress.core.address import Address\n"
        "from suppress.ledger import Lookup\n"
        f"with Lookup.open({place.url!r}, keys=Path({str(place.keys)!r})) as lookup:\n"
        "    print(lookup.verdict(Address.parse('pat@example.com')).ruling)\n"
        "heavy = {'sqlalchemy', 'alembic', 'cryptography', 'httpx2', 'jinja2', 'holidays', 'rich', 'typer'}\n"
        "print(sorted(heavy & {name.partition('.')[0] for name in sys.modules}))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert ["suppressed", "[]"] == done.stdout.split("\n")[:2]


def test_position_is_that_of_the_head(place: Place) -> None:
    """A check's record quotes size, root and signed note."""
    place.record(opt_out())

    with place.open() as ledger, place.lookup() as lookup:
        head = ledger.head()
        assert (head.size, head.root.hex(), head.note) == (lookup.size, lookup.root, lookup.checkpoint)


def test_verdicts_come_in_order_across_batches(place: Place) -> None:
    """Thousands of addresses, known and unknown mixed."""
    place.record(*(opt_out(f"pat{number}@example.com") for number in range(0, 2500, 3)))
    asked = [Address.parse(f"pat{number}@example.com") for number in range(2500)]

    with place.lookup() as lookup:
        found = [each.ruling is Ruling.SUPPRESSED for each in lookup.verdicts(asked)]
        assert [] == lookup.verdicts([])
    assert [number % 3 == 0 for number in range(2500)] == found


def test_it_answers_as_the_ledger_does(place: Place) -> None:
    """Every tier, channel and scope: exact, lifted, alias, erased, clear."""
    place.record(
        opt_out("p.at@gmail.com"),
        opt_out("sam@gmail.com", scope=Scope("Acme")),
        opt_out("kim@example.com", channel=Channel.SMS, reason=Reason.COMPLAINT),
        opt_out("lee@example.com"),
        consent("lee@example.com", at=NOON.replace(year=2027)),
        opt_out("erased@example.com"),
    )
    with place.open() as ledger:
        erased = ledger.history(Address.parse("erased@example.com"))
        place.erase([erased[1].entry.seq], erased[0].entry.id)
        addresses = [
            *("p.at@gmail.com", "pat@gmail.com", "s.am@googlemail.com", "kim@example.com"),
            *("lee@example.com", "erased@example.com", "nobody@example.com", "nobody@gmail.com"),
        ]
        with place.lookup() as lookup:
            for channel in Channel:
                for target in (Scope(), Scope("Acme"), Scope("Other")):
                    mailing = Mailing(channel, target)
                    assert [ledger.check(each, mailing) for each in addresses] == lookup.verdicts(
                        [Address.parse(each) for each in addresses], mailing
                    )
            assert lookup.verdict(Address.parse("erased@example.com")).tier is Tier.ERASED


def test_an_open_lookup_sees_what_is_appended_and_holds_nobody_up(place: Place) -> None:
    """Checking a long file leaves the writer alone between batches."""
    with place.lookup() as lookup:
        assert CLEAR == lookup.verdict(PAT)
        place.record(opt_out())
        assert lookup.verdict(PAT).ruling is Ruling.SUPPRESSED


@pytest.mark.sqlite_only("on a server the transaction is read-only, and rights are the role's")
def test_nothing_can_be_written_through_it(place: Place) -> None:
    """Not even by whoever takes its connection."""
    with place.lookup() as lookup, pytest.raises(Exception, match="readonly"):
        lookup._reader.ask("DELETE FROM payload")


@pytest.mark.sqlite_only("about a file's mode")
def test_a_file_that_may_only_be_read_is_enough(place: Place) -> None:
    """The ledger may lie on a share where a checking machine has no business writing."""
    place.record(opt_out())
    place.file.chmod(0o444)

    with place.lookup() as lookup:
        assert lookup.verdict(PAT).ruling is Ruling.SUPPRESSED


@pytest.mark.sqlite_only("about the journal")
def test_an_interrupted_writer_is_cleaned_up_after(place: Place) -> None:
    """A journal left by a killed writer is rolled back; a read-only connection alone could not."""
    place.record(opt_out())
    _leave_a_hot_journal(place)

    with place.lookup() as lookup:
        assert lookup.verdict(PAT).ruling is Ruling.SUPPRESSED
        assert lookup.size == 3


def _leave_a_hot_journal(place: Place) -> None:
    program = (
        "import os, sqlite3\n"
        f"connection = sqlite3.connect({str(place.file)!r}, isolation_level=None)\n"
        "connection.execute('PRAGMA cache_size = 1')\n"
        "connection.execute('PRAGMA journal_mode = TRUNCATE')\n"
        "connection.execute('BEGIN IMMEDIATE')\n"
        "connection.execute('DELETE FROM event')\n"
        "connection.executemany('INSERT INTO topic VALUES (?, ?, 1)', "
        "[(str(n), 'x' * 500) for n in range(500)])\n"
        "os._exit(9)\n"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 9
    assert Path(f"{place.file}-journal").stat().st_size > 0


def test_keys_of_another_ledger_are_refused(place: Place, tmp_path: Path) -> None:
    """With them everybody would look unknown, and so mailable."""
    from suppress.ledger import Ledger

    other = f"sqlite:///{tmp_path / 'other.db'}"
    Ledger.create(other, keys=tmp_path / "other.keys")

    with pytest.raises(ConfigWrong, match="another ledger"):
        Lookup.open(place.url, keys=tmp_path / "other.keys")
    with pytest.raises(ConfigWrong, match="another ledger"):
        Ledger.open(place.url, keys=tmp_path / "other.keys")


def test_a_lost_index_key_is_an_error(place: Place) -> None:
    """Never an empty answer."""
    (place.keys / "index.k1").rename(place.keys / "index.k2")

    with pytest.raises(ConfigWrong, match="lack index key k1"):
        place.lookup()


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("UPDATE alembic_version SET version_num = '9999'", MigrationNeeded),
        ("DELETE FROM alembic_version", LedgerDamaged),
        ("UPDATE built SET version = 99", MigrationNeeded),
        ("DELETE FROM built", MigrationNeeded),
        ("DROP TRIGGER head_no_delete; DELETE FROM head", LedgerDamaged),
        ("UPDATE head SET note = x'ff00'", LedgerDamaged),
        ("UPDATE head SET note = CAST('one' AS BLOB)", LedgerDamaged),
        ("DROP TRIGGER ledger_no_delete; DELETE FROM ledger", LedgerDamaged),
        ("DROP TABLE head", LedgerDamaged),
    ],
)
def test_what_it_cannot_use_it_refuses(place: Place, statement: str, error: type[Exception]) -> None:
    """With the ledger room's own error, never one of the driver's."""
    place.record(sync_done("1"))
    with place.raw() as connection:
        connection.executescript(statement)

    with pytest.raises(error):
        place.lookup()


def test_a_person_whom_no_entry_added_is_damage(place: Place) -> None:
    """Not an answer."""
    place.record(opt_out())
    with place.raw() as connection:
        connection.execute("DELETE FROM event WHERE seq = 1")

    with place.lookup() as lookup, pytest.raises(LedgerDamaged, match="not there"):
        lookup.verdict(PAT)


def test_no_ledger_is_said_so(tmp_path: Path) -> None:
    """With the command that makes one."""
    with pytest.raises(NoLedger) as caught:
        Lookup.open(f"sqlite:///{tmp_path / 'none.db'}")
    assert caught.value.remedy == "suppress init"

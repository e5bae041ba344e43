"""Several accounts in one ledger: joined as settings say, apart in trouble, together within one limit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suppress.core.address import Address
from suppress.core.reconcile import Observed, Permission
from suppress.core.suppression import EVERYTHING, Scope
from suppress.errors import ConfigWrong, SignInNeeded, SourceFailed, SuppressError
from suppress.ledger import Ledger
from suppress.platforms.constant_contact.simulator import People, Scenario, Simulator
from suppress.plugin.contract import Census, Finding, Page, Summary, Window
from suppress.sync import exit_code, sync
from tests.conftest import Command
from tests.small_ledger import made

LATER = datetime(2026, 11, 23, tzinfo=UTC)
PEOPLE = tuple(f"p{number}@example.com" for number in range(4))


class Told:
    """An account whose people a test decides: address → opted out there, or mailable."""

    platform = "told"

    def __init__(
        self, name: str, people: dict[str, bool], failure: Exception | None = None, scope: Scope = EVERYTHING
    ) -> None:
        self.name = name
        self.people = people
        self.failure = failure
        self.scope = scope

    def window(self, _last: datetime | None, now: datetime) -> Window:
        """Everything."""
        return Window(datetime(2000, 1, 1, tzinfo=UTC), now)

    def pull(self, _what: Window | Census) -> Iterator[Page | Summary]:
        """One page, then the failure, if there is one."""
        found = tuple(
            Observed(
                self.name,
                Address.parse(address),
                Permission.OPTED_OUT if out else Permission.MAILABLE,
                "unsubscribed" if out else "explicit",
                fingerprint=(f"{self.name}-{address}", ""),
                scope=self.scope,
            )
            for address, out in self.people.items()
        )
        yield Page("all", found, len(found))
        if self.failure is not None:
            raise self.failure
        yield Summary(True, 1, len(found), sum(self.people.values()), 0, 0)

    def check(self) -> Iterator[Finding]:
        """Nothing to say."""
        yield from ()

    def close(self) -> None:
        """Nothing is open."""


_ACCOUNTS = st.lists(
    st.tuples(
        st.sampled_from(["Acme", "Beta"]),
        st.booleans(),
        st.dictionaries(st.sampled_from(PEOPLE), st.booleans()),
    ),
    min_size=1,
    max_size=3,
)


@settings(max_examples=25, deadline=None)
@given(_ACCOUNTS, st.booleans())
def test_whoever_left_one_account_is_withheld_as_far_as_that_account_reaches(
    accounts: list[tuple[str, bool, dict[str, bool]]], twice: bool
) -> None:
    """For each sender exactly: who left an account that counts for everything, or one of that sender's.

    Whatever the order and however often they are asked, the widest wins, and nobody who is mailable at
    another account takes it back.
    """
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/suppress.db"
        Ledger.create(url, keys=Path(folder) / "keys")
        sources = [Told(f"s{number}", people) for number, (_, _, people) in enumerate(accounts)]
        scopes = {
            f"s{number}": EVERYTHING if everything else Scope(sender)
            for number, (sender, everything, _) in enumerate(accounts)
        }
        with Ledger.open(url, keys=Path(folder) / "keys") as ledger:
            for _ in range(1 + twice):
                results = sync(ledger, sources, full=False, now=LATER, actor="test", scopes=scopes)
                assert all(result.complete for result in results)
            held = {
                target: {each.key for each in ledger.suppressed(target=target)}
                for target in (Scope("Acme"), Scope("Beta"), EVERYTHING)
            }
    for sender in ("Acme", "Beta"):
        assert held[Scope(sender)] == {
            address
            for whose, everything, people in accounts
            for address, out in people.items()
            if out and (everything or whose == sender)
        }
    assert held[EVERYTHING] == {address for *_, people in accounts for address, out in people.items() if out}


@pytest.mark.both_back_ends
def test_who_left_one_sender_is_no_drift_at_another(ledger: Ledger) -> None:
    """And is drift there as soon as somebody counts the opt-out for everything."""
    left, stays = Told("acme", {"p0@example.com": True}), Told("beta", {"p0@example.com": False})
    scopes = {"acme": Scope("Acme"), "beta": Scope("Beta")}

    apart = sync(ledger, [left, stays], full=False, now=LATER, actor="test", scopes=scopes)
    together = sync(ledger, [left, stays], full=False, now=LATER, actor="test")

    assert [0, 0] == [len(result.drift) for result in apart]
    assert [0, 1] == [len(result.drift) for result in together]
    (listed,) = ledger.suppressed()
    assert EVERYTHING == listed.suppression.scope, "a policy that became wider reaches who had left before"


@pytest.mark.both_back_ends
def test_a_list_that_the_platform_names_is_not_widened_by_settings(ledger: Ledger) -> None:
    """What the person asked for is the platform's word."""
    news = Scope("Acme", "News")
    account = Told("acme", {"p0@example.com": True}, scope=news)
    sync(ledger, [account], full=False, now=LATER, actor="test", scopes={"acme": Scope("Acme")})

    assert [news] == [each.suppression.scope for each in ledger.suppressed()]


@pytest.mark.both_back_ends
@pytest.mark.parametrize(
    ("failures", "code"),
    [
        ([None, None], 0),
        ([SignInNeeded("nobody is signed in"), None], 4),
        ([SignInNeeded("nobody is signed in"), SourceFailed("answered 503")], 5),
        ([ConfigWrong("the token's file is a folder"), None], 2),
        ([ConfigWrong("the token's file is a folder"), SignInNeeded("nobody is signed in")], 5),
        ([KeyError("pat@example.com"), None], 5),
    ],
)
def test_an_account_that_fails_in_any_way_stops_no_other(
    ledger: Ledger, failures: list[SuppressError | Exception | None], code: int
) -> None:
    """What it had shown is recorded, the next one is read whole, and no words of a plugin are passed on."""
    sources = [Told(f"s{number}", {PEOPLE[number]: True}, failure) for number, failure in enumerate(failures)]
    last = Told("last", {"last@example.com": True})
    results = sync(ledger, [*sources, last], full=False, now=LATER, actor="test")

    assert code == exit_code(results)
    assert [failure is None for failure in failures] + [True] == [result.complete for result in results]
    assert {PEOPLE[0], PEOPLE[1], "last@example.com"} == {each.key for each in ledger.suppressed()}
    for result in results:
        assert result.failure is None or "pat@" not in result.failure.message


def test_settings_say_how_far_an_account_reaches(command: Command) -> None:
    """Check and export ask for a sender, and get what the accounts say."""
    people = Scenario(people=People(active=1, unsubscribed=2, unsubscribed_deleted=1))
    with Simulator(people) as acme, Simulator(people) as beta:
        settings_file = "".join(
            f'[sources.{name.lower()}]\nsender = "{name}"\nscope = "{scope}"\n'
            f'client_id = "{name}"\napi_url = "{one.url}"\n'
            for name, scope, one in (("Acme", "sender", acme), ("Beta", "everything", beta))
        )
        assert 0 == command("init").exit_code
        (command.folder / "suppress.toml").write_text(settings_file, encoding="utf-8")
        tokens = {
            "SUPPRESS_SOURCES__ACME__ACCESS_TOKEN": acme.token,
            "SUPPRESS_SOURCES__BETA__ACCESS_TOKEN": beta.token,
        }
        acme.add("only-acme@example.com")
        acme.unsubscribe("only-acme@example.com")
        acme.advance(600)
        done = command("sync", "--full", "--json", env=tokens)
        assert 0 == done.exit_code, done.err

    verdicts = {
        sender: [
            each["verdict"]
            for each in json.loads(
                command("check", "--json", "--sender", sender, "only-acme@example.com").out
            )["results"]
        ]
        for sender in ("Acme", "Beta")
    }
    assert {"Acme": ["suppressed"], "Beta": ["clear"]} == verdicts


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ('sender = "Acme"\nscope = "list"', 'must be "everything" or "sender", found \'list\''),
        ('scope = "sender"', "names no sender"),
        ("scope = 3", "must be text"),
    ],
)
def test_a_scope_that_cannot_be_is_refused(command: Command, table: str, words: str) -> None:
    """With the line."""
    (command.folder / "suppress.toml").write_text(f"[sources.main]\n{table}\n", encoding="utf-8")
    done = command("config")

    assert (2, True) == (done.exit_code, words in done.err), done.err
    assert "line" in done.err


@pytest.mark.usefixtures("one_utc_day")
def test_two_accounts_in_two_processes_share_the_day_of_their_key(tmp_path: Path) -> None:
    """Never five requests within a second, and together no more than the one budget: who comes late fails."""
    budget = 9
    made(tmp_path)
    with Simulator(Scenario(people=People(active=3, unsubscribed=3))) as platform:
        (tmp_path / "suppress.toml").write_text(
            "".join(
                f'[sources.{name}]\nclient_id = "one-key"\napi_url = "{platform.url}"\n'
                f"daily_budget = {budget}\n"
                for name in ("one", "other")
            ),
            encoding="utf-8",
        )
        env = {key: value for key, value in os.environ.items() if not key.startswith("SUPPRESS_")} | {
            "XDG_CONFIG_HOME": str(tmp_path / "config"),
            "XDG_STATE_HOME": str(tmp_path / "state"),
            "SUPPRESS_SOURCES__ONE__ACCESS_TOKEN": platform.token,
            "SUPPRESS_SOURCES__OTHER__ACCESS_TOKEN": platform.token,
        }
        running = [
            subprocess.Popen(
                [sys.executable, "-m", "suppress", "sync", "--full", *names],
                cwd=tmp_path,
                env=env,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
            for names in ((), ("other", "one"))
        ]
        said = [process.communicate(timeout=120)[0].decode() for process in running]
        ticks = sorted(exchange.tick for exchange in platform.requests)

    assert 5 in {process.returncode for process in running}, said
    assert any("requests a day, and all were used today" in each for each in said), said
    assert budget == len(ticks)
    assert all(later - earlier > 1.0 for earlier, later in zip(ticks, ticks[4:], strict=False))

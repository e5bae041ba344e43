"""SMS: an opt-out of its own channel, found by census or when asked for, never mixed with e-mail."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suppress.config import SourceSettings
from suppress.core.reconcile import Observed, Permission
from suppress.core.suppression import Channel, Json, Reason
from suppress.ledger import Ledger
from suppress.platforms.constant_contact import ConstantContact, sms, wire
from suppress.platforms.constant_contact.simulator import People, Scenario, Simulator, Switches
from suppress.sync import SourceResult, sync
from tests.platforms.constant_contact.accounts import Bare, account, person, pulled, serving, window
from tests.plugin.serving import Asked, Says

CROWD = People(active=3, unsubscribed=2, unsubscribed_deleted=1, sms_opt_out=4, sms_only=6)
NOW = datetime(2026, 11, 23, tzinfo=UTC)


def texts(observed: list[Observed]) -> list[Observed]:
    return [each for each in observed if each.channel is Channel.SMS]


def left_texts(observed: list[Observed]) -> set[str]:
    return {
        each.address.raw
        for each in texts(observed)
        if each.permission is Permission.OPTED_OUT and each.address is not None
    }


@pytest.mark.parametrize("hidden", [False, True], ids=["shown", "only with include"])
def test_each_run_asks_for_sms_if_told_to(hidden: bool, tmp_path: Path) -> None:
    """Four people who get e-mail and no texts, and three without an e-mail address, who are counted."""
    scenario = Scenario(people=CROWD, switches=Switches(sms_needs_include=hidden))
    with account(scenario, tmp_path, sms=True) as cc:
        found = cc.first_window()
        asked = [exchange for exchange in cc.simulator.requests if "sms_status" in dict(exchange.query)]

    assert (4, 7, 3) == (len(left_texts(found.observed)), found.done.sms, found.done.sms_without_address)
    assert (3, 3, True) == (found.done.opted_out, len(found.opted_out), found.done.complete)
    assert not left_texts(found.observed) & found.opted_out
    assert 1 + hidden == len(asked)


def test_a_census_finds_the_same_without_being_told_to(tmp_path: Path) -> None:
    """Everyone is shown anyway."""
    with account(Scenario(people=CROWD), tmp_path) as cc:
        census, plain = cc.census(), cc.first_window()

    assert (4, 7) == (len(left_texts(census.observed)), census.done.sms)
    assert set() == left_texts(plain.observed)
    assert 3 == census.done.opted_out


def test_an_opt_out_of_texts_is_evidence_with_its_own_date_and_number(tmp_path: Path) -> None:
    """As received, and under a fingerprint of its own."""
    with account(Scenario(people=People(sms_opt_out=1)), tmp_path) as cc:
        (found,) = texts(cc.census().observed)
        shown = found.evidence

    assert (Permission.OPTED_OUT, "unsubscribed") == (found.permission, found.word)
    assert "sms" == found.fingerprint[1]
    assert {"sms.address", "sms.dial_code", "sms.opt_out_date", "contact_id"} <= set(shown)
    assert found.opted_out_at is not None
    assert "opt_out_date" not in shown, "the e-mail's evidence says nothing about texts"


def bare(channel: object) -> dict[str, object]:
    return {**person(1), "sms_channel": channel}


def consent(permission: object, **more: object) -> dict[str, object]:
    return {"sms_consent_permission": permission, **more}


def heard(contact: dict[str, object]) -> Observed | None:
    row = wire.row(contact, source="main", query="status=all", fetched_at=NOW)
    return sms.observed(contact, row)


@pytest.mark.parametrize(
    ("channel", "permission"),
    [
        (None, None),
        ({}, None),
        ({"sms_channel_consents": []}, None),
        ({"sms_channel_consents": [consent("explicit")]}, Permission.MAILABLE),
        ({"sms_channel_consents": [consent("Unsubscribed ")]}, Permission.OPTED_OUT),
        ({"sms_channel_consents": [consent("explicit"), consent("unsubscribed")]}, Permission.OPTED_OUT),
        ({"sms_channel_consents": [consent("pending_confirmation")]}, Permission.HELD),
        ({"sms_channel_consents": [consent(None)]}, Permission.HELD),
    ],
)
def test_one_consent_that_says_unsubscribed_is_enough(channel: object, permission: Permission | None) -> None:
    """And the permission to send e-mail says nothing about texts."""
    found = heard(bare(channel))

    assert permission == (None if found is None else found.permission)


def test_nobody_can_text_a_deleted_contact() -> None:
    """So that it is no drift."""
    found = heard({**bare({"sms_channel_consents": [consent("explicit")]}), "deleted_at": "2024-07-01"})

    assert found is not None
    assert Permission.HELD is found.permission


@pytest.mark.parametrize("who", ["Contact", "Account", "Carrier"])
def test_who_did_it_is_the_reason(who: str) -> None:
    """Where the platform says it."""
    found = heard(bare({"update_source": who, "sms_channel_consents": [consent("unsubscribed")]}))
    reasons = {"Contact": Reason.UNSUBSCRIBED, "Account": Reason.ACCOUNT, "Carrier": Reason.UNKNOWN}

    assert found is not None
    assert reasons[who] is found.reason


@pytest.mark.parametrize(
    "channel", ["5551234", {"sms_channel_consents": ["?"]}, {"sms_channel_consents": [consent(5)]}]
)
def test_a_channel_that_cannot_be_read_leaves_the_email_as_it_is(channel: object, tmp_path: Path) -> None:
    """The opt-out of e-mail is recorded, and the run is not called complete."""
    people = [{**person(1, "unsubscribed"), "sms_channel": channel}]
    with serving(Bare(people), tmp_path) as (_, source):
        found = pulled(source, window())

    assert {"p1@example.com"} == found.opted_out
    assert not found.done.complete


@pytest.mark.parametrize(
    ("count", "words"),
    [(1, "1 contacts of sms_status=unsubscribed show no SMS channel"), (9, "counts 9 contacts, but only 1")],
)
def test_sms_opt_outs_that_are_not_shown_are_said(count: int, words: str, tmp_path: Path) -> None:
    """An answer without the channel, or fewer than are counted, is no proof that nobody left."""

    def counted(_rows: object, given: Mapping[str, str], _page: int) -> int:
        return count if "sms_status" in given else 1

    shown = Bare([person(1) if count == 1 else bare({"sms_channel_consents": []})], count=counted)

    def answers(asked: Asked, number: int) -> Says:
        return shown(asked, number)

    with serving(answers, tmp_path) as (server, _):
        settings_ = SourceSettings(
            "main", "constant-contact", access_token="t", options={"api_url": server.url, "sms": True}
        )
        asking = ConstantContact(settings_, tmp_path)
        found = pulled(asking, window())
        asking.close()

    assert not found.done.complete
    assert any(words in problem for problem in found.done.problems)


_CHANNELS: st.SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["unsubscribed"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["sms_channel_consents", "sms_consent_permission", "opt_out_date"]), inner
        )
    ),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(_CHANNELS)
def test_whatever_is_sent_as_a_channel_is_read_or_refused(channel: object) -> None:
    """Never another exception, and never an opt-out that no consent says."""
    try:
        found = heard(bare(channel))
    except wire.NotAsPromised:
        return
    if found is not None and found.permission is Permission.OPTED_OUT:
        assert "unsubscribed" in repr(channel).lower()
        assert Channel.SMS is found.channel


def run(ledger: Ledger, platform: Simulator, state: Path, *, dry_run: bool = False) -> SourceResult:
    """One sync that asks for texts too."""
    options: dict[str, Json] = {"api_url": platform.url, "sms": True}
    source = ConstantContact(
        SourceSettings("main", "constant-contact", None, platform.token, options=options), state
    )
    try:
        (result,) = sync(ledger, [source], full=True, now=datetime.now(UTC), actor="test", dry_run=dry_run)
    finally:
        source.close()
    return result


@pytest.mark.both_back_ends
def test_the_ledger_holds_each_channel_apart(ledger: Ledger, tmp_path: Path) -> None:
    """Who left texts may get e-mail and the other way round; a second run adds nothing."""
    with Simulator(Scenario(people=CROWD)) as platform:
        rehearsed = run(ledger, platform, tmp_path, dry_run=True)
        first = run(ledger, platform, tmp_path)
        size = ledger.head().size
        second = run(ledger, platform, tmp_path)

    email = {each.key for each in ledger.suppressed()}
    sms_ = {each.key for each in ledger.suppressed(channel=Channel.SMS)}
    assert (3, 4, 0) == (len(email), len(sms_), len(email & sms_))
    assert (3, 3, 7, 4, 3) == (
        first.observed, first.new, first.sms, first.sms_new, first.sms_without_address,
    )  # fmt: skip
    assert (3, 4) == (rehearsed.new, rehearsed.sms_new)
    assert (0, 0, 3, 7) == (second.new, second.sms_new, second.known, second.sms)
    assert size + 1 == ledger.head().size
    assert () == second.drift

"""What a platform's report means for the ledger: opt-outs recorded, drift alarmed, nothing ever lifted."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suppress.core.address import Address
from suppress.core.reconcile import Alarm, Nothing, Novelty, Observed, Permission, Plan, Record, reconcile
from suppress.core.standing import UNHEARD, Lift, Standing, Suppression
from suppress.core.suppression import EVERYTHING, Channel, Drift, OptOut, Origin, Reason, Scope, Visibility
from tests.strategies import moments, observations, scopes

AT = datetime(2026, 3, 1, tzinfo=UTC)
PAT = Address.parse("pat@example.com")
ACME = Scope("Acme")

LEFT = Observed(
    source="main",
    address=PAT,
    permission=Permission.OPTED_OUT,
    word="unsubscribed",
    reason=Reason.UNSUBSCRIBED,
    opted_out_at=AT,
    fingerprint=("c1", "2026-03-01"),
    evidence={"contact_id": "c1"},
)
MAILABLE = replace(LEFT, permission=Permission.MAILABLE, word="explicit", opted_out_at=None, changed_at=AT)
SUPPRESSED = Standing(
    "5f1c", (Suppression(Channel.EMAIL, EVERYTHING, Reason.UNSUBSCRIBED, AT, AT, "main", 0),)
)
CONSENTED = SUPPRESSED.with_consent(Lift(Channel.EMAIL, EVERYTHING, AT + timedelta(1), 1))

standings = st.lists(
    st.one_of(
        st.builds(
            Suppression, st.sampled_from(Channel), scopes(), st.sampled_from(Reason), st.none(), moments(),
            st.just("main"), st.integers(0, 9),
        ),
        st.builds(Lift, st.sampled_from(Channel), scopes(), moments(), st.integers(0, 9)),
    ),
    max_size=4,
).map(
    lambda events: Standing(
        "5f1c",
        tuple(each for each in events if isinstance(each, Suppression)),
        tuple(each for each in events if isinstance(each, Lift)),
    )
)  # fmt: skip


@settings(max_examples=150)
@given(standings, observations())
def test_every_opt_out_with_an_address_is_recorded_and_nothing_else_is(
    standing: Standing, seen: Observed
) -> None:
    """Deleted or not, dated or not, whoever entered it, whatever the ledger holds already."""
    plan: Plan = reconcile(standing, seen)

    recorded = seen.permission is Permission.OPTED_OUT and seen.address is not None
    assert isinstance(plan, Record) is recorded


@settings(max_examples=150)
@given(standings, observations())
def test_an_alarm_is_about_somebody_the_ledger_suppresses_and_who_is_being_mailed(
    standing: Standing, seen: Observed
) -> None:
    """Reported mailable, not deleted, and not lifted by a later consent. A bounce was nobody's request."""
    alarmed = isinstance(reconcile(standing, seen), Alarm)
    mailed = seen.permission is Permission.MAILABLE and not seen.deleted and seen.address is not None
    asked = tuple(each for each in standing.suppressions if each.reason is not Reason.BOUNCED)
    requests = Standing(standing.subject, asked, standing.lifts)

    assert alarmed == (mailed and requests.against(seen.channel, seen.scope) is not None)


@pytest.mark.parametrize("deleted", [False, True])
@pytest.mark.parametrize("reason", [Reason.UNSUBSCRIBED, Reason.ACCOUNT])
@pytest.mark.parametrize("dated", [AT, None])
def test_a_hidden_or_undated_or_account_opt_out_binds_as_much(
    deleted: bool, reason: Reason, dated: datetime | None
) -> None:
    """The cohort that a plain query does not show; a date that is not there is not invented."""
    seen = replace(LEFT, deleted=deleted, reason=reason, opted_out_at=dated)

    assert reconcile(UNHEARD, seen) == Record(
        OptOut(
            address=PAT,
            source="main",
            origin=Origin.PLATFORM,
            reason=reason,
            occurred_at=dated,
            received_at=dated,
            visibility=Visibility.DELETED if deleted else Visibility.VISIBLE,
            evidence={"contact_id": "c1"},
            facts=("c1", "2026-03-01"),
        ),
        Novelty.NEW,
    )


@pytest.mark.parametrize(
    ("standing", "novelty"),
    [(UNHEARD, Novelty.NEW), (SUPPRESSED, Novelty.MORE), (CONSENTED, Novelty.AGAIN)],
    ids=["unheard", "suppressed", "consented"],
)
def test_an_opt_out_says_what_it_adds(standing: Standing, novelty: Novelty) -> None:
    """New people, people who left again, and another request of somebody already suppressed."""
    plan = reconcile(standing, LEFT)

    assert isinstance(plan, Record)
    assert plan.novelty is novelty


def test_an_opt_out_in_another_channel_is_news_in_this_one() -> None:
    """Somebody who left text messages and now leaves e-mail was not suppressed before."""
    texts = Standing("5f1c", (replace(SUPPRESSED.suppressions[0], channel=Channel.SMS),))
    plan = reconcile(texts, LEFT)

    assert isinstance(plan, Record)
    assert plan.novelty is Novelty.NEW


def test_a_mailable_contact_whom_the_ledger_holds_is_drift() -> None:
    """Recorded with the platform's word and since when; told apart by contact, word and change."""
    assert reconcile(SUPPRESSED, MAILABLE) == Alarm(
        Drift(
            address=PAT,
            source="main",
            observed="explicit",
            since=AT,
            evidence={"contact_id": "c1"},
            facts=("c1", "2026-03-01", "explicit", "2026-03-01T00:00:00+00:00"),
        )
    )


def test_drift_without_a_date_is_one_drift() -> None:
    """A platform that does not say since when gives the same facts each time."""
    plan = reconcile(SUPPRESSED, replace(MAILABLE, changed_at=None))

    assert isinstance(plan, Alarm)
    assert plan.drift.facts == ("c1", "2026-03-01", "explicit", "")


@pytest.mark.parametrize(
    "seen",
    [
        replace(MAILABLE, deleted=True),
        replace(MAILABLE, permission=Permission.HELD, word="temp_hold"),
        replace(MAILABLE, permission=Permission.HELD, deleted=True),
        replace(MAILABLE, channel=Channel.SMS),
    ],
    ids=["deleted", "held", "held and deleted", "another channel"],
)
def test_a_suppressed_person_whom_they_do_not_mail_is_no_drift(seen: Observed) -> None:
    """Hidden, held, or reached in another way: nobody is being mailed."""
    assert reconcile(SUPPRESSED, seen) == Nothing("not an opt-out")


@pytest.mark.parametrize("standing", [UNHEARD, CONSENTED], ids=["unheard", "consented"])
def test_a_mailable_contact_whom_the_ledger_does_not_hold_is_nothing(standing: Standing) -> None:
    """Most of them."""
    assert reconcile(standing, MAILABLE) == Nothing("not an opt-out")


def test_a_mailable_contact_is_judged_in_the_scope_that_it_was_seen_in() -> None:
    """Somebody who left another sender only is not drifting here."""
    elsewhere = Standing("5f1c", (replace(SUPPRESSED.suppressions[0], scope=Scope("Bravo")),))

    assert reconcile(elsewhere, replace(MAILABLE, scope=ACME)) == Nothing("not an opt-out")
    assert isinstance(reconcile(elsewhere, MAILABLE), Alarm)


def test_a_contact_without_an_address_is_nothing_in_this_channel() -> None:
    """Reached by text messages only."""
    assert reconcile(UNHEARD, replace(LEFT, address=None)) == Nothing(
        "the contact has no address in this channel"
    )

"""Standing against a plain list of events: order does not matter, and only a later consent lifts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suppress.core.standing import UNHEARD, Lift, Standing, Suppression
from suppress.core.suppression import EVERYTHING, Channel, Reason, Scope, Visibility
from tests.strategies import scopes

START = datetime(2026, 1, 1, tzinfo=UTC)
ACME, NEWS, OFFERS = Scope("Acme"), Scope("Acme", "News"), Scope("Acme", "Offers")
EMAIL = Channel.EMAIL

Event = Suppression | Lift
# Few instants, so that events meet on the same one.
instants = st.integers(0, 6).map(lambda day: START + timedelta(day))
channels = st.sampled_from(Channel)


def opt_out(day: int = 0, scope: Scope = EVERYTHING, **changed: object) -> Suppression:
    at = START + timedelta(day)
    plain = Suppression(EMAIL, scope, Reason.UNSUBSCRIBED, at, at, "main", 0, Visibility.VISIBLE)
    return replace(plain, **changed)  # type: ignore[arg-type]  # fields by name, as the tests read


def consent(day: int, scope: Scope = EVERYTHING, channel: Channel = EMAIL) -> Lift:
    return Lift(channel, scope, START + timedelta(day), 1)


@st.composite
def events(draw: st.DrawFn) -> list[Event]:
    """What a ledger may say of one person, each with its own number."""
    drawn: list[Event] = []
    for seq in range(draw(st.integers(0, 8))):
        channel, scope, at = draw(channels), draw(scopes()), draw(instants)
        if draw(st.booleans()):
            since = draw(st.none() | st.just(at))
            reason = draw(st.sampled_from(Reason))
            visibility = draw(st.none() | st.sampled_from(Visibility))
            drawn.append(Suppression(channel, scope, reason, since, at, f"source {seq}", seq, visibility))
        else:
            drawn.append(Lift(channel, scope, at, seq))
    return drawn


def standing_of(history: Sequence[Event]) -> Standing:
    found = Standing("5f1c")
    for event in history:
        found = found.with_opt_out(event) if isinstance(event, Suppression) else found.with_consent(event)
    return found


# --- The model: every event is kept, and read over again for each question --------------------------------


def model_suppressed(history: Sequence[Event], channel: Channel, target: Scope) -> bool:
    """Whether some opt-out bears on the target and no consent is both later and wide enough."""
    for event in history:
        if not isinstance(event, Suppression) or event.channel is not channel:
            continue
        if event.scope.covers(target):
            asked = target
        elif target.covers(event.scope):
            asked = event.scope
        else:
            continue
        consents = [each for each in history if isinstance(each, Lift) and each.channel is channel]
        if not any(each.at > event.latest and each.scope.covers(asked) for each in consents):
            return True
    return False


@settings(max_examples=200)
@given(events(), channels, scopes())
def test_a_person_is_suppressed_exactly_when_the_whole_history_says_so(
    history: list[Event], channel: Channel, target: Scope
) -> None:
    """Folding loses nothing that a question needs."""
    found = standing_of(history).against(channel, target)

    assert (found is not None) == model_suppressed(history, channel, target)
    assert found is None or found.channel is channel
    assert found is None or found.scope.covers(target) or target.covers(found.scope)


@settings(max_examples=150)
@given(events(), st.data())
def test_the_order_in_which_events_are_learned_does_not_matter(
    history: list[Event], data: st.DataObject
) -> None:
    """Late imports, replays and syncs out of turn give the same standing."""
    assert standing_of(data.draw(st.permutations(history))) == standing_of(history)


@given(events(), st.data())
def test_learning_an_event_again_changes_nothing(history: list[Event], data: st.DataObject) -> None:
    """A replay after a crash is harmless."""
    again = data.draw(st.lists(st.sampled_from(history), max_size=5)) if history else []

    assert standing_of([*history, *again]) == standing_of(history)


@given(events(), events())
def test_two_halves_of_a_history_join_to_the_whole(one: list[Event], other: list[Event]) -> None:
    """Folding the folded equals folding all: what two replicas know can be joined."""
    renumbered = [replace(event, seq=event.seq + 100) for event in other]
    half = standing_of(renumbered)

    assert standing_of([*one, *half.suppressions, *half.lifts]) == standing_of([*one, *renumbered])


@given(events(), channels, scopes(), st.data())
def test_an_opt_out_never_makes_anybody_mailable(
    history: list[Event], channel: Channel, target: Scope, data: st.DataObject
) -> None:
    """And a consent never suppresses anybody."""
    before = standing_of(history)
    more = data.draw(events())

    if before.against(channel, target) is not None:
        opt_outs = [event for event in more if isinstance(event, Suppression)]
        assert standing_of([*history, *opt_outs]).against(channel, target) is not None
    else:
        lifts = [event for event in more if isinstance(event, Lift)]
        assert standing_of([*history, *lifts]).against(channel, target) is None


@given(events(), channels, scopes())
def test_a_consent_never_lifts_a_newer_or_equal_opt_out(
    history: list[Event], channel: Channel, target: Scope
) -> None:
    """Whatever else is on record: an opt-out on the last instant stands."""
    last = Suppression(channel, target, Reason.UNKNOWN, None, START + timedelta(6), "late", 99)

    assert standing_of([*history, last]).against(channel, target) is not None


@given(events())
def test_the_strongest_reason_and_the_earliest_date_are_shown(history: list[Event]) -> None:
    """For each channel and scope; the newest date decides about consents."""
    for shown in standing_of(history).suppressions:
        same = [
            event for event in history
            if isinstance(event, Suppression) and (event.channel, event.scope) == (shown.channel, shown.scope)
        ]  # fmt: skip
        leading = max(same, key=lambda event: (event.reason.strength, -event.seq))
        dated = [event.since for event in same if event.since is not None]

        assert shown.reason.strength == max(event.reason.strength for event in same)
        assert (shown.source, shown.seq, shown.visibility) == (
            leading.source,
            leading.seq,
            leading.visibility,
        )
        assert shown.since == min(dated, default=None)
        assert shown.latest == max(event.latest for event in same)


# --- By example ------------------------------------------------------------------------------------------


def test_nobody_has_heard_of_a_new_address() -> None:
    """No record, no suppression."""
    assert UNHEARD.against() is None
    assert UNHEARD.subject is None


@pytest.mark.parametrize(("day", "lifted"), [(4, False), (5, False), (6, True)])
def test_a_consent_lifts_when_it_is_later_than_the_newest_request(day: int, lifted: bool) -> None:
    """Before, on the same instant, after: two requests on days 0 and 5."""
    found = standing_of([opt_out(0), opt_out(5), consent(day)]).against()

    assert (found is None) is lifted


def test_a_request_after_a_consent_stands_again() -> None:
    """Out, in, out: out."""
    assert standing_of([opt_out(0), consent(1), opt_out(2)]).against() is not None


def test_a_consent_to_one_list_lifts_nothing_else() -> None:
    """Of somebody who left everything, that list may be mailed and nothing beside it."""
    found = standing_of([opt_out(0), consent(1, NEWS)])

    assert found.against(EMAIL, NEWS) is None
    assert found.against(EMAIL, OFFERS) is not None
    assert found.against(EMAIL, ACME) is not None
    assert found.against() is not None


def test_a_wider_consent_lifts_what_lies_inside_it() -> None:
    """A consent to the sender lifts an opt-out from its list, not one from everything."""
    assert standing_of([opt_out(0, NEWS), consent(1, ACME)]).against(EMAIL, NEWS) is None
    assert standing_of([opt_out(0), opt_out(0, NEWS), consent(1, ACME)]).against(EMAIL, NEWS) is None
    assert standing_of([opt_out(0), consent(1, ACME)]).against(EMAIL, Scope("Bravo")) is not None


def test_channels_do_not_answer_for_one_another() -> None:
    """Who left text messages may be mailed, and a consent by text lifts no e-mail opt-out."""
    assert standing_of([opt_out(0, channel=Channel.SMS)]).against() is None
    assert standing_of([opt_out(0), consent(1, channel=Channel.SMS)]).against() is not None


def test_asked_about_everything_an_opt_out_from_one_list_answers() -> None:
    """The default question is the widest: may this person be mailed at all?"""
    found = standing_of([opt_out(0, NEWS)])

    assert found.against() == opt_out(0, NEWS)
    assert found.against(EMAIL, ACME) == opt_out(0, NEWS)
    assert found.against(EMAIL, OFFERS) is None


def test_the_widest_then_the_strongest_suppression_answers() -> None:
    """What a person reads as the reason."""
    wide = opt_out(0, reason=Reason.UNKNOWN)
    narrow = opt_out(0, NEWS, reason=Reason.COMPLAINT, seq=1)
    sender = opt_out(0, ACME, reason=Reason.REQUESTED, seq=2)

    assert standing_of([narrow, sender, wide]).against(EMAIL, NEWS) == wide
    assert standing_of([narrow, sender]).against(EMAIL, NEWS) == sender
    assert standing_of([narrow, sender, consent(1, ACME)]).against() is None


def test_a_weaker_reason_never_replaces_a_stronger_one_but_its_date_counts() -> None:
    """An import of unknown reason after a click keeps the click, and is not lifted by an older consent."""
    click, old_list = opt_out(0), opt_out(3, reason=Reason.UNKNOWN, source="old list", seq=1, since=None)
    found = standing_of([click, old_list])

    assert found.suppressions == (replace(click, latest=START + timedelta(3)),)
    assert standing_of([click, old_list, consent(2)]).against() is not None

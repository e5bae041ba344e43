"""A sign-in renews itself: once, durably, and whatever the token host does meanwhile."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from suppress.errors import SignInNeeded, SourceFailed, StorageFailed
from suppress.platforms.constant_contact.grant import LIFE
from suppress.platforms.constant_contact.simulator import Fault, FaultKind, Refresh, SignIn
from suppress.plugin.contract import Census
from suppress.plugin.signing import Store
from tests.platforms.constant_contact.accounts import pulled
from tests.platforms.constant_contact.signed import APPROVING, CALM, TOKEN_PATH, World, world

DAY = timedelta(days=1)


def failing(kind: FaultKind, *, times: int = 1, status: int | None = None) -> Fault:
    """A fault of the token endpoint."""
    return Fault(kind, times=times, status=status, path=TOKEN_PATH)


def tokens_in(here: World) -> set[str]:
    """Every token that the vendor ever gave out."""
    grants = here.vendor.backend.grants
    return {*grants.tokens, *grants.refreshes}


def test_a_token_is_used_until_it_is_nearly_over(tmp_path: Path) -> None:
    """Renewed within five minutes of its end, not before."""
    with world(tmp_path) as here:
        here.sign_in()
        first = here.use()
        here.vendor.advance(DAY - timedelta(minutes=6))
        same = here.use()
        here.vendor.advance(timedelta(minutes=2))
        other = here.use()

        assert first == same != other
        assert [200] == here.refreshes()


@pytest.mark.parametrize("text", [False, True])
@pytest.mark.parametrize("refresh", list(Refresh))
def test_both_kinds_of_refresh_token_last_for_years(refresh: Refresh, text: bool, tmp_path: Path) -> None:
    """Rotating and long-lived, with `expires_in` as a number and as a text; used every 179 days."""
    sign_in = replace(APPROVING, refresh=refresh, expires_in_text=text)
    with world(tmp_path, sign_in) as here:
        here.sign_in()
        for _ in range(6):
            here.vendor.advance(179 * DAY)
            here.use()

        assert [200] * 6 == here.refreshes()


def test_unused_for_180_days_it_needs_a_person(tmp_path: Path) -> None:
    """One line says so, and the command that mends it."""
    with world(tmp_path) as here:
        here.sign_in()
        here.vendor.advance(LIFE)

        with pytest.raises(SignInNeeded, match="unused for 180 days") as raised, here.token() as token:
            token.authorization()
        assert "suppress login main" == raised.value.remedy
        assert 4 == raised.value.exit_code


def test_what_the_vendor_takes_no_longer_is_in_the_status_until_somebody_signs_in(tmp_path: Path) -> None:
    """A timer that watches `login --status` is told, though that asks nobody."""
    with world(tmp_path) as here:
        here.sign_in()
        here.vendor.advance(DAY)
        here.vendor.backend.grants.refreshes.clear()
        before = here.signing.status()
        for _ in range(2):
            with pytest.raises(SignInNeeded, match="somebody else used it"), here.token() as token:
                token.authorization()
        after = here.signing.status()
        here.sign_in()

        assert (False, True, False) == (before.needed, after.needed, here.signing.status().needed)
        assert ("suppress login main", 180) == (after.remedy, here.signing.status().days_left)


@pytest.mark.parametrize("days", [0, 3])
def test_why_it_ended_is_still_said_later(days: int, tmp_path: Path) -> None:
    """A run that was cut off months ago is why a person has to come, whoever asks."""
    with world(tmp_path) as here:
        here.sign_in()
        here.vendor.advance(DAY)
        here.vendor.backend.faults.faults = (failing(FaultKind.DROP, times=1_000),)
        with pytest.raises(SourceFailed), here.token() as token:
            token.authorization()
        here.vendor.backend.faults.faults = ()
        for _ in range(3):
            here.vendor.advance(timedelta(days=days))
            with pytest.raises(SignInNeeded, match="cut off while it renewed"), here.token() as token:
                token.authorization()


@pytest.mark.parametrize("life", [1, 20, 299, 600])
def test_a_token_of_seconds_is_not_renewed_for_each_request(life: int, tmp_path: Path) -> None:
    """Half its life counts as fresh."""
    with world(tmp_path, replace(APPROVING, token_life=life)) as here:
        here.sign_in()
        here.vendor.advance(life)
        with here.token() as token:
            assert token.authorization() == token.authorization()

        assert [200] == here.refreshes()


@pytest.mark.parametrize("skew", [timedelta(days=400), timedelta(days=-400), timedelta(minutes=-30)])
def test_a_wrong_clock_of_ours_does_not_matter(skew: timedelta, tmp_path: Path) -> None:
    """Ages are counted on one clock, and what the vendor refuses is renewed."""
    with world(tmp_path) as here:
        wrong = here.set_apart(skew)
        wrong.sign_in()
        wrong.use()
        here.vendor.advance(2 * DAY)
        wrong.use()

        assert [200] == here.refreshes()


def test_a_clock_that_was_set_back_is_made_good_by_the_refusal(tmp_path: Path) -> None:
    """Our clock says that the token is fresh; the vendor says 401; it is renewed once and asked once more."""
    with world(tmp_path) as here:
        here.sign_in()
        here.vendor.advance(2 * DAY)
        back = here.set_apart(-2 * DAY)
        with back.token() as token:
            stale = token.authorization()
            assert not here.accepts(stale)
            assert token.renewed()

            assert here.accepts(token.authorization())
        assert [200] == here.refreshes()


def test_a_new_token_that_is_refused_is_not_renewed_again(tmp_path: Path) -> None:
    """The user or the application was switched off: one renewal, then a person is asked."""
    from suppress.platforms.constant_contact import ConstantContact

    expired = Fault(FaultKind.TOKEN_EXPIRED, times=1_000)
    with world(tmp_path, faults=(expired,)) as here:
        here.sign_in()
        source = ConstantContact(
            here.settings, tmp_path, now=here.vendor.clock.now, clock=here.clock, patience=CALM
        )
        with pytest.raises(SignInNeeded, match="refused the access token in the file") as raised:
            pulled(source, Census())
        source.close()

        assert "suppress login main" == raised.value.remedy
        assert [200] == here.refreshes()


def test_what_was_kept_by_another_program_may_be_refused_too(tmp_path: Path) -> None:
    """It is taken over first, and then renewed."""
    with world(tmp_path) as here:
        here.sign_in()
        with here.token() as ours:
            ours.authorization()
            here.sign_in()
            here.vendor.backend.grants.tokens.clear()

            assert ours.renewed() and [] == here.refreshes()
            assert ours.renewed() and [200] == here.refreshes()
            assert here.accepts(ours.authorization())
            assert not ours.renewed()


def test_a_refused_token_is_renewed_in_the_middle_of_a_census(tmp_path: Path) -> None:
    """The person who watches sees nothing of it."""
    from suppress.platforms.constant_contact import ConstantContact

    expired = Fault(FaultKind.TOKEN_EXPIRED)
    with world(tmp_path, faults=(expired,)) as here:
        here.vendor.add("pat@example.com")
        here.vendor.unsubscribe("pat@example.com")
        here.sign_in()
        source = ConstantContact(
            here.settings, tmp_path, now=here.vendor.clock.now, clock=here.clock, patience=CALM
        )
        found = pulled(source, Census())
        source.close()

        assert {"pat@example.com"} == found.opted_out
        assert found.done.complete
        assert [200] == here.refreshes()


def test_what_another_process_renewed_is_taken_over(tmp_path: Path) -> None:
    """Nobody sends a refresh token that was used."""
    with world(tmp_path) as here:
        here.sign_in()
        with here.token() as ours, here.token() as theirs:
            before = ours.authorization()
            assert before == theirs.authorization()
            here.vendor.advance(DAY)
            after = ours.authorization()

            assert before != after == theirs.authorization()
        assert [200] == here.refreshes()


@pytest.mark.parametrize(
    ("days", "ended", "answers"),
    [(0, False, [200, 400]), (1, False, [200, 400, 200]), (1, True, [200, 400, 400])],
    ids=["fresh", "to-be-renewed", "ended-too"],
)
def test_invalid_grant_reads_the_store_once_more(
    days: int, ended: bool, answers: list[int], tmp_path: Path
) -> None:
    """A program on another machine, which does not share the lock, renewed it while we asked."""
    with world(tmp_path) as here:
        here.sign_in()
        kept = here.safe.read()
        assert kept is not None
        here.vendor.advance(DAY)
        here.use()
        newer = here.file.read_bytes()
        # As it was when we began to ask, and as it is when the answer has come.
        here.safe.write(kept, store=Store.FILE)
        here.vendor.advance(days * DAY)
        if ended:
            here.vendor.backend.grants.refreshes.clear()
        with here.token() as token:
            host = token._host
            asked = host.refreshed

            def slow(grant: object) -> object:
                here.file.write_bytes(newer)
                return asked(grant)  # type: ignore[arg-type]  # it is what it was given

            host.refreshed = slow  # type: ignore[method-assign, assignment]  # the other machine's moment
            if ended:
                with pytest.raises(SignInNeeded, match="takes its refresh token no longer"):
                    token.authorization()
            else:
                assert here.accepts(token.authorization())

        assert answers == here.refreshes()


@pytest.mark.parametrize(
    "fault",
    [
        failing(FaultKind.ERROR, times=2, status=500),
        failing(FaultKind.ERROR, times=2, status=503),
        failing(FaultKind.THROTTLED, times=5),
        failing(FaultKind.SLOW),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.status}",
)
def test_a_token_host_that_fails_for_a_while_is_waited_for(fault: Fault, tmp_path: Path) -> None:
    """A long-lived refresh token is the same one afterwards, so nothing was spent."""
    with world(tmp_path, replace(APPROVING, refresh=Refresh.LONG_LIVED)) as here:
        here.sign_in()
        here.vendor.backend.faults.faults = (fault,)
        here.vendor.advance(DAY)
        here.use()


@pytest.mark.parametrize("kind", [FaultKind.DROP, FaultKind.GARBLED, FaultKind.HTML])
def test_an_answer_that_is_lost_is_asked_for_again_where_the_vendor_allows(
    kind: FaultKind, tmp_path: Path
) -> None:
    """With a grace period, or a refresh token that does not rotate, nobody has to come."""
    for sign_in in (replace(APPROVING, refresh_grace=60), replace(APPROVING, refresh=Refresh.LONG_LIVED)):
        folder = tmp_path / sign_in.refresh.value
        with world(folder, sign_in) as here:
            here.sign_in()
            here.vendor.backend.faults.faults = (failing(kind),)
            here.vendor.advance(DAY)
            with here.token() as token:
                try:
                    token.authorization()
                except SourceFailed as failure:
                    # No JSON is no answer to repeat at once; the next run does.
                    assert 5 == failure.exit_code
            here.use()


def test_a_rotated_token_whose_answer_was_lost_is_said_to_be_lost(tmp_path: Path) -> None:
    """The vendor promises no grace: then a person has to come, and is told why."""
    with world(tmp_path) as here:
        here.sign_in()
        here.vendor.backend.faults.faults = (failing(FaultKind.DROP),)
        here.vendor.advance(DAY)

        with pytest.raises(SignInNeeded) as raised, here.token() as token:
            token.authorization()
        assert "suppress login main" == raised.value.remedy
        here.sign_in()
        here.use()


def test_an_outage_ends_no_sign_in(tmp_path: Path) -> None:
    """The old token is used while it lasts; then the run fails, and a later one goes on."""
    with world(tmp_path, replace(APPROVING, refresh=Refresh.LONG_LIVED)) as here:
        here.sign_in()
        here.vendor.advance(DAY - timedelta(minutes=4))
        here.vendor.backend.faults.faults = (failing(FaultKind.ERROR, times=10_000, status=503),)
        with here.token() as token:
            assert token.authorization() == token.authorization()
            tried = len(here.refreshes())
            here.vendor.advance(timedelta(minutes=5))
            with pytest.raises(SourceFailed, match="answered 503") as raised:
                token.authorization()
        assert 5 == raised.value.exit_code
        assert tried == 6, "the second request did not try again at once"
        here.vendor.backend.faults.faults = ()
        here.use()


def test_a_wrong_application_is_named(tmp_path: Path) -> None:
    """Not invalid_grant: signing in again would not help before the application is right."""
    with world(tmp_path) as here:
        here.sign_in()
        here.vendor.advance(DAY)
        grants = here.vendor.backend.grants
        grants.refreshes.update(
            {text: replace(held, client_id="another") for text, held in grants.refreshes.items()}
        )

        with pytest.raises(SignInNeeded, match="See that client_id is right"), here.token() as token:
            token.authorization()


def test_a_full_disk_shows_before_the_refresh_token_is_spent(tmp_path: Path) -> None:
    """The folder may not be written to: nothing is asked, and nothing is lost."""
    with world(tmp_path) as here:
        here.sign_in()
        here.vendor.advance(DAY)
        draft = here.file.with_name(f"{here.file.name}.new")
        draft.mkdir()

        with pytest.raises((StorageFailed, SignInNeeded)), here.token() as token:
            token.authorization()
        assert [] == here.refreshes()
        draft.rmdir()
        here.use()


def test_without_a_refresh_token_it_says_when_it_is_over(tmp_path: Path) -> None:
    """One account of the device flow says that there is none; the sign-in then lasts a day."""
    with world(tmp_path, replace(APPROVING, device_refresh_token=False)) as here:
        signed = here.sign_in()
        here.vendor.advance(DAY - timedelta(minutes=1))
        here.use()
        here.vendor.advance(timedelta(minutes=1))

        assert not signed.renews
        with pytest.raises(SignInNeeded, match="cannot be renewed"), here.token() as token:
            token.authorization()
        assert here.signing.status().needed


def test_nobody_signed_in(tmp_path: Path) -> None:
    """The next command is named."""
    with world(tmp_path) as here, here.token() as token:
        assert not token.renewed()
        with pytest.raises(SignInNeeded, match="nobody has signed in") as raised:
            token.authorization()
    assert "suppress login main" == raised.value.remedy


def test_no_token_is_in_a_log_a_repr_or_an_error(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Through sign-in, renewal and a refusal that quotes it."""
    caplog.set_level(logging.DEBUG)
    with world(tmp_path) as here:
        here.sign_in()
        here.vendor.advance(DAY)
        here.use()
        said = repr(here.safe.read()) + repr(here.signing.status())
        here.vendor.advance(LIFE)
        with pytest.raises(SignInNeeded) as raised, here.token() as token:
            token.authorization()
        said += str(raised.value) + caplog.text

        assert not [each for each in tokens_in(here) if each in said]


def test_a_confidential_application_sends_its_secret_in_the_header(tmp_path: Path) -> None:
    """And never in the form or the address."""
    secret = "simulated-secret"
    with world(tmp_path, SignIn(auto_approve=True), client_secret=secret) as here:
        from tests.platforms.constant_contact.signed import follow, never

        here.signing.by_browser(
            follow, store=Store.FILE, consent=never, patience=timedelta(minutes=1), port=0
        )
        here.vendor.advance(DAY)
        here.use()

        assert [200] == here.refreshes()
        assert not [each for each in here.vendor.requests if secret.encode() in each.request.body]

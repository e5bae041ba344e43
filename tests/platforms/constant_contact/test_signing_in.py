"""Signing in and out: who is asked, what is kept where, and what each answer of the vendor means."""

from __future__ import annotations

import threading
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from suppress.errors import BadUsage, ConfigWrong, SignInNeeded, SourceFailed
from suppress.platforms.constant_contact.signing_in import ConstantContactSignIn
from suppress.platforms.constant_contact.simulator import Fault, FaultKind, SignIn
from suppress.platforms.constant_contact.token_host import challenge
from suppress.plugin.signing import Invitation, Origin, SignedIn, Store
from tests.platforms.constant_contact.signed import APPROVING, World, follow, ignore, never, world

ASKING = SignIn()
MINUTE = timedelta(minutes=1)


def in_browser(here: World, invite: Callable[[Invitation], None] = follow, **named: object) -> SignedIn:
    given: dict[str, object] = {"store": Store.FILE, "consent": never, "patience": MINUTE, "port": 0}
    return here.signing.by_browser(invite, **(given | named))  # type: ignore[arg-type]  # as each test says


def press(here: World, decision: str) -> Callable[[Invitation], None]:
    """A person who opens the page of a browser or device sign-in and presses a button."""

    def act(invitation: Invitation) -> None:
        with urllib.request.urlopen(invitation.complete_url or invitation.url) as page:
            text = page.read().decode()
        kind, value = text.split('type="hidden" name="')[1].split('"')[0], text.split('value="')[1]
        body = f"{kind}={value.split(chr(34))[0]}&decision={decision}".encode()
        urllib.request.urlopen(f"{here.vendor.url}/oauth2/default/v1/approve", body).close()

    return lambda invitation: threading.Thread(target=act, args=(invitation,), daemon=True).start()


def at_once(here: World, decision: str) -> Callable[[Invitation], None]:
    """The same, before anybody polls."""
    later = press(here, decision)

    def act(invitation: Invitation) -> None:
        before = set(threading.enumerate())
        later(invitation)
        for thread in set(threading.enumerate()) - before:
            thread.join(10)

    return act


def test_a_browser_signs_in_with_pkce(tmp_path: Path) -> None:
    """S256, a state of its own, the exact redirect address, and no secret in the address."""
    with world(tmp_path, ASKING) as here:
        seen: list[Invitation] = []

        def see(invitation: Invitation) -> None:
            seen.append(invitation)
            press(here, "approve")(invitation)

        signed = in_browser(here, see)
        here.use()

    asked = {name: values[0] for name, values in parse_qs(urlsplit(seen[0].url).query).items()}
    assert ("code", "S256", "contact_data account_read offline_access") == (
        asked["response_type"], asked["code_challenge_method"], asked["scope"],
    )  # fmt: skip
    assert asked["redirect_uri"].startswith("http://127.0.0.1:")
    assert 43 == len(asked["code_challenge"])
    assert (Origin.GRANT, "Acme Outdoor", True, 180) == (
        signed.origin, signed.account, signed.renews, signed.days_left,
    )  # fmt: skip
    assert (True, None, False) == (signed.plain_text, signed.problem, signed.needed)


def test_the_challenge_is_that_of_the_standard() -> None:
    """RFC 7636, appendix B."""
    assert "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" == challenge(
        "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    )


def test_each_sign_in_has_its_own_state_and_verifier(tmp_path: Path) -> None:
    """Neither can be guessed from an earlier one."""
    with world(tmp_path) as here:
        seen: list[Invitation] = []

        def see(invitation: Invitation) -> None:
            seen.append(invitation)
            follow(invitation)

        for _ in range(2):
            in_browser(here, see)

    asked = [parse_qs(urlsplit(each.url).query) for each in seen]
    for name in ("state", "code_challenge"):
        assert asked[0][name] != asked[1][name]


def test_who_refuses_in_the_browser_is_not_signed_in(tmp_path: Path) -> None:
    """Exit code 4 and the vendor's word."""
    with world(tmp_path, ASKING) as here:
        with pytest.raises(SignInNeeded, match="the person refused"):
            in_browser(here, press(here, "deny"))

        assert not here.file.exists()


def test_nobody_comes(tmp_path: Path) -> None:
    """The time is over; the way without a browser is named."""
    with world(tmp_path) as here, pytest.raises(SignInNeeded, match=r"within 0\.001 minutes") as raised:
        in_browser(here, ignore, patience=timedelta(milliseconds=60))
    assert "suppress login main --device" in str(raised.value.remedy)


def test_a_code_that_is_too_old_is_refused(tmp_path: Path) -> None:
    """It lasts 300 seconds; the browser was slow."""
    with world(tmp_path) as here:

        def slow(invitation: Invitation) -> None:
            follow(invitation)
            while not here.vendor.backend.grants.codes:
                pass
            here.vendor.advance(301)

        with pytest.raises(SignInNeeded, match="lasts five minutes and works once"):
            in_browser(here, slow)


@pytest.mark.parametrize("redirect_uris", [(), ("http://127.0.0.1:1/callback",)])
def test_a_port_that_is_taken_is_said(redirect_uris: tuple[str, ...], tmp_path: Path) -> None:
    """With the option that takes another one."""
    with world(tmp_path, replace(APPROVING, redirect_uris=redirect_uris)) as here:
        taken = urlsplit(here.vendor.url).port
        with pytest.raises(BadUsage, match=rf"port {taken} .* cannot be had") as raised:
            in_browser(here, port=taken)
    assert "--port" in str(raised.value.remedy)


def test_a_device_is_approved_elsewhere(tmp_path: Path) -> None:
    """Polled no more often than the vendor asks."""
    with world(tmp_path, ASKING) as here:
        polls: list[float] = []
        decide = at_once(here, "approve")

        def invite(invitation: Invitation) -> None:
            assert invitation.code is not None
            assert invitation.code in str(invitation.complete_url)
            seen.append(invitation)

        seen: list[Invitation] = []
        clock = here.clock
        waited: list[float] = []

        def sleep(seconds: float) -> None:
            waited.append(seconds)
            here.vendor.advance(seconds)
            if sum(waited) > 20:
                decide(seen[0])

        signing = ConstantContactSignIn(here.settings, tmp_path, clock=replace(clock, sleep=sleep))
        signed = signing.by_device(invite, store=Store.FILE, consent=never)
        polls = [each.tick for each in here.vendor.requests if each.path.endswith("/token")]
        here.use()

    assert signed.renews
    gaps = [after - before for before, after in pairwise(polls)]
    assert all(gap >= 5 for gap in gaps), gaps
    assert len(gaps) >= 4


def test_slow_down_makes_the_interval_longer(tmp_path: Path) -> None:
    """Five seconds for each time (RFC 8628, section 3.5)."""
    with world(tmp_path, replace(ASKING, device_life=60)) as here:
        grants = here.vendor.backend.grants

        def invite(_: Invitation) -> None:
            (code,) = grants.devices
            # Another program polled with the same code a moment ago.
            grants.devices[code] = replace(grants.devices[code], polled_at=here.vendor.clock.now())

        with pytest.raises(SignInNeeded, match="nobody typed the code in time"):
            here.signing.by_device(invite, store=Store.FILE, consent=never)

        polls = [each for each in here.vendor.requests if each.path.endswith("/token")]
    assert b"slow_down" in polls[0].response.body
    assert [10] * (len(polls) - 1) == [round(after.tick - before.tick) for before, after in pairwise(polls)]


def test_a_device_that_is_refused(tmp_path: Path) -> None:
    """The person said no on the other machine."""
    with world(tmp_path, ASKING) as here, pytest.raises(SignInNeeded, match="the person refused"):
        here.signing.by_device(at_once(here, "deny"), store=Store.FILE, consent=never)


def test_a_device_code_that_expired(tmp_path: Path) -> None:
    """Nobody came in ten minutes, and the wait ends without one more poll."""
    with world(tmp_path, replace(ASKING, device_life=30)) as here:
        with pytest.raises(SignInNeeded, match="nobody typed the code in time"):
            here.signing.by_device(ignore, store=Store.FILE, consent=never)

        assert here.vendor.clock.monotonic() < 31


@pytest.mark.parametrize(
    ("kind", "status"), [(FaultKind.ERROR, 503), (FaultKind.HTML, 502), (FaultKind.GARBLED, None)]
)
def test_a_sign_in_host_that_is_broken_is_a_failure_and_not_a_refusal(
    kind: FaultKind, status: int | None, tmp_path: Path
) -> None:
    """Exit code 5: nobody has to sign in again for that, and nothing half is kept."""
    path = "/oauth2/default/v1/device/authorize"
    fault = Fault(kind, times=100, status=status, path=path)
    with world(tmp_path, faults=(fault,)) as here:
        with pytest.raises(SourceFailed, match=r"source 'main': 127\.0\.0\.1"):
            here.sign_in()

        assert not here.file.exists()


def test_what_does_not_allow_to_read_contacts_is_not_kept(tmp_path: Path) -> None:
    """The person, or the portal, granted less than was asked for."""
    with world(tmp_path) as here:
        grants = here.vendor.backend.grants

        def narrow(_: Invitation) -> None:
            (code,) = grants.devices
            grants.devices[code] = replace(grants.devices[code], scopes=("account_read",), approved=True)

        with pytest.raises(SignInNeeded, match="would not allow to read contacts"):
            here.signing.by_device(narrow, store=Store.FILE, consent=never)

        assert not here.file.exists()


def test_a_scope_that_the_application_lacks(tmp_path: Path) -> None:
    """`invalid_scope`, in words."""
    with world(tmp_path, scopes=("billing_data",)) as here:
        with pytest.raises(SignInNeeded, match="may not ask for one of the scopes"):
            in_browser(here)
        with pytest.raises(SignInNeeded, match="may not ask for one of the scopes"):
            here.sign_in()


def test_an_unknown_application(tmp_path: Path) -> None:
    """The key in client_id is wrong."""
    unknown = pytest.raises(SignInNeeded, match="does not know the application")
    with world(tmp_path, client_id="another") as here, unknown:
        here.sign_in()


def test_without_a_client_id_nobody_can_sign_in(tmp_path: Path) -> None:
    """The remedy says where it comes from."""
    with world(tmp_path, client_id="") as here, pytest.raises(ConfigWrong, match="no client_id") as raised:
        here.sign_in()
    assert "developer portal" in str(raised.value.remedy)


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"client_id": "with space"}, "client_id"),
        ({"scopes": ("Contact Data",)}, "is no scope"),
        ({"redirect_port": 70_000}, "between 0 and 65535"),
        ({"auth_url": "http://example.com"}, "auth_url"),
    ],
    ids=["client_id", "scopes", "port", "auth_url"],
)
def test_a_wrong_setting_is_named(options: dict[str, object], what: str, tmp_path: Path) -> None:
    """Before anybody is sent anywhere."""
    with world(tmp_path, **options) as here, pytest.raises(ConfigWrong, match=what):  # type: ignore[arg-type]  # wrong on purpose
        here.sign_in()


@pytest.mark.parametrize("rest", ["/oauth2/default/v1", "/oauth2/default/v1/authorize", "/"])
def test_the_whole_address_of_the_sign_in_host_may_be_given(rest: str, tmp_path: Path) -> None:
    """People copy it from the guide."""
    with world(tmp_path) as here:
        whole = replace(here, options={"auth_url": f"{here.vendor.url}{rest}"})
        whole.sign_in()
        whole.use()
        assert here.signing.status().origin is Origin.GRANT, "and it is the same sign-in"


def test_a_token_from_outside_wins(tmp_path: Path) -> None:
    """A sign-in that would have no effect is refused; the status says where the token comes from."""
    with world(tmp_path) as here:
        given = replace(here.settings, access_token=here.vendor.token)
        signing = ConstantContactSignIn(given, tmp_path, clock=here.clock)

        with pytest.raises(BadUsage, match="SUPPRESS_SOURCES__MAIN__ACCESS_TOKEN, which outweighs"):
            signing.by_device(ignore, store=Store.FILE, consent=never)
        status = signing.status()

    assert (Origin.GIVEN, False, None) == (status.origin, status.needed, status.expires_at)


def test_a_given_token_says_what_it_may_and_until_when(tmp_path: Path) -> None:
    """Where it is a JWT, as the vendor's are; once over, somebody has to bring a new one."""
    file = tmp_path / "main.token"
    with world(tmp_path) as here:
        here.sign_in()
        file.write_text(here.use().removeprefix("Bearer "))
        file.chmod(0o600)
        given = replace(here.settings, access_token_file=file)
        signing = ConstantContactSignIn(given, tmp_path, clock=here.clock)
        status = signing.status()
        here.vendor.advance(timedelta(days=2))
        later = signing.status()
        file.unlink()
        gone = signing.status()

    assert ("contact_data", "account_read", "offline_access") == status.scopes
    assert not status.needed
    assert "has ended" in str(later.problem)
    assert "cannot be read" in str(gone.problem)


@pytest.mark.parametrize(
    "body", ["", "e30", "W10", "!!", "eyJleHAiOiAxZTk5OX0", "eyJleHAiOiAieCIsICJzY3AiOiAieSJ9"]
)
def test_a_given_token_that_says_nothing_is_no_trouble(body: str, tmp_path: Path) -> None:
    """Tokens are opaque; whether one works only an answer tells."""
    with world(tmp_path) as here:
        given = replace(here.settings, access_token=f"h.{body}.s")
        status = ConstantContactSignIn(given, tmp_path, clock=here.clock).status()

    assert (None, (), None) == (status.problem, status.scopes, status.expires_at)


def test_a_sign_in_without_the_scope_is_found_out_later_too(tmp_path: Path) -> None:
    """Somebody edited what is kept, or an older program kept it."""
    with world(tmp_path) as here:
        here.sign_in()
        kept = here.safe.read()
        assert kept is not None
        here.safe.write(replace(kept, scopes=("account_read",)), store=Store.FILE)

        assert "the sign-in lacks the scope contact_data" == here.signing.status().problem


def test_signing_out_removes_everything_and_says_how_to_end_it_there(tmp_path: Path) -> None:
    """Also what a killed process left; and it may be repeated."""
    with world(tmp_path) as here:
        here.sign_in()
        here.file.with_name(f"{here.file.name}.new").write_text("{")
        further = here.signing.forget()

        assert "180 days" in str(further)
        assert [here.file.with_suffix(".lock").name] == [each.name for each in here.file.parent.iterdir()]
        assert here.signing.forget() is None
        assert "nobody has signed in" == here.signing.status().problem


def test_two_ledgers_with_one_source_name_are_two_sign_ins(tmp_path: Path) -> None:
    """They may be two accounts: the opt-outs of one must not be read into the other."""
    with world(tmp_path) as here:
        here.sign_in()
        other = replace(here.settings, ledger="sqlite:////srv/other.db")
        same = replace(here.settings, ledger="sqlite:////srv/../srv/s.db")

        assert ConstantContactSignIn(other, tmp_path, clock=here.clock).status().needed
        assert not ConstantContactSignIn(same, tmp_path, clock=here.clock).status().needed


def test_an_account_that_is_not_told_keeps_nobody_out(tmp_path: Path) -> None:
    """The name is for people; the platform may be down by then."""
    fault = Fault(FaultKind.ERROR, times=100, status=500, path="/v3/account/summary")
    with world(tmp_path, faults=(fault,)) as here:
        signed = here.sign_in()

    assert (None, False) == (signed.account, signed.needed)

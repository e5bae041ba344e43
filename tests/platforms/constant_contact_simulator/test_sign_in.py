"""Sign-in: the flows of section 1 of the reference, from the approve page to a dead refresh token."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from suppress.platforms.constant_contact.simulator import Refresh, Scenario, SignIn, Simulator
from tests.platforms.constant_contact_simulator.calling import UNLIMITED, Answer, call, standing_still

ROOT = "/oauth2/default/v1"
CLIENT, SECRET = "simulated-client", "simulated-secret"
BACK = "http://127.0.0.1:8080/callback"
VERIFIER = "a" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
BASIC = {"Authorization": "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()}
SCOPES = "contact_data offline_access"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


def account(**sign_in: Any) -> Simulator:
    """An account whose sign-in is as given."""
    return standing_still(Scenario(limits=UNLIMITED, sign_in=SignIn(**sign_in)))


def authorize(cc: Simulator, **changed: str | None) -> Answer:
    """The question, as a PKCE client asks it."""
    query = {
        "client_id": CLIENT,
        "redirect_uri": BACK,
        "response_type": "code",
        "state": "st&te",
        "scope": SCOPES,
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    } | changed
    return call(cc, "GET", f"{ROOT}/authorize", _given(query), token=None)


def press(cc: Simulator, page: Answer, decision: str) -> Answer:
    """Press a button of the approve page, as a browser would."""
    form = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.body.decode()))
    held = {name: html.unescape(value) for name, value in form.items()} | {"decision": decision}
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return call(cc, "POST", f"{ROOT}/approve", raw=urlencode(held).encode(), headers=headers, token=None)


def landed(answer: Answer) -> dict[str, str]:
    """What the redirect carries."""
    assert answer.status == 302
    parts = urlsplit(answer.headers["Location"])
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == BACK
    return {name: values[0] for name, values in parse_qs(parts.query).items()}


def token(cc: Simulator, form: dict[str, str | None], headers: dict[str, str] | None = None) -> Answer:
    """A call of the token endpoint, with a form."""
    sent = {"Content-Type": "application/x-www-form-urlencoded"} | (headers or {})
    raw = urlencode(_given(form)).encode()
    return call(cc, "POST", f"{ROOT}/token", raw=raw, headers=sent, token=None)


def by_code(cc: Simulator, issued: str, **changed: str | None) -> Answer:
    """Tokens for a code, as a PKCE client asks."""
    form: dict[str, str | None] = {
        "grant_type": "authorization_code",
        "code": issued,
        "redirect_uri": BACK,
        "client_id": CLIENT,
        "code_verifier": VERIFIER,
    }
    return token(cc, form | changed)


def _given(values: dict[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in values.items() if value is not None}


def signed_in(cc: Simulator, **changed: str | None) -> Any:
    """The tokens after a whole sign-in."""
    code = landed(press(cc, authorize(cc, **changed), "approve"))["code"]
    return by_code(cc, code).json()


# --- Authorization code ----------------------------------------------------------------------------------


def test_a_person_approves_and_the_client_gets_tokens() -> None:
    """The whole PKCE flow; the new token opens the API."""
    with account() as cc:
        page = authorize(cc)
        back = landed(press(cc, page, "approve"))
        tokens = by_code(cc, back["code"])
        access = tokens.json()["access_token"]
        answer = call(cc, "GET", "/v3/contacts", token=access)

    assert b"<strong>simulated-client</strong> asks to use" in page.body
    assert back["state"] == "st&te"
    assert tokens.headers["Cache-Control"] == "no-store"
    assert tokens.json().keys() == {
        "token_type", "expires_in", "access_token", "scope", "id_token", "refresh_token",
    }  # fmt: skip
    assert (tokens.json()["token_type"], tokens.json()["expires_in"]) == ("Bearer", 86_400)
    assert answer.status == 200


def test_an_access_token_looks_like_the_vendors() -> None:
    """A JWT of more than 1,000 characters with the claims that are worth reading."""
    with account() as cc:
        access = signed_in(cc)["access_token"]

    _, middle, _ = access.split(".")
    claims = json.loads(base64.urlsafe_b64decode(middle + "=="))
    assert len(access) > 1_000
    assert (claims["cid"], claims["scp"]) == (CLIENT, SCOPES.split())
    assert claims["aud"] == "https://api.cc.email/v3"
    assert claims["exp"] - claims["iat"] == 86_400


def test_a_person_refuses() -> None:
    """The client hears of it, with its state; a second press finds nothing."""
    with account() as cc:
        page = authorize(cc)
        back = landed(press(cc, page, "deny"))
        again = press(cc, page, "approve")

    assert back == {"error": "access_denied", "state": "st&te"}
    assert again.status == 400


def test_approval_may_come_by_itself() -> None:
    """For tests and demos without a browser."""
    with account(auto_approve=True) as cc:
        back = landed(authorize(cc))
        tokens = by_code(cc, back["code"])

    assert tokens.status == 200


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"state": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"scope": None}, "invalid_scope"),
        ({"scope": "contact_data everything"}, "invalid_scope"),
    ],
)
def test_a_wrong_question_goes_back_with_an_error(changed: dict[str, str | None], error: str) -> None:
    """To the registered address, never to another."""
    with account() as cc:
        back = landed(authorize(cc, **changed))

    assert back["error"] == error


@pytest.mark.parametrize(
    ("registered", "changed", "status"),
    [
        ((), {"client_id": "stranger"}, 400),
        ((), {"redirect_uri": "https://elsewhere.example.com/"}, 400),
        ((), {"redirect_uri": "javascript:alert(1)"}, 400),
        ((), {"redirect_uri": "http://["}, 400),
        ((), {"redirect_uri": "http://localhost:8888/"}, 200),
        ((BACK,), {}, 200),
        ((BACK,), {"redirect_uri": f"{BACK}/"}, 400),
    ],
)
def test_redirect_addresses_must_be_registered(
    registered: tuple[str, ...], changed: dict[str, str | None], status: int
) -> None:
    """Exactly; where none is, any on loopback will do. Nobody is sent to a stranger's page."""
    with account(redirect_uris=registered) as cc:
        answer = authorize(cc, **changed)

    assert answer.status == status
    assert "Location" not in answer.headers


def test_the_approve_page_shows_names_as_text() -> None:
    """Markup in a scenario's names stays text."""
    scenario = Scenario(limits=UNLIMITED, organisation="<b>Acme</b>")
    with standing_still(scenario) as cc:
        page = authorize(cc).body.decode()

    assert "&lt;b&gt;Acme&lt;/b&gt;" in page
    assert "<b>" not in page


@pytest.mark.parametrize(
    ("changed", "status", "error"),
    [
        ({"code": "unknown"}, 400, "invalid_grant"),
        ({"redirect_uri": "http://127.0.0.1:9/"}, 400, "invalid_grant"),
        ({"code_verifier": "b" * 43}, 400, "invalid_grant"),
        ({"code_verifier": None}, 400, "invalid_grant"),
        ({"client_id": "stranger"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": None}, 400, "unsupported_grant_type"),
    ],
)
def test_a_wrong_exchange_is_refused(changed: dict[str, str | None], status: int, error: str) -> None:
    """In the shape of OAuth."""
    with account() as cc:
        code = landed(press(cc, authorize(cc), "approve"))["code"]
        answer = by_code(cc, code, **changed)

    assert (answer.status, answer.json()["error"]) == (status, error)
    assert answer.json()["error_description"]


def test_a_code_works_once_and_for_five_minutes() -> None:
    """Then a person has to approve again."""
    with account() as cc:
        codes = [landed(press(cc, authorize(cc), "approve"))["code"] for _ in range(3)]
        statuses = [by_code(cc, codes[0]).status, by_code(cc, codes[0]).status]
        cc.advance(299)
        statuses.append(by_code(cc, codes[1]).status)
        cc.advance(1)
        statuses.append(by_code(cc, codes[2]).status)

    assert statuses == [200, 400, 200, 400]


def test_a_server_proves_itself_with_its_secret() -> None:
    """Basic, or in the form; parameters may stand in the query with an empty body, as the guide shows."""
    plain = {"code_challenge": None, "code_challenge_method": None}
    with account() as cc:
        codes = [landed(press(cc, authorize(cc, **plain), "approve"))["code"] for _ in range(4)]
        query = {"grant_type": "authorization_code", "code": codes[0], "redirect_uri": BACK}
        in_query = call(cc, "POST", f"{ROOT}/token", query, headers=BASIC, token=None)
        in_form = by_code(cc, codes[1], code_verifier=None, client_secret=SECRET)
        without = by_code(cc, codes[2], code_verifier=None)
        form: dict[str, str | None] = {"grant_type": "authorization_code", "code": codes[3]}
        broken = token(cc, form, {"Authorization": "Basic !"})

    assert [one.status for one in (in_query, in_form, without, broken)] == [200, 200, 401, 401]


# --- Refresh ---------------------------------------------------------------------------------------------


def refresh(cc: Simulator, text: str, **changed: str | None) -> Answer:
    """Tokens for a refresh token, as a public client asks."""
    form: dict[str, str | None] = {"grant_type": "refresh_token", "refresh_token": text, "client_id": CLIENT}
    return token(cc, form | changed)


def test_no_refresh_token_without_offline_access() -> None:
    """And no error either."""
    with account() as cc:
        tokens = signed_in(cc, scope="contact_data")

    assert "refresh_token" not in tokens
    assert tokens["scope"] == "contact_data"


def test_a_rotated_refresh_token_is_dead() -> None:
    """Each refresh brings a new one; whoever presents the old one has to sign in again."""
    with account() as cc:
        first = signed_in(cc)["refresh_token"]
        second = refresh(cc, first).json()
        again = refresh(cc, first)
        third = refresh(cc, second["refresh_token"])

    assert second["refresh_token"] != first
    assert (again.status, again.json()["error"]) == (400, "invalid_grant")
    assert third.status == 200


def test_a_long_lived_refresh_token_stays_the_same() -> None:
    """The other choice of an application."""
    with account(refresh=Refresh.LONG_LIVED) as cc:
        first = signed_in(cc)["refresh_token"]
        later = [refresh(cc, first).json()["refresh_token"] for _ in range(2)]

    assert later == [first, first]


@pytest.mark.parametrize("kind", list(Refresh))
def test_a_refresh_token_dies_180_days_after_its_last_use(kind: Refresh) -> None:
    """Each use gives it another 180 days."""
    day = 86_400
    with account(refresh=kind) as cc:
        text = signed_in(cc)["refresh_token"]
        cc.advance(179 * day)
        text = refresh(cc, text).json()["refresh_token"]
        cc.advance(179 * day)
        text = refresh(cc, text).json()["refresh_token"]
        cc.advance(180 * day)
        dead = refresh(cc, text)

    assert (dead.status, dead.json()["error"]) == (400, "invalid_grant")


def test_a_refresh_belongs_to_its_application() -> None:
    """Another client_id cannot use it, and it is not lost by the attempt."""
    with account() as cc:
        text = signed_in(cc)["refresh_token"]
        stranger = refresh(cc, text, client_id="stranger")
        owner = refresh(cc, text)

    assert (stranger.status, owner.status) == (401, 200)


def test_an_access_token_expires() -> None:
    """401 with one object; the refreshed one works."""
    with account(token_life=60) as cc:
        tokens = signed_in(cc)
        cc.advance(59)
        alive = call(cc, "GET", "/v3/contacts", token=tokens["access_token"])
        cc.advance(1)
        dead = call(cc, "GET", "/v3/contacts", token=tokens["access_token"])
        fresh = refresh(cc, tokens["refresh_token"]).json()["access_token"]
        again = call(cc, "GET", "/v3/contacts", token=fresh)

    assert (alive.status, dead.status, again.status) == (200, 401, 200)
    assert dead.json() == {"error_key": "unauthorized", "error_message": "Unauthorized"}


def test_expires_in_may_be_a_string() -> None:
    """The guide's refresh sample shows one."""
    with account(expires_in_text=True) as cc:
        tokens = signed_in(cc)

    assert tokens["expires_in"] == "86400"


def test_the_token_endpoint_takes_about_one_request_a_second() -> None:
    """429 otherwise."""
    with standing_still(Scenario(limits=replace(UNLIMITED, token_per_second=1))) as cc:
        statuses = [refresh(cc, "x").status, refresh(cc, "x").status]
        cc.advance(1)
        statuses.append(refresh(cc, "x").status)

    assert statuses == [400, 429, 400]


# --- Devices ---------------------------------------------------------------------------------------------


def device(cc: Simulator, **changed: str) -> Any:
    """A device asks."""
    form = {"client_id": CLIENT, "scope": SCOPES} | changed
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    raw = urlencode(form).encode()
    return call(cc, "POST", f"{ROOT}/device/authorize", raw=raw, headers=headers, token=None)


def poll(cc: Simulator, code: str) -> Answer:
    """The device asks whether the person has decided."""
    return token(cc, {"grant_type": DEVICE, "client_id": CLIENT, "device_code": code})


def test_a_device_waits_until_the_person_has_typed_its_code() -> None:
    """RFC 8628: pending, slow down, then tokens, once."""
    with account() as cc:
        device(cc)
        asked = device(cc).json()
        pending, hasty = poll(cc, asked["device_code"]), poll(cc, asked["device_code"])
        typed = urlsplit(asked["verification_uri_complete"])
        page = call(cc, "GET", f"{typed.path}?{typed.query.lower()}", token=None)
        done = press(cc, page, "approve")
        tokens, again = poll(cc, asked["device_code"]), poll(cc, asked["device_code"])

    assert pending.json()["error"] == "authorization_pending"
    assert hasty.json()["error"] == "slow_down"
    assert done.status == 200
    assert tokens.json()["refresh_token"]
    assert again.json()["error"] == "invalid_grant"


def test_a_hasty_device_has_to_wait_longer() -> None:
    """Each `slow_down` adds five seconds, RFC 8628 section 3.5."""
    with account() as cc:
        code = device(cc).json()["device_code"]
        said = []
        for wait in (0, 5, 4, 9.9, 20):
            cc.advance(wait)
            said.append(poll(cc, code).json()["error"])

    waiting = "authorization_pending"
    assert said == [waiting, waiting, "slow_down", "slow_down", waiting]


def test_a_refused_or_late_device_gets_nothing() -> None:
    """Each with its own error."""
    with account() as cc:
        refused, late = device(cc).json(), device(cc).json()
        where = urlsplit(refused["verification_uri_complete"])
        press(cc, call(cc, "GET", f"{where.path}?{where.query}", token=None), "deny")
        denied = poll(cc, refused["device_code"])
        cc.advance(600)
        expired = poll(cc, late["device_code"])

    assert denied.json()["error"] == "access_denied"
    assert expired.json()["error"] == "expired_token"


def test_a_device_may_get_no_refresh_token() -> None:
    """Sources disagree on it."""
    with account(device_refresh_token=False, auto_approve=True) as cc:
        tokens = poll(cc, device(cc).json()["device_code"]).json()

    assert "refresh_token" not in tokens
    assert tokens["scope"] == "contact_data"


def test_a_person_can_type_the_code_on_the_page() -> None:
    """Without it there is a field to type it into; a wrong one is refused."""
    with account() as cc:
        plain = call(cc, "GET", f"{ROOT}/activate", token=None)
        wrong = call(cc, "GET", f"{ROOT}/activate", {"user_code": "AAAA-AAAA"}, token=None)

    assert b'name="user_code"' in plain.body
    assert wrong.status == 404


@pytest.mark.parametrize(
    ("changed", "error"),
    [({"client_id": "stranger"}, "invalid_client"), ({"scope": "everything"}, "invalid_scope")],
)
def test_a_wrong_device_question_is_refused(changed: dict[str, str], error: str) -> None:
    """Before it gets a code."""
    with account() as cc:
        answer = device(cc, **changed)

    assert answer.json()["error"] == error


# --- What a token opens ----------------------------------------------------------------------------------


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer unknown", "Basic c2ltdWxhdGVk", "token"])
def test_only_a_known_bearer_token_opens_the_api(header: str | None) -> None:
    """Anything else is 401, with one object."""
    headers = {} if header is None else {"Authorization": header}
    with account() as cc:
        answer = call(cc, "GET", "/v3/contacts", headers=headers, token=None)

    assert answer.status == 401
    assert answer.json() == {"error_key": "unauthorized", "error_message": "Unauthorized"}


@pytest.mark.parametrize(
    ("sign_in", "path"),
    [
        ({"scopes": ("campaign_data",)}, "/contacts"),
        ({"privileges": ("contacts:write",)}, "/contacts"),
        ({"privileges": ("contacts:read",)}, "/activities"),
        ({"scopes": ("contact_data",)}, "/account/summary"),
        ({"scopes": ("contact_data",)}, "/emails"),
    ],
)
def test_a_missing_scope_or_privilege_is_forbidden(sign_in: dict[str, Any], path: str) -> None:
    """403 with an array; the platform does not say which of them it was."""
    with account(**sign_in) as cc:
        answer = call(cc, "GET", f"/v3{path}")

    assert answer.status == 403
    assert answer.json()[0]["error_key"] == "contacts.api.forbidden"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 403),
        ("GET", "/v2/contacts", 403),
        ("GET", "/contacts", 403),
        ("GET", "/.well-known/openid-configuration", 403),
        ("GET", "/v3/nothing", 404),
        ("PATCH", "/v3/contacts", 405),
        ("DELETE", "/v3/contacts/counts", 404),
    ],
)
def test_unknown_paths_are_refused(method: str, path: str, status: int) -> None:
    """The gateway answers 403 for whatever is not the API, and 405 for a method that a path has not."""
    with account() as cc:
        answer = call(cc, method, path)

    assert answer.status == status

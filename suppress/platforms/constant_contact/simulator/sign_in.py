"""The routes of sign-in: authorize, the page where a person approves, devices, tokens."""

from __future__ import annotations

import html
import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from suppress.platforms.constant_contact.simulator.http import (
    Refused,
    Request,
    Response,
    answer,
    oauth_error,
    page,
)
from suppress.platforms.constant_contact.simulator.oauth import DEVICE_GRANT, Asked

if TYPE_CHECKING:
    from suppress.platforms.constant_contact.simulator.backend import Backend

ROOT = "/oauth2/default/v1"
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width">
<style>body{{font:1.1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:4rem auto;padding:0 1rem}}
button{{font:inherit;padding:.5rem 1.5rem;margin-right:1rem}}</style></head>
<body><h1>{title}</h1>{body}</body></html>"""
_QUESTION = """<p><strong>{client}</strong> asks to use the simulated account of
<strong>{organisation}</strong>: {scopes}.</p>
<form method="post" action="{root}/approve"><input type="hidden" name="{kind}" value="{code}">
<button name="decision" value="approve">Approve</button>
<button name="decision" value="deny">Deny</button></form>"""
_TYPE_CODE = """<form method="get" action="{root}/activate"><label>The code that your device shows
<input name="user_code" autocomplete="off" required></label> <button>Continue</button></form>"""


def authorize(backend: Backend, request: Request, _: Mapping[str, str]) -> Response:
    """`GET /oauth2/default/v1/authorize`: the question, or the answer at once with `auto_approve`."""
    given = dict(request.query)
    grants = backend.grants
    redirect_uri = given.get("redirect_uri", "")
    if given.get("client_id") != grants.sign_in.client_id:
        return _page(400, "Unknown application", "<p>The client_id is not known.</p>")
    if not _registered(redirect_uri, grants.sign_in.redirect_uris):
        return _page(400, "Unknown address", "<p>The redirect_uri is not registered.</p>")
    state = given.get("state", "")
    scopes = grants.scopes(given.get("scope", ""))
    challenge = given.get("code_challenge")
    if given.get("response_type") != "code":
        return _back(redirect_uri, state, error="unsupported_response_type")
    if not state or (challenge is not None and given.get("code_challenge_method") != "S256"):
        return _back(redirect_uri, state, error="invalid_request")
    if scopes is None:
        return _back(redirect_uri, state, error="invalid_scope")
    asked = Asked(grants.sign_in.client_id, scopes, redirect_uri, state, challenge)
    if grants.sign_in.auto_approve:
        return _back(redirect_uri, state, code=grants.code(asked))
    ticket = secrets.token_urlsafe(16)
    grants.asked[ticket] = asked
    return _question(backend, "ticket", ticket, scopes)


def device_authorize(backend: Backend, request: Request, _: Mapping[str, str]) -> Response:
    """`POST /oauth2/default/v1/device/authorize` (RFC 8628 section 3.2)."""
    form = request.form()
    grants = backend.grants
    if form.get("client_id") != grants.sign_in.client_id:
        return oauth_error(401, "invalid_client", "The client_id is not known.")
    scopes = grants.scopes(form.get("scope", ""))
    if scopes is None:
        return oauth_error(400, "invalid_scope", "One or more scopes are not configured.")
    code, device = grants.device(scopes)
    if grants.sign_in.auto_approve:
        grants.devices[code] = replace(device, approved=True)
    where = f"http://{request.headers.get('host', '127.0.0.1')}{ROOT}/activate"
    return answer(
        200,
        {
            "device_code": code,
            "user_code": device.user_code,
            "verification_uri": where,
            "verification_uri_complete": f"{where}?user_code={device.user_code}",
            "expires_in": grants.sign_in.device_life,
            "interval": device.interval,
        },
    )


def activate(backend: Backend, request: Request, _: Mapping[str, str]) -> Response:
    """The page where a person types the code that a device shows."""
    user_code = dict(request.query).get("user_code")
    if user_code is None:
        return _page(200, "Connect a device", _TYPE_CODE.format(root=ROOT))
    code = backend.grants.waiting(user_code)
    if code is None:
        return _page(404, "Unknown code", "<p>No device waits for this code.</p>")
    return _question(backend, "device", code, backend.grants.devices[code].scopes)


def approve(backend: Backend, request: Request, _: Mapping[str, str]) -> Response:
    """The person pressed a button on the approve page."""
    form = request.form()
    grants = backend.grants
    approved = form.get("decision") == "approve"
    device = grants.devices.get(form.get("device", ""))
    if device is not None:
        grants.devices[form["device"]] = replace(device, approved=approved)
        said = "Connected" if approved else "Refused"
        return _page(200, said, "<p>You can close this page and go back to your device.</p>")
    asked = grants.asked.pop(form.get("ticket", ""), None)
    if asked is None:
        return _page(400, "Nothing to approve", "<p>This question was answered before.</p>")
    if not approved:
        return _back(asked.redirect_uri, asked.state, error="access_denied")
    return _back(asked.redirect_uri, asked.state, code=grants.code(asked))


def token(backend: Backend, request: Request, _: Mapping[str, str]) -> Response:
    """`POST /oauth2/default/v1/token`, at most about once a second."""
    grants = backend.grants
    clock = backend.clock
    refused = grants.meter.take(grants.sign_in.client_id, now=clock.now(), monotonic=clock.monotonic())
    if refused is not None:
        return refused
    form = request.form()
    match form.get("grant_type"):
        case "authorization_code":
            issued = grants.by_code(form, request)
        case "refresh_token":
            issued = grants.by_refresh(form, request)
        case grant if grant == DEVICE_GRANT:
            issued = grants.by_device(form, request)
        case _:
            raise Refused(oauth_error(400, "unsupported_grant_type", "The grant type is not supported."))
    return answer(200, issued).with_headers(("Cache-Control", "no-store"))


def _registered(redirect_uri: str, registered: tuple[str, ...]) -> bool:
    if registered:
        return redirect_uri in registered
    try:
        parts = urlsplit(redirect_uri)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and parts.hostname in LOOPBACK


def _back(redirect_uri: str, state: str, **answered: str) -> Response:
    mark = "&" if urlsplit(redirect_uri).query else "?"
    where = f"{redirect_uri}{mark}{urlencode(answered | {'state': state})}"
    return Response(302, headers=(("Location", where),))


def _question(backend: Backend, kind: str, code: str, scopes: tuple[str, ...]) -> Response:
    body = _QUESTION.format(
        client=html.escape(backend.grants.sign_in.client_id),
        organisation=html.escape(backend.scenario.organisation),
        scopes=html.escape(", ".join(scopes)),
        root=ROOT,
        kind=kind,
        code=html.escape(code, quote=True),
    )
    return _page(200, "Allow access?", body)


def _page(status: int, title: str, body: str) -> Response:
    return page(status, _PAGE.format(title=html.escape(title), body=body))

"""The token endpoint: client credentials, and JWTs that are really verified."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from suppress.plugin.loopback import Response, answer

CLIENT_ID, CLIENT_SECRET = "3MVG9simulated", "simulated-secret"
_JWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class Sessions:
    """Which tokens are good, and for how many more requests."""

    def __init__(self, *, lasting: Callable[[], int], clock: Callable[[], float]) -> None:
        self._lasting = lasting
        self._clock = clock
        self.public_key: RSAPublicKey | None = None
        """Whose JWTs are believed."""
        self._left: dict[str, int] = {}

    def opened(self) -> str:
        """A new token."""
        token = f"00D5g000000sim!{secrets.token_hex(24)}"
        self._left[token] = self._lasting() or -1
        return token

    def good(self, authorization: str) -> bool:
        """Whether a request may be made with it; uses one up."""
        token = authorization.removeprefix("Bearer ")
        left = self._left.get(token, 0)
        if left > 0:
            self._left[token] = left - 1
        return left != 0

    def expire(self) -> None:
        """End every session."""
        self._left.clear()

    def asked(self, body: bytes, url: str) -> Response:
        """A request for a token, at the host `url`."""
        form = dict(parse_qsl(body.decode("utf-8", "replace")))
        match form.get("grant_type"):
            case "client_credentials":
                good = (form.get("client_id"), form.get("client_secret")) == (CLIENT_ID, CLIENT_SECRET)
                wrong = None if good else ("invalid_client", "invalid client credentials")
            case grant if grant == _JWT:
                wrong = self._unbelievable(form.get("assertion", ""), url)
            case _:
                wrong = ("unsupported_grant_type", "grant type not supported")
        if wrong is not None:
            return answer(400, {"error": wrong[0], "error_description": wrong[1]})
        return answer(
            200,
            {
                "access_token": self.opened(),
                "instance_url": url,
                "id": f"{url}/id/00D5g000000simEAA/005000000000001AAA",
                "token_type": "Bearer",
                "issued_at": str(int(self._clock() * 1000)),
                "signature": "c2lnbmF0dXJl",
                "scope": "api",
            },
        )

    def _unbelievable(self, assertion: str, url: str) -> tuple[str, str] | None:
        signed, _, signature = assertion.rpartition(".")
        if self.public_key is None:
            return "invalid_client_id", "no certificate is registered"
        try:
            self.public_key.verify(_bytes(signature), signed.encode(), PKCS1v15(), SHA256())
            claims = _claims(signed)
        except (InvalidSignature, ValueError):
            return "invalid_grant", "invalid assertion"
        if claims.get("iss") != CLIENT_ID or not claims.get("sub"):
            return "invalid_client_id", "client identifier invalid"
        if claims.get("aud") not in (url, "https://login.salesforce.com"):
            return "invalid_grant", "audience is invalid"
        expires = claims.get("exp")
        if not isinstance(expires, int) or not 0 < expires - self._clock() <= 180:
            return "invalid_grant", "expired authorization code"
        return None


def _claims(signed: str) -> Mapping[str, Any]:
    claims = json.loads(_bytes(signed.partition(".")[2]))
    if not isinstance(claims, dict):
        raise ValueError("no claims")
    return claims


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

"""Signing in: a session token from outside, client credentials, or a JWT that we sign.

User name and password, and SOAP, are being retired by the vendor and are not here. An answer to a sign-in has
no `expires_in`: a session is good until a call says 401 `INVALID_SESSION_ID`. The `instance_url` in it is not
followed, because it would carry the session to wherever it points; the configured one is where calls go.
"""

from __future__ import annotations

import base64
import json
import os
import stat
import threading
from pathlib import Path
from urllib.parse import urlencode

from suppress.errors import ConfigWrong
from suppress.plugin.errors import AuthFailed
from suppress.plugin.pace import Clock
from suppress.plugin.transport import Patience, Reply, Transport, Turns
from suppress.plugin.words import vendor_words
from suppress_salesforce import wire
from suppress_salesforce.calls import TOKEN, sign_in_calls
from suppress_salesforce.settings import Options

JWT_SECONDS = 150
"""A JWT may be good for three minutes at most; half a minute is left for clocks that differ."""
_SKEW = 120


class Session:
    """The session of one destination; safe to use from several threads."""

    def __init__(
        self, name: str, options: Options, *, pace: Turns, clock: Clock, patience: Patience | None
    ) -> None:
        self._name = name
        self._options = options
        self._clock = clock
        self._lock = threading.Lock()
        self._token: str | None = options.access_token
        self._transport = Transport.writing(
            options.login_url, calls=sign_in_calls(), pace=pace, clock=clock, patience=patience
        )

    @property
    def renewable(self) -> bool:
        """Whether a new session can be had without a person."""
        return self._options.access_token is None

    def token(self) -> str:
        """The session's token. Signs in when there is none yet.

        Raises:
            AuthFailed: There is nothing to sign in with, or it was refused.
        """
        with self._lock:
            if self._token is None:
                self._token = self._signed_in()
            return self._token

    def renewed(self, refused: str) -> bool:
        """Another session in place of the one that was refused, once for all threads that used it."""
        if not self.renewable:
            return False
        with self._lock:
            if self._token == refused:
                self._token = self._signed_in()
            return True

    def close(self) -> None:
        """Give the connection back."""
        self._transport.close()

    def failed(self, why: str) -> AuthFailed:
        """The error for an org that cannot be signed in to, with the way out."""
        variable = f"SUPPRESS_DESTINATIONS__{self._name.upper().replace('-', '_')}"
        return AuthFailed(
            f"destination {self._name!r} cannot sign in to Salesforce: {why}",
            remedy=f"set client_id and {variable}__CLIENT_SECRET, or client_id, username and "
            f"private_key_file, or {variable}__ACCESS_TOKEN",
        )

    def _signed_in(self) -> str:
        form = self._form()
        body = urlencode(form).encode()
        kind = "application/x-www-form-urlencoded"
        reply = self._transport.send("POST", TOKEN, body=body, content_type=kind)
        answer = reply.json if reply.is_json else None
        match answer:
            case {"access_token": str(token)} if reply.status == 200 and token:
                return token
            case _:
                raise self.failed(self._refusal(reply))

    def _form(self) -> dict[str, str]:
        options = self._options
        if options.client_id is not None and options.client_secret is not None:
            return {
                "grant_type": "client_credentials",
                "client_id": options.client_id,
                "client_secret": options.client_secret,
            }
        if options.client_id is not None and options.username is not None and options.private_key_file:
            return {
                "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
                "assertion": self._assertion(options.client_id, options.username, options.private_key_file),
            }
        raise self.failed("nothing to sign in with is configured")

    def _assertion(self, client_id: str, username: str, key_file: Path) -> str:
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        try:
            key = load_pem_private_key(_private_bytes(key_file), password=None)
        except (ValueError, TypeError):
            key = None
        if not isinstance(key, RSAPrivateKey):
            raise ConfigWrong(f"{key_file} holds no RSA key in PEM without a password")
        claims = {
            "iss": client_id,
            "sub": username,
            "aud": self._options.login_url,
            "exp": int(self._clock.epoch()) + JWT_SECONDS,
        }
        signed = f"{_part({'alg': 'RS256', 'typ': 'JWT'})}.{_part(claims)}"
        signature = key.sign(signed.encode(), PKCS1v15(), SHA256())
        return f"{signed}.{_base64url(signature)}"

    def _refusal(self, reply: Reply) -> str:
        code, message = wire.complaint(reply)
        said = vendor_words(f"{message} ({code})") if code else f"it answered {reply.status}"
        there = reply.server_time
        if there is not None and abs((there - self._clock.utc()).total_seconds()) > _SKEW:
            said += "; the clock of this machine and Salesforce's differ by minutes"
        return said


def _private_bytes(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            if stat.S_IMODE(os.fstat(opened.fileno()).st_mode) & 0o077:
                raise ConfigWrong(f"{file} can be read by others on this machine", remedy=f"chmod 600 {file}")
            return opened.read(65_536)
    except OSError as refused:
        why = refused.strerror or type(refused).__name__
        raise ConfigWrong(f"private_key_file {file} cannot be read ({why})") from None


def _part(value: dict[str, object]) -> str:
    return _base64url(json.dumps(value, separators=(",", ":")).encode())


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

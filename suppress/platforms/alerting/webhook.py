"""Alerts by webhook: one signed POST of JSON, in the form of Standard Webhooks.

Rules kept here:

* `webhook-signature` is HMAC-SHA256 over `id.timestamp.body`, as https://www.standardwebhooks.com has it, so
  that a receiver verifies it with a library, and tells a message that was sent again by its age and its id.
* Only https, or this machine; a redirect is never followed, for it would carry the alert elsewhere.
* A receiver that fails is asked three times in all, with the same id.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import uuid
from urllib.parse import urlsplit

import httpx2

from suppress import __version__
from suppress.config import AlertSettings, wrong_at
from suppress.plugin.alerting import AlertFailed, Message
from suppress.plugin.pace import Clock

TRIES = 3
PAUSE = 2.0
"""Seconds before the second try, and twice that before the third."""
_TIMEOUT = httpx2.Timeout(10.0)


class Webhook:
    """One receiver."""

    def __init__(self, settings: AlertSettings, *, clock: Clock | None = None) -> None:
        self._name = settings.name
        self._url = str(settings.options["url"])
        self._key = _key(settings)
        self._clock = clock or Clock()

    def send(self, message: Message) -> None:
        """Post it."""
        body = json.dumps(message.facts(), ensure_ascii=False).encode()
        name, stamp = f"msg_{uuid.uuid4().hex}", str(int(self._clock.epoch()))
        signature = hmac.digest(self._key, f"{name}.{stamp}.".encode() + body, hashlib.sha256)
        headers = {
            "content-type": "application/json",
            "user-agent": f"suppress/{__version__}",
            "webhook-id": name,
            "webhook-timestamp": stamp,
            "webhook-signature": f"v1,{base64.b64encode(signature).decode()}",
        }
        problem = ""
        with httpx2.Client(timeout=_TIMEOUT, follow_redirects=False) as client:
            for attempt in range(TRIES):
                if attempt:
                    self._clock.wait(PAUSE * attempt)
                try:
                    status = client.post(self._url, content=body, headers=headers).status_code
                except httpx2.HTTPError as lost:
                    problem = f"did not answer ({type(lost).__name__})"
                    continue
                if 200 <= status < 300:
                    return
                problem = f"answered {status}"
                if status < 500 and status != 429:
                    break
        host = urlsplit(self._url).netloc
        raise AlertFailed(
            f"alert {self._name!r}: {host} {problem}", remedy=f"suppress alerts test {self._name}"
        )


def _key(settings: AlertSettings) -> bytes:
    """The secret: base64 after `whsec_`, as receivers' libraries have it, or the text itself."""
    secret = str(settings.options["secret"])
    try:
        key = base64.b64decode(secret[6:], validate=True) if secret.startswith("whsec_") else secret.encode()
    except binascii.Error:
        key = b""
    if len(key) < 16:
        raise wrong_at(
            settings.origins.get("secret", "settings"),
            f"alerts.{settings.name}.secret must hold 16 bytes or more, as text or as whsec_ and base64",
        )
    return key

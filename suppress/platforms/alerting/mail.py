"""Alerts by e-mail, to people of the sender's own domain.

Rules kept here:

* The connection is encrypted, by STARTTLS or from the start, and the server's certificate is checked; only
  a server on this machine may be spoken to in the clear.
* Every recipient is of the same domain as `from`: this program writes to those who run it and nobody else.
* The message is plain text and says that a program wrote it (RFC 3834), so that no robot answers.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator, Sequence
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from pathlib import Path

from suppress.config import AlertSettings, wrong_at
from suppress.config.values import is_loopback
from suppress.core.address import addresses_in
from suppress.plugin.alerting import AlertFailed, Message
from suppress.plugin.options import whole

SECONDS = 20.0


class Mail:
    """One mailbox, or several."""

    def __init__(self, settings: AlertSettings) -> None:
        self._name = settings.name
        options = settings.options
        self._host = str(options["host"])
        self._security = str(options["security"])
        default = 465 if self._security == "tls" else 587
        self._port = whole({"port": default, **options}, "port", f"alerts.{self._name}", most=65_535)
        self._from = str(options["from"])
        to = options["to"]
        assert isinstance(to, Sequence)
        self._to = [str(each) for each in to]
        self._username, self._password = options.get("username"), options.get("password")
        self._ca = options.get("ca_file")
        domain = _domain(settings, "from", self._from)
        if any(_domain(settings, "to", each) != domain for each in self._to) or not self._to:
            raise _wrong(settings, "to", "must be addresses of the same domain as `from`")
        if self._security == "none" and not is_loopback(self._host):
            raise _wrong(settings, "security", "may be none only for a server on this machine")

    def send(self, message: Message) -> None:
        """Hand it to the server."""
        mail = EmailMessage()
        mail["From"], mail["To"] = self._from, ", ".join(self._to)
        mail["Subject"] = message.subject
        mail["Date"] = format_datetime(message.at)
        mail["Message-ID"] = make_msgid(domain=self._from.rpartition("@")[2])
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content("\n".join(_lines(message)))
        try:
            with self._connected() as server:
                if self._username is not None:
                    server.login(str(self._username), str(self._password or ""))
                server.send_message(mail, self._from, self._to)
        except (smtplib.SMTPException, OSError) as refused:
            # Only the type: a server's words repeat addresses.
            raise AlertFailed(
                f"alert {self._name!r}: {self._host} did not take the mail: {type(refused).__name__}",
                remedy=f"suppress alerts test {self._name}",
            ) from None

    def _connected(self) -> smtplib.SMTP:
        if self._security == "none":
            return smtplib.SMTP(self._host, self._port, timeout=SECONDS)
        context = ssl.create_default_context(cafile=None if self._ca is None else str(Path(str(self._ca))))
        if self._security == "tls":
            return smtplib.SMTP_SSL(self._host, self._port, timeout=SECONDS, context=context)
        server = smtplib.SMTP(self._host, self._port, timeout=SECONDS)
        try:
            server.starttls(context=context)
        except BaseException:
            server.close()
            raise
        return server


def _lines(message: Message) -> Iterator[str]:
    if message.organisation is not None:
        yield f"{message.organisation}\n"
    for each in message.alerts:
        yield f"{each.change.value}: {each.says}"
        yield f"  since {each.since:%Y-%m-%d %H:%M} UTC"
        yield f"  next: {each.next_step}\n"


def _domain(settings: AlertSettings, key: str, text: str) -> str:
    found = addresses_in(text)
    if len(found) != 1 or "@" not in found[0].key or not text.isascii() or " " in text:
        raise _wrong(settings, key, "must hold plain addresses, such as ops@example.com")
    return found[0].key.rpartition("@")[2]


def _wrong(settings: AlertSettings, key: str, what: str) -> Exception:
    return wrong_at(settings.origins.get(key, "settings"), f"alerts.{settings.name}.{key} {what}")

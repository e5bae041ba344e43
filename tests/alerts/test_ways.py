"""The built-in ways of alerting, against a real web server, a real mail server and real commands."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
import standardwebhooks
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from suppress.config import AlertSettings
from suppress.core.suppression import Json
from suppress.errors import ConfigWrong
from suppress.platforms.alerting.webhook import Webhook
from suppress.plugin.alerting import Alert, AlertFailed, Change, Condition, Message
from suppress.plugin.loopback import Loopback, Response, answer
from suppress.plugin.pace import Clock
from suppress.plugin.registry import Registry

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE = Message(
    NOW,
    "Acme\r\nBcc: everybody@example.net",
    (Alert("overdue", Condition.OVERDUE, Change.RAISED, "opt-outs overdue: 3", "suppress status", NOW),),
)


def send(kind: str, **options: Json) -> None:
    """One message, the way a configuration has it."""
    registry = Registry.load(environ={"SUPPRESS_LOAD_PLUGINS": ""})
    registry.alert(AlertSettings("ops", kind, options=options)).send(MESSAGE)


def test_a_receiver_verifies_a_webhook_with_a_library() -> None:
    """The signature covers id, time and body, as Standard Webhooks has it."""
    with Loopback(lambda _request: answer(204, {})) as server:
        send("webhook", url=f"{server.url}/hook", secret=SECRET)
        (exchange,) = server.exchanges
    headers = dict(exchange.request.headers)
    found = standardwebhooks.Webhook(SECRET).verify(exchange.request.body, headers)

    assert ("suppress/alert@1", "overdue") == (found["schema"], found["alerts"][0]["condition"])
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(SECRET).verify(exchange.request.body + b" ", headers)


@pytest.mark.parametrize(
    ("status", "asked"), [(500, 3), (503, 3), (429, 3), (400, 1), (404, 1), (301, 1), (307, 1)]
)
def test_a_receiver_that_fails_is_asked_again_and_a_redirect_is_not_followed(status: int, asked: int) -> None:
    """With the same id each time; then it counts as not told."""
    reply = Response(status).with_headers(("location", "/elsewhere"))
    settings = AlertSettings("ops", "webhook", options={"url": "", "secret": SECRET})
    waited: list[float] = []
    seconds = [0.0]

    def sleep(length: float) -> None:
        waited.append(length)
        seconds[0] += length

    with Loopback(lambda _request: reply) as server:
        settings = AlertSettings("ops", "webhook", options={"url": f"{server.url}/hook", "secret": SECRET})
        way = Webhook(settings, clock=Clock(lambda: seconds[0], NOW.timestamp, sleep))
        with pytest.raises(AlertFailed, match=f"answered {status}"):
            way.send(MESSAGE)
        exchanges = server.exchanges
    assert asked == len(exchanges)
    assert {"/hook"} == {each.request.path for each in exchanges}
    assert 1 == len({each.request.headers["webhook-id"] for each in exchanges})
    assert [2.0, 4.0][: asked - 1] == waited

    with pytest.raises(AlertFailed, match="did not answer"):
        way.send(MESSAGE)


@pytest.mark.parametrize("secret", ["short", "whsec_MfKQ", "whsec_not base64 at all!!"])
def test_a_secret_that_protects_nothing_is_refused(secret: str) -> None:
    """And not repeated in the message."""
    with pytest.raises(ConfigWrong, match="16 bytes") as refused:
        send("webhook", url="http://127.0.0.1:9/", secret=secret)

    assert secret not in str(refused.value)


def test_a_command_gets_the_message_and_not_our_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """JSON on stdin; arguments as they are, for there is no shell."""
    monkeypatch.setenv("SUPPRESS_SOURCES__MAIN__ACCESS_TOKEN", "hidden")
    out = tmp_path / "got"
    script = 'cat > "$1"; env >> "$1"; echo "$2" >> "$1"; echo noise'
    send("command", run=("/bin/sh", "-c", script, "alert", str(out), "; $(true)"), seconds=30)
    first, rest = out.read_text().split("}", 1)[0], out.read_text()

    assert json.loads(rest[: rest.index("]}") + 2])["alerts"][0]["says"] == "opt-outs overdue: 3"
    assert first
    assert "hidden" not in rest
    assert rest.endswith("; $(true)\n")


@pytest.mark.parametrize(
    ("run", "says"),
    [
        (("/bin/false",), "ended with 1"),
        (("/bin/sh", "-c", "sleep 600 & sleep 600"), "longer than 1 seconds"),
        (("/no/such/program",), "cannot be run"),
        ((), "cannot be run"),
    ],
    ids=["fails", "hangs", "missing", "empty"],
)
def test_a_command_that_fails_counts_as_not_told(run: tuple[str, ...], says: str) -> None:
    """One that hangs is killed with whatever it began."""
    with pytest.raises(AlertFailed, match=says):
        send("command", run=run, seconds=1)


class Mailbox:
    """What a mail server was given."""

    def __init__(self) -> None:
        self.got: list[tuple[str, list[str], bytes]] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        self.got.append((envelope.mail_from, envelope.rcpt_tos, envelope.content))
        return "250 OK"


class _AnyPort(Controller):
    """Takes any free port, which the library, when it asks itself whether it is up, would not find."""

    def _trigger_server(self) -> None:
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        socket.create_connection(("127.0.0.1", self.port)).close()


@contextmanager
def mail_server(folder: Path, security: str) -> Iterator[tuple[Mailbox, dict[str, Json]]]:
    """A mail server on this machine, and the options that reach it."""
    box, certificate = Mailbox(), folder / "server.pem"
    _certify(certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    options: dict[str, Any] = {}
    if security == "tls":
        options["ssl_context"] = context
    elif security == "starttls":
        options |= {"tls_context": context, "require_starttls": True, "auth_required": True}
        options["authenticator"] = lambda *given: AuthResult(success=given[-1].password == b"open sesame")
    controller = _AnyPort(box, hostname="127.0.0.1", port=0, **options)
    controller.start()
    try:
        common: dict[str, Json] = {"host": "127.0.0.1", "port": controller.port, "security": security}
        yield (
            box,
            common
            | {"from": "suppress@example.com", "to": ("ops@example.com",)}
            | ({} if security == "none" else {"ca_file": str(certificate)}),
        )
    finally:
        controller.stop()


def _certify(file: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))


@pytest.mark.parametrize("security", ["starttls", "tls", "none"])
def test_a_mail_arrives_at_our_own_address_only(tmp_path: Path, security: str) -> None:
    """Encrypted but for this machine's own server; nothing in the text can add a header."""
    signed_in = {"username": "suppress", "password": "open sesame"} if security == "starttls" else {}
    with mail_server(tmp_path, security) as (box, options):
        send("email", **options, **signed_in)
        ((sender, recipients, content),) = box.got
    mail = message_from_bytes(content)

    assert ("suppress@example.com", ["ops@example.com"]) == (sender, recipients)
    assert ("suppress: overdue", "auto-generated") == (mail["Subject"], mail["Auto-Submitted"])
    assert mail["Bcc"] is None
    assert "raised: opt-outs overdue: 3" in str(mail.get_payload())


def test_a_mail_server_that_cannot_be_trusted_gets_no_mail(tmp_path: Path) -> None:
    """A certificate of nobody, a wrong password, a server that is gone: not told, without its words."""
    with mail_server(tmp_path, "starttls") as (box, options):
        trusting = {key: value for key, value in options.items() if key != "ca_file"}
        for wrong in (
            trusting,
            {**options, "username": "suppress", "password": "guess"},
            {**options, "port": 1},
        ):
            with pytest.raises(AlertFailed, match="did not take the mail") as failed:
                send("email", **wrong)
            assert "@" not in str(failed.value)
    assert [] == box.got


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"to": ("pat@elsewhere.example",)}, "same domain"),
        ({"to": ()}, "same domain"),
        ({"to": ("ops@example.com, pat@example.com",)}, "plain addresses"),
        ({"from": "nobody"}, "plain addresses"),
        ({"host": "mail.example.com", "security": "none"}, "only for a server on this machine"),
        ({"port": 70_000}, "1 to 65,535"),
        ({"security": "maybe"}, "one of starttls, tls, none"),
        ({"subject": "hello"}, "unknown key 'subject'"),
    ],
)
def test_mail_to_strangers_or_in_the_clear_is_refused_before_anything_is_sent(
    options: dict[str, Json], says: str
) -> None:
    """This program writes to those who run it, and to nobody else."""
    usual: dict[str, Json] = {"host": "127.0.0.1", "from": "s@example.com", "to": ("ops@example.com",)}
    with pytest.raises(ConfigWrong, match=says):
        send("email", **{**usual, **options})


def test_an_unknown_way_is_an_error_that_names_those_there_are() -> None:
    """A misspelt kind must not mean that nobody is told."""
    with pytest.raises(ConfigWrong, match="did you mean 'email'"):
        send("e-mail")

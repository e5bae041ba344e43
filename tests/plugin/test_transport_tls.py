"""A token goes only to a host that proves who it is."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from suppress.errors import SourceFailed
from suppress.plugin.lanes import Lanes
from suppress.plugin.transport import Patience, Transport


class _Server(HTTPServer):
    """Remembers who got as far as asking."""

    asked: list[str]

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up in the middle of the handshake is what is tried here."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        self.server.asked.append(self.headers["Authorization"])
        self.send_response(200)
        self.end_headers()


@pytest.fixture
def stranger(tmp_path: Path) -> Iterator[_Server]:
    """A host that speaks TLS with a certificate that it signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "api.example.com")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "pair.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    server = _Server(("127.0.0.1", 0), _Handler)
    server.asked = []
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_host_that_signed_itself_gets_no_token(stranger: _Server) -> None:
    """Not even on this machine, where http would be taken: who writes https wants it proven."""
    transport = Transport.reading(
        f"https://127.0.0.1:{stranger.server_port}",
        paths=["/contacts"],
        pace=Lanes(at_once=1, whose="Acme"),
        patience=Patience(tries=1),
    )
    with pytest.raises(SourceFailed, match="certificate"):
        transport.send("GET", "/contacts", authorization="Bearer s3cret")
    transport.close()

    assert [] == stranger.asked

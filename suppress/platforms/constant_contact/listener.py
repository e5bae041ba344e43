"""Waits on this machine for the browser to come back from the vendor (RFC 8252, section 7.3).

Rules kept here:

* It listens on 127.0.0.1 alone, for one answer, and for as long as it is told.
* Only the answer with our `state` counts. Everything else that a web page, a port scanner or another user of
  this machine sends is answered and ignored: other paths, other methods, another host in the request (a name
  that somebody points at this machine), parameters given twice, a second answer.
* Whoever opens connections and says nothing keeps nobody out: the oldest of too many is closed.
* Nothing is logged, and the pages hold nothing from the request.
"""

from __future__ import annotations

import contextlib
import hmac
import os
import socket
import threading
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl

from suppress.errors import BadUsage
from suppress.platforms.constant_contact.application import CALLBACK
from suppress.plugin.words import vendor_words

HOST = "127.0.0.1"
MOST = 32
"""Connections at once. A browser opens a few ahead of time."""
_SILENCE = 10.0
"""Seconds that a connection may say nothing."""

_PAGE = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>suppress</title>'
    '<meta name="viewport" content="width=device-width"></head>'
    "<body><h1>{title}</h1><p>{text}</p></body></html>"
)
_DONE = ("Thank you", "You can close this page and go back to suppress.")
_NO = ("Not the answer that is waited for", "Open the address that suppress shows, and sign in there.")


@dataclass(frozen=True, slots=True)
class Answered:
    """What the browser brought: a code, or the error that the vendor gave instead."""

    code: str | None = field(default=None, repr=False)
    error: str | None = None
    said: str = ""


class Listener:
    """Listens while the context is open.

    Raises:
        BadUsage: The port is taken.
    """

    def __init__(self, port: int, state: str, *, source: str) -> None:
        try:
            self._server = _Server(port, state)
        except OSError as refused:
            raise BadUsage(
                f"port {port} on this machine, where the browser is to come back to, cannot be had: "
                f"{refused.strerror or type(refused).__name__}",
                remedy=f"suppress login {source} --port N, with a port that the application has registered",
            ) from None
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def redirect_uri(self) -> str:
        """Where the vendor sends the browser back to; the application has to have it registered, exactly."""
        return f"http://{HOST}:{self._server.server_address[1]}{CALLBACK}"

    def __enter__(self) -> Listener:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def wait(self, seconds: float) -> Answered | None:
        """The answer, None if there was none in that time."""
        self._server.came.wait(seconds)
        return self._server.answered


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    # On Windows the option would let another program listen at the same port.
    allow_reuse_address = os.name == "posix"

    def __init__(self, port: int, state: str) -> None:
        self.state = state
        self.came = threading.Event()
        self.answered: Answered | None = None
        self._one = threading.Lock()
        self._open: deque[socket.socket] = deque()
        super().__init__((HOST, port), _Handler)

    def take(self, answered: Answered) -> bool:
        """Whether this is the first answer; there is no second one."""
        with self._one:
            first = self.answered is None
            self.answered = self.answered or answered
        return first

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        self._open.append(connection)
        if len(self._open) > MOST:
            # Its thread, if it still waits for a word, then gives up.
            with contextlib.suppress(OSError):
                self._open.popleft().shutdown(socket.SHUT_RDWR)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        with contextlib.suppress(ValueError):
            self._open.remove(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: what others send, and how they leave, is not our trouble."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    server_version = "suppress"
    sys_version = ""
    timeout = _SILENCE

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nothing: the address of a request may hold a code."""

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        if path != CALLBACK:
            self._say(404, *_NO)
            return
        answered = self._understood(query)
        if answered is None:
            self._say(400, *_NO)
        elif self.server.take(answered):
            # The page goes out first: once the answer is known, this process may be on its way out.
            self._say(200, *_DONE)
            self.server.came.set()
        else:
            self._say(410, "Answered already", "This sign-in has had its answer.")

    def _understood(self, query: str) -> Answered | None:
        if self.headers.get("Host") != f"{HOST}:{self.server.server_address[1]}":
            return None
        try:
            pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=20)
        except ValueError:
            return None
        found = dict(pairs)
        ours = hmac.compare_digest(found.get("state", "").encode(), self.server.state.encode())
        if not ours or len(found) != len(pairs):
            return None
        if error := found.get("error"):
            return Answered(error=vendor_words(error), said=vendor_words(found.get("error_description", "")))
        code = found.get("code", "")
        fitting = 0 < len(code) <= 4_096 and code.isascii() and code.isprintable()
        return Answered(code=code) if fitting else None

    def _say(self, status: int, title: str, text: str) -> None:
        page = _PAGE.format(title=title, text=text).encode()
        self.send_response(status)
        for name, value in (
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Length", str(len(page))),
            ("Cache-Control", "no-store"),
            ("Referrer-Policy", "no-referrer"),
            ("Content-Security-Policy", "default-src 'none'"),
            ("Connection", "close"),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(page)
        self.wfile.flush()

"""A web server on loopback that answers what a test says, and remembers what it was asked."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it arrived; `at` is by the test's clock."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    at: float


@dataclass(frozen=True, slots=True)
class Says:
    """One answer."""

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None
    """End the connection after so many bytes of the body."""
    hang_up: bool = False
    """End the connection without an answer."""
    seconds: float = 0.0
    """How long it takes, by the test's clock."""

    @classmethod
    def json(cls, value: object, status: int = 200, **headers: str) -> Says:
        return cls(status, json.dumps(value).encode(), {"Content-Type": "application/json", **headers})

    @classmethod
    def html(cls, status: int) -> Says:
        page = b"<!DOCTYPE html><html><body>Bad gateway</body></html>"
        return cls(status, page, {"Content-Type": "text/html"})


class Serving:
    """Runs while its context is open. `answers` is called with the request and its number, from 0."""

    def __init__(
        self,
        answers: Callable[[Asked, int], Says],
        *,
        monotonic: Callable[[], float] = lambda: 0.0,
        pass_: Callable[[float], None] = lambda _seconds: None,
    ) -> None:
        self.asked: list[Asked] = []
        self._answers = answers
        self._monotonic = monotonic
        self._pass = pass_
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.serving = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._server.server_address[1]}"

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    def __enter__(self) -> Serving:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Says:
        asked = Asked(method, target, headers, body, self._monotonic())
        says = self._answers(asked, len(self.asked))
        self.asked.append(asked)
        self._pass(says.seconds)
        return says


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    serving: Serving


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Nothing."""

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        says = self.server.serving.answer(self.command, self.path, dict(self.headers.items()), body)
        if says.hang_up:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            return
        if "Date" in says.headers:
            self.send_response_only(says.status)
        else:
            self.send_response(says.status)
        for name, value in says.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(says.body)))
        self.end_headers()
        self.wfile.write(says.body if says.cut is None else says.body[: says.cut])
        self.wfile.flush()
        self.close_connection = self.close_connection or says.cut is not None

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _serve  # noqa: N815 - the library's names

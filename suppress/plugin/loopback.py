"""A web server on this machine for simulators: a platform is a function from a request to an answer.

```python
with Loopback(lambda request: answer(200, {"path": request.path})) as server:
    ...                                   # server.url for a client, server.exchanges for a test
```

Rules kept here:

* It listens on 127.0.0.1 and nowhere else.
* One lock lets one request in at a time, so that what a test changes in the platform never races with an
  answer; how many are waiting at once is counted (`busiest`), for platforms that limit connections.
* Credentials are not remembered, and no request is logged: simulators are run with real lists too.
* Faults of the line are part of the answer (`delay`, `cut`, `reset`), so that a platform can say yes, do it,
  and never get its answer through.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, TypeVar
from urllib.parse import parse_qsl, unquote

HOST = "127.0.0.1"
MAX_BODY = 160 * 1024 * 1024
"""Bytes of a request body that are read: Salesforce's Bulk API takes 150 MB, the most of any platform."""
JSON = "application/json"
_SECRET = frozenset({"authorization", "api-key", "api-token", "x-api-key"})


@dataclass(frozen=True, slots=True)
class Request:
    """One request; header names are lower-case."""

    method: str
    path: str
    """As it came over the wire, still percent-encoded."""
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = b""

    @property
    def parts(self) -> tuple[str, ...]:
        """The path's segments, decoded: `/lists/a%2Fb` is `("lists", "a/b")`."""
        return tuple(unquote(each) for each in self.path.strip("/").split("/"))

    def asked(self, name: str) -> str | None:
        """The last value of a query parameter."""
        return dict(self.query).get(name)

    def json(self) -> object:
        """The body as JSON, whatever its content type says. Raises ValueError."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Response:
    """One answer; `delay`, `cut` and `reset` are faults that the server carries out."""

    status: int
    body: bytes = b""
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()
    delay: float = 0.0
    """Seconds until it is sent; other requests are let in meanwhile."""
    cut: int | None = None
    """Send only so many bytes of the body, then end the connection."""
    reset: bool = False
    """Send nothing and reset the connection, after the platform did what it was asked."""

    def with_headers(self, *headers: tuple[str, str]) -> Response:
        """The same answer with more headers."""
        return replace(self, headers=(*self.headers, *headers))

    def on_the_line(self, trouble: str, seconds: float = 0.0) -> Response:
        """The same answer, and what befalls it: `reset`, `cut` in half or `delay`; as it is for any other."""
        match trouble:
            case "reset":
                return replace(self, reset=True)
            case "cut":
                return replace(self, cut=len(self.body) // 2)
            case "delay":
                return replace(self, delay=seconds)
            case _:
                return self


def answer(status: int, value: object, *headers: tuple[str, str], content_type: str = JSON) -> Response:
    """A JSON answer."""
    return Response(status, json.dumps(value, ensure_ascii=False).encode(), content_type, headers)


def page(status: int, html: str) -> Response:
    """An HTML page: what a gateway shows when it is broken."""
    return Response(status, html.encode(), "text/html; charset=utf-8")


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request as it came in, without its credentials, and its answer."""

    request: Request
    response: Response


_S = TypeVar("_S", bound="Loopback")


class Loopback:
    """Listens while the context is open, or between `start` and `close`.

    `keep` bounds how many exchanges are remembered: None all of them, for tests.
    """

    def __init__(
        self, handle: Callable[[Request], Response], *, port: int = 0, keep: int | None = None
    ) -> None:
        self.lock = threading.RLock()
        """Held while a request is answered; hold it to change the platform from outside."""
        self.busiest = 0
        """The most requests that were under way at once."""
        self._handle = handle
        self._exchanges: deque[Exchange] = deque(maxlen=keep)
        self._closing = threading.Event()
        self._under_way = 0
        self._counting = threading.Lock()
        self._port = port
        self._server: _Server | None = None
        self._thread: threading.Thread

    def __enter__(self: _S) -> _S:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Listen in a background thread.

        Raises:
            OSError: The port cannot be had.
        """
        self._server = _Server((HOST, self._port), self)
        self._port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End every connection and stop listening. Safe to repeat."""
        self._closing.set()
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            self._thread.join()
            server.close_connections()
            server.server_close()

    @property
    def url(self) -> str:
        """The base address, once it has started."""
        return f"http://{HOST}:{self._port}"

    @property
    def under_way(self) -> int:
        """Requests that have come in and are not answered yet, the one that asks included."""
        return self._under_way

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """What was asked and answered so far, oldest first."""
        with self.lock:
            return tuple(self._exchanges)

    def respond(self, request: Request) -> Response:
        """Put one request to the platform and remember it."""
        with self._counting:
            self._under_way += 1
            self.busiest = max(self.busiest, self._under_way)
        try:
            with self.lock:
                response = self._handle(request)
                kept = {name: value for name, value in request.headers.items() if name not in _SECRET}
                self._exchanges.append(Exchange(replace(request, headers=kept), response))
            if response.delay:
                self._closing.wait(response.delay)
            return response
        finally:
            with self._counting:
                self._under_way -= 1


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    # On Windows the option would let two servers share a port.
    allow_reuse_address = os.name == "posix"
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], loopback: Loopback) -> None:
        self.loopback = loopback
        self._open: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        for connection in tuple(self._open):
            # The other side may have been faster.
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        import sys

        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    server_version = "suppress-simulator"
    disable_nagle_algorithm = True
    wbufsize = -1

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nothing: requests are remembered by `Loopback`, and addresses stay out of logs."""

    def _serve(self) -> None:
        path, _, query = self.path.partition("?")
        declared = self.headers.get("Content-Length") or "0"
        if not declared.isdecimal() or "Transfer-Encoding" in self.headers:
            self.close_connection = True
            self._send(answer(411, {"message": "Send a Content-Length."}))
            return
        length = int(declared)
        request = Request(
            self.command,
            path,
            tuple(parse_qsl(query, keep_blank_values=True)),
            {name.lower(): value for name, value in self.headers.items()},
            self.rfile.read(min(length, MAX_BODY)),
        )
        self.close_connection = self.close_connection or length > MAX_BODY
        self._send(self.server.loopback.respond(request))

    def _send(self, response: Response) -> None:
        if response.reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            return
        self.send_response(response.status)
        if response.status != 204:
            self.send_header("Content-Type", response.content_type)
            self.send_header("Content-Length", str(len(response.body)))
        for name, value in response.headers:
            self.send_header(name, value)
        self.close_connection = self.close_connection or response.cut is not None
        self.end_headers()
        self.wfile.write(response.body if response.cut is None else response.body[: response.cut])
        self.wfile.flush()

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _serve  # noqa: N815

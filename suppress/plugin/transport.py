"""HTTP for plugins: it paces, retries, says what failed, and refuses what a plugin may not send.

Rules kept here:

* Every call passes `suppress.plugin.guard` and then `suppress.plugin.pace`, each attempt anew.
* A redirect is never followed: it would carry the token to wherever it points.
* No token, address or query is ever logged or put into an error. Errors name host and cause.
* A call that may be repeated is repeated, with full jitter, when the connection breaks or the platform says
  that it failed. When the tries are used up, the last answer goes to the plugin, which knows the vendor's
  words. A call that may not be repeated is sent once, unless it certainly never arrived.
* Nothing waits for ever: each step of an attempt and the attempt as a whole have their time.

What an answer means is the plugin's business: it hands in a `judge`.
"""

from __future__ import annotations

import json
import logging
import random
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum
from functools import cached_property
from typing import Protocol, TypeAlias
from urllib.parse import urlsplit

import httpx2

from suppress import __version__
from suppress.config.values import is_loopback
from suppress.errors import ConfigWrong, SourceFailed, SuppressError
from suppress.plugin.errors import Transient
from suppress.plugin.guard import Body, Call, checked_url, permitted, reads
from suppress.plugin.pace import Clock
from suppress.plugin.words import vendor_words

LARGEST_BODY = 64 * 1024 * 1024
"""Bytes, unpacked. No platform's page comes near; a runaway answer must not fill the memory."""
LONGEST_ATTEMPT = 180.0
"""Seconds for one attempt, however slowly its answer drips."""
_TIMEOUT = httpx2.Timeout(connect=15.0, read=90.0, write=30.0, pool=15.0)
_FAILED_THERE = frozenset({500, 502, 503, 504})


class Retry(Enum):
    """Why an answer is no answer yet."""

    FAILED = "failed"
    """The platform failed on its side: a few tries, further and further apart."""
    THROTTLED = "throttled"
    """Too many requests at once: patiently, from one second on."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to keep trying."""

    tries: int = 6
    """Attempts that may fail, the first one included."""
    throttles: int = 30
    """Answers that only say "too many requests"."""
    first: float = 0.5
    """Seconds; doubled for each further try. The wait is random between nothing and that."""
    longest: float = 8.0
    """Seconds between two tries at most, unless the platform asks for more."""
    obeyed: float = 120.0
    """Seconds of `Retry-After` that are waited for; a longer one ends the call."""
    jitter: Callable[[], float] = random.SystemRandom().random

    def after_failure(self, failures: int) -> float:
        """Seconds to wait. Full jitter: clients that failed together must not come back together."""
        return min(self.longest, self.first * 2.0 ** (failures - 1)) * self.jitter()

    def after_throttle(self, throttles: int) -> float:
        """Seconds to wait: one and a bit, and longer when that is not enough."""
        return min(1.0 + throttles // 5, self.longest) + self.jitter()


@dataclass(frozen=True)
class Reply:
    """One answer, whole. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    attempts: int = 1

    @cached_property
    def json(self) -> object:
        """The body as JSON. Raises ValueError."""
        try:
            return json.loads(self.body)
        except RecursionError:
            raise ValueError("nested too deep") from None

    @property
    def is_json(self) -> bool:
        """Whether the body can be read as JSON, whatever its content type claims."""
        try:
            _ = self.json
        except ValueError:
            return False
        return True

    @property
    def looks_like_html(self) -> bool:
        """Whether this is a page for people: a gateway's error page, a sign-in wall."""
        return self.body.lstrip()[:1] == b"<" or "html" in self.headers.get("content-type", "").lower()

    @property
    def kind(self) -> str:
        """What came, in words for a message."""
        if not self.body.strip():
            return "nothing"
        if self.looks_like_html:
            return "a web page"
        return "JSON" if self.is_json else "something unreadable"

    @property
    def server_time(self) -> datetime | None:
        """What the platform's clock said, by its `Date` header, to the second."""
        return _http_date(self.headers.get("date", ""))


Judge: TypeAlias = Callable[[Reply], Retry | None]


def usual(reply: Reply) -> Retry | None:
    """What an answer means at most platforms: its status decides."""
    if reply.status == 429:
        return Retry.THROTTLED
    return Retry.FAILED if reply.status in _FAILED_THERE else None


class Turns(Protocol):
    """When a request may start: `suppress.plugin.pace.Pace`, one after another, or `lanes.Lanes`, several."""

    def turn(self) -> AbstractContextManager[None]:
        """Wait for a turn; the block ends with the answer."""


@dataclass(frozen=True, slots=True)
class _Lost:
    """No whole answer came. `arrived` is False only if the request certainly never did."""

    cause: str
    arrived: bool


class Transport:
    """A connection to one host for one plugin: made with `reading` for a source, `writing` for an exporter.

    Several threads may send at once (`suppress.plugin.workers`); each connection is used again.

    A source:

    ```python
    transport = Transport.reading("https://api.example.com", paths=[r"/v1/contacts"], pace=pace)
    reply = transport.send("GET", "/v1/contacts?limit=500", authorization="Bearer …")
    ```
    """

    def __init__(
        self,
        url: str,
        *,
        calls: Sequence[Call],
        pace: Turns,
        failed: Callable[[str], SuppressError],
        judge: Judge = usual,
        clock: Clock | None = None,
        patience: Patience | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        parts = urlsplit(checked_url(url, setting="the URL"))
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._local = is_loopback(parts.hostname or "")
        self.host = parts.netloc
        """The host that is talked to, for messages."""
        self._calls = tuple(calls)
        self._pace = pace
        self._failed = failed
        self._judge = judge
        self._clock = clock or Clock()
        self._patience = patience or Patience()
        self._headers = dict(headers or {})
        self._client: httpx2.Client | None = None
        self._lock = threading.Lock()
        self.requests = 0
        """Attempts so far, retries included."""

    @classmethod
    def reading(
        cls,
        url: str,
        *,
        paths: Sequence[str],
        pace: Turns,
        judge: Judge = usual,
        clock: Clock | None = None,
        patience: Patience | None = None,
    ) -> Transport:
        """For a source: `GET` of `paths` (regular expressions) and nothing else. Fails as `SourceFailed`."""
        calls = reads(*paths)
        failed = SourceFailed
        return cls(url, calls=calls, pace=pace, failed=failed, judge=judge, clock=clock, patience=patience)

    @classmethod
    def writing(
        cls,
        url: str,
        *,
        calls: Sequence[Call],
        pace: Turns,
        judge: Judge = usual,
        clock: Clock | None = None,
        patience: Patience | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Transport:
        """For an exporter: exactly the `calls` that it declares. Fails as `Transient`.

        `headers` go with every call, such as the revision of an API or what a write must not set off.
        """
        return cls(
            url,
            calls=calls,
            pace=pace,
            failed=Transient,
            judge=judge,
            clock=clock,
            patience=patience,
            headers=headers,
        )

    def close(self) -> None:
        """Give the connection back. A later call opens another one."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def send(
        self,
        method: str,
        target: str,
        *,
        authorization: str | None = None,
        body: Body = None,
        content_type: str = "application/json",
    ) -> Reply:
        """Send one call, as often as it takes, and return the last answer, good or bad.

        `target` is path and query as they go on the wire; `authorization` is the header's whole value.

        Raises:
            CallForbidden: The call is not on the plugin's list; nothing was sent.
            WouldIncreaseReach: The body would make somebody mailable; nothing was sent.
            QuotaExhausted: The day's requests are used up.
            SourceFailed, Transient: No answer came, or a redirect did (of a source, of an exporter).
        """
        call = permitted(self._calls, method, target, body)
        request = self._built(method, target, authorization, body, content_type)
        repeatable = method == "GET" or call.repeatable
        patience = self._patience
        failures = throttles = 0
        while True:
            reply = self._attempt(request, attempts=failures + throttles + 1)
            if isinstance(reply, _Lost):
                failures += 1
                if failures >= patience.tries or (reply.arrived and not repeatable):
                    tries = "" if failures == 1 else f" ({failures} tries)"
                    raise self._failed(f"cannot reach {self.host}: {reply.cause}{tries}")
                self._clock.wait(patience.after_failure(failures))
                continue
            self._refuse_redirect(reply)
            retry, asked = self._judge(reply), self._retry_after(reply)
            if retry is None or asked > patience.obeyed:
                return reply
            if retry is Retry.THROTTLED:
                # A throttled call was not carried out, so any method may be sent again.
                throttles += 1
                wait = patience.after_throttle(throttles)
            else:
                failures += 1
                wait = patience.after_failure(failures)
            over = failures >= patience.tries or throttles >= patience.throttles
            if over or (retry is Retry.FAILED and not repeatable):
                return reply
            self._clock.wait(max(asked, wait))

    def json_of(self, reply: Reply) -> object:
        """The JSON of a good answer.

        A proxy, a sign-in wall or a wrong host answers 200 with a page for people: taken for an answer, it
        would say that nobody was refused.

        Raises:
            SourceFailed, Transient: It is none.
        """
        if reply.is_json:
            return reply.json
        what = "a page for people" if reply.looks_like_html else "something else"
        raise self._failed(
            f"{self.host} answered {reply.status} with {what} in place of JSON; check the configured URL"
        )

    def _built(
        self, method: str, target: str, authorization: str | None, body: Body, content_type: str
    ) -> httpx2.Request:
        headers = {"Accept": "application/json", "User-Agent": f"suppress/{__version__}", **self._headers}
        if authorization is not None:
            if not re.fullmatch(r"[ -~]+", authorization):
                # The HTTP library would quote the header, and so the token, in its error.
                raise self._failed("the credentials hold a character that no header may have")
            headers["Authorization"] = authorization
        content: bytes | None = None
        if body is not None:
            content = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
            headers["Content-Type"] = content_type
        try:
            return self._open().build_request(method, self._origin + target, headers=headers, content=content)
        except httpx2.InvalidURL:
            raise self._failed("a URL that no request can hold; it is too long or malformed") from None

    def _open(self) -> httpx2.Client:
        with self._lock:
            return self._opened()

    def _opened(self) -> httpx2.Client:
        if self._client is None:
            # Adding the same filter again changes nothing.
            logging.getLogger("httpx2").addFilter(_NO_QUERIES)
            try:
                # Proxies of the environment serve for the world outside, never for this machine. Certificates
                # take 20 ms to load and are of no use where nothing is encrypted: http to this machine.
                self._client = httpx2.Client(
                    timeout=_TIMEOUT,
                    follow_redirects=False,
                    trust_env=not self._local,
                    verify=self._origin.startswith("https://"),
                )
            except (ImportError, OSError, ValueError) as wrong:
                raise ConfigWrong(
                    f"no connection can be set up ({type(wrong).__name__})",
                    remedy="check the variables HTTPS_PROXY, ALL_PROXY and SSL_CERT_FILE",
                ) from None
        return self._client

    def _attempt(self, request: httpx2.Request, *, attempts: int) -> Reply | _Lost:
        with self._pace.turn():
            with self._lock:
                self.requests += 1
            try:
                response = self._open().send(request, stream=True)
                try:
                    body = self._read(response)
                finally:
                    response.close()
            except (
                httpx2.ConnectError,
                httpx2.ConnectTimeout,
                httpx2.PoolTimeout,
                httpx2.ProxyError,
            ) as failure:
                return _Lost(_cause(failure), arrived=False)
            except (httpx2.RequestError, httpx2.StreamError) as failure:
                return _Lost(_cause(failure), arrived=True)
        if body is None:
            return _Lost(f"its answer took longer than {LONGEST_ATTEMPT:.0f} seconds", arrived=True)
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Reply(response.status_code, headers, body, attempts)

    def _read(self, response: httpx2.Response) -> bytes | None:
        until = self._clock.monotonic() + LONGEST_ATTEMPT
        whole = bytearray()
        for chunk in response.iter_bytes():
            whole += chunk
            if len(whole) > LARGEST_BODY:
                raise self._failed(f"{self.host} answered with more than {LARGEST_BODY:,} bytes")
            if self._clock.monotonic() > until:
                return None
        return bytes(whole)

    def _refuse_redirect(self, reply: Reply) -> None:
        if not 300 <= reply.status < 400:
            return
        try:
            there = urlsplit(reply.headers.get("location", "")).hostname or self.host
        except ValueError:
            there = "somewhere that is no URL"
        raise self._failed(
            f"{self.host} redirects to {vendor_words(there)}; that is not followed, because the token would "
            "go along. Check the configured URL"
        )

    def _retry_after(self, reply: Reply) -> float:
        text = reply.headers.get("retry-after", "").strip()
        if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text):
            return float(text)
        at = _http_date(text)
        return 0.0 if at is None else max(0.0, (at - self._clock.utc()).total_seconds())


def _http_date(text: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


_CAUSES: Mapping[type[Exception], str] = {
    httpx2.ConnectTimeout: "the connection was not accepted in time",
    httpx2.ReadTimeout: "it did not answer in time",
    httpx2.WriteTimeout: "it did not take the request in time",
    httpx2.PoolTimeout: "no connection was free in time",
    httpx2.DecodingError: "its answer cannot be unpacked",
}


def _cause(failure: Exception) -> str:
    known = _CAUSES.get(type(failure))
    if known is not None:
        return known
    # The system's own words, without "[Errno 111]", which helps nobody.
    text = re.sub(r"\[(?:Errno -?\d+|SSL: \w+)\]\s*|\s*\(_ssl\.c:\d+\)", "", str(failure))
    return vendor_words(text) or "the connection broke"


_PERSON = re.compile(r"[^/]*(?:@|%40)[^/]*")


class _NoQueries(logging.Filter):
    """The HTTP library logs every URL. A query may hold an address and is cut off; of a path, which may hold
    one too (HubSpot's names the person), each part with an `@` is left out."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(_bare(each) if isinstance(each, httpx2.URL) else each for each in record.args)
        return True


def _bare(url: httpx2.URL) -> str:
    path = _PERSON.sub("…", url.raw_path.decode("ascii").partition("?")[0])
    return f"{url.scheme}://{url.netloc.decode('ascii')}{path}"


_NO_QUERIES = _NoQueries()

"""What a plugin may send, and where to: decided before anything goes out.

Rules kept here:

* Every call is on the plugin's list, by method and path. A source's list holds `GET` only.
* A write names the check of its body, and the names its query may have. A body that nothing checks is
  refused, so that forgetting the check cannot subscribe anybody.
* Paths are compared as they go on the wire; one that a server could read differently (dot segments, encoded
  slashes) is refused.
* Only `https`, and `http` to this machine alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import parse_qsl, urlsplit

from suppress.config.values import is_loopback
from suppress.core.suppression import Json
from suppress.errors import ConfigWrong
from suppress.plugin.errors import CallForbidden, WouldIncreaseReach

Body: TypeAlias = "Json | bytes"
"""What a write sends: a JSON value, or bytes such as a CSV file."""

_PATH = re.compile(r"/(?!/)[!-~]*")
_TRICKS = re.compile(r"\\|//|%2e|%2f|%5c|#|/\.\.?(?:/|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Call:
    """One call that a plugin may make.

    An exporter that may mark a contact as unsubscribed, and nothing else:

    ```python
    def _refuses(body):
        return None if body == {"status": "unsubscribed"} else "a status other than unsubscribed"

    Call("PUT", r"/v1/contacts/[0-9a-f]{32}", refuses=_refuses, repeatable=True)
    ```
    """

    method: str
    path: str
    """A regular expression that the whole path must match, without the query."""
    refuses: Callable[[Body], str | None] | None = None
    """Why a body would make somebody mailable, in words without an address; None if it would not."""
    query: frozenset[str] = frozenset()
    """Names that a write may have in its query."""
    repeatable: bool = False
    """Whether sending a write twice does what sending it once does."""


def reads(*paths: str) -> tuple[Call, ...]:
    """The calls of a source: `GET` of these paths (regular expressions) and nothing else."""
    return tuple(Call("GET", path) for path in paths)


def permitted(calls: Sequence[Call], method: str, target: str, body: Body = None) -> Call:
    """The call on the list that this one is. `target` is path and query.

    Raises:
        CallForbidden: It is not on the list, or carries what its entry does not allow.
        WouldIncreaseReach: Its body would make somebody mailable.
    """
    path, _, query = target.partition("?")
    if not _PATH.fullmatch(target) or _TRICKS.search(path) or "#" in target:
        raise CallForbidden(f"a plugin tried {method} on a path that is not plain; nothing was sent")
    call = next((each for each in calls if each.method == method and re.fullmatch(each.path, path)), None)
    if call is None:
        raise CallForbidden(f"a plugin tried {method} on a path that it never declared; nothing was sent")
    if method == "GET":
        if body is not None:
            raise CallForbidden("a plugin tried GET with a body; nothing was sent")
        return call
    if not {name for name, _ in parse_qsl(query, keep_blank_values=True)} <= call.query:
        raise CallForbidden(f"a plugin tried {method} with a query that it never declared; nothing was sent")
    if body is not None:
        if call.refuses is None:
            raise CallForbidden(f"a plugin tried {method} with a body that nothing checks; nothing was sent")
        if (why := call.refuses(body)) is not None:
            raise WouldIncreaseReach(f"a plugin tried to send {why}; nothing was sent")
    return call


def checked_url(url: str, *, setting: str) -> str:
    """`url` without a trailing slash, if it may be talked to.

    Raises:
        ConfigWrong: It is no plain https URL (or http to this machine). The message names `setting` and
            never repeats the URL, which may hold a password.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ConfigWrong(f"{setting} is no URL") from None
    if parts.username is not None or parts.password is not None:
        raise ConfigWrong(f"{setting} may not hold a user name or password")
    if parts.query or parts.fragment:
        raise ConfigWrong(f"{setting} may not hold a query or a fragment")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host or "")):
        raise ConfigWrong(
            f"{setting} must begin with https:// (http:// only for this machine, such as 127.0.0.1)"
        )
    path = parts.path or "/"
    if (
        not host
        or not re.fullmatch(r"[!-~]+", parts.netloc)
        or not _PATH.fullmatch(path)
        or _TRICKS.search(path)
    ):
        raise ConfigWrong(f"{setting} is no URL; write https://host/path")
    return f"{parts.scheme}://{parts.netloc}{path.rstrip('/')}"


def checked_origin(url: str, *, setting: str) -> tuple[str, str]:
    """Scheme and host of `url` in small letters, because one host has one limit, and the path of it.

    Raises:
        ConfigWrong: It may not be talked to, as `checked_url` says.
    """
    parts = urlsplit(checked_url(url, setting=setting))
    return f"{parts.scheme}://{parts.netloc.lower()}", parts.path

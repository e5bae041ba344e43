"""AWS's own client, held to the plugin's list of calls.

boto3 can make every call of SES, so that the list stands where nothing passes by it: at `before-send`, which
botocore emits with the signed request right before the bytes leave, and which ends the call when it raises.
`before-call` refuses an operation by its name, before a request is even built.

botocore's own retries are switched off, as they wait with `time.sleep` and do not know what is repeatable;
`client` does that. Its logs show URLs, and so addresses, at level DEBUG: they are kept at INFO.
"""

from __future__ import annotations

import json
import logging
import threading
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import boto3.session
import botocore.loaders
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, PartialCredentialsError, ProfileNotFound

from suppress.config import DestinationSettings
from suppress.config.values import is_loopback
from suppress.errors import ConfigWrong
from suppress.plugin.errors import AuthFailed, CallForbidden
from suppress.plugin.guard import Body, permitted
from suppress.plugin.secret import secret_of
from suppress_ses.calls import OPERATIONS, calls
from suppress_ses.settings import Options


class Gateway:
    """One client for one region. Safe to use from several threads."""

    def __init__(self, settings: DestinationSettings, options: Options) -> None:
        for name in ("boto3", "botocore", "urllib3"):
            logging.getLogger(name).setLevel(logging.INFO)
        self._calls = calls(options)
        self._heard = threading.local()
        self.client = _client(settings, options)
        events = self.client.meta.events
        events.register_first("before-call.sesv2", self._by_name)
        # Last: nothing may change the request after it was looked at.
        events.register_last("before-send.sesv2", self._by_wire)
        events.register_first("before-parse.sesv2", self._hear)

    @property
    def host(self) -> str:
        """The host that is talked to, for messages."""
        found: str = urlsplit(self.client.meta.endpoint_url).netloc
        return found

    @property
    def body(self) -> bytes:
        """The last answer of this thread, before botocore made something of it."""
        found: bytes = getattr(self._heard, "body", b"")
        return found

    def close(self) -> None:
        """Give the connections back."""
        self.client.close()

    def _by_name(self, model: Any, **_: object) -> None:
        self._heard.body = b""
        if model.name not in OPERATIONS:
            raise CallForbidden(f"a plugin tried {model.name}, which it never declared; nothing was sent")

    def _by_wire(self, request: Any, **_: object) -> None:
        parts = urlsplit(request.url)
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        permitted(self._calls, request.method, target, _body(request.body))

    def _hear(self, response_dict: dict[str, Any], **_: object) -> None:
        self._heard.body = response_dict["body"]


def _client(settings: DestinationSettings, options: Options) -> Any:
    local = options.api_url is not None and is_loopback(urlsplit(options.api_url).hostname or "")
    config = Config(
        connect_timeout=15,
        read_timeout=90,
        retries={"total_max_attempts": 1, "mode": "standard"},
        max_pool_connections=options.connections,
        # Proxies of the environment serve for the world outside, never for this machine.
        proxies={} if local else None,
    )
    given: dict[str, str] = {}
    if options.access_key_id is not None:
        given["aws_access_key_id"] = options.access_key_id
        given["aws_secret_access_key"] = secret_of(settings, "secret_access_key")
    try:
        beneath = botocore.session.Session(profile=options.profile)
        beneath.register_component("data_loader", _models())
        session = boto3.session.Session(botocore_session=beneath, region_name=options.region, **given)
        return session.client("sesv2", endpoint_url=options.api_url, config=config)
    except ProfileNotFound:
        raise ConfigWrong(f"destinations.{settings.name}.profile names no profile of the AWS files") from None
    except PartialCredentialsError:
        raise AuthFailed(f"destination {settings.name!r} has half of a pair of AWS keys") from None
    except (BotoCoreError, ValueError) as wrong:
        # Its words may quote what was configured.
        raise ConfigWrong(
            f"destination {settings.name!r} cannot be set up for AWS ({type(wrong).__name__})"
        ) from None


@cache
def _models() -> Any:
    """AWS's descriptions of its services: megabytes of JSON, read once in a process."""
    return botocore.loaders.create_loader()


def _body(sent: object) -> Body:
    if not sent:
        return None
    content = sent if isinstance(sent, bytes) else str(sent).encode()
    try:
        found: Body = json.loads(content)
    except ValueError:
        return content
    return found

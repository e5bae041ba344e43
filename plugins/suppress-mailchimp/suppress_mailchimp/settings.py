"""What `[destinations.NAME]` may say about a Mailchimp account, checked and with its defaults.

Every limit of the vendor is a setting, because limits move; the defaults are what its documentation said in
November 2026. The data centre (`dc`, such as `us19`) is what follows the last hyphen of an API key; an OAuth
token does not carry it, so that it is asked for at the sign-in host, unless `dc` or `api_url` names it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from suppress.config import DestinationSettings
from suppress.core.suppression import Json
from suppress.errors import ConfigWrong
from suppress.plugin.contract import Capabilities, Delivery, Detail, Reach, Unit, Unknowns
from suppress.plugin.guard import checked_origin, checked_url
from suppress.plugin.options import defaults, whole
from suppress.plugin.secret import secret_of

LOGIN = "https://login.mailchimp.com"
ALL = "all"


class Unknown(StrEnum):
    """What to do about an address that an audience does not hold."""

    SKIP = "skip"
    CREATE_SUPPRESSED = "create_suppressed"
    """Add it as unsubscribed. Mailchimp bills unsubscribed contacts."""


class Archived(StrEnum):
    """What to do about a contact that its owner archived."""

    LEAVE = "leave"
    """Nothing mails it. Writing to it would bring it back, as unsubscribed and billed."""
    STRICT = "strict"
    """Bring it back as unsubscribed and archive it again, so that a re-import finds it unsubscribed."""


class Method(StrEnum):
    """How several people are told."""

    AUTO = "auto"
    """By their number: one by one, then the list call, then batches."""
    PATCH = "patch"
    LIST = "list"
    BATCHES = "batches"


def _text(description: str, **more: Json) -> dict[str, Json]:
    return {"type": "string", "description": description, **more}


def _number(description: str, default: int) -> dict[str, Json]:
    return {"type": "integer", "description": description, "default": default}


LARGEST: Mapping[str, int] = {
    "connections": 8,
    "page_size": 1_000,
    "list_call_size": 500,
    "batch_size": 500,
    "list_call_from": 1_000_000,
    "batches_from": 1_000_000,
    "poll_seconds": 600,
}
"""The most that each number may be. The first four are the vendor's limits, of whose ten connections two are
left to other programs of the account."""

CONFIG: Mapping[str, Json] = {
    "properties": {
        "audience": _text('the audience\'s id, such as a1b2c3d4e5, or "all" for every audience'),
        "api_key": _text("an API key; better given as a variable than written into a file"),
        "api_key_file": _text("a file that holds the API key and nothing else"),
        "access_token": _text("an OAuth access token, instead of api_key"),
        "access_token_file": _text("a file that holds it"),
        "dc": _text("the data centre, such as us19; default: what the API key ends in"),
        "api_url": _text("the API's address, for a proxy or the simulator; default: made from dc"),
        "login_url": _text("where an OAuth token's data centre is asked for", default=LOGIN),
        "unknown": _text(
            "what to do about an address that the audience does not hold",
            enum=[each.value for each in Unknown],
            default=Unknown.SKIP.value,
        ),
        "archived": _text(
            "what to do about an archived contact",
            enum=[each.value for each in Archived],
            default=Archived.LEAVE.value,
        ),
        "method": _text(
            "how several people are told", enum=[each.value for each in Method], default=Method.AUTO.value
        ),
        "connections": _number("requests at once; Mailchimp takes 10 from all programs together", 8),
        "page_size": _number("members asked for in one request", 1_000),
        "list_call_size": _number("people in one list call", 500),
        "batch_size": _number("operations in one batch", 500),
        "list_call_from": _number("from how many changes on the list call is used", 20),
        "batches_from": _number("above how many changes batches are used", 2_000),
        "poll_seconds": _number("seconds between two looks at a batch", 5),
    },
    "required": ["audience"],
}
KINDS = ("api_key", "access_token")
"""Credentials, of which one is needed."""

CAPABILITIES = Capabilities(
    unit=Unit.BATCH,
    delivery=Delivery.SYNC,
    detail=Detail.PER_RECORD,
    creates_unknown=Unknowns.OPTIONAL,
    target="audience",
    max_batch=500,
    max_concurrency=8,
    can_read_one=True,
    can_read_many=True,
    can_list_all=True,
    blocks_transactional=False,
    reversible_by_others=True,
    reach=Reach.TARGET,
    keeps=frozenset(),
    secrets=KINDS,
    config=CONFIG,
)
"""An unsubscription that the API made is not locked: any integration that writes `subscribed` undoes it."""

_E = TypeVar("_E", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Options:
    """One destination's settings. `origin` is None where the data centre has to be asked for."""

    name: str
    audience: str | None
    """None: every audience of the account."""
    token: str
    oauth: bool
    origin: str | None
    prefix: str
    login: str
    unknown: Unknown
    archived: Archived
    method: Method
    connections: int
    page_size: int
    list_call_size: int
    batch_size: int
    list_call_from: int
    batches_from: int
    poll_seconds: int

    @classmethod
    def of(cls, settings: DestinationSettings) -> Options:
        """Read them from a `[destinations.NAME]` table.

        Raises:
            ConfigWrong: A value cannot be what it should be; the message names its key and never a secret.
        """
        given, table = {**defaults(CONFIG), **settings.options}, f"destinations.{settings.name}"
        token, oauth = _credentials(settings, table)
        origin, prefix = _api(given, table, token, oauth)
        audience = str(given.get("audience", ""))
        if not re.fullmatch(r"[A-Za-z0-9]{1,40}", audience):
            raise ConfigWrong(f'{table}.audience must be an audience\'s id (letters and digits) or "all"')
        unknown = _choice(Unknown, given, "unknown", table)
        if audience == ALL and unknown is Unknown.CREATE_SUPPRESSED:
            raise ConfigWrong(
                f'{table}.unknown may be "create_suppressed" for one audience only: with audience = "all" '
                "everybody would be added to, and billed in, every audience"
            )
        return cls(
            name=settings.name,
            audience=None if audience == ALL else audience,
            token=token,
            oauth=oauth,
            origin=origin,
            prefix=prefix,
            login=checked_url(str(given["login_url"]), setting=f"{table}.login_url"),
            unknown=unknown,
            archived=_choice(Archived, given, "archived", table),
            method=_choice(Method, given, "method", table),
            **{key: whole(given, key, table, most=most) for key, most in LARGEST.items()},
        )


def _credentials(settings: DestinationSettings, table: str) -> tuple[str, bool]:
    given = [key for key in KINDS if settings.options.get(key) or settings.options.get(f"{key}_file")]
    if len(given) != 1:
        found = "both" if given else "neither"
        name = settings.name.upper().replace("-", "_")
        raise ConfigWrong(
            f"[{table}] needs either api_key or access_token, and has {found}",
            remedy=f"set SUPPRESS_DESTINATIONS__{name}__API_KEY or api_key_file",
        )
    token = secret_of(settings, given[0])
    if not re.fullmatch(r"[!-~]+", token):
        raise ConfigWrong(f"the credentials of [{table}] hold a character that no key has")
    return token, given[0] == "access_token"


def _api(given: Mapping[str, Json], table: str, token: str, oauth: bool) -> tuple[str | None, str]:
    """Scheme and host, and the path before `/lists`."""
    url = given.get("api_url")
    if url:
        origin, path = checked_origin(str(url), setting=f"{table}.api_url")
        # Both https://host and https://host/3.0 are what people write.
        return origin, f"{path.removesuffix('/3.0')}/3.0"
    dc = str(given.get("dc") or ("" if oauth else token.rpartition("-")[2]))
    if not dc and oauth:
        return None, "/3.0"
    if not re.fullmatch(r"[a-z]{2,4}[0-9]{1,4}", dc):
        raise ConfigWrong(
            f"{table}.{'dc' if given.get('dc') else 'api_key'} names no data centre: a key ends in a hyphen "
            "and a data centre such as us19",
            remedy=f"copy the whole key, or set {table}.dc",
        )
    return host_of(dc), "/3.0"


def host_of(dc: str) -> str:
    """Where a data centre's API is."""
    return f"https://{dc}.api.mailchimp.com"


def _choice(kind: type[_E], given: Mapping[str, Json], key: str, table: str) -> _E:
    value = given[key]
    if value not in {each.value for each in kind}:
        raise ConfigWrong(f"{table}.{key} must be one of {', '.join(each.value for each in kind)}")
    return kind(value)

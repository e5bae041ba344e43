"""What `[destinations.NAME]` may say for Salesforce, with the vendor's limits as defaults.

Limits move, so each is a setting: 150 MB and 10,000 rows in an internal batch of
a bulk job, 16,384 bytes of URI and headers (REST API developer guide, "Limits and allocations").
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from suppress.config import DestinationSettings
from suppress.config.values import is_loopback
from suppress.core.suppression import Json
from suppress.errors import ConfigWrong
from suppress.plugin.contract import Capabilities, Delivery, Detail, Reach, Unit, Unknowns
from suppress.plugin.guard import checked_url
from suppress.plugin.options import defaults, whole

COMPOSITE = 200
"""Records in one composite call, and no setting: Salesforce refuses more."""
LOGIN = "https://login.salesforce.com"
SECRETS = ("client_secret", "access_token")
OBJECTS = ("Contact", "Lead", "Account")


def _text(description: str, **more: Json) -> Mapping[str, Json]:
    return {"type": "string", "description": description, **more}


def _number(default: int, description: str) -> Mapping[str, Json]:
    return {"type": "integer", "default": default, "description": description}


def _fields(default: str, description: str) -> Mapping[str, Json]:
    return {"type": "array", "default": (default,), "description": description}


SCHEMA: Mapping[str, Json] = {
    "properties": {
        "instance_url": _text("the org's own address, such as https://acme.my.salesforce.com"),
        "login_url": _text("where to sign in, if not at instance_url (JWT: login.salesforce.com)"),
        "api_version": _text("version of the REST API", default="66.0"),
        "client_id": _text("consumer key of the external client app"),
        "client_secret": _text("its secret: signs in with client credentials"),
        "username": _text("whom a JWT signs in"),
        "private_key_file": _text("PEM file of the key that signs the JWT, mode 0600"),
        "access_token": _text("a session token from outside, used as it is"),
        "objects": {
            "type": "array",
            "default": OBJECTS,
            "description": "which records are looked for; Account: person accounts, where an org has them",
        },
        "contact_field": _text("the checkbox that stops mail", default="HasOptedOutOfEmail"),
        "lead_field": _text("the checkbox that stops mail", default="HasOptedOutOfEmail"),
        "account_field": _text("the checkbox that stops mail", default="PersonHasOptedOutOfEmail"),
        "contact_email_fields": _fields("Email", "fields that hold an address"),
        "lead_email_fields": _fields("Email", "fields that hold an address"),
        "account_email_fields": _fields("PersonEmail", "fields that hold an address"),
        "unknown": _text("addresses without a record are left alone", enum=("skip",), default="skip"),
        "mode": _text(
            "auto takes the Bulk API from bulk_from on", enum=("auto", "composite", "bulk"), default="auto"
        ),
        "bulk_from": _number(2_000, "records from which on a bulk job is used"),
        "batch": _number(25_000, "people told between two receipts"),
        "query_addresses": _number(150, "addresses in one query"),
        "query_bytes": _number(12_000, "bytes of one query's URI; with headers 16,384 are allowed"),
        "bulk_bytes": _number(100_000_000, "bytes of one bulk job; 150 MB are allowed after base64"),
        "bulk_page": _number(25_000, "rows in one page of a bulk result"),
        "poll_seconds": _number(5, "seconds between two looks at a job"),
        "at_once": _number(5, "requests under way at once; 25 long ones are allowed"),
        "allowance_percent": _number(80, "share of the day's requests after which a run stops"),
    },
    "required": ("instance_url",),
}


def capabilities(options: Options | None = None) -> Capabilities:
    """What Salesforce can do, as it is configured."""
    jobs = options is None or options.mode != "composite"
    return Capabilities(
        unit=Unit.BATCH,
        delivery=Delivery.JOB if jobs else Delivery.SYNC,
        detail=Detail.PER_RECORD,
        creates_unknown=Unknowns.NEVER,
        target="org",
        max_batch=25_000 if options is None else options.batch,
        max_concurrency=5 if options is None else options.at_once,
        read_batch=150 if options is None else options.query_addresses,
        can_read_one=True,
        can_read_many=True,
        can_list_all=True,
        blocks_transactional=False,
        reversible_by_others=True,
        reach=Reach.ACCOUNT,
        keeps=frozenset(),
        secrets=SECRETS,
        config=SCHEMA,
    )


@dataclass(frozen=True, slots=True)
class Target:
    """One object: where its addresses are, and the checkbox that stops mail to them."""

    name: str
    emails: tuple[str, ...]
    opt_out: str


@dataclass(frozen=True, slots=True)
class Options:
    """The settings of one org."""

    instance_url: str
    login_url: str
    version: str
    targets: tuple[Target, ...]
    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    username: str | None = None
    private_key_file: Path | None = None
    access_token: str | None = field(default=None, repr=False)
    mode: str = "auto"
    bulk_from: int = 2_000
    batch: int = 25_000
    query_addresses: int = 150
    query_bytes: int = 12_000
    bulk_bytes: int = 100_000_000
    bulk_page: int = 25_000
    poll_seconds: int = 5
    at_once: int = 5
    allowance_percent: int = 80


_FIELD = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,79}")
_STANDARD = {
    "Contact": "HasOptedOutOfEmail",
    "Lead": "HasOptedOutOfEmail",
    "Account": "PersonHasOptedOutOfEmail",
}
_LEAST = {
    "bulk_from": 0,
    "batch": 1,
    "query_addresses": 1,
    "query_bytes": 1,
    "bulk_bytes": 1,
    "bulk_page": 1,
    "poll_seconds": 0,
    "at_once": 1,
    "allowance_percent": 1,
}


def read(settings: DestinationSettings) -> Options:
    """The options of a destination.

    Raises:
        ConfigWrong: A value cannot mean anything; the message names its key.
    """
    given, table = {**defaults(SCHEMA), **settings.options}, f"destinations.{settings.name}"
    where = f"[{table}]"
    url = given.get("instance_url")
    if not isinstance(url, str) or not url:
        raise ConfigWrong(f"{where} lacks 'instance_url', such as https://acme.my.salesforce.com")
    instance = checked_url(url, setting=f"{where} instance_url")
    version = str(given["api_version"]).removeprefix("v")
    if not re.fullmatch(r"[0-9]{2,3}\.0", version):
        raise ConfigWrong(f"{where} api_version must look like 66.0")
    key_file = _optional(given, "private_key_file")
    return Options(
        instance_url=instance,
        login_url=_login_url(given, instance, jwt=key_file is not None, where=where),
        version=version,
        targets=tuple(_targets(given, where)),
        client_id=_optional(given, "client_id"),
        client_secret=_optional(given, "client_secret"),
        username=_optional(given, "username"),
        private_key_file=None if key_file is None else Path(key_file),
        access_token=_optional(given, "access_token"),
        mode=str(given["mode"]),
        **{key: whole(given, key, table, least=least) for key, least in _LEAST.items()},
    )


def _optional(given: Mapping[str, Json], key: str) -> str | None:
    value = given.get(key)
    return value if isinstance(value, str) and value else None


def _login_url(given: Mapping[str, Json], instance: str, *, jwt: bool, where: str) -> str:
    named = _optional(given, "login_url")
    if named is not None:
        return checked_url(named, setting=f"{where} login_url")
    # Client credentials are taken at the org's own host only; a JWT names the login host as its audience.
    local = is_loopback(urlsplit(instance).hostname or "")
    return LOGIN if jwt and not local else instance


def _targets(given: Mapping[str, Json], where: str) -> list[Target]:
    found = []
    for name in _names(given["objects"]):
        if name not in OBJECTS:
            raise ConfigWrong(f"{where} objects must be of {', '.join(OBJECTS)}")
        prefix = name.lower()
        opt_out, emails = str(given[f"{prefix}_field"]), _names(given[f"{prefix}_email_fields"])
        for field_name in (opt_out, *emails):
            if not _FIELD.fullmatch(field_name):
                raise ConfigWrong(f"{where} {prefix}_field and {prefix}_email_fields are names of fields")
        if opt_out != _STANDARD[name] and not opt_out.endswith("__c"):
            # Any other standard checkbox means something else; setting DoNotCall would stop no mail.
            raise ConfigWrong(f"{where} {prefix}_field must be {_STANDARD[name]} or a custom field (…__c)")
        if not emails:
            raise ConfigWrong(f"{where} {prefix}_email_fields names no field")
        found.append(Target(name, tuple(dict.fromkeys(emails)), opt_out))
    if not found:
        raise ConfigWrong(f"{where} objects names no object")
    return found


def _names(value: Json) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(str, value))) if isinstance(value, (list, tuple)) else ()

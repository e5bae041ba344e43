"""What a value may be: text, path, URL, time zone, policy, ledger; anything else is `ConfigWrong`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from suppress.config.layers import VARIABLE, Layer, Value, fold, nearest
from suppress.config.settings import AlertSettings, DestinationSettings, Settings, SourceSettings, redacted
from suppress.core.suppression import EVERYTHING, Json, Scope
from suppress.errors import BadFile, ConfigWrong

DEFAULT_POLICY = "us.can-spam"
DEFAULT_PLATFORM = "constant-contact"
"""The platform of a source that names none, so that a token in the environment is enough to begin."""


def built(found: Layer, base: Path, state: Path, file: Path | None, unknown: tuple[str, ...]) -> Settings:
    """The settings; `state` is the user's folder for state, unless another one is named."""
    ledger, ledger_origin = _ledger(found, base)
    beside = _beside(ledger, base)
    timezone, policies = found.get(("timezone",)), found.get(("policies",))
    organisation = found.get(("organisation",))
    origins = {".".join(key): value.origin for key, value in found.items() if len(key) != 2}
    origins["ledger"] = ledger_origin
    folders = {"keys": beside.with_suffix(".keys"), "state": state}
    for key in folders:
        if (given := found.get((key,))) is not None:
            folders[key] = _path(given, key)
    origins.setdefault("keys", "default, beside the ledger")
    origins.setdefault("state", "default, one for all ledgers of this user")
    sources = {
        name: replace(_source(name, keys, found["sources", name]), ledger=redacted(ledger))
        for name, keys in _accounts(found, "sources")
    }
    destinations = dict(_accounts(found, "destinations"))
    nameless = {
        name: found["destinations", name].origin
        for name, keys in destinations.items()
        if "platform" not in keys and found["destinations", name].origin.startswith(VARIABLE)
    }
    for name in sources:
        origins.setdefault(f"sources.{name}.platform", "default")
    return Settings(
        ledger=ledger,
        keys=folders["keys"],
        state=folders["state"],
        organisation=None if organisation is None else _text(organisation, "organisation"),
        timezone="UTC" if timezone is None else _timezone(timezone),
        policies=(DEFAULT_POLICY,) if policies is None else _policies(policies),
        sources=sources,
        destinations={
            name: _destination(name, keys, found["destinations", name])
            for name, keys in destinations.items()
            if name not in nameless
        },
        alerts={name: _alert(name, keys, found["alerts", name]) for name, keys in _accounts(found, "alerts")},
        file=file,
        origins=origins,
        unknown=unknown,
        nameless=nameless,
    )


def _accounts(found: Layer, section: str) -> Iterator[tuple[str, dict[str, Value]]]:
    names = sorted(key[1] for key in found if key[0] == section and len(key) == 2)
    folded: dict[str, str] = {}
    for name in names:
        if (other := folded.setdefault(fold(name), name)) != name:
            raise found[section, name].wrong(
                f"{section} {other!r} and {name!r} differ only in '-', '_' or case; rename one"
            )
        yield (
            name,
            {key[2]: value for key, value in found.items() if key[:2] == (section, name) and len(key) == 3},
        )


def _source(name: str, keys: dict[str, Value], place: Value) -> SourceSettings:
    origins = {"": place.origin} | {key: value.origin for key, value in keys.items()}
    prefix = f"sources.{name}."
    platform, sender = _common(keys, prefix)
    token, token_file = keys.pop("access_token", None), keys.pop("access_token_file", None)
    if token is not None and token_file is not None:
        if token.rank == token_file.rank:
            raise token.wrong(f"{prefix}access_token and access_token_file are both given; keep one")
        # The one that came from closer by was meant: a variable over a file.
        token, token_file = (token, None) if token.rank > token_file.rank else (None, token_file)
    return SourceSettings(
        name=name,
        platform=platform or DEFAULT_PLATFORM,
        sender=sender,
        scope=_scope(keys.pop("scope", None), sender, prefix + "scope"),
        owner=None if (owner := keys.pop("owner", None)) is None else _text(owner, prefix + "owner"),
        access_token=None if token is None else _token(token, prefix + "access_token"),
        access_token_file=None if token_file is None else _path(token_file, prefix + "access_token_file"),
        options={key: _option(value, prefix + key) for key, value in keys.items()},
        origins=origins,
    )


def _scope(given: Value | None, sender: str | None, key: str) -> Scope:
    word = "everything" if given is None else _text(given, key)
    if given is None or word == "everything":
        return EVERYTHING
    if word != "sender":
        raise given.wrong(f'{key} must be "everything" or "sender", found {word!r}')
    if sender is None:
        raise given.wrong(f"{key} is that of the sender, and the table names no sender")
    return Scope(sender)


def _destination(name: str, keys: dict[str, Value], place: Value) -> DestinationSettings:
    origins = {"": place.origin} | {key: value.origin for key, value in keys.items()}
    prefix = f"destinations.{name}."
    platform, sender = _common(keys, prefix)
    if platform is None:
        raise place.wrong(f"destination {name!r} names no platform; suppress plugins lists them")
    recipient, basis, owner, max_age = (
        None if (value := keys.pop(key, None)) is None else _text(value, prefix + key)
        for key in ("recipient", "basis", "owner", "max_age")
    )
    options = {key: _option(value, prefix + key) for key, value in keys.items()}
    return DestinationSettings(
        name=name,
        platform=platform,
        sender=sender,
        options=options,
        origins=origins,
        recipient=recipient,
        basis=basis,
        owner=owner,
        max_age=max_age,
    )


def _alert(name: str, keys: dict[str, Value], place: Value) -> AlertSettings:
    prefix = f"alerts.{name}."
    origins = {"": place.origin} | {key: value.origin for key, value in keys.items()}
    kind, remind = keys.pop("kind", None), keys.pop("remind", None)
    if kind is None:
        raise place.wrong(f"alert {name!r} names no kind; webhook, command and email are built in")
    return AlertSettings(
        name=name,
        kind=_text(kind, prefix + "kind"),
        remind=timedelta(days=1) if remind is None else _hours(remind, prefix + "remind"),
        options={key: _option(value, prefix + key) for key, value in keys.items()},
        origins=origins,
    )


def _hours(found: Value, key: str) -> timedelta:
    """A span of hours or days."""
    spelled = re.fullmatch(r"([1-9][0-9]{0,4})\s*([hdw])", _text(found, key).lower())
    if spelled is None:
        raise found.wrong(f"{key} is no span of time; write it as 12h, 1d or 1w")
    return int(spelled[1]) * {"h": timedelta(hours=1), "d": timedelta(1), "w": timedelta(7)}[spelled[2]]


def _common(keys: dict[str, Value], prefix: str) -> tuple[str | None, str | None]:
    platform, sender = keys.pop("platform", None), keys.pop("sender", None)
    sender_name = None if sender is None else _text(sender, prefix + "sender")
    if sender is not None and "/" in (sender_name or ""):
        raise sender.wrong(f"{prefix}sender may not hold '/': it parts sender and list in a scope")
    return None if platform is None else _text(platform, prefix + "platform"), sender_name


def _kind(value: object) -> str:
    match value:
        case bool():
            return "true or false"
        case int():
            return "a whole number"
        case float():
            return "a number with a point"
        case dict():
            return "a table"
        case list():
            return "a list"
        case _:
            return "a date or time"


def _text(found: Value, key: str) -> str:
    if not isinstance(found.value, str):
        raise found.wrong(f"{key} must be text, found {_kind(found.value)}")
    text = found.value.strip()
    if not text:
        raise found.wrong(f"{key} is empty; give it a value or leave it out")
    if not text.isprintable():
        raise found.wrong(f"{key} holds control characters")
    return text


def _token(found: Value, key: str) -> str:
    text = _text(found, key)
    if not re.fullmatch(r"[!-~]+", text):
        raise found.wrong(
            f"{key} holds a space or a letter that no token has; give the token alone, without 'Bearer'"
        )
    return text


def _path(found: Value, key: str) -> Path:
    try:
        return found.base / Path(_text(found, key)).expanduser()
    except RuntimeError:
        raise found.wrong(f"{key}: there is no home folder for '~'") from None


def _option(found: Value, key: str) -> Json:
    """A value that only the platform understands; URLs and paths are recognised by their key."""
    last = key.rpartition(".")[2]
    if last.endswith("_url") or last == "url":
        return _url(found, key)
    if last.endswith(("_path", "_file")) or last == "path":
        return str(_path(found, key))
    return _json(found.value, found, key)


def _json(value: object, found: Value, key: str) -> Json:
    match value:
        case bool() | int():
            return value
        case str() if not value.strip():
            raise found.wrong(f"{key} is empty; give it a value or leave it out")
        case str() if "\0" in value:
            raise found.wrong(f"{key} holds control characters")
        case str():
            return value.strip()
        case list():
            return tuple(_json(each, found, key) for each in value)
        case dict():
            return {name: _json(each, found, f"{key}.{name}") for name, each in value.items()}
        case _:
            raise found.wrong(f"{key} must be text, a whole number, true or false, a list or a table")


def _url(found: Value, key: str) -> str:
    from urllib.parse import urlsplit

    text = _text(found, key)
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise found.wrong(f"{key} is no URL") from None
    if not host or " " in text:
        raise found.wrong(f"{key} is no URL; write https://host/path")
    if "@" in text:
        raise found.wrong(f"{key} may not hold a user name or password")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise found.wrong(
            f"{key} must begin with https:// (http:// only for this machine, such as 127.0.0.1)"
        )
    return text.rstrip("/")


def is_loopback(host: str) -> bool:
    """Whether `host` can only be this machine."""
    import ipaddress

    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _timezone(found: Value) -> str:
    import zoneinfo

    name = _text(found, "timezone")
    try:
        zoneinfo.ZoneInfo(name)
    except (ValueError, KeyError, OSError):
        raise found.wrong(
            f"unknown time zone {name!r}{nearest(name, zoneinfo.available_timezones())}"
        ) from None
    return name


def _policies(found: Value) -> tuple[str, ...]:
    given = found.value
    if isinstance(given, str):
        given = [each for each in given.split(",") if each.strip()]
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
        raise found.wrong(f"policies must be a list of texts, found {_kind(found.value)}")
    if not given:
        raise found.wrong(f"policies is empty; name at least one, such as {DEFAULT_POLICY}")
    return tuple(dict.fromkeys(_known_policy(found, each.strip()) for each in given))


def _known_policy(found: Value, name: str) -> str:
    """The policy's name; of a file of policies, its whole path."""
    from suppress.config.policy_files import chosen, is_file

    if name == DEFAULT_POLICY:
        return name
    if is_file(name):
        path = str(found.base / Path(name).expanduser())
        try:
            chosen([path])
        except BadFile as wrong:
            raise found.wrong(wrong.message) from None
        return path
    from suppress.core.policy import choose, policies

    try:
        choose(name)
    except ConfigWrong:
        hint = nearest(name, policies()) or f"; known: {', '.join(sorted(policies()))}"
        raise found.wrong(f"unknown policy {name!r}{hint}") from None
    return name


def _ledger(found: Layer, base: Path) -> tuple[str, str]:
    given = found.get(("ledger",))
    if given is None:
        return f"sqlite:///{base / 'suppress.db'}", "default"
    text = _text(given, "ledger")
    scheme, separator, rest = text.partition("://")
    if not separator or len(scheme) == 1:
        return f"sqlite:///{_sqlite_file(given, text)}", given.origin
    if scheme in ("sqlite", "sqlite+pysqlite"):
        if not rest.startswith("/"):
            raise given.wrong("ledger: write sqlite:///FILE, with three slashes")
        return f"sqlite:///{_sqlite_file(given, rest[1:])}", given.origin
    if scheme in ("postgresql", "postgres", "postgresql+psycopg"):
        return f"postgresql+psycopg://{rest}", given.origin
    raise given.wrong(
        f"ledger: {scheme!r} is no kind of ledger; write a file's name, sqlite:///FILE or postgresql+psycopg://…"
    )


def _sqlite_file(given: Value, text: str) -> Path:
    if not text or text == ":memory:":
        raise given.wrong("ledger: a ledger in memory would be lost; name a file")
    if "?" in text:
        # SQLAlchemy would read what follows as options of the connection.
        raise given.wrong("ledger: a file's name may not hold '?'")
    path = _path(replace(given, value=text), "ledger")
    if not path.name:
        raise given.wrong("ledger names no file")
    return path


def _beside(ledger: str, base: Path) -> Path:
    """The path whose suffix is replaced for the folder of keys."""
    kind, _, rest = ledger.partition(":///")
    return Path(rest) if kind == "sqlite" else base / "suppress.db"

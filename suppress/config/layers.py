"""Where values come from: files, environment and flags, each a layer of keys with their origins.

A layer is checked only for what it may *name*; what a value may *be* is decided in `values`, after the
layers are laid over one another.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from suppress.errors import ConfigWrong

FILE = "suppress.toml"
PREFIX = "SUPPRESS_"
VARIABLE = f"variable {PREFIX}"
"""How the origin of a value that the environment gave begins."""
TOP = ("ledger", "keys", "state", "organisation", "timezone", "policies")
SECTIONS = ("sources", "destinations", "alerts")
SOURCE_KEYS = ("platform", "sender", "scope", "owner", "access_token", "access_token_file")
ALERT_KEYS = ("kind", "remind")
DESTINATION_KEYS = ("platform", "sender", "recipient", "basis", "owner", "max_age")
"""What every source has, whatever its platform; a destination has the first two."""
ELSEWHERE = (
    *("config", "load_plugins", "log_format"),
    *("signing_key", "next_signing_key", "index_key", "snapshot_secret"),
)
"""Variables that are no settings: the file to read, which plugins to load, keys in place of key files."""
LARGEST = 1_048_576
"""Bytes. A larger file is no settings file; reading stops before it fills the memory."""
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]|_(?!_)){0,63}")


def nearest(word: str, choices: Iterable[str]) -> str:
    """`; did you mean 'x'?` when one of `choices` looks like `word`, or nothing."""
    import difflib

    found = difflib.get_close_matches(word, list(choices), n=1, cutoff=0.6)
    return f"; did you mean {found[0]!r}?" if found else ""


Key: TypeAlias = tuple[str, ...]
"""`("ledger",)`, `("sources", "main")` for a table that exists, `("sources", "main", "client_id")`."""


@dataclass(frozen=True, slots=True)
class Value:
    value: object
    origin: str
    base: Path
    """The folder that a relative path belongs to."""
    rank: int = 0

    def wrong(self, message: str) -> ConfigWrong:
        return wrong_at(self.origin, message)


Layer: TypeAlias = dict[Key, Value]


def wrong_at(origin: str, message: str) -> ConfigWrong:
    """The error about a value that came from `origin`."""
    place = origin.partition(", line")[0]
    return ConfigWrong(f"{origin}: {message}", remedy=f"correct {place}, then run the same command again")


def named_file(environ: Mapping[str, str]) -> Path | None:
    """What `SUPPRESS_CONFIG` names."""
    text = environ.get(PREFIX + "CONFIG")
    if text is None:
        return None
    if not text.strip():
        raise wrong_at(f"{PREFIX}CONFIG", "is empty; name a file or unset it")
    return Path(text)


def files(named: Path | None, environ: Mapping[str, str], here: Path) -> Iterator[tuple[Path, str]]:
    """The files to read, weakest first, and how to call each one in a message."""
    user, project = _user_folder(environ) / FILE, here / FILE
    # A link to nowhere counts as there, so that it is reported and not passed over.
    if os.path.lexists(user):
        yield user, str(user)
    if named is not None:
        yield here / named, str(named)
    elif os.path.lexists(project) and project != user:
        yield project, FILE


def state_folder(environ: Mapping[str, str]) -> Path:
    """The user's folder for what programs may lose; one for all ledgers, as request limits are."""
    found = _folder_of_user(environ, "XDG_STATE_HOME", ".local/state")
    if found is None:
        import platformdirs

        found = platformdirs.user_state_path("suppress", appauthor=False)
    return found


def _user_folder(environ: Mapping[str, str]) -> Path:
    found = _folder_of_user(environ, "XDG_CONFIG_HOME", ".config")
    if found is None:
        import platformdirs

        found = platformdirs.user_config_path("suppress", appauthor=False)
    return found


def _folder_of_user(environ: Mapping[str, str], variable: str, below_home: str) -> Path | None:
    # XDG is honoured on every system: people who set it look there, also on macOS.
    if (given := environ.get(variable)) and Path(given).is_absolute():
        return Path(given) / "suppress"
    if sys.platform == "linux" and (home := environ.get("HOME")):
        # What platformdirs would answer, without the 20 ms that importing it costs.
        return Path(home) / below_home / "suppress"
    return None


def file_layer(path: Path, name: str) -> Layer:
    """The keys of one TOML file; `name` is how messages call it."""
    import tomllib

    text = _text_of(path, name)
    try:
        table = tomllib.loads(text)
    except RecursionError:
        raise wrong_at(name, "is not TOML that can be read: nested too deep") from None
    except ValueError as wrong:
        raise wrong_at(name, f"is not TOML: {wrong}") from None
    lines = _lines(text)
    layer: Layer = {}
    for key, value in _flat(table):
        line = next((lines[key[:size]] for size in range(len(key), 0, -1) if key[:size] in lines), None)
        layer[key] = Value(value, name if line is None else f"{name}, line {line}", path.parent)
    for key, found in layer.items():
        _known(key, found)
    return layer


def _text_of(path: Path, name: str) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except FileNotFoundError:
        raise wrong_at(name, "there is no such file") from None
    except OSError as refused:
        raise wrong_at(name, f"cannot be read: {refused.strerror or type(refused).__name__}") from None
    except ValueError:
        raise wrong_at(repr(name), "is no file's name") from None
    if len(content) > LARGEST:
        raise wrong_at(name, f"is larger than {LARGEST:,} bytes, so it is no settings file")
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as wrong:
        line = content.count(b"\n", 0, wrong.start) + 1
        raise wrong_at(f"{name}, line {line}", "is not UTF-8 text; save the file as UTF-8") from None


def _lines(text: str) -> dict[Key, int]:
    """The line of every key, found by parsing the file once more, statement by statement.

    Lines are added to a statement until it parses, so that no second grammar of TOML is needed. Only for
    messages: a value over very many lines is left without a line number rather than parsed again and again.
    """
    import tomllib

    found: dict[Key, int] = {}
    table: Key = ()
    statement: list[str] = []
    for number, line in enumerate(text.split("\n"), start=1):
        statement.append(line)
        try:
            parsed = tomllib.loads("\n".join(statement))
        except (ValueError, RecursionError):
            if len(statement) > 100:
                return found
            continue
        path = tuple(_spine(parsed))
        if statement[0].lstrip().startswith("["):
            table = path
        elif path:
            path = (*table, *path)
        for size in range(1, len(path) + 1):
            found.setdefault(path[:size], number - len(statement) + 1)
        statement.clear()
    return found


def _spine(table: object) -> Iterator[str]:
    while isinstance(table, dict) and len(table) == 1:
        ((key, table),) = table.items()
        yield key


def _flat(table: Mapping[str, object]) -> Iterator[tuple[Key, object]]:
    """Settings by key; a section or an account that is no table is handed on as it is."""
    for top, value in table.items():
        if top not in SECTIONS or not isinstance(value, dict):
            yield (top,), value
            continue
        for name, account in value.items():
            yield (top, name), account
            if isinstance(account, dict):
                for key, inner in account.items():
                    yield (top, name, key), inner


def _known(key: Key, found: Value) -> None:
    top, *rest = key
    if top in SECTIONS and not rest:
        raise found.wrong(f"{top!r} must be tables, such as [{top}.main]")
    if top not in (*TOP, *SECTIONS):
        raise found.wrong(f"unknown key {top!r}{nearest(top, (*TOP, *SECTIONS))}")
    if len(rest) == 1:
        if not isinstance(found.value, dict):
            raise found.wrong(f"{'.'.join(key)!r} must be a table: [{top}.{rest[0]}]")
        if _NAME.fullmatch(rest[0]) is None:
            raise found.wrong(
                f"{rest[0]!r} is no name for {top}: use letters, digits, '-' and single '_' (64 at most)"
            )


def environment(
    environ: Mapping[str, str], here: Path, names: Iterable[str]
) -> tuple[Layer, tuple[str, ...]]:
    """The settings among the variables, and the variables with our prefix that are none of ours.

    `names` are the accounts that files hold, to which a variable may add.
    """
    spelled = {fold(name): name for name in names}
    layer: Layer = {}
    unknown = []
    for variable in sorted(environ):
        if not variable.startswith(PREFIX):
            continue
        parts = variable.removeprefix(PREFIX).lower().split("__")
        value = Value(environ[variable], f"variable {variable}", here)
        if len(parts) == 1 and parts[0] in TOP:
            layer[(parts[0],)] = value
        elif len(parts) == 3 and parts[0] in SECTIONS and all(parts):
            name = spelled.get(fold(parts[1]), parts[1])
            layer[parts[0], name] = Value({}, value.origin, here)
            layer[parts[0], name, parts[2]] = value
            _known((parts[0], name), layer[parts[0], name])
        elif parts[0] not in ELSEWHERE:
            _refuse_misspelt(parts, value)
            unknown.append(variable)
    return layer, tuple(unknown)


def fold(name: str) -> str:
    """How an account is called in a variable: no '-' and no lower case, so MAIN_BRAND is main-brand."""
    return name.lower().replace("-", "_")


def _refuse_misspelt(parts: list[str], value: Value) -> None:
    """Other programs may own variables with our prefix, so only what was plainly meant for us is refused."""
    import difflib

    if parts[0] in SECTIONS:
        raise value.wrong(f"name one value, such as {PREFIX}{parts[0].upper()}__MAIN__PLATFORM")
    close = difflib.get_close_matches(parts[0], (*TOP, *SECTIONS), n=1, cutoff=0.82)
    if close:
        meant = "__".join([close[0], *parts[1:]]).upper()
        raise value.wrong(f"unknown variable; did you mean {PREFIX}{meant}?")

"""Settings: flags > environment (`SUPPRESS_…`, nested by `__`) > `suppress.toml` > user config directory.

Rules kept here:

* Nothing is guessed and nothing is dropped: an unknown key, a wrong type or an empty value is `ConfigWrong`
  with the file's line or the variable's name, and no setting of a broken file is used.
* Every value remembers its origin, so that `suppress config` can say where it came from.
* A secret is never in a `repr`, in a message, or in what `shown` returns.
* A relative path belongs to the file that holds it; from a flag or a variable, to the working directory.

What only a platform knows (`client_id`, `audience`) is handed on as `options` and is checked against what the
platform's plugin declares when it is opened: see `suppress.plugin.options`. Why there is no settings library
here: `docs/decisions/0002-config-loader.md`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from suppress.config.layers import (
    ALERT_KEYS,
    DESTINATION_KEYS,
    FILE,
    SOURCE_KEYS,
    Layer,
    Value,
    environment,
    file_layer,
    files,
    named_file,
    nearest,
    state_folder,
    wrong_at,
)
from suppress.config.settings import (
    MASK,
    AlertSettings,
    DestinationSettings,
    Settings,
    Shown,
    SourceSettings,
    is_secret,
    redacted,
    shown,
)
from suppress.config.template import TEMPLATE
from suppress.config.values import built

__all__ = [
    "ALERT_KEYS",
    "DESTINATION_KEYS",
    "FILE",
    "MASK",
    "SOURCE_KEYS",
    "TEMPLATE",
    "AlertSettings",
    "DestinationSettings",
    "Settings",
    "Shown",
    "SourceSettings",
    "is_secret",
    "load",
    "nearest",
    "redacted",
    "shown",
    "wrong_at",
]


def load(
    *,
    config: Path | None = None,
    ledger: str | None = None,
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Settings:
    """The settings of this run; `config` and `ledger` are the flags of the same name.

    Raises:
        ConfigWrong: A file or variable cannot be read, is unknown, or is of the wrong kind.
    """
    environ = os.environ if environ is None else environ
    here = Path.cwd() if cwd is None else cwd
    named = config if config is not None else named_file(environ)
    found = [(path, file_layer(path, name)) for path, name in files(named, environ, here)]
    accounts = {key[1] for _, layer in found for key in layer if len(key) > 1}
    variables, unknown = environment(environ, here, accounts)
    flags: Layer = {} if ledger is None else {("ledger",): Value(ledger, "--ledger", here)}
    merged: Layer = {}
    for rank, layer in enumerate([*(each for _, each in found), variables, flags]):
        merged |= {key: replace(value, rank=rank) for key, value in layer.items()}
    project = next((path for path, _ in found if path in (here / FILE, here / (named or FILE))), None)
    base = here if project is None else project.parent
    return built(merged, base, state_folder(environ), found[-1][0] if found else None, unknown)

"""The tables of facts that the package ships as TOML (`suppress/core/data`)."""

from __future__ import annotations

import pkgutil
import tomllib
from typing import Any


def table(name: str) -> dict[str, Any]:
    """What the shipped file `data/<name>.toml` holds."""
    return tomllib.loads(content(name).decode())


def content(name: str) -> bytes:
    """The bytes of that file."""
    found = pkgutil.get_data(__package__, f"data/{name}.toml")
    assert found is not None, f"the installation lacks data/{name}.toml"
    return found

"""The tables of facts that the package ships as TOML (`suppress/core/data`)."""

from __future__ import annotations

import pkgutil
import tomllib
from typing import Any


def table(name: str) -> dict[str, Any]:
    """What the shipped file `data/<name>.toml` holds."""
    content = pkgutil.get_data(__package__, f"data/{name}.toml")
    assert content is not None, f"the installation lacks data/{name}.toml"
    return tomllib.loads(content.decode())

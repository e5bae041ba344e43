"""A destination's secret is found where it is, and never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from suppress.config import DestinationSettings
from suppress.core.suppression import Json
from suppress.plugin.errors import AuthFailed
from suppress.plugin.secret import secret_of


def destination(**options: Json) -> DestinationSettings:
    """A `[destinations.crm]` table."""
    return DestinationSettings("crm", "acme", options=options)


def test_a_secret_comes_from_the_setting_or_its_file(tmp_path: Path) -> None:
    """A file is for tokens that are renewed."""
    file = tmp_path / "token"
    file.write_text(" pat-na1-y \n")

    assert secret_of(destination(access_token=" pat-na1-x "), "access_token") == "pat-na1-x"
    assert secret_of(destination(access_token_file=str(file)), "access_token") == "pat-na1-y"


def test_a_token_that_is_missing_names_where_to_put_it(tmp_path: Path) -> None:
    """No setting, no file, an empty file, or one that is no text."""
    empty = tmp_path / "empty"
    empty.write_text("\n")
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe")

    with pytest.raises(AuthFailed, match="has no access token") as raised:
        secret_of(destination(), "access_token")
    assert raised.value.remedy is not None
    assert "SUPPRESS_DESTINATIONS__CRM__ACCESS_TOKEN" in raised.value.remedy
    with pytest.raises(AuthFailed, match="cannot be read: No such file"):
        secret_of(destination(access_token_file=str(tmp_path / "none")), "access_token")
    with pytest.raises(AuthFailed, match="cannot be read: it is no text"):
        secret_of(destination(access_token_file=str(binary)), "access_token")
    with pytest.raises(AuthFailed, match="holds no access token"):
        secret_of(destination(access_token_file=str(empty)), "access_token")

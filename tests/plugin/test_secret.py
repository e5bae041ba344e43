"""A destination's secret is found where it is, and never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from suppress.config import DestinationSettings
from suppress.core.suppression import Json
from suppress.plugin.errors import AuthFailed
from suppress.plugin.secret import secret_of, signed
from suppress.plugin.transport import Reply


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


def test_a_refused_secret_that_somebody_renewed_is_sent_again(tmp_path: Path) -> None:
    """Once: what is refused then is refused."""
    file, sent = tmp_path / "token", list[str]()
    file.write_text("old")

    def send(secret: str) -> Reply:
        sent.append(secret)
        file.write_text(f"{secret}er")
        return Reply(401, {}, b"")

    assert signed(destination(token_file=str(file)), "token", send).status == 401
    assert sent == ["old", "older"]


@pytest.mark.parametrize("status", [200, 401, 403])
def test_a_secret_that_is_what_it_was_is_sent_once(status: int) -> None:
    """Sending the same again would only add to refusals."""
    sent: list[str] = []

    def send(secret: str) -> Reply:
        sent.append(secret)
        return Reply(status, {}, b"")

    assert signed(destination(token="t"), "token", send).status == status
    assert sent == ["t"]

"""The access token: from a variable or a private file, never shown, and the way out is named."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from suppress.config import SourceSettings
from suppress.errors import SignInNeeded
from suppress.platforms.constant_contact.token import Token


def token(*, given: str | None = None, file: Path | None = None, name: str = "main") -> Token:
    return Token(SourceSettings(name, "constant-contact", access_token=given, access_token_file=file))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "main.token"
    path.write_text("tok-one\n")
    path.chmod(0o600)
    return path


def test_a_given_token_is_used_as_it_is() -> None:
    """Without the white space that a shell adds."""
    assert "Bearer tok-one" == token(given=" tok-one\n").authorization()


def test_a_token_file_is_read_when_it_is_needed(file: Path) -> None:
    """And once only, as long as nothing refuses it."""
    ours = token(file=file)
    before = ours.authorization()
    file.write_text("tok-two")

    assert ["Bearer tok-one"] * 2 == [before, ours.authorization()]


def test_a_given_token_outweighs_the_file(file: Path) -> None:
    """It came from closer by."""
    ours = token(given="tok-given", file=file)

    assert "Bearer tok-given" == ours.authorization()
    assert not ours.renewed()
    assert "SUPPRESS_SOURCES__MAIN__ACCESS_TOKEN" == ours.place


def test_a_refreshed_file_is_read_once_more(file: Path) -> None:
    """An outside refresher may have rotated the token."""
    ours = token(file=file)
    ours.authorization()
    file.write_text("tok-two")

    assert ours.renewed()
    assert "Bearer tok-two" == ours.authorization()


def test_the_same_token_is_no_renewal(file: Path) -> None:
    """Asking again with it would be refused again."""
    ours = token(file=file)
    ours.authorization()

    assert not ours.renewed()


def test_without_a_token_both_ways_to_give_one_are_named() -> None:
    """A name with a hyphen is spelled as the variable is."""
    with pytest.raises(SignInNeeded) as raised:
        token(name="main-brand").authorization()

    assert (
        "source 'main-brand' cannot sign in to Constant Contact: there is no access token"
    ) == raised.value.message
    assert (
        "set SUPPRESS_SOURCES__MAIN_BRAND__ACCESS_TOKEN, "
        "or name a file with mode 0600 as access_token_file in [sources.main-brand]"
    ) == raised.value.remedy


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o620])
def test_a_file_that_others_may_read_is_refused(mode: int, file: Path) -> None:
    """With the command that mends it."""
    file.chmod(mode)

    with pytest.raises(SignInNeeded, match="can be read by others") as raised:
        token(file=file).authorization()

    assert f"chmod 600 {file}" == raised.value.remedy


@pytest.mark.parametrize("content", ["", "  \n", "Bearer t0k-one", '"t0k one"', "t0k-ö", "t0k\x00"])
def test_what_is_no_token_alone_is_refused_and_not_shown(content: str, file: Path) -> None:
    """An empty file, a whole header, quotes, two words."""
    file.write_text(content)

    with pytest.raises(SignInNeeded) as raised:
        token(file=file).authorization()

    assert str(file) in raised.value.message
    assert "t0k" not in raised.value.message


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """With the system's reason."""
    with pytest.raises(SignInNeeded, match=r"main\.token cannot be read \(No such file or directory\)"):
        token(file=tmp_path / "main.token").authorization()


def test_a_folder_or_a_pipe_is_no_token(tmp_path: Path) -> None:
    """A pipe that nobody writes to would be waited for without end."""
    os.mkfifo(tmp_path / "pipe", 0o600)

    for place in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(SignInNeeded, match="is no file"):
            token(file=place).authorization()

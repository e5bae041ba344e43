"""Where a grant is kept: private, whole, and never older than what was known."""

from __future__ import annotations

import errno
import json
import os
import stat
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suppress.errors import SignInNeeded, SourceFailed, StorageFailed
from suppress.platforms.constant_contact import safe as safe_module
from suppress.platforms.constant_contact.grant import Grant, NoGrant, from_facts, issued, parsed, to_facts
from suppress.platforms.constant_contact.private_file import PrivateFile
from suppress.platforms.constant_contact.safe import Safe
from suppress.plugin.lock import locked
from suppress.plugin.signing import Store
from tests.plugin.virtual import NOON, VirtualTime

ONE = Grant("app", "access-1", "refresh-1", ("contact_data",), NOON, NOON + timedelta(days=1))
TWO = replace(ONE, access_token="access-2", refresh_token="refresh-2")


def safe(folder: Path) -> Safe:
    return Safe(folder / "sign-in", "main-0", source="main", clock=VirtualTime().clock)


@pytest.fixture
def kept(tmp_path: Path) -> Safe:
    """A file with the first grant."""
    found = safe(tmp_path)
    with found.alone():
        found.write(ONE, store=Store.FILE)
    return found


def draft_of(folder: Path) -> Path:
    return folder / "sign-in" / "main-0.json.new"


def file_of(folder: Path) -> Path:
    return folder / "sign-in" / "main-0.json"


def test_what_was_kept_comes_back(kept: Safe, tmp_path: Path) -> None:
    """And nobody else may read it."""
    assert ONE == safe(tmp_path).read()
    assert 0o600 == file_of(tmp_path).stat().st_mode & 0o777
    assert 0o700 == file_of(tmp_path).parent.stat().st_mode & 0o777


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o620])
def test_a_file_that_others_may_read_is_refused(mode: int, kept: Safe, tmp_path: Path) -> None:
    """With the command that mends it."""
    file_of(tmp_path).chmod(mode)
    with pytest.raises(SignInNeeded, match="can be read by others") as raised:
        kept.read()

    assert f"chmod 600 {file_of(tmp_path)}" == raised.value.remedy


@pytest.mark.parametrize("mode", [0o770, 0o777, 0o722])
def test_a_folder_in_which_others_may_exchange_files_is_refused(
    mode: int, kept: Safe, tmp_path: Path
) -> None:
    """A private file in it may be somebody else's tomorrow."""
    file_of(tmp_path).parent.chmod(mode)
    with pytest.raises(SignInNeeded, match="may exchange files") as raised:
        kept.read()

    assert f"chmod 700 {file_of(tmp_path).parent}" == raised.value.remedy


def test_a_link_a_folder_and_another_users_file_are_refused(
    kept: Safe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None of them is what we wrote there."""
    file = file_of(tmp_path)
    with monkeypatch.context() as other:
        other.setattr(os, "geteuid", lambda: 4_711)
        with pytest.raises(SignInNeeded, match="belongs to another user"):
            kept.read()
    file.rename(tmp_path / "elsewhere")
    file.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SignInNeeded, match="is a link"):
        kept.read()
    file.unlink()
    file.mkdir()
    with pytest.raises(SignInNeeded, match="is no file"):
        kept.read()


@pytest.mark.parametrize(
    "content",
    [
        *("{", "[]", "null", '{"kept": "moon"}', '{"kept": "file"}'),
        '{"kept": "file", "grant": {"client_id": 1}}',
        json.dumps({"kept": "file", "grant": to_facts(ONE) | {"expires_at": 1e300}}),
    ],
)
def test_a_file_that_is_not_ours_is_said(content: str, kept: Safe, tmp_path: Path) -> None:
    """Not taken for nobody: a person has to sign in, and then it is replaced."""
    file_of(tmp_path).write_text(content)
    with pytest.raises(SignInNeeded, match="cannot be read") as raised:
        kept.read()

    assert "suppress login main" == raised.value.remedy
    with kept.alone():
        kept.write(TWO, store=Store.FILE)
    assert TWO == kept.read()


def test_a_draft_that_follows_is_adopted(kept: Safe, tmp_path: Path) -> None:
    """A process was killed between writing and changing names."""
    with pytest.raises(KeyboardInterrupt), kept.alone():
        kept.begin()
        kept._file.adopt = interrupted  # type: ignore[method-assign]  # killed there
        kept.write(TWO, before=ONE)
    assert draft_of(tmp_path).exists()

    again = safe(tmp_path)
    with again.alone() as cut_off:
        assert cut_off
        assert TWO == again.read()
    assert not draft_of(tmp_path).exists()


def interrupted() -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    "content",
    [
        "",
        "   ",
        '{"v": 1, "kept": "file", "gra',
        json.dumps({"v": 1, "kept": "file", "grant": to_facts(TWO), "after": None}),
        json.dumps({"v": 1, "kept": "file", "grant": to_facts(TWO), "after": "0" * 64}),
        json.dumps({"v": 1, "kept": "keyring"}),
    ],
    ids=["empty", "reserve", "half", "of-nobody", "of-another", "pointer"],
)
def test_a_draft_that_does_not_follow_is_removed(content: str, kept: Safe, tmp_path: Path) -> None:
    """Half-written, or older than what is in place."""
    draft_of(tmp_path).write_text(content)
    draft_of(tmp_path).chmod(0o600)
    with kept.alone():
        assert ONE == kept.read()
    assert not draft_of(tmp_path).exists()


def test_a_first_draft_is_adopted_and_one_after_signing_out_is_not(tmp_path: Path) -> None:
    """Whoever signed out must not be signed in by what was left behind."""
    found = safe(tmp_path)
    with found.alone():
        found.write(ONE, store=Store.FILE)
        found.begin()
        found.forget()
    with found.alone():
        assert found.read() is None
        assert found.where() is None


def test_another_process_is_waited_for_and_then_named(tmp_path: Path) -> None:
    """It hangs; the second one does not for ever."""
    found = safe(tmp_path)
    held = locked(tmp_path / "sign-in" / "main-0.lock", clock=VirtualTime().clock, patience=1)
    with held, pytest.raises(SourceFailed, match="another process"), found.alone():
        pytest.fail("two at once")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("at", ["reserve", "replace", "remove"])
def test_a_disk_that_fails_is_an_error_and_keeps_what_was(
    at: str, number: int, kept: Safe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 70; the old grant is still there."""

    def failing(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(PrivateFile, at, failing)
    with pytest.raises(StorageFailed, match=os.strerror(number)) as raised, kept.alone():
        kept.begin()
        kept.write(TWO, before=ONE)
        kept.forget()

    assert 70 == raised.value.exit_code
    if at != "remove":
        assert ONE == safe(tmp_path).read()


@pytest.mark.parametrize(("number", "fails"), [(errno.EIO, True), (errno.EINVAL, False)])
def test_a_folder_that_cannot_be_synced(
    number: int, fails: bool, kept: Safe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some file systems do not have that; a failing disk is told apart."""
    real = os.fsync

    def fsync(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(number, os.strerror(number))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    with kept.alone():
        if fails:
            with pytest.raises(StorageFailed):
                kept.write(TWO, store=Store.FILE, before=ONE)
        else:
            kept.write(TWO, store=Store.FILE, before=ONE)
    assert TWO == kept.read()


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """A file stands where it would be."""
    (tmp_path / "sign-in").write_text("")
    with pytest.raises(StorageFailed, match="sign-in"), safe(tmp_path).alone():
        pytest.fail("there is no folder")


def test_a_file_that_may_not_be_read(kept: Safe, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's reason is said."""

    def refused(*_: object, **__: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "open", refused)
    with pytest.raises(SignInNeeded, match="Permission denied"):
        kept.read()
    assert kept.place.startswith("the file ")


# --- Grants as values ------------------------------------------------------------------------------------

TEXTS = st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)
GRANTS = st.builds(
    Grant,
    client_id=TEXTS,
    access_token=TEXTS,
    refresh_token=st.none() | TEXTS,
    scopes=st.lists(st.sampled_from(["contact_data", "account_read"]), unique=True).map(tuple),
    renewed_at=st.just(NOON),
    expires_at=st.integers(0, 10**6).map(lambda seconds: NOON + timedelta(seconds=seconds)),
    confidential=st.booleans(),
    account=st.none() | st.text(max_size=20),
)
JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
ANSWER = {"access_token": "a.b.c", "refresh_token": "r2", "expires_in": 28_800, "scope": "contact_data x"}


@settings(max_examples=100)
@given(grant=GRANTS)
def test_a_grant_is_read_as_it_was_written(grant: Grant) -> None:
    """Through JSON, to the second and the letter."""
    assert grant == from_facts(parsed(json.dumps(to_facts(grant))))


@settings(max_examples=100)
@given(
    answer=JSONS
    | st.fixed_dictionaries(
        {},
        optional=dict.fromkeys((*ANSWER, "token_type"), JSONS),
    )
)
def test_any_answer_is_a_usable_grant_or_refused(answer: object) -> None:
    """Never a token that no header could hold, never an end before its beginning."""
    try:
        found = issued(answer, now=NOON, client_id="app", asked=("contact_data",))
    except NoGrant:
        return
    assert found.access_token.isascii() and found.access_token.isprintable()
    assert NOON <= found.expires_at


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(28_800, 28_800), ("28800", 28_800), (28_800.0, 28_800), (0, 0)]
    + [(each, 3_600) for each in (None, "", "soon", -1, True, 1e300, "9" * 30, float("nan"))],
)
def test_the_life_that_arrives_counts(value: object, seconds: int) -> None:
    """The guide shows a number and a text; anything else is taken for an hour."""
    found = issued(ANSWER | {"expires_in": value}, now=NOON, client_id="app", asked=())

    assert timedelta(seconds=seconds) == found.expires_at - NOON


def test_a_refresh_that_brings_no_new_token_keeps_the_old_one() -> None:
    """As applications with long-lived tokens may answer; scopes and account stay too."""
    before = replace(ONE, account="Acme")
    found = issued({"access_token": "new"}, now=NOON, client_id="app", asked=(), before=before)

    assert ("new", "refresh-1", ONE.scopes, "Acme") == (
        found.access_token, found.refresh_token, found.scopes, found.account,
    )  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        *({"access_token": ""}, {"access_token": "a b"}, {"access_token": 1}),
        *({"token_type": "mac"}, {"token_type": None}, {"refresh_token": ""}, {"refresh_token": ["r"]}),
    ],
)
def test_what_is_no_token_is_refused(change: dict[str, object]) -> None:
    """And the message does not repeat it."""
    with pytest.raises(NoGrant) as raised:
        issued(ANSWER | change, now=NOON, client_id="app", asked=())
    assert "a b" not in str(raised.value)


def test_the_patience_is_longer_than_a_request() -> None:
    """Whoever waits must not give up while the other one still asks the vendor."""
    from suppress.plugin.transport import LONGEST_ATTEMPT

    assert safe_module.PATIENCE > LONGEST_ATTEMPT

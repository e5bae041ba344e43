"""A grant in a keyring: real ones only, never for ever, and the refresh token at once or not at all."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import fail, null
from keyring.backends.chainer import ChainerBackend
from keyring.errors import KeyringLocked

from suppress.errors import BadUsage, SignInNeeded, StorageFailed
from suppress.platforms.constant_contact.grant import Grant, NoGrant
from suppress.platforms.constant_contact.keyring_entry import PIECE, SERVICE, KeyringEntry, NoKeyring
from suppress.plugin.signing import Store
from tests.platforms.constant_contact.filed_keyring import FiledKeyring
from tests.platforms.constant_contact.signed import ignore, never, world
from tests.plugin.virtual import NOON

GRANT = Grant("app", "A" * 3_300, "refresh-1", ("contact_data",), NOON, NOON + timedelta(days=1))


@pytest.fixture(autouse=True)
def filed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FiledKeyring]:
    """The keyring of this test."""
    monkeypatch.setenv("FILED_KEYRING", str(tmp_path / "keyring"))
    before = keyring.get_keyring()
    backend = FiledKeyring()
    keyring.set_keyring(backend)
    yield backend
    keyring.set_keyring(before)


def test_what_was_kept_comes_back() -> None:
    """In pieces that the smallest keyring takes."""
    entry = KeyringEntry("main")
    assert entry.read() is None
    entry.write(GRANT)

    assert GRANT == KeyringEntry("main").read()
    assert PIECE <= 1_280


def test_every_entry_is_small(filed: FiledKeyring, tmp_path: Path) -> None:
    """Windows takes 2,560 bytes, which are 1,280 characters there."""
    KeyringEntry("main").write(GRANT)

    sizes = [len(each.read_text()) for each in (tmp_path / "keyring").iterdir()]
    assert 5 == len(sizes)
    assert max(sizes) <= 1_280


def test_pieces_of_two_tokens_are_told_apart(filed: FiledKeyring) -> None:
    """The refresh token is the new one; the access token has to be had again."""
    entry = KeyringEntry("main")
    entry.write(GRANT)
    old = filed.get_password(SERVICE, "main#0")
    entry.write(replace(GRANT, access_token="B" * 3_300, refresh_token="refresh-2"))
    filed.set_password(SERVICE, "main#0", str(old))

    found = entry.read()
    assert found is not None
    assert ("refresh-2", "", False) == (found.refresh_token, found.access_token, found.alive(NOON))


def test_forgetting_leaves_nothing(tmp_path: Path) -> None:
    """Every piece, and it may be repeated."""
    entry = KeyringEntry("main")
    entry.write(GRANT)
    entry.forget()
    entry.forget()

    assert [] == list((tmp_path / "keyring").iterdir())


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"client_id": 1}'])
def test_what_is_not_ours_is_refused(text: str, filed: FiledKeyring) -> None:
    """Another program's entry of the same name."""
    filed.set_password(SERVICE, "main", text)
    with pytest.raises(NoGrant):
        KeyringEntry("main").read()


def made(kind: Any) -> KeyringBackend:
    """One of the library's own, whose constructors have no types."""
    backend = kind()
    assert isinstance(backend, KeyringBackend)
    return backend


def plain() -> KeyringBackend:
    """As keyrings.alt brings it."""
    backend = type("PlaintextKeyring", (FiledKeyring,), {"__module__": "keyrings.alt.file"})()
    assert isinstance(backend, KeyringBackend)
    return backend


def chain(*backends: KeyringBackend) -> KeyringBackend:
    """A chain, as the library makes it when there are several."""
    found = type("Chain", (ChainerBackend,), {"backends": list(backends)})()
    assert isinstance(found, KeyringBackend)
    return found


@pytest.mark.parametrize(
    ("backend", "why"),
    [
        (made(null.Keyring), "there is none"),
        (made(fail.Keyring), "there is none"),
        (plain(), "plain text"),
        (chain(), "there is none"),
        (chain(plain(), made(null.Keyring)), "plain text"),
    ],
    ids=["null", "fail", "alt", "empty-chain", "chain-of-these"],
)
def test_what_only_looks_like_a_keyring_is_refused(backend: KeyringBackend, why: str) -> None:
    """`null` would drop the token without a word, `keyrings.alt` would write it into a plain file."""
    keyring.set_keyring(backend)
    with pytest.raises(NoKeyring, match=why):
        KeyringEntry("main").probe()


def test_of_a_chain_the_real_one_is_used_alone(filed: FiledKeyring) -> None:
    """Even if a plain one stands before it."""
    keyring.set_keyring(chain(plain(), filed))

    assert "FiledKeyring" in KeyringEntry("main").place


def test_a_backend_that_cannot_be_loaded_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable names one that is not there."""
    monkeypatch.setattr(keyring.core, "_keyring_backend", None)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "nowhere.Keyring")
    with pytest.raises(NoKeyring, match="ModuleNotFoundError"):
        KeyringEntry("main").probe()


def test_without_the_extra_the_way_to_install_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library is optional."""
    monkeypatch.setitem(__import__("sys").modules, "keyring", None)
    with pytest.raises(NoKeyring, match=r"pip install 'suppress-ledger\[keyring\]'"):
        KeyringEntry("main").probe()


class Locked(FiledKeyring):
    """Nobody unlocked it."""

    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringLocked("with refresh-1 in its words")


class Forgetful(FiledKeyring):
    """Takes everything and keeps nothing."""

    def get_password(self, service: str, username: str) -> str | None:
        return None


class Stuck(FiledKeyring):
    """Waits for a window that nobody sees."""

    ended = threading.Event()

    def get_password(self, service: str, username: str) -> str | None:
        self.ended.wait(60)
        return None


def test_a_locked_keyring_is_said_without_its_words() -> None:
    """They may hold what it was given."""
    keyring.set_keyring(Locked())
    with pytest.raises(NoKeyring, match=r"it failed \(KeyringLocked\)") as raised:
        KeyringEntry("main").read()
    assert "refresh-1" not in str(raised.value)


def test_a_keyring_that_keeps_nothing_is_found_out() -> None:
    """Before anybody signs in for it."""
    keyring.set_keyring(Forgetful())
    with pytest.raises(NoKeyring, match="does not give back"):
        KeyringEntry("main").probe()


def test_a_keyring_that_hangs_is_left_behind() -> None:
    """A server without a session must not stand still."""
    keyring.set_keyring(Stuck())
    with pytest.raises(NoKeyring, match="did not answer"):
        KeyringEntry("main", patience=0.05).read()
    Stuck.ended.set()


def test_the_keyring_is_the_first_choice(tmp_path: Path) -> None:
    """Nobody is asked, and no token is in a file."""
    with world(tmp_path / "state") as here:
        signed = here.sign_in(store=None)
        here.vendor.advance(timedelta(days=1))
        here.use()
        files = b"".join(each.read_bytes() for each in (tmp_path / "state").rglob("*") if each.is_file())
        tokens = [*here.vendor.backend.grants.tokens, *here.vendor.backend.grants.refreshes]

        assert (False, False) == (signed.plain_text, signed.needed)
        assert "FiledKeyring" in str(signed.place)
        assert not [each for each in tokens if each.encode() in files]
        assert here.signing.forget() is not None
        assert [] == list((tmp_path / "keyring").iterdir())


def test_without_a_keyring_a_person_decides(tmp_path: Path) -> None:
    """Yes keeps the tokens in a file, no signs nobody in; asking for the keyring is refused."""
    keyring.set_keyring(made(null.Keyring))
    asked: list[str] = []

    def no(why: str) -> bool:
        asked.append(why)
        return False

    with world(tmp_path / "state") as here:
        with pytest.raises(BadUsage, match="nobody was signed in"):
            here.signing.by_device(ignore, store=None, consent=no)
        with pytest.raises(BadUsage, match="the keyring cannot be used: there is none") as raised:
            here.signing.by_device(ignore, store=Store.KEYRING, consent=never)
        assert [] == list(here.vendor.requests), "nobody was sent to the vendor"
        signed = here.signing.by_device(ignore, store=None, consent=lambda _: True)

    assert "--store file" in str(raised.value.remedy)
    assert 1 == len(asked)
    assert signed.plain_text


def test_a_setting_may_consent_for_good(tmp_path: Path) -> None:
    """`token_store = "file"`: then no keyring is looked for."""
    keyring.set_keyring(Stuck())
    with world(tmp_path / "state", token_store="file") as here:
        assert here.sign_in(store=None).plain_text


def test_from_the_keyring_into_a_file_and_back(tmp_path: Path) -> None:
    """The other place keeps nothing."""
    with world(tmp_path / "state") as here:
        here.sign_in(Store.KEYRING)
        here.sign_in(Store.FILE)
        assert [] == list((tmp_path / "keyring").iterdir())
        here.sign_in(Store.KEYRING)

        assert b"access_token" not in here.file.read_bytes()
        here.use()


def test_a_keyring_that_is_gone_later_says_so(tmp_path: Path) -> None:
    """A cron job has no session: exit code 4, and the way out."""
    with world(tmp_path / "state") as here:
        here.sign_in(Store.KEYRING)
        keyring.set_keyring(Locked())

        status = here.signing.status()
        assert "the keyring that holds the sign-in cannot be used" in str(status.problem)
        assert "suppress login main --store file" in str(status.remedy)
        with pytest.raises(SignInNeeded), here.token() as token:
            token.authorization()
        with pytest.raises(StorageFailed, match="in the keyring"):
            here.signing.forget()


class Full(FiledKeyring):
    """Gives, and takes nothing."""

    def set_password(self, service: str, username: str, password: str) -> None:
        raise OSError("no space left")


def test_a_keyring_that_takes_nothing_shows_before_the_token_is_spent(tmp_path: Path) -> None:
    """The rehearsal fails, so the vendor is not asked."""
    with world(tmp_path / "state") as here:
        here.sign_in(Store.KEYRING)
        here.vendor.advance(timedelta(days=1))
        keyring.set_keyring(Full())
        with pytest.raises(StorageFailed, match="in the keyring"), here.token() as token:
            token.authorization()
        assert [] == here.refreshes()
        keyring.set_keyring(FiledKeyring())
        here.use()

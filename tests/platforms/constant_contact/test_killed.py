"""Killed in the middle of a renewal, and many at once: no grant is lost that the vendor lets be kept."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from suppress.platforms.constant_contact.simulator import (
    Refresh,
    Scenario,
    SignIn,
    Simulator,
)
from tests.platforms.constant_contact.dying import CONTENDERS
from tests.platforms.constant_contact.signed import APPROVING, FREE, TOKEN_PATH

ROOT = Path(__file__).parents[3]
BACKEND = "tests.platforms.constant_contact.filed_keyring.FiledKeyring"


@contextmanager
def vendor(sign_in: SignIn) -> Iterator[Simulator]:
    with Simulator(Scenario(sign_in=sign_in, limits=FREE)) as simulator:
        yield simulator


def lines(mode: str, cc: Simulator, folder: Path, store: str) -> list[dict[str, Any]]:
    """What the dying program says."""
    env = os.environ | {"PYTHON_KEYRING_BACKEND": BACKEND, "FILED_KEYRING": str(folder / "keyring")}
    module = "tests.platforms.constant_contact.dying"
    done = subprocess.run(
        [sys.executable, "-m", module, mode, cc.url, str(folder), store],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def in_the_gap(steps: list[str], store: str) -> bool:
    """Whether the vendor had given a new token that was on no disk yet."""
    if "after send" not in steps:
        return False
    since = steps[steps.index("after send") + 1 :]
    if store == "file":
        # The draft is opened, filled and then synced: from there on it is whole.
        return "before fsync" not in since
    # The keyring of these tests renames a file.
    told = since.index("before set_password") if "before set_password" in since else len(since)
    return "after replace" not in since[told:]


GRACE, LONG = replace(APPROVING, refresh_grace=600), replace(APPROVING, refresh=Refresh.LONG_LIVED)


@pytest.mark.parametrize(
    ("sign_in", "store"),
    [(GRACE, "file"), (GRACE, "keyring"), (LONG, "file")],
    ids=["rotating-with-grace-file", "rotating-with-grace-keyring", "long-lived-file"],
)
def test_killed_at_every_step_of_a_refresh_the_grant_is_kept(
    sign_in: SignIn, store: str, tmp_path: Path
) -> None:
    """Where the vendor lets an old token live for a while, or for ever, nobody has to come again."""
    with vendor(sign_in) as cc:
        found = lines("kills", cc, tmp_path, store)

    assert [each["said"] for each in found] == [None] * len(found)
    assert [each["left"] for each in found] == [[]] * len(found)
    assert [each["lived"] for each in found] == [False] * (len(found) - 1) + [True]
    assert len(found) > 20
    kept = "after fsync" if store == "file" else "after set_password"
    assert {"after flock", "after send", "after replace", kept} <= set(found[-1]["steps"])


@pytest.mark.parametrize("store", ["file", "keyring"])
def test_without_grace_only_the_gap_before_the_disk_costs_a_sign_in(store: str, tmp_path: Path) -> None:
    """What the vendor gave and nobody kept cannot be had again; then one line says so and what to do."""
    with vendor(APPROVING) as cc:
        found = lines("kills", cc, tmp_path, store)

    for each in found:
        gap = in_the_gap(each["steps"], store) and not each["lived"]
        assert gap == (each["said"] is not None), each
        if gap:
            assert "cut off while it renewed" in each["said"]
            assert each["said"].endswith("| suppress login main")
    assert any(each["said"] for each in found), "the gap was not tried"


@pytest.mark.parametrize("store", ["file", "keyring"])
def test_many_processes_at_once_refresh_once(store: str, tmp_path: Path) -> None:
    """The refresh token works once: one of them spends it, and all get the same new token."""
    with vendor(APPROVING) as cc:
        (found,) = lines("race", cc, tmp_path, store)
        refreshes = [
            each for each in cc.requests if each.path == TOKEN_PATH and b"=refresh_token" in each.request.body
        ]

    assert {"tokens": CONTENDERS, "different": 1} == found
    assert 1 == len(refreshes)

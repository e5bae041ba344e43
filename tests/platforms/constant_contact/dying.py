"""A program that renews a sign-in and is killed in the middle: by SIGKILL, before or after every step.

`python -m tests.platforms.constant_contact.dying kills URL FOLDER STORE` signs in, renews in a child that
dies at its first step, renews again in one that lives, says in a line of JSON how that went, and goes on with
the second step, until a child gets through. `… race URL FOLDER STORE` renews in eight children at once.

A step is a call that leaves a trace outside the process: opening, syncing, renaming, removing, locking,
asking the vendor, and what a keyring is told.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import httpx2

from suppress.config import SourceSettings
from suppress.errors import SuppressError
from suppress.platforms.constant_contact.application import Application
from suppress.platforms.constant_contact.grant import Grant
from suppress.platforms.constant_contact.signing_in import ConstantContactSignIn, access_token, safe_of
from suppress.plugin.pace import Clock
from suppress.plugin.signing import Store
from tests.plugin.virtual import VirtualTime

CONTENDERS = 8


def settings(url: str) -> SourceSettings:
    """The source that is renewed."""
    options = {"api_url": url, "auth_url": url, "client_id": "simulated-client"}
    return SourceSettings("main", "constant-contact", options=options)


class Death:
    """Kills this process at its `at`-th step, which is told to `tell` before."""

    def __init__(self, at: int, tell: Callable[[str], None]) -> None:
        self._left = at
        self._tell = tell

    def watch(self, owner: Any, name: str) -> None:
        """Count a function's calls: before each and after each."""
        real = getattr(owner, name)

        def watched(*given: Any, **named: Any) -> Any:
            self._step(f"before {name}")
            result = real(*given, **named)
            self._step(f"after {name}")
            return result

        setattr(owner, name, watched)

    def _step(self, name: str) -> None:
        self._left -= 1
        self._tell(name)
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def renew(url: str, state: Path, time: VirtualTime) -> str:
    """The access token, renewed: a day has passed since it was given."""
    token = access_token(settings(url), state, clock=time.clock)
    try:
        return token.authorization()
    finally:
        token.close()


def child(work: Callable[[Callable[[str], None]], None]) -> tuple[bool, list[str]]:
    """Run it in a process of its own: whether that lived, and the steps that it told."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        code = 1
        try:
            work(lambda step: void(os.write(writing, f"{step}\n".encode())))
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading) as told:
        steps = told.read().splitlines()
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status) == 0, steps


def void(_: object) -> None:
    """Nothing."""


def kills(url: str, folder: Path, store: Store) -> None:
    """One line for each step."""
    for at in count(1):
        state, time = folder / str(at), VirtualTime()
        signing = ConstantContactSignIn(settings(url), state, clock=time.clock)
        signing.by_device(void, store=store, consent=bool)
        time.pass_(2 * 86_400)

        def dying(tell: Callable[[str], None], at: int = at, state: Path = state, time: Any = time) -> None:
            death = Death(at, tell)
            for name in ("open", "fsync", "replace", "unlink"):
                death.watch(os, name)
            death.watch(fcntl, "flock")
            death.watch(httpx2.Client, "send")
            if store is Store.KEYRING:
                import keyring

                death.watch(type(keyring.get_keyring()), "set_password")
            renew(url, state, time)

        lived, steps = child(dying)
        said = None
        try:
            renew(url, state, time)
        except SuppressError as failure:
            said = f"{failure.message} | {failure.remedy}"
        left = [each.name for each in (state / "sign-in").iterdir() if each.name.endswith(".new")]
        print(json.dumps({"steps": steps, "lived": lived, "said": said, "left": left}))
        if lived:
            return


def race(url: str, folder: Path, store: Store) -> None:
    """One line: the different tokens that all of them got, and how many there were."""
    time = VirtualTime()
    clock = Clock()  # they wait for one another, so time has to pass for all of them
    late = Clock(clock.monotonic, lambda: clock.epoch() + 2 * 86_400, clock.sleep)
    ConstantContactSignIn(settings(url), folder, clock=time.clock).by_device(void, store=store, consent=bool)
    application = Application.of(settings(url))
    grant = safe_of(application, folder, late).read()
    assert isinstance(grant, Grant)
    reading, writing = os.pipe()
    gate, go = os.pipe()
    for _ in range(CONTENDERS):
        if os.fork() == 0:
            os.close(go)
            os.read(gate, 1)  # comes back when all of them are there
            token = access_token(settings(url), folder, clock=late)
            os.write(writing, f"{token.authorization()[-20:]}\n".encode())
            os._exit(0)
    os.close(writing)
    os.close(go)
    with os.fdopen(reading) as told:
        tokens = told.read().split()
    while True:
        try:
            os.wait()
        except ChildProcessError:
            break
    print(json.dumps({"tokens": len(tokens), "different": len(set(tokens))}))


if __name__ == "__main__":
    _, mode, url, folder, store = sys.argv
    {"kills": kills, "race": race}[mode](url, Path(folder), Store(store))

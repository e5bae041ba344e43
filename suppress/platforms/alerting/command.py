"""Alerts by a command of one's own: the message as JSON on its stdin.

Rules kept here:

* No shell: `run` is a list, a program and its arguments, so that nothing in a message can become a command.
* Its environment lacks our own variables, which may hold tokens.
* It has its time; then it and whatever it began are killed. What it prints is dropped.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Sequence

from suppress.config import AlertSettings
from suppress.plugin.alerting import AlertFailed, Message
from suppress.plugin.options import whole


class Command:
    """One command."""

    def __init__(self, settings: AlertSettings) -> None:
        self._name = settings.name
        run = settings.options["run"]
        assert isinstance(run, Sequence)
        self._run = [str(each) for each in run]
        self._seconds = whole(settings.options, "seconds", f"alerts.{settings.name}", most=60)

    def send(self, message: Message) -> None:
        """Run it once."""
        environ = {name: value for name, value in os.environ.items() if not name.startswith("SUPPRESS_")}
        try:
            process = subprocess.Popen(  # noqa: S603 (the person who wrote the settings chose it)
                self._run,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=environ,
                start_new_session=True,
            )
        except (OSError, ValueError, IndexError) as refused:
            raise self._failed(f"cannot be run: {type(refused).__name__}") from None
        try:
            process.communicate(json.dumps(message.facts()).encode(), timeout=self._seconds)
        except subprocess.TimeoutExpired:
            raise self._failed(f"took longer than {self._seconds} seconds and was killed") from None
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if process.returncode:
            raise self._failed(f"ended with {process.returncode}")

    def _failed(self, what: str) -> AlertFailed:
        return AlertFailed(
            f"alert {self._name!r}: its command {what}", remedy=f"suppress alerts test {self._name}"
        )

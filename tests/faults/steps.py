"""A process of which one step fails: a statement, a commit, or a change of a file, done already or not yet.

What fails without having been done and what fails although it was done look the same to whoever asked for it,
and ask for different repairs (Sunlight's tests of its sequencer go the same way). So each step is tried both
ways.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.engine.default import DefaultDialect

FILES = ("fsync", "replace", "rename", "unlink", "mkdir")
"""What Python changes files by; content is written before an fsync, and counts for nothing without it."""


@dataclass(slots=True)
class Steps:
    """Counts steps; the one numbered `fails` fails, after it was done where `persisted`."""

    fails: int = -1
    persisted: bool = False
    taken: int = 0
    happened: bool = False

    def take(
        self, step: Callable[..., Any], error: Callable[[], Exception], *arguments: Any, **named: Any
    ) -> Any:
        number, self.taken = self.taken, self.taken + 1
        if number != self.fails:
            return step(*arguments, **named)
        self.happened = True
        if self.persisted:
            step(*arguments, **named)
        raise error()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Count, and fail, within."""
        with pytest.MonkeyPatch.context() as patch, ExitStack() as listeners:
            self._watch_files(patch)
            self._watch_commits(patch)
            self._watch_statements(listeners)
            yield

    def _watch_files(self, patch: pytest.MonkeyPatch) -> None:
        for name in FILES:
            done = getattr(os, name)

            def step(*arguments: Any, done: Callable[..., Any] = done, **named: Any) -> Any:
                return self.take(done, _file_error, *arguments, **named)

            patch.setattr(os, name, step)

    def _watch_commits(self, patch: pytest.MonkeyPatch) -> None:
        done = DefaultDialect.do_commit
        patch.setattr(
            DefaultDialect,
            "do_commit",
            lambda dialect, connection: self.take(done, _database_error, dialect, connection),
        )

    def _watch_statements(self, listeners: ExitStack) -> None:
        def before(*_: Any) -> None:
            if not self.persisted:
                self.take(_nothing, _database_error)

        def after(*_: Any) -> None:
            if self.persisted:
                self.take(_nothing, _database_error)

        for when, listener in (("before_cursor_execute", before), ("after_cursor_execute", after)):
            event.listen(Engine, when, listener)
            listeners.callback(event.remove, Engine, when, listener)


def _nothing() -> None:
    """A statement is done by the driver, between the two moments at which one is told of it."""


def _file_error() -> Exception:
    return OSError(5, "Input/output error")


def _database_error() -> Exception:
    failed = sqlite3.OperationalError("disk I/O error")
    failed.sqlite_errorcode = sqlite3.SQLITE_IOERR
    failed.sqlite_errorname = "SQLITE_IOERR"
    return failed

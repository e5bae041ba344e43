"""What verifying the ledger said, as a report quotes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


class FirstBad(Protocol):
    """The first thing that is wrong."""

    @property
    def seq(self) -> int | None: ...
    @property
    def what(self) -> str: ...


class Verified(Protocol):
    """The part of `suppress.audit.Verification` that a report quotes. Verbs do not import one another."""

    @property
    def ok(self) -> bool: ...
    @property
    def size(self) -> int: ...
    @property
    def entries_checked(self) -> int: ...
    @property
    def anchors(self) -> Sequence[str]: ...
    @property
    def not_checked(self) -> Sequence[str]: ...
    @property
    def first_bad(self) -> FirstBad | None: ...


@dataclass(frozen=True, slots=True)
class Integrity:
    """The result of verification; `ok` is None when it was not run."""

    ok: bool | None
    entries_checked: int
    anchors: int
    not_checked: tuple[str, ...]
    first_bad: str | None

    @classmethod
    def of(cls, result: Verified) -> Integrity:
        """As a verification found it."""
        return cls(
            ok=result.ok,
            entries_checked=result.entries_checked,
            anchors=len(result.anchors),
            not_checked=tuple(result.not_checked),
            first_bad=None if result.first_bad is None else _named(result.first_bad),
        )


UNVERIFIED = Integrity(None, 0, 0, ("the ledger was not verified for this",), None)


def _named(bad: FirstBad) -> str:
    return bad.what if bad.seq is None else f"entry {bad.seq}: {bad.what}"

"""Every failure that `suppress` reports, as one tree.

The rules this module keeps:

* Each class carries its `exit_code` (the contract with cron jobs and scripts) and the `remedy`, the next
  thing a person can do. A failure is never 1: 1 means *findings*, and is returned, not raised.
* Constructors only store. A message says what was wrong, where, and with which value; it never holds an
  address, a token or a key that the person did not type.
* `docs/reference/errors.md` is generated from this tree; a class's `anchor` is its heading there.

    SuppressError                  70  internal error
    ├── BadUsage                    2  wrong option, value or combination
    │   ├── ConfigWrong             2  suppress.toml or SUPPRESS_… is wrong
    │   ├── BadFile                 2  a file given to us cannot be read as what it claims to be
    │   └── OutputRefused           2  a file cannot be written where it was asked for
    ├── SignInNeeded                4  no token, or the platform refused it
    ├── SourceFailed                5  a source did not answer, or not as its contract says
    │   ├── QuotaExhausted          5  the day's request budget is used up
    │   ├── Incomplete              5  everything read was kept, but the counts do not add up
    │   └── Stale                   5  what a check would rest on is older than it may be
    ├── DestinationFailed           5  a destination did not take or did not obey
    ├── NoLedger                   10  there is no ledger there yet
    ├── LedgerLocked               11  another process holds the ledger
    ├── MigrationNeeded            12  the ledger's schema is older or newer than this program
    ├── LedgerDamaged              70  refused to sign over a ledger that does not verify
    ├── EngineFailed               70  Spark, asked for by name, failed or does not add up
    └── StorageFailed              70  the disk is full or failed
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar


class SuppressError(Exception):
    """The root of everything that `suppress` raises on purpose: `exit_code`, `remedy`, page `anchor`."""

    exit_code: ClassVar[int] = 70
    default_remedy: ClassVar[str | None] = None

    def __init__(self, message: str, *, remedy: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy if remedy is not None else self.default_remedy

    @property
    def anchor(self) -> str:
        """The heading of this error on the generated page `docs/reference/errors.md`."""
        return type(self).__name__.lower()


class BadUsage(SuppressError):
    """An option, a value or a combination of them that cannot mean anything."""

    exit_code = 2
    default_remedy: ClassVar[str | None] = "suppress --help"


class ConfigWrong(BadUsage):
    """A setting is unknown, missing or of the wrong kind; the message names the file or variable."""

    default_remedy = "suppress config"


class BadFile(BadUsage):
    """A file cannot be read as what it claims to be; `line` counts from 1, as editors do."""

    default_remedy = None

    def __init__(self, message: str, *, line: int | None = None, remedy: str | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.line = line


class OutputRefused(BadUsage):
    """A file cannot be written where it was asked for; nothing was left half-written."""

    default_remedy = "choose a folder that exists and that you may write to"


class ExtraMissing(BadUsage):
    """What was asked for needs an optional part that is not installed."""

    default_remedy = "pip install 'suppress-ledger[pdf,excel]'"


class SignInNeeded(SuppressError):
    """There is no access token, or the platform no longer accepts it."""

    exit_code = 4


class SourceFailed(SuppressError):
    """A source could not be reached, or did not answer as its contract says. Nothing recorded is lost."""

    exit_code = 5
    default_remedy = "suppress doctor"


class QuotaExhausted(SourceFailed):
    """The platform's daily request budget is used up; the message says when it resets."""

    default_remedy = "run the same command again after the reset"

    def __init__(self, message: str, *, resets_at: datetime | None = None, remedy: str | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.resets_at = resets_at
        """When it begins anew, if that is known."""


class Incomplete(SourceFailed):
    """All that was read is recorded, but the counts do not add up, so the run may not be called complete."""

    default_remedy = "suppress sync --full"


class Stale(SourceFailed):
    """A source was last read, or a portable snapshot made, longer ago than allowed; nothing was done."""

    default_remedy = "suppress sync"


class DestinationFailed(SuppressError):
    """A destination refused, did not answer, or did not show what it was told."""

    exit_code = 5
    default_remedy = "suppress doctor"


class NoLedger(SuppressError):
    """There is no ledger at the configured place."""

    exit_code = 10
    default_remedy = "suppress init"


class LedgerLocked(SuppressError):
    """Another process is writing to the ledger and did not finish in time."""

    exit_code = 11
    default_remedy = "wait for the other process to end, then run the same command again"


class MigrationNeeded(SuppressError):
    """The ledger's schema is older or newer than this program understands."""

    exit_code = 12
    default_remedy = "suppress ledger upgrade"


class LedgerDamaged(SuppressError):
    """The ledger does not verify, so nothing more is signed over it."""

    default_remedy = "suppress verify"


class EngineFailed(SuppressError):
    """Spark did not start, failed, or its counts do not agree; nothing was written."""

    default_remedy = "check the files one by one, without --engine"


class StorageFailed(SuppressError):
    """The disk is full, read-only or failed; the ledger keeps its last acknowledged state."""

    default_remedy = "free some space or mend the disk, then run the same command again"

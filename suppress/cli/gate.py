"""What `suppress check` asks, and whom: the ledger here, or a portable snapshot of one elsewhere."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from suppress.cli.options import duration, scope_of
from suppress.core.mailing import Mailing, MessageClass
from suppress.core.suppression import Channel
from suppress.errors import BadUsage, ConfigWrong

if TYPE_CHECKING:
    from suppress.check import Answers
    from suppress.check.portable import Head
    from suppress.config import Settings

SECRET_VARIABLE = "SUPPRESS_SNAPSHOT_SECRET"
"""In place of the secret file: its content."""


@dataclass(slots=True)
class OpenGate:
    """Who answers, open, and what they are asked. A context manager."""

    answers: Answers
    mailing: Mailing
    ledger: Mapping[str, object]
    """Size, root and checkpoint, as every result quotes them."""
    portable: Head | None
    _stack: ExitStack
    place: Path | None = None
    """Where the portable snapshot lies."""

    @classmethod
    def asked(
        cls,
        chosen: Settings,
        *,
        sender: str | None,
        channel: str,
        message_class: str,
        purpose: str | None,
        max_age: str | None,
        offline: Path | None,
        key: str | None,
    ) -> OpenGate:
        """From the options of the command; nothing of the list was read yet.

        Raises:
            BadUsage: Options that cannot mean anything.
            Stale: A source, or the snapshot, is older than it may be.
            SuppressError: The ledger or the snapshot cannot be opened.
        """
        if purpose is not None and not purpose.strip():
            raise BadUsage("--purpose needs the words that a waiver has", remedy="suppress waiver list")
        mailing = Mailing(Channel(channel), scope_of(sender), MessageClass(message_class), purpose)
        longest = None if max_age is None else duration("--max-age", max_age)
        if key is not None and offline is None:
            raise BadUsage("--key goes with --offline: a ledger that is here needs none")
        with ExitStack() as stack:
            now = datetime.now(UTC)
            gate = (
                _online(chosen, mailing, longest, now, stack)
                if offline is None
                else _offline(offline, key, mailing, longest, now, stack)
            )
            gate._stack = stack.pop_all()
        return gate

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()


def _online(
    chosen: Settings, mailing: Mailing, longest: timedelta | None, now: datetime, stack: ExitStack
) -> OpenGate:
    from suppress.ledger import Lookup

    if longest is not None:
        from suppress.check.freshness import read_up_to, require_fresh
        from suppress.ledger import Ledger

        with Ledger.open(chosen.ledger, keys=chosen.keys, read_only=True) as ledger:
            require_fresh(read_up_to(ledger, chosen.sources), longest, now)
    lookup = stack.enter_context(Lookup.open(chosen.ledger, keys=chosen.keys))
    quoted = {"size": lookup.size, "root": lookup.root, "checkpoint": lookup.checkpoint}
    return OpenGate(lookup, mailing, quoted, None, stack)


def _offline(
    place: Path,
    key: str | None,
    mailing: Mailing,
    longest: timedelta | None,
    now: datetime,
    stack: ExitStack,
) -> OpenGate:
    from suppress.check.freshness import in_words, require_fresh
    from suppress.check.portable import Portable
    from suppress.errors import Stale

    if key is None:
        raise BadUsage(
            "--offline needs the key that the snapshot must be signed with",
            remedy='--key "$(cat log.vkey)", the public key that suppress init printed',
        )
    given = Path(key)
    vkey = given.read_text("utf-8", "replace") if "+" not in key and given.is_file() else key
    secret, name = secret_of(place)
    opened = Portable.open(place, vkey=vkey, secret=secret, secret_name=name, now=now)
    portable = stack.enter_context(opened)
    head = portable.head
    if longest is not None:
        if now - head.made > longest:
            raise Stale(
                f"{place} was made {in_words(now - head.made)} ago; at most {in_words(longest)} is allowed",
                remedy="suppress snapshot -o FILE where the ledger is, and copy it here",
            )
        require_fresh(head.sources, longest, now)
    quoted = {"size": head.size, "root": head.root, "checkpoint": head.checkpoint}
    return OpenGate(portable, mailing, quoted, head, stack, place)


def secret_of(place: Path) -> tuple[str, str]:
    """The secret of a snapshot and where it was found."""
    given = os.environ.get(SECRET_VARIABLE)
    if given:
        return given, SECRET_VARIABLE
    file = place.parent / f"{place.name}.secret"
    try:
        mode = file.stat().st_mode
        if os.name == "posix" and mode & 0o077:
            raise ConfigWrong(f"others may read the secret {file}", remedy=f"chmod 600 {file}")
        return file.read_text("utf-8", "replace"), str(file)
    except OSError as refused:
        raise ConfigWrong(
            f"the secret {file} cannot be read: {refused.strerror}",
            remedy=f"put there what was written with the snapshot, or its content into {SECRET_VARIABLE}",
        ) from refused

"""Lists of digests for partners who compare hashes: the address itself never leaves.

Rules kept here:

* What is hashed must be what the partner hashes, byte for byte; so the form has a name
  (`suppress.core.hashed.Form`) and stands in the manifest. Hexadecimal in small letters, one digest a line,
  no header, a line feed at each end (OPTIZMO and most brokers); base64 where a receiver wants it.
* The lines are sorted, so that their order tells nothing, and each stands once.
* A bare hash of an address can be guessed from a list of addresses. With `hmac-sha256` and a key for each
  recipient it cannot, and two recipients cannot compare their lists; the recipient needs the key.
* Canaries are made-up addresses at a domain of one's own, other ones for each destination: a digest or a
  message that turns up elsewhere tells whose list leaked. They come from a secret, so nobody has to keep
  them, and the manifest does not say which lines they are.
* The list is replaced as a whole: who consented since is missing from the next one.
"""

from __future__ import annotations

import base64
import hashlib
import heapq
import hmac
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import groupby, islice
from typing import IO, Any

from suppress.config import DestinationSettings, wrong_at
from suppress.core.address import match_key
from suppress.core.batches import batched
from suppress.core.hashed import IN_WORDS, Form, hashed_text
from suppress.core.members import Members
from suppress.core.suppression import EVERYTHING
from suppress.errors import DestinationFailed
from suppress.platforms.list_file import ListFile
from suppress.plugin.contract import (
    Capabilities,
    Delivery,
    Detail,
    LedgerPosition,
    Observation,
    Pushed,
    Snapshot,
    Suppressed,
    Unit,
    Unknowns,
)

KEYED = "hmac-sha256"
ALGORITHMS = ("md5", "sha1", "sha256", "sha512", KEYED)
SHORTEST_SECRET = 16
"""Characters of a key or a canaries' secret: fewer could be guessed."""
RUN = 100_000
"""Digests sorted at once."""

CAPABILITIES = Capabilities(
    unit=Unit.SNAPSHOT,
    delivery=Delivery.SYNC,
    detail=Detail.NONE,
    creates_unknown=Unknowns.NEVER,
    target="file",
    can_read_one=True,
    can_read_many=True,
    key_form="hashed",
    secrets=("key", "canary_secret"),
    config={
        "properties": {
            "path": {"type": "string", "description": "the file to write"},
            "algorithm": {
                "type": "string",
                "enum": list(ALGORITHMS),
                "description": "what the partner hashes with; hmac-sha256 needs a key of its own",
            },
            "form": {
                "type": "string",
                "enum": [form.value for form in Form],
                "default": "lower",
                "description": "what the partner does to an address before it is hashed",
            },
            "also_untagged": {
                "type": "boolean",
                "default": False,
                "description": "also the digest without what follows a plus, for partners who strip it",
            },
            "encoding": {"type": "string", "enum": ["hex", "base64"], "default": "hex"},
            "key": {"type": "string", "description": "the recipient's key for hmac-sha256"},
            "canaries": {
                "type": "integer",
                "default": 0,
                "description": "how many addresses of your own to hide in it, which tell whose list leaked",
            },
            "canary_domain": {"type": "string", "description": "a domain of yours that receives mail"},
            "canary_secret": {"type": "string", "description": "what the canaries are made from; keep it"},
        },
        "required": ["path", "algorithm"],
    },
)


class HashedFile(ListFile):
    """One list of digests that is replaced as a whole."""

    capabilities = CAPABILITIES

    def __init__(
        self, settings: DestinationSettings, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        super().__init__(settings, clock=clock)
        self._algorithm = str(settings.options["algorithm"])
        self._form = Form(str(settings.options.get("form", Form.LOWER.value)))
        self._untagged = bool(settings.options.get("also_untagged", False))
        self._base64 = settings.options.get("encoding") == "base64"
        self._key = str(settings.options.get("key", "")).encode()
        self._refuse_weak(settings)
        self.canaries = canaries(settings)

    def push(self, entries: Iterable[Suppressed], position: LedgerPosition) -> Iterator[Pushed]:
        """Replace the list and its manifest; yields one `Snapshot`."""
        written = _Written()
        with ExitStack() as stack:
            digests = _sorted(self._all(entries, written), stack)
            lines = (each for each, _ in groupby(digests))
            self._file.replace(written.blocks(lines), lambda: self._described(written, position))
        yield Snapshot(str(self.path), written.entries, written.digest.hexdigest(), self._lost(written))

    def sweep(self, cursor: str | None) -> tuple[tuple[Observation, ...], str | None]:
        """Digests name nobody."""
        del cursor
        raise DestinationFailed(f"{self.name} cannot be listed: it holds digests")

    def digest(self, address: str) -> str:
        """The line of the list that stands for this spelling."""
        return self._line(address)

    def _refuse_weak(self, settings: DestinationSettings) -> None:
        keyed = self._algorithm == KEYED
        origin = settings.origins.get("key", settings.origins.get("algorithm", f"[destinations.{self.name}]"))
        if keyed and len(self._key) < SHORTEST_SECRET:
            raise wrong_at(
                origin,
                f"hmac-sha256 needs a `key` of the recipient's own, of {SHORTEST_SECRET} characters or more",
            )
        if self._key and not keyed:
            raise wrong_at(origin, f"`key` is for hmac-sha256; {self._algorithm} uses none")

    def _all(self, entries: Iterable[Suppressed], written: _Written) -> Iterator[str]:
        for entry in entries:
            written.entries += 1
            written.narrow += entry.scope != EVERYTHING
            yield from self._digests(entry.address)
        for canary in self.canaries:
            yield from self._digests(canary)

    def _digests(self, address: str) -> frozenset[str]:
        spelling = address.strip()
        local, at, domain = spelling.rpartition("@")
        bare, plus, _ = local.partition("+")
        also = [f"{bare}{at}{domain}"] if self._untagged and plus and bare else []
        return frozenset(map(self._line, (spelling, *also)))

    def _line(self, spelling: str) -> str:
        text = hashed_text(spelling, match_key(spelling), self._form)
        if self._algorithm == KEYED:
            raw = hmac.digest(self._key, text, "sha256")
        else:
            raw = hashlib.new(self._algorithm, text, usedforsecurity=False).digest()
        return base64.b64encode(raw).decode() if self._base64 else raw.hex()

    def _held(self) -> Members | None:
        """The lines of the list; None unless list and manifest agree."""
        try:
            with self._file.opened() as (text, _):
                return Members(line.rstrip("\n") for line in text)
        except ValueError:
            return None

    def _holds(self, held: Members, address: str) -> bool:
        return all(each in held for each in self._digests(address))

    def _lost(self, written: _Written) -> tuple[str, ...]:
        words = ["reason, date, source and scope: a digest stands for an address and nothing else"]
        if written.narrow:
            words.append(f"{written.narrow} opt-outs of one sender or list count for everything in this list")
        return tuple(words)

    def _described(self, written: _Written, position: LedgerPosition) -> Mapping[str, Any]:
        return self._manifest(
            written.digest.hexdigest(),
            written.bytes,
            written.lines,
            position,
            algorithm=self._algorithm,
            form=self._form.value,
            form_in_words=IN_WORDS[self._form],
            also_untagged=self._untagged,
            encoding="base64" if self._base64 else "hex",
            replaces="the whole list before it",
            unrepresented=list(self._lost(written)),
        )


def canaries(settings: DestinationSettings) -> tuple[str, ...]:
    """The addresses that are hidden in this destination's list, and in no other's.

    Raises:
        ConfigWrong: There is no domain for them, or the secret could be guessed.
    """
    count = int(str(settings.options.get("canaries", 0)))
    if not count:
        return ()
    origin = settings.origins.get("canaries", f"[destinations.{settings.name}]")
    domain, secret = settings.options.get("canary_domain"), str(settings.options.get("canary_secret", ""))
    if not domain or count < 0:
        raise wrong_at(origin, "canaries need a `canary_domain` of yours, and their number is not negative")
    if len(secret) < SHORTEST_SECRET:
        raise wrong_at(origin, f"canaries need a `canary_secret` of {SHORTEST_SECRET} characters or more")
    return tuple(
        # Letters and digits as people choose them: a list is combed for what looks made up.
        f"{hmac.digest(secret.encode(), f'{settings.name}/{number}'.encode(), 'sha256').hex()[:14]}@{domain}"
        for number in range(count)
    )


class _Written:
    """What is to be said about a list once it is written."""

    def __init__(self) -> None:
        self.digest = hashlib.sha256()
        self.bytes = self.lines = self.entries = self.narrow = 0

    def blocks(self, lines: Iterator[str]) -> Iterator[bytes]:
        """The list in blocks of many lines."""
        for some in batched(lines, RUN):
            block = "".join(f"{line}\n" for line in some).encode()
            self.digest.update(block)
            self.bytes += len(block)
            self.lines += len(some)
            yield block


def _sorted(digests: Iterator[str], stack: ExitStack) -> Iterator[str]:
    """The digests in order, in memory that does not grow with their number: runs of them go to the disk."""
    runs: list[IO[str]] = []
    while run := sorted(islice(digests, RUN)):
        file = stack.enter_context(tempfile.TemporaryFile("w+", encoding="ascii"))  # noqa: SIM115 (it is)
        file.writelines(f"{each}\n" for each in run)
        file.seek(0)
        runs.append(file)
    return (line.rstrip("\n") for line in heapq.merge(*runs))

"""Where a batch's answers lie: a gzipped tar of JSON files on another host.

Rules kept here:

* The host is whatever the answer named, and gets no credentials: the address itself is the key.
* It works for some minutes only; whoever finds it expired asks for the batch again, which names a new one.
* Nothing is unpacked to the disk, and no more than `LARGEST` bytes are unpacked at all.
"""

from __future__ import annotations

import io
import tarfile
from urllib.parse import urlsplit

from suppress.config.values import is_loopback
from suppress.errors import ConfigWrong
from suppress.plugin.errors import ContractBroken, Transient
from suppress.plugin.guard import checked_url, reads
from suppress.plugin.pace import Clock
from suppress.plugin.transport import Patience, Transport, Turns
from suppress_mailchimp import wire

LARGEST = 256 * 1024 * 1024
"""Bytes of JSON. 500 operations answer with about one megabyte."""
_EXPIRED = frozenset({400, 401, 403, 404, 410})
"""How stores of files refuse an address that has run out."""


class Expired(Exception):
    """The address no longer works; a new one is to be had."""


def fetch(
    url: str, *, origin: str, turns: Turns, clock: Clock | None = None, patience: Patience | None = None
) -> list[wire.OperationAnswer]:
    """The answers that lie at `url`, which the API at `origin` named.

    Raises:
        Expired: It no longer works.
        ContractBroken: It is no address, or what lies there is no result of a batch.
        Transient: The host cannot be reached.
    """
    parts = urlsplit(url)
    try:
        host = checked_url(f"{parts.scheme}://{parts.netloc}", setting="the address of a batch's results")
    except ConfigWrong as wrong:
        raise ContractBroken(f"{wrong.message}; nothing was fetched") from None
    if is_loopback(parts.hostname or "") and not is_loopback(urlsplit(origin).hostname or ""):
        raise ContractBroken("the results of a batch lie on this machine, it says; nothing was fetched")
    allowed = reads(r"/[!-~]*")
    transport = Transport(host, calls=allowed, pace=turns, failed=Transient, clock=clock, patience=patience)
    try:
        reply = transport.send("GET", f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}")
    finally:
        transport.close()
    if reply.status in _EXPIRED:
        raise Expired
    if reply.status != 200:
        raise Transient(f"{transport.host} answered {reply.status} instead of a batch's results")
    try:
        return wire.operations(unpacked(reply.body))
    except wire.NotAsPromised as wrong:
        raise ContractBroken(f"{transport.host} answered with {wrong}") from None


def unpacked(archive: bytes) -> list[bytes]:
    """The files of a tar, gzipped or (where the transfer was what was gzipped) not.

    Raises:
        NotAsPromised: It is none, or too much is in it.
    """
    found: list[bytes] = []
    left = LARGEST
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:*") as tar:
            for entry in tar:
                file = tar.extractfile(entry) if entry.isfile() else None
                if file is None:
                    continue
                content = file.read(left + 1)
                left -= len(content)
                if left < 0:
                    raise wire.NotAsPromised(f"results of a batch of more than {LARGEST:,} bytes")
                found.append(content)
    except (tarfile.TarError, EOFError, OSError, ValueError) as wrong:
        if isinstance(wrong, wire.NotAsPromised):
            raise
        raise wire.NotAsPromised("results of a batch that are no archive") from None
    return found

"""A destination's secret: from its setting, or from a file that somebody else may renew while it is used."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from suppress.config import DestinationSettings
from suppress.plugin.errors import AuthFailed
from suppress.plugin.transport import Reply


def secret_of(settings: DestinationSettings, key: str) -> str:
    """What `key` holds in the settings or, with `_file` after it, in a file; read anew each time.

    Raises:
        AuthFailed: There is none, or the file cannot be read. The message never repeats what it holds.
    """
    given, file = settings.options.get(key), settings.options.get(f"{key}_file")
    words = key.replace("_", " ")
    if isinstance(given, str) and given.strip():
        return given.strip()
    if not isinstance(file, str):
        name = settings.name.upper().replace("-", "_")
        raise AuthFailed(
            f"destination {settings.name!r} has no {words}",
            remedy=f"set SUPPRESS_DESTINATIONS__{name}__{key.upper()} or {key}_file",
        )
    place = f"the {words} of {settings.name!r} in {file}"
    try:
        text = Path(file).expanduser().read_text(encoding="utf-8").strip()
    except OSError as refused:
        why = refused.strerror or type(refused).__name__
        raise AuthFailed(f"{place} cannot be read: {why}") from None
    except UnicodeDecodeError:
        raise AuthFailed(f"{place} cannot be read: it is no text") from None
    if not re.fullmatch(r"[!-~]+", text):
        raise AuthFailed(f"{file} holds no {words}", remedy="it holds that and nothing else, on one line")
    return text


def signed(settings: DestinationSettings, key: str, send: Callable[[str], Reply]) -> Reply:
    """What `send` answers with the secret of `key`; after a 401 once more, if somebody has renewed it.

    Raises:
        AuthFailed: As `secret_of`.
    """
    secret = secret_of(settings, key)
    reply = send(secret)
    if reply.status == 401 and (renewed := secret_of(settings, key)) != secret:
        return send(renewed)
    return reply

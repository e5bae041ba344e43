"""Whether a plugin was made for this version: what its distribution requires, compared with what runs.

An installer checks it once; upgrading `suppress` later leaves an old plugin where it is, and pip only warns.
Then the plugin would fail somewhere in the middle of a run, or worse, not fail.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from operator import eq, ge, gt, le, lt, ne

from suppress import __version__

DISTRIBUTION = "suppress-ledger"
_REQUIRED = re.compile(rf"{DISTRIBUTION}\s*(?:\[[^\]]*\])?\s*\(?([^;)]*)\)?\s*(?:;.*)?", re.IGNORECASE)
_BOUND = re.compile(r"(>=|<=|==|!=|>|<)\s*([0-9]+(?:\.[0-9]+)*)(\.\*)?")
_HOLDS: Mapping[str, Callable[[tuple[int, ...], tuple[int, ...]], bool]] = {
    ">=": ge, "<=": le, "==": eq, "!=": ne, ">": gt, "<": lt,
}  # fmt: skip
_PLACES = 6


def unmet(requires: Iterable[str], version: str = __version__) -> str | None:
    """The bounds on `suppress-ledger` that this version is outside of, or None.

    What is not understood (`~=`, pre-releases) is the installer's business and refuses nobody.
    """
    ours = _numbers(version)
    for requirement in requires:
        found = _REQUIRED.fullmatch(requirement.replace("_", "-").strip())
        bounds = [] if found is None else [_BOUND.fullmatch(each.strip()) for each in found[1].split(",")]
        for bound in bounds:
            if bound is not None and not _holds(bound, ours):
                assert found is not None, "a bound is part of what was found"
                return found[1].strip()
    return None


def _holds(bound: re.Match[str], ours: tuple[int, ...]) -> bool:
    sign, wanted = bound[1], _numbers(bound[2])
    places = bound[2].count(".") + 1 if bound[3] else _PLACES
    return _HOLDS[sign](ours[:places], wanted[:places])


def _numbers(version: str) -> tuple[int, ...]:
    """The release numbers, filled up with zeros: 0.1 is 0.1.0."""
    release = re.match(r"[0-9]+(?:\.[0-9]+)*", version)
    numbers = [int(each) for each in release[0].split(".")] if release else []
    return tuple([*numbers, *[0] * _PLACES][:_PLACES])

"""Functions that run as machine code, made by numba when they are first called.

`@compiled` is for a loop that Python calls, and `@inlined` for its parts: they become part of the loop, as a
call that hands over arrays would count who holds them, millions of times. All are ordinary Python as well.

The machine code is kept beside the source or, where that may not be written to, in the user's cache; where
neither is possible it is made anew by each process, which takes some seconds.

They take arrays and give numbers, and make no array of their own: so nobody counts who holds one, which would
cost more than what the loops do (`_nrt`, as `numba.extending.register_jitable` tells it).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from numba import njit
from numba.core.caching import FunctionCache

Function = TypeVar("Function", bound=Callable[..., Any])

_UNCOUNTED: dict[str, Any] = {"_nrt": False}


class _Kept(FunctionCache):
    """Loads machine code without all that numba needs to make some: a tenth of a second, and 35 MB."""

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """What is kept for these types; None if there is nothing."""
        load: Any = getattr(self, "_load_overload", super().load_overload)
        return load(sig, target_context)


def compiled(function: Function) -> Function:
    """The function as machine code, for the types that it is called with."""
    try:
        made: Any = njit(cache=True, **_UNCOUNTED)(function)
        kept: Any = _Kept
        made._cache = kept(function)
        return _typed(function, made)
    except RuntimeError:  # there is no place to keep it
        return _typed(function, njit(**_UNCOUNTED)(function))


def inlined(function: Function) -> Function:
    """The function as a part of compiled ones that name it."""
    return _typed(function, njit(inline="always")(function))


def _typed(_function: Function, made: Any) -> Function:
    """What was made of a function, which is called as the function is."""
    found: Function = made
    return found

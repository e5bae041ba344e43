"""What the fast engine and the brisk gate need before a file: their code, the snapshot, and whom it names.

Nothing of it depends on the file, so it may be got ready while somebody else finds out what the file is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from suppress.check.gate import Alias, Answers

if TYPE_CHECKING:
    # For their types only: numba and numpy are an extra, and take a while to load.
    from suppress.check.hashing import Folding
    from suppress.check.recognition import Recognition

Building = Callable[[int], None]
"""Is told how many people are read from the ledger, where that was not done for an earlier file."""


@dataclass(frozen=True, slots=True)
class Ready:
    """Whom the snapshot names, for one way with aliases."""

    recognition: Recognition
    folding: Folding
    alias: Alias


def ready(lookup: Answers, alias: Alias, building: Building | None) -> Ready | None:
    """All of it, or None where it cannot be: then the readable engine reads the file.

    None also where the snapshot would have to be built, which takes long, and there is no `building`.

    Raises:
        SuppressError: The ledger cannot be read.
    """
    from suppress.ledger import Lookup

    try:
        from suppress.check import snapshot
        from suppress.check.recognition import Recognition
    except ImportError:  # the extra is not installed
        return None
    if not isinstance(lookup, Lookup) or (found := snapshot.current(lookup, building)) is None:
        return None
    covering, folding = found
    return Ready(Recognition(lookup, covering, folding, aliases=alias is not Alias.IGNORE), folding, alias)

"""Loading code that a command needs, in less time.

* What is loaded stays, and to look for garbage in it again and again takes a twentieth of the time.
* numpy comes with a library of linear algebra (OpenBLAS) that starts threads of its own, for 50 ms of a
  processor. No command needs them, and a process without threads can be forked with a good conscience.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """Nobody looks for garbage meanwhile, nor later among what is there then."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()

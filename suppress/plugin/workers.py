"""Several requests to one destination at once, in memory that does not grow with their number.

A platform that takes one person in a call answers in a tenth of a second or more; a hundred thousand of them
one after another take hours. A plugin hands its calls to one of these two and yields what comes back:

```python
def push(self, entries, position):
    yield from concurrently(self._tell, entries, workers=self.capabilities.max_concurrency)

def read_back(self, addresses):
    yield from in_order(self._look, addresses, workers=self.capabilities.max_concurrency)
```

Rules kept here:

* What is worked on is asked for in the caller's own thread, and only a little ahead of what is done: the
  entries come from the ledger, which no other thread may touch, and there may be a million.
* A call that failed starts no further one. Those that are on their way are waited for, and what they brought
  is yielded before the failure is raised: they did take effect.
* When the caller stops (Ctrl-C, a failure of its own), nothing is sent afterwards.

With `workers=1` everything happens in the caller's thread. The function must be safe to call from several
threads; `suppress.plugin.transport` is.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from queue import SimpleQueue
from typing import TypeVar

_T = TypeVar("_T")
_R = TypeVar("_R")

AHEAD = 2
"""Items asked for ahead of each worker, so that none has to wait for the ledger."""


def concurrently(work: Callable[[_T], _R], items: Iterable[_T], *, workers: int) -> Iterator[_R]:
    """`work(item)` for each item, each result as soon as it is there, in no order."""
    if workers < 2:
        yield from map(work, items)
        return
    done: SimpleQueue[Future[_R]] = SimpleQueue()
    rest = iter(items)
    failure: BaseException | None = None
    with _pool(workers) as pool:
        running = 0

        def start(count: int) -> int:
            started = 0
            for item in islice(rest, count):
                pool.submit(work, item).add_done_callback(done.put)
                started += 1
            return started

        running += start(workers * AHEAD)
        while running:
            future = done.get()
            running -= 1
            if future.cancelled():
                continue
            wrong = future.exception()
            if wrong is None:
                yield future.result()
            elif failure is None:
                failure = wrong
                pool.shutdown(wait=False, cancel_futures=True)
            if failure is None:
                running += start(1)
    if failure is not None:
        raise failure


def in_order(work: Callable[[_T], _R], items: Iterable[_T], *, workers: int) -> Iterator[_R]:
    """`work(item)` for each item, the results in the order of the items."""
    if workers < 2:
        yield from map(work, items)
        return
    rest = iter(items)
    with _pool(workers) as pool:
        waiting = deque(pool.submit(work, item) for item in islice(rest, workers * AHEAD))
        while waiting:
            result = waiting.popleft().result()
            waiting.extend(pool.submit(work, item) for item in islice(rest, 1))
            yield result


@contextmanager
def _pool(workers: int) -> Iterator[ThreadPoolExecutor]:
    pool = ThreadPoolExecutor(workers, thread_name_prefix="suppress-destination")
    try:
        yield pool
    finally:
        # Those that run cannot be called back; those that wait are never sent.
        pool.shutdown(wait=True, cancel_futures=True)

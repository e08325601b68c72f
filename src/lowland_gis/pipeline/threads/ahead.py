"""Go through an iterator ahead of its reader, so that reading, working and writing overlap."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

Item = TypeVar("Item")
Done = TypeVar("Done")


@contextmanager
def ahead(items: Iterator[Item], depth: int) -> Iterator[Iterator[Item]]:
    """Give the items in order while up to `depth` further ones are fetched in another thread; an error comes at its turn.

    Fetching begins at once, and what has begun ends before the block is left.
    """
    end = object()
    reader = ThreadPoolExecutor(max_workers=1)
    waiting = deque(reader.submit(next, items, end) for _ in range(depth))

    def given() -> Iterator[Item]:
        while (item := waiting.popleft().result()) is not end:
            waiting.append(reader.submit(next, items, end))
            yield item  # type: ignore[misc]

    try:
        yield given()
    finally:
        reader.shutdown(cancel_futures=True)


def worked(items: Iterator[Item], work: Callable[[Item], Done], *, workers: int) -> Iterator[Done]:
    """Yield what `work` makes of each item, in their order, while the next ones are worked on in other threads.

    At most two items more than there are workers are held at a time; the error of an item comes at its turn. The caller does none of the work
    (see `analysis.overlay.crew` where it should): it has work of its own.
    """
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[Future[Done]] = deque()
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

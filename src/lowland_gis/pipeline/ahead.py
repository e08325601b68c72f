"""Go through an iterator ahead of its reader, so that reading, working and writing overlap."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Done = TypeVar("Done")


def ahead(items: Iterator[Item]) -> Iterator[Item]:
    """Yield the items in order while the next one is fetched in another thread; its errors come at its turn."""
    end = object()
    with ThreadPoolExecutor(max_workers=1) as reader:
        waiting = reader.submit(next, items, end)
        while True:
            item = waiting.result()
            if item is end:
                return
            waiting = reader.submit(next, items, end)
            yield item  # type: ignore[misc]


def worked(items: Iterator[Item], work: Callable[[Item], Done], *, workers: int) -> Iterator[Done]:
    """Yield what `work` makes of each item, in their order, while the next ones are worked on in other threads.

    At most two items more than there are workers are held at a time; the error of an item comes at its turn. Without workers
    the work is done in this thread.
    """
    if workers == 0:
        yield from map(work, items)
        return
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[Future[Done]] = deque()
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

"""Go through an iterator one step ahead, so that reading and working overlap."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")


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

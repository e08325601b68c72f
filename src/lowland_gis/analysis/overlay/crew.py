"""Threads that work on items together, of which the caller is one: no more are busy than were asked for."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, NamedTuple, TypeVar

Item = TypeVar("Item")
Done = TypeVar("Done")


class _Fetched(NamedTuple, Generic[Item, Done]):
    """An item, and what comes of it: it waits for a thread, is worked on, or is done."""

    item: Item
    done: Future[Done]


def done_in_order(
    items: Iterable[Item], work: Callable[[Item], Done], *, threads: int, held: int | None = None
) -> Generator[Done]:
    """Yield what `work` makes of each item, in their order; the error of an item comes at its turn.

    While the caller waits for a result it works on items itself, so that `threads` threads are busy and never more: one more than there are cores
    costs more than it brings, since two of them then share a core while another core stands still for some milliseconds. Up to `held` items
    are fetched and not yet yielded at a time, all of them without a limit; let there be some more than threads, so that the others
    have enough to do while the caller is busy with a result. With one thread the work is done as the results are fetched.

    Close it (`contextlib.closing`) where what the work needs may go away earlier than it: what has begun is then waited for.
    """
    if threads == 1:
        yield from map(work, items)
        return
    line: deque[_Fetched[Item, Done]] = deque()
    others = ThreadPoolExecutor(threads - 1)
    try:
        for item in items:
            line.append(_Fetched(item, others.submit(work, item)))
            if held is not None and len(line) >= held:
                yield _first(line, work)
        while line:
            yield _first(line, work)
    finally:
        others.shutdown(cancel_futures=True)


def _first(line: deque[_Fetched[Item, Done]], work: Callable[[Item], Done]) -> Done:
    """Return the result of the first item; while another thread is at it, work on those that nobody has begun."""
    while not line[0].done.done():
        # Only what no thread has begun can be cancelled.
        free = next((place for place, each in enumerate(line) if each.done.cancel()), None)
        if free is None:
            break
        line[free] = line[free]._replace(done=_outcome(work, line[free].item))
    return line.popleft().done.result()


def _outcome(work: Callable[[Item], Done], item: Item) -> Future[Done]:
    """Do the work on an item in this thread and keep what came of it, an error too, until its turn."""
    outcome: Future[Done] = Future()
    try:
        outcome.set_result(work(item))
    except Exception as error:  # noqa: BLE001 - raised at its turn
        outcome.set_exception(error)
    return outcome

"""Several threads go through the parts of a file; what they make of it comes in the order of the file."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Generic, NamedTuple, Self, TypeVar, cast

Item = TypeVar("Item")
Done = TypeVar("Done")

_NONE = object()
# What is made of so many parts may wait for the first one of them.
_NEAR = 8


class Outcome(NamedTuple, Generic[Done]):
    """What came of an item: its part and its number there; what was made of it, an error, or neither after the last one."""

    part: int
    number: int
    done: Done | None = None
    error: Exception | None = None


Portion = Callable[[], Outcome[Done] | None]


class Part(NamedTuple, Generic[Item]):
    """A part of a file: about how many items it has, and these."""

    size: int
    items: Iterator[Item]


class Parts(Generic[Item, Done]):
    """The parts of a file, of which each gives its items to one thread at a time.

    A thread that is free takes the next item of a part that no other one is reading, and works on it while others read. It takes the
    part of which most is left: so the last parts end together, and no thread waits for another to read. Where there is one part
    only, its items are read one after the other and worked on at the same time.

    Few parts are open at a time, and none is far ahead of the first one that was not read to its end, since what is made of it waits for
    its turn. Close it before the threads are waited for, so that none of them waits for a part that an interrupted one has taken.
    """

    def __init__(self, parts: Sequence[Part[Item]], work: Callable[[Item], Done], *, threads: int) -> None:
        """Begin with nothing taken; `work` may be called by so many threads at once."""
        self._items = [part.items for part in parts]
        self._left = [part.size for part in parts]
        self._work = work
        # One thread goes through the file as it lies.
        self._near = 1 if threads == 1 else _NEAR
        self._open_at_once = threads + 1
        self._taken = [0] * len(parts)
        self._open = list(range(len(parts)))
        self._read = set[int]()
        self._changed = threading.Condition()
        self._closed = False

    def __iter__(self) -> Self:
        """Return the calls."""
        return self

    def __next__(self) -> Portion[Done]:
        """Return a call that may be made beside others and does one item, whichever is the next, until nothing is left.

        A call that finds nothing left returns None.
        """
        if not self._open:
            raise StopIteration
        return self._portion

    def close(self) -> None:
        """Let no part be read any more, and nobody wait for one."""
        self._closed = True
        with self._changed:
            self._changed.notify_all()

    def _portion(self) -> Outcome[Done] | None:
        claimed = self._claimed()
        if claimed is None:
            return None
        part, number = claimed
        item: Item | object = _NONE
        try:
            item = next(self._items[part], _NONE)
        except Exception as error:  # noqa: BLE001 - raised at its turn
            return Outcome(part, number, error=error)
        finally:
            self._release(part, more=item is not _NONE)
        if item is _NONE:
            return Outcome(part, number)
        try:
            return Outcome(part, number, self._work(cast("Item", item)))
        except Exception as error:  # noqa: BLE001 - raised at its turn
            return Outcome(part, number, error=error)

    def _claimed(self) -> tuple[int, int] | None:
        """Return a part for this thread to read, waiting for one, and the number of the item there; None where all have been read."""
        with self._changed:
            while self._open and not self._closed:
                near = [part for part in self._open if part < self._open[0] + self._near]
                begun = [part for part in near if self._taken[part]]
                may = begun if len(begun) == self._open_at_once else near
                free = [part for part in may if part not in self._read]
                if free:
                    part = self._wanted(free)
                    self._read.add(part)
                    self._taken[part] += 1
                    return part, self._taken[part] - 1
                self._changed.wait()
            return None

    def _wanted(self, free: list[int]) -> int:
        """Return the part of which most is left; but of the first one the last item is not let wait, nor all that waits for it."""
        left = {part: self._left[part] - self._taken[part] for part in free}
        first = self._open[0]
        return first if left.get(first, 2) <= 1 else max(free, key=left.__getitem__)

    def _release(self, part: int, *, more: bool) -> None:
        with self._changed:
            self._read.remove(part)
            if not more:
                self._open.remove(part)
            self._changed.notify_all()


def in_file_order(outcomes: Iterable[Outcome[Done] | None]) -> Iterator[Done]:
    """Yield what was made of the items part by part, each in its order, as soon as it is its turn.

    Raises:
        Exception: that of the first item in the file of which none could be made.
    """
    early: dict[tuple[int, int], Outcome[Done]] = {}
    turn = (0, 0)
    for some in outcomes:
        if some is not None:
            early[some.part, some.number] = some
        while (outcome := early.pop(turn, None)) is not None:
            part, number = turn
            if outcome.error is not None:
                raise outcome.error
            turn = (part + 1, 0) if outcome.done is None else (part, number + 1)
            if outcome.done is not None:
                yield outcome.done

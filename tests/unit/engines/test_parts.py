"""Parts of a file that several threads go through: one reads a part at a time, and all comes in the order of the file."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

from lowland_gis.analysis.overlay.crew import done_in_order
from lowland_gis.engines.parts import Outcome, Part, Parts, in_file_order


def through(parts: list[Part], work, threads: int) -> Iterator:
    portions = Parts(parts, work, threads=threads)
    return in_file_order(
        done_in_order(portions, lambda portion: portion(), threads=threads, held=threads + 4)
    )


def parts_of(sizes: list[int], *, told: list[int] | None = None) -> list[Part]:
    told = sizes if told is None else told
    return [
        Part(size, iter([(part, n) for n in range(count)]))
        for part, (count, size) in enumerate(zip(sizes, told, strict=True))
    ]


def in_order(sizes: list[int]) -> list[tuple[int, int]]:
    return [(part, n) for part, count in enumerate(sizes) for n in range(count)]


@pytest.mark.parametrize("threads", [1, 2, 4])
@pytest.mark.parametrize("sizes", [[], [0], [5], [3, 0, 4], [8, 1, 8, 1, 8, 1, 2, 7, 3, 3, 3, 3]])
def test_all_comes_once_and_in_order(sizes, threads):
    wait = np.random.default_rng(7)

    def work(item: tuple[int, int]) -> tuple[int, int]:
        time.sleep(wait.random() * 0.002)
        return item

    assert list(through(parts_of(sizes), work, threads)) == in_order(sizes)


def test_one_thread_goes_through_the_file_as_it_lies():
    """However large the parts behind are."""
    read: list[tuple[int, int]] = []

    def items(part: Part):
        for item in part.items:
            read.append(item)
            yield item

    sizes = [1, 3, 9]
    list(through([Part(part.size, items(part)) for part in parts_of(sizes)], lambda item: item, 1))
    assert read == in_order(sizes)


@pytest.mark.parametrize("told", [[1, 1, 1], [9, 9, 9], [0, 50, 0]])
def test_wrong_sizes_lose_nothing(told):
    sizes = [4, 4, 4]
    assert list(through(parts_of(sizes, told=told), lambda item: item, 2)) == in_order(sizes)


def test_a_part_is_read_by_one_at_a_time_and_its_items_are_worked_on_by_several():
    reading, most = 0, 0
    both = threading.Barrier(2, timeout=20)

    def items():
        nonlocal reading, most
        for number in range(12):
            reading += 1
            most = max(most, reading)
            time.sleep(0.002)
            reading -= 1
            yield number

    def work(number: int) -> int:
        both.wait()  # for ever, if the only part were worked on by one thread
        return number

    assert list(through([Part(12, items())], work, 2)) == list(range(12))
    assert most == 1


def test_what_is_made_waits_for_few_parts():
    """However many parts there are: the last ones are not begun while the first one is read."""
    begun: list[int] = []
    begun_meanwhile: list[int] = []

    def items(part: int):
        begun.append(part)
        if part == 0:
            time.sleep(0.2)
            begun_meanwhile.extend(begun)
        yield part

    parts = [Part(1 + part, items(part)) for part in range(40)]
    assert list(through(parts, lambda item: item, 3)) == list(range(40))
    assert set(begun_meanwhile) <= set(range(8))


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("where", ["reading", "working"])
def test_the_first_error_of_the_file_is_the_one_that_is_raised(where, threads):
    """A later one may come up earlier."""

    def items(part: int):
        for number in range(3):
            if where == "reading" and (part, number) in ((0, 2), (1, 0)):
                raise ValueError(f"{part} {number}")
            time.sleep(0.01 if part == 0 else 0)
            yield part, number

    def work(item: tuple[int, int]) -> tuple[int, int]:
        if where == "working" and item in ((0, 2), (1, 0)):
            raise ValueError("{} {}".format(*item))
        return item

    done = through([Part(3, items(part)) for part in range(3)], work, threads)
    assert [next(done), next(done)] == [(0, 0), (0, 1)]
    with pytest.raises(ValueError, match="0 2"):
        next(done)


def test_a_small_first_part_is_not_left_for_last():
    """All that is made of the others would wait for it."""
    read: list[int] = []

    def items(part: Part):
        for item in part.items:
            read.append(item[0])
            yield item

    parts = [Part(part.size, items(part)) for part in parts_of([1, 20, 20, 20])]
    list(through(parts, lambda item: item, 2))
    assert 0 in read[:2]


def test_closed_while_an_interrupted_thread_keeps_a_part_nobody_waits():
    parts = Parts([Part(2, iter("ab"))], str, threads=2)
    portion = next(parts)
    assert parts._claimed() == (0, 0)  # and is never given back
    waiting = threading.Thread(target=portion, daemon=True)
    waiting.start()
    waiting.join(0.05)
    assert waiting.is_alive()
    parts.close()
    waiting.join(20)
    assert not waiting.is_alive()


def test_outcomes_are_put_in_order_however_they_come():
    outcomes = [Outcome(1, 1), Outcome(0, 1), Outcome(1, 0, "c"), None, Outcome(0, 0, "a")]
    assert list(in_file_order(iter(outcomes))) == ["a", "c"]

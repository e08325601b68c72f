"""Threads of which the caller is one: order and errors are kept, none stands idle, and no more are busy than were asked for."""

from __future__ import annotations

import threading
import time
from contextlib import closing

import pytest

from lowland_gis.analysis.overlay.crew import done_in_order


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("held", [None, 3])
def test_order_is_kept_though_the_first_takes_longest(threads, held):
    def work(number: int) -> int:
        time.sleep(0.05 if number == 0 else 0)
        return number * 10

    done = done_in_order(range(9), work, threads=threads, held=held)
    assert list(done) == list(range(0, 90, 10))


def test_the_caller_works_too_and_nobody_beside_those_asked_for():
    busy, most, who = 0, 0, set()
    lock = threading.Lock()
    both = threading.Barrier(2, timeout=20)

    def work(number: int) -> int:
        nonlocal busy, most
        with lock:
            busy += 1
            most = max(most, busy)
            who.add(threading.get_ident())
        if number < 2:
            both.wait()  # for ever, if not two were at it
        time.sleep(0.002)
        with lock:
            busy -= 1
        return number

    assert list(done_in_order(range(40), work, threads=2)) == list(range(40))
    assert (most, len(who)) == (2, 2)
    assert threading.get_ident() in who


def test_few_items_are_fetched_ahead():
    taken: list[int] = []

    def items():
        for number in range(100):
            taken.append(number)
            yield number

    done = done_in_order(items(), lambda number: number, threads=3, held=5)
    assert next(done) == 0
    assert len(taken) == 5
    assert list(done)[-1] == 99


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_an_error_comes_at_its_turn(threads):
    """Whether another thread or the caller met it."""

    def work(number: int) -> int:
        if number % 2:
            raise ValueError(str(number))
        time.sleep(0.01 if number == 0 else 0)
        return number

    done = done_in_order(range(8), work, threads=threads)
    assert next(done) == 0
    with pytest.raises(ValueError, match="1"):
        next(done)


def test_an_error_of_the_source_is_raised_to_the_caller():
    def items():
        yield 1
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        list(done_in_order(items(), lambda number: number, threads=2))


def test_closed_early_nothing_runs_on():
    begun, ended = [], []
    worked_on = threading.Event()

    def work(number: int) -> int:
        begun.append(number)
        if number:
            worked_on.set()
        time.sleep(0.02 if number else 0)
        ended.append(number)
        return number

    with closing(done_in_order(range(1000), work, threads=3)) as done:
        assert next(done) == 0
        assert worked_on.wait(20)
    assert sorted(begun) == sorted(ended)
    assert len(begun) < 1000
    time.sleep(0.05)
    assert len(begun) == len(ended)


@pytest.mark.parametrize("threads", [1, 2])
def test_nothing(threads):
    assert list(done_in_order([], str, threads=threads)) == []

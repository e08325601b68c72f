"""Going through an iterator ahead of its reader keeps order and errors, and holds few items."""

import threading
import time

import pytest

from lowland_gis.pipeline.threads.ahead import ahead, worked


def test_order_is_kept_though_the_first_takes_longest():
    def work(number: int) -> int:
        time.sleep(0.05 if number == 0 else 0)
        return number * 10

    assert list(worked(iter(range(9)), work, workers=2)) == list(range(0, 90, 10))


def test_two_are_worked_on_at_once():
    both = threading.Barrier(2, timeout=20)
    assert list(worked(iter("ab"), lambda word: (both.wait(), word)[1], workers=2)) == ["a", "b"]


def test_few_items_are_held():
    taken: list[int] = []

    def items():
        for number in range(100):
            taken.append(number)
            yield number

    done = worked(items(), lambda number: number, workers=2)
    assert next(done) == 0
    assert len(taken) <= 4
    assert list(done)[-1] == 99


def test_an_error_comes_at_its_turn():
    def work(number: int) -> int:
        if number == 2:
            raise ValueError("two")
        return number

    done = worked(iter(range(5)), work, workers=2)
    assert [next(done), next(done)] == [0, 1]
    with pytest.raises(ValueError, match="two"):
        next(done)


def test_an_error_of_the_source_comes_after_what_was_before_it():
    def items():
        yield 1
        raise OSError("gone")

    with ahead(items(), 3) as source:
        assert next(source) == 1
        with pytest.raises(OSError, match="gone"):
            next(source)


def test_nothing():
    assert list(worked(iter(()), str, workers=2)) == []
    with ahead(iter(()), 3) as source:
        assert list(source) == []

"""Blocks that hold blocks: how many parts they stand for, and whether one holds itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Held = Mapping[str, "Block"]


@dataclass(frozen=True)
class Block:
    """What a block holds: parts of its own, and other blocks by name, each so many times."""

    parts: int
    inserted: Mapping[str, int]


def circle(blocks: Held) -> list[str] | None:
    """Return the names of blocks of which each holds the next and the last one the first; None where there are none such.

    >>> circle({"a": Block(1, {"b": 1}), "b": Block(0, {"a": 2})})
    ['a', 'b']
    """
    done: set[str] = set()
    for name in blocks:
        found = _circle_from(name, blocks, done)
        if found is not None:
            return found
    return None


def _circle_from(first: str, blocks: Held, done: set[str]) -> list[str] | None:
    """Go down from one block, without calling itself: a drawing may nest a hundred thousand deep."""
    way: list[str] = []
    on_way: set[str] = set()
    ahead = [(first, False)]
    while ahead:
        name, leaving = ahead.pop()
        if leaving:
            way.pop()
            on_way.remove(name)
            done.add(name)
            continue
        if name in on_way:
            return way[way.index(name) :]
        if name in done or name not in blocks:
            continue
        way.append(name)
        on_way.add(name)
        ahead.append((name, True))
        ahead += [(each, False) for each in blocks[name].inserted]
    return None


def counted(blocks: Held) -> dict[str, int]:
    """Return for how many parts each block stands, with those of the blocks in it. None of them may hold itself.

    >>> counted({"a": Block(1, {"b": 10}), "b": Block(2, {})})["a"]
    21
    """
    totals: dict[str, int] = {}
    for name in blocks:
        ahead = [name]
        while ahead:
            each = ahead[-1]
            inner = [held for held in blocks[each].inserted if held in blocks]
            open_ones = [held for held in inner if held not in totals]
            if each in totals or not open_ones:
                ahead.pop()
                totals[each] = blocks[each].parts + sum(
                    blocks[each].inserted[held] * totals[held] for held in inner
                )
            else:
                ahead += open_ones
    return totals

"""Fill old quarters and villages: rows of small lots, back to back, between narrow lanes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from lowland_gis.sample.codes import PURPOSE_USE, USE, Purpose
from lowland_gis.sample.dice import Dice
from lowland_gis.sample.plan import Box
from lowland_gis.sample.sheet import Sheet

LANE_M = 4
EMPTY_GROUPS, SHOP_GROUPS = 0.04, 0.08
MOST_IN_GROUP = 6


@dataclass(frozen=True)
class RowStyle:
    """What the rows hold: purpose, depth of a row and least and greatest width of a lot (m)."""

    purpose: Purpose
    depth: int
    widths: tuple[int, int]


@dataclass(frozen=True)
class Rows:
    """One box to be filled with rows along its longer side."""

    sheet: Sheet
    box: Box
    leaf: int
    style: RowStyle
    dice: Dice

    def fill(self) -> None:
        """Put lanes, groups of lots and lots on the sheet."""
        length, height = self._sides()
        runs = _spans(length, self.dice.whole(85, 130), self.dice)
        bands = _spans(height, 2 * self.style.depth, self.dice)
        for (_, before), (after, _) in pairwise(runs):
            self._lane((before, 0, after, height))
        for start, end in runs:
            for (_, before), (after, _) in pairwise(bands):
                self._lane((start, before, end, after))
            for low, high in bands:
                for bottom, top in self._halved(low, high):
                    self._row((start, bottom, end, top))

    def _sides(self) -> tuple[int, int]:
        x0, y0, x1, y1 = self.box
        return max(x1 - x0, y1 - y0), min(x1 - x0, y1 - y0)

    def _place(self, span: Box) -> Box:
        x0, y0, x1, y1 = self.box
        u0, v0, u1, v1 = span
        if y1 - y0 > x1 - x0:
            return (x0 + v0, y0 + u0, x0 + v1, y0 + u1)
        return (x0 + u0, y0 + v0, x0 + u1, y0 + v1)

    def _lane(self, span: Box) -> None:
        self.sheet.feature(self._place(span), self.leaf, USE["1004"], settled=True)

    def _halved(self, low: int, high: int) -> list[tuple[int, int]]:
        if high - low < 1.5 * self.style.depth:
            return [(low, high)]
        middle = (low + high) // 2
        return [(low, middle), (middle, high)]

    def _row(self, span: Box) -> None:
        """Cut a row into lots; a group of neighbours is one feature of the survey, never too small for it."""
        start, bottom, end, top = span
        edges = [start]
        while end - edges[-1] > 1.6 * self.style.widths[1]:
            edges.append(edges[-1] + self.dice.whole(*self.style.widths))
        edges.append(end)
        shortest = self.sheet.least_m2[self.leaf] / (top - bottom)
        first = 0
        while first < len(edges) - 1:
            last = min(len(edges) - 1, first + self.dice.whole(1, MOST_IN_GROUP))
            while last < len(edges) - 1 and edges[last] - edges[first] < shortest:
                last += 1
            if edges[-1] - edges[last] < shortest:
                last = len(edges) - 1
            self._group(edges[first : last + 1], bottom, top)
            first = last

    def _group(self, edges: list[int], bottom: int, top: int) -> None:
        whole = self._place((edges[0], bottom, edges[-1], top))
        purpose = self._purpose()
        if purpose is None:
            self.sheet.feature(whole, self.leaf, USE[self.dice.pick(("1201", "0810"))], settled=True)
            return
        self.sheet.feature(whole, self.leaf, int(PURPOSE_USE[purpose]), settled=True)
        for left, right in pairwise(edges):
            self.sheet.lot(self._place((left, bottom, right, top)), self.leaf, purpose)

    def _purpose(self) -> Purpose | None:
        roll = self.dice.real()
        if roll < EMPTY_GROUPS:
            return None
        if self.style.purpose == Purpose.HOME_OLD and roll < EMPTY_GROUPS + SHOP_GROUPS:
            return Purpose.SHOP
        return self.style.purpose


def _spans(length: int, target: int, dice: Dice) -> list[tuple[int, int]]:
    """Divide a length into spans of about the target with lanes between."""
    count = max(1, round((length + LANE_M) / (target + LANE_M)))
    step = (length + LANE_M) / count
    wobble = min(step * 0.12, 9.0)
    inner = [round(number * step + dice.real(-wobble, wobble)) for number in range(1, count)]
    return [(low, high - LANE_M) for low, high in pairwise([0, *inner, length + LANE_M])]

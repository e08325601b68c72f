"""Fill the blocks of the plan with features of the third survey and with lots (still in the integer plane)."""

from __future__ import annotations

from collections.abc import Callable

from lowland_gis.sample.codes import PURPOSE_USE, USE, Leaf, Purpose
from lowland_gis.sample.dice import Dice, Floats, Ints
from lowland_gis.sample.plan import Blocks, Box
from lowland_gis.sample.rows import LANE_M, Rows, RowStyle
from lowland_gis.sample.sheet import Sheet

SHORTEST_M, GRID_M = 24, 4
# The survey maps no built feature below 200 m²; the rest is for vertices that do not lie quite where the plan has them.
LEAST_M2 = 240.0
NARROWEST_STRIP_M, WIDEST_STRIP = 6.0, 0.25
# Cuts leave at least 36% to the smaller part, a little less after rounding.
SMALLEST_PART = 0.3
POND_OVER_BUILT = 2.0
YARDS = ("1201", "0508", "0810")


def fill_blocks(blocks: Blocks, ground_share: Floats, dice: Dice) -> tuple[dict[str, Ints], dict[str, Ints]]:
    """Fill every block by its kind; returns the features and the lots.

    `ground_share` says how much of its area a feature of a block keeps on the ground.
    """
    sheet = Sheet((LEAST_M2 / ground_share).tolist())
    for leaf, (node, kind) in enumerate(zip(blocks.nodes, blocks.kind.tolist(), strict=True)):
        FILLINGS[Leaf(kind)](sheet, node.inner, leaf, dice)
    return sheet.tables()


def shares(box: Box, target_m2: float, dice: Dice, *, least_m2: float = 0.0) -> list[Box]:
    """Cut a box by straight cuts into boxes of about the target size or less, none of them below the least."""
    done, waiting = [], [box]
    while waiting:
        x0, y0, x1, y1 = waiting.pop()
        width, height = x1 - x0, y1 - y0
        small = max(target_m2 * dice.real(0.7, 1.7), least_m2 / SMALLEST_PART)
        if width * height <= small or max(width, height) < SHORTEST_M:
            done.append((x0, y0, x1, y1))
        elif width >= height:
            middle = _even(x0 + width * dice.real(0.36, 0.64))
            waiting += [(middle, y0, x1, y1), (x0, y0, middle, y1)]
        else:
            middle = _even(y0 + height * dice.real(0.36, 0.64))
            waiting += [(x0, middle, x1, y1), (x0, y0, x1, middle)]
    return done


def _even(place: float) -> int:
    """Round to a coarse grid, so that corners of neighbours meet or are some metres apart."""
    return GRID_M * round(place / GRID_M)


def _with_strip(sheet: Sheet, box: Box, leaf: int, purpose: Purpose, *, second: str, share: float) -> None:
    """Keep a lot that spans two features: its own class and, where there is room, a strip of a second one."""
    x0, y0, x1, y1 = box
    length, width = max(x1 - x0, y1 - y0), min(x1 - x0, y1 - y0)
    strip = max(NARROWEST_STRIP_M, sheet.least_m2[leaf] / width + GRID_M / 2, length * share)
    if strip > WIDEST_STRIP * length:
        sheet.built(box, leaf, purpose)
        return
    sheet.lot(box, leaf, purpose)
    use = int(PURPOSE_USE[purpose])
    if x1 - x0 >= y1 - y0:
        middle = _even(x1 - strip)
        parts: tuple[Box, Box] = ((x0, y0, middle, y1), (middle, y0, x1, y1))
    else:
        middle = _even(y1 - strip)
        parts = ((x0, y0, x1, middle), (x0, middle, x1, y1))
    sheet.feature(parts[0], leaf, use, settled=True)
    sheet.feature(parts[1], leaf, USE[second], settled=True)


def _housing(sheet: Sheet, box: Box, leaf: int, dice: Dice) -> None:
    for part in shares(box, 11_000, dice):
        if dice.chance(0.3):
            _with_strip(sheet, part, leaf, Purpose.HOME_NEW, second="0810", share=dice.real(0.06, 0.14))
        else:
            sheet.built(part, leaf, Purpose.HOME_NEW)


def _commerce(sheet: Sheet, box: Box, leaf: int, dice: Dice) -> None:
    for part in shares(box, 3_200, dice, least_m2=sheet.least_m2[leaf]):
        sheet.built(part, leaf, Purpose.SHOP if dice.chance(0.6) else Purpose.OFFICE)


def _facility(sheet: Sheet, box: Box, leaf: int, dice: Dice) -> None:
    kinds = (Purpose.ADMIN, Purpose.SCHOOL, Purpose.SCHOOL, Purpose.CLINIC, Purpose.UTILITY, Purpose.STATION)
    for part in shares(box, 6_000, dice):
        sheet.built(part, leaf, dice.pick(kinds))


def _industry(sheet: Sheet, box: Box, leaf: int, dice: Dice) -> None:
    for part in shares(box, dice.pick((6_000, 9_000, 14_000, 26_000)), dice):
        if dice.chance(0.1):
            sheet.built(part, leaf, Purpose.STORE)
        elif dice.chance(0.15):
            _with_strip(
                sheet, part, leaf, Purpose.WORKS, second=dice.pick(YARDS), share=dice.real(0.06, 0.15)
            )
        else:
            sheet.built(part, leaf, Purpose.WORKS)


def _workshop(sheet: Sheet, box: Box, leaf: int, dice: Dice) -> None:
    for part in shares(box, 7_000, dice):
        sheet.built(part, leaf, Purpose.WORKS)


def _old(sheet: Sheet, box: Box, leaf: int, dice: Dice) -> None:
    Rows(sheet, box, leaf, RowStyle(Purpose.HOME_OLD, dice.whole(17, 22), (20, 52)), dice).fill()


def _village(sheet: Sheet, box: Box, leaf: int, dice: Dice) -> None:
    """Fill a village: rows of houses and, at one end, its office, yard and workshops."""
    x0, y0, x1, y1 = box
    end = min(60, (x1 - x0) // 4)
    style = RowStyle(Purpose.RURAL_HOME, dice.whole(17, 21), (24, 62))
    for homes in _around_corner(sheet, (x0, y0, x1 - end - LANE_M, y1), leaf, dice):
        Rows(sheet, homes, leaf, style, dice).fill()
    sheet.feature((x1 - end - LANE_M, y0, x1 - end, y1), leaf, USE["1004"], settled=True)
    # The pond is farmland to the survey, which maps it from 400 m² on.
    least = sheet.least_m2[leaf] * POND_OVER_BUILT
    yards = shares((x1 - end, y0, x1, y1), 2_600, dice, least_m2=least)
    for number, part in enumerate(yards):
        if number == 0:
            sheet.built(part, leaf, Purpose.ADMIN)
        elif number == 1:
            sheet.feature(part, leaf, USE[dice.pick(("0810", "1104"))], settled=True)
        else:
            sheet.built(part, leaf, Purpose.STORE if dice.chance(0.2) else Purpose.WORKS)


def _around_corner(sheet: Sheet, box: Box, leaf: int, dice: Dice) -> tuple[Box, Box]:
    """Leave one outer corner of a village to a pond, a grove or a field; return the two parts with houses."""
    x0, y0, x1, y1 = box
    across, up = x0 + int((x1 - x0) * dice.real(0.25, 0.5)), y0 + int((y1 - y0) * dice.real(0.3, 0.6))
    use = USE[dice.pick(("1104", "0301", "0102", "0201"))]
    if dice.chance(0.5):
        sheet.feature((x0, up, across, y1), leaf, use, settled=False)
        sheet.feature((x0, up - LANE_M, across, up), leaf, USE["1004"], settled=True)
        return (x0, y0, across, up - LANE_M), (across, y0, x1, y1)
    sheet.feature((x0, y0, across, up), leaf, use, settled=False)
    sheet.feature((x0, up, across, up + LANE_M), leaf, USE["1004"], settled=True)
    return (x0, up + LANE_M, across, y1), (across, y0, x1, y1)


def _plots(
    use: str, size_m2: float, lots: float = 0.0, purpose: Purpose = Purpose.FIELD
) -> Callable[[Sheet, Box, int, Dice], None]:
    """Return a filling with open plots, of which a share are registered lots."""

    def fill(sheet: Sheet, box: Box, leaf: int, dice: Dice) -> None:
        for part in shares(box, size_m2, dice):
            sheet.feature(part, leaf, USE[use], settled=False)
            if dice.chance(lots):
                sheet.lot(part, leaf, purpose)

    return fill


def _fields(sheet: Sheet, box: Box, leaf: int, dice: Dice) -> None:
    for part in shares(box, 22_000, dice):
        use = "0102" if dice.chance(0.9) else dice.pick(("0103", "1202", "1104", "0404"))
        sheet.feature(part, leaf, USE[use], settled=False)
        if use == "1202" or (use == "0102" and dice.chance(0.03)):
            sheet.lot(part, leaf, Purpose.GREENHOUSE if use == "1202" else Purpose.FIELD)


def _whole(use: str, *, settled: bool) -> Callable[[Sheet, Box, int, Dice], None]:
    def fill(sheet: Sheet, box: Box, leaf: int, _dice: Dice) -> None:
        sheet.feature(box, leaf, USE[use], settled=settled)

    return fill


def _reservoir(sheet: Sheet, box: Box, leaf: int, _dice: Dice) -> None:
    """Fill a reservoir: in 2009 all of it was water, since then one side was filled for greenhouses."""
    x0, y0, x1, y1 = box
    edge = x1 - (x1 - x0) // 5
    sheet.feature((x0, y0, edge, y1), leaf, USE["1103"], settled=False)
    sheet.feature((edge, y0, x1, y1), leaf, USE["1202"], settled=False)
    sheet.lot((edge, y0, x1, y1), leaf, Purpose.GREENHOUSE)


FILLINGS: dict[Leaf, Callable[[Sheet, Box, int, Dice], None]] = {
    Leaf.OLD: _old,
    Leaf.HOUSING: _housing,
    Leaf.COMMERCE: _commerce,
    Leaf.FACILITY: _facility,
    Leaf.INDUSTRY: _industry,
    Leaf.PARK: _whole("0810", settled=True),
    Leaf.VACANT: _whole("1201", settled=True),
    Leaf.VILLAGE: _village,
    Leaf.WORKSHOP: _workshop,
    Leaf.MEMORIAL: _whole("09", settled=True),
    Leaf.FIELDS: _fields,
    Leaf.PONDS: _plots("1104", 9_000),
    Leaf.GREENHOUSES: _plots("1202", 7_000, 0.5, Purpose.GREENHOUSE),
    Leaf.WOODS: _plots("0301", 30_000),
    Leaf.ORCHARD: _plots("0201", 20_000),
    Leaf.RESERVOIR: _reservoir,
}

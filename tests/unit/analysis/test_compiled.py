"""Machine code of the innermost loops: it counts no holders of arrays, which was most of their time."""

from __future__ import annotations

import ast
from pathlib import Path

import numba
import numpy as np
import pytest
import shapely

from lowland_gis import analysis
from lowland_gis.analysis.overlay import boxtree, frame, kernel, rings, simple, sums, tabulate, wkb
from lowland_gis.analysis.overlay.wkb import rings_of
from lowland_gis.analysis.units import facing
from lowland_gis.analysis.units import grow as unit_grow
from lowland_gis.analysis.units import moves as unit_moves
from lowland_gis.analysis.units import value as unit_value
from lowland_gis.analysis.units.contiguity import barrier_cells
from lowland_gis.analysis.units.ground import build_problem
from lowland_gis.analysis.units.value import desk_of
from unit_instances import district

SHAPE = shapely.Point(0, 0).buffer(10, 60) - shapely.box(-1, -1, 1, 1)
LAYER = tabulate.zone_layer(
    rings_of(np.array([SHAPE, SHAPE], dtype=object)), np.zeros(2, np.int64), np.array(["a"], dtype=object)
)
RINGS, XY, BOX = LAYER.rings, LAYER.rings.xy, LAYER.rings.box[0]
ROOM = sums._first_room()
LAID = ROOM.frame
FRAME = frame.Frame(
    *frame.box_of_parcel(RINGS, 0), frame._FEW > 0, LAID.ordered, 1.0, LAID.first, LAID.last, LAID.parts
)
ROWS, STAND = sums._rows(16), np.zeros(6, np.int64)
NUMBERS, FLOATS, EDGES = np.zeros(1024, np.int64), np.zeros(1024), np.zeros((5, 1024))
CONTENT = np.zeros(64, np.uint8)
PARCELS, TOWN, ROADS = district(1)
UNITS = build_problem(PARCELS, barrier_cells(TOWN, ROADS))
GROUND, DESK, FREE, PRICE = UNITS.ground, desk_of(UNITS.ground), UNITS.free, np.zeros(len(UNITS.free))
MOVE = (GROUND, DESK, FREE, PRICE, NUMBERS, 1, -1)

HOT = {
    sums._sum: (RINGS, 2, RINGS, LAYER.classes, LAYER.tree, ROOM, ROWS, STAND),
    sums._by_class: (FRAME, RINGS, LAYER.classes, NUMBERS, 1, NUMBERS, FLOATS, 0),
    boxtree.boxes_met: (LAYER.tree, BOX, NUMBERS, NUMBERS),
    boxtree._ascending: (NUMBERS, 1),
    kernel.area_within: (FRAME, RINGS, 0),
    kernel._within_ring: (FRAME, RINGS, 0),
    kernel._below_line: (FRAME, 0.0, 1.0),
    kernel.passed: (FRAME, RINGS, 0, 1, 0),
    frame.laid_out: (RINGS, 0, LAID),
    frame.edges_of: (RINGS, 0, 0.0, 0.0, EDGES),
    wkb._measure: (CONTENT, NUMBERS, NUMBERS),
    simple._is_star: (XY, 0, 5, BOX),
    simple._no_two_meet_in: (RINGS.box, 2, XY, 0, 5),
    unit_value.value_and_rule: (GROUND, DESK, NUMBERS),
    unit_moves.best_move: (*MOVE, 0.0, 0.0),
    unit_moves.improve: MOVE,
    unit_grow._joining: (GROUND, DESK, FLOATS, 0),
    facing._seen_before: (0.0, 1, FLOATS, FLOATS, NUMBERS),
    rings.signed_area: (XY, 0, 5),
    rings.fill_blocks: (XY, 0, 5, RINGS.blocks, 0),
}


def code(function, arguments) -> str:
    """Return the code of a function for arguments of these types; it is compiled anew, since what is kept cannot be looked into."""
    options = {name: value for name, value in function.targetoptions.items() if name != "nopython"}
    fresh = numba.njit(**options)(function.py_func)
    fresh.compile(tuple(map(numba.typeof, arguments)))
    return "".join(fresh.inspect_llvm().values())


@pytest.mark.parametrize("function", HOT, ids=lambda function: function.__name__)
def test_no_holders_are_counted(function):
    assert "NRT_incref" not in code(function, HOT[function])


def test_holders_are_counted_where_memory_is_taken():
    """So that the test above would see it."""
    assert "NRT_incref" in code(sums.covered_of, (RINGS, 0, 1, RINGS, LAYER.tree, NUMBERS, FLOATS))


HOME = Path(analysis.__file__).parent
COMPILING = {"compiled", "borrowing", "inlined", "entry"}


def imported(module: Path) -> list[str]:
    """Return the modules of `analysis` that a module imports names from, below `analysis`, and what it imports of `compiled`."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    found = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    names = [f"{node.module}.{alias.name}" for node in found for alias in node.names]
    ours = "lowland_gis.analysis."
    return [name.removeprefix(ours) for name in names if name.startswith(ours)]


WITH_MACHINE_CODE = sorted(
    {
        module.parent
        for module in HOME.rglob("*.py")
        if "compiled" in module.read_text(encoding="utf-8")
        and any(name.removeprefix("compiled.") in COMPILING for name in imported(module))
    }
)


def test_wings_with_machine_code_are_found():
    assert {"overlay", "units", "rules"} <= {wing.name for wing in WITH_MACHINE_CODE}


@pytest.mark.parametrize("wing", WITH_MACHINE_CODE, ids=lambda wing: wing.name)
def test_the_digest_of_a_wing_covers_all_that_its_machine_code_can_call(wing):
    """The digest reads the wing, `geometry` and the modules beside `compiled`; what stood elsewhere would be run as it was."""
    covered = {wing.name, "geometry", *(module.stem for module in HOME.glob("*.py"))}
    reached = {name.split(".")[0] for module in wing.rglob("*.py") for name in imported(module)}
    assert reached <= covered

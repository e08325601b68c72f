"""Drawings for tests, written by ezdxf; what it cannot write is put into their bytes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import ezdxf

EAST, NORTH = 515_000.0, 4_345_300.0
LOT = ("300000", "120113001001GB00001", "北辰某某公司", "0601")


def drawn(
    path: Path, *draw: Callable[[Any], None], version: str = "R2010", units: int = 6, form: str = "asc"
) -> Path:
    """Write a drawing with what each function draws into its model."""
    drawing = ezdxf.new(version)
    drawing.units = units
    if drawing.dxfversion < "AC1021":
        drawing.encoding = "gbk"
    drawing.appids.add("SOUTH")
    for one in draw:
        one(drawing)
    drawing.saveas(path, fmt=form)
    return path


def corners(x: float, y: float, width: float, height: float) -> list[tuple[float, float]]:
    """Return the corners of a rectangle, so far from the place of the drawings."""
    east, north = EAST + x, NORTH + y
    return [(east, north), (east + width, north), (east + width, north + height), (east, north + height)]


def lot(drawing: Any) -> None:
    """Draw a closed outline of 100 by 80 m with the values that a survey program hangs on it, and two texts in it."""
    model = drawing.modelspace()
    add = model.add_polyline2d if drawing.dxfversion <= "AC1009" else model.add_lwpolyline
    outline = add(corners(0, 0, 100, 80), close=True, dxfattribs={"layer": "宗地"})
    outline.set_xdata("SOUTH", [(1000, value) for value in LOT])
    model.add_text("JA-01", dxfattribs={"layer": "注记", "insert": (EAST + 50, NORTH + 40)})
    model.add_text(
        r"\U+4F4E\U+6548\M+5D3C3\M+5B5D8 45%%d",
        dxfattribs={"layer": "注记", "insert": (EAST + 50, NORTH + 20)},
    )


def open_lot(drawing: Any) -> None:
    """Draw an outline whose ends lie 0.35 m apart."""
    ring = [*corners(200, 0, 100, 80), (EAST + 200, NORTH + 0.35)]
    drawing.modelspace().add_polyline2d(ring, dxfattribs={"layer": "宗地"})


def road(drawing: Any) -> None:
    """Draw a line."""
    drawing.modelspace().add_line((EAST, NORTH - 10), (EAST + 300, NORTH - 10), dxfattribs={"layer": "道路"})

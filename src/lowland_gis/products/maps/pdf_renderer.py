"""Draw a figure of Matplotlib onto a page of `pdf_pages`: what is drawn for pictures is drawn for sheets by the same code."""

from __future__ import annotations

from math import cos, radians, sin
from typing import Any

import numpy as np
from matplotlib.backend_bases import GraphicsContextBase, RendererBase
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.path import Path as Outline
from matplotlib.transforms import Affine2D

from lowland_gis.products.maps.pdf_pages import POINTS, Page, colour_of

_OPAQUE = 0.999
_RGB = 3
_CAPS = {"butt": 0, "round": 1, "projecting": 2}
_JOINS = {"miter": 0, "round": 1, "bevel": 2}


def draw_figure(figure: Figure, page: Page) -> None:
    """Draw a figure onto a page, whose size it has."""
    figure.set_dpi(POINTS)
    figure.draw(PageRenderer(page))


class PageRenderer(RendererBase):
    """What Matplotlib asks of whoever draws: paths, and texts with their sizes; pictures of pixels are not drawn."""

    def __init__(self, page: Page) -> None:
        """Draw onto a page."""
        super().__init__()
        self._page = page

    def get_canvas_width_height(self) -> tuple[float, float]:
        """Return the size of the page in points."""
        return self._page.width, self._page.height

    def flipy(self) -> bool:
        """Say that heights are counted from below."""
        return False

    def points_to_pixels(self, points: Any) -> Any:
        """Return points: they are what is drawn in."""
        return points

    def get_text_width_height_descent(self, s: str, prop: Any, ismath: Any) -> tuple[float, float, float]:  # noqa: ARG002 - of the base
        """Return the size of a text in points."""
        size = prop.get_size_in_points()
        return self._page.letters.width(s, size), 0.95 * size, 0.2 * size

    def draw_text(  # noqa: PLR0917 - of the base
        self,
        gc: GraphicsContextBase,
        x: float,
        y: float,
        s: str,
        prop: Any,
        angle: float,
        ismath: Any = False,  # noqa: ARG002
        mtext: Any = None,  # noqa: ARG002
    ) -> None:
        """Write a text; one that begins outside of what is shown is left out."""
        box: Any = gc.get_clip_rectangle()
        if box is not None and not (box.x0 <= x <= box.x1 and box.y0 <= y <= box.y1):
            return
        slope = (cos(radians(angle)), sin(radians(angle)))
        colour = "#" + "".join(f"{round(part * 255):02X}" for part in gc.get_rgb()[:3])
        self._page.text(x, y, s, prop.get_size_in_points(), colour, angle=slope)

    def draw_path(self, gc: GraphicsContextBase, path: Outline, transform: Any, rgbFace: Any = None) -> None:  # noqa: N803 - of the base
        """Fill and stroke a path."""
        outline = _written(path, transform)
        width = gc.get_linewidth()
        fills = rgbFace is not None and (len(rgbFace) == _RGB or rgbFace[3] > 0)
        strokes = width > 0 and gc.get_rgb()[3] > 0
        if not outline or not (fills or strokes or gc.get_hatch()):
            return
        parts = ["q", *self._clip(gc)]
        own = rgbFace[3] if fills and len(rgbFace) > _RGB else 1.0
        alpha = gc.get_alpha() if gc.get_forced_alpha() else min(own, gc.get_rgb()[3] or 1.0)
        if alpha < _OPAQUE:
            self._page.alphas.add(round(alpha, 2))
            parts.append(f"/A{round(alpha * 100)} gs")
        if gc.get_hatch():
            parts += [
                f"{colour_of(rgbFace)} rg {outline} f*" if fills else "",
                *self._hatched(gc, path, transform, outline),
            ]
            fills = False
        if fills:
            parts.append(f"{colour_of(rgbFace)} rg")
        if strokes:
            parts.append(
                f"{colour_of(gc.get_rgb())} RG {width:g} w {_CAPS[gc.get_capstyle()]} J {_JOINS[gc.get_joinstyle()]} j"
            )
            dashed: Any = gc.get_dashes()
            offset, dashes = dashed
            if dashes is not None:
                parts.append(f"[{' '.join(f'{dash:g}' for dash in dashes)}] {offset:g} d")
        if fills or strokes:
            parts.append(f"{outline} {'B*' if fills and strokes else 'f*' if fills else 'S'}")
        self._page.parts.append(" ".join([*(part for part in parts if part), "Q"]))

    def _clip(self, gc: GraphicsContextBase) -> list[str]:
        found = []
        box: Any = gc.get_clip_rectangle()
        if box is not None:
            found.append(f"{box.x0:.2f} {box.y0:.2f} {box.width:.2f} {box.height:.2f} re W n")
        path, transform = gc.get_clip_path()
        if path is not None:
            found.append(f"{_written(path, transform)} W n")
        return found

    def _hatched(self, gc: Any, path: Any, transform: Any, outline: str) -> list[str]:
        """Return the pattern of a path, in tiles of an inch, within it and within what is shown."""
        found: Any = transform.transform(path.vertices)
        (west, south), (east, north) = found.min(axis=0), found.max(axis=0)
        box: Any = gc.get_clip_rectangle()
        if box is not None:
            west, south, east, north = (
                max(west, box.x0),
                max(south, box.y0),
                min(east, box.x1),
                min(north, box.y1),
            )
        if west >= east or south >= north:
            return []
        colour = colour_of(to_rgb(gc.get_hatch_color()))
        parts = ["q", f"{outline} W* n", f"{colour} RG {colour} rg {gc.get_hatch_linewidth():g} w"]
        pattern = gc.get_hatch_path()
        for column in range(int(west // POINTS), int(east // POINTS) + 1):
            for row in range(int(south // POINTS), int(north // POINTS) + 1):
                tile = Affine2D().scale(POINTS).translate(column * POINTS, row * POINTS)
                parts.append(f"{_written(pattern, tile)} B")
        return [*parts, "Q"]


def _written(path: Any, transform: Any) -> str:
    """Return a path as the operators of a PDF."""
    vertices: Any = np.round(transform.transform(path.vertices), 2)
    if not len(vertices) or not np.isfinite(vertices).all():
        vertices = vertices[np.isfinite(vertices).all(axis=1)]
        path = Outline(vertices, None)
        if not len(vertices):
            return ""
    points = vertices.tolist()
    if path.codes is None:
        first, *rest = points
        return " ".join([f"{first[0]:g} {first[1]:g} m", *(f"{x:g} {y:g} l" for x, y in rest)])
    parts, at, last = [], 0, points[0]
    codes = path.codes.tolist()
    while at < len(codes):
        code, (x, y) = codes[at], points[at]
        if code == Outline.MOVETO:
            parts.append(f"{x:g} {y:g} m")
        elif code == Outline.LINETO:
            parts.append(f"{x:g} {y:g} l")
        elif code == Outline.CLOSEPOLY:
            parts.append("h")
        elif code == Outline.CURVE3:
            (cx, cy), (x, y) = points[at], points[at + 1]
            one = (last[0] + 2 * (cx - last[0]) / 3, last[1] + 2 * (cy - last[1]) / 3)
            two = (x + 2 * (cx - x) / 3, y + 2 * (cy - y) / 3)
            parts.append(f"{one[0]:.2f} {one[1]:.2f} {two[0]:.2f} {two[1]:.2f} {x:g} {y:g} c")
            at += 1
        elif code == Outline.CURVE4:
            (ax, ay), (bx, by), (x, y) = points[at : at + 3]
            parts.append(f"{ax:g} {ay:g} {bx:g} {by:g} {x:g} {y:g} c")
            at += 2
        last = [x, y]
        at += 1
    return " ".join(parts)

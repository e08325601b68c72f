"""What every page is drawn with: settings and filled shapes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.path import Path as Outline

from lowland_gis.analysis.geometry.repair import parts_of_kind
from lowland_gis.definitions.legend import Style


def page_settings(families: Sequence[str]) -> Any:
    """Return the settings of Matplotlib that every page is drawn and saved with; a PDF keeps its letters as letters."""
    return {
        "text.parse_math": False,
        "font.family": list(families),
        "axes.unicode_minus": False,
        "hatch.linewidth": 0.5,
        "pdf.fonttype": 42,
    }


def fill(axes: Axes, geometries: Sequence[Any], style: Style, order: int) -> None:
    """Draw polygons in a style; `order` says what lies above what."""
    vertices, codes, ends = _outlines(geometries)
    paths = [Outline(vertices[start:end], codes[start:end]) for start, end in pairwise(ends)]
    axes.add_collection(
        PathCollection(
            paths,
            facecolors=style.fill,
            edgecolors=style.outline,
            linewidths=style.width,
            linestyles=[(0, style.dash)] if style.dash else "solid",
            zorder=order,
        ),
        autolim=False,
    )
    if style.hatch and paths:
        # All of them as one: for every path that is hatched the pattern is drawn anew, which took as long as the rest of a map.
        axes.add_collection(
            PathCollection(
                [Outline(vertices, codes)],
                facecolors="none",
                edgecolors=style.outline,
                linewidths=0,
                hatch=style.hatch,
                zorder=order,
            ),
            autolim=False,
        )


def _outlines(
    geometries: Sequence[Any],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.uint8], list[int]]:
    """Return vertices and codes of one path per polygon, and where each begins and ends; what has no area is not drawn.

    Holes are turned against the shell so that they stay empty.
    """
    polygons = shapely.orient_polygons(
        shapely.get_parts(parts_of_kind(np.asarray(geometries, dtype=object), "polygon"))
    )
    polygons = polygons[~shapely.is_empty(polygons)]
    if not len(polygons):
        return np.empty((0, 2)), np.empty(0, dtype=Outline.code_type), []
    # All vertices at once: one path a polygon is made by slicing, which takes a tenth of the time of making each ring an outline.
    _, vertices, (ring_ends, polygon_ends) = shapely.to_ragged_array(polygons, include_z=False)
    codes = np.full(len(vertices), Outline.LINETO, dtype=Outline.code_type)
    codes[ring_ends[:-1]], codes[ring_ends[1:] - 1] = Outline.MOVETO, Outline.CLOSEPOLY
    return vertices, codes, ring_ends[polygon_ends].tolist()

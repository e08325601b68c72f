"""Compile what a tabulation, and a measure of what lies near, calls, unless it is kept already: `python -m lowland_gis.analysis.overlay`.

An installation does it once, so that the first tabulation need not: who may write to the folder of the package fills it for all accounts.
"""

from __future__ import annotations

import numpy as np

from lowland_gis.analysis.overlay import tabulate
from lowland_gis.analysis.overlay.near import surroundings
from lowland_gis.analysis.overlay.rings import gathered
from lowland_gis.analysis.overlay.wkb import boxes, rings_of

if __name__ == "__main__":
    nothing = rings_of(np.empty(0, dtype=object))
    boxes(np.empty(0, dtype=np.uint8), np.zeros(1, dtype=np.int64))
    gathered(nothing, np.empty(0, dtype=np.intp))
    tabulate.ready(cover=True)
    layer = tabulate.zone_layer(nothing, np.empty(0, np.int64), np.empty(0, dtype=object))
    surroundings(nothing, 1.0, layer.rings, layer.tree)

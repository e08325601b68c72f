"""Compile what a tabulation calls, unless it is kept already: `python -m lowland_gis.analysis.overlay`.

An installation does it once, so that the first tabulation need not: who may write to the folder of the package fills it for all accounts.
"""

from __future__ import annotations

import numpy as np

from lowland_gis.analysis.overlay import tabulate
from lowland_gis.analysis.overlay.rings import gathered
from lowland_gis.analysis.overlay.wkb import rings_of

if __name__ == "__main__":
    nothing = rings_of(np.empty(0, dtype=object))
    gathered(nothing, np.empty(0, dtype=np.intp))
    tabulate.ready(cover=True)

"""The process from which Spark forks its Python workers: `python -m lowland_gis.engines.sedona.daemon`, called by Java.

What every worker needs, libraries and machine code, is loaded here once; a worker that is born has it at once, and shares its memory.
Nothing here may write to stdout: Java reads a port from it.
"""

from __future__ import annotations

import runpy

import numpy as np

from lowland_gis.analysis.overlay import tabulate, wkb
from lowland_gis.engines.sedona import counting, geoparquet, packed, placing, work

LOADED = (counting, geoparquet, packed, placing, work)

if __name__ == "__main__":
    wkb.boxes(np.empty(0, dtype=np.uint8), np.zeros(1, dtype=np.int64))
    wkb.decode(np.empty(0, dtype=np.uint8), np.zeros(1, dtype=np.int64))
    tabulate.ready(cover=True)
    runpy.run_module("pyspark.daemon", run_name="__main__", alter_sys=True)

#!/bin/sh
# exactextract by raster-sequential takes what the mask of a raster covers for values, for all polygons but the first.
#
# Package:  exactextract 0.3.0, rasterio 1.4.3 (PyPI); source: https://github.com/isciences/exactextract
# Expected: the two strategies differ in speed and memory alone; a cell under the raster's own mask has no value for any polygon.
# Happens:  strategy="feature-sequential" counts 12 cells of 3.0 under the second square, strategy="raster-sequential" 16 cells of mean 252.25:
#           the four masked ones (1000) are in it. The first polygon of the same call is right both ways, so a look at one is no check.
#           Numbers that are declared as nodata are left out both ways; masks, and numbers that GDAL takes for nodata within rounding, are not.
# Seen:     2026-11-30, Python 3.11, Linux x86_64. Exits non-zero when the two strategies agree.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check exactextract==0.3.0 rasterio==1.4.3 geopandas==1.1.1 shapely==2.1.2 pandas==2.3.3 numpy==2.3.5
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import exactextract
import geopandas
import numpy
import rasterio
import shapely

cells = numpy.full((10, 10), 3, dtype="float32")
cells[9] = 1000
there = numpy.full((10, 10), 255, dtype="uint8")
there[9] = 0
form = {"driver": "GTiff", "width": 10, "height": 10, "count": 1, "dtype": "float32", "crs": 4548}
with rasterio.open("a.tif", "w", transform=rasterio.transform.from_origin(0, 10, 1, 1), **form) as file:
    file.write(cells, 1)
    file.write_mask(there)
squares = geopandas.GeoDataFrame(geometry=[shapely.box(0, 0, 10, 10), shapely.box(0, 0, 4, 4)], crs=4548)
print(f"exactextract {exactextract.__version__}, rasterio {rasterio.__version__}")
found = {}
with rasterio.open("a.tif") as file:
    for strategy in ("feature-sequential", "raster-sequential"):
        rows = exactextract.exact_extract(file, squares, ["mean", "count"], strategy=strategy, output="pandas")
        found[strategy] = rows.to_numpy().tolist()
        print(f"  {strategy:18} mean and cells of each square: {found[strategy]}")
sys.exit(found["feature-sequential"] == found["raster-sequential"])
PYTHON

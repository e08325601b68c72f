#!/bin/sh
# Lots that are written as MapInfo TAB gain or lose more than a square metre each: corners lie on a grid of centimetres unless BOUNDS is given.
#
# Package:  pyogrio 0.11.1 with GDAL 3.10.3, pyogrio 0.12.1 with GDAL 3.11.4 (PyPI); source: https://github.com/OSGeo/gdal (ogr/ogrsf_frmts/mitab)
# Expected: a vector format of survey offices keeps coordinates to far below a millimetre, as shapefile and GeoPackage do; or it says that
#           it does not; and the plane that was given (CGCS2000, EPSG:4548) is found again.
# Happens:  a TAB holds whole numbers of 32 bits over the bounds of its plane. GDAL knows bounds for the planes that MapInfo lists (UTM: 10 mm);
#           for the Gauss-Kruger planes of China it takes bounds of tens of thousands of kilometres, and corners move by up to 19 mm. Areas
#           of lots, which are reported to 0.01 m2, change by up to 1.3 m2 (of 4,800), and lots that filled a block reach beyond it. No warning. With
#           BOUNDS around the data (a layer creation option) corners move by a micrometre, and as MIF by nanometres, from the same driver.
#           Either way the plane comes back without a code and a name.
# Seen:     2026-12-01, Python 3.11, Linux x86_64. Exits non-zero when a TAB without BOUNDS keeps millimetres, or the plane is found again.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/lots.py" <<'PYTHON'
import math
import sys
from itertools import pairwise
from pathlib import Path

import geopandas as gpd
import pyogrio
import shapely

folder = Path(sys.argv[1])
turned, east, north = math.radians(17), 515000.1234, 4345300.5678
def place(x, y):
    return (east + x * math.cos(turned) - y * math.sin(turned), north + x * math.sin(turned) + y * math.cos(turned))

# Three rows of lots of different widths; every lot has the corners of its neighbours on its boundary.
rows = [[480 * i / n for i in range(n + 1)] for n in (8, 6, 7)]
lines = [sorted(set(rows[max(0, i - 1)]) | set(rows[min(i, 2)])) for i in range(4)]
lots = []
for row, ends in enumerate(rows):
    for left, right in pairwise(ends):
        below = [place(x, 60 * row) for x in lines[row] if left <= x <= right]
        above = [place(x, 60 * row + 60) for x in lines[row + 1] if left <= x <= right]
        lots.append(shapely.Polygon(below + above[::-1]))
frame = gpd.GeoDataFrame({"lot": range(len(lots))}, geometry=lots, crs=4548)
block = shapely.union_all(lots)
west, south, east_end, north_end = frame.total_bounds
around = f"{west - 1000:.0f},{south - 1000:.0f},{east_end + 1000:.0f},{north_end + 1000:.0f}"

def again(name, **options):
    file = folder / name
    pyogrio.write_dataframe(frame, file, **options)
    back = pyogrio.read_dataframe(file)
    moved = max(map(shapely.hausdorff_distance, lots, back.geometry))
    changed = abs(shapely.area(back.geometry) - shapely.area(lots)).max()
    beyond = shapely.area(shapely.difference(back.geometry.to_numpy(), block)).sum()
    code = back.crs and back.crs.to_epsg()
    print(f"  {name:12} corners moved by up to {moved:.9f} m, areas by {changed:.6f} m2, {beyond:.6f} m2 beyond the block, "
          f"EPSG {code}, {back.crs and back.crs.name}")
    return moved, changed, code

print(f"pyogrio {pyogrio.__version__}, GDAL {pyogrio.__gdal_version_string__}: {len(lots)} lots, meet exactly: {shapely.coverage_is_valid(lots)}")
plain = again("lots.tab", driver="MapInfo File")
bounded = again("bounded.tab", driver="MapInfo File", BOUNDS=around)
text = again("lots.mif", driver="MapInfo File", FORMAT="MIF")
packed = again("lots.gpkg", driver="GPKG")
still = plain[0] > 0.005 and plain[1] > 0.5 and plain[2] is None
sys.exit(not (shapely.coverage_is_valid(lots) and still and bounded[0] < 1e-4 and text[0] < 1e-6 and packed[0] == 0 and packed[2] == 4548))
PYTHON
for version in "pyogrio==0.11.1" "pyogrio==0.12.1"; do
  python3 -m venv --clear "$folder/venv"
  "$folder/venv/bin/pip" install --quiet --disable-pip-version-check "$version" shapely==2.1.2 geopandas==1.1.1 numpy==2.3.5 pandas==2.3.3 pyproj==3.7.2
  mkdir "$folder/$version"
  "$folder/venv/bin/python" -W ignore "$folder/lots.py" "$folder/$version"
done

#!/bin/sh
# shapely.difference of two valid polygons is a GeometryCollection of a polygon and a line of no length.
#
# Package:  shapely 2.2.0 (PyPI wheel, GEOS 3.14.1); source: https://github.com/shapely/shapely, https://github.com/libgeos/geos
# Expected: the difference of two areas is an area: a Polygon or MultiPolygon, so that it can go into a column of polygons.
# Happens:  where a vertex of one lies within rounding of an edge of the other, the result is
#           GEOMETRYCOLLECTION (POLYGON (...), LINESTRING (513044.1932 4345209.5917, 513044.1931999999 4345209.5917)):
#           the line is 1e-10 m long. `is_valid` is True, so checking validity does not find it; writers of polygons refuse it, and
#           `part.exterior` of its parts raises AttributeError.
# Seen:     2026-11-30, Python 3.11, Linux x86_64. Exits non-zero when the result is a Polygon or MultiPolygon.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check shapely==2.2.0
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import shapely

field = shapely.Polygon(
    [(513044.1932, 4345209.5917), (512584.24, 4345279.9182), (512639.9758, 4345247.3179), (512696.1799, 4345214.7191)]
)
lane = shapely.Polygon(
    [(513045.65563313075, 4345212.211106295), (513043.58142915205, 4345208.495939533), (513045.4563232983, 4345211.854116687)]
)
assert field.is_valid and lane.is_valid
left = shapely.difference(field, lane)
print(f"shapely {shapely.__version__}, GEOS {shapely.geos_version_string}: {left.geom_type}, valid: {left.is_valid}")
for part in shapely.get_parts(left):
    print(f"  {part.geom_type}, area {part.area:,.2f} m², length {part.length:.3g} m")
sys.exit(left.geom_type != "GeometryCollection")
PYTHON

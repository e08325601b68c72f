#!/bin/sh
# SedonaDB's ST_Area of a geography is that of a sphere: 839 m² (0.09 %) less than the ellipsoid's on a square kilometre in Tianjin.
#
# Package:  sedonadb 0.5.0 (PyPI) with geoarrow-pyarrow 0.3.0, beside pyproj 3.7.2; source: https://github.com/apache/sedona-db
# Expected: the name and the type are PostGIS', whose ST_Area(geography) measures on the ellipsoid unless it is told otherwise and agrees
#           with pyproj's Geod; so one expects the area of the ellipsoid, within a rounding.
# Happens:  958,100.33 m² for 958,939.78 m² (GRS80; WGS 84 differs by less than 0.01 m²). No argument asks for the spheroid, nothing is said.
#           The share depends on the latitude (too much near the equator, too little near the poles), so it cancels in shares of one
#           parcel, not in a sum that is filed in square metres beside one of a survey. ST_Perimeter is spherical as well.
# Seen:     2026-11-30, Python 3.11, Linux x86_64. Exits non-zero when the difference is below 1 m².
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check sedonadb==0.5.0 geoarrow-pyarrow==0.3.0 pyproj==3.7.2 shapely==2.2.0 pandas==3.1.1
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import sys

import pyproj
import sedonadb
import shapely

# Edges of 100 m or so: where an edge runs (great circle, geodesic) makes no difference to speak of.
square = shapely.segmentize(shapely.box(117.10, 39.20, 117.11, 39.21), 0.001)
connection = sedonadb.connect()
of_a_sphere = connection.sql(f"SELECT ST_Area(ST_GeogFromWKT('{square.wkt}'))").to_pandas().iloc[0, 0]
for name in ("GRS80", "WGS84"):
    of_an_ellipsoid = abs(pyproj.Geod(ellps=name).geometry_area_perimeter(square)[0])
    less = of_an_ellipsoid - of_a_sphere
    print(f"{name}: {of_an_ellipsoid:,.2f} m²; ST_Area {of_a_sphere:,.2f} m²; {less:,.2f} m² less ({less / of_an_ellipsoid:.3%})")
sys.exit(int(less < 1))
PYTHON

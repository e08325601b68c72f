#!/bin/sh
# pyogrio opens another file than the one that is named where a path holds "!", and cuts a name at ";".
#
# Expected: read_dataframe(Path("a!b.gpkg")) reads the file of that name, or says that it cannot.
# Happens:  it reads b.gpkg in the current folder; Path("a;b.gpkg") is looked for as "a".
# Version:  pyogrio 0.13.0 (pyogrio/util.py, vsi_path → _parse_uri: urlparse drops ";…", then path.split("!") keeps the last part).
# Output seen: "a!b.gpkg gives the rows of: b" and "a;b.gpkg: DataSourceError: a: No such file or directory".
# Exit code: 0 while it is so, 1 when it has changed.
set -eu
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q "pyogrio==0.13.0" "geopandas==1.2.0" 2>/dev/null
cd "$folder"
"$folder/venv/bin/python" - <<'PY'
from pathlib import Path

import geopandas as gpd
import pyogrio
import shapely

for name in ("a!b", "b", "a;b"):
    made = gpd.GeoDataFrame({"of": [name]}, geometry=[shapely.Point(0, 0)], crs=4326)
    made.to_file("plain.gpkg", engine="pyogrio")
    Path("plain.gpkg").rename(f"{name}.gpkg")
found = pyogrio.read_dataframe(Path("a!b.gpkg"))["of"].tolist()
print("a!b.gpkg gives the rows of:", *found)
try:
    pyogrio.read_dataframe(Path("a;b.gpkg"))
    said = None
except pyogrio.errors.DataSourceError as error:
    said = str(error)
print("a;b.gpkg: DataSourceError:", said)
raise SystemExit(0 if found == ["b"] and said is not None else 1)
PY

#!/bin/sh
# GDAL's LIBKML driver makes one field of all ExtendedData of a KML whose Chinese names are equally long, and keeps the last value: the others are lost.
#
# Package:  pyogrio 0.12.1 with GDAL 3.11.4, and 0.13.0 with GDAL 3.12.4 (PyPI); source: https://github.com/OSGeo/gdal
#           (ogr/ogrsf_frmts/libkml). Debian 12's ogrinfo 3.6.2 does the same.
# Expected: <Data name="地类编码"><value>0601</value></Data> is how KML keeps attributes without a schema, in UTF-8 as all of KML. The same names in a
#           <Schema> come as they are, so a reader takes them for safe; a KML of four attributes should give four fields.
# Happens:  names of <Data> are laundered: each byte or letter beyond ASCII becomes "_". 地类编码, 权属单位, 图斑编号 and 宗地面积 all become "____________",
#           the first makes the field and each next one overwrites its value. The layer has one field with the last value, no warning, exit 0.
# Seen:     2026-12-01, Python 3.11, Linux x86_64. Exits non-zero when the four values can be found again.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/lots.kml" <<'KML'
<?xml version="1.0" encoding="UTF-8"?>
<kml xmlns="http://www.opengis.net/kml/2.2"><Document><name>lots</name><Placemark><name>1</name>
<ExtendedData><Data name="地类编码"><value>0601</value></Data><Data name="权属单位"><value>village A</value></Data>
<Data name="图斑编号"><value>12</value></Data><Data name="宗地面积"><value>3.5</value></Data></ExtendedData>
<Polygon><outerBoundaryIs><LinearRing><coordinates>117.1,39.2 117.101,39.2 117.101,39.201 117.1,39.2</coordinates></LinearRing></outerBoundaryIs></Polygon>
</Placemark></Document></kml>
KML
cat > "$folder/fields.py" <<'PYTHON'
import sys
import warnings

import pyogrio

with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    meta, _, _, values = pyogrio.raw.read(f"{sys.argv[1]}/lots.kml")
own = {name: column[0] for name, column in zip(meta["fields"], values) if column[0] in ("0601", "village A", "12", "3.5")}
print(f"pyogrio {pyogrio.__version__}, GDAL {pyogrio.__gdal_version_string__}: {own}, warnings: {len(said)}")
sys.exit(not (len(own) == 1 and list(own.values()) == ["3.5"] and not said))
PYTHON
for version in 0.12.1 0.13.0; do
  python3 -m venv --clear "$folder/venv"
  "$folder/venv/bin/pip" install --quiet --disable-pip-version-check "pyogrio==$version"
  "$folder/venv/bin/python" "$folder/fields.py" "$folder"
done

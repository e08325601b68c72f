#!/bin/sh
# GEOS loses nine tenths of an area that is drawn in with mitred corners; half a micrometre more or less, and all of it is there.
#
# Package:  shapely 2.1.2 with GEOS 3.13.1, shapely 2.0.6 with GEOS 3.11.4 (PyPI); source: https://github.com/libgeos/geos
# Expected: how corners are joined matters where a buffer has corners that stand out; drawn in, this area has the same shape with mitred
#           and with round corners up to slivers, and its size goes with the distance.
# Happens:  drawn in by 5 m with round corners the valid area of 2,642 m² keeps 1,182.47 m² in two parts, with mitred ones 104.88 m² in one.
#           By 4.9999995 m and by 5.0000005 m both ways agree to a cm². No error, and the result is valid, so only the size tells.
#           The area is one that was drawn out by the same distance before, as is done to close lanes between lots: there, edges that end
#           exactly where others begin are the rule. Coordinates rounded to the micrometre do not show it.
# Seen:     2026-11-30, Python 3.11, Linux x86_64. Exits non-zero when the mitred way keeps what the round one does.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/lots.py" <<'PYTHON'
import sys

import shapely

ring = [
    (514331.5936095991, 4344334.723481632), (514349.53808777675, 4344280.87831423), (514347.02400448767, 4344281.148331095),
    (514352.146048183, 4344257.680571257), (514296.47207129974, 4344284.122610222), (514343.81197744224, 4344281.493308321),
    (514335.5978095733, 4344282.375524066), (514266.8797985488, 4344336.213694538),
]
area = shapely.Polygon(ring)
print(f"shapely {shapely.__version__}, GEOS {shapely.geos_version_string}: valid {area.is_valid}, {area.area:,.2f} m²")
kept = {}
for metres in (4.9999995, 5.0, 5.0000005):
    for style in ("round", "mitre"):
        kept[metres, style] = area.buffer(-metres, join_style=style).area
    print(f"  drawn in by {metres:.7f} m: round {kept[metres, 'round']:10,.4f} m², mitred {kept[metres, 'mitre']:10,.4f} m²")
lost = kept[5.0, "mitre"] < 0.1 * kept[5.0, "round"]
others = all(abs(kept[metres, "mitre"] - kept[metres, "round"]) < 0.01 for metres in (4.9999995, 5.0000005))
sys.exit(not (area.is_valid and lost and others))
PYTHON
for version in "shapely==2.1.2 numpy==2.3.5" "shapely==2.0.6 numpy==1.26.4"; do
  python3 -m venv --clear "$folder/venv"
  # shellcheck disable=SC2086 - several packages
  "$folder/venv/bin/pip" install --quiet --disable-pip-version-check $version
  "$folder/venv/bin/python" "$folder/lots.py"
done

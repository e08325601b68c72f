#!/bin/sh
# ezdxf makes lines of circles and of arcs in polylines that lie far beyond the distance that was asked for: 27 mm for 1 mm, at a radius of 100 m.
#
# Package:  ezdxf 1.4.5 (PyPI); source: https://github.com/mozman/ezdxf (src/ezdxf/path/converter.py and tools.py: an arc becomes a cubic
#           Bézier curve per quarter, and that curve is flattened)
# Expected: ezdxf.path.make_path(entity).flattening(0.001): its documentation calls distance the maximum distance from the center of
#           the curve to the center of the line segment between two points, so every line lies at most 1 mm from the circle.
# Happens:  all points lie up to 0.0273 % of the radius outside: a quarter of a circle is no cubic curve, and only that curve is followed
#           to a millimetre. A round plot of 100 m becomes 8.6 m² larger; nothing is said, and smaller distances do not help.
#           Circle.flattening(0.001) and Arc.flattening(0.001) of the same part keep to it; a polyline with bulges, an INSERT of blocks and a
#           hatch have only the way through paths (or virtual_entities()).
# Seen:     2026-12-01, Python 3.11, Linux x86_64. Exits non-zero when the points keep to the distance.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check ezdxf==1.4.5
"$folder/venv/bin/python" - <<'PYTHON'
import math
import sys

import ezdxf
from ezdxf import path

model = ezdxf.new("R2010").modelspace()
# Half a circle there and half a circle back, as a surveyor draws a round bed.
outline = model.add_lwpolyline([(0, 0, 1), (200, 0, 1)], format="xyb", close=True)
circle = model.add_circle((100, 0), 100)


def said(name, points):
    points = [(point.x, point.y) for point in points]
    off = max(abs(math.hypot(x - 100, y) - 100) for x, y in points)
    area = abs(sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in zip(points, points[1:]))) / 2
    print(f"{name}: {len(points)} points, up to {off * 1000:.3f} mm from the circle, area {area - math.pi * 100**2:+.3f} m2")
    return off


worst = [
    said("polyline with bulges, by make_path(…).flattening(0.001)", path.make_path(outline).flattening(0.001)),
    said("circle, by make_path(…).flattening(0.001)", path.make_path(circle).flattening(0.001)),
    said("the same by make_path(…).flattening(0.00001)", path.make_path(circle).flattening(0.00001)),
]
straight = said("circle, by circle.flattening(0.001)", circle.flattening(0.001))
sys.exit(min(worst) <= 0.001 or straight > 0.001)
PYTHON

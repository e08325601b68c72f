#!/bin/sh
# The area that Boost.Geometry gives a parcel in a zone depends on how large the zone is.
#
# Package:  libboost1.74-dev 1.74.0+ds1-21 (Debian 12); source: https://github.com/boostorg/geometry
# Expected: boost::geometry::intersection on doubles cuts where the edges cross, to the last digits of a double; what lies far off
#           changes nothing, so the shared area of a lot of 100 m and a zone with a straight edge is the same for any such zone.
# Happens:  both polygons are moved to a grid of whole numbers first, about 10^7 steps over the longer side of the box of the two. Beside a
#           zone that is 4, 40 and 400 km high the steps are 0.4 mm, 4 mm and 4 cm: one cut of one lot, 4993.338 m² exactly, comes out
#           as 4993.320, 4993.200 and 4992.000 m². No error, no note; small zones look right, red lines and districts do not.
#           BOOST_GEOMETRY_NO_ROBUSTNESS, said before the headers are included, leaves the coordinates alone, and is faster.
# Seen:     2026-11-30, g++ 12, Linux x86_64. Exits non-zero when the areas agree to 1 mm², or the switch does not mend them.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download -q libboost1.74-dev=1.74.0+ds1-21 >/dev/null 2>&1
dpkg -x libboost1.74-dev_*.deb boost
cat >cut.cpp <<'CPP'
#include <boost/geometry.hpp>
#include <boost/geometry/geometries/multi_polygon.hpp>
#include <boost/geometry/geometries/point_xy.hpp>
#include <boost/geometry/geometries/polygon.hpp>

#include <cmath>
#include <cstdio>

namespace bg = boost::geometry;
using Polygon = bg::model::polygon<bg::model::d2::point_xy<double>>;

// A rectangle about a place of the third-degree zone of 117 degrees east, corners clockwise.
Polygon rectangle(double west, double south, double east, double north) {
  Polygon made;
  for (auto [x, y] : {std::pair{west, south}, {west, north}, {east, north}, {east, south}, {west, south}})
    bg::append(made.outer(), bg::make<bg::model::d2::point_xy<double>>(515000 + x, 4345000 + y));
  return made;
}

int main() {
  const Polygon lot = rectangle(0.1234, 0.1234, 100.1234, 100.1234);
  const double exact = 100 * (50.05678 - 0.1234);
  double worst = 0;
  for (double size : {2e3, 2e4, 2e5}) {
    bg::model::multi_polygon<Polygon> shared;
    bg::intersection(lot, rectangle(50.05678 - size, -size, 50.05678, size), shared);
    std::printf("  zone %3.0f km high: %.6f m2, exactly %.6f\n", 2 * size / 1e3, bg::area(shared), exact);
    worst = std::fmax(worst, std::fabs(bg::area(shared) - exact));
  }
  return worst > 1e-6 ? 1 : 0;
}
CPP
for switch in "" -DBOOST_GEOMETRY_NO_ROBUSTNESS; do
    g++ -std=c++17 -O1 -w -DBOOST_ALLOW_DEPRECATED_HEADERS -Iboost/usr/include $switch cut.cpp -o cut
    echo "Boost.Geometry 1.74 ${switch:-as it is}:"
    if ./cut; then agree=yes; else agree=no; fi
    case "$switch$agree" in
        no | -D*yes) ;;
        *) echo "this has changed"; exit 1 ;;
    esac
done

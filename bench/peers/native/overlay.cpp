// Overlap areas of parcels and zones as a plain native program: GeoParquet in, Parquet out, Boost.Geometry between.
//
//     overlay PARCELS ZONES OUTPUT plain|trimmed
//
// `plain`: an R-tree over the boxes of the zones, and for every pair whose boxes meet the intersection and its area. `trimmed`: the
// zone is cut down to the box of the parcel before (Sutherland-Hodgman), as a hand-written overlay would do it for zones that go far.
// Prints seconds, processor seconds, peak memory and what could not be overlaid, as one line of JSON.

#include <arrow/api.h>
#include <arrow/io/api.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/writer.h>

#include <boost/geometry.hpp>
#include <boost/geometry/geometries/point_xy.hpp>
#include <boost/geometry/geometries/polygon.hpp>
#include <boost/geometry/geometries/multi_polygon.hpp>
#include <boost/geometry/index/rtree.hpp>

#include <sys/resource.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace bg = boost::geometry;
namespace bgi = boost::geometry::index;
using Point = bg::model::d2::point_xy<double>;
using Ring = bg::model::ring<Point>;
using Polygon = bg::model::polygon<Point>;
using Shape = bg::model::multi_polygon<Polygon>;
using Box = bg::model::box<Point>;

struct Rows {
  std::vector<std::string> name;
  std::vector<Shape> shape;
};

template <class T>
T taken(const char*& at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  at += sizeof value;
  return value;
}

// Little-endian WKB, two or three ordinates (the height is passed over).
void read_wkb(const char*& at, Shape& shape) {
  if (taken<std::uint8_t>(at) != 1) throw std::runtime_error("big-endian WKB");
  const auto type = taken<std::uint32_t>(at);
  const auto kind = type % 1000 & 0xff;
  const bool height = type / 1000 == 1 || (type & 0x80000000u);
  const auto count = taken<std::uint32_t>(at);
  if (kind == 6) {
    for (std::uint32_t part = 0; part < count; ++part) read_wkb(at, shape);
    return;
  }
  if (kind != 3) throw std::runtime_error("no polygon");
  shape.emplace_back();
  Polygon& polygon = shape.back();
  if (count > 1) polygon.inners().resize(count - 1);
  for (std::uint32_t number = 0; number < count; ++number) {
    auto& ring = number == 0 ? polygon.outer() : polygon.inners()[number - 1];
    const auto points = taken<std::uint32_t>(at);
    ring.reserve(points);
    for (std::uint32_t point = 0; point < points; ++point) {
      const double x = taken<double>(at), y = taken<double>(at);
      if (height) at += sizeof(double);
      ring.emplace_back(x, y);
    }
  }
}

Rows read(const std::string& path, const std::string& column) {
  auto file = arrow::io::ReadableFile::Open(path).ValueOrDie();
  auto reader = parquet::arrow::OpenFile(file, arrow::default_memory_pool()).ValueOrDie();
  auto table = reader->ReadTable().ValueOrDie();
  Rows rows;
  const auto names = table->GetColumnByName(column), shapes = table->GetColumnByName("geometry");
  for (int chunk = 0; chunk < names->num_chunks(); ++chunk) {
    const auto array = std::dynamic_pointer_cast<arrow::StringArray>(names->chunk(chunk));
    if (!array) throw std::runtime_error(column + " is no text: " + names->type()->ToString());
    for (std::int64_t row = 0; row < array->length(); ++row) rows.name.emplace_back(array->GetView(row));
  }
  for (int chunk = 0; chunk < shapes->num_chunks(); ++chunk) {
    // What is declared as GeoParquet may come as an extension over its bytes.
    auto plain = shapes->chunk(chunk);
    if (plain->type_id() == arrow::Type::EXTENSION)
      plain = std::static_pointer_cast<arrow::ExtensionArray>(plain)->storage();
    const auto array = std::dynamic_pointer_cast<arrow::BinaryArray>(plain);
    if (!array) throw std::runtime_error("geometry is no WKB");
    for (std::int64_t row = 0; row < array->length(); ++row) {
      rows.shape.emplace_back();
      const char* at = array->GetView(row).data();
      read_wkb(at, rows.shape.back());
      bg::correct(rows.shape.back());
    }
  }
  return rows;
}

// One side of the box: what of the ring lies where inside(point), cut by crossing(from, to).
template <class Inside, class Crossing>
void clipped(Ring& ring, Ring& scratch, Inside inside, Crossing crossing) {
  scratch.clear();
  for (std::size_t at = 0; at + 1 < ring.size(); ++at) {
    const Point &from = ring[at], &to = ring[at + 1];
    const bool stays = inside(from), comes = inside(to);
    if (stays) scratch.push_back(from);
    if (stays != comes) scratch.push_back(crossing(from, to));
  }
  if (!scratch.empty()) scratch.push_back(scratch.front());
  ring.swap(scratch);
}

template <class Source>
Ring within_box(const Source& source, const Box& box, Ring& scratch) {
  Ring ring(source.begin(), source.end());
  const double west = box.min_corner().x(), east = box.max_corner().x();
  const double south = box.min_corner().y(), north = box.max_corner().y();
  const auto at_x = [](double x) {
    return [x](const Point& a, const Point& b) {
      return Point(x, a.y() + (b.y() - a.y()) * ((x - a.x()) / (b.x() - a.x())));
    };
  };
  const auto at_y = [](double y) {
    return [y](const Point& a, const Point& b) {
      return Point(a.x() + (b.x() - a.x()) * ((y - a.y()) / (b.y() - a.y())), y);
    };
  };
  clipped(ring, scratch, [west](const Point& p) { return p.x() >= west; }, at_x(west));
  clipped(ring, scratch, [east](const Point& p) { return p.x() <= east; }, at_x(east));
  clipped(ring, scratch, [south](const Point& p) { return p.y() >= south; }, at_y(south));
  clipped(ring, scratch, [north](const Point& p) { return p.y() <= north; }, at_y(north));
  return ring;
}

Shape trimmed(const Shape& zone, const Box& box, Ring& scratch) {
  Shape kept;
  for (const auto& polygon : zone) {
    Ring outer = within_box(polygon.outer(), box, scratch);
    if (outer.size() < 4) continue;
    kept.emplace_back();
    kept.back().outer().assign(outer.begin(), outer.end());
    for (const auto& inner : polygon.inners()) {
      Ring hole = within_box(inner, box, scratch);
      if (hole.size() >= 4) kept.back().inners().emplace_back(hole.begin(), hole.end());
    }
  }
  return kept;
}

int main(int argc, char** argv) {
  if (argc != 5) return std::fprintf(stderr, "overlay PARCELS ZONES OUTPUT plain|trimmed\n"), 2;
  const auto start = std::chrono::steady_clock::now();
  const bool trim = std::string(argv[4]) == "trimmed";
  const Rows parcels = read(argv[1], "parcel_id"), zones = read(argv[2], "code");

  using Entry = std::pair<Box, std::uint32_t>;
  std::vector<Entry> entries;
  entries.reserve(zones.shape.size());
  for (std::uint32_t zone = 0; zone < zones.shape.size(); ++zone)
    entries.emplace_back(bg::return_envelope<Box>(zones.shape[zone]), zone);
  const bgi::rtree<Entry, bgi::quadratic<16>> tree(entries);

  arrow::StringBuilder names, codes;
  arrow::DoubleBuilder areas;
  std::int64_t failed = 0;
  Ring scratch;
  std::vector<Entry> met;
  std::map<std::string_view, double> sums;
  for (std::size_t parcel = 0; parcel < parcels.shape.size(); ++parcel) {
    const Shape& ground = parcels.shape[parcel];
    const auto box = bg::return_envelope<Box>(ground);
    met.clear();
    sums.clear();
    tree.query(bgi::intersects(box), std::back_inserter(met));
    for (const auto& [zone_box, zone] : met) {
      Shape shared;
      try {
        if (trim)
          bg::intersection(ground, trimmed(zones.shape[zone], box, scratch), shared);
        else
          bg::intersection(ground, zones.shape[zone], shared);
      } catch (const bg::exception&) {
        ++failed;
        continue;
      }
      const double area = bg::area(shared);
      if (area > 0) sums[zones.name[zone]] += area;
    }
    for (const auto& [code, area] : sums) {
      if (!names.Append(parcels.name[parcel]).ok() || !codes.Append(code).ok() || !areas.Append(area).ok())
        throw std::runtime_error("no memory");
    }
  }
  const auto schema = arrow::schema({arrow::field("parcel_id", arrow::utf8()), arrow::field("code", arrow::utf8()),
                                     arrow::field("area_m2", arrow::float64())});
  const auto table = arrow::Table::Make(
      schema, {names.Finish().ValueOrDie(), codes.Finish().ValueOrDie(), areas.Finish().ValueOrDie()});
  auto out = arrow::io::FileOutputStream::Open(argv[3]).ValueOrDie();
  if (!parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), out, 1 << 20).ok() || !out->Close().ok())
    throw std::runtime_error("cannot write");

  rusage used;
  getrusage(RUSAGE_SELF, &used);
  const double cpu = used.ru_utime.tv_sec + used.ru_stime.tv_sec + 1e-6 * (used.ru_utime.tv_usec + used.ru_stime.tv_usec);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::printf("{\"seconds\": %.6f, \"cpu_seconds\": %.6f, \"peak_mb\": %.1f, \"failed\": %lld}\n", seconds, cpu,
              used.ru_maxrss / 1024.0, static_cast<long long>(failed));
  return 0;
}

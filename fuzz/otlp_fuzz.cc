// SPDX-License-Identifier: Apache-2.0
// OTLP exports from anywhere, as protobuf, as JSON and packed: what is read lies within the bytes
// and within the limits.
//
// Links: sc_codec
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "codec/gzip.h"
#include "codec/otlp.h"

namespace {

using namespace showcaller;

std::uint64_t touched = 0;

void touch(std::string_view text) {
  for (const char c : text) touched += static_cast<unsigned char>(c);
}

void check_range(const Range32& range, std::size_t size) {
  CHECK(std::size_t(range.first) + range.count <= size);
}

void check_points(const DataPoints& points, const OtlpLimits& limits) {
  CHECK(points.points <= limits.points_max);
  CHECK(points.attributes.size() <= limits.attributes_max);
  CHECK(points.buckets.size() + points.bounds.size() <= limits.buckets_max);
  for (const Range32& resource : points.resources) check_range(resource, points.attributes.size());
  for (const PointAttribute& attribute : points.attributes) {
    touch(attribute.key);
    touch(attribute.text);
    touch(attribute.bytes);
  }
  for (const NumberPoint& point : points.numbers)
    check_range(point.attributes, points.attributes.size());
  for (const DistributionPoint& point : points.distributions) {
    check_range(point.attributes, points.attributes.size());
    check_range(point.buckets, points.buckets.size());
    check_range(point.bounds, points.bounds.size());
  }
  for (const PointMetric& metric : points.metrics) {
    touch(metric.name);
    touch(metric.unit);
    CHECK(metric.resource < points.resources.size());
    if (metric.kind == PointKind::Gauge || metric.kind == PointKind::Sum)
      check_range(metric.points, points.numbers.size());
    if (metric.kind == PointKind::Histogram || metric.kind == PointKind::ExponentialHistogram)
      check_range(metric.points, points.distributions.size());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const OtlpLimits limits{.points_max = 100, .attributes_max = 300, .buckets_max = 500};
  DataPoints points;
  if (decode_otlp_protobuf(bytes, limits, &points)) check_points(points, limits);
  if (decode_otlp_json(bytes, limits, &points)) check_points(points, limits);
  if (const auto unpacked = gunzip(bytes, 1 << 16)) CHECK(unpacked->size() <= 1 << 16);
  return 0;
}

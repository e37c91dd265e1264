// SPDX-License-Identifier: Apache-2.0
// Data points of metrics as OpenTelemetry's data model has them: what a sender's export holds,
// flat, in the order it came. Texts are views into the export's bytes, or into `texts` where they
// had to be unescaped; a DataPoints is read while those live.
//
// Source: OpenTelemetry metrics data model; opentelemetry-proto 1.x. Threads: none.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace showcaller {

enum class PointKind : std::uint8_t { None, Gauge, Sum, Histogram, ExponentialHistogram, Summary };
enum class Temporality : std::uint8_t { Unspecified, Delta, Cumulative };

struct Range32 {
  std::uint32_t first = 0, count = 0;
};

struct PointAttribute {
  enum class Kind : std::uint8_t { Empty, Text, Bool, Whole, Real, Other };
  std::string_view key;
  std::string_view bytes;  // as it came, key and value: equal bytes are equal attributes
  std::string_view text;   // of Text
  std::int64_t whole = 0;  // of Bool and Whole
  double real = 0;
  Kind kind = Kind::Empty;
};

struct NumberPoint {
  std::uint64_t start_ns = 0, time_ns = 0;
  Range32 attributes;
  double value = 0;
  bool has_value = false;
};

// With explicit bounds, or base-2 exponential: then `bounds` is empty and the buckets are those of
// the positive values.
struct DistributionPoint {
  std::uint64_t start_ns = 0, time_ns = 0;
  Range32 attributes, buckets, bounds;
  std::uint64_t count = 0;
  std::uint64_t zero_count = 0, negative_count = 0;
  double sum = 0;
  std::int32_t scale = 0, offset = 0;
  bool has_sum = false;
  bool has_value = true;
};

struct PointMetric {
  std::string_view name, unit;
  PointKind kind = PointKind::None;
  Temporality temporality = Temporality::Unspecified;
  bool monotonic = false;
  std::uint32_t resource = 0;
  Range32 points;  // of numbers or distributions, as its kind is; of a summary their number alone
};

struct DataPoints {
  std::vector<Range32> resources;  // their attributes
  std::vector<PointMetric> metrics;
  std::vector<PointAttribute> attributes;
  std::vector<NumberPoint> numbers;
  std::vector<DistributionPoint> distributions;
  std::vector<std::uint64_t> buckets;
  std::vector<double> bounds;
  std::deque<std::string> texts;
  std::size_t points = 0;  // of every kind

  // Keeps the room for the next export.
  void clear() {
    resources.clear();
    metrics.clear();
    attributes.clear();
    numbers.clear();
    distributions.clear();
    buckets.clear();
    bounds.clear();
    texts.clear();
    points = 0;
  }
};

}  // namespace showcaller

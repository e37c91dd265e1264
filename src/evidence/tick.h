// SPDX-License-Identifier: Apache-2.0
// A tick: what happened in a few seconds of a judged stage, as integers per group (hash bucket of
// the unit, or instance), arm and metric. Exact, mergeable in any order, small enough to keep.
//
// A group's counts lie flat, in the order of the shape's metrics: n and x for binary, count and
// rate metrics (for rate n is player-seconds); n and the number above each cut for quantile
// metrics, plus the number above the scaled top cut where the metric asks for it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace showcaller {

enum class Arm : std::uint8_t { Canary = 0, Baseline = 1 };  // On disk. Never renumber.
std::string_view to_string(Arm arm);
std::optional<Arm> parse_arm(std::string_view text);

struct MetricShape {
  std::string name;
  std::size_t columns = 2;  // n and at least one count
  bool descending = false;  // n >= first count >= second count ... (quantile metrics)
  friend bool operator==(const MetricShape&, const MetricShape&) = default;
};

struct TickShape {
  std::vector<MetricShape> metrics;
  std::size_t width() const;
  // Where the metric's n lies in a group's counts.
  std::size_t offset(std::size_t metric) const;
  std::optional<std::size_t> index_of(std::string_view name) const;
  friend bool operator==(const TickShape&, const TickShape&) = default;
};

struct GroupCounts {
  Arm arm = Arm::Baseline;
  std::string id;       // hash bucket or instance
  std::string stratum;  // "" unless the stage is stratified (region, platform, build age)
  std::vector<std::int64_t> counts;
  friend bool operator==(const GroupCounts&, const GroupCounts&) = default;
};

// Units assigned to each arm in the tick: input of the sample-ratio check.
struct UnitCounts {
  std::int64_t canary = 0;
  std::int64_t baseline = 0;
  std::string stratum;
  friend bool operator==(const UnitCounts&, const UnitCounts&) = default;
};

struct Tick {
  std::int64_t t_s =
      0;  // end of the tick, in seconds since the stage began; <= 0 is baseline history
  std::vector<UnitCounts> units;  // one without a stratum, or one a stratum; empty: not counted
  std::vector<GroupCounts> groups;
  friend bool operator==(const Tick&, const Tick&) = default;
};

// Sums groups of one arm, id and stratum; sorts. Equal evidence gives equal bytes, however it
// arrived.
void normalize(Tick* tick);
bool is_normal(const Tick& tick);
// Adds the counts of `more` (the same t_s and shape) to `tick`, normalised.
void merge(Tick* tick, const Tick& more);

// JSON:
// {"t":10,"units":{"canary":252,"baseline":4750},"groups":[{"arm":"canary","id":"3","m":{"error":[50,1]}}]}
// Stratified units are "units":[{"stratum":"eu","canary":..,"baseline":..}]; a group adds
// "stratum".
std::string to_json_text(const Tick& tick, const TickShape& shape);
// Errors name the field's path. Metrics that the shape does not know are ignored; absent ones are
// zero.
Result<Tick> tick_from_json(const json::value& value, const TickShape& shape);
Result<Tick> tick_from_json(const json::object& object, const TickShape& shape);

// Binary, for the evidence store. Grammar (varint = LEB128, zigzag for signed; text = varint
// length, bytes):
//   tick  = 0x01 svarint(t_s) varint(units) unit* varint(width) varint(groups) group*
//   unit  = text(stratum) varint(canary) varint(baseline)
//   group = u8(arm) text(id) text(stratum) varint(count)*width
std::string to_bytes(const Tick& tick);
Result<Tick> tick_from_bytes(std::string_view bytes);

}  // namespace showcaller

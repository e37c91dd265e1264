// SPDX-License-Identifier: Apache-2.0
// Which instruments of OpenTelemetry become which metrics: what the Metric manifests with
// `source: otlp` say, by instrument. Pure.
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "model/spec/others.h"
#include "model/world.h"

namespace showcaller {

// Where a data point belongs, in the order of a report's parts.
enum class PlacePart : std::uint8_t { Event, Arm, Instance, Session, Unit, Stratum };
inline constexpr std::size_t kPlaceParts = 6;

enum class InstrumentRole : std::uint8_t { Total, Bad };

// One metric that an instrument counts for.
struct InstrumentUse {
  std::string metric;
  MetricSpec spec;
  InstrumentRole role = InstrumentRole::Total;
  std::array<std::string, kPlaceParts> attributes;  // that say where a point belongs
};

class OtlpCatalog {
 public:
  static OtlpCatalog of(const World& world);
  void add(const std::string& metric, const MetricSpec& spec);
  // Nobody's: empty.
  const std::vector<InstrumentUse>& uses(std::string_view instrument) const;
  bool empty() const { return by_instrument_.empty(); }

 private:
  std::map<std::string, std::vector<InstrumentUse>, std::less<>> by_instrument_;
};

}  // namespace showcaller

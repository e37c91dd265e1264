// SPDX-License-Identifier: Apache-2.0
#include "flow/otlp_catalog.h"

namespace showcaller {
namespace {

constexpr std::array<std::string_view, kPlaceParts> kPartNames{"event",   "arm",  "instance",
                                                               "session", "unit", "stratum"};

}  // namespace

OtlpCatalog OtlpCatalog::of(const World& world) {
  constexpr std::string_view kPrefix = "Metric/";
  OtlpCatalog out;
  world.manifests.each_from(kPrefix, [&](const std::string& key, const StoredManifest& stored) {
    if (!key.starts_with(kPrefix)) return false;
    const auto& spec = stored.manifest->as<MetricSpec>();
    if (spec.source == MetricSource::Otlp) out.add(stored.manifest->name, spec);
    return true;
  });
  return out;
}

void OtlpCatalog::add(const std::string& metric, const MetricSpec& spec) {
  InstrumentUse use{
      .metric = metric, .spec = spec, .role = InstrumentRole::Total, .attributes = {}};
  for (std::size_t i = 0; i < kPlaceParts; ++i) {
    const auto named = spec.otlp.attributes.find(std::string(kPartNames[i]));
    use.attributes[i] = named != spec.otlp.attributes.end()
                            ? named->second
                            : "showcaller." + std::string(kPartNames[i]);
  }
  by_instrument_[spec.otlp.total.empty() ? metric : spec.otlp.total].push_back(use);
  if (spec.otlp.bad.empty()) return;
  use.role = InstrumentRole::Bad;
  by_instrument_[spec.otlp.bad].push_back(std::move(use));
}

const std::vector<InstrumentUse>& OtlpCatalog::uses(std::string_view instrument) const {
  static const std::vector<InstrumentUse> kNone;
  const auto found = by_instrument_.find(instrument);
  return found == by_instrument_.end() ? kNone : found->second;
}

}  // namespace showcaller

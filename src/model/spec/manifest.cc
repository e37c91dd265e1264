// SPDX-License-Identifier: Apache-2.0
#include "model/spec/manifest.h"

#include <algorithm>
#include <array>

namespace showcaller {

std::string_view to_string(Kind kind) {
  static constexpr std::array<std::string_view, kKinds> kNames{
      "Team",    "Policy", "Metric", "Service",  "Probe",     "Fleet", "ExclusionGroup",
      "Holdout", "Config", "Flag",   "Pipeline", "LiveEvent", "Drill"};
  return kNames[std::size_t(kind)];
}

ManifestSpec::ManifestSpec() = default;
ManifestSpec::ManifestSpec(const ManifestSpec& other) = default;
ManifestSpec::ManifestSpec(ManifestSpec&& other) noexcept = default;
ManifestSpec& ManifestSpec::operator=(const ManifestSpec& other) = default;
ManifestSpec& ManifestSpec::operator=(ManifestSpec&& other) noexcept = default;
ManifestSpec::~ManifestSpec() = default;

std::string FlagSpec::variant_when_off() const {
  return off_variant.empty() ? get_string(definition, "defaultVariant") : off_variant;
}

bool LiveEventSpec::changes_build() const {
  return std::ranges::any_of(
      changes, [](const Change& c) { return std::holds_alternative<BuildChange>(c.what); });
}

// A build is given to a session: its players share it, so they are assigned together.
Unit LiveEventSpec::assigned_unit() const {
  return unit.value_or(changes_build() ? Unit::Party : Unit::Player);
}

std::string Change::path() const {
  struct Path {
    std::string operator()(const BuildChange& c) const { return "build:" + c.fleet; }
    std::string operator()(const FlagChange& c) const { return "flag:" + c.key; }
    std::string operator()(const ConfigChange& c) const { return "config:" + c.document; }
    std::string operator()(const BundleChange& c) const { return "bundle:" + c.id; }
    std::string operator()(const ActionChange& c) const { return "action:" + c.act; }
  };
  return std::visit(Path{}, what);
}

}  // namespace showcaller

// SPDX-License-Identifier: Apache-2.0
// One manifest: its kind, name, metadata, typed spec, and the canonical JSON that the journal
// keeps.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <variant>

#include "base/json.h"
#include "model/spec/drill.h"
#include "model/spec/exclusion.h"
#include "model/spec/live_event.h"
#include "model/spec/others.h"
#include "model/spec/probe.h"

namespace showcaller {

// The order is that of the variant below and of applying: what others refer to comes first.
enum class Kind {
  Team,
  Policy,
  Metric,
  Service,
  Probe,
  Fleet,
  ExclusionGroup,
  Holdout,
  Config,
  Flag,
  Pipeline,
  LiveEvent,
  Drill
};
constexpr int kKinds = int(Kind::Drill) + 1;
std::string_view to_string(Kind kind);  // "LiveEvent"

// By kind. Its copies, moves and end are compiled once, as those of Payload are.
struct ManifestSpec : std::variant<TeamSpec, PolicySpec, MetricSpec, ServiceSpec, ProbeSpec,
                                   FleetSpec, ExclusionGroupSpec, HoldoutSpec, ConfigSpec, FlagSpec,
                                   PipelineSpec, LiveEventSpec, DrillSpec> {
  using variant::variant;
  ManifestSpec();
  ManifestSpec(const ManifestSpec& other);
  ManifestSpec(ManifestSpec&& other) noexcept;
  ManifestSpec& operator=(const ManifestSpec& other);
  ManifestSpec& operator=(ManifestSpec&& other) noexcept;
  ~ManifestSpec();
};

struct Manifest {
  std::string name;   // a DNS label, unique within its kind
  std::string owner;  // a team's name
  std::map<std::string, std::string> labels;
  ManifestSpec spec;
  json::object document;  // canonical: keys sorted, pipeline expanded and schedule resolved; parses
                          // to the same again
  std::string hash;  // hex SHA-256 of the document's canonical text: what an approval is bound to

  Kind kind() const { return Kind(spec.index()); }
  std::string key() const { return std::string(to_string(kind())) + "/" + name; }
  template <class Spec>
  const Spec& as() const {
    return std::get<Spec>(spec);
  }
};

}  // namespace showcaller

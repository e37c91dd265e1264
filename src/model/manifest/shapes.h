// SPDX-License-Identifier: Apache-2.0
// The table of each kind: the one place that says what a manifest of that kind may hold.
#pragma once

#include <string_view>
#include <vector>

#include "model/manifest/shape.h"
#include "model/spec/manifest.h"

namespace showcaller::manifest {

const Shape<LiveEventSpec>& live_event_shape();
const Shape<FleetSpec>& fleet_shape();
const Shape<FlagSpec>& flag_shape();
const Shape<MetricSpec>& metric_shape();
const Shape<ServiceSpec>& service_shape();
const Shape<PolicySpec>& policy_shape();
const Shape<SloSpec>& slo_shape();
const Shape<TeamSpec>& team_shape();
const Shape<PipelineSpec>& pipeline_shape();
const Shape<DrillSpec>& drill_shape();
const Shape<ProbeSpec>& probe_shape();
const Shape<ExclusionGroupSpec>& exclusion_group_shape();
const Shape<HoldoutSpec>& holdout_shape();
const Shape<ConfigSpec>& config_shape();

// The table of a kind's spec.
const ShapeInfo& shape_of(Kind kind);
// Names that the kind's metadata.name may have.
Value<std::string> name_value(Kind kind);

struct Metadata {
  std::string name;
  std::string owner;
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> annotations;
};
const Shape<Metadata>& metadata_shape();

}  // namespace showcaller::manifest

// SPDX-License-Identifier: Apache-2.0
// Turns the times of a Flag's schedule into UTC instants, once, when the manifest is applied
// (schedule.h does it for LiveEvents).
#pragma once

#include <string_view>

#include "model/manifest/reader.h"

namespace showcaller::manifest {

// Rewrites spec.schedule.changes[].at. A change whose time a change of clocks leaves out is taken
// out where `on_gap: skip` says so; what can't be resolved is reported.
void resolve_flag_schedule(Reader& reader, Node* spec, std::string_view tzdata_version);

}  // namespace showcaller::manifest

// SPDX-License-Identifier: Apache-2.0
// Probes as the API tells them; api_backend.h has the shapes.
#pragma once

#include <string_view>
#include <vector>

#include "base/json.h"
#include "host/probe_runner.h"
#include "model/world.h"

namespace showcaller {

json::array probes_view(const World& world, const std::vector<ProbeView>& probes);
// Those that are made from the region, for a prober there.
json::array probe_work(const World& world, std::string_view region);

}  // namespace showcaller

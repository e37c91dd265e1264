// SPDX-License-Identifier: Apache-2.0
// What probes measure, by the names that gates and objectives use: `probe.NAME`, a share of
// journeys that failed, and `probe.NAME.latency`, how long those that succeeded took.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace showcaller {

std::string probe_metric(std::string_view probe);
std::string probe_latency_metric(std::string_view probe);
// The probe of such a metric; nothing: it is another.
std::optional<std::string_view> probe_of_metric(std::string_view metric);
bool is_probe_latency(std::string_view metric);

}  // namespace showcaller

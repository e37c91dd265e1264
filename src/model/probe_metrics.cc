// SPDX-License-Identifier: Apache-2.0
#include "model/probe_metrics.h"

#include <fmt/format.h>

namespace showcaller {
namespace {

constexpr std::string_view kBefore = "probe.";
constexpr std::string_view kLatency = ".latency";

}  // namespace

std::string probe_metric(std::string_view probe) {
  return fmt::format("{}{}", kBefore, probe);
}

std::string probe_latency_metric(std::string_view probe) {
  return fmt::format("{}{}{}", kBefore, probe, kLatency);
}

bool is_probe_latency(std::string_view metric) {
  return metric.starts_with(kBefore) && metric.ends_with(kLatency) &&
         metric.size() > kBefore.size() + kLatency.size();
}

std::optional<std::string_view> probe_of_metric(std::string_view metric) {
  if (!metric.starts_with(kBefore) || metric.size() == kBefore.size()) return std::nullopt;
  const bool latency = is_probe_latency(metric);
  metric.remove_prefix(kBefore.size());
  if (latency) metric.remove_suffix(kLatency.size());
  return metric;
}

}  // namespace showcaller

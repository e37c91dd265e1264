// SPDX-License-Identifier: Apache-2.0
#include "host/instance_sessions.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "compute/allocation.h"

namespace showcaller {
namespace {

// Sessions that an observation shows on an instance, the one in `session` last.
std::vector<std::string> sessions_of(const ObservedInstance& instance) {
  std::vector<std::string> out;
  const auto several = instance.annotations.find(kSessionsAnnotation);
  if (several != instance.annotations.end()) {
    std::string_view rest = several->second;
    while (!rest.empty()) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      if (comma > 0) out.emplace_back(rest.substr(0, comma));
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  }
  if (instance.session && std::find(out.begin(), out.end(), *instance.session) == out.end()) {
    out.push_back(*instance.session);
  }
  return out;
}

bool died(const ObservedInstance& instance) {
  if (instance.state == InstanceState::Unhealthy) return true;
  return instance.state == InstanceState::Exited && !(instance.exit && instance.exit->wanted);
}

}  // namespace

std::vector<InstanceSessions> instance_sessions(std::span<const ObservedInstance> instances) {
  std::vector<InstanceSessions> out;
  out.reserve(instances.size());
  for (const ObservedInstance& instance : instances) {
    InstanceSessions& shown =
        out.emplace_back(instance.id, instance.build, died(instance), sessions_of(instance));
    const auto arms = instance.annotations.find(kArmsAnnotation);
    if (arms != instance.annotations.end()) shown.arms = arms->second;
  }
  return out;
}

}  // namespace showcaller

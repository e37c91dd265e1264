// SPDX-License-Identifier: Apache-2.0
#include "compute/allocation.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace showcaller {

AllocateInstance to_driver(const Allocation& allocation, const NeighbourSessions& neighbours) {
  AllocateInstance out;
  out.id = allocation.instance;
  out.session = allocation.session;
  out.labels["showcaller.dev/build"] = allocation.build;
  out.annotations[kArmsAnnotation] = arms_to_text(allocation.arms);
  std::string& sessions = out.annotations[kSessionsAnnotation];
  for (const std::string& other : neighbours.running) sessions += other + ",";
  sessions += allocation.session;
  if (!neighbours.over.empty()) {
    out.annotations[std::string(kSessionsOverAnnotation)] =
        fmt::format("{}", fmt::join(neighbours.over, ","));
  }
  if (!allocation.unit_party.empty())
    out.annotations["showcaller.dev/party"] = allocation.unit_party;
  return out;
}

}  // namespace showcaller

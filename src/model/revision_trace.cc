// SPDX-License-Identifier: Apache-2.0
#include "model/revision_trace.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/hash.h"

namespace showcaller {

std::string revision_trace_id(std::string_view event, std::int64_t revision, std::string_view hash,
                              std::string_view callers) {
  if (callers.empty()) return {};
  const std::string name = fmt::format("revision/{}/{}/{}/{}", event, revision, hash, callers);
  return to_hex(as_bytes(sha256(name)).substr(0, 16));
}

std::string span_id_of(std::string_view trace, std::string_view what, std::string_view which) {
  const std::uint64_t id = hash64(fmt::format("{}/{}/{}", trace, what, which));
  return fmt::format("{:016x}", std::max<std::uint64_t>(1, id));  // All zero is no id.
}

std::string step_span_id(std::string_view trace, int step, StepDirection direction,
                         std::int64_t attempt) {
  return span_id_of(trace, "step", fmt::format("{}/{}/{}", step, enum_name(direction), attempt));
}

std::string instance_span_id(std::string_view trace, std::string_view instance) {
  return span_id_of(trace, "instance", instance);
}

std::string trace_of_build(const World& world, std::string_view fleet, std::string_view build) {
  std::string trace;
  world.events.each([&](const std::string&, const EventState& event) {
    if (!trace.empty() || is_over(event.phase)) return;
    for (const Change& change : event.spec().changes) {
      const auto* brought = std::get_if<BuildChange>(&change.what);
      if (brought && brought->fleet == fleet && brought->version == build) trace = *event.trace;
    }
  });
  return trace;
}

}  // namespace showcaller

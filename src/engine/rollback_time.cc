// SPDX-License-Identifier: Apache-2.0
#include "engine/rollback_time.h"

#include <algorithm>

#include <fmt/format.h>

namespace showcaller {
namespace {

constexpr Duration kWithin = hours(1);
constexpr Duration kWithinSlack = minutes(5);

}  // namespace

RollbackTime rollback_at_worst(const World& world, const LiveEventSpec& spec) {
  RollbackTime out{{}, "layers alone: at once"};
  Duration actions{};
  for (const Change& change : spec.changes) {
    if (const auto* action = std::get_if<ActionChange>(&change.what)) actions += action->timeout;
    const auto* build = std::get_if<BuildChange>(&change.what);
    const FleetSpec* fleet = build ? world.fleet(build->fleet) : nullptr;
    if (!fleet) continue;
    const Duration drain = spec.rollback.then == DrainThen::End
                               ? std::min(fleet->session_length_max, spec.rollback.drain)
                               : fleet->session_length_max;
    const Duration whole = drain + fleet->stop_grace;
    if (whole <= out.worst) continue;
    out.worst = whole;
    out.bound_by =
        fmt::format("the longest match of fleet {} ({}) and {} to stop", build->fleet,
                    format_duration(fleet->session_length_max), format_duration(fleet->stop_grace));
  }
  if (actions > Duration{}) {
    const std::string calls = fmt::format("{} for its actions", format_duration(actions));
    out.bound_by = out.worst > Duration{} ? out.bound_by + ", and " + calls : calls;
  }
  out.worst += actions;
  return out;
}

Duration rollback_within(const World& world, const LiveEventSpec& spec) {
  if (spec.rollback.within) return *spec.rollback.within;
  return std::max(
      {kWithin, spec.rollback.drain, rollback_at_worst(world, spec).worst + kWithinSlack});
}

}  // namespace showcaller

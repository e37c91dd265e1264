// SPDX-License-Identifier: Apache-2.0
#include "policy/break_glass.h"

#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace showcaller {
namespace {

// Each person's latest part that still counts.
std::map<std::string, const GlassBreak*> breaks_in_force(const EventState& event, Instant now) {
  std::map<std::string, const GlassBreak*> by_person;
  for (const GlassBreak& part : event.glass) {
    if (part.hash == event.manifest->hash && now < part.until) by_person[part.by] = &part;
  }
  return by_person;
}

}  // namespace

std::optional<std::string> broken_glass(const EventState& event, Instant now) {
  const auto parts = breaks_in_force(event, now);
  if (int(parts.size()) < kGlassPeople) return std::nullopt;
  std::vector<std::string> who;
  Instant until = parts.begin()->second->until;
  for (const auto& [person, part] : parts) {
    who.push_back(fmt::format("'{}' ({})", person, part->reason));
    until = std::min(until, part->until);
  }
  return fmt::format("approvals and freezes are set aside for {} r{} until {} by {}",
                     event.manifest->name, event.revision, format_instant(until),
                     fmt::join(who, " and "));
}

Status may_break_glass(const EventState& event, std::string_view actor, std::string_view reason,
                       Instant now) {
  if (reason.empty()) {
    return fail(ErrorCode::Invalid,
                "breaking the glass needs a reason, which the owner is paged with; give one");
  }
  if (breaks_in_force(event, now).contains(std::string(actor))) {
    return fail(ErrorCode::Conflict,
                fmt::format("'{}' has broken the glass of {} r{} already; it takes somebody else",
                            actor, event.manifest->name, event.revision));
  }
  return {};
}

}  // namespace showcaller

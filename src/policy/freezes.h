// SPDX-License-Identifier: Apache-2.0
// What stops an event from exposing more: freezes, which come from policies and end by themselves,
// and stopped lines, which somebody stopped and somebody resumes. Moves toward safety are never
// asked.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/command.h"
#include "model/world.h"

namespace showcaller {

// Why the event is frozen now, until when, and what helps; nothing when it is not. A freeze that
// policies in audit mode ask for does not count.
std::optional<std::string> frozen(const World& world, const EventState& event, Instant now);
// A freeze of a policy that is on or to come.
struct PlannedFreeze {
  const FreezeSpec* spec = nullptr;
  const PolicySpec* by = nullptr;
  std::string policy;
  bool audit_only = false;
};
// Those that end after `wall`, a date, by policy.
std::vector<PlannedFreeze> freezes_ahead(const World& world, Instant wall);
// Would it stop an event of this owner and name?
bool concerns(const FreezeSpec& freeze, std::string_view owner, std::string_view event);
// What policies in audit mode would have refused, and exceptions in use. For records and logs.
std::vector<std::string> freeze_notes(const World& world, const EventState& event, Instant now);
// The same of all that policies ask of an event: its approvals, freezes, quotas and gates.
std::vector<std::string> policy_notes(const World& world, const EventState& event, Instant now);

// Why the line of the event is stopped. Scopes: "" everything, "owner/NAME", "fleet/NAME",
// "event/NAME".
std::optional<std::string> line_stopped(const World& world, const EventState& event);
// The same, and freezes, for a thing of an owner's that is no event. Exceptions and broken glass
// are for events alone.
std::optional<std::string> owner_blocked(const World& world, std::string_view owner, Instant now);
[[nodiscard]] Status check_line_scope(std::string_view scope);
// Whose a scope is, for authorize(): the owner it names, or that of the event or fleet; "" for the
// whole house.
std::string line_owner(const World& world, std::string_view scope);

// The first of line_stopped(), frozen(), and what a proposed revision still has to be approved by:
// asked before every move toward exposure, the engine's own included.
std::optional<std::string> exposure_blocked(const World& world, const EventState& event,
                                            Instant now);

// What that says to a command; Conflict is the refusal. Moves toward safety always pass, and so
// does what exposes nobody: a draft may be applied and approved while everything is frozen, and
// waits. A revision of an event that admits players may not, but it may replace one that waits for
// approval.
[[nodiscard]] Status permit(const World& world, const CommandBody& command, Instant now);

}  // namespace showcaller

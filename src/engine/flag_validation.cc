// SPDX-License-Identifier: Apache-2.0
#include "engine/flag_validation.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/suggest.h"
#include "engine/decide.h"
#include "engine/moves.h"
#include "flow/flag_layers.h"
#include "model/flag_schedule.h"
#include "model/prerequisites.h"
#include "policy/freezes.h"

namespace showcaller {
namespace {

bool has_variant(const FlagSpec& spec, const std::string& variant) {
  const json::value* variants = spec.definition.if_contains("variants");
  return variants && variants->is_object() && variants->get_object().contains(variant);
}

void check_needed(const World& world, const std::string& flag, const FlagPrerequisite& needed,
                  std::vector<std::string>* problems) {
  const FlagSpec* spec = flag_spec(world, needed.flag);
  if (!spec) {
    problems->push_back(fmt::format(
        "Flag '{}' needs '{}', which is not there{}", flag, needed.flag,
        did_you_mean(needed.flag, names_of(world, Kind::Flag), "apply its manifest first")));
  } else if (!has_variant(*spec, needed.variant)) {
    problems->push_back(
        fmt::format("Flag '{}' needs '{}' to give '{}', which is none of its "
                    "variants",
                    flag, needed.flag, needed.variant));
  }
}

// Nobody gets more of it than he had.
bool switches_off(const FlagSpec& spec, const FlagScheduledChange& change) {
  if (get_string(change.definition, "state") == "DISABLED") return true;
  const json::value* targeting = change.definition.if_contains("targeting");
  const bool for_nobody = targeting && targeting->is_object() && targeting->get_object().empty();
  return for_nobody && !spec.off_variant.empty() &&
         get_string(change.definition, "defaultVariant") == spec.off_variant;
}

}  // namespace

std::vector<std::string> flag_problems(const World& world) {
  std::vector<std::string> problems;
  const auto spec_of = [&](std::string_view flag) { return flag_spec(world, flag); };
  each_flag(world, [&](const std::string& flag, const FlagSpec& spec) {
    for (const FlagPrerequisite& needed : spec.prerequisites)
      check_needed(world, flag, needed, &problems);
    if (const std::string circle = prerequisite_circle(flag, spec_of); !circle.empty())
      problems.push_back(
          fmt::format("flags need one another: {}; take one of the prerequisites "
                      "out",
                      circle));
  });
  return problems;
}

std::string new_flag_problem(const World& world, const World& next) {
  const std::vector<std::string> problems = flag_problems(next);
  if (problems.empty()) return {};
  const std::vector<std::string> known = flag_problems(world);
  for (const std::string& problem : problems) {
    if (std::ranges::find(known, problem) == known.end()) return problem;
  }
  return {};
}

std::vector<Payload> flag_changes_due(const World& world, Instant now) {
  std::vector<Payload> out;
  each_flag(world, [&](const std::string& flag, const FlagSpec& spec) {
    const FlagScheduledChange* last = change_in_force(spec, world.wall(now));
    const FlagState* state = world.flags.find(flag);
    if (!last || (state && state->schedule_reached >= last->at)) return;
    const bool may_wait = !switches_off(spec, *last);
    if (may_wait && !clock_is_settled(world, now)) return;
    if (may_wait && owner_blocked(world, world.manifest(Kind::Flag, flag)->owner, now)) return;
    out.push_back(FlagScheduleReached{flag, last->at, change_text(*last)});
  });
  return out;
}

}  // namespace showcaller

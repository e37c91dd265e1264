// SPDX-License-Identifier: Apache-2.0
#include "engine/flag_facts.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "engine/decide.h"
#include "flow/flag_snapshot.h"

namespace showcaller {
namespace {

std::string state_of(const FlagSpec* spec, const FlagSwitch* killed,
                     const FeatureWithdrawal& withdrawal) {
  if (killed) return "killed";
  if (withdrawal.feature) return "withdrawn";
  return spec && get_string(spec->definition, "state") == "DISABLED" ? "disabled" : "enabled";
}

json::object flag_view(const World& world, const std::string& flag) {
  const auto manifest = flag.starts_with(kConfigPrefix)
                            ? world.manifest(Kind::Config, flag.substr(kConfigPrefix.size()))
                            : world.manifest(Kind::Flag, flag);
  const FlagSpec* spec = flag_spec(world, flag);
  const FlagSwitch* killed = world.killed(flag);
  const FeatureWithdrawal withdrawal = withdrawal_of(world, flag);
  json::object out{{"flag", flag},
                   {"owner", manifest ? manifest->owner : ""},
                   {"visibility", spec && spec->client_visible ? "client" : "server"},
                   {"state", state_of(spec, killed, withdrawal)}};
  json::array events;
  for (const std::string& event : events_that_change(world, flag)) events.emplace_back(event);
  out["events"] = std::move(events);
  if (killed) {
    out["killed"] = {{"since", format_instant(killed->since)},
                     {"actor", killed->actor},
                     {"reason", killed->reason}};
  }
  if (withdrawal.feature) {
    out["withdrawn"] = {{"since", format_instant(withdrawal.feature->since)},
                        {"service", withdrawal.service},
                        {"feature", withdrawal.feature->feature},
                        {"reason", withdrawal.feature->reason}};
    if (!withdrawal.feature->by.empty())
      out["withdrawn"].as_object()["by"] = withdrawal.feature->by;
  }
  return out;
}

std::string what_gives_back(const FeatureWithdrawal& withdrawal) {
  const WithdrawnFeature& gone = *withdrawal.feature;
  if (gone.by.empty()) return "it comes back by itself once the service is calm";
  return fmt::format("'{}' took it: `showcaller feature restore {} {}` gives it back", gone.by,
                     withdrawal.service, gone.feature);
}

}  // namespace

std::vector<std::string> flags_of(const LiveEventSpec& spec) {
  std::vector<std::string> out;
  for (const Change& change : spec.changes) {
    if (const auto* flag = std::get_if<FlagChange>(&change.what)) out.push_back(flag->key);
    if (const auto* config = std::get_if<ConfigChange>(&change.what))
      out.push_back(fmt::format("{}{}", kConfigPrefix, config->document));
  }
  return out;
}

std::vector<std::string> flags_known(const World& world) {
  const auto manifests = names_of(world, Kind::Flag);
  std::set<std::string> known(manifests.begin(), manifests.end());
  for (const std::string& config : names_of(world, Kind::Config))
    known.insert(fmt::format("{}{}", kConfigPrefix, config));
  world.events.each([&](const std::string&, const EventState& event) {
    if (is_over(event.phase)) return;
    for (std::string& flag : flags_of(event.spec())) known.insert(std::move(flag));
  });
  return {known.begin(), known.end()};
}

std::vector<std::string> events_that_change(const World& world, std::string_view flag) {
  std::vector<std::string> events;
  world.events.each([&](const std::string& name, const EventState& event) {
    if (is_over(event.phase)) return;
    const auto changed = flags_of(event.spec());
    if (std::ranges::find(changed, flag) != changed.end()) events.push_back(name);
  });
  return events;
}

std::vector<std::string> kill_notes(const World& world, const EventState& event) {
  std::vector<std::string> notes;
  for (const std::string& flag : flags_of(event.spec())) {
    const FlagSwitch* by = world.killed(flag);
    const FeatureWithdrawal withdrawal = withdrawal_of(world, flag);
    if (!by && withdrawal.feature) {
      const WithdrawnFeature& gone = *withdrawal.feature;
      notes.push_back(
          fmt::format("service '{}' does without '{}' since {} ({}): flag '{}' gives everybody "
                      "'{}', and nobody "
                      "what the event gives; {}",
                      withdrawal.service, gone.feature, format_instant(gone.since), gone.reason,
                      flag, gone.variant, what_gives_back(withdrawal)));
    }
    if (!by) continue;
    notes.push_back(fmt::format(
        "flag '{}' was killed by '{}' at {}{}{}: nobody gets what the event gives; `showcaller "
        "flag reopen {}` when it is safe",
        flag, by->actor, format_instant(by->since), by->reason.empty() ? "" : ": ", by->reason,
        flag));
  }
  return notes;
}

json::array flags_view(const World& world) {
  json::array out;
  std::set<std::string> all;
  for (std::string& flag : flags_known(world)) all.insert(std::move(flag));
  world.flags.each([&](const std::string& flag, const FlagState& state) {
    if (state.kill.off) all.insert(flag);
  });
  for (const std::string& flag : all) out.push_back(flag_view(world, flag));
  return out;
}

}  // namespace showcaller

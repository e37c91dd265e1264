// SPDX-License-Identifier: Apache-2.0
#include "engine/dry_run.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "engine/engine.h"
#include "engine/explain.h"
#include "engine/plan_stages.h"
#include "engine/view.h"

namespace showcaller {
namespace {

constexpr std::size_t kDryRecordsMax = 200;

std::set<std::string> events_of(const std::vector<Record>& records) {
  std::set<std::string> names;
  for (const Record& record : records) {
    if (std::string name = event_of(record.payload); !name.empty()) names.insert(std::move(name));
  }
  return names;
}

std::int64_t exposure_of(const EventState* event) {
  return event && may_admit(event->phase) ? event->exposure_ppm : 0;
}

bool lets_more_in(const EventState* before, const EventState& after) {
  const bool opens = after.intake == IntakeState::Open &&
                     (!before || before->intake != IntakeState::Open || before->diverted);
  return exposure_of(&after) > exposure_of(before) || (exposure_of(&after) > 0 && opens);
}

json::object event_change(const World& before, const World& after, const std::string& name,
                          const PlanFacts& facts) {
  const EventState* was = before.event(name);
  const EventState& is = *after.event(name);
  json::object out{{"event", name}};
  if (was) out["before"] = event_line(name, *was);
  out["after"] = event_line(name, is);
  const auto stage = std::size_t(std::max(is.stage, 0));
  if (is.stage >= 0 && stage < is.spec().stages.size() && lets_more_in(was, is))
    out["at_risk"] = stage_at_risk(after, is.spec(), is.spec().stages[stage], facts);
  return out;
}

bool is_isolated(const ObservedInstance& instance, const QuarantineSet& quarantine) {
  switch (quarantine.scope) {
    case QuarantineScope::Instance:
      return instance.id == quarantine.subject;
    case QuarantineScope::Build:
      return instance.build == quarantine.subject;
    case QuarantineScope::Host:
      return instance.host == quarantine.subject;
    case QuarantineScope::Region:
      return instance.region == quarantine.subject;
  }
  return false;
}

// As last seen. Absent: nothing is isolated.
std::optional<json::object> touched_by(const std::vector<Record>& records, const PlanFacts& facts) {
  std::int64_t instances = 0, players = 0;
  bool isolates = false;
  for (const Record& record : records) {
    const auto* quarantine = std::get_if<QuarantineSet>(&record.payload);
    const auto seen = quarantine ? facts.instances.find(quarantine->fleet) : facts.instances.end();
    isolates = isolates || quarantine;
    if (seen == facts.instances.end()) continue;
    for (const ObservedInstance& instance : seen->second) {
      if (instance.state == InstanceState::Exited || !is_isolated(instance, *quarantine)) continue;
      ++instances;
      players += instance.players;
    }
  }
  if (!isolates) return std::nullopt;
  return json::object{
      {"instances", instances},
      {"players", players},
      {"says", fmt::format("{} instances with {} players on them now", instances, players)}};
}

}  // namespace

Result<DryRun> dry_run(const World& world, const Command& command, Instant now) {
  Engine engine(world, world.epoch);
  DryRun out;
  TRY(out.receipt, engine.take(Input(command), now, &out.records));
  out.after = engine.world();
  return out;
}

json::object dry_run_view(const World& before, const DryRun& dry_run, const PlanFacts& facts) {
  json::array notes, records, events;
  for (const std::string& note : dry_run.receipt.notes) notes.emplace_back(note);
  for (const Record& record : dry_run.records) {
    if (records.size() == kDryRecordsMax) break;
    records.push_back(json::object{
        {"kind", record.kind().name}, {"by", record.actor}, {"line", record_line(record)}});
  }
  for (const std::string& name : events_of(dry_run.records))
    events.push_back(event_change(before, dry_run.after, name, facts));
  json::object out{{"dry_run", true},
                   {"repeated", dry_run.receipt.repeated},
                   {"notes", std::move(notes)},
                   {"records", std::move(records)},
                   {"events", std::move(events)}};
  if (dry_run.records.size() > kDryRecordsMax)
    out["left_out"] = dry_run.records.size() - kDryRecordsMax;
  if (auto touched = touched_by(dry_run.records, facts)) out["touches"] = *std::move(touched);
  return out;
}

}  // namespace showcaller

// SPDX-License-Identifier: Apache-2.0
#include "host/flag_exposures.h"

#include <fmt/format.h>

#include "base/hash.h"
#include "model/exposure.h"

namespace showcaller {
namespace {

constexpr std::size_t kRememberedMax = 1'000'000;

// The flags that an event's changes give another value now: configuration is proved in the dark,
// flags wait for the doors.
std::set<std::string, std::less<>> flags_of(const EventState& event) {
  std::set<std::string, std::less<>> flags;
  for (const Change& change : event.spec().changes) {
    const auto* flag = std::get_if<FlagChange>(&change.what);
    if (flag && event.intake == IntakeState::Open) flags.insert(flag->key);
    if (const auto* config = std::get_if<ConfigChange>(&change.what))
      flags.insert("config." + config->document);
  }
  return flags;
}

}  // namespace

void FlagExposures::publish(const World& world, const FlagSaltOf& salt_of) {
  auto reaches = std::make_shared<Reaches>();
  world.events.each([&](const std::string& name, const EventState& event) {
    if (!event.manifest || !may_admit(event.phase)) return;
    Reach reach{name,
                event.revision,
                event.visit,
                flags_of(event),
                {event.open_regions.begin(), event.open_regions.end()},
                {}};
    ExposureRule rule = exposure_rule(event, salt_of(name));
    if (!reach.flags.empty() && !rule.stages.empty()) {
      if (auto compiled = Exposure::compile(std::move(rule))) reach.admits = std::move(*compiled);
    }
    reaches->push_back(std::move(reach));
  });
  std::lock_guard lock(mutex_);
  reaches_ = std::move(reaches);
}

bool FlagExposures::is_new(const LedgerEntry& entry) {
  const std::uint64_t hash =
      hash64(fmt::format("{}/{}/{}/{}/{}/{}/{}", entry.event, entry.revision, entry.visit,
                         int(entry.source), entry.region, entry.session, entry.player));
  std::lock_guard lock(mutex_);
  if (remembered_.size() >= kRememberedMax) remembered_.clear();
  return remembered_.insert(hash).second;
}

std::vector<LedgerEntry> FlagExposures::of_evaluation(const json::object& context,
                                                      std::string_view flag, Instant now) {
  std::shared_ptr<const Reaches> reaches;
  {
    std::lock_guard lock(mutex_);
    reaches = reaches_;
  }
  const std::string player = get_string(context, "targetingKey");
  const std::string region = get_string(context, "region");
  std::vector<LedgerEntry> out;
  if (player.empty()) return out;
  const EvaluationContext who(context);
  for (const Reach& reach : *reaches) {
    if (!reach.admits || (!flag.empty() && !reach.flags.contains(flag))) continue;
    if (!reach.regions.empty() && !reach.regions.contains(region)) continue;
    if (!reach.admits->admits(who, now)) continue;
    LedgerEntry entry{reach.event, reach.revision,       reach.visit, region, player,
                      {},          LedgerSource::Served, now};
    if (is_new(entry)) out.push_back(std::move(entry));
  }
  return out;
}

std::vector<LedgerEntry> FlagExposures::of_report(const Report& report, Instant now) {
  std::shared_ptr<const Reaches> reaches;
  {
    std::lock_guard lock(mutex_);
    reaches = reaches_;
  }
  std::vector<LedgerEntry> out;
  for (const ReportedDelta& delta : report.deltas) {
    if (delta.unit.empty() || delta.arm != Arm::Canary) continue;
    for (const Reach& reach : *reaches) {
      if (reach.event != delta.event) continue;
      LedgerEntry entry{reach.event,   reach.revision,         reach.visit, {}, delta.unit,
                        delta.session, LedgerSource::Reported, now};
      if (is_new(entry)) out.push_back(std::move(entry));
    }
  }
  return out;
}

}  // namespace showcaller

// SPDX-License-Identifier: Apache-2.0
#include "host/flag_exposures.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/hash.h"
#include "compute/session_players.h"

namespace showcaller {
namespace {

constexpr std::size_t kRememberedMax = 1'000'000;

bool has_its_row(const Allocation& allocation, const std::string& event) {
  return std::any_of(allocation.arms.begin(), allocation.arms.end(), [&](const ArmAssignment& arm) {
    return arm.event == event && arm.arm == Arm::Canary;
  });
}

}  // namespace

void FlagExposures::publish(const World& world, const FlagSaltOf& salt_of) {
  auto reaches = std::make_shared<EventReaches>();
  world.events.each([&](const std::string& name, const EventState& event) {
    if (!event.manifest || !may_admit(event.phase)) return;
    reaches->push_back({name, event.revision, event.visit, FlagReach(world, event, salt_of(name))});
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

std::shared_ptr<const EventReaches> FlagExposures::reaches() const {
  std::lock_guard lock(mutex_);
  return reaches_;
}

std::vector<LedgerEntry> FlagExposures::of_evaluation(const json::object& context,
                                                      std::string_view flag, Instant now) {
  std::vector<LedgerEntry> out = exposures_of(*reaches(), context, flag, now);
  std::erase_if(out, [this](const LedgerEntry& entry) { return !is_new(entry); });
  return out;
}

// Clocks differ: nobody was exposed in time to come.
std::vector<LedgerEntry> FlagExposures::of_relay(std::vector<LedgerEntry> entries, Instant now) {
  std::erase_if(entries, [this](const LedgerEntry& entry) { return !is_new(entry); });
  for (LedgerEntry& entry : entries) entry.at = std::min(entry.at, now);
  return entries;
}

std::vector<LedgerEntry> FlagExposures::of_session(const AllocationRequest& request,
                                                   const Allocation& allocation, Instant now) {
  std::vector<LedgerEntry> out;
  const SessionPlayers players(request, allocation.unit_party, allocation.region);
  const auto now_reaching = reaches();
  for (const EventReach& reach : *now_reaching) {
    if (reach.flags.reaches_nobody() || has_its_row(allocation, reach.event)) continue;
    for (const AllocationPlayer& player : request.players) {
      const bool admitted = players.ask(
          player, [&](const EvaluationContext& who) { return reach.flags.reaches({}, who, now); });
      if (!admitted || player.id.empty()) continue;
      LedgerEntry entry{
          reach.event, reach.revision,         reach.visit, allocation.region, player.id,
          {},          LedgerSource::Admitted, now};
      if (is_new(entry)) out.push_back(std::move(entry));
    }
  }
  return out;
}

std::vector<LedgerEntry> FlagExposures::of_report(const Report& report, Instant now) {
  std::vector<LedgerEntry> out;
  const auto now_reaching = reaches();
  for (const ReportedDelta& delta : report.deltas) {
    if (delta.unit.empty() || delta.arm != Arm::Canary) continue;
    for (const EventReach& reach : *now_reaching) {
      if (reach.event != delta.event) continue;
      LedgerEntry entry{reach.event,   reach.revision,         reach.visit, {}, delta.unit,
                        delta.session, LedgerSource::Reported, now};
      if (is_new(entry)) out.push_back(std::move(entry));
    }
  }
  return out;
}

}  // namespace showcaller

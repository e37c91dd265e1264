// SPDX-License-Identifier: Apache-2.0
#include "sim/invariants.h"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

namespace showcaller::sim {
namespace {

constexpr std::size_t kViolationsMax = 20;  // a run; more help nobody

}  // namespace

void RehearsalInvariants::violated(std::string what) {
  if (violations_.size() < kViolationsMax) violations_.push_back(std::move(what));
}

void RehearsalInvariants::follow(const Record& record) {
  journal_.take(record);
  if (const auto* entered = std::get_if<StageEntered>(&record.payload))
    visits_[{entered->event, entered->visit}] = {entered->stage, entered->exposure_ppm};
  if (const auto* widened = std::get_if<ExposureWidened>(&record.payload);
      widened && widened->visit > 0)
    visits_[{widened->event, widened->visit}] = {journal_.world().event(widened->event)->stage,
                                                 widened->exposure_ppm};
  if (const auto* moved = std::get_if<PhaseChanged>(&record.payload); moved && is_over(moved->to))
    std::erase_if(let_in_, [&](const auto& each) { return each.first.first == moved->event; });
}

void RehearsalInvariants::find_again(std::uint64_t seq, const Sha256& then,
                                     const StoredRecord* now) {
  if (!now || now->hash != then)
    violated(fmt::format("record {} was there, and {} after the power went", seq,
                         now ? "is another" : "is gone"));
}

void RehearsalInvariants::follow_session(const World& published, const AllocationRequest& request,
                                         const Allocation& allocation) {
  check_place(published, allocation, request.party);
  for (const ArmAssignment& arm : allocation.arms) {
    check_arm(published, arm, request.party);
    if (arm.arm != Arm::Canary || arm.spilled) continue;
    auto& exposed = exposed_[{arm.event, arm.revision}];
    for (const AllocationPlayer& player : request.players) exposed.insert(player.id);
  }
}

void RehearsalInvariants::check_place(const World& published, const Allocation& allocation,
                                      const std::string& party) {
  const std::string& id = allocation.instance;
  const Instance* placed = published.instances.find(instance_key(allocation.fleet, id));
  if (placed &&
      (placed->phase == InstancePhase::Draining || placed->phase == InstancePhase::Stopping))
    violated(fmt::format("a session of {} was given to {}, which is {}", party, id,
                         enum_name(placed->phase)));
  const auto is_quarantined = [&](QuarantineScope scope, const std::string& subject) {
    const Quarantine* found =
        published.quarantines.find(quarantine_key(scope, allocation.fleet, subject));
    return found && (found->until == Instant{} || published.time < found->until);
  };
  if (is_quarantined(QuarantineScope::Instance, id) ||
      is_quarantined(QuarantineScope::Host, allocation.host) ||
      is_quarantined(QuarantineScope::Region, allocation.region) ||
      is_quarantined(QuarantineScope::Build, allocation.build))
    violated(fmt::format("a session of {} was given to {}, which is quarantined", party, id));
}

void RehearsalInvariants::check_arm(const World& published, const ArmAssignment& arm,
                                    const std::string& party) {
  const EventState* event = published.event(arm.event);
  const bool lets_in = event && may_admit(event->phase) && event->intake != IntakeState::Closed &&
                       !event->diverted && event->revision == arm.revision;
  const auto key = std::pair(arm.event, party);
  const auto before = let_in_.find(key);
  if (arm.arm == Arm::Canary && !arm.spilled) {
    let_in_[key] = arm.visit;
    if (!lets_in)
      violated(fmt::format("{} was let into {}, which lets nobody in", party, arm.event));
    return;
  }
  if (before == let_in_.end() || arm.spilled || !lets_in) return;
  const Visit then = visits_[{arm.event, before->second}], now = visits_[{arm.event, arm.visit}];
  if (now.stage >= then.stage && now.exposure_ppm >= then.exposure_ppm)
    violated(fmt::format("{} was on the canary of {} in visit {} and is not in visit {}", party,
                         arm.event, before->second, arm.visit));
}

void RehearsalInvariants::check_effects(std::span<const ActionEffect> effects) {
  std::set<std::tuple<std::string, std::int64_t, int, StepDirection>> once;
  std::map<std::pair<std::string, int>, StepDirection> last;
  for (const ActionEffect& effect : effects) {
    const auto& [event, revision, step, direction] = effect;
    last[{event, step}] = direction;
    if (!once.insert({event, revision, step, direction}).second)
      violated(fmt::format("a service did {} r{} step {} ({}) twice", event, revision, step + 1,
                           enum_name(direction)));
  }
  for (const auto& [step, direction] : last) {
    const EventState* event = journal_.world().event(step.first);
    const bool over_undone =
        event && (event->phase == Phase::RolledBack || event->phase == Phase::Cancelled);
    if (!over_undone || direction == StepDirection::Undo) continue;
    const Change& change = event->spec().changes[std::size_t(step.second)];
    const auto* action = std::get_if<ActionChange>(&change.what);
    if (action && !action->undo.empty() && !change.irreversible)
      violated(fmt::format("{} is undone, and no service was told to undo {}", step.first,
                           change.path()));
  }
}

void RehearsalInvariants::compare(const World& live) {
  journal_.rest();
  const std::string folded = world_to_text(journal_.world()), there = world_to_text(live);
  if (folded == there) return;
  const auto differ = std::mismatch(folded.begin(), folded.end(), there.begin(), there.end());
  const std::size_t at = std::size_t(differ.first - folded.begin());
  const std::size_t from = at > 60 ? at - 60 : 0;
  violated(fmt::format("the records folded again give another world: '{}' instead of '{}'",
                       folded.substr(from, 120), there.substr(from, 120)));
}

void RehearsalInvariants::compare(Ledger* ledger) {
  for (const auto& [revision, players] : exposed_) {
    const auto seal = ledger->seal(revision.first, revision.second);
    const std::int64_t known = seal ? seal->players : 0;
    if (known < std::int64_t(players.size()))
      violated(fmt::format("{} players were let into {} r{}, and the ledger knows {}",
                           players.size(), revision.first, revision.second, known));
  }
}

std::vector<std::string> RehearsalInvariants::violations() const {
  std::vector<std::string> out = violations_;
  for (const std::string& broken : journal_.broken()) {
    if (out.size() < kViolationsMax) out.push_back(broken);
  }
  return out;
}

}  // namespace showcaller::sim

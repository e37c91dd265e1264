// SPDX-License-Identifier: Apache-2.0
#include "sim/invariants.h"

#include <algorithm>

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

void RehearsalInvariants::follow_session(const World& published, const std::string& fleet,
                                         const std::string& instance, const std::string& party,
                                         const std::vector<ArmAssignment>& arms) {
  const Instance* placed = published.instances.find(instance_key(fleet, instance));
  if (placed &&
      (placed->phase == InstancePhase::Draining || placed->phase == InstancePhase::Stopping))
    violated(fmt::format("a session of {} was given to {}, which is {}", party, instance,
                         enum_name(placed->phase)));
  if (published.quarantines.find(quarantine_key(QuarantineScope::Instance, fleet, instance)))
    violated(fmt::format("a session of {} was given to {}, which is quarantined", party, instance));
  for (const ArmAssignment& arm : arms) {
    const auto key = std::pair(arm.event, party);
    const auto before = let_in_.find(key);
    if (arm.arm == Arm::Canary && !arm.spilled) {
      let_in_[key] = arm.visit;
      continue;
    }
    if (before == let_in_.end() || arm.spilled) continue;
    const EventState* event = published.event(arm.event);
    if (!event || !may_admit(event->phase) || event->intake == IntakeState::Closed ||
        event->diverted || event->revision != arm.revision)
      continue;
    const Visit then = visits_[{arm.event, before->second}], now = visits_[{arm.event, arm.visit}];
    if (now.stage >= then.stage && now.exposure_ppm >= then.exposure_ppm)
      violated(fmt::format("{} was on the canary of {} in visit {} and is not in visit {}", party,
                           arm.event, before->second, arm.visit));
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

std::vector<std::string> RehearsalInvariants::violations() const {
  std::vector<std::string> out = violations_;
  for (const std::string& broken : journal_.broken()) {
    if (out.size() < kViolationsMax) out.push_back(broken);
  }
  return out;
}

}  // namespace showcaller::sim

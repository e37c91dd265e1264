// SPDX-License-Identifier: Apache-2.0
// What the host observed: fleets, steps, readiness, totals, the clock.
#include <set>

#include <fmt/format.h>

#include "compute/fleet_capacity.h"
#include "compute/fleet_planner.h"
#include "engine/decide_parts.h"
#include "engine/flag_validation.h"
#include "engine/moves.h"
#include "policy/degradation.h"
#include "policy/quotas.h"

namespace showcaller {
namespace {

// The wall clock is adjusted all the time; this much is a step.
constexpr Duration kClockStepMin = seconds(2);
// What a bake or a time-out may lose of its time when the server dies in silence.
constexpr Duration kTimeNotedEvery = minutes(5);

// Whether the fleet could take the players of what comes next for an event: its minimum makes it
// ready; then its first stage; then each next stage, once the present one may end. A build that
// does not start at all is found by few instances.
template <class ViewOf>
std::optional<CapacityStanding> capacity_of_next(const Subject& s, const ViewOf& view,
                                                 const ReadinessStanding* before) {
  const bool was_ready = before && before->ready && capacity_is_fresh(s, *before);
  if (s.event.phase == Phase::Preparing || s.event.phase == Phase::Ready) {
    CapacityStanding least = capacity_standing(s.world, view(), s.event, s.now);
    if (!least.ready || s.event.phase == Phase::Preparing) return least;
    return stage_capacity(s.world, view(), s.event, 0, was_ready, s.now);
  }
  if (s.event.phase != Phase::RollingOut || s.event.hold || !s.stage() || s.is_last_stage())
    return std::nullopt;
  if (s.now - s.event.stage_since < s.stage()->bake_min) return std::nullopt;
  return stage_capacity(s.world, view(), s.event, s.event.stage + 1, was_ready, s.now);
}

// While players come and go the numbers of what is missing change at every look.
constexpr Duration kMissingToldEvery = minutes(1);

bool is_news(const Subject& s, const ReadinessStanding* before, const CapacityStanding& standing) {
  if (!before || before->ready != standing.ready || !capacity_is_fresh(s, *before)) return true;
  if (standing.ready || before->detail == standing.detail) return false;
  return s.event.phase == Phase::Preparing || s.now - before->since >= kMissingToldEvery;
}

// The capacity check of each event that needs this fleet.
void judge_capacity(const World& world, const FleetObserved& observed, Instant now, Decision* out) {
  std::optional<FleetView> seen;  // made where it is asked for: most often nobody waits
  const auto view = [&]() -> const FleetView& {
    if (!seen) seen = fleet_view(world, observed.fleet, *observed.instances, now, observed.outlook);
    return *seen;
  };
  world.events.each([&](const std::string& name, const EventState& event) {
    using enum Phase;
    if (!event.manifest || !(in(event.phase) & in(Preparing, Ready, RollingOut))) return;
    const auto fleets = fleets_needed(event.spec());
    if (!std::binary_search(fleets.begin(), fleets.end(), observed.fleet)) return;
    const std::string check = capacity_check(event.spec(), observed.fleet);
    const auto at = event.readiness.find(check);
    const ReadinessStanding* before = at == event.readiness.end() ? nullptr : &at->second;
    const Subject subject{world, name, event, now};
    auto standing = capacity_of_next(subject, view, before);
    if (!standing) return;
    if (const Status quota = check_instance_quota(world, 1); !standing->ready && !quota)
      standing->detail += "; " + quota.error().message;
    if (!is_news(subject, before, *standing)) return;
    out->payloads.push_back(ReadinessChanged{name, check, standing->ready, standing->detail});
    out->touched.push_back(name);
  });
}

// New instances only as far as the policies' quota goes. What runs is adopted whatever the quota.
void keep_to_the_quota(const World& world, const FleetObserved& observed,
                       std::vector<Payload>* payloads) {
  const auto requests = [](const Payload& payload) {
    return std::holds_alternative<InstanceRequested>(payload);
  };
  if (std::none_of(payloads->begin(), payloads->end(), requests)) return;
  std::set<std::string> seen;
  for (const ObservedInstance& instance : *observed.instances) seen.insert(instance.id);
  std::int64_t more = 0;
  std::erase_if(*payloads, [&](const Payload& payload) {
    const auto* requested = std::get_if<InstanceRequested>(&payload);
    if (!requested || seen.contains(requested->id)) return false;
    if (!check_instance_quota(world, more + 1)) return true;
    ++more;
    return false;
  });
}

// Events that wait for the fleet to move: a rollback that drains, a rollout that waits for its
// build.
void touch_waiting(const World& world, const std::string& fleet, Decision* out) {
  world.events.each([&](const std::string& name, const EventState& event) {
    if (event.phase != Phase::RollingBack) return;
    for (const Change& change : event.spec().changes) {
      const auto* build = std::get_if<BuildChange>(&change.what);
      if (build && build->fleet == fleet) out->touched.push_back(name);
    }
  });
}

class Observation {
 public:
  Observation(const World& world, Instant now) : world_(world), now_(now) {}

  Result<Decision> operator()(const FleetObserved& observed) const {
    Decision out;
    if (!world_.fleet(observed.fleet)) return out;
    out.payloads =
        plan_fleet(world_, observed.fleet, *observed.instances, now_, observed.outlook.get());
    keep_to_the_quota(world_, observed, &out.payloads);
    tell_of_quarantines(world_, observed.fleet, now_, &out.payloads);
    if (!out.payloads.empty()) touch_waiting(world_, observed.fleet, &out);
    judge_capacity(world_, observed, now_, &out);
    return out;
  }

  Result<Decision> operator()(const StepReported& report) const {
    const EventState* event = world_.event(report.event);
    if (!event || event->revision != report.revision || report.step < 0 ||
        std::size_t(report.step) >= event->steps->size()) {
      return Decision{};
    }
    const Step& step = (*event->steps)[std::size_t(report.step)];
    const StepState on_its_way =
        report.direction == StepDirection::Do ? StepState::Doing : StepState::Undoing;
    if (step.state != on_its_way || step.attempt != report.attempt)
      return Decision{};  // A late or repeated reply.
    return Decision{{StepFinished{report.event, report.revision, report.step, report.direction,
                                  report.attempt, report.outcome, report.detail}},
                    {report.event},
                    {}};
  }

  Result<Decision> operator()(const ReadinessObserved& observed) const {
    const EventState* event = world_.event(observed.event);
    if (!event)
      return fail(ErrorCode::NotFound, fmt::format("there is no LiveEvent '{}'", observed.event));
    const auto before = event->readiness.find(observed.check);
    if (before != event->readiness.end() && before->second.ready == observed.ready &&
        before->second.detail == observed.detail) {
      return Decision{};
    }
    return Decision{
        {ReadinessChanged{observed.event, observed.check, observed.ready, observed.detail}},
        {observed.event},
        {}};
  }

  // Late or repeated words of a drill that is over, or was begun anew, are nothing new.
  Result<Decision> operator()(const DrillDue& due) const {
    const DrillRun* run = world_.drills.find(due.drill);
    if (!run || !run->goes_on() || run->strikes.contains(due.inject)) return Decision{};
    return Decision{
        {DrillInjected{due.drill, due.inject, due.fault, due.instances, due.until}}, {}, {}};
  }

  Result<Decision> operator()(const DrillOver& over) const {
    const DrillRun* run = world_.drills.find(over.drill);
    // One that was stopped by hand is told of twice: that it stops, and what came until then.
    const bool was_stopped = run && !run->goes_on() && run->report.empty();
    if (!run || (!run->goes_on() && !was_stopped)) return Decision{};
    return Decision{{DrillEnded{over.drill, over.verdict, over.reason, over.report}}, {}, {}};
  }

  Result<Decision> operator()(const TotalsObserved& totals) const {
    const EventState* event = world_.event(totals.event);
    if (!event || event->revision != totals.revision || event->visit != totals.visit)
      return Decision{};
    if (event->sessions_canary == totals.canary && event->sessions_baseline == totals.baseline)
      return Decision{};
    return Decision{{SessionsCounted{totals.event, totals.revision, totals.visit, totals.canary,
                                     totals.baseline}},
                    {},
                    {}};
  }

  Result<Decision> operator()(const LedgerObserved& ledger) const {
    const EventState* event = world_.event(ledger.event);
    // Of an older revision too: who was exposed to it is asked for when it is long replaced.
    if (!event || ledger.revision > event->revision) return Decision{};
    const LedgerStanding* sealed = event->ledger_of(ledger.revision);
    if (sealed && sealed->root == ledger.root) return Decision{};
    return Decision{
        {LedgerSealed{ledger.event, ledger.revision, ledger.rows, ledger.root, ledger.players}},
        {},
        {}};
  }

  Result<Decision> operator()(const BurnObserved& burn) const {
    return Decision{decide_burn(world_, burn.reading, now_), {}, {}};
  }
  Result<Decision> operator()(const DeliveryReported& report) const {
    return decide_delivery(world_, report);
  }

  Result<Decision> operator()(const ServiceObserved& observed) const {
    Decision out;
    if (auto move = degradation_move(world_, observed.service, observed.signs, now_))
      out.payloads.push_back(*std::move(move));
    return out;
  }

  Result<Decision> operator()(const BreakerObserved& observed) const {
    const ServiceState* state = world_.services.find(observed.service);
    const BreakerState before = state ? state->breaker : BreakerState::Closed;
    if (before == observed.state) return Decision{};
    return Decision{{BreakerChanged{observed.service, before, observed.state, observed.calls,
                                    observed.failures, observed.reason}},
                    {},
                    {}};
  }

  Result<Decision> operator()(const ClockObserved& clock) const {
    const Duration step = clock.offset - world_.clock_offset;
    if (std::chrono::abs(step) < kClockStepMin) return Decision{};
    return Decision{{ClockStepped{step.count()}}, {"*"}, {}};
  }
  Result<Decision> operator()(const ServerBooted& boot) const {
    return Decision{
        {ServerStarted{boot.version, boot.down.count(), boot.offset.count()}}, {"*"}, {}};
  }
  Result<Decision> operator()(const TimePassed&) const {
    Decision out{flag_changes_due(world_, now_), {"*"}, {}};
    if (!out.payloads.empty() || now_ - world_.time < kTimeNotedEvery) return out;
    world_.events.each([&](const std::string& name, const EventState& event) {
      const bool counts = event.phase == Phase::Live ? watch_is_on({world_, name, event, now_})
                                                     : counts_time(event.phase);
      if (counts && out.payloads.empty()) out.payloads.push_back(TimeNoted{name});
    });
    return out;
  }

  Result<Decision> operator()(const Command& command) const {
    return decide_command(world_, command, now_);
  }
  Result<Decision> operator()(const GateLooked& look) const {
    return decide_look(world_, look, now_);
  }

 private:
  const World& world_;
  Instant now_;
};

}  // namespace

Result<Decision> decide(const World& world, const Input& input, Instant now) {
  return std::visit(Observation(world, now), input);
}

}  // namespace showcaller

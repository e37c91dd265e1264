// SPDX-License-Identifier: Apache-2.0
// What the host observed: fleets, steps, readiness, totals, the clock.
#include <set>

#include <fmt/format.h>

#include "compute/fleet_planner.h"
#include "engine/decide_parts.h"
#include "engine/moves.h"
#include "policy/quotas.h"

namespace showcaller {
namespace {

// The capacity check of each event that waits for this fleet: ready instances of its build, and
// headroom where asked.
void judge_capacity(const World& world, const FleetObserved& observed, Decision* out) {
  std::optional<FleetView> view;
  world.events.each([&](const std::string& name, const EventState& event) {
    if (event.phase != Phase::Preparing && event.phase != Phase::Ready) return;
    for (const Change& change : event.spec().changes) {
      const auto* build = std::get_if<BuildChange>(&change.what);
      if (!build || build->fleet != observed.fleet) continue;
      if (!view) view = fleet_view(world, observed.fleet, observed.instances);
      CapacityStanding standing = capacity_standing(world, *view, event, *build);
      if (const Status quota = check_instance_quota(world, 1); !standing.ready && !quota)
        standing.detail += "; " + quota.error().message;
      const auto before = event.readiness.find("capacity");
      if (before != event.readiness.end() && before->second.ready == standing.ready &&
          (standing.ready || before->second.detail == standing.detail)) {
        continue;
      }
      out->payloads.push_back(ReadinessChanged{name, "capacity", standing.ready, standing.detail});
      out->touched.push_back(name);
    }
  });
}

// New instances only as far as the policies' quota goes. What runs is adopted whatever the quota.
void keep_to_the_quota(const World& world, const FleetObserved& observed,
                       std::vector<Payload>* payloads) {
  std::set<std::string> seen;
  for (const ObservedInstance& instance : observed.instances) seen.insert(instance.id);
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
    out.payloads = plan_fleet(world_, observed.fleet, observed.instances, now_);
    keep_to_the_quota(world_, observed, &out.payloads);
    if (!out.payloads.empty()) touch_waiting(world_, observed.fleet, &out);
    judge_capacity(world_, observed, &out);
    return out;
  }

  Result<Decision> operator()(const StepReported& report) const {
    const EventState* event = world_.event(report.event);
    if (!event || event->revision != report.revision || report.step < 0 ||
        std::size_t(report.step) >= event->steps.size()) {
      return Decision{};
    }
    const Step& step = event->steps[std::size_t(report.step)];
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
    if (!event || event->revision != ledger.revision || event->ledger_root == ledger.root)
      return Decision{};
    return Decision{
        {LedgerSealed{ledger.event, ledger.revision, ledger.rows, ledger.root}}, {}, {}};
  }

  Result<Decision> operator()(const ClockStepObserved& step) const {
    return Decision{{ClockStepped{step.by_ms}}, {"*"}, {}};
  }
  Result<Decision> operator()(const ServerBooted& boot) const {
    return Decision{{ServerStarted{boot.version, boot.down_ms}}, {"*"}, {}};
  }
  Result<Decision> operator()(const TimePassed&) const { return Decision{{}, {"*"}, {}}; }

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

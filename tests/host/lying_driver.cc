// SPDX-License-Identifier: Apache-2.0
#include "tests/host/lying_driver.h"

#include "compute/allocation.h"

namespace showcaller::test {

void LyingDriver::set_time(Instant now) {
  now_ = now;
  for (auto& [id, instance] : instances_) {
    if (instance.state != InstanceState::Starting || now < ready_at_[id]) continue;
    if (broken_builds.contains(instance.build)) {
      instance.state = InstanceState::Exited;
      instance.exit = InstanceExit{1, 0, false};
    } else {
      instance.state = InstanceState::Ready;
      instance.was_ready = true;
    }
  }
}

void LyingDriver::end_session(const std::string& id) {
  const auto at = instances_.find(id);
  if (at == instances_.end() || at->second.state != InstanceState::Allocated) return;
  at->second.state = InstanceState::Ready;
  at->second.session.reset();
  at->second.annotations.clear();
  ++at->second.sessions_ended;
}

void LyingDriver::crash(const std::string& id) {
  const auto at = instances_.find(id);
  if (at == instances_.end()) return;
  at->second.state = InstanceState::Exited;
  at->second.exit = InstanceExit{0, 6, false};
}

bool LyingDriver::runs(const std::string& id) const {
  const auto at = instances_.find(id);
  return at != instances_.end() && at->second.state != InstanceState::Exited;
}

Result<std::vector<ObservedInstance>> LyingDriver::observe() {
  if (unreachable) return fail(ErrorCode::Unavailable, "the driver does not answer");
  std::vector<ObservedInstance> out;
  for (auto& [id, instance] : instances_) {
    if (liars_.contains(id) && instance.state == InstanceState::Starting) {
      instance.state = InstanceState::Ready;
      instance.was_ready = true;
      out.push_back(instance);
      instance.state = InstanceState::Exited;
      instance.exit = InstanceExit{0, 9, false};
      liars_.erase(id);
      continue;
    }
    out.push_back(instance);
  }
  return out;
}

Status LyingDriver::apply(std::uint64_t epoch, std::span<const FleetAction> actions) {
  if (unreachable) return fail(ErrorCode::Unavailable, "the driver does not answer");
  if (epoch < epoch_) return fail(ErrorCode::Conflict, "an older epoch");
  epoch_ = epoch;
  for (const FleetAction& action : actions) {
    if (random_.chance(forget)) continue;
    if (const auto* start = std::get_if<StartInstance>(&action)) {
      if (instances_.contains(start->spec.id)) continue;
      ObservedInstance instance;
      instance.id = start->spec.id;
      instance.fleet = start->spec.fleet;
      instance.build = start->spec.build;
      instance.region = start->spec.region;
      instance.host = start->spec.host;
      instance.epoch = epoch;
      instance.address = "127.0.0.1";
      instance.ports = {7000};
      instance.started_at = now_;
      instances_[instance.id] = instance;
      ready_at_[instance.id] = now_ + start_delay;
      ++starts[instance.id];
      if (random_.chance(lie)) liars_.insert(instance.id);
    } else if (const auto* stop = std::get_if<StopInstance>(&action)) {
      const auto at = instances_.find(stop->id);
      if (at == instances_.end() || at->second.state == InstanceState::Exited) continue;
      at->second.state = InstanceState::Exited;
      at->second.exit = InstanceExit{0, 0, true};
      ++stops[stop->id];
    } else if (const auto* forgotten = std::get_if<ForgetInstance>(&action)) {
      instances_.erase(forgotten->id);
    }
  }
  return {};
}

Status LyingDriver::disturb(std::uint64_t, const DisturbInstance& disturbance) {
  if (disturbance.what == Disturbance::Kill) crash(disturbance.id);
  if (disturbance.what == Disturbance::Pause) paused.insert(disturbance.id);
  if (disturbance.what == Disturbance::Resume) paused.erase(disturbance.id);
  if (disturbance.what != Disturbance::Network) return {};
  if (disturbance.network == NetworkFault{})
    network.erase(disturbance.id);
  else
    network[disturbance.id] = disturbance.network;
  return {};
}

Status LyingDriver::may_disturb(Disturbance what) {
  if (what != Disturbance::Network || has_network) return {};
  return fail(ErrorCode::Unsupported, "there is no netem; load sch_netem");
}

void LyingDriver::allocate(const AllocateInstance& allocation) {
  if (lost_allocations > 0) {
    --lost_allocations;
    return;
  }
  const auto at = instances_.find(allocation.id);
  if (at == instances_.end() || at->second.state != InstanceState::Ready) return;
  at->second.state = InstanceState::Allocated;
  at->second.session = allocation.session;
  at->second.annotations = allocation.annotations;
}

}  // namespace showcaller::test

// SPDX-License-Identifier: Apache-2.0
#include "sim/virtual_fleet.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/check.h"
#include "compute/allocation.h"

namespace showcaller::sim {
namespace {

constexpr int kKilled = 9, kAborted = 6;

bool is_running(const ObservedInstance& instance) {
  return instance.state != InstanceState::Exited;
}

bool takes_sessions(const ObservedInstance& instance) {
  return instance.state == InstanceState::Ready || instance.state == InstanceState::Allocated;
}

// Absent: not the name of one of ours.
std::optional<std::uint64_t> session_number(std::string_view name) {
  std::uint64_t number = 0;
  const char* const end = name.data() + name.size();
  if (!name.starts_with('s')) return std::nullopt;
  const auto read = std::from_chars(name.data() + 1, end, number);
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return number;
}

bool runs(const VirtualInstance& instance, std::uint64_t session) {
  return std::find(instance.sessions.begin(), instance.sessions.end(), session) !=
         instance.sessions.end();
}

}  // namespace

std::string session_name(std::uint64_t session) {
  const fmt::format_int number(session);
  std::string out = "s";
  out.append(number.data(), number.size());
  return out;
}

void VirtualFleet::set_time(Duration now, Instant engine_now) {
  now_ = now;
  engine_now_ = engine_now;
  while (!due_.empty() && due_.begin()->first <= now) {
    const std::string id = due_.begin()->second;
    due_.erase(due_.begin());
    VirtualInstance* instance = find(id);
    if (!instance || !is_running(instance->seen)) continue;
    if (now >= instance->dies_at) {
      die(instance, kKilled, false);
    } else if (instance->seen.state == InstanceState::Starting && now >= instance->ready_at) {
      instance->seen.state = InstanceState::Ready;
      instance->seen.was_ready = true;
      instance->ready_since = now;
    }
  }
  strike_losses();
}

// Losses strike once, when their fault begins; what starts later is refused while it lasts.
void VirtualFleet::strike_losses() {
  for (const FaultKind kind :
       {FaultKind::InstanceLoss, FaultKind::HostLoss, FaultKind::RegionLoss}) {
    for (const Fault* fault : truth_->begun(kind)) {
      if (!struck_.insert(fault).second) continue;
      for (auto& [id, instance] : instances_) {
        if (!is_running(instance.seen)) continue;
        const bool hit = kind == FaultKind::InstanceLoss ? random_.chance(fault->size)
                         : kind == FaultKind::HostLoss   ? instance.seen.host == fault->target
                                                         : instance.seen.region == fault->target;
        if (hit) die(&instance, kKilled, false);
      }
    }
  }
}

bool VirtualFleet::is_lost(const std::string& region, const std::string& host) const {
  const auto names = [](const std::vector<const Fault*>& faults, const std::string& name) {
    return std::any_of(faults.begin(), faults.end(),
                       [&](const Fault* fault) { return fault->target == name; });
  };
  return names(truth_->begun(FaultKind::RegionLoss), region) ||
         names(truth_->begun(FaultKind::HostLoss), host);
}

bool VirtualFleet::is_cut_off(const std::string& region) const {
  const Fault* partition = truth_->acting(FaultKind::Partition);
  return partition && partition->target == region;
}

// What is asked of a region that is cut off gets there no more; it will be asked again.
bool VirtualFleet::is_unreachable(const FleetAction& action) {
  if (const auto* begun = std::get_if<StartInstance>(&action))
    return is_cut_off(begun->spec.region);
  const std::string& id = std::holds_alternative<StopInstance>(action)
                              ? std::get<StopInstance>(action).id
                              : std::get<ForgetInstance>(action).id;
  const VirtualInstance* instance = find(id);
  return instance && is_cut_off(instance->seen.region);
}

bool VirtualFleet::end_session(VirtualInstance* instance, std::uint64_t session) const {
  if (!instance || instance->running == 0) return false;
  if (names_shown_ && std::erase(instance->sessions, session) == 0) return false;
  --instance->running;
  ++instance->sessions_ended;
  instance->shown = false;
  return true;
}

void VirtualFleet::crash(std::uint32_t number) {
  if (VirtualInstance* instance = find(number)) die(instance, kAborted, false);
}

VirtualInstance* VirtualFleet::find(const std::string& id) {
  const auto at = instances_.find(id);
  return at == instances_.end() ? nullptr : &at->second;
}

bool VirtualFleet::has_session(std::uint32_t number, std::uint64_t session) {
  const VirtualInstance* instance = find(number);
  return instance && is_running(instance->seen) && runs(*instance, session);
}

void VirtualFleet::die(VirtualInstance* instance, int signal, bool wanted) {
  if (!is_running(instance->seen)) return;
  instance->seen.state = InstanceState::Exited;
  instance->seen.exit = InstanceExit{0, wanted ? 0 : signal, wanted};
  if (instance->running > 0) lost_.push_back(instance->number);
  instance->running = 0;
  instance->sessions.clear();
}

// As the sidecar of a real game server would show them.
void VirtualFleet::show_sessions(VirtualInstance* instance) const {
  auto& seen = instance->seen;
  instance->shown = true;
  const auto& sessions = instance->sessions;
  seen.sessions_ended = instance->sessions_ended;
  if (takes_sessions(seen))
    seen.state = instance->running > 0 ? InstanceState::Allocated : InstanceState::Ready;
  if (!names_shown_) {
    seen.sessions_counted = instance->running;
    return;
  }
  seen.session.reset();
  if (sessions.empty()) return seen.annotations.clear();
  seen.session = session_name(sessions.back());
  if (sessions.size() == 1) {
    seen.annotations.erase(kSessionsAnnotation);
    return;
  }
  std::string& all = seen.annotations[kSessionsAnnotation];
  all.clear();
  for (std::size_t i = 0; i < sessions.size(); ++i) {
    if (i > 0) all += ',';
    all += session_name(sessions[i]);
  }
}

Result<std::vector<ObservedInstance>> VirtualFleet::observe() {
  if (truth_->acting(FaultKind::Blind))
    return fail(ErrorCode::Unavailable, "the driver does not answer");
  std::vector<ObservedInstance> out;
  out.reserve(instances_.size());
  for (auto& [id, instance] : instances_) {
    if (is_cut_off(instance.seen.region)) continue;
    if (!instance.shown) show_sessions(&instance);
    out.push_back(instance.seen);
  }
  return out;
}

Status VirtualFleet::apply(std::uint64_t epoch, std::span<const FleetAction> actions) {
  if (truth_->acting(FaultKind::Blind))
    return fail(ErrorCode::Unavailable, "the driver does not answer");
  if (epoch < epoch_) return fail(ErrorCode::Conflict, "a newer server drives this fleet");
  epoch_ = epoch;
  const Fault* lies = truth_->acting(FaultKind::Lies);
  for (const FleetAction& action : actions) {
    if (lies && random_.chance(lies->size)) continue;
    if (is_unreachable(action)) continue;
    if (const auto* begun = std::get_if<StartInstance>(&action)) {
      if (!instances_.contains(begun->spec.id)) start(begun->spec, epoch);
    } else if (const auto* stop = std::get_if<StopInstance>(&action)) {
      if (VirtualInstance* instance = find(stop->id)) die(instance, 0, true);
    } else if (const auto* forgotten = std::get_if<ForgetInstance>(&action)) {
      if (VirtualInstance* instance = find(forgotten->id)) {
        die(instance, kKilled, true);
        by_number_[instance->number - 1] = nullptr;
        instances_.erase(forgotten->id);
      }
    }
  }
  return {};
}

std::int64_t VirtualFleet::running() const {
  return std::count_if(instances_.begin(), instances_.end(),
                       [](const auto& each) { return is_running(each.second.seen); });
}

Duration VirtualFleet::start_time(const InstanceSpec& spec) {
  const double mean = double(truth_->population().instance_start.count());
  double ms = mean * random_.lognormal(-0.045, 0.3);
  if (images_.insert({spec.host, spec.build}).second) ms += mean * random_.lognormal(-0.125, 0.5);
  if (const Fault* slow = truth_->acting(FaultKind::SlowStart)) ms *= slow->size;
  return Duration(std::int64_t(ms));
}

// What the provider and the host have room for.
bool VirtualFleet::is_refused(const InstanceSpec& spec) const {
  if (is_lost(spec.region, spec.host)) return true;
  const Fault* quota = truth_->acting(FaultKind::Quota);
  if (quota && running() >= std::int64_t(quota->size)) return true;
  const Fault* addresses = truth_->acting(FaultKind::Addresses);
  if (!addresses) return false;
  const auto taken = std::count_if(instances_.begin(), instances_.end(), [&](const auto& each) {
    return is_running(each.second.seen) && each.second.seen.host == spec.host;
  });
  return taken >= std::int64_t(addresses->size);
}

// What cannot start is there for a moment, and ends with an error of its own.
void VirtualFleet::start(const InstanceSpec& spec, std::uint64_t epoch) {
  const bool refused = is_refused(spec);
  VirtualInstance instance;
  auto& seen = instance.seen;
  seen.id = spec.id;
  seen.fleet = spec.fleet;
  seen.build = spec.build;
  seen.region = spec.region;
  seen.host = spec.host;
  seen.epoch = epoch;
  seen.address = "127.0.0.1";
  if (names_shown_) seen.ports = {7000};  // Else nobody is sent there.
  seen.started_at = engine_now_;
  const std::string build = spec.fleet + "/" + spec.build;
  instance.canary = canaries_.contains(build);
  const auto sessions = sessions_per_instance_.find(build);
  if (sessions != sessions_per_instance_.end()) instance.sessions_max = sessions->second;
  instance.mood = truth_->new_mood();
  instance.ready_at = now_ + start_time(spec);
  if (refused) {
    seen.state = InstanceState::Exited;
    seen.exit = InstanceExit{1, 0, false};
  } else {
    due_.insert({instance.ready_at, spec.id});
  }
  if (const Fault* leak = truth_->acting(FaultKind::Leak); leak && instance.canary && !refused) {
    const double lives_ms = leak->size * 60'000 * random_.lognormal(-0.02, 0.2);
    instance.dies_at = instance.ready_at + Duration(std::int64_t(lives_ms));
    due_.insert({instance.dies_at, spec.id});
  }
  VirtualInstance& started = instances_[spec.id] = std::move(instance);
  by_number_.push_back(&started);
  started.number = std::uint32_t(by_number_.size());
}

void VirtualFleet::allocate(const AllocateInstance& allocation) {
  VirtualInstance* instance = find(allocation.id);
  if (!instance || !takes_sessions(instance->seen) || is_cut_off(instance->seen.region)) return;
  if (const Fault* lies = truth_->acting(FaultKind::Lies); lies && random_.chance(lies->size))
    return;
  const auto session = session_number(allocation.session);
  CHECK(session);  // Nobody else asks for sessions.
  if (!runs(*instance, *session)) {
    if (!instance->has_room()) return;
    instance->sessions.push_back(*session);
    ++instance->running;
  }
  instance->seen.state = InstanceState::Allocated;
  instance->seen.session = allocation.session;
  instance->seen.annotations = allocation.annotations;
}

}  // namespace showcaller::sim

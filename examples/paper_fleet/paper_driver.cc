// SPDX-License-Identifier: Apache-2.0
#include "paper_fleet/paper_driver.h"

#include <chrono>

#include <fmt/format.h>

#include "base/hash.h"

namespace showcaller {
namespace {

constexpr std::int64_t kPlayersMax = 40;
constexpr std::int64_t kChangesEverySeconds = 5;
constexpr unsigned kBusyOf10 = 7;

Instant wall_now() {
  return std::chrono::floor<Duration>(std::chrono::system_clock::now());
}

}  // namespace

Status PaperDriver::lead(std::uint64_t epoch) {
  if (epoch < epoch_) {
    return fail(ErrorCode::Conflict,
                fmt::format("epoch {} is over, {} leads; stop the older server", epoch, epoch_));
  }
  epoch_ = epoch;
  return {};
}

// Who has players changes slowly: one in ten instances at a time.
Result<std::vector<ObservedInstance>> PaperDriver::observe() {
  const auto slice = std::uint64_t(to_ms(wall_now()) / 1000 / kChangesEverySeconds);
  std::lock_guard lock(mutex_);
  std::vector<ObservedInstance> out;
  out.reserve(instances_.size());
  for (auto& [id, instance] : instances_) {
    if (instance.state != InstanceState::Exited) {
      const std::uint64_t own = hash64(id);
      const std::uint64_t dice = hash64(fmt::format("{}/{}", id, (slice + own) / 10));
      const bool busy = dice % 10 < kBusyOf10;
      instance.state = busy ? InstanceState::Allocated : InstanceState::Ready;
      instance.sessions_counted = busy ? 1 : 0;
      instance.players = busy ? 1 + std::int64_t(dice / 16) % kPlayersMax : 0;
    }
    out.push_back(instance);
  }
  return out;
}

std::uint64_t PaperDriver::epoch() const {
  std::lock_guard lock(mutex_);
  return epoch_;
}

Status PaperDriver::apply(std::uint64_t epoch, std::span<const FleetAction> actions) {
  std::lock_guard lock(mutex_);
  TRY(lead(epoch));
  for (const FleetAction& action : actions) {
    if (const auto* start = std::get_if<StartInstance>(&action)) {
      const InstanceSpec& spec = start->spec;
      ObservedInstance made{.id = spec.id,
                            .fleet = spec.fleet,
                            .build = spec.build,
                            .region = spec.region,
                            .host = spec.host,
                            .epoch = epoch,
                            .state = InstanceState::Ready,
                            .was_ready = true};
      made.address = "192.0.2.1";  // Of no machine: RFC 5737.
      made.ports = {7777};
      made.capacity = kPlayersMax;
      made.started_at = wall_now();
      instances_.emplace(spec.id, std::move(made));
    } else if (const auto* stop = std::get_if<StopInstance>(&action)) {
      const auto at = instances_.find(stop->id);
      if (at == instances_.end()) continue;
      at->second.state = InstanceState::Exited;
      at->second.sessions_counted = at->second.players = 0;
      at->second.exit = InstanceExit{.wanted = true};
    } else {
      instances_.erase(std::get<ForgetInstance>(action).id);
    }
  }
  return {};
}

Status PaperDriver::disturb(std::uint64_t epoch, const DisturbInstance&) {
  std::lock_guard lock(mutex_);
  return lead(epoch);
}

}  // namespace showcaller

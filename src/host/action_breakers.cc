// SPDX-License-Identifier: Apache-2.0
#include "host/action_breakers.h"

#include <fmt/format.h>

namespace showcaller {
namespace {

// The Service that the call's path names; null: none.
const ServiceSpec* service_of(const World& world, const std::string& path, std::string* name) {
  if (path.starts_with("http://") || path.starts_with("https://")) return nullptr;
  *name = path.substr(0, path.find('/'));
  return world.service(*name);
}

BreakerLimits limits_of(const BreakerSpec& spec) {
  return {.failure_max_ppm = spec.failure_max_ppm,
          .calls_min = spec.calls_min,
          .window = spec.window,
          .open_for = spec.open_for,
          .trials = spec.trials};
}

std::string why_of(const CircuitBreaker& breaker, const BreakerSpec& spec, Instant now) {
  switch (breaker.state(now)) {
    case BreakerState::Open:
      return fmt::format("no call goes for {}", format_duration(spec.open_for));
    case BreakerState::HalfOpen:
      return fmt::format("{} calls are tried", spec.trials);
    case BreakerState::Closed:
      return "calls go";
  }
  return {};
}

}  // namespace

std::optional<ActionBreakers::Pass> ActionBreakers::admit(const World& world,
                                                          const ActionCall& call, Instant now) {
  Pass pass;
  const ServiceSpec* spec = service_of(world, call.path, &pass.service);
  if (spec == nullptr) return Pass{};
  std::lock_guard lock(mutex_);
  CircuitBreaker& breaker = breakers_[pass.service];
  breaker.set_limits(limits_of(spec->breaker));
  if (const auto period = breaker.admit(now)) {
    pass.period = *period;
    return pass;
  }
  if (call.direction == StepDirection::Undo) return pass;
  return std::nullopt;
}

void ActionBreakers::tell(const Pass& pass, StepOutcome outcome, Instant now) {
  if (pass.service.empty()) return;
  std::lock_guard lock(mutex_);
  CircuitBreaker& breaker = breakers_[pass.service];
  if (outcome == StepOutcome::Unknown)
    breaker.failed(pass.period, now);
  else
    breaker.succeeded(pass.period, now);
}

std::vector<BreakerObserved> ActionBreakers::news(const World& world, Instant now) {
  std::vector<BreakerObserved> out;
  std::lock_guard lock(mutex_);
  for (const auto& [service, breaker] : breakers_) {
    const ServiceState* known = world.services.find(service);
    const BreakerState state = breaker.state(now);
    if ((known ? known->breaker : BreakerState::Closed) == state) continue;
    const ServiceSpec* spec = world.service(service);
    out.push_back({service, state, breaker.calls(now), breaker.failures(now),
                   why_of(breaker, spec ? spec->breaker : BreakerSpec(), now)});
  }
  world.services.each([&](const std::string& service, const ServiceState& known) {
    if (known.breaker != BreakerState::Closed && !breakers_.contains(service))
      out.push_back({service, BreakerState::Closed, 0, 0, "the server was started anew"});
  });
  return out;
}

}  // namespace showcaller

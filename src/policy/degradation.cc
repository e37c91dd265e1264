// SPDX-License-Identifier: Apache-2.0
#include "policy/degradation.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace showcaller {
namespace {

constexpr std::int64_t kDown = 1'000;

// One that is half open is as it was while it is being tried. After its window of that nobody has
// called it, and nothing is known against it.
bool is_down(const World& world, const std::string& service, bool was_down, Instant now) {
  const ServiceState* state = world.services.find(service);
  if (!state || state->breaker == BreakerState::Closed) return false;
  if (state->breaker == BreakerState::Open) return true;
  const ServiceSpec* spec = world.service(service);
  const Duration window = spec ? spec->breaker.window : BreakerSpec().window;
  return was_down && now - state->breaker_since < window;
}

bool is_same(const StressSign& a, const StressSign& b) {
  return a.kind == b.kind && a.subject == b.subject;
}

const StressSign* find_sign(std::span<const StressSign> signs, const StressSign& like) {
  const auto at = std::ranges::find_if(signs, [&](const auto& s) { return is_same(s, like); });
  return at == signs.end() ? nullptr : &*at;
}

// What was measured, and the breakers of what the service needs; of two words on one the worse.
std::vector<StressSign> all_signs(const World& world, const ServiceSpec& spec,
                                  const ServiceState& state, std::span<const StressSign> measured,
                                  Instant now) {
  std::vector<StressSign> out(measured.begin(), measured.end());
  for (const std::string& needed : spec.depends_on) {
    StressSign sign{StressKind::Dependency, needed, kDown, kDown};
    const StressSign* before = find_sign(state.signs, sign);
    const bool was_down = state.stressed && before && before->level >= kDown;
    if (!is_down(world, needed, was_down, now)) sign.level = 0;
    const auto said =
        std::ranges::find_if(out, [&](const StressSign& s) { return is_same(s, sign); });
    if (said == out.end())
      out.push_back(std::move(sign));
    else
      said->level = std::max(said->level, sign.level);
  }
  return out;
}

// Does the manifest still look at such a sign?
bool is_looked_at(const ServiceSpec& spec, const StressSign& sign) {
  switch (sign.kind) {
    case StressKind::Burn:
      return spec.degradation.burn_max > 0 &&
             std::ranges::find(spec.slos, sign.subject, &SloSpec::name) != spec.slos.end();
    case StressKind::Headroom:
      return spec.degradation.headroom_min_ppm > 0 &&
             std::ranges::find(spec.degradation.fleets, sign.subject) !=
                 spec.degradation.fleets.end();
    case StressKind::Dependency:
      return std::ranges::find(spec.depends_on, sign.subject) != spec.depends_on.end();
  }
  return false;
}

// What was over its limit when the stress began and is not shown any more.
std::vector<StressSign> gone_blind(const ServiceSpec& spec, const ServiceState& state,
                                   std::span<const StressSign> signs) {
  std::vector<StressSign> out;
  if (!state.stressed) return out;
  for (const StressSign& before : state.signs) {
    if (is_over_limit(before, true) && is_looked_at(spec, before) && !find_sign(signs, before))
      out.push_back(before);
  }
  return out;
}

std::vector<std::string> over_limit(std::span<const StressSign> signs, bool stressed) {
  std::vector<std::string> out;
  for (const StressSign& sign : signs) {
    if (is_over_limit(sign, stressed)) out.push_back(sign_text(sign));
  }
  return out;
}

const FeatureSpec* next_to_go(const ServiceSpec& spec, const ServiceState& state) {
  for (const FeatureSpec& feature : spec.features) {
    const bool gone = std::ranges::find(state.withdrawn, feature.name,
                                        &WithdrawnFeature::feature) != state.withdrawn.end();
    const bool kept = std::ranges::find(state.kept, feature.name) != state.kept.end();
    if (!gone && !kept && !feature.flag.empty()) return &feature;
  }
  return nullptr;
}

FeatureReturned returned(const std::string& name, const WithdrawnFeature& gone,
                         std::string reason) {
  return {name, gone.feature, gone.flag, std::move(reason)};
}

// What went last by the engine's own doing: what somebody took he gives back.
std::optional<Payload> give_back(const std::string& name, const ServiceState& state,
                                 std::string reason) {
  const auto last = std::find_if(state.withdrawn.rbegin(), state.withdrawn.rend(),
                                 [](const WithdrawnFeature& gone) { return gone.by.empty(); });
  if (last == state.withdrawn.rend()) return std::nullopt;
  return returned(name, *last, std::move(reason));
}

std::optional<Payload> feature_move(const std::string& name, const ServiceSpec& spec,
                                    const ServiceState& state, std::vector<StressSign> signs,
                                    Instant now) {
  const DegradationSpec& how = spec.degradation;
  if (now - state.moved < how.dwell) return std::nullopt;
  const Duration lasted = now - state.stress_since;
  if (!state.stressed) {
    if (lasted < how.calm) return std::nullopt;
    return give_back(name, state, fmt::format("calm for {}", format_duration(how.calm)));
  }
  const std::vector<std::string> over = over_limit(signs, true);
  const FeatureSpec* feature = next_to_go(spec, state);
  if (lasted < how.after || over.empty() || !feature) return std::nullopt;
  return FeatureWithdrawn{name,
                          feature->name,
                          feature->flag,
                          feature->fallback,
                          feature->message,
                          fmt::format("{}", fmt::join(over, "; ")),
                          std::move(signs)};
}

std::string thousandths(std::int64_t value) {
  return fmt::format("{:.1f}", double(value) / 1'000);
}
std::string percent(std::int64_t thousandths) {
  return fmt::format("{:.1f} %", double(thousandths) / 10);
}

}  // namespace

bool may_degrade(const ServiceSpec& spec, const ServiceState* state) {
  if (state && (state->stressed || !state->withdrawn.empty())) return true;
  return std::ranges::any_of(spec.features, [](const FeatureSpec& f) { return !f.flag.empty(); });
}

bool is_over_limit(const StressSign& sign, bool stressed) {
  switch (sign.kind) {
    case StressKind::Burn:
      return stressed ? 2 * sign.level >= sign.limit : sign.level >= sign.limit;
    case StressKind::Headroom:
      return stressed ? 2 * sign.level < 3 * sign.limit : sign.level < sign.limit;
    case StressKind::Dependency:
      return sign.level >= sign.limit;
  }
  return false;
}

std::optional<Payload> degradation_move(const World& world, const std::string& name,
                                        std::span<const StressSign> measured, Instant now) {
  static const ServiceState kCalm;
  const ServiceState* known = world.services.find(name);
  const ServiceState& state = known ? *known : kCalm;
  const ServiceSpec* spec = world.service(name);
  if (!spec && state.withdrawn.empty()) return std::nullopt;
  if (!spec) return returned(name, state.withdrawn.back(), "the service is not there any more");
  if (!may_degrade(*spec, known)) return std::nullopt;
  std::vector<StressSign> signs = all_signs(world, *spec, state, measured, now);
  const std::vector<StressSign> blind = gone_blind(*spec, state, signs);
  const std::vector<std::string> over = over_limit(signs, state.stressed);
  const bool stressed = !over.empty() || !blind.empty();
  if (stressed == state.stressed) return feature_move(name, *spec, state, std::move(signs), now);
  return StressChanged{
      name, stressed, std::move(signs),
      stressed ? fmt::format("{}", fmt::join(over, "; ")) : "every sign is well within its limit"};
}

std::string sign_text(const StressSign& sign) {
  switch (sign.kind) {
    case StressKind::Burn:
      return fmt::format("{} burns its budget {} times as fast as it may (limit {})", sign.subject,
                         thousandths(sign.level), thousandths(sign.limit));
    case StressKind::Headroom:
      return fmt::format("headroom of {} is {} (limit {})", sign.subject, percent(sign.level),
                         percent(sign.limit));
    case StressKind::Dependency:
      return fmt::format("{} {}", sign.subject, sign.level >= sign.limit ? "is down" : "answers");
  }
  return {};
}

}  // namespace showcaller

// SPDX-License-Identifier: Apache-2.0
#include "engine/service_view.h"

#include <set>

#include <fmt/format.h>

#include "policy/degradation.h"

namespace showcaller {
namespace {

json::array signs_view(const ServiceState& state) {
  json::array out;
  for (const StressSign& sign : state.signs) {
    out.push_back(json::object{{"kind", enum_name(sign.kind)},
                               {"subject", sign.subject},
                               {"level", double(sign.level) / 1'000},
                               {"limit", double(sign.limit) / 1'000},
                               {"over", is_over_limit(sign, state.stressed)},
                               {"says", sign_text(sign)}});
  }
  return out;
}

json::array withdrawn_view(const ServiceState& state) {
  json::array out;
  for (const WithdrawnFeature& gone : state.withdrawn) {
    json::object line{{"feature", gone.feature},
                      {"flag", gone.flag},
                      {"variant", gone.variant},
                      {"message", gone.message},
                      {"since", format_instant(gone.since)},
                      {"reason", gone.reason}};
    if (!gone.by.empty()) line["by"] = gone.by;
    out.push_back(std::move(line));
  }
  return out;
}

}  // namespace

json::object service_view(const World& world, const std::string& name) {
  static const ServiceState kCalm;
  const ServiceState* known = world.services.find(name);
  const ServiceState& state = known ? *known : kCalm;
  json::object out{{"service", name}, {"breaker", enum_name(state.breaker)}};
  if (const auto manifest = world.manifest(Kind::Service, name)) {
    out["owner"] = manifest->owner;
    json::array order, features;
    for (const FeatureSpec& feature : manifest->as<ServiceSpec>().features) {
      order.emplace_back(feature.name);
      if (!feature.flag.empty())
        features.push_back(json::object{
            {"feature", feature.name}, {"flag", feature.flag}, {"fallback", feature.fallback}});
    }
    out["degradation_order"] = std::move(order);
    out["features"] = std::move(features);
  }
  if (!state.breaker_reason.empty()) {
    out["breaker_since"] = format_instant(state.breaker_since);
    out["breaker_reason"] = state.breaker_reason;
  }
  out["stressed"] = state.stressed;
  if (state.stress_since != Instant{}) {
    out["stress_since"] = format_instant(state.stress_since);
    out["stress_reason"] = state.stress_reason;
  }
  out["signs"] = signs_view(state);
  out["withdrawn"] = withdrawn_view(state);
  json::array kept;
  for (const std::string& feature : state.kept) kept.emplace_back(feature);
  if (!kept.empty()) out["kept"] = std::move(kept);
  return out;
}

json::array services_view(const World& world) {
  constexpr std::string_view kPrefix = "Service/";
  std::set<std::string> names;
  world.manifests.each_from(kPrefix, [&](const std::string& key, const StoredManifest&) {
    if (!key.starts_with(kPrefix)) return false;
    names.insert(key.substr(kPrefix.size()));
    return true;
  });
  world.services.each([&](const std::string& name, const ServiceState&) { names.insert(name); });
  json::array out;
  for (const std::string& name : names) out.push_back(service_view(world, name));
  return out;
}

std::vector<std::string> degradation_notes(const World& world) {
  std::vector<std::string> out;
  world.services.each([&](const std::string& name, const ServiceState& state) {
    if (state.breaker == BreakerState::Open) {
      out.push_back(fmt::format("no action calls {} since {}: {}", name,
                                format_instant(state.breaker_since), state.breaker_reason));
    }
    for (const WithdrawnFeature& gone : state.withdrawn) {
      out.push_back(fmt::format("{} does without {} since {}{}: {}", name, gone.feature,
                                format_instant(gone.since),
                                gone.by.empty() ? "" : " by the hand of " + gone.by, gone.reason));
    }
  });
  return out;
}

}  // namespace showcaller

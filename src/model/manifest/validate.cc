// SPDX-License-Identifier: Apache-2.0
#include "model/manifest/validate.h"

#include <set>

#include <fmt/format.h>

#include "model/manifest/layers.h"
#include "model/prerequisites.h"

namespace showcaller::manifest {
namespace {

// Owners and teams are checked as soon as anybody has written down a Team.
void check_team(Reader& reader, const Draft& draft, const References& references,
                std::string_view path, const std::string& name) {
  const auto teams = references.names(Kind::Team);
  if (teams.empty() || name.empty() || std::ranges::find(teams, name) != teams.end()) return;
  references.report_missing(reader, draft.root, path, fmt::format("there is no Team '{}'", name),
                            suggestion(name, teams));
}

// What is counted has to tell good from bad.
void check_slo_metric(Reader& reader, const Draft& draft, const References& references,
                      std::size_t i) {
  const SloSpec& slo = draft.manifest.as<ServiceSpec>().slos[i];
  const MetricSpec* metric = built_in_metric(slo.metric);
  if (metric == nullptr) {
    const Manifest* found = references.find(Kind::Metric, slo.metric);
    if (found == nullptr || !references.is_sound(Kind::Metric, slo.metric)) return;
    metric = &found->as<MetricSpec>();
  }
  const bool is_quantile = metric->type == MetricType::Quantile;
  if (is_quantile == slo.at_most.has_value()) return;
  reader.error_at(
      draft.root, fmt::format("spec.slos[{}]", i),
      is_quantile ? fmt::format("'{}' is a distribution, and nothing says what is bad", slo.metric)
                  : fmt::format("'{}' counts what is bad itself", slo.metric),
      is_quantile ? "add `at_most:` in the metric's unit" : "take `at_most` out");
}

// The flag is there and has the variant.
void require_variant(Reader& reader, const Draft& draft, const References& references,
                     const std::string& flag_path, const std::string& variant_path,
                     const std::string& flag, const std::string& variant) {
  if (!references.require(reader, draft.root, flag_path, Kind::Flag, flag)) return;
  const Manifest* other = references.find(Kind::Flag, flag);
  if (other == nullptr || !references.is_sound(Kind::Flag, flag)) return;
  std::vector<std::string> variants;
  const json::value* known = other->as<FlagSpec>().definition.if_contains("variants");
  if (known == nullptr || !known->is_object()) return;
  for (const auto& each : known->get_object()) variants.emplace_back(each.key());
  if (std::ranges::find(variants, variant) != variants.end()) return;
  reader.error_at(draft.root, variant_path,
                  fmt::format("'{}' is no variant of Flag '{}'", variant, flag),
                  suggestion(variant, variants));
}

void validate_degradation(Reader& reader, const Draft& draft, const References& references) {
  const auto& service = draft.manifest.as<ServiceSpec>();
  for (std::size_t i = 0; i < service.features.size(); ++i) {
    const FeatureSpec& feature = service.features[i];
    if (feature.flag.empty() || feature.fallback.empty()) continue;
    const std::string at = fmt::format("spec.degradation_order[{}]", i);
    require_variant(reader, draft, references, at + ".flag", at + ".fallback", feature.flag,
                    feature.fallback);
  }
  for (std::size_t i = 0; i < service.degradation.fleets.size(); ++i) {
    references.require(reader, draft.root, fmt::format("spec.degradation.fleets[{}]", i),
                       Kind::Fleet, service.degradation.fleets[i]);
  }
}

void validate_service(Reader& reader, const Draft& draft, const References& references) {
  const auto& service = draft.manifest.as<ServiceSpec>();
  check_team(reader, draft, references, "spec.team", service.team);
  validate_degradation(reader, draft, references);
  for (std::size_t i = 0; i < service.depends_on.size(); ++i) {
    const std::string path = fmt::format("spec.depends_on[{}]", i);
    if (service.depends_on[i] == draft.manifest.name) {
      reader.error_at(draft.root, path, "the service depends on itself", "take it out");
    } else {
      references.require(reader, draft.root, path, Kind::Service, service.depends_on[i]);
    }
  }
  for (std::size_t i = 0; i < service.fleets.size(); ++i)
    references.require(reader, draft.root, fmt::format("spec.fleets[{}]", i), Kind::Fleet,
                       service.fleets[i]);
  std::set<std::string> names;
  for (std::size_t i = 0; i < service.slos.size(); ++i) {
    const SloSpec& slo = service.slos[i];
    if (!names.insert(slo.name).second) {
      reader.error_at(draft.root, fmt::format("spec.slos[{}].name", i),
                      fmt::format("the SLO name '{}' is used twice", slo.name));
    }
    check_slo_metric(reader, draft, references, i);
    if (built_in_metric(slo.metric) == nullptr) {
      references.require(reader, draft.root, fmt::format("spec.slos[{}].metric", i), Kind::Metric,
                         slo.metric);
    }
    check_probe_of_metric(reader, references, draft.root, fmt::format("spec.slos[{}].metric", i),
                          slo.metric);
  }
}

void validate_policy(Reader& reader, const Draft& draft, const References& references) {
  const auto& policy = draft.manifest.as<PolicySpec>();
  for (std::size_t i = 0; i < policy.exceptions.size(); ++i) {
    references.require(reader, draft.root, fmt::format("spec.exceptions[{}].event", i),
                       Kind::LiveEvent, policy.exceptions[i].event);
  }
  for (std::size_t i = 0; i < policy.roles.size(); ++i) {
    for (std::size_t k = 0; k < policy.roles[i].owners.size(); ++k) {
      check_team(reader, draft, references, fmt::format("spec.roles[{}].owners[{}]", i, k),
                 policy.roles[i].owners[k]);
    }
  }
}

void validate_flag(Reader& reader, const Draft& draft, const References& references) {
  const auto& flag = draft.manifest.as<FlagSpec>();
  for (std::size_t i = 0; i < flag.prerequisites.size(); ++i) {
    const FlagPrerequisite& needed = flag.prerequisites[i];
    const std::string path = fmt::format("spec.prerequisites[{}]", i);
    require_variant(reader, draft, references, path + ".flag", path + ".variant", needed.flag,
                    needed.variant);
  }
  const std::string circle =
      prerequisite_circle(draft.manifest.name, [&](std::string_view name) -> const FlagSpec* {
        const Manifest* other = references.find(Kind::Flag, name);
        return other ? &other->as<FlagSpec>() : nullptr;
      });
  if (!circle.empty()) {
    reader.error_at(draft.root, "spec.prerequisites",
                    fmt::format("flags need one another: {}", circle),
                    "take one of the prerequisites out");
  }
}

void validate_fleet(Reader& reader, const Draft& draft) {
  if (draft.manifest.as<FleetSpec>().driver == "process") return;
  reader.error_at(draft.root, "spec.driver", "this version has no driver for Agones",
                  "say `driver: process`; game servers speak the Agones SDK there too");
}

}  // namespace

void validate_manifest(Reader& reader, const Draft& draft, const References& references) {
  check_team(reader, draft, references, "metadata.owner", draft.manifest.owner);
  say_unserved(reader, draft);
  switch (draft.kind) {
    case Kind::Service:
      validate_service(reader, draft, references);
      break;
    case Kind::Policy:
      validate_policy(reader, draft, references);
      break;
    case Kind::Fleet:
      validate_fleet(reader, draft);
      break;
    case Kind::Flag:
      validate_flag(reader, draft, references);
      break;
    case Kind::LiveEvent:
      validate_live_event(reader, draft, references);
      break;
    case Kind::Drill:
      validate_drill(reader, draft, references);
      break;
    case Kind::Probe:
      validate_probe(reader, draft, references);
      break;
    default:
      break;
  }
}

void validate_layers(Reader& reader, const std::vector<const Draft*>& drafts,
                     const References& references) {
  std::vector<const Manifest*> events;
  std::set<std::string> own;
  for (const Draft* draft : drafts) own.insert(draft->manifest.name);
  if (references.known().active_events) {
    for (const Manifest* active : references.known().active_events()) {
      if (!own.contains(active->name))
        events.push_back(active);  // Else it is about to be replaced.
    }
  }
  for (const Draft* draft : drafts) events.push_back(&draft->manifest);
  const auto draft_of = [&](std::string_view name) -> const Draft* {
    const auto found = std::ranges::find(
        drafts, name, [](const Draft* d) -> std::string_view { return d->manifest.name; });
    return found == drafts.end() ? nullptr : *found;
  };
  for (const std::string& name : find_after_cycles(events)) {
    const Draft* draft = draft_of(name);
    const bool itself =
        draft != nullptr && std::ranges::count(draft->manifest.as<LiveEventSpec>().after, name) > 0;
    if (draft == nullptr || itself)
      continue;  // An event after itself is reported where it says so.
    reader.error_at(draft->root, "spec.after",
                    fmt::format("the order of events is a circle through '{}'", name),
                    "take one `after` out");
  }
  for (const OrderContradiction& c : find_order_contradictions(events)) {
    const Draft* upper = draft_of(c.upper->name);
    const Draft* lower = draft_of(c.lower->name);
    if (upper == nullptr && lower == nullptr) continue;
    reader.error_at(
        upper ? upper->root : lower->root, upper ? "spec.after" : "spec.priority",
        fmt::format("'{}' is after '{}', whose priority {} is above its own {}: the higher one "
                    "lies on top whatever `after` says",
                    c.upper->name, c.lower->name, c.lower->as<LiveEventSpec>().priority,
                    c.upper->as<LiveEventSpec>().priority),
        fmt::format("give '{}' at least the priority {}, or take its `after` out", c.upper->name,
                    c.lower->as<LiveEventSpec>().priority));
  }
  for (const LayerConflict& conflict : find_layer_conflicts(events)) {
    const Draft* draft = draft_of(conflict.event->name);
    if (draft == nullptr) continue;  // Both are in force already.
    reader.error_at(
        draft->root, fmt::format("spec.changes[{}]", conflict.change),
        fmt::format("the LiveEvent '{}' changes {} too, and nothing says which layer lies on top",
                    conflict.other->name, conflict.path),
        fmt::format("add `after: [{}]` or a different `priority:`", conflict.other->name));
  }
}

}  // namespace showcaller::manifest

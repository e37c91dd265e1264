// SPDX-License-Identifier: Apache-2.0
#include "flow/flag_layers.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "flag/feature_withdrawal.h"
#include "flag/prerequisite_rule.h"
#include "flag/references.h"
#include "model/exposure.h"
#include "model/flag_schedule.h"
#include "model/prerequisites.h"

namespace showcaller {
namespace {

constexpr std::string_view kFlagPrefix = "Flag/";

// A document has one list of evaluators for all its flags, and a Flag its own: they get its name.
json::object take_evaluators(const std::string& flag, json::object* definition) {
  json::object out;
  json::value* own = definition->if_contains("$evaluators");
  if (!own) return out;
  if (own->is_object()) {
    for (auto& [name, rule] : own->get_object()) {
      qualify_references(flag, &rule);
      out[fmt::format("{}/{}", flag, std::string_view(name))] = std::move(rule);
    }
  }
  definition->erase("$evaluators");
  if (json::value* targeting = definition->if_contains("targeting"))
    qualify_references(flag, targeting);
  return out;
}

// A value that is no object is given as {"value": …}, for a document is an object flag.
json::value served_content(const json::value& content) {
  return content.is_object() ? content : json::value(json::object{{"value", content}});
}

void add_configs(const World& world, FlagDefinitions* flags) {
  constexpr std::string_view kPrefix = "Config/";
  world.manifests.each_from(kPrefix, [&](const std::string& key, const StoredManifest& stored) {
    if (!key.starts_with(kPrefix)) return false;
    const auto& spec = stored.manifest->as<ConfigSpec>();
    const std::string variant = fmt::format("v{}", spec.version);
    json::object variants;
    variants[variant] = served_content(spec.value);
    flags->flags[fmt::format("{}{}", kConfigPrefix, stored.manifest->name)] = {
        {"state", "ENABLED"}, {"variants", std::move(variants)}, {"defaultVariant", variant}};
    return true;
  });
}

// Without buckets of its own nobody is within.
void bound_to_group(const World& world, const std::string& flag, const FlagSpec& spec,
                    json::object* definition) {
  const FlagState* state = world.flags.find(flag);
  ExposureBounds bounds{.group = spec.exclusion->group};
  if (state && state->bounds) bounds = *state->bounds;
  const auto group = world.manifest(Kind::ExclusionGroup, spec.exclusion->group);
  const Unit unit = group ? group->as<ExclusionGroupSpec>().unit : Unit::Player;
  bound_flag(bounds, unit_attribute(unit), spec.variant_when_off(), definition);
}

// Only players of the regions whose wave has come.
void keep_open_regions(const EventState& event, ExposureRule* rule) {
  if (event.open_regions.empty()) return;
  json::array regions;
  for (const std::string& region : event.open_regions) regions.emplace_back(region);
  const json::value region = json::object{{"var", "region"}};
  const json::value here = json::object{{"in", json::array{region, std::move(regions)}}};
  for (ExposureStage& stage : rule->stages) {
    stage.audience = stage.audience.is_null()
                         ? here
                         : json::value(json::object{{"and", json::array{stage.audience, here}}});
  }
}

// Lays one event's changes over the flags.
class Layer {
 public:
  Layer(const World& world, const EventState& event, std::string salt, FlagDefinitions* flags,
        std::vector<std::string>* problems)
      : world_(world),
        event_(event),
        salt_(std::move(salt)),
        flags_(flags->flags),
        problems_(*problems) {}

  void lay() {
    for (const Change& change : event_.spec().changes) {
      const auto target = flag_target(change);
      if (!target) continue;
      const ExposureRule rule = layer_rule(event_, change, salt_);
      if (!rule.stages.empty()) lay(change, *target, rule);
    }
  }

 private:
  void lay(const Change& change, const FlagTarget& target, const ExposureRule& rule) {
    const auto at = flags_.find(target.flag);
    if (const auto* config = std::get_if<ConfigChange>(&change.what)) {
      json::object below = at != flags_.end() ? at->second : unset_config();
      if (add_version(*config, target, &below)) put(target, below, rule);
    } else if (at == flags_.end()) {
      problem(target.flag, "there is no such Flag; apply one");
    } else {
      put(target, at->second, rule);
    }
  }

  bool add_version(const ConfigChange& change, const FlagTarget& target, json::object* below) {
    if (!(*below)["variants"].is_object()) (*below)["variants"].emplace_object();
    json::object& variants = (*below)["variants"].get_object();
    if (variants.contains(target.variant)) return true;
    const json::value* content =
        change.value ? &*change.value : find_config(world_, change.document, change.version);
    if (!content) {
      problem(target.flag, fmt::format("nobody has written version {}", change.version));
      return false;
    }
    variants.emplace(target.variant, served_content(*content));
    return true;
  }

  static json::object unset_config() {
    return {{"state", "ENABLED"}, {"variants", json::object()}, {"defaultVariant", nullptr}};
  }

  void put(const FlagTarget& target, const json::object& below, const ExposureRule& rule) {
    auto layered = layered_flag(below, rule, target.variant);
    if (!layered) return problem(target.flag, layered.error().message);
    flags_.insert_or_assign(target.flag, *std::move(layered));
  }

  void problem(const std::string& key, std::string_view why) {
    problems_.push_back(fmt::format("the layer of {} on flag '{}' is left out: {}",
                                    event_.manifest->name, key, why));
  }

  const World& world_;
  const EventState& event_;
  std::string salt_;
  std::map<std::string, json::object>& flags_;
  std::vector<std::string>& problems_;
};

using EventsByName = std::map<std::string, const EventState*>;

// All that lies below an event by `after`, through other events too.
void collect_below(const EventsByName& events, const EventState& event,
                   std::set<std::string>* below) {
  for (const std::string& lower : event.spec().after) {
    const auto found = events.find(lower);
    if (found != events.end() && below->insert(lower).second)
      collect_below(events, *found->second, below);
  }
}

// Puts a group of equal priority into its order. A circle of `after` is broken by name.
void order_group(const EventsByName& events, EventsByName group,
                 std::vector<const EventState*>* ordered) {
  std::map<std::string, std::set<std::string>> below;
  for (const auto& [name, event] : group) collect_below(events, *event, &below[name]);
  while (!group.empty()) {
    auto next = std::find_if(group.begin(), group.end(), [&](const auto& entry) {
      const auto& lower = below[entry.first];
      return std::none_of(lower.begin(), lower.end(), [&](const std::string& name) {
        return name != entry.first && group.contains(name);
      });
    });
    if (next == group.end()) next = group.begin();
    ordered->push_back(next->second);
    group.erase(next);
  }
}

// Puts the prerequisites of each flag before what it says, those of what it needs first.
class Prerequisites {
 public:
  Prerequisites(const World& world, FlagDefinitions* flags, std::vector<std::string>* problems)
      : world_(world), flags_(*flags), problems_(*problems) {}

  void require_all() {
    each_flag(world_, [&](const std::string& flag, const FlagSpec&) { require(flag); });
  }

 private:
  void require(const std::string& flag) {
    if (!begun_.insert(flag).second) return;
    const FlagSpec* spec = flag_spec(world_, flag);
    if (!spec || spec->prerequisites.empty() || world_.killed(flag)) return;
    if (withdrawal_of(world_, flag).feature) return;
    json::array conditions;
    for (const FlagPrerequisite& needed : spec->prerequisites)
      conditions.push_back(condition(flag, needed));
    json::object& definition = flags_.flags.at(flag);
    const json::value* targeting = definition.if_contains("targeting");
    const json::value as_written = targeting ? *targeting : json::value(nullptr);
    const bool has_rule = as_written.is_object() && !as_written.get_object().empty();
    const std::string off = spec->variant_when_off();
    definition["targeting"] = json::object{
        {"if", json::array{conditions.size() == 1
                               ? conditions[0]
                               : json::value(json::object{{"and", std::move(conditions)}}),
                           has_rule ? as_written : json::value(nullptr),
                           off.empty() ? json::value(nullptr) : json::value(off)}}};
  }

  json::value condition(const std::string& flag, const FlagPrerequisite& needed) {
    require(needed.flag);
    const auto at = flags_.flags.find(needed.flag);
    if (at != flags_.flags.end() && !is_under_way(needed.flag, flag))
      return gives_variant(at->second, needed.flag, needed.variant, flags_.evaluators);
    problems_.push_back(fmt::format("flag '{}' is off: it needs '{}', which {}", flag, needed.flag,
                                    at == flags_.flags.end() ? "is not there" : "needs it too"));
    return false;
  }

  // Manifests that need one another are refused; a journal may have had them all the same.
  bool is_under_way(const std::string& needed, const std::string& flag) const {
    const auto spec_of = [&](std::string_view name) { return flag_spec(world_, name); };
    return needed == flag || !prerequisite_circle(flag, spec_of).empty();
  }

  const World& world_;
  FlagDefinitions& flags_;
  std::vector<std::string>& problems_;
  std::set<std::string> begun_;
};

}  // namespace

void each_flag(const World& world, const FlagVisitor& visit) {
  world.manifests.each_from(kFlagPrefix, [&](const std::string& key, const StoredManifest& stored) {
    if (!key.starts_with(kFlagPrefix)) return false;
    visit(key.substr(kFlagPrefix.size()), stored.manifest->as<FlagSpec>());
    return true;
  });
}

const FlagSpec* flag_spec(const World& world, std::string_view flag) {
  const StoredManifest* stored = world.manifests.find(fmt::format("{}{}", kFlagPrefix, flag));
  return stored ? &stored->manifest->as<FlagSpec>() : nullptr;
}

FlagDefinitions base_flags(const World& world) {
  FlagDefinitions out;
  each_flag(world, [&](const std::string& flag, const FlagSpec& spec) {
    const FlagState* state = world.flags.find(flag);
    const Instant reached = state ? state->schedule_reached : Instant{};
    json::object& definition = out.flags.emplace(flag, definition_at(spec, reached)).first->second;
    if (spec.exclusion) bound_to_group(world, flag, spec, &definition);
    for (auto& [name, rule] : take_evaluators(flag, &definition))
      out.evaluators.emplace(name, rule);
  });
  add_configs(world, &out);
  return out;
}

std::vector<const EventState*> layers_in_order(const World& world) {
  EventsByName events;
  std::map<int, EventsByName> by_priority;
  world.events.each([&](const std::string& name, const EventState& event) {
    if (!event.manifest || !layer_is_active(event.phase)) return;
    events[name] = &event;
    by_priority[event.spec().priority][name] = &event;
  });
  std::vector<const EventState*> ordered;
  for (auto& [priority, group] : by_priority) order_group(events, std::move(group), &ordered);
  return ordered;
}

std::optional<FlagTarget> flag_target(const Change& change) {
  if (const auto* flag = std::get_if<FlagChange>(&change.what)) return {{flag->key, flag->to}};
  if (const auto* config = std::get_if<ConfigChange>(&change.what)) {
    return {{fmt::format("{}{}", kConfigPrefix, config->document),
             fmt::format("v{}", config->version)}};
  }
  return std::nullopt;
}

ExposureRule layer_rule(const EventState& event, const Change& change, std::string salt) {
  ExposureRule rule = exposure_rule(event, std::move(salt));
  if (!std::holds_alternative<FlagChange>(change.what)) return rule;
  if (event.intake != IntakeState::Open) rule.stages.clear();
  keep_open_regions(event, &rule);
  return rule;
}

void lay_layers(const World& world, const FlagSaltOf& salt_of, FlagDefinitions* flags,
                std::vector<std::string>* problems) {
  for (const EventState* event : layers_in_order(world)) {
    if (may_admit(event->phase))
      Layer(world, *event, salt_of(event->manifest->name), flags, problems).lay();
  }
}

const json::value* find_config(const World& world, std::string_view document,
                               std::int64_t version) {
  if (const ConfigSpec* config = config_version(world, document, version)) return &config->value;
  const json::value* found = nullptr;
  world.events.each([&](const std::string&, const EventState& event) {
    if (!event.manifest) return true;
    for (const Change& change : event.spec().changes) {
      const auto* config = std::get_if<ConfigChange>(&change.what);
      if (config && config->document == document && config->version == version && config->value) {
        found = &*config->value;
      }
    }
    return found == nullptr;
  });
  return found;
}

FeatureWithdrawal withdrawal_of(const World& world, std::string_view flag) {
  FeatureWithdrawal out;
  world.services.each([&](const std::string& service, const ServiceState& state) {
    for (const WithdrawnFeature& feature : state.withdrawn) {
      if (feature.flag != flag) continue;
      if (!out.feature || feature.since < out.feature->since) out = {service, &feature};
    }
  });
  return out;
}

void withdraw_features(const World& world, FlagDefinitions* flags,
                       std::vector<std::string>* problems) {
  world.services.each([&](const std::string& service, const ServiceState& state) {
    for (const WithdrawnFeature& feature : state.withdrawn) {
      if (withdrawal_of(world, feature.flag).feature != &feature) continue;
      const auto at = flags->flags.find(feature.flag);
      const json::value* variants =
          at == flags->flags.end() ? nullptr : at->second.if_contains("variants");
      const bool has_variant =
          variants && variants->is_object() && variants->get_object().contains(feature.variant);
      if (has_variant) {
        at->second = withdrawn_flag(std::move(at->second), feature.variant,
                                    {service, feature.feature, feature.message, feature.since});
        continue;
      }
      problems->push_back(fmt::format("feature '{}' of {} is not withdrawn: flag '{}' {}",
                                      feature.feature, service, feature.flag,
                                      at == flags->flags.end()
                                          ? std::string("is not there")
                                          : fmt::format("has no variant '{}'", feature.variant)));
    }
  });
}

// A configuration document has no off variant: its readers fall back on what they were built with.
void kill_flags(const World& world, FlagDefinitions* flags) {
  for (auto& [flag, definition] : flags->flags) {
    const FlagSwitch* by = world.killed(flag);
    if (!by) continue;
    const FlagSpec* spec = flag_spec(world, flag);
    definition =
        killed_flag(std::move(definition), spec ? spec->variant_when_off() : std::string(), *by);
  }
}

void require_prerequisites(const World& world, FlagDefinitions* flags,
                           std::vector<std::string>* problems) {
  Prerequisites(world, flags, problems).require_all();
}

}  // namespace showcaller

// SPDX-License-Identifier: Apache-2.0
#include "flow/flag_snapshot.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "flag/exposure.h"
#include "flag/references.h"
#include "model/exposure.h"

namespace showcaller {
namespace {

using Definitions = std::map<std::string, json::object>;

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

using FlagVisitor = std::function<void(const std::string& flag, const FlagSpec& spec)>;

void each_flag(const World& world, const FlagVisitor& visit) {
  world.manifests.each_from(kFlagPrefix, [&](const std::string& key, const StoredManifest& stored) {
    if (!key.starts_with(kFlagPrefix)) return false;
    visit(key.substr(kFlagPrefix.size()), stored.manifest->as<FlagSpec>());
    return true;
  });
}

Definitions base_flags(const World& world, json::object* evaluators) {
  Definitions flags;
  each_flag(world, [&](const std::string& flag, const FlagSpec& spec) {
    json::object& definition = flags.emplace(flag, spec.definition).first->second;
    for (auto& [name, rule] : take_evaluators(flag, &definition)) evaluators->emplace(name, rule);
  });
  return flags;
}

// A configuration document has no off variant: its readers fall back on what they were built with.
void kill_flags(const World& world, Definitions* flags) {
  for (auto& [flag, definition] : *flags) {
    const FlagSwitch* by = world.killed(flag);
    if (!by) continue;
    const auto manifest = world.manifest(Kind::Flag, flag);
    const std::string off = manifest ? manifest->as<FlagSpec>().variant_when_off() : "";
    definition = killed_flag(std::move(definition), off, *by);
  }
}

// Flags that clients may see, with their own evaluators.
void keep_visible(const World& world, Definitions* flags, json::object* evaluators) {
  std::set<std::string, std::less<>> visible;
  each_flag(world, [&](const std::string& flag, const FlagSpec& spec) {
    if (spec.client_visible) visible.insert(flag);
  });
  std::erase_if(*flags, [&](const auto& flag) { return !visible.contains(flag.first); });
  json::object kept;
  for (const auto& [name, rule] : *evaluators) {
    const std::string_view flag = name;
    if (visible.contains(flag.substr(0, flag.rfind('/')))) kept.emplace(name, rule);
  }
  *evaluators = std::move(kept);
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
  Layer(const World& world, const EventState& event, std::string salt, Definitions* flags,
        std::vector<std::string>* problems)
      : world_(world),
        event_(event),
        proving_(exposure_rule(event, std::move(salt))),
        flags_(*flags),
        problems_(*problems) {}

  void lay() {
    if (proving_.stages.empty()) return;
    for (const Change& change : event_.spec().changes) {
      if (const auto* flag = std::get_if<FlagChange>(&change.what)) lay(*flag);
      if (const auto* config = std::get_if<ConfigChange>(&change.what)) lay(*config);
    }
  }

 private:
  void lay(const FlagChange& change) {
    if (event_.intake != IntakeState::Open) return;
    const auto at = flags_.find(change.key);
    if (at == flags_.end()) return problem(change.key, "there is no such Flag; apply one");
    ExposureRule open = proving_;
    keep_open_regions(event_, &open);
    put(change.key, at->second, open, change.to);
  }

  void lay(const ConfigChange& change) {
    const std::string key = fmt::format("{}{}", kConfigPrefix, change.document);
    const std::string variant = fmt::format("v{}", change.version);
    const auto at = flags_.find(key);
    json::object below = at != flags_.end() ? at->second : unset_config();
    if (!below["variants"].is_object()) below["variants"].emplace_object();
    json::object& variants = below["variants"].get_object();
    if (!variants.contains(variant)) {
      const json::value* content =
          change.value ? &*change.value : find_config(world_, change.document, change.version);
      if (!content)
        return problem(key, fmt::format("nobody has written version {}", change.version));
      variants.emplace(variant,
                       content->is_object() ? *content : json::object{{"value", *content}});
    }
    put(key, below, proving_, variant);
  }

  static json::object unset_config() {
    return {{"state", "ENABLED"}, {"variants", json::object()}, {"defaultVariant", nullptr}};
  }

  void put(const std::string& key, const json::object& below, const ExposureRule& rule,
           std::string_view variant) {
    auto layered = layered_flag(below, rule, variant);
    if (!layered) return problem(key, layered.error().message);
    flags_.insert_or_assign(key, *std::move(layered));
  }

  void problem(const std::string& key, std::string_view why) {
    problems_.push_back(fmt::format("the layer of {} on flag '{}' is left out: {}",
                                    event_.manifest->name, key, why));
  }

  const World& world_;
  const EventState& event_;
  ExposureRule proving_;
  Definitions& flags_;
  std::vector<std::string>& problems_;
};

std::string etag_of(const json::object& document) {
  return fmt::format("\"{}\"", to_hex(sha256(to_canonical_json_text(document))).substr(0, 32));
}

}  // namespace

namespace {

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

}  // namespace

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

const json::value* find_config(const World& world, std::string_view document,
                               std::int64_t version) {
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

FlagSnapshot flag_snapshot(const World& world, const FlagSaltOf& salt_of,
                           FlagVisibility visibility) {
  FlagSnapshot snapshot;
  json::object evaluators;
  Definitions flags = base_flags(world, &evaluators);
  for (const EventState* event : layers_in_order(world)) {
    if (!may_admit(event->phase)) continue;
    Layer(world, *event, salt_of(event->manifest->name), &flags, &snapshot.problems).lay();
  }
  kill_flags(world, &flags);
  if (visibility == FlagVisibility::Client) keep_visible(world, &flags, &evaluators);
  if (!evaluators.empty()) snapshot.document["$evaluators"] = std::move(evaluators);
  json::object& out = snapshot.document["flags"].emplace_object();
  for (auto& [key, definition] : flags) out.emplace(key, std::move(definition));
  snapshot.etag = etag_of(snapshot.document);
  return snapshot;
}

Result<json::object> effective_flags(const World& world, const FlagSaltOf& salt_of) {
  FlagSnapshot snapshot = flag_snapshot(world, salt_of);
  if (!snapshot.problems.empty()) {
    return fail(ErrorCode::Invalid, fmt::format("{}", fmt::join(snapshot.problems, "; ")));
  }
  return std::move(snapshot.document);
}

namespace {

struct ConcernsFlags {
  bool operator()(const ManifestApplied& p) const { return p.kind == "Flag"; }
  bool operator()(const ManifestRemoved& p) const { return p.kind == "Flag"; }
  bool operator()(const EventRevised&) const { return true; }
  bool operator()(const RevisionAdopted&) const { return true; }
  bool operator()(const PhaseChanged&) const { return true; }
  bool operator()(const StageEntered&) const { return true; }
  bool operator()(const ExposureWidened&) const { return true; }
  bool operator()(const IntakeChanged&) const { return true; }
  bool operator()(const DivertSet&) const { return true; }
  bool operator()(const FlagKilled&) const { return true; }
  bool operator()(const FlagReopened&) const { return true; }
  bool operator()(const FlagScheduleReached&) const { return true; }
  bool operator()(const auto&) const { return false; }
};

std::string differences(const json::object& wanted, const json::object& seen) {
  std::vector<std::string> names;
  for (const auto& member : wanted) {
    const json::value* other = seen.if_contains(member.key());
    if (!other || to_canonical_json_text(*other) != to_canonical_json_text(member.value())) {
      names.emplace_back(member.key());
    }
  }
  for (const auto& member : seen) {
    if (!wanted.contains(member.key())) names.emplace_back(member.key());
  }
  std::sort(names.begin(), names.end());
  return fmt::format("{}", fmt::join(names, ", "));
}

std::map<std::string, json::object> flags_of(const json::object& document) {
  std::map<std::string, json::object> flags;
  const auto take = [&](std::string_view list, std::string_view prefix) {
    const json::value* found = document.if_contains(list);
    if (!found || !found->is_object()) return;
    for (const auto& [key, value] : found->get_object()) {
      if (value.is_object())
        flags.emplace(fmt::format("{}{}", prefix, std::string_view(key)), value.get_object());
    }
  };
  take("flags", "");
  take("$evaluators", "$evaluators/");
  return flags;
}

}  // namespace

bool concerns_flags(const Payload& payload) {
  return std::visit(ConcernsFlags{}, payload);
}

std::vector<FlagDrift> compare_flags(const json::object& wanted, const json::object& seen) {
  std::vector<FlagDrift> drift;
  const auto ours = flags_of(wanted);
  const auto theirs = flags_of(seen);
  for (const auto& [key, definition] : ours) {
    const auto other = theirs.find(key);
    if (other == theirs.end()) {
      drift.push_back({key, "is missing"});
    } else if (const std::string names = differences(definition, other->second); !names.empty()) {
      drift.push_back({key, "differs in " + names});
    }
  }
  for (const auto& [key, definition] : theirs) {
    if (!ours.contains(key)) drift.push_back({key, "is not wanted"});
  }
  std::sort(drift.begin(), drift.end(),
            [](const auto& a, const auto& b) { return a.flag < b.flag; });
  return drift;
}

}  // namespace showcaller

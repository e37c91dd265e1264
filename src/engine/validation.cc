// SPDX-License-Identifier: Apache-2.0
// A LiveEvent's manifest held against the world: does all that it speaks of exist, and whose layers
// does it touch?
#include <fmt/format.h>

#include "base/suggest.h"
#include "engine/decide.h"
#include "engine/gate_plan.h"
#include "model/manifest/layers.h"
#include "model/probe_metrics.h"

namespace showcaller {

std::vector<std::string> names_of(const World& world, Kind kind) {
  std::vector<std::string> names;
  const std::string prefix = std::string(to_string(kind)) + "/";
  world.manifests.each_from(prefix, [&](const std::string& key, const StoredManifest&) {
    if (!key.starts_with(prefix)) return false;
    names.push_back(key.substr(prefix.size()));
    return true;
  });
  return names;
}

namespace {

constexpr std::string_view kApplyFirst = "apply its manifest first";

// What a change-set, readiness and gates speak of, and the world does not have.
class References {
 public:
  References(const World& world, std::vector<std::string>* problems)
      : world_(world), problems_(*problems) {}

  void check(const LiveEventSpec& spec) const {
    for (const Change& change : spec.changes) std::visit(*this, change.what);
    if (const auto& fleet = spec.readiness.capacity_fleet; !fleet.empty()) fleet_of(fleet);
    for (const std::string& probe : spec.readiness.probes) probe_of(probe);
    for (const GateSpec& gate : spec.gates) {
      if (const auto probe = probe_of_metric(gate.metric)) probe_of(std::string(*probe));
      if (metric_spec(world_, gate.metric)) continue;
      add("gate {} has no Metric '{}'{}", gate.name, gate.metric,
          suggestion(gate.metric, Kind::Metric));
    }
  }

  void operator()(const BuildChange& c) const {
    const FleetSpec* fleet = fleet_of(c.fleet);
    if (!fleet || fleet->build(c.version)) return;
    std::vector<std::string> versions;
    for (const auto& build : fleet->builds) versions.push_back(build.version);
    add("Fleet '{}' has no build {} (it has {})", c.fleet, c.version, fmt::join(versions, ", "));
  }
  void operator()(const FlagChange& c) const {
    const auto manifest = world_.manifest(Kind::Flag, c.key);
    if (!manifest) return add("there is no Flag '{}'{}", c.key, suggestion(c.key, Kind::Flag));
    const json::value* variants = manifest->as<FlagSpec>().definition.if_contains("variants");
    if (!variants || !variants->is_object() || !variants->get_object().contains(c.to))
      add("Flag '{}' has no variant '{}'", c.key, c.to);
  }
  void operator()(const ConfigChange&) const {}
  void operator()(const BundleChange&) const {}
  void operator()(const ActionChange& c) const {
    for (const std::string& path : {c.act, c.undo, c.verify}) {
      if (path.empty() || path.find("://") != std::string::npos) continue;
      const std::string service = path.substr(0, path.find('/'));
      const auto manifest = world_.manifest(Kind::Service, service);
      if (manifest && !manifest->as<ServiceSpec>().url.empty()) continue;
      add("action '{}' needs a Service '{}' with a url{}", path, service,
          suggestion(service, Kind::Service));
    }
  }

 private:
  // One that is made here, or a name whose outcome others report.
  void probe_of(const std::string& name) const {
    if (world_.manifest(Kind::Probe, name)) return;
    for (const std::string& service : names_of(world_, Kind::Service)) {
      const auto& probes = world_.manifest(Kind::Service, service)->as<ServiceSpec>().probes;
      if (std::find(probes.begin(), probes.end(), name) != probes.end()) return;
    }
    add("there is no Probe '{}', and no Service names one{}", name, suggestion(name, Kind::Probe));
  }

  template <class... Args>
  void add(fmt::format_string<Args...> text, Args&&... args) const {
    std::string problem = fmt::format(text, std::forward<Args>(args)...);
    if (std::find(problems_.begin(), problems_.end(), problem) == problems_.end())
      problems_.push_back(std::move(problem));
  }
  const FleetSpec* fleet_of(const std::string& name) const {
    const FleetSpec* fleet = world_.fleet(name);
    if (!fleet) add("there is no Fleet '{}'{}", name, suggestion(name, Kind::Fleet));
    return fleet;
  }
  std::string suggestion(std::string_view word, Kind kind) const {
    return did_you_mean(word, names_of(world_, kind), kApplyFirst);
  }

  const World& world_;
  std::vector<std::string>& problems_;
};

void check_that_builds_change(const World& world, const LiveEventSpec& spec,
                              std::vector<std::string>* problems) {
  for (const Change& change : spec.changes) {
    const auto* build = std::get_if<BuildChange>(&change.what);
    const FleetSpec* fleet = build ? world.fleet(build->fleet) : nullptr;
    if (!fleet || fleet->base != build->version) continue;
    problems->push_back(
        fmt::format("build {} is already the base of Fleet '{}'; nothing would be rolled out",
                    build->version, build->fleet));
  }
}

std::vector<std::string> missing_for(const World& world, const Manifest& manifest) {
  std::vector<std::string> missing;
  References(world, &missing).check(manifest.as<LiveEventSpec>());
  return missing;
}

// Evidence of one sort can't be judged by the rules of another.
std::vector<std::string> metrics_changed(const World& world, const World& next,
                                         const EventState& event) {
  std::vector<std::string> changed;
  for (const GateSpec& gate : event.spec().gates) {
    const auto before = metric_spec(world, gate.metric), after = metric_spec(next, gate.metric);
    if (!before || !after) continue;
    if (before->type == after->type && before->lower_is_better == after->lower_is_better) continue;
    changed.push_back(fmt::format("gate {} is judging by Metric '{}' of another type or direction",
                                  gate.name, gate.metric));
  }
  return changed;
}

}  // namespace

std::string taken_from_events(const World& world, const World& next) {
  std::string taken;
  next.events.each([&](const std::string& name, const EventState& event) {
    if (!taken.empty() || is_over(event.phase)) return;
    std::vector<std::string> problems = missing_for(next, *event.manifest);
    if (!problems.empty()) {
      const auto known = missing_for(world, *event.manifest);
      std::erase_if(problems, [&](const std::string& problem) {
        return std::find(known.begin(), known.end(), problem) != known.end();
      });
    }
    if (may_admit(event.phase)) {
      for (std::string& problem : metrics_changed(world, next, event))
        problems.push_back(std::move(problem));
    }
    if (problems.empty()) return;
    const std::string& problem = problems.front();
    taken = fmt::format("LiveEvent '{}' uses it ({})", name, problem.substr(0, problem.find("; ")));
  });
  return taken;
}

std::vector<std::string> problems_against(const World& world, const Manifest& manifest) {
  std::vector<std::string> problems = missing_for(world, manifest);
  check_that_builds_change(world, manifest.as<LiveEventSpec>(), &problems);
  std::vector<const Manifest*> events;
  std::vector<std::shared_ptr<const Manifest>> kept;
  world.events.each([&](const std::string& name, const EventState& other) {
    if (name == manifest.name || is_over(other.phase)) return;
    kept.push_back(other.manifest);
    events.push_back(kept.back().get());
  });
  events.push_back(&manifest);
  for (const LayerConflict& conflict : find_layer_conflicts(events)) {
    if (conflict.event != &manifest && conflict.other != &manifest) continue;
    const Manifest& other = conflict.event == &manifest ? *conflict.other : *conflict.event;
    problems.push_back(
        fmt::format("its layer {} conflicts with that of LiveEvent '{}'; give one of them another "
                    "`priority`, or name it in `after`",
                    conflict.path, other.name));
  }
  return problems;
}

}  // namespace showcaller

// SPDX-License-Identifier: Apache-2.0
// A LiveEvent's manifest held against the world: does all that it speaks of exist, and whose layers
// does it touch?
#include <fmt/format.h>

#include "base/suggest.h"
#include "engine/decide.h"
#include "model/manifest/layers.h"

namespace showcaller {
namespace {

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

std::string did_you_mean(std::string_view word, std::span<const std::string> known) {
  const auto nearest = nearest_word(word, known);
  return nearest ? fmt::format("; did you mean '{}'?", *nearest) : "; apply its manifest first";
}

class References {
 public:
  References(const World& world, std::vector<std::string>* problems)
      : world_(world), problems_(*problems) {}

  void operator()(const BuildChange& c) const {
    const FleetSpec* fleet = world_.fleet(c.fleet);
    if (!fleet) {
      problems_.push_back(fmt::format("there is no Fleet '{}'{}", c.fleet,
                                      did_you_mean(c.fleet, names_of(world_, Kind::Fleet))));
    } else if (!fleet->build(c.version)) {
      std::vector<std::string> versions;
      for (const auto& build : fleet->builds) versions.push_back(build.version);
      problems_.push_back(fmt::format("Fleet '{}' has no build {} (it has {})", c.fleet, c.version,
                                      fmt::join(versions, ", ")));
    } else if (fleet->base == c.version) {
      problems_.push_back(
          fmt::format("build {} is already the base of Fleet '{}'; nothing would be rolled out",
                      c.version, c.fleet));
    }
  }
  void operator()(const FlagChange& c) const {
    const auto manifest = world_.manifest(Kind::Flag, c.key);
    if (!manifest) {
      problems_.push_back(fmt::format("there is no Flag '{}'{}", c.key,
                                      did_you_mean(c.key, names_of(world_, Kind::Flag))));
      return;
    }
    const json::value* variants = manifest->as<FlagSpec>().definition.if_contains("variants");
    if (!variants || !variants->is_object() || !variants->get_object().contains(c.to)) {
      problems_.push_back(fmt::format("Flag '{}' has no variant '{}'", c.key, c.to));
    }
  }
  void operator()(const ConfigChange&) const {}
  void operator()(const BundleChange&) const {}
  void operator()(const ActionChange& c) const {
    if (c.act.find("://") != std::string::npos) return;
    const std::string service = c.act.substr(0, c.act.find('/'));
    const auto manifest = world_.manifest(Kind::Service, service);
    if (!manifest || manifest->as<ServiceSpec>().url.empty()) {
      problems_.push_back(fmt::format("action '{}' needs a Service '{}' with a url{}", c.act,
                                      service,
                                      did_you_mean(service, names_of(world_, Kind::Service))));
    }
  }

 private:
  const World& world_;
  std::vector<std::string>& problems_;
};

}  // namespace

std::vector<std::string> problems_against(const World& world, const Manifest& manifest) {
  std::vector<std::string> problems;
  const auto& spec = manifest.as<LiveEventSpec>();
  for (const Change& change : spec.changes) std::visit(References(world, &problems), change.what);
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

// SPDX-License-Identifier: Apache-2.0
#include "model/manifest/references.h"

#include <set>

#include <fmt/format.h>

namespace showcaller::manifest {

const Manifest* References::find(Kind kind, std::string_view name) const {
  const auto own = own_.find(std::pair(kind, std::string(name)));
  if (own != own_.end()) return &own->second->manifest;
  return known_.find ? known_.find(kind, name) : nullptr;
}

bool References::is_sound(Kind kind, std::string_view name) const {
  const auto own = own_.find(std::pair(kind, std::string(name)));
  return own == own_.end() || own->second->good;
}

std::vector<const Manifest*> References::all(Kind kind) const {
  std::map<std::string, const Manifest*> by_name;
  if (known_.list) {
    for (const Manifest* manifest : known_.list(kind)) by_name[manifest->name] = manifest;
  }
  for (const auto& [key, draft] : own_) {
    if (key.first == kind) by_name[key.second] = &draft->manifest;
  }
  std::vector<const Manifest*> out;
  for (const auto& [name, manifest] : by_name) out.push_back(manifest);
  return out;
}

std::vector<std::string> References::names(Kind kind) const {
  std::vector<std::string> out;
  for (const Manifest* manifest : all(kind)) out.push_back(manifest->name);
  return out;
}

const json::value* References::config(std::string_view document, std::int64_t version) const {
  return known_.config ? known_.config(document, version) : nullptr;
}

void References::report_missing(Reader& reader, const Node& root, std::string_view path,
                                std::string message, std::string hint) const {
  if (missing_ == MissingReference::Error) {
    reader.error_at(root, path, std::move(message), std::move(hint));
  } else {
    reader.warning_at(root, path, std::move(message) + " in these files", std::move(hint));
  }
}

bool References::require(Reader& reader, const Node& root, std::string_view path, Kind kind,
                         std::string_view name) const {
  if (find(kind, name) != nullptr) return true;
  std::string hint = suggestion(name, names(kind));
  if (hint.empty()) hint = fmt::format("add a {} of that name", to_string(kind));
  report_missing(reader, root, path,
                 fmt::format("there is no {} '{}'", to_string(kind), name.substr(0, 64)),
                 std::move(hint));
  return false;
}

std::vector<const FleetSpec*> fleets_of(const Node& spec, const References& references) {
  std::set<std::string> names;
  if (const Node* changes = spec.find("changes")) {
    for (const Node& change : changes->items) {
      const Node* build = change.find("build");
      const Node* fleet = build == nullptr ? nullptr : build->find("fleet");
      if (fleet != nullptr) names.insert(fleet->text);
    }
  }
  const Node& capacity_fleet = nearest_node(spec, "readiness.capacity.fleet");
  if (capacity_fleet.is_string()) names.insert(capacity_fleet.text);
  std::vector<const FleetSpec*> out;
  for (const std::string& name : names) {
    if (const Manifest* fleet = references.find(Kind::Fleet, name))
      out.push_back(&fleet->as<FleetSpec>());
  }
  if (!names.empty()) return out;
  for (const Manifest* fleet : references.all(Kind::Fleet)) out.push_back(&fleet->as<FleetSpec>());
  return out;
}

void fill_configs(Node* spec, const References& references) {
  Node* changes = spec->find("changes");
  if (changes == nullptr) return;
  for (Node& change : changes->items) {
    Node* config = change.find("config");
    if (config == nullptr || !config->is_mapping() || config->find("value") != nullptr) continue;
    const Node* document = config->find("document");
    const Node* version = config->find("version");
    if (document == nullptr || version == nullptr || version->kind != NodeKind::Int) continue;
    const json::value number = to_json(*version);
    const json::value* content =
        number.is_int64() ? references.config(document->text, number.get_int64()) : nullptr;
    if (content != nullptr) config->set("value", from_json(*content));
  }
}

std::vector<RegionZone> regions_of(Reader& reader, const Node& spec, const References& references) {
  std::map<std::string, std::string> zones;
  for (const FleetSpec* fleet : fleets_of(spec, references)) {
    for (const RegionSpec& region : fleet->regions) {
      const auto [known, is_new] = zones.emplace(region.name, region.zone);
      if (is_new || known->second == region.zone) continue;
      const Node* schedule = spec.find("schedule");
      const Node* zone = schedule == nullptr ? nullptr : schedule->find("zone");
      if (zone == nullptr || zone->text != "local") continue;
      reader.error(zone->position,
                   fmt::format("the region '{}' has the zone {} in one fleet and {} in another",
                               region.name, known->second, region.zone),
                   "give it one zone");
    }
  }
  std::vector<RegionZone> out;
  for (const auto& [region, zone] : zones) out.push_back({region, zone});
  return out;
}

}  // namespace showcaller::manifest

// SPDX-License-Identifier: Apache-2.0
#include "engine/config_versions.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/hash.h"
#include "base/suggest.h"
#include "flow/flag_layers.h"

namespace showcaller {
namespace {

std::vector<std::int64_t> versions_kept(const World& world, std::string_view config) {
  std::vector<std::int64_t> out;
  each_config_version(world, config, [&](const StoredManifest& stored) {
    out.push_back(stored.manifest->as<ConfigSpec>().version);
  });
  return out;
}

std::unexpected<Error> no_config(const World& world, std::string_view config) {
  return fail(ErrorCode::NotFound, fmt::format("there is no Config '{}'{}", config,
                                               did_you_mean(config, names_of(world, Kind::Config),
                                                            "`showcaller get Config` lists them")));
}

}  // namespace

Status check_config_version(const World& world, const Manifest& config) {
  const auto& spec = config.as<ConfigSpec>();
  const json::value* known = find_config(world, config.name, spec.version);
  if (!known || *known == spec.value) return {};
  std::int64_t next = spec.version;
  for (const std::int64_t version : versions_kept(world, config.name))
    next = std::max(next, version);
  return fail(ErrorCode::Conflict,
              fmt::format("version {} of Config '{}' is there with another content; give this one "
                          "`version: {}`",
                          spec.version, config.name, next + 1));
}

Result<Decision> decide_config_undo(const World& world, const ConfigUndoCommand& command) {
  const auto present = world.manifest(Kind::Config, command.config);
  if (!present) return no_config(world, command.config);
  const std::int64_t now = present->as<ConfigSpec>().version;
  const StoredManifest* then =
      world.config_versions.find(config_version_key(command.config, command.to));
  if (!then) {
    return fail(ErrorCode::NotFound,
                fmt::format("Config '{}' has no version {}; kept are {}", command.config,
                            command.to, fmt::join(versions_kept(world, command.config), ", ")));
  }
  if (then->manifest->hash == present->hash)
    return Decision{{}, {}, {fmt::format("Config '{}' is at version {}", command.config, now)}};
  const StoredManifest* stored = world.manifests.find(present->key());
  return Decision{
      {ManifestApplied{std::string(to_string(Kind::Config)), command.config, stored->generation + 1,
                       then->manifest->hash, then->manifest->document}},
      {},
      {fmt::format("Config '{}' is at version {} again; it was at {}", command.config, command.to,
                   now)}};
}

Result<json::value> config_view(const World& world, std::string_view config) {
  const auto present = world.manifest(Kind::Config, config);
  if (!present) return no_config(world, config);
  json::array versions;
  each_config_version(world, config, [&](const StoredManifest& stored) {
    const auto& spec = stored.manifest->as<ConfigSpec>();
    versions.insert(versions.begin(), json::object{{"version", spec.version},
                                                   {"hash", stored.manifest->hash},
                                                   {"value", spec.value}});
  });
  return json::value{{"config", config},
                     {"version", present->as<ConfigSpec>().version},
                     {"versions", std::move(versions)}};
}

}  // namespace showcaller

// SPDX-License-Identifier: Apache-2.0
#include "cli/flag/flag_files.h"

#include <iterator>

#include <fmt/format.h>

#include "adapters/tzdata/tzdata_version.h"
#include "cli/flag/flag_document.h"
#include "cli/manifest_files.h"
#include "cli/text_input.h"
#include "model/manifest/manifest.h"

namespace showcaller {
namespace {

// flagd's document, if the file is one.
std::optional<json::object> flagd_document(std::span<const SourceFile> files) {
  if (files.size() != 1) return std::nullopt;
  const auto document = read_flag_document(files[0]);
  if (!document || !document->is_object()) return std::nullopt;
  const json::object& object = document->get_object();
  const json::value* flags = object.if_contains("flags");
  if (!flags || !flags->is_object() || object.contains("apiVersion")) return std::nullopt;
  return object;
}

World world_of(const json::object& document) {
  World world;
  const json::value* evaluators = document.if_contains("$evaluators");
  for (const auto& [key, definition] : document.at("flags").get_object()) {
    if (!definition.is_object()) continue;
    Manifest manifest;
    manifest.name = std::string(key);
    FlagSpec spec;
    spec.definition = definition.get_object();
    if (evaluators) spec.definition["$evaluators"] = *evaluators;
    manifest.spec = std::move(spec);
    const std::string name = "Flag/" + manifest.name;
    world.manifests[name] = {std::make_shared<const Manifest>(std::move(manifest)), 1};
  }
  return world;
}

}  // namespace

Result<FlagFiles> read_flag_files(std::span<const std::string> paths) {
  TRY(const auto files, read_manifest_files(paths));
  FlagFiles out;
  if (const auto document = flagd_document(files)) {
    out.world = world_of(*document);
    return out;
  }
  ParseOptions options;
  options.missing = MissingReference::Warning;
  options.tzdata_version = read_tzdata_version();
  ParseOutcome parsed = parse_manifests(files, options);
  if (!parsed.ok())
    return fail(ErrorCode::Invalid, "\n" + format_findings(parsed.findings, files, false));
  for (Manifest& manifest : parsed.manifests) {
    auto shared = std::make_shared<const Manifest>(std::move(manifest));
    if (shared->kind() == Kind::LiveEvent)
      out.events.push_back(std::move(shared));
    else
      out.world.manifests[shared->key()] = {shared, 1};
  }
  return out;
}

Result<std::vector<json::object>> read_contexts(const std::string& path) {
  std::string text;
  TRY(with_text_input(path, [&](std::istream& in) -> Result<bool> {
    text.assign(std::istreambuf_iterator<char>(in), {});
    return true;
  }));
  std::vector<json::object> out;
  const auto take = [&](const json::value& value) -> Status {
    if (!value.is_object())
      return fail(ErrorCode::Invalid, fmt::format("{}: a context is an object, such as "
                                                  "{{\"targetingKey\": \"p-17\"}}",
                                                  path));
    out.push_back(value.get_object());
    return {};
  };
  if (const auto whole = parse_json(text)) {
    if (!whole->is_array()) {
      TRY(take(*whole));
      return out;
    }
    for (const json::value& each : whole->get_array()) TRY(take(each));
    return out;
  }
  std::size_t number = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = std::string_view(text).substr(at, end - at);
    at = end + 1;
    ++number;
    if (line.find_first_not_of(" \t\r") == line.npos) continue;
    const auto value = parse_json(line);
    if (!value) {
      return fail(ErrorCode::Invalid,
                  fmt::format("{}: line {}: {}", path, number, value.error().message));
    }
    TRY(take(*value));
  }
  return out;
}

}  // namespace showcaller

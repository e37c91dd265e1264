// SPDX-License-Identifier: Apache-2.0
#include "wire/manifest_sources.h"

#include <set>

#include <fmt/format.h>

#include "base/json.h"

namespace showcaller {
namespace {

std::unexpected<Error> no_files() {
  return fail(ErrorCode::Invalid,
              "'files' is not a list of files; send {\"files\":[{\"name\":...,\"text\":...}]}");
}

// A member that is text and not absent.
const json::string* text_of(const json::object& file, std::string_view key) {
  const json::value* value = file.if_contains(key);
  return value == nullptr ? nullptr : value->if_string();
}

}  // namespace

Result<std::vector<SourceFile>> manifest_sources(std::string_view body) {
  const bool may_be_json = body.find_first_not_of(" \t\r\n") != std::string_view::npos &&
                           body[body.find_first_not_of(" \t\r\n")] == '{';
  const auto value = may_be_json ? parse_json(body) : Result<json::value>(json::value());
  const json::value* files =
      value && value->is_object() ? get_if(value->get_object(), "files") : nullptr;
  if (files == nullptr) return std::vector<SourceFile>{{"manifests", std::string(body)}};
  if (!files->is_array() || files->get_array().empty()) return no_files();
  std::vector<SourceFile> out;
  std::set<std::string> names;
  for (const json::value& file : files->get_array()) {
    const json::object* object = file.if_object();
    const json::string* name = object == nullptr ? nullptr : text_of(*object, "name");
    const json::string* text = object == nullptr ? nullptr : text_of(*object, "text");
    if (name == nullptr || name->empty() || text == nullptr || object->size() != 2)
      return no_files();
    if (!names.insert(std::string(*name)).second)
      return fail(ErrorCode::Invalid, fmt::format("two files are named '{}'; name them apart",
                                                  std::string_view(*name)));
    out.push_back({std::string(*name), std::string(*text)});
  }
  return out;
}

}  // namespace showcaller

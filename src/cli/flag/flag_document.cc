// SPDX-License-Identifier: Apache-2.0
#include "cli/flag/flag_document.h"

#include <algorithm>
#include <charconv>
#include <vector>

#include <fmt/format.h>

#include "model/manifest/document.h"

namespace showcaller {
namespace {

constexpr manifest::DocumentLimits kLimits{
    .bytes_max = 16 << 20, .depth_max = 128, .nodes_max = 4'000'000, .documents_max = 1};

bool is_json(const SourceFile& file) {
  if (file.name.ends_with(".yaml") || file.name.ends_with(".yml")) return false;
  if (file.name.ends_with(".json")) return true;
  const auto first = file.text.find_first_not_of(" \t\r\n");
  return first != file.text.npos && file.text[first] == '{';
}

Result<manifest::Node> read_tree(const SourceFile& file) {
  std::vector<Finding> findings;
  auto documents = manifest::parse_documents(file, 0, kLimits, &findings);
  if (!findings.empty()) return fail(ErrorCode::Invalid, format_finding_line(findings.front()));
  if (documents.size() != 1)
    return fail(ErrorCode::Invalid, fmt::format("{}:1:1: there is no document", file.name));
  return std::move(documents.front());
}

// "~1" is "/", "~0" is "~". Source: RFC 6901.
std::string unescaped(std::string_view step) {
  std::string out;
  for (std::size_t i = 0; i < step.size(); ++i) {
    const bool escape = step[i] == '~' && i + 1 < step.size();
    out += !escape ? step[i] : step[++i] == '1' ? '/' : '~';
  }
  return out;
}

// The place of what a JSON pointer names, or of the nearest around it.
manifest::Position place_of(const manifest::Node& root, std::string_view pointer) {
  const manifest::Node* node = &root;
  manifest::Position place = root.position;
  while (pointer.starts_with('/')) {
    pointer.remove_prefix(1);
    const std::string step = unescaped(pointer.substr(0, pointer.find('/')));
    pointer.remove_prefix(std::min(pointer.find('/'), pointer.size()));
    if (const manifest::Entry* entry = node->entry(step)) {
      node = &entry->value;
      place = entry->position;
      continue;
    }
    std::size_t index = node->items.size();
    std::from_chars(step.data(), step.data() + step.size(), index);
    if (index >= node->items.size()) return place;
    node = &node->items[index];
    place = node->position;
  }
  return place;
}

}  // namespace

Result<json::value> read_flag_document(const SourceFile& file) {
  if (is_json(file)) {
    auto parsed = parse_json(file.text, {.bytes_max = kLimits.bytes_max, .depth_max = 128});
    if (!parsed) return fail(parsed.error().code, file.name + ":" + parsed.error().message);
    return parsed;
  }
  TRY(const manifest::Node tree, read_tree(file));
  return manifest::to_json(tree);
}

std::string place_in(const SourceFile& file, std::string_view pointed_message) {
  const auto end = pointed_message.find(": ");
  const auto tree = read_tree(file);
  if (!tree || end == pointed_message.npos || !pointed_message.starts_with('/'))
    return fmt::format("{}: {}", file.name, pointed_message);
  const manifest::Position place = place_of(*tree, pointed_message.substr(0, end));
  return fmt::format("{}:{}:{}: {}", file.name, place.line, place.column, pointed_message);
}

}  // namespace showcaller

// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <optional>

#include <fmt/format.h>

#include "model/manifest/document.h"

namespace showcaller::manifest {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool all_of(std::string_view text, bool (*test)(char)) {
  return !text.empty() && std::ranges::all_of(text, test);
}

bool is_core_int(std::string_view text) {
  if (text.starts_with("0o")) {
    return all_of(text.substr(2), [](char c) { return c >= '0' && c <= '7'; });
  }
  if (text.starts_with("0x")) {
    return all_of(text.substr(2), [](char c) {
      return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    });
  }
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  return all_of(text, is_digit);
}

std::size_t skip_digits(std::string_view text, std::size_t at) {
  while (at < text.size() && is_digit(text[at])) ++at;
  return at;
}

bool is_core_float(std::string_view text) {
  if (text == ".nan" || text == ".NaN" || text == ".NAN") return true;
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  if (text == ".inf" || text == ".Inf" || text == ".INF") return true;
  const std::size_t whole = skip_digits(text, 0);
  std::size_t at = whole;
  std::size_t fraction = 0;
  if (at < text.size() && text[at] == '.') {
    const std::size_t end = skip_digits(text, at + 1);
    fraction = end - at - 1;
    at = end;
  }
  if (whole + fraction == 0) return false;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
    const std::size_t end = skip_digits(text, at);
    if (end == at) return false;
    at = end;
  }
  return at == text.size();
}

json::value number_to_json(std::string_view text) {
  int base = 10;
  std::string_view digits = text;
  if (text.starts_with("0x") || text.starts_with("0o")) {
    base = text[1] == 'x' ? 16 : 8;
    digits.remove_prefix(2);
  }
  if (digits.starts_with('+')) digits.remove_prefix(1);
  std::int64_t number = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), number, base);
  if (error == std::errc{} && end == digits.data() + digits.size()) return number;
  double real = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), real);
  if (parsed.ec != std::errc{} || parsed.ptr != digits.data() + digits.size()) return nullptr;
  return std::isfinite(real) ? json::value(real) : json::value(nullptr);
}

// The next step of a path: ".key" or "[3]" (a leading key has no dot).
struct Step {
  std::string_view key;
  std::optional<std::size_t> index;
};

std::optional<Step> take_step(std::string_view* path) {
  if (path->empty()) return std::nullopt;
  if (path->front() == '[') {
    const std::size_t end = path->find(']');
    if (end == std::string_view::npos) return std::nullopt;
    std::size_t index = 0;
    std::from_chars(path->data() + 1, path->data() + end, index);
    path->remove_prefix(end + 1);
    return Step{{}, index};
  }
  if (path->front() == '.') path->remove_prefix(1);
  const std::size_t end = std::min(path->find_first_of(".["), path->size());
  const Step step{path->substr(0, end), std::nullopt};
  path->remove_prefix(end);
  return step;
}

}  // namespace

const Entry* Node::entry(std::string_view key) const {
  for (const Entry& e : entries) {
    if (e.key == key) return &e;
  }
  return nullptr;
}

const Node* Node::find(std::string_view key) const {
  const Entry* e = entry(key);
  return e == nullptr ? nullptr : &e->value;
}

Node* Node::find(std::string_view key) {
  return const_cast<Node*>(static_cast<const Node*>(this)->find(key));
}

void Node::set(std::string_view key, Node value) {
  if (Node* old = find(key)) {
    *old = std::move(value);
    return;
  }
  const Position at = value.position;
  entries.push_back({std::string(key), at, std::move(value)});
}

Node string_node(std::string_view text, Position position) {
  Node node;
  node.kind = NodeKind::String;
  node.text = text;
  node.position = position;
  return node;
}

Node mapping_node(Position position) {
  Node node;
  node.kind = NodeKind::Mapping;
  node.position = position;
  return node;
}

NodeKind core_kind(std::string_view text) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") {
    return NodeKind::Null;
  }
  for (const std::string_view word : {"true", "True", "TRUE", "false", "False", "FALSE"}) {
    if (text == word) return NodeKind::Bool;
  }
  if (is_core_int(text)) return NodeKind::Int;
  return is_core_float(text) ? NodeKind::Float : NodeKind::String;
}

std::string_view describe(NodeKind kind) {
  switch (kind) {
    case NodeKind::Null:
      return "nothing (null)";
    case NodeKind::Bool:
      return "a boolean";
    case NodeKind::Int:
      return "an integer";
    case NodeKind::Float:
      return "a number";
    case NodeKind::String:
      return "a string";
    case NodeKind::Sequence:
      return "a list";
    case NodeKind::Mapping:
      return "a mapping";
  }
  return "";
}

std::string describe(const Node& node) {
  constexpr std::size_t kShownMax = 48;
  std::string text = node.text.substr(0, kShownMax);
  while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xC0) == 0x80) text.pop_back();
  if (text.size() < node.text.size()) text += "…";
  switch (node.kind) {
    case NodeKind::Bool:
      return "the boolean " + text;
    case NodeKind::Int:
      return "the integer " + text;
    case NodeKind::Float:
      return "the number " + text;
    case NodeKind::String:
      return "the string '" + text + "'";
    default:
      return std::string(describe(node.kind));
  }
}

json::value to_json(const Node& node) {
  switch (node.kind) {
    case NodeKind::Null:
      return nullptr;
    case NodeKind::Bool:
      return node.text[0] == 't' || node.text[0] == 'T';
    case NodeKind::Int:
    case NodeKind::Float:
      return number_to_json(node.text);
    case NodeKind::String:
      return json::string(node.text);
    case NodeKind::Sequence: {
      json::array out;
      out.reserve(node.items.size());
      for (const Node& item : node.items) out.push_back(to_json(item));
      return out;
    }
    case NodeKind::Mapping:
      break;
  }
  json::object out;
  out.reserve(node.entries.size());
  for (const Entry& entry : node.entries) out[entry.key] = to_json(entry.value);
  return out;
}

Node from_json(const json::value& value) {
  Node node;
  node.plain = true;
  switch (value.kind()) {
    case json::kind::null:
      return node;
    case json::kind::bool_:
      node.kind = NodeKind::Bool;
      node.text = value.get_bool() ? "true" : "false";
      return node;
    case json::kind::int64:
    case json::kind::uint64:
      node.kind = NodeKind::Int;
      node.text = to_json_text(value);
      return node;
    case json::kind::double_:
      node.kind = NodeKind::Float;
      node.text = to_json_text(value);
      return node;
    case json::kind::string:
      return string_node(value.get_string());
    case json::kind::array:
      node.kind = NodeKind::Sequence;
      for (const json::value& item : value.get_array()) node.items.push_back(from_json(item));
      return node;
    case json::kind::object:
      break;
  }
  return from_json(value.get_object());
}

Node from_json(const json::object& object) {
  Node node = mapping_node();
  node.entries.reserve(object.size());
  for (const auto& [key, item] : object)
    node.entries.push_back({std::string(key), {}, from_json(item)});
  return node;
}

const Node& nearest_node(const Node& root, std::string_view path) {
  const Node* at = &root;
  while (const auto step = take_step(&path)) {
    const Node* next = nullptr;
    if (step->index) {
      if (*step->index < at->items.size()) next = &at->items[*step->index];
    } else {
      next = at->find(step->key);
    }
    if (next == nullptr) break;
    at = next;
  }
  return *at;
}

Position nearest_position(const Node& root, std::string_view path) {
  return nearest_node(root, path).position;
}

}  // namespace showcaller::manifest

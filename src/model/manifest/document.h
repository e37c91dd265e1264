// SPDX-License-Identifier: Apache-2.0
// YAML and JSON text as trees whose every node knows where it was written.
//
// Scalars follow YAML 1.2's core schema: `on`, `yes` and times are strings. Every mapping key is a
// string and is written once. Merge keys, tags of one's own and complex keys are refused. An alias
// stands for a copy of what its anchor names; the copies count against the limits, so a file that
// unfolds without end is refused before it unfolds.
//
// Threads: none. Limits: DocumentLimits. Never: reads a file, includes another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "model/manifest/finding.h"

namespace showcaller::manifest {

struct DocumentLimits {
  std::size_t bytes_max = 1 << 20;  // a file
  std::size_t depth_max = 64;
  std::size_t nodes_max = 100'000;    // a file, aliases unfolded
  std::size_t documents_max = 1'000;  // a file
  std::size_t aliases_max = 64;       // a file
};

// Where something was written. A file is an index into the sources of its parse; line 0: not in a
// file.
struct Position {
  int file = 0;
  int line = 0;
  int column = 0;
};

enum class NodeKind : std::uint8_t { Null, Bool, Int, Float, String, Sequence, Mapping };

struct Entry;

struct Node {
  NodeKind kind = NodeKind::Null;
  bool plain = false;  // a scalar without quotes
  Position position;
  std::string text;            // a scalar's characters, unquoted
  std::vector<Node> items;     // Sequence
  std::vector<Entry> entries;  // Mapping, as written

  bool is_scalar() const { return kind < NodeKind::Sequence; }
  bool is_mapping() const { return kind == NodeKind::Mapping; }
  bool is_sequence() const { return kind == NodeKind::Sequence; }
  bool is_string() const { return kind == NodeKind::String; }
  const Entry* entry(std::string_view key) const;
  const Node* find(std::string_view key) const;  // a mapping's value, or null
  Node* find(std::string_view key);
  void set(std::string_view key, Node value);  // replaces, or appends
};

struct Entry {
  std::string key;
  Position position;
  Node value;
};

Node string_node(std::string_view text, Position position = {});
Node mapping_node(Position position = {});

// What an unquoted scalar is in the core schema.
NodeKind core_kind(std::string_view text);
// "a string", "a list", ...
std::string_view describe(NodeKind kind);
// As describe, with a short scalar's text: "the integer 12", "the string 'on'".
std::string describe(const Node& node);

// Appends to findings; a file with a syntax error gives no documents. `.json` files are read as
// strict JSON. `file` is the index that the positions carry. Empty documents are left out.
std::vector<Node> parse_documents(const SourceFile& source, int file, const DocumentLimits& limits,
                                  std::vector<Finding>* findings);

// Integers that fit 64 bits stay integers; .inf and .nan become null (parse_documents refuses
// them).
json::value to_json(const Node& node);
Node from_json(const json::value& value);
Node from_json(const json::object& object);

// The node at "spec.rollout.stages[1].exposure", or the deepest ancestor there is.
const Node& nearest_node(const Node& root, std::string_view path);
Position nearest_position(const Node& root, std::string_view path);

}  // namespace showcaller::manifest

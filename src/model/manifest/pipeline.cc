// SPDX-License-Identifier: Apache-2.0
#include "model/manifest/pipeline.h"

#include <map>
#include <optional>
#include <set>

#include <fmt/format.h>

namespace showcaller::manifest {
namespace {

constexpr std::string_view kOpen = "${";

struct Placeholder {
  std::size_t begin;
  std::size_t end;  // past the brace
  std::string_view name;
};

std::optional<Placeholder> next_placeholder(std::string_view text, std::size_t from) {
  const std::size_t begin = text.find(kOpen, from);
  if (begin == std::string_view::npos) return std::nullopt;
  const std::size_t close = text.find('}', begin);
  if (close == std::string_view::npos) return std::nullopt;
  return Placeholder{begin, close + 1,
                     text.substr(begin + kOpen.size(), close - begin - kOpen.size())};
}

class Substitution {
 public:
  Substitution(Reader& reader, std::map<std::string, Node, std::less<>> values,
               const ExpansionLimits& limits)
      : reader_(reader), values_(std::move(values)), limits_(limits) {}

  std::optional<Node> run(const Node& node) {
    Node out = copy(node);
    if (too_much_) {
      reader_.error(node.position, fmt::format("the pipeline grows past {} nodes or {} bytes",
                                               limits_.nodes_max, limits_.bytes_max));
      return std::nullopt;
    }
    return out;
  }

 private:
  bool count(std::size_t nodes, std::size_t bytes) {
    nodes_ += nodes;
    bytes_ += bytes;
    if (nodes_ > limits_.nodes_max || bytes_ > limits_.bytes_max) too_much_ = true;
    return !too_much_;
  }

  // A parameter's own value, counted.
  Node counted(const Node& node) {
    if (!count(1, node.text.size())) return {};
    Node out = node;
    for (Node& item : out.items) item = counted(item);
    for (Entry& entry : out.entries) entry.value = counted(entry.value);
    return out;
  }

  Node copy(const Node& node) {
    if (!count(1, node.text.size())) return {};
    if (node.is_scalar()) return scalar(node);
    Node out;
    out.kind = node.kind;
    out.position = node.position;
    for (const Node& item : node.items) out.items.push_back(copy(item));
    for (const Entry& entry : node.entries)
      out.entries.push_back({entry.key, entry.position, copy(entry.value)});
    return out;
  }

  Node scalar(const Node& node) {
    auto at = next_placeholder(node.text, 0);
    if (!at) return node;
    if (at->begin == 0 && at->end == node.text.size()) {
      const auto value = values_.find(at->name);
      if (value == values_.end()) return node;
      Node out = counted(value->second);
      out.position = node.position;
      return out;
    }
    Node out = node;
    out.text.clear();
    std::size_t done = 0;
    for (; at; at = next_placeholder(node.text, done)) {
      out.text += std::string_view(node.text).substr(done, at->begin - done);
      const auto value = values_.find(at->name);
      if (value != values_.end() && value->second.is_scalar()) {
        out.text += value->second.text;
        if (!count(0, value->second.text.size())) return {};
      } else if (value != values_.end()) {
        reader_.error(node.position,
                      fmt::format("the parameter '{}' is {}, and stands within other text",
                                  at->name, describe(value->second)));
      }
      done = at->end;
    }
    out.text += std::string_view(node.text).substr(done);
    out.kind = node.plain ? core_kind(out.text) : NodeKind::String;
    return out;
  }

  Reader& reader_;
  std::map<std::string, Node, std::less<>> values_;
  const ExpansionLimits& limits_;
  std::size_t nodes_ = 0;
  std::size_t bytes_ = 0;
  bool too_much_ = false;
};

void merge(Node* into, const Node& from) {
  for (const Entry& entry : from.entries) {
    Node* mine = into->find(entry.key);
    if (mine == nullptr) {
      into->entries.push_back(entry);
    } else if (mine->is_mapping() && entry.value.is_mapping()) {
      merge(mine, entry.value);
    }
  }
}

std::vector<std::string> keys_of(const Node* mapping) {
  std::vector<std::string> keys;
  if (mapping == nullptr) return keys;
  for (const Entry& entry : mapping->entries) keys.push_back(entry.key);
  return keys;
}

// The values of the parameters: what `with` says, else the defaults.
std::optional<std::map<std::string, Node, std::less<>>> parameter_values(Reader& reader,
                                                                         const Node& reference,
                                                                         const Node* parameters) {
  std::map<std::string, Node, std::less<>> values;
  if (parameters != nullptr) {
    for (const Entry& entry : parameters->entries) {
      if (entry.value.kind != NodeKind::Null) values[entry.key] = entry.value;
    }
  }
  const std::vector<std::string> known = keys_of(parameters);
  if (const Node* with = reference.find("with")) {
    const Reader::Inside inside(&reader, "with");
    for (const Entry& entry : with->entries) {
      const Reader::Inside key(&reader, entry.key);
      if (std::ranges::find(known, entry.key) == known.end()) {
        reader.error(entry.position,
                     fmt::format("the pipeline has no parameter '{}'", entry.key.substr(0, 64)),
                     suggestion(entry.key, known));
      }
      values[entry.key] = entry.value;
    }
  }
  bool complete = true;
  for (const std::string& name : known) {
    if (values.contains(name)) continue;
    complete = false;
    reader.error(reference.position, fmt::format("the pipeline needs the parameter '{}'", name),
                 "add it under `with`");
  }
  if (!complete) return std::nullopt;
  return values;
}

// The reference's name, or "" after a finding.
std::string reference_name(Reader& reader, const Node& reference) {
  if (!reference.is_mapping()) {
    reader.wrong_type(reference, "{ name: ..., with: { ... } }",
                      reference.is_string()
                          ? fmt::format("write {{ name: {} }}", reference.text.substr(0, 64))
                          : "");
    return {};
  }
  bool good = true;
  static const std::vector<std::string> kKeys = {"name", "with", "expanded"};
  for (const Entry& entry : reference.entries) {
    const Reader::Inside inside(&reader, entry.key);
    if (std::ranges::find(kKeys, entry.key) == kKeys.end()) {
      reader.error(entry.position,
                   fmt::format("the key '{}' is not known here", entry.key.substr(0, 64)),
                   suggestion(entry.key, kKeys));
    } else if (entry.key == "with" && !entry.value.is_mapping()) {
      reader.wrong_type(entry.value, "a mapping of parameters");
      good = false;
    }
  }
  const Node* name = reference.find("name");
  if (name == nullptr || !name->is_string() || name->text.empty()) {
    reader.error(name == nullptr ? reference.position : name->position,
                 "the pipeline's name is missing", "add `name:`");
    return {};
  }
  return good ? name->text : std::string();
}

void collect_placeholders(Reader& reader, const Node& node, const std::vector<std::string>& known,
                          std::set<std::string>* used) {
  std::size_t done = 0;
  while (const auto at = next_placeholder(node.text, done)) {
    const std::string name(at->name);
    used->insert(name);
    if (std::ranges::find(known, name) == known.end()) {
      reader.error(node.position,
                   fmt::format("'${{{}}}' is not a parameter of this pipeline", name.substr(0, 64)),
                   suggestion(name, known));
    }
    done = at->end;
  }
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    const Reader::Inside inside(&reader, i);
    collect_placeholders(reader, node.items[i], known, used);
  }
  for (const Entry& entry : node.entries) {
    const Reader::Inside inside(&reader, entry.key);
    collect_placeholders(reader, entry.value, known, used);
  }
}

}  // namespace

bool expand_pipeline(Reader& reader, Node* spec, const FindTemplate& find,
                     const std::vector<std::string>& known, MissingReference missing,
                     const ExpansionLimits& limits) {
  Node* reference = spec->find("pipeline");
  if (reference == nullptr) return true;
  const Node* expanded = reference->find("expanded");
  if (expanded != nullptr && expanded->kind == NodeKind::Bool && to_json(*expanded).get_bool())
    return true;
  const Reader::Inside inside(&reader, "pipeline");
  const std::string name = reference_name(reader, *reference);
  if (name.empty()) return false;
  const Node* pipeline = find(name);
  if (pipeline == nullptr) {
    const Position at = reference->find("name")->position;
    const std::string message = fmt::format("there is no Pipeline '{}'", name.substr(0, 64));
    if (missing == MissingReference::Error) {
      reader.error(at, message, suggestion(name, known));
    } else {
      reader.warning(at, message + " in these files, so the event is not checked further",
                     suggestion(name, known));
    }
    return false;
  }
  const Node* body = pipeline->find("template");
  if (body == nullptr || !body->is_mapping()) return false;  // Reported where the pipeline is read.
  auto values = parameter_values(reader, *reference, pipeline->find("parameters"));
  if (!values) return false;
  const auto filled = Substitution(reader, std::move(*values), limits).run(*body);
  if (!filled) return false;
  const Position at = reference->position;
  Node mark = mapping_node(at);
  mark.set("name", string_node(name, at));
  Node yes = string_node("true", at);
  yes.kind = NodeKind::Bool;
  mark.set("expanded", std::move(yes));
  *reference = std::move(mark);
  merge(spec, *filled);
  return true;
}

void check_placeholders(Reader& reader, const Node& pipeline_spec) {
  const Node* body = pipeline_spec.find("template");
  if (body == nullptr) return;
  const Node* parameters = pipeline_spec.find("parameters");
  const std::vector<std::string> known = keys_of(parameters);
  std::set<std::string> used;
  {
    const Reader::Inside inside(&reader, "template");
    collect_placeholders(reader, *body, known, &used);
  }
  if (parameters == nullptr) return;
  const Reader::Inside inside(&reader, "parameters");
  for (const Entry& entry : parameters->entries) {
    if (used.contains(entry.key)) continue;
    const Reader::Inside key(&reader, entry.key);
    reader.warning(entry.position,
                   fmt::format("the parameter '{}' is not used", entry.key.substr(0, 64)),
                   "take it out");
  }
}

}  // namespace showcaller::manifest

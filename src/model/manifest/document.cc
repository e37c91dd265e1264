// SPDX-License-Identifier: Apache-2.0
#include "model/manifest/document.h"

#include <algorithm>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "base/utf8.h"
#include "model/manifest/reader.h"
#include "model/manifest/yaml_events.h"

namespace showcaller::manifest {
namespace {

using Type = YamlEvent::Type;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
// Counted before parsing, brackets within text too: the YAML library needs seconds for a million of
// them.
constexpr std::size_t kOpenBracketsMax = 4'096;
constexpr std::string_view kTagPrefix = "tag:yaml.org,2002:";

// Builds the trees of one file from its events.
class TreeBuilder {
 public:
  TreeBuilder(const SourceFile& source, int file, const DocumentLimits& limits,
              std::vector<Finding>* findings)
      : source_(source), file_(file), limits_(limits), findings_(findings) {}

  std::vector<Node> build();

 private:
  bool check_text(std::string_view text);
  bool check_events(const YamlEvents& read);
  // What the brackets that are still open say, for errors at the end of a file.
  std::string open_bracket_hint(const YamlEvents& read) const;

  Node node();
  Node scalar(const YamlEvent& event);
  Node list(const YamlEvent& event);
  Node mapping(const YamlEvent& event);
  Node alias(const YamlEvent& event);
  void entry(Node* mapping, std::map<std::string, Position>* seen);
  void apply_tag(const YamlEvent& event, Node* node);
  bool count_node(const YamlEvent& event);
  // Finds each alias's anchor: the last of its name above it in the same document.
  void resolve_aliases();
  // Goes past the value at the cursor without building it.
  void skip();

  Position position(const YamlEvent& event) const { return {file_, event.line, event.column}; }
  void report(Position at, std::string message, std::string hint = {});

  const SourceFile& source_;
  int file_;
  const DocumentLimits& limits_;
  std::vector<Finding>* findings_;
  std::vector<YamlEvent> events_;
  std::size_t cursor_ = 0;
  std::size_t depth_ = 0;
  std::size_t nodes_ = 0;
  std::size_t aliases_ = 0;
  bool stopped_ = false;  // a limit was passed: nothing more is built
  Position last_;         // of the last key or value, for values that stand nowhere
  std::map<std::size_t, std::size_t> targets_;  // event of an alias → event of its anchor
  std::vector<std::size_t> unfolding_;          // anchors of the aliases around the cursor
};

void TreeBuilder::report(Position at, std::string message, std::string hint) {
  Finding finding{Severity::Error,        source_.name, std::max(at.line, 1),
                  std::max(at.column, 1), {},           std::move(message),
                  std::move(hint)};
  if (findings_->size() >= kFindingsMax) return;
  // What an alias unfolds is wrong once, however often it is unfolded.
  if (!unfolding_.empty() && std::ranges::count(*findings_, finding) > 0) return;
  findings_->push_back(std::move(finding));
}

bool TreeBuilder::check_text(std::string_view text) {
  if (text.size() > limits_.bytes_max) {
    report(
        {},
        fmt::format("the file has {} bytes; at most {} are read", text.size(), limits_.bytes_max),
        "split it into several files");
    return false;
  }
  Position at{file_, 1, 1};
  std::size_t open = 0;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = utf8_length(text, i);
    const auto byte = static_cast<unsigned char>(text[i]);
    if (text[i] == '\r' && !text.substr(i + 1).starts_with('\n')) {
      report(at, "a carriage return without a line feed",
             "end lines with a line feed, or with both");
      return false;
    }
    if (length == 0 || byte == 0x7F ||
        (byte < 0x20 && text[i] != '\t' && text[i] != '\n' && text[i] != '\r')) {
      report(at,
             length == 0 ? fmt::format("the byte 0x{:02x} is not UTF-8", byte)
                         : fmt::format("the control character 0x{:02x} is not allowed", byte),
             "save the file as UTF-8 text");
      return false;
    }
    if (text[i] == '[' || text[i] == '{') ++open;
    if ((text[i] == ']' || text[i] == '}') && open > 0) --open;
    if (open > kOpenBracketsMax) {
      report(at, fmt::format("more than {} brackets are open", kOpenBracketsMax));
      return false;
    }
    if (text[i] == '\n') {
      ++at.line;
      at.column = 0;
    }
    ++at.column;
    i += length;
  }
  return true;
}

std::string TreeBuilder::open_bracket_hint(const YamlEvents& read) const {
  std::vector<const YamlEvent*> open;
  for (const YamlEvent& event : read.events) {
    if (event.type == Type::MapStart || event.type == Type::ListStart) open.push_back(&event);
    const bool closes = event.type == Type::MapEnd || event.type == Type::ListEnd;
    if (closes && !open.empty()) open.pop_back();
  }
  for (auto it = open.rbegin(); it != open.rend(); ++it) {
    const YamlEvent& event = **it;
    std::string_view rest = source_.text;
    for (int line = 1; line < event.line; ++line) {
      rest.remove_prefix(std::min(rest.find('\n'), rest.size() - 1) + 1);
    }
    const std::size_t at = static_cast<std::size_t>(std::max(event.column - 1, 0));
    if (at < rest.size() && (rest[at] == '[' || rest[at] == '{')) {
      return fmt::format("the '{}' of line {}, column {} is still open", rest[at], event.line,
                         event.column);
    }
  }
  return {};
}

bool TreeBuilder::check_events(const YamlEvents& read) {
  for (const YamlError& error : read.errors) {
    std::string hint;
    if (error.message.find("without a closing") != std::string::npos ||
        error.message.find("missing comma") != std::string::npos) {
      hint = open_bracket_hint(read);
    } else if (error.message.find("tab character") != std::string::npos) {
      hint = "indent with spaces";
    }
    report({file_, error.line, error.column}, error.message, std::move(hint));
  }
  if (read.too_many) {
    report(position(read.events.back()),
           fmt::format("the file has more than {} nodes", limits_.nodes_max),
           "split it into several files");
  } else if (read.too_deep) {
    report(position(read.events.back()),
           fmt::format("lists and mappings are nested deeper than {}", limits_.depth_max));
  }
  return read.errors.empty() && !read.too_many && !read.too_deep;
}

std::vector<Node> TreeBuilder::build() {
  std::string_view text = source_.text;
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  if (!check_text(text)) return {};
  YamlEvents read =
      read_yaml_events(text, source_.name.ends_with(".json"),
                       {.events_max = 2 * limits_.nodes_max + 2, .depth_max = limits_.depth_max});
  if (!check_events(read)) return {};
  events_ = std::move(read.events);
  resolve_aliases();
  std::vector<Node> documents;
  std::size_t count = 0;
  for (cursor_ = 0; cursor_ < events_.size() && !stopped_; ++cursor_) {
    const YamlEvent& event = events_[cursor_];
    if (event.type == Type::DocumentEnd) continue;
    if (event.type == Type::DocumentStart) {
      if (++count > limits_.documents_max) {
        report(position(event),
               fmt::format("the file has more than {} documents", limits_.documents_max),
               "split it into several files");
        return {};
      }
      continue;
    }
    Node root = node();
    --cursor_;
    if (root.kind != NodeKind::Null) documents.push_back(std::move(root));
  }
  if (stopped_) return {};
  return documents;
}

bool TreeBuilder::count_node(const YamlEvent& event) {
  if (stopped_) return false;
  if (++nodes_ > limits_.nodes_max) {
    const std::string_view what =
        unfolding_.empty() ? "the file has" : "with its aliases unfolded the file has";
    report(position(event), fmt::format("{} more than {} nodes", what, limits_.nodes_max),
           unfolding_.empty() ? "split it into several files" : "write less with aliases");
    stopped_ = true;
  } else if (depth_ >= limits_.depth_max) {
    report(position(event),
           fmt::format("lists and mappings are nested deeper than {}", limits_.depth_max));
    stopped_ = true;
  }
  return !stopped_;
}

Node TreeBuilder::node() {
  const YamlEvent& event = events_[cursor_];
  if (!count_node(event)) {
    skip();
    return {};
  }
  if (event.line > 0) last_ = position(event);
  switch (event.type) {
    case Type::Scalar:
      return scalar(event);
    case Type::ListStart:
      return list(event);
    case Type::MapStart:
      return mapping(event);
    case Type::Alias:
      return alias(event);
    default:
      ++cursor_;
      return {};
  }
}

void TreeBuilder::resolve_aliases() {
  std::map<std::string, std::size_t> anchors;
  for (std::size_t i = 0; i < events_.size(); ++i) {
    const YamlEvent& event = events_[i];
    if (event.type == Type::DocumentStart) anchors.clear();
    if (!event.anchor.empty()) anchors[event.anchor] = i;
    if (event.type != Type::Alias) continue;
    const auto anchor = anchors.find(event.text);
    if (anchor != anchors.end()) targets_[i] = anchor->second;
  }
}

void TreeBuilder::skip() {
  int open = 0;
  do {
    const Type type = events_[cursor_].type;
    if (type == Type::ListStart || type == Type::MapStart) ++open;
    if (type == Type::ListEnd || type == Type::MapEnd) --open;
    ++cursor_;
  } while (open > 0 && cursor_ < events_.size());
}

Node TreeBuilder::scalar(const YamlEvent& event) {
  ++cursor_;
  Node out;
  out.position = event.line > 0 ? position(event) : last_;
  out.plain = event.plain;
  out.text = event.text;
  out.kind = event.plain ? core_kind(event.text) : NodeKind::String;
  apply_tag(event, &out);
  if (out.kind == NodeKind::Float && to_json(out).is_null()) {
    report(out.position, fmt::format("'{}' is not a finite number", out.text));
    out.kind = NodeKind::String;
  } else if (out.kind == NodeKind::Int && !to_json(out).is_int64()) {
    report(out.position,
           fmt::format("the integer {} does not fit 64 bits", describe(out).substr(12)));
    out.kind = NodeKind::String;
  }
  return out;
}

void TreeBuilder::apply_tag(const YamlEvent& event, Node* node) {
  std::string_view tag = event.tag;
  if (tag.empty()) return;
  if (tag == "!") {
    if (node->is_scalar()) node->kind = NodeKind::String;
    return;
  }
  if (tag.starts_with(kTagPrefix)) {
    tag.remove_prefix(kTagPrefix.size());
    const bool fits = (tag == "map" && node->is_mapping()) || (tag == "seq" && node->is_sequence());
    if (fits) return;
    if (node->is_scalar() && tag == "str") {
      node->kind = NodeKind::String;
      return;
    }
    const NodeKind written = node->is_scalar() ? core_kind(node->text) : node->kind;
    if ((tag == "int" && written == NodeKind::Int) ||
        (tag == "bool" && written == NodeKind::Bool) ||
        (tag == "null" && written == NodeKind::Null) ||
        (tag == "float" && (written == NodeKind::Float || written == NodeKind::Int))) {
      node->kind = written;
      return;
    }
  }
  report(position(event),
         fmt::format("the tag '{}' does not fit {}", event.tag.substr(0, 64), describe(*node)),
         "leave tags out; quote what should be a string");
}

Node TreeBuilder::list(const YamlEvent& event) {
  ++cursor_;
  Node out;
  out.kind = NodeKind::Sequence;
  out.position = position(event);
  apply_tag(event, &out);
  ++depth_;
  while (cursor_ < events_.size() && events_[cursor_].type != Type::ListEnd)
    out.items.push_back(node());
  --depth_;
  ++cursor_;
  return out;
}

Node TreeBuilder::mapping(const YamlEvent& event) {
  ++cursor_;
  Node out = mapping_node(position(event));
  apply_tag(event, &out);
  std::map<std::string, Position> seen;
  ++depth_;
  while (cursor_ < events_.size() && events_[cursor_].type != Type::MapEnd) entry(&out, &seen);
  --depth_;
  ++cursor_;
  return out;
}

void TreeBuilder::entry(Node* mapping, std::map<std::string, Position>* seen) {
  const YamlEvent& key = events_[cursor_];
  const Position at = key.line > 0 ? position(key) : mapping->position;
  last_ = at;
  if (key.type != Type::Scalar) {
    report(at, "a key is not plain text", "write keys as words");
    skip();
    node();
    return;
  }
  ++cursor_;
  Node value = node();
  if (key.plain && key.text == "<<") {
    report(at, "merge keys (<<) are not part of YAML 1.2",
           "write the keys out, or use an alias for the whole value");
    return;
  }
  if (key.plain && key.text.empty()) {
    report(at, "a key is empty");
    return;
  }
  const auto [first, is_new] = seen->emplace(key.text, at);
  if (!is_new) {
    report(at, fmt::format("the key '{}' is written twice in one mapping", key.text.substr(0, 64)),
           fmt::format("it is already at line {}, column {}", first->second.line,
                       first->second.column));
    return;
  }
  mapping->entries.push_back({key.text, at, std::move(value)});
}

Node TreeBuilder::alias(const YamlEvent& event) {
  const std::size_t after = cursor_ + 1;
  cursor_ = after;
  const auto target = targets_.find(after - 1);
  if (target == targets_.end()) {
    report(position(event),
           fmt::format("the alias '*{}' names no anchor above it", event.text.substr(0, 64)));
    return {};
  }
  if (++aliases_ > limits_.aliases_max) {
    report(position(event),
           fmt::format("the file unfolds more than {} aliases", limits_.aliases_max),
           "write the values out, or use a Pipeline with parameters");
    stopped_ = true;
    return {};
  }
  const std::size_t anchor = target->second;
  cursor_ = anchor;
  skip();  // Now past the anchor's value; when that is past the alias too, the alias stands inside
           // of it.
  const bool inside = cursor_ >= after;
  if (inside || std::ranges::count(unfolding_, anchor) > 0) {
    report(position(event),
           fmt::format("the alias '*{}' contains itself", event.text.substr(0, 64)));
    cursor_ = after;
    return {};
  }
  unfolding_.push_back(anchor);
  cursor_ = anchor;
  Node out = node();
  unfolding_.pop_back();
  cursor_ = after;
  return out;
}

}  // namespace

std::vector<Node> parse_documents(const SourceFile& source, int file, const DocumentLimits& limits,
                                  std::vector<Finding>* findings) {
  const std::size_t before = findings->size();
  std::vector<Node> documents = TreeBuilder(source, file, limits, findings).build();
  if (findings->size() > before) documents.clear();
  return documents;
}

}  // namespace showcaller::manifest

// SPDX-License-Identifier: Apache-2.0
#include "model/manifest/targeting_words.h"

#include <charconv>

#include <fmt/format.h>

#include "flag/validate.h"

namespace showcaller::manifest {
namespace {

const std::vector<std::string>& operators() {
  static const std::vector<std::string> words = {
      "var",    "missing", "missing_some", "if",      "?:",          "==",        "===",   "!=",
      "!==",    "!",       "!!",           "or",      "and",         ">",         ">=",    "<",
      "<=",     "max",     "min",          "+",       "-",           "*",         "/",     "%",
      "map",    "reduce",  "filter",       "all",     "none",        "some",      "merge", "in",
      "cat",    "substr",  "fractional",   "sem_ver", "starts_with", "ends_with", "lower", "upper",
      "rollout"};
  return words;
}

// The step of a JSON pointer that comes next, unescaped.
std::string take_step(std::string_view* pointer) {
  pointer->remove_prefix(1);
  const std::size_t end = std::min(pointer->find('/'), pointer->size());
  std::string step;
  for (std::size_t i = 0; i < end; ++i) {
    const bool escaped = (*pointer)[i] == '~' && i + 1 < end;
    step += escaped ? ((*pointer)[i + 1] == '1' ? '/' : '~') : (*pointer)[i];
    if (escaped) ++i;
  }
  pointer->remove_prefix(end);
  return step;
}

enum class As { Error, Warning };

void report_at_pointer(Reader& reader, const Node& node, std::string_view pointer,
                       const std::string& message, As as) {
  const auto here = [&] {
    if (as == As::Error)
      reader.error(node.position, message);
    else
      reader.warning(node.position, message);
  };
  if (!pointer.starts_with('/')) return here();
  const std::string step = take_step(&pointer);
  if (node.is_sequence()) {
    std::size_t index = node.items.size();
    std::from_chars(step.data(), step.data() + step.size(), index);
    if (index >= node.items.size()) return here();
    const Reader::Inside inside(&reader, index);
    return report_at_pointer(reader, node.items[index], pointer, message, as);
  }
  const Node* next = node.find(step);
  if (next == nullptr) return here();
  const Reader::Inside inside(&reader, step);
  report_at_pointer(reader, *next, pointer, message, as);
}

}  // namespace

bool check_rule(Reader& reader, const Node& node) {
  if (!check_targeting(reader, node)) return false;
  const auto findings = validate_rule(to_json(node));
  for (const FlagFinding& finding : findings)
    report_at_pointer(reader, node, finding.pointer, finding.message, As::Error);
  return findings.empty();
}

void report_error_at_pointer(Reader& reader, const Node& node, std::string_view pointer,
                             const std::string& message) {
  report_at_pointer(reader, node, pointer, message, As::Error);
}

void report_flag_findings(Reader& reader, const Node& node,
                          const std::vector<FlagFinding>& findings) {
  for (const FlagFinding& finding : findings)
    report_at_pointer(reader, node, finding.pointer, finding.message,
                      finding.spoils ? As::Error : As::Warning);
}

bool check_targeting(Reader& reader, const Node& node) {
  if (node.is_sequence()) {
    bool good = true;
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      const Reader::Inside inside(&reader, i);
      good = check_targeting(reader, node.items[i]) && good;
    }
    return good;
  }
  if (!node.is_mapping()) return true;
  if (node.entries.size() != 1) {
    reader.error(node.position,
                 fmt::format("a condition has one operator, this has {} keys", node.entries.size()),
                 "join conditions with { and: [ ... ] }");
    return false;
  }
  const Entry& entry = node.entries[0];
  const auto& known = operators();
  if (std::ranges::find(known, entry.key) == known.end()) {
    const std::string near = nearest_hint(entry.key, known);
    reader.error(entry.position,
                 fmt::format("'{}' is no operator of JSONLogic or flagd", entry.key.substr(0, 64)),
                 near.empty() ? "an attribute is read with { var: name }" : near);
    return false;
  }
  const Reader::Inside inside(&reader, entry.key);
  return check_targeting(reader, entry.value);
}

}  // namespace showcaller::manifest

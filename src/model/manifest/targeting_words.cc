// SPDX-License-Identifier: Apache-2.0
#include "model/manifest/targeting_words.h"

#include <fmt/format.h>

namespace showcaller::manifest {
namespace {

const std::vector<std::string>& operators() {
  static const std::vector<std::string> words = {
      "var", "missing", "missing_some", "if",  "?:",     "==",     "===",    "!=",  "!==",  "!",    "!!",         "or",
      "and", ">",       ">=",           "<",   "<=",     "max",    "min",    "+",   "-",    "*",    "/",          "%",
      "map", "reduce",  "filter",       "all", "none",   "some",   "merge",  "in",  "cat",  "substr", "fractional", "sem_ver",
      "starts_with", "ends_with"};
  return words;
}

}  // namespace

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
    reader.error(node.position, fmt::format("a condition has one operator, this has {} keys", node.entries.size()),
                 "join conditions with { and: [ ... ] }");
    return false;
  }
  const Entry& entry = node.entries[0];
  const auto& known = operators();
  if (std::ranges::find(known, entry.key) == known.end()) {
    const std::string near = nearest_hint(entry.key, known);
    reader.error(entry.position, fmt::format("'{}' is no operator of JSONLogic or flagd", entry.key.substr(0, 64)),
                 near.empty() ? "an attribute is read with { var: name }" : near);
    return false;
  }
  const Reader::Inside inside(&reader, entry.key);
  return check_targeting(reader, entry.value);
}

}  // namespace showcaller::manifest

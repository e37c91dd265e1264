// SPDX-License-Identifier: Apache-2.0
// What changed between two documents, path by path. Lists whose items have names are compared by
// name.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"

namespace showcaller {

struct PathChange {
  std::string path;                   // "spec.rollout.stages[canary].exposure", "spec.after[0]"
  std::optional<json::value> before;  // absent: added
  std::optional<json::value> after;   // absent: removed
  friend bool operator==(const PathChange&, const PathChange&) = default;
};

// Sorted as the documents are: keys by name, list items in their order. Numbers that are equal are
// equal (1 and 1.0). Named lists with the same items in another order give one change of the list,
// told as lists of names.
std::vector<PathChange> diff_documents(const json::value& before, const json::value& after);

// "~ spec.risk: normal → high", "+ spec.after[0]: x", "- spec.runbook: ...": a line each.
std::string format_changes(std::span<const PathChange> changes);

}  // namespace showcaller

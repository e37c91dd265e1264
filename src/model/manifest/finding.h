// SPDX-License-Identifier: Apache-2.0
// What is wrong with a manifest, where, and what to do about it. All findings of a set of files
// come together.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"

namespace showcaller {

// One file as it was read; the name is only shown.
struct SourceFile {
  std::string name;
  std::string text;
};

enum class Severity { Error, Warning };

struct Finding {
  Severity severity = Severity::Error;
  std::string file;
  int line = 0;      // from 1; 0: the place is not in a file (a manifest that came as JSON values)
  int column = 0;    // from 1, in characters
  std::string path;  // "spec.rollout.stages[1].exposure"; empty: the whole document
  std::string message;
  std::string hint;  // the remedy; may be empty

  friend bool operator==(const Finding&, const Finding&) = default;
};

bool has_errors(std::span<const Finding> findings);

// "raid.yaml:12:5: error: spec.risk: ...", the source line with a caret below it, the hint; then a
// blank line and a count.
std::string format_findings(std::span<const Finding> findings, std::span<const SourceFile> sources,
                            bool colours = false);
// "raid.yaml:12:5: spec.risk: message; hint".
std::string format_finding_line(const Finding& finding);
json::array findings_to_json(std::span<const Finding> findings);

}  // namespace showcaller

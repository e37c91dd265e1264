// SPDX-License-Identifier: Apache-2.0
// JSONLogic conditions in manifests: are their operators known, and can anybody match?
#pragma once

#include <string>

#include "base/json.h"
#include "flag/flag_set.h"
#include "model/manifest/reader.h"

namespace showcaller::manifest {

// Reports operators that JSONLogic and flagd do not know. False: a finding was reported.
bool check_targeting(Reader& reader, const Node& node);

// As above, and all that flagd's schema asks of a rule.
bool check_rule(Reader& reader, const Node& node);
// The findings of src/flag at their places: pointers are below `node`. Errors are those that spoil
// the flag; the others are warnings, for flagd loads such a flag too.
void report_flag_findings(Reader& reader, const Node& node,
                          const std::vector<FlagFinding>& findings);

// Whom a condition can match, as far as it can be told without a context. Nobody and Everyone are
// certain.
enum class Reach { Nobody, Some, Everyone };
struct Folded {
  Reach reach = Reach::Some;
  std::string why;  // for Nobody
};

// Folds constants, empty lists, and equalities and ranges of one attribute that exclude one
// another.
Folded fold_condition(const json::value& condition);

// An error at what a JSON pointer names below the node, or at the nearest around it.
void report_error_at_pointer(Reader& reader, const Node& node, std::string_view pointer,
                             const std::string& message);

}  // namespace showcaller::manifest

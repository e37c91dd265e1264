// SPDX-License-Identifier: Apache-2.0
// References of rules to named evaluators: {"$ref": "name"}. A document has one list of evaluators
// for all its flags; where documents are laid together, each one's get a prefix of their own.
//
// Pure. Threads: none.
#pragma once

#include <string_view>

#include "base/json.h"

namespace showcaller {

// Every reference in the rule becomes "<prefix>/<name>".
void qualify_references(std::string_view prefix, json::value* rule);
bool has_reference(const json::value& rule);

}  // namespace showcaller

// SPDX-License-Identifier: Apache-2.0
// Which flags differ between two sets, as flagd tells its clients: by key, written, updated or
// deleted. A changed evaluator changes the flags that refer to evaluators.
//
// Pure. Threads: none.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "flag/flag_set.h"

namespace showcaller {

enum class FlagChangeKind { Write, Update, Delete };
std::string_view to_string(FlagChangeKind kind);  // "write", "update", "delete"

struct FlagKeyChange {
  std::string key;
  FlagChangeKind kind;
  friend bool operator==(const FlagKeyChange&, const FlagKeyChange&) = default;
};

std::vector<FlagKeyChange> changes_between(const FlagSet& before, const FlagSet& after);

}  // namespace showcaller

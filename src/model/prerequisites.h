// SPDX-License-Identifier: Apache-2.0
// Which flags need which: what can't be. Pure.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "model/spec/others.h"

namespace showcaller {

// Null for flags that are not there.
using FlagSpecOf = std::function<const FlagSpec*(std::string_view flag)>;

// A circle of prerequisites that the flag is in, "a → b → a"; empty: none.
std::string prerequisite_circle(std::string_view flag, const FlagSpecOf& spec_of);

}  // namespace showcaller

// SPDX-License-Identifier: Apache-2.0
// Lists of names in policies: verbs, owners, roles, events.
#pragma once

#include <algorithm>
#include <string_view>

namespace showcaller {

template <class Names>
bool contains(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace showcaller

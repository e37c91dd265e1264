// SPDX-License-Identifier: Apache-2.0
#include "model/prerequisites.h"

#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace showcaller {
namespace {

bool find_circle(std::string_view flag, const FlagSpecOf& spec_of, std::vector<std::string>* path,
                 std::set<std::string, std::less<>>* seen) {
  const FlagSpec* spec = spec_of(flag);
  if (!spec) return false;
  for (const FlagPrerequisite& needed : spec->prerequisites) {
    path->push_back(needed.flag);
    if (needed.flag == path->front()) return true;
    if (seen->insert(needed.flag).second && find_circle(needed.flag, spec_of, path, seen))
      return true;
    path->pop_back();
  }
  return false;
}

}  // namespace

std::string prerequisite_circle(std::string_view flag, const FlagSpecOf& spec_of) {
  std::vector<std::string> path{std::string(flag)};
  std::set<std::string, std::less<>> seen;
  if (!find_circle(flag, spec_of, &path, &seen)) return {};
  return fmt::format("{}", fmt::join(path, " → "));
}

}  // namespace showcaller

// SPDX-License-Identifier: Apache-2.0
#include "evidence/trust.h"

#include <algorithm>
#include <array>

namespace showcaller {
namespace {

constexpr std::array<std::string_view, 3> kNames{"server", "probe", "client"};

}  // namespace

std::string_view to_string(Trust trust) {
  return kNames[std::size_t(trust)];
}

std::optional<Trust> parse_trust(std::string_view text) {
  const auto found = std::ranges::find(kNames, text);
  if (found == kNames.end()) return std::nullopt;
  return Trust(found - kNames.begin());
}

}  // namespace showcaller

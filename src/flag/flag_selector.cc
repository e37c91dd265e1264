// SPDX-License-Identifier: Apache-2.0
#include "flag/flag_selector.h"

#include <fmt/format.h>

namespace showcaller {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

Result<FlagSelector> parse_flag_selector(std::string_view text, std::string_view fallback_key) {
  text = trimmed(text);
  if (text.empty()) return FlagSelector{};
  const auto equals = text.find('=');
  const auto key = equals == text.npos ? fallback_key : text.substr(0, equals);
  const auto value = equals == text.npos ? text : text.substr(equals + 1);
  if (key == "flagSetId") return FlagSelector{FlagSelector::By::FlagSet, std::string(value)};
  if (key == "source") return FlagSelector{FlagSelector::By::Source, std::string(value)};
  return fail(ErrorCode::Invalid,
              fmt::format("a selector has no key '{}'; write flagSetId=SET or source=SOURCE", key));
}

}  // namespace showcaller

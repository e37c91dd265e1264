// SPDX-License-Identifier: Apache-2.0
// What reasons, errors and types are called, and what values are of which type.
#include <algorithm>
#include <array>
#include <cmath>

#include "flag/flag_set.h"

namespace showcaller {
namespace {

constexpr std::array<std::string_view, 5> kReasons{"STATIC", "TARGETING_MATCH", "DEFAULT",
                                                   "DISABLED", "ERROR"};
constexpr std::array<std::string_view, 8> kErrors{
    "",        "FLAG_NOT_FOUND",        "PARSE_ERROR",     "TYPE_MISMATCH",
    "GENERAL", "TARGETING_KEY_MISSING", "INVALID_CONTEXT", "PROVIDER_NOT_READY"};
constexpr std::array<std::string_view, 5> kTypes{"boolean", "string", "integer", "float", "object"};

}  // namespace

std::string_view to_string(FlagReason reason) {
  return kReasons[std::size_t(reason)];
}
std::string_view to_string(FlagError error) {
  return kErrors[std::size_t(error)];
}
std::string_view to_string(FlagType type) {
  return kTypes[std::size_t(type)];
}

std::optional<FlagError> parse_flag_error(std::string_view text) {
  const auto found = std::ranges::find(kErrors, text);
  if (found == kErrors.end() || text.empty()) return std::nullopt;
  return FlagError(found - kErrors.begin());
}

std::optional<std::int64_t> lossless_integer(const json::value& value) {
  if (value.is_int64()) return value.get_int64();
  if (!value.is_double()) return std::nullopt;
  constexpr double kExact = 9007199254740991.0;
  const double number = value.get_double();
  if (std::trunc(number) != number || std::abs(number) > kExact) return std::nullopt;
  return std::int64_t(number);
}

bool has_type(const json::value& value, FlagType type) {
  switch (type) {
    case FlagType::Boolean:
      return value.is_bool();
    case FlagType::String:
      return value.is_string();
    case FlagType::Integer:
      return lossless_integer(value).has_value();
    case FlagType::Float:
      return value.is_number();
    case FlagType::Object:
      return value.is_structured();
  }
  return false;
}

}  // namespace showcaller

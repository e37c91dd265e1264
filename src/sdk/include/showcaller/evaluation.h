// SPDX-License-Identifier: Apache-2.0
// What an evaluation answers, in OpenFeature's words.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace showcaller::sdk {

enum class Reason { Static, TargetingMatch, Default, Disabled, Error };
enum class ErrorCode {
  None,
  FlagNotFound,
  ParseError,
  TypeMismatch,
  General,
  TargetingKeyMissing,
  InvalidContext,
  ProviderNotReady,
};
std::string_view to_string(Reason reason);
std::string_view to_string(ErrorCode code);

enum class ValueType { Boolean, String, Integer, Number, Object };
std::string_view to_string(ValueType type);
// Objects are JSON text.
using Value = std::variant<bool, std::int64_t, double, std::string>;

template <class T>
struct Details {
  T value{};  // the fallback whenever `variant` is empty
  std::string variant{};
  Reason reason = Reason::Error;
  ErrorCode error = ErrorCode::None;
  std::string message{};
};

}  // namespace showcaller::sdk

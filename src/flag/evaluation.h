// SPDX-License-Identifier: Apache-2.0
// What evaluating a flag answers, with all that OpenFeature calls its details.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/json.h"

namespace showcaller {

// Why a value was given. Names on the wire are OpenFeature's.
enum class FlagReason : std::uint8_t { Static, TargetingMatch, Default, Disabled, Error };
std::string_view to_string(FlagReason reason);

enum class FlagError : std::uint8_t {
  None,
  FlagNotFound,
  ParseError,           // the flag's targeting does not compile
  TypeMismatch,         // the value is not of the type asked for
  General,              // targeting named no variant, or exceeded its budget
  TargetingKeyMissing,  // known on the wire; flagd's language answers the default variant instead
  InvalidContext,
  ProviderNotReady,  // no flags yet
};
std::string_view to_string(FlagError error);
std::optional<FlagError> parse_flag_error(std::string_view text);

struct Evaluation {
  // Null: the caller's own default applies, with `reason` Default, Disabled or Error.
  const json::value* value = nullptr;
  std::string_view variant;
  FlagReason reason = FlagReason::Error;
  FlagError error = FlagError::None;
  std::uint32_t answer = 0;  // which of all that its FlagSet may answer, from 1; 0: of no flag
  std::string_view message;  // of an error
  const json::object* metadata = nullptr;  // the flag's over the set's; never null from a FlagSet
};

}  // namespace showcaller

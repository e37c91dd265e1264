// SPDX-License-Identifier: Apache-2.0
// Operating errors as values. A message states the fact, then the remedy.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace showcaller {

// A code exists only where some caller would act differently.
enum class ErrorCode {
  Invalid,          // the request is wrong; the same request will be wrong again
  NotFound,         // no such thing
  Conflict,         // the state does not allow it now, or somebody was first
  Forbidden,        // known, but not allowed
  Unauthenticated,  // not known
  KeyTaken,         // the idempotency key belongs to another command; use a new key
  Limit,            // a documented limit was reached; less, or later
  Unavailable,      // not now; a retry may succeed
  Corrupt,          // stored bytes are not what was written
  Unsupported,      // understood, but not by this version
  Internal,         // ours to mend
};

std::string_view to_string(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::Internal;
  std::string message;
  int retry_after_s = 0;  // of Limit and Unavailable, when it is known

  friend bool operator==(const Error&, const Error&) = default;
};

template <class T>
using Result = std::expected<T, Error>;
using Status = Result<void>;

[[nodiscard]] inline std::unexpected<Error> fail(ErrorCode code, std::string message) {
  return std::unexpected(Error{code, std::move(message)});
}

}  // namespace showcaller

// TRY(auto value, expression) or TRY(expression): carries an error on to the caller.
#define SHOWCALLER_JOIN2(a, b) a##b
#define SHOWCALLER_JOIN(a, b) SHOWCALLER_JOIN2(a, b)
#define SHOWCALLER_TRY1(expression)                                  \
  do {                                                               \
    if (auto showcaller_status = (expression); !showcaller_status) { \
      return std::unexpected(std::move(showcaller_status).error());  \
    }                                                                \
  } while (false)
#define SHOWCALLER_TRY2(declaration, expression)                                \
  auto SHOWCALLER_JOIN(try_, __LINE__) = (expression);                          \
  if (!SHOWCALLER_JOIN(try_, __LINE__)) {                                       \
    return std::unexpected(std::move(SHOWCALLER_JOIN(try_, __LINE__)).error()); \
  }                                                                             \
  declaration = *std::move(SHOWCALLER_JOIN(try_, __LINE__))
#define SHOWCALLER_PICK(_1, _2, name, ...) name
#define TRY(...) SHOWCALLER_PICK(__VA_ARGS__, SHOWCALLER_TRY2, SHOWCALLER_TRY1)(__VA_ARGS__)

// SPDX-License-Identifier: Apache-2.0
#include "base/result.h"

namespace showcaller {

std::string_view to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::Invalid:
      return "invalid";
    case ErrorCode::NotFound:
      return "not_found";
    case ErrorCode::Conflict:
      return "conflict";
    case ErrorCode::Forbidden:
      return "forbidden";
    case ErrorCode::Unauthenticated:
      return "unauthenticated";
    case ErrorCode::KeyTaken:
      return "key_taken";
    case ErrorCode::Limit:
      return "limit";
    case ErrorCode::Unavailable:
      return "unavailable";
    case ErrorCode::Corrupt:
      return "corrupt";
    case ErrorCode::Unsupported:
      return "unsupported";
    case ErrorCode::Internal:
      return "internal";
  }
  return "internal";
}

}  // namespace showcaller

// SPDX-License-Identifier: Apache-2.0
// Bytes as text that stands in URLs and cookies. Source: RFC 4648 section 5, without padding.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace showcaller {

std::string to_base64url(std::string_view bytes);
// Invalid on anything but that very form: other signs, padding, bits that stand for nothing.
Result<std::string> from_base64url(std::string_view text);

}  // namespace showcaller

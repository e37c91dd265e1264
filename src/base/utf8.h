// SPDX-License-Identifier: Apache-2.0
// What is UTF-8 and what is not. Source: RFC 3629.
#pragma once

#include <cstddef>
#include <string_view>

namespace showcaller {

// The length of the sequence that begins at `at`, or 0 where there is none: overlong forms,
// surrogates and what lies past U+10FFFF are none.
std::size_t utf8_length(std::string_view text, std::size_t at);
bool is_utf8(std::string_view text);

}  // namespace showcaller

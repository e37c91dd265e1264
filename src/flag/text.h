// SPDX-License-Identifier: Apache-2.0
// Lengths and pieces of UTF-8 text counted in UTF-16 units, as JavaScript counts them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace showcaller {

std::size_t utf16_length(std::string_view utf8);
// String.prototype.substr: a negative start counts from the end; NaN is 0. Half a surrogate pair
// becomes U+FFFD.
std::string utf16_substring(std::string_view utf8, double start, double count);

}  // namespace showcaller

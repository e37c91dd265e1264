// SPDX-License-Identifier: Apache-2.0
// A gzip body, unpacked whole. Source: RFC 1952. Threads: none.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace showcaller {

// Invalid: it is none, or is cut off. Limit: it would be longer than `bytes_max`; no more than that
// was unpacked.
Result<std::string> gunzip(std::string_view packed, std::size_t bytes_max);

}  // namespace showcaller

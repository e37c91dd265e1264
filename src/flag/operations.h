// SPDX-License-Identifier: Apache-2.0
// The names of the language's operations.
#pragma once

#include <string>
#include <string_view>

#include "flag/program.h"

namespace showcaller {

// The operation of that name; Op::Literal when there is none.
Op find_operation(std::string_view name);

void append_pointer(std::string* pointer, std::string_view token);

}  // namespace showcaller

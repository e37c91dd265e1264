// SPDX-License-Identifier: Apache-2.0
// The console's files as the build put them into this program (cmake/console.cmake).
#pragma once

#include <string_view>

namespace showcaller {

// What ConsoleFiles::open() reads; empty when the console was not built.
std::string_view console_pack();

}  // namespace showcaller

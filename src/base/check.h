// SPDX-License-Identifier: Apache-2.0
// CHECK: a programmer's error stops the process, in release builds too. Operating errors are Result
// (result.h).
#pragma once

namespace showcaller {

[[noreturn]] void check_failed(const char* file, int line, const char* condition);

}  // namespace showcaller

#define CHECK(condition) \
  ((condition) ? (void)0 : ::showcaller::check_failed(__FILE__, __LINE__, #condition))

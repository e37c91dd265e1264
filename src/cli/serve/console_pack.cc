// SPDX-License-Identifier: Apache-2.0
#include "cli/serve/console_pack.h"

extern "C" {
extern const char showcaller_console_begin[];
extern const char showcaller_console_end[];
}

namespace showcaller {

std::string_view console_pack() {
  return {showcaller_console_begin,
          static_cast<std::size_t>(showcaller_console_end - showcaller_console_begin)};
}

}  // namespace showcaller

// SPDX-License-Identifier: Apache-2.0
// A new token: 256 random bits as text, and the hash under which the world knows it.
#pragma once

#include <string>

namespace showcaller {

struct TokenText {
  std::string id;      // 12 hex digits, to speak of it
  std::string text;    // "sc_" and 64 hex digits; shown once, stored nowhere
  std::string sha256;  // hex, of the text
};

TokenText make_token_text();

}  // namespace showcaller

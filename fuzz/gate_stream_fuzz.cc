// SPDX-License-Identifier: Apache-2.0
// Any bytes as a recorded stage: `gate judge` must end with a verdict or an error, and a stored
// tick must not be accepted in two spellings.
//
// Links: sc_analysis
#include <cstdint>
#include <sstream>
#include <string>

#include "analysis/gate_stream.h"
#include "base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace showcaller;
  const std::string text(reinterpret_cast<const char*>(data), size);
  std::istringstream in(text);
  std::ostringstream out, err;
  const int exit = judge_stream(in, out, err);
  CHECK(exit >= kJudgePass && exit <= kJudgeSkewed);
  CHECK(exit == kJudgeMalformed ? !err.str().empty()
                                : out.str().find("\"final\"") != std::string::npos);
  if (const auto tick = tick_from_bytes(text)) {
    // Counts beyond int64 or groups without width may not survive, but what is written reads back.
    const auto again = tick_from_bytes(to_bytes(*tick));
    CHECK(again && *again == *tick);
  }
  return 0;
}

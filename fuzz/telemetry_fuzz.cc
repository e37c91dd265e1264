// SPDX-License-Identifier: Apache-2.0
// Telemetry batches and OFREP bodies from anywhere. What is read can be written and is then read
// alike.
//
// Links: sc_codec
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "codec/ofrep.h"
#include "codec/telemetry.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace showcaller;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)decode_ofrep_context(text);
  (void)decode_ofrep_result(200, text);
  const auto batch = decode_telemetry(text, {.bytes_max = 1u << 16});
  if (!batch) return 0;
  const auto again = decode_telemetry(encode_telemetry(*batch), {.text_bytes_max = 4096});
  CHECK(again.has_value());
  CHECK(*again == *batch);
  return 0;
}

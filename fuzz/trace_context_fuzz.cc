// SPDX-License-Identifier: Apache-2.0
// Trace context from anybody's headers, and a collector's answers. What is read of a traceparent is
// read alike again when it goes on.
//
// Links: sc_codec
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "base/trace_context.h"
#include "codec/otlp_spans.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace showcaller;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto context = parse_traceparent(text)) {
    const auto again = parse_traceparent(context->callers_traceparent());
    CHECK(again.has_value());
    CHECK(again->trace_id == context->trace_id && again->parent_id == context->parent_id);
    CHECK(again->sampled == context->sampled);
  }
  if (is_tracestate(text)) CHECK(text.size() <= 512);
  (void)decode_otlp_answer(text);
  return 0;
}

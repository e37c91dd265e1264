// SPDX-License-Identifier: Apache-2.0
// Spans as OTLP wants them: an ExportTraceServiceRequest in protobuf, and what its answer says.
// Source: opentelemetry-proto 1.x, collector/trace/v1/trace_service.proto, trace/v1/trace.proto.
//
// Threads: none. Limits: a text value is cut after kOtlpTextMax bytes, at a character's end.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "codec/otlp_partial_success.h"
#include "codec/span.h"

namespace showcaller {

inline constexpr std::size_t kOtlpTextMax = 1'024;

struct OtlpScope {
  std::string name, version;
};

std::string encode_otlp_spans(const SpanAttributes& resource, const OtlpScope& scope,
                              std::span<const Span> spans);

// ExportTraceServiceResponse: what the collector did not take, though it answered 200.
Result<OtlpPartialSuccess> decode_otlp_answer(std::string_view body);

}  // namespace showcaller

// SPDX-License-Identifier: Apache-2.0
// W3C trace context: read from a request, made when there is none. Source:
// www.w3.org/TR/trace-context, version 00.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace showcaller {

struct TraceContext {
  std::string trace_id;   // 32 hex digits
  std::string span_id;    // 16, of this server's part
  std::string parent_id;  // 16, of the caller's part; empty: the trace begins here
  bool sampled = true;

  std::string traceparent() const;  // as it goes on: with this server's span
};

// Nothing when the header is malformed, as the standard wants.
std::optional<TraceContext> parse_traceparent(std::string_view header);
// The trace of a request: continued, or begun with random ids.
TraceContext continue_trace(std::string_view header);

}  // namespace showcaller
